#include "app/bench_subscriber.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/bench_marker.h"
#include "app/client_sse.h"
#include "base/alloc.h"
#include "base/error.h"

enum { READ_BYTES = 256 * 1024, HEAD_MAX = 32 * 1024, FRAME_MAX = 16 * 1024 * 1024 };

/* What a frame's callback needs. */
struct reading {
    struct gw_bench_loop *loop;
    struct gw_bench_subscriber *sub;
    uint64_t now_ns;
};

static void fail(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub, const char *why)
{
    if (loop->counts.first_error[0] == '\0') {
        (void)snprintf(loop->counts.first_error, sizeof loop->counts.first_error, "subscriber %u: %s", sub->index, why);
    }
    if (sub->state == GW_BENCH_SUB_STREAM) {
        gw_bench_live_add(&loop->live.lost, 1);
    } else {
        loop->connects_in_flight--;
        gw_bench_live_add(&loop->live.refused, 1);
    }
    sub->state = GW_BENCH_SUB_CLOSED;
    gw_bench_subscriber_fini(sub);
}

void gw_bench_subscriber_fini(struct gw_bench_subscriber *sub)
{
    if (sub->conn.fd >= 0) {
        gw_client_abort(sub->conn.fd);
    }
    sub->conn.fd = -1;
    gw_buffer_fini(&sub->carry);
}

static bool watch(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = &sub->conn};
    return epoll_ctl(loop->epoll, operation, sub->conn.fd, &event) == 0;
}

void gw_bench_subscriber_open(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub)
{
    struct gw_error err;
    sub->connect_ns = gw_client_now_ns();
    sub->state = GW_BENCH_SUB_CONNECTING;
    loop->connects_in_flight++;
    unsigned source = (unsigned)(sub->index % loop->spec->options->sources);
    int fd = gw_client_connect(gw_bench_request_url(loop->spec->subscribe), source, &err);
    if (fd < 0) {
        fail(loop, sub, err.message);
        return;
    }
    sub->conn.fd = fd;
    if (!watch(loop, sub, EPOLL_CTL_ADD, EPOLLOUT)) {
        fail(loop, sub, strerror(errno));
    }
}

static void render_request(const struct gw_bench_loop *loop, const struct gw_bench_subscriber *sub, struct gw_buffer *out)
{
    const struct gw_bench_fleet_spec *spec = loop->spec;
    struct gw_bench_values values = {.subscriber = sub->index, .channel = sub->channel, .tag = spec->tag, .payload = ""};
    struct gw_buffer extra, scratch;
    gw_buffer_init(&extra, 0);
    gw_buffer_init(&scratch, 0);
    values.bearer = gw_bench_lines_at(spec->bearers, sub->index);
    if (spec->cursors != NULL) {
        gw_buffer_appendf(&extra, "Last-Event-ID: %s\r\n", gw_bench_lines_at(spec->cursors, sub->channel));
    }
    /* As an EventSource does (WHATWG HTML 9.2.2); some servers refuse without. */
    gw_buffer_append(&extra, "Accept: text/event-stream\r\n", sizeof "Accept: text/event-stream\r\n");
    gw_bench_request_render(spec->subscribe, &values, extra.data, &scratch, out);
    gw_buffer_fini(&extra);
    gw_buffer_fini(&scratch);
}

static void on_connected(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub)
{
    struct gw_error err;
    struct gw_buffer request;
    if (gw_client_connect_result(sub->conn.fd, &err) != 0) {
        fail(loop, sub, err.message);
        return;
    }
    gw_buffer_init(&request, 0);
    render_request(loop, sub, &request);
    /* A request is far smaller than a fresh socket's send buffer, so anything short of all of it is an error. */
    bool is_sent = send(sub->conn.fd, request.data, request.length, MSG_NOSIGNAL) == (ssize_t)request.length;
    gw_buffer_fini(&request);
    if (!is_sent || !watch(loop, sub, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP | EPOLLET)) {
        fail(loop, sub, "the request could not be sent");
        return;
    }
    sub->state = GW_BENCH_SUB_HEAD;
}

