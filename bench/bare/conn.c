#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"
#include "base/alloc.h"
#include "request.h"

enum { READ_BYTES = 64 * 1024, PIECE_MAX = 97 };

static const char plain_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n: hello\n\n";
static const char chunked_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
    "9\r\n: hello\n\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

static void arm(struct bare_server *server, struct bare_conn *conn, bool wants_room)
{
    struct epoll_event event = {.events = EPOLLIN | (wants_room ? (uint32_t)EPOLLOUT : 0), .data.fd = conn->fd};
    if (conn->is_armed != wants_room) {
        conn->is_armed = wants_room;
        (void)epoll_ctl(server->epoll, EPOLL_CTL_MOD, conn->fd, &event);
    }
}

bool bare_conn_flush(struct bare_server *server, struct bare_conn *conn)
{
    const struct bare_log *log = conn->log;
    bool is_full = false;
    if (conn->position < log->base) {
        return false;
    }
    while (conn->position < bare_log_end(log) && !is_full) {
        size_t offset = (size_t)(conn->position - log->base);
        size_t left = log->length - offset;
        size_t piece = server->settings.is_split ? (size_t)(1 + random() % PIECE_MAX) : left;
        ssize_t sent = send(conn->fd, log->bytes + offset, piece < left ? piece : left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            return false;
        }
        conn->position += sent > 0 ? (uint64_t)sent : 0;
        /* In pieces: the rest goes out in later rounds. */
        is_full = sent < 0 || server->settings.is_split;
    }
    arm(server, conn, conn->position < bare_log_end(log));
    return true;
}

void bare_conn_close(struct bare_server *server, struct bare_conn *conn)
{
    if (conn->channel != NULL) {
        bare_channel_leave(conn);
    }
    for (size_t i = 0; i < server->answering_count; i++) {
        if (server->answering[i] == conn) {
            server->answering[i] = server->answering[--server->answering_count];
        }
    }
    server->conns[conn->fd] = NULL;
    close(conn->fd);
    gw_buffer_fini(&conn->in);
    gw_buffer_fini(&conn->answers);
    gw_free(conn);
}

/* A publisher reads its answers, so they fit into its socket sooner or later: a blocking wait is simple and cannot stand still. */
static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            return;
        }
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
}

static bool subscribe(struct bare_server *server, struct bare_conn *conn, const struct bare_request *request)
{
    const char *head = server->settings.is_chunked ? chunked_head : plain_head;
    send_all(conn->fd, head, strlen(head));
    bare_channel_join(server, bare_channel_get(server, request->channel), conn);
    if (request->has_last_id) {
        conn->position = bare_log_after(conn->log, request->last_id);
    }
    gw_buffer_fini(&conn->in);
    gw_buffer_init(&conn->in, 0);
    return bare_conn_flush(server, conn);
}

static void await_disk(struct bare_server *server, const struct bare_request *request)
{
    if (server->pending_count == server->pending_capacity) {
        server->pending_capacity = server->pending_capacity * 2 + 64;
        server->pending = gw_try_grow(server->pending, server->pending_capacity, sizeof server->pending[0]);
        if (server->pending == NULL) {
            abort();
        }
    }
    server->pending[server->pending_count++] = (struct bare_pending){request->channel, server->group.length, request->body_length};
    gw_buffer_append(&server->group, request->body, request->body_length);
}

static void publish(struct bare_server *server, struct bare_conn *conn, const struct bare_request *request)
{
    gw_buffer_append(&conn->answers, answer, sizeof answer - 1);
    if (!conn->is_answering) {
        conn->is_answering = true;
        server->answering[server->answering_count++] = conn;
    }
    if (server->settings.sync_path != NULL) {
        await_disk(server, request);
    } else {
        bare_channel_publish(server, request->channel, request->body, request->body_length);
    }
}

static bool on_input(struct bare_server *server, struct bare_conn *conn)
{
    struct bare_request request;
    size_t taken = 0, whole;
    char *room = gw_buffer_reserve(&conn->in, READ_BYTES);
    ssize_t got = room != NULL ? read(conn->fd, room, READ_BYTES) : 0;
    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    gw_buffer_commit(&conn->in, (size_t)got);
    while ((whole = bare_request_parse(conn->in.data + taken, conn->in.length - taken, &request)) > 0) {
        if (request.is_get) {
            return subscribe(server, conn, &request);
        }
        publish(server, conn, &request);
        taken += whole;
    }
    gw_buffer_consume(&conn->in, taken);
    return true;
}

void bare_conn_on_event(struct bare_server *server, struct bare_conn *conn, uint32_t events)
{
    bool is_alive = true;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        is_alive = on_input(server, conn);
    }
    if (is_alive && (events & EPOLLOUT) != 0 && conn->channel != NULL) {
        is_alive = bare_conn_flush(server, conn);
    }
    if (!is_alive) {
        bare_conn_close(server, conn);
    }
}

void bare_conn_accept(struct bare_server *server)
{
    int on = 1;
    for (int i = 0; i < 256; i++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct bare_conn *conn = gw_alloc(sizeof *conn);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        conn->fd = fd;
        gw_buffer_init(&conn->in, 0);
        gw_buffer_init(&conn->answers, 0);
        server->conns[fd] = conn;
        (void)epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void commit_group(struct bare_server *server)
{
    if (server->pending_count == 0) {
        return;
    }
    bare_disk_commit(&server->disk, server->group.data, server->group.length);
    for (size_t i = 0; i < server->pending_count; i++) {
        const struct bare_pending *event = &server->pending[i];
        bare_channel_publish(server, event->channel, server->group.data + event->offset, event->length);
    }
    server->pending_count = 0;
    gw_buffer_reset(&server->group);
}

void bare_round_end(struct bare_server *server)
{
    commit_group(server);
    for (size_t i = 0; i < server->answering_count; i++) {
        struct bare_conn *conn = server->answering[i];
        send_all(conn->fd, conn->answers.data, conn->answers.length);
        gw_buffer_reset(&conn->answers);
        conn->is_answering = false;
    }
    server->answering_count = 0;
    for (size_t i = 0; i < server->dirty_count; i++) {
        bare_channel_fan_out(server, server->channels[server->dirty[i]]);
    }
    server->dirty_count = 0;
}
