#include "io/socket.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "io/address.h"
#include "io/loop_inside.h"
#include "io/tls_stream.h"

#define MAX_PARTS      1024 /* IOV_MAX of Linux */
#define TLS_TURN_READS 4    /* records a turn: as many bytes as a plain read */

enum state {
    WANTS_READ = 1 << 0,
    WANTS_WRITE = 1 << 1,
    IS_CONNECTING = 1 << 2,
    HAS_EOF = 1 << 3,
    IS_SHUT = 1 << 4,       /* the owner writes no more */
    MUST_SEND_FIN = 1 << 5, /* once TLS holds nothing */
    IS_DEAD = 1 << 6,       /* on_error was called */
    IS_CLOSING = 1 << 7,
};

static_assert(sizeof(struct gw_socket) <= 192, "an idle stream pays for this");

static void set(struct gw_socket *socket, unsigned bits) { socket->state = (uint16_t)(socket->state | bits); }
static void clear(struct gw_socket *socket, unsigned bits) { socket->state = (uint16_t)(socket->state & ~bits); }
static bool is_over(const struct gw_socket *socket) { return socket->state & (IS_DEAD | IS_CLOSING); }
static struct gw_loop_socket_counts *counts_of(const struct gw_socket *socket) { return gw_loop_socket_counts(gw_socket_loop(socket)); }

static void on_poll(uv_poll_t *handle, int status, int events);

static bool needs_writable(const struct gw_socket *socket)
{
    if (socket->state & IS_CONNECTING)
        return true;
    if (!socket->tls)
        return socket->state & WANTS_WRITE;
    /* Before the handshake is done the next step is always the peer's: polling for write would spin. */
    bool may_write = (socket->state & WANTS_WRITE) && gw_tls_stream_is_established(socket->tls);
    return may_write || gw_tls_stream_held_bytes(socket->tls) > 0;
}

static void update_poll(struct gw_socket *socket)
{
    int events = 0;
    if (is_over(socket))
        return;
    if ((socket->state & WANTS_READ) && !(socket->state & (HAS_EOF | IS_CONNECTING)))
        events |= UV_READABLE;
    if (needs_writable(socket))
        events |= UV_WRITABLE;
    if (events == socket->polled)
        return;
    socket->polled = (uint8_t)events;
    if (events)
        uv_poll_start(&socket->poll, events, on_poll);
    else
        uv_poll_stop(&socket->poll);
}

static void fail(struct gw_socket *socket, const struct gw_error *err)
{
    uv_poll_stop(&socket->poll);
    socket->polled = 0;
    set(socket, IS_DEAD);
    gw_loop_count(&counts_of(socket)->errors, 1);
    socket->handler->on_error(socket, err);
}

static int failure_code(int failure) { return failure == EPIPE || failure == ECONNRESET ? GW_ECLOSED : GW_EIO; }

static void set_errno_error(const struct gw_socket *socket, int failure, struct gw_error *err)
{
    const char *id = failure_code(failure) == GW_ECLOSED ? "connection_reset" : "socket_failed";
    if (socket->state & IS_CONNECTING)
        id = "connect_failed";
    gw_loop_set_error(err, id, "the connection broke", -failure);
    err->code = failure_code(failure);
}

static void fail_with_errno(struct gw_socket *socket, int failure)
{
    struct gw_error err;
    set_errno_error(socket, failure, &err);
    fail(socket, &err);
}

static int pending_failure(const struct gw_socket *socket)
{
    int failure = 0;
    socklen_t length = sizeof failure;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &failure, &length) < 0)
        return errno;
    return failure;
}

static ssize_t receive_plain(struct gw_socket *socket, char *bytes, size_t capacity, struct gw_error *err)
{
    ssize_t got;
    do
        got = recv(socket->fd, bytes, capacity, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        gw_loop_count(&counts_of(socket)->bytes_in, (uint64_t)got);
        return got;
    }
    if (got == 0)
        return GW_STREAM_EOF;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    set_errno_error(socket, errno, err);
    return err->code;
}

/* One receive; true when another may follow in this turn. */
static bool read_once(struct gw_socket *socket)
{
    struct gw_error err;
    char *bytes = gw_loop_read_buffer(gw_socket_loop(socket));
    ssize_t got = socket->tls ? gw_tls_stream_read(socket->tls, bytes, GW_LOOP_READ_BYTES, &err)
                              : receive_plain(socket, bytes, GW_LOOP_READ_BYTES, &err);
    if (got > 0) {
        socket->handler->on_bytes(socket, bytes, (size_t)got);
        return (socket->state & WANTS_READ) && !is_over(socket);
    }
    if (got == GW_STREAM_EOF) {
        set(socket, HAS_EOF);
        socket->handler->on_eof(socket);
    } else if (got < 0) {
        fail(socket, &err);
    }
    return false;
}