static void note_verdict(struct gw_bench_loop *loop, const struct gw_sse_frame *frame)
{
    static const char *const names[GW_BENCH_VERDICT_COUNT] = {"exact", "reset", "fresh", "retry"};
    static const char key[] = "\"status\":\"";
    const char *end = frame->data + frame->data_length;
    const char *at = frame->data != NULL ? memmem(frame->data, frame->data_length, key, sizeof key - 1) : NULL;
    for (int i = 0; at != NULL && i < GW_BENCH_VERDICT_COUNT; i++) {
        const char *word = at + sizeof key - 1;
        if ((size_t)(end - word) > strlen(names[i]) && memcmp(word, names[i], strlen(names[i])) == 0) {
            loop->counts.verdicts[i]++;
        }
    }
}

static void log_id(const struct gw_bench_fleet_spec *spec, size_t channel, uint64_t seq, const struct gw_sse_frame *frame)
{
    if (spec->id_log == NULL || frame->id == NULL || seq > spec->last_seq) {
        return;
    }
    char **slot = &spec->id_log[channel * (spec->last_seq + 1) + seq];
    if (*slot == NULL) {
        *slot = gw_try_strndup(frame->id, frame->id_length);
    }
}

static void note_done(struct reading *r, uint64_t seq)
{
    struct gw_bench_loop *loop = r->loop;
    if (seq != loop->spec->last_seq || r->sub->is_done) {
        return;
    }
    r->sub->is_done = true;
    loop->last_done_ns = r->now_ns;
    gw_bench_histogram_note(&loop->catch_up, r->now_ns - r->sub->connect_ns);
    gw_bench_live_add(&loop->live.done, 1);
}

static void note_delay(struct reading *r, uint64_t ts_ns)
{
    struct gw_bench_loop *loop = r->loop;
    if (ts_ns >= atomic_load_explicit(loop->measure_from_ns, memory_order_relaxed) &&
        ts_ns < atomic_load_explicit(loop->measure_until_ns, memory_order_relaxed)) {
        gw_bench_histogram_note(&loop->delay, r->now_ns > ts_ns ? r->now_ns - ts_ns : 0);
    }
}

static void on_message(struct reading *r, const struct gw_bench_marker *marker, const struct gw_sse_frame *frame)
{
    struct gw_bench_loop *loop = r->loop;
    struct gw_bench_subscriber *sub = r->sub;
    size_t track = marker->publisher / loop->spec->options->channels;
    if (marker->channel != sub->channel || track >= loop->spec->publishers_per_channel) {
        loop->counts.foreign++;
        return;
    }
    sub->received++;
    /* A polynomial hash of what came in which order: all streams of a channel must agree on it. */
    sub->order_hash = sub->order_hash * UINT64_C(6364136223846793005) + (marker->seq << 14 | marker->publisher) + 1;
    gw_bench_order_note(&sub->orders[track], marker->seq, &loop->counts.order);
    note_delay(r, marker->ts_ns);
    log_id(loop->spec, sub->channel, marker->seq, frame);
    gw_bench_live_add(&loop->live.delivered, 1);
    atomic_store_explicit(&loop->live.frame_bytes, frame->byte_count, memory_order_relaxed);
    if (loop->spec->last_seq > 0) {
        note_done(r, marker->seq);
    }
}

static void on_frame(void *arg, const struct gw_sse_frame *frame)
{
    struct reading *r = arg;
    struct gw_bench_marker marker;
    const char *counted = r->loop->spec->options->count_event;
    if (gw_sse_frame_is(frame, "resume")) {
        note_verdict(r->loop, frame);
        return;
    }
    bool is_counted = frame->data != NULL && (counted == NULL || gw_sse_frame_is(frame, counted)) &&
                      gw_bench_marker_find(frame->data, frame->data_length, &r->loop->marker_hint, &marker);
    if (is_counted) {
        on_message(r, &marker, frame);
    } else {
        r->loop->counts.other_frames++;
    }
}

