#include "app/client_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { READ_BYTES = 256 * 1024, HEAD_MAX = 32 * 1024, FRAME_MAX = 64 * 1024 * 1024 };

/* What the splitter's callback needs. */
struct reading {
    struct gw_client_stream_host *host;
    struct gw_client_stream *stream;
};

void gw_client_stream_host_fini(struct gw_client_stream_host *host)
{
    gw_free(host->scratch);
    host->scratch = NULL;
    host->scratch_capacity = 0;
}

void gw_client_stream_init(struct gw_client_stream *stream)
{
    *stream = (struct gw_client_stream){.conn = {GW_CLIENT_CONN_STREAM, -1}};
    gw_buffer_init(&stream->carry, FRAME_MAX);
}

void gw_client_stream_close(struct gw_client_stream *stream)
{
    if (stream->conn.fd >= 0) {
        gw_client_abort(stream->conn.fd);
    }
    stream->conn.fd = -1;
    stream->state = GW_STREAM_CLOSED;
    gw_buffer_fini(&stream->carry);
    gw_buffer_init(&stream->carry, FRAME_MAX);
}

static void end(struct gw_client_stream_host *host, struct gw_client_stream *stream, const char *why)
{
    char reason[256];
    bool was_open = stream->state == GW_STREAM_OPEN;
    (void)snprintf(reason, sizeof reason, "%s", why);
    gw_client_stream_close(stream);
    host->on_end(host->self, stream, was_open, reason);
}

static int watch(struct gw_client_stream_host *host, struct gw_client_stream *stream, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = &stream->conn};
    return epoll_ctl(host->epoll, operation, stream->conn.fd, &event);
}

int gw_client_stream_open(struct gw_client_stream_host *host, struct gw_client_stream *stream, const struct gw_client_url *url,
                          unsigned source, struct gw_error *err)
{
    int fd = gw_client_connect(url, source, err);
    if (fd < 0) {
        return fd;
    }
    stream->conn.fd = fd;
    stream->state = GW_STREAM_CONNECTING;
    if (watch(host, stream, EPOLL_CTL_ADD, EPOLLOUT) != 0) {
        int reason = errno;
        gw_client_stream_close(stream);
        return gw_error_set(err, GW_EIO, "epoll_failed", "epoll: %s", strerror(reason));
    }
    return GW_OK;
}

static void on_connected(struct gw_client_stream_host *host, struct gw_client_stream *stream)
{
    struct gw_error err;
    struct gw_buffer request;
    if (gw_client_connect_result(stream->conn.fd, &err) != 0) {
        end(host, stream, err.message);
        return;
    }
    gw_buffer_init(&request, 0);
    host->on_connected(host->self, stream, &request);
    /* A request is far smaller than a fresh socket's send buffer, so anything short of all of it is an error. */
    bool is_sent = send(stream->conn.fd, request.data, request.length, MSG_NOSIGNAL) == (ssize_t)request.length;
    gw_buffer_fini(&request);
    if (!is_sent || watch(host, stream, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP | EPOLLET) != 0) {
        end(host, stream, "the request could not be sent");
        return;
    }
    stream->state = GW_STREAM_HEAD;
}

static void on_frame(void *arg, const struct gw_sse_frame *frame)
{
    struct reading *r = arg;
    if (r->stream->state == GW_STREAM_OPEN) {
        r->host->on_frame(r->host->self, r->stream, frame);
    }
}

/* Bytes of the body at scratch + at, behind `kept` bytes of an unfinished frame. Keeps again what is unfinished. */
static void on_body(struct gw_client_stream_host *host, struct gw_client_stream *stream, size_t kept, size_t at, size_t length)
{
    struct gw_response_step step;
    struct reading r = {host, stream};
    char *start = host->scratch + at - kept;
    if (gw_response_decode(&stream->response, host->scratch + at, length, &step) != 0) {
        end(host, stream, "broken chunk framing");
        return;
    }
    size_t total = kept + step.produced;
    size_t done = gw_sse_split(start, total, on_frame, &r);
    if (stream->state != GW_STREAM_OPEN) {
        return;
    }
    gw_buffer_reset(&stream->carry);
    gw_buffer_append(&stream->carry, start + done, total - done);
    if (stream->carry.has_failed) {
        end(host, stream, "a frame longer than 64 MiB");
    } else if (step.is_complete) {
        end(host, stream, "the server ended the stream");
    }
}

static void on_head(struct gw_client_stream_host *host, struct gw_client_stream *stream, size_t length)
{
    ptrdiff_t head = gw_response_feed_head(&stream->response, host->scratch, length);
    if (head == 0 && length < HEAD_MAX) {
        gw_buffer_reset(&stream->carry);
        gw_buffer_append(&stream->carry, host->scratch, length);
        return;
    }
    if (head <= 0 || stream->response.status != 200) {
        char why[160];
        int shown = (int)strcspn(host->scratch, "\r\n");
        (void)snprintf(why, sizeof why, "answered %.*s", shown < 120 ? shown : 120, host->scratch);
        end(host, stream, why);
        return;
    }
    stream->state = GW_STREAM_OPEN;
    /* A head may have needed memory that a stream does not. */
    gw_buffer_fini(&stream->carry);
    gw_buffer_init(&stream->carry, FRAME_MAX);
    host->on_open(host->self, stream);
    if (stream->state == GW_STREAM_OPEN && length > (size_t)head) {
        on_body(host, stream, 0, (size_t)head, length - (size_t)head);
    }
}

/* Room for what is kept, one read and a NUL behind it (a refused head is printed as text). */
static bool reserve_scratch(struct gw_client_stream_host *host, size_t kept)
{
    size_t wanted = kept + READ_BYTES + 1;
    if (wanted <= host->scratch_capacity) {
        return true;
    }
    char *grown = gw_try_grow(host->scratch, wanted, 1);
    if (grown != NULL) {
        host->scratch = grown;
        host->scratch_capacity = wanted;
    }
    return grown != NULL;
}

static void on_bytes(struct gw_client_stream_host *host, struct gw_client_stream *stream, size_t kept, size_t got)
{
    host->now_ns = gw_client_now_ns();
    if (kept > 0) {
        memcpy(host->scratch, stream->carry.data, kept);
    }
    if (host->on_read != NULL) {
        host->on_read(host->self, got);
    }
    if (stream->state == GW_STREAM_HEAD) {
        host->scratch[kept + got] = '\0';
        on_head(host, stream, kept + got);
    } else {
        on_body(host, stream, kept, kept, got);
    }
}

/* One read; true when there may be more. */
static bool read_once(struct gw_client_stream_host *host, struct gw_client_stream *stream)
{
    size_t kept = stream->carry.length;
    if (!reserve_scratch(host, kept)) {
        end(host, stream, "out of memory");
        return false;
    }
    ssize_t got = read(stream->conn.fd, host->scratch + kept, READ_BYTES);
    if (got > 0) {
        on_bytes(host, stream, kept, (size_t)got);
        return got == READ_BYTES;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        end(host, stream, got == 0 ? "end of stream" : strerror(errno));
    }
    return false;
}

void gw_client_stream_on_event(struct gw_client_stream_host *host, struct gw_client_stream *stream, uint32_t events)
{
    if (stream->state == GW_STREAM_CONNECTING) {
        on_connected(host, stream);
        return;
    }
    /* Edge-triggered: a short read means that the socket is empty, unless its end has come too and must be read now. */
    bool has_ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (stream->state == GW_STREAM_HEAD || stream->state == GW_STREAM_OPEN) {
        if (!read_once(host, stream) && !has_ended) {
            return;
        }
    }
}