static void on_may_read(struct gw_socket *socket)
{
    /* Level-triggered: what one read leaves is announced again, so that no peer holds up a turn. */
    for (int i = 0; i < (socket->tls ? TLS_TURN_READS : 1); i++)
        if (!read_once(socket))
            return;
}

static void send_fin(struct gw_socket *socket)
{
    clear(socket, MUST_SEND_FIN);
    shutdown(socket->fd, SHUT_WR);
}

/* True when the owner's bytes can go. */
static bool flush_held(struct gw_socket *socket)
{
    if (!socket->tls)
        return true;
    if (gw_tls_stream_flush(socket->tls) != GW_OK) {
        fail_with_errno(socket, ECONNRESET);
        return false;
    }
    if (gw_tls_stream_held_bytes(socket->tls) > 0)
        return false;
    if (socket->state & MUST_SEND_FIN)
        send_fin(socket);
    return gw_tls_stream_is_established(socket->tls);
}

static void on_may_write(struct gw_socket *socket)
{
    if (flush_held(socket) && (socket->state & WANTS_WRITE))
        socket->handler->on_writable(socket);
}

static void on_connect_result(struct gw_socket *socket)
{
    int failure = pending_failure(socket);
    if (failure) {
        fail_with_errno(socket, failure);
        return;
    }
    clear(socket, IS_CONNECTING);
    set(socket, WANTS_WRITE);
    socket->handler->on_writable(socket);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct gw_socket *socket = (struct gw_socket *)handle;
    if (status < 0) {
        /* libuv's word for POLLERR; the kernel knows the reason. */
        int failure = pending_failure(socket);
        fail_with_errno(socket, failure ? failure : EIO);
        return;
    }
    if (socket->state & IS_CONNECTING)
        on_connect_result(socket);
    else if (events & UV_READABLE)
        on_may_read(socket);
    if ((events & UV_WRITABLE) && !(socket->state & IS_CONNECTING) && !is_over(socket))
        on_may_write(socket);
    update_poll(socket);
}

static int start(struct gw_socket *socket, struct gw_loop *loop, const struct gw_socket_handler *handler, unsigned state,
                 struct gw_error *err)
{
    int on = 1;
    int failure = uv_poll_init(gw_loop_uv(loop), &socket->poll, socket->fd);
    if (failure) {
        close(socket->fd);
        return gw_loop_set_error(err, "socket_failed", "cannot watch the connection", failure);
    }
    /* Costs latency where it fails (a Unix socket has no such option), nothing else. */
    (void)setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket->handler = handler;
    socket->state = (uint16_t)state;
    socket->polled = 0;
    gw_loop_count(&gw_loop_socket_counts(loop)->opened, 1);
    update_poll(socket);
    return 0;
}

int gw_socket_open(struct gw_socket *socket, struct gw_loop *loop, int fd, const struct gw_socket_handler *handler, struct gw_error *err)
{
    socket->tls = NULL;
    socket->fd = fd;
    return start(socket, loop, handler, WANTS_READ, err);
}

int gw_socket_connect(struct gw_socket *sock, struct gw_loop *loop, const struct gw_address *address,
                      const struct gw_socket_handler *handler, struct gw_error *err)
{
    sock->tls = NULL;
    sock->fd = socket(address->addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock->fd < 0)
        return gw_loop_set_error(err, "connect_failed", "cannot make a socket", -errno);
    if (connect(sock->fd, &address->addr.any, address->length) < 0 && errno != EINPROGRESS) {
        gw_loop_set_error(err, "connect_failed", "cannot connect", -errno);
        close(sock->fd);
        return GW_EIO;
    }
    return start(sock, loop, handler, WANTS_READ | IS_CONNECTING, err);
}

static ssize_t send_plain(struct gw_socket *socket, const struct iovec *parts, size_t count)
{
    /* sendmsg only reads the parts; its struct is older than const. */
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count < MAX_PARTS ? count : MAX_PARTS};
    ssize_t sent;
    do
        sent = sendmsg(socket->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        gw_loop_count(&counts_of(socket)->bytes_out, (uint64_t)sent);
        return sent;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : failure_code(errno);
}

