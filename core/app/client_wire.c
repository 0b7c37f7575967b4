#include "app/client_wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { READ_BYTES = 64 * 1024, ANSWER_MAX = 4 * 1024 * 1024, BODY_KEPT = 4096 };

void gw_client_wire_init(struct gw_client_wire *wire, const struct gw_client_wire_owner *owner, size_t depth)
{
    *wire = (struct gw_client_wire){.conn = {GW_CLIENT_CONN_WIRE, -1}, .owner = owner, .depth = depth};
    wire->flights = gw_alloc_array(depth, sizeof wire->flights[0]);
    gw_buffer_init(&wire->out, 0);
    gw_buffer_init(&wire->in, ANSWER_MAX);
    gw_buffer_init(&wire->body, 0);
}

void gw_client_wire_close(struct gw_client_wire *wire)
{
    if (wire->conn.fd >= 0) {
        gw_client_abort(wire->conn.fd);
    }
    wire->conn.fd = -1;
    wire->is_open = wire->is_armed = wire->has_head = false;
    wire->in_flight = 0;
    gw_buffer_reset(&wire->out);
    gw_buffer_reset(&wire->in);
}

void gw_client_wire_fini(struct gw_client_wire *wire)
{
    gw_client_wire_close(wire);
    gw_buffer_fini(&wire->out);
    gw_buffer_fini(&wire->in);
    gw_buffer_fini(&wire->body);
    gw_free(wire->flights);
}

static void arm(struct gw_client_wire *wire, bool wants_room)
{
    struct epoll_event event = {.events = EPOLLIN | (wants_room ? (uint32_t)EPOLLOUT : 0), .data.ptr = &wire->conn};
    (void)epoll_ctl(wire->epoll, EPOLL_CTL_MOD, wire->conn.fd, &event);
    wire->is_armed = wants_room;
}

int gw_client_wire_open(struct gw_client_wire *wire, const struct gw_client_url *url, struct gw_error *err)
{
    int fd = gw_client_connect(url, 0, err);
    if (fd < 0) {
        return fd;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = &wire->conn};
    wire->conn.fd = fd;
    wire->is_armed = true;
    if (epoll_ctl(wire->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        gw_client_wire_close(wire);
        return gw_error_set(err, GW_EIO, "epoll_failed", "epoll: %s", strerror(errno));
    }
    return GW_OK;
}

/* Hands the oldest request its answer. */
static void settle(struct gw_client_wire *wire, const struct gw_client_answer *answer)
{
    struct gw_client_flight flight = wire->flights[wire->first];
    wire->first = (wire->first + 1) % wire->depth;
    wire->in_flight--;
    wire->owner->on_answer(wire->owner->self, wire, &flight, answer);
}

static void lose(struct gw_client_wire *wire, const char *why)
{
    static const struct gw_client_answer none = {0, "", 0};
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s", why);
    wire->is_open = false;
    while (wire->in_flight > 0) {
        settle(wire, &none);
    }
    gw_client_wire_close(wire);
    wire->owner->on_lost(wire->owner->self, wire, reason);
}

void gw_client_wire_note(struct gw_client_wire *wire, const struct gw_client_flight *flight)
{
    assert(wire->in_flight < wire->depth);
    wire->flights[(wire->first + wire->in_flight++) % wire->depth] = *flight;
}

void gw_client_wire_flush(struct gw_client_wire *wire)
{
    size_t sent = 0;
    while (wire->is_open && sent < wire->out.length) {
        ssize_t n = send(wire->conn.fd, wire->out.data + sent, wire->out.length - sent, MSG_NOSIGNAL);
        if (n < 0) {
            /* Other errors surface when the connection is read. */
            break;
        }
        sent += (size_t)n;
    }
    gw_buffer_consume(&wire->out, sent);
    bool wants_room = wire->out.length > 0;
    if (wire->is_open && wants_room != wire->is_armed) {
        arm(wire, wants_room);
    }
}

static void keep_body(struct gw_client_wire *wire, const char *bytes, size_t length)
{
    size_t room = BODY_KEPT - wire->body.length;
    gw_buffer_append(&wire->body, bytes, length < room ? length : room);
}

static void on_whole(struct gw_client_wire *wire)
{
    struct gw_client_answer answer = {wire->response.status, wire->body.data, wire->body.length};
    wire->has_head = false;
    if (answer.status / 100 != 1 && wire->in_flight > 0) {
        settle(wire, &answer);
    }
}

/* Reads one answer, or as much of it as is there, from `at`. Bytes consumed, 0 when more are needed, -1 when they are not HTTP. */
static ptrdiff_t take_answer(struct gw_client_wire *wire, char *at, size_t length)
{
    struct gw_response_step step;
    ptrdiff_t head = 0;
    if (!wire->has_head) {
        head = gw_response_feed_head(&wire->response, at, length);
        if (head <= 0) {
            return head;
        }
        wire->has_head = true;
        gw_buffer_reset(&wire->body);
    }
    if (gw_response_decode(&wire->response, at + head, length - (size_t)head, &step) != 0) {
        return -1;
    }
    keep_body(wire, at + head, step.produced);
    if (step.is_complete) {
        on_whole(wire);
    }
    return head + (ptrdiff_t)step.consumed;
}

static void take_answers(struct gw_client_wire *wire)
{
    size_t taken = 0;
    while (taken < wire->in.length) {
        ptrdiff_t n = take_answer(wire, wire->in.data + taken, wire->in.length - taken);
        if (n < 0) {
            lose(wire, "an answer that is not HTTP");
            return;
        }
        if (n == 0) {
            break;
        }
        taken += (size_t)n;
    }
    gw_buffer_consume(&wire->in, taken);
    if (wire->response.closes_after && !wire->has_head && wire->in_flight > 0 && taken > 0) {
        lose(wire, "the server closes its connection");
    }
}

static void on_readable(struct gw_client_wire *wire)
{
    char *room = gw_buffer_reserve(&wire->in, READ_BYTES);
    ssize_t got = room != NULL ? read(wire->conn.fd, room, READ_BYTES) : -1;
    if (got > 0) {
        gw_buffer_commit(&wire->in, (size_t)got);
        take_answers(wire);
    } else if (room == NULL) {
        lose(wire, "an answer over 4 MiB");
    } else if (got == 0) {
        lose(wire, "end of connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        lose(wire, strerror(errno));
    }
}

static void on_connected(struct gw_client_wire *wire)
{
    struct gw_error err;
    if (gw_client_connect_result(wire->conn.fd, &err) != 0) {
        lose(wire, err.message);
        return;
    }
    wire->is_open = true;
    gw_client_wire_flush(wire);
}

void gw_client_wire_on_event(struct gw_client_wire *wire, uint32_t events)
{
    if (!wire->is_open) {
        on_connected(wire);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        gw_client_wire_flush(wire);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        on_readable(wire);
    }
}