/* Bytes of the body at `at`, behind `kept` bytes of an unfinished frame. Keeps what is unfinished again. */
static void on_body(struct reading *r, size_t kept, size_t at, size_t length)
{
    struct gw_bench_loop *loop = r->loop;
    struct gw_bench_subscriber *sub = r->sub;
    struct gw_response_step step;
    char *body = loop->scratch + at;
    if (gw_response_decode(&sub->response, body, length, &step) != 0) {
        fail(loop, sub, "broken chunk framing");
        return;
    }
    char *start = body - kept;
    size_t total = kept + step.produced;
    size_t done = gw_sse_split(start, total, on_frame, r);
    gw_buffer_reset(&sub->carry);
    if (done < total) {
        gw_buffer_append(&sub->carry, start + done, total - done);
    }
    if (sub->carry.has_failed) {
        fail(loop, sub, "a frame longer than 16 MiB");
    } else if (step.is_complete) {
        fail(loop, sub, "the server ended the stream");
    }
}

static void on_opened(struct reading *r)
{
    r->sub->state = GW_BENCH_SUB_STREAM;
    r->loop->connects_in_flight--;
    gw_bench_histogram_note(&r->loop->connect, r->now_ns - r->sub->connect_ns);
    gw_bench_live_add(&r->loop->live.opened, 1);
    /* A head may have needed memory that a stream does not. */
    gw_buffer_fini(&r->sub->carry);
    gw_buffer_init(&r->sub->carry, FRAME_MAX);
}

static void on_head(struct reading *r, size_t length)
{
    struct gw_bench_subscriber *sub = r->sub;
    char why[160];
    ptrdiff_t head = gw_response_feed_head(&sub->response, r->loop->scratch, length);
    if (head == 0 && length < HEAD_MAX) {
        gw_buffer_reset(&sub->carry);
        gw_buffer_append(&sub->carry, r->loop->scratch, length);
        return;
    }
    if (head <= 0 || sub->response.status != 200) {
        int shown = (int)strcspn(r->loop->scratch, "\r\n");
        (void)snprintf(why, sizeof why, "answered %.*s", shown < 120 ? shown : 120, r->loop->scratch);
        fail(r->loop, sub, why);
        return;
    }
    on_opened(r);
    if (length > (size_t)head) {
        on_body(r, 0, (size_t)head, length - (size_t)head);
    }
}

/* Room for what is kept, one read and a NUL behind it (a refused head is printed as text). */
static bool reserve_scratch(struct gw_bench_loop *loop, size_t kept)
{
    size_t wanted = kept + READ_BYTES + 1;
    if (wanted <= loop->scratch_capacity) {
        return true;
    }
    char *grown = gw_try_grow(loop->scratch, wanted, 1);
    if (grown != NULL) {
        loop->scratch = grown;
        loop->scratch_capacity = wanted;
    }
    return grown != NULL;
}

/* One read; true when there may be more. */
static bool read_once(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub)
{
    size_t kept = sub->carry.length;
    if (!reserve_scratch(loop, kept)) {
        fail(loop, sub, "out of memory");
        return false;
    }
    ssize_t got = read(sub->conn.fd, loop->scratch + kept, READ_BYTES);
    if (got <= 0) {
        bool is_drained = got < 0 && (errno == EAGAIN || errno == EINTR);
        if (!is_drained) {
            fail(loop, sub, got == 0 ? "end of stream" : strerror(errno));
        }
        return false;
    }
    struct reading r = {loop, sub, gw_client_now_ns()};
    if (kept > 0) {
        memcpy(loop->scratch, sub->carry.data, kept);
    }
    gw_bench_live_add(&loop->live.bytes, (uint64_t)got);
    gw_bench_live_add(&loop->live.reads, 1);
    if (sub->state == GW_BENCH_SUB_HEAD) {
        loop->scratch[kept + (size_t)got] = '\0';
        on_head(&r, kept + (size_t)got);
    } else {
        on_body(&r, kept, kept, (size_t)got);
    }
    return got == READ_BYTES && sub->state != GW_BENCH_SUB_CLOSED;
}

void gw_bench_subscriber_on_event(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub, uint32_t events)
{
    if (sub->state == GW_BENCH_SUB_CONNECTING) {
        on_connected(loop, sub);
        return;
    }
    /* Edge-triggered: a short read means that the socket is empty, unless its end has come too and must be read now. */
    bool has_ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (sub->state == GW_BENCH_SUB_HEAD || sub->state == GW_BENCH_SUB_STREAM) {
        if (!read_once(loop, sub) && !has_ended) {
            return;
        }
    }
}