ssize_t gw_socket_writev(struct gw_socket *socket, const struct iovec *parts, size_t count)
{
    if (is_over(socket) || (socket->state & IS_SHUT))
        return GW_ECLOSED;
    if (socket->state & IS_CONNECTING)
        return 0;
    gw_loop_count(&counts_of(socket)->writes, 1);
    ssize_t sent = socket->tls ? gw_tls_stream_writev(socket->tls, parts, count) : send_plain(socket, parts, count);
    if (sent == 0)
        gw_loop_count(&counts_of(socket)->blocked_writes, 1);
    if (socket->tls)
        update_poll(socket);
    return sent;
}

void gw_socket_want_write(struct gw_socket *socket, bool wanted)
{
    if (wanted)
        set(socket, WANTS_WRITE);
    else
        clear(socket, WANTS_WRITE);
    update_poll(socket);
}

void gw_socket_pause_read(struct gw_socket *socket)
{
    clear(socket, WANTS_READ);
    update_poll(socket);
}

void gw_socket_resume_read(struct gw_socket *socket)
{
    set(socket, WANTS_READ);
    update_poll(socket);
}

void gw_socket_shutdown_write(struct gw_socket *socket)
{
    if (is_over(socket) || (socket->state & IS_SHUT))
        return;
    set(socket, IS_SHUT | MUST_SEND_FIN);
    if (socket->tls)
        gw_tls_stream_send_close(socket->tls);
    if (!socket->tls || gw_tls_stream_held_bytes(socket->tls) == 0)
        send_fin(socket);
    update_poll(socket);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct gw_socket *socket = (struct gw_socket *)handle;
    gw_loop_count(&counts_of(socket)->closed, 1);
    socket->handler->on_closed(socket);
}

/* libuv forgets the descriptor in uv_close, so that it can be closed at once: a connection limit counts descriptors. */
static void release(struct gw_socket *socket)
{
    set(socket, IS_CLOSING);
    gw_tls_stream_destroy(socket->tls);
    socket->tls = NULL;
    uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
    close(socket->fd);
    socket->fd = -1;
}

void gw_socket_close(struct gw_socket *socket)
{
    if (socket->state & IS_CLOSING)
        return;
    if (socket->tls && !(socket->state & (IS_DEAD | IS_SHUT)))
        gw_tls_stream_send_close(socket->tls);
    release(socket);
}

void gw_socket_reset(struct gw_socket *socket)
{
    if (socket->state & IS_CLOSING)
        return;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    release(socket);
}

bool gw_socket_is_closing(const struct gw_socket *socket) { return socket->state & IS_CLOSING; }
bool gw_socket_is_tls(const struct gw_socket *socket) { return socket->tls != NULL; }
struct gw_loop *gw_socket_loop(const struct gw_socket *socket) { return gw_loop_of((const uv_handle_t *)&socket->poll); }

ssize_t gw_socket_unsent_bytes(const struct gw_socket *socket)
{
    int unsent;
    if (socket->fd < 0 || ioctl(socket->fd, SIOCOUTQ, &unsent) < 0)
        return -1;
    return unsent + (socket->tls ? (ssize_t)gw_tls_stream_held_bytes(socket->tls) : 0);
}

int gw_socket_peer(const struct gw_socket *socket, struct gw_address *out)
{
    out->length = sizeof out->addr;
    return getpeername(socket->fd, &out->addr.any, &out->length) < 0 ? GW_EIO : GW_OK;
}

void gw_socket_set_send_buffer(struct gw_socket *socket, int bytes)
{
    /* A hint: the kernel clamps it, and a value that it refuses leaves its default, which is bounded too. */
    (void)setsockopt(socket->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static uint64_t value_of(const atomic_uint_fast64_t *counter) { return atomic_load_explicit(counter, memory_order_relaxed); }

void gw_socket_read_counters(struct gw_loop *loop, struct gw_socket_counters *out)
{
    const struct gw_loop_socket_counts *counts = gw_loop_socket_counts(loop);
    out->opened = value_of(&counts->opened);
    out->closed = value_of(&counts->closed);
    out->bytes_in = value_of(&counts->bytes_in);
    out->bytes_out = value_of(&counts->bytes_out);
    out->writes = value_of(&counts->writes);
    out->blocked_writes = value_of(&counts->blocked_writes);
    out->errors = value_of(&counts->errors);
}
