#include "app/bench_subscriber.h"

#include <stdio.h>
#include <string.h>

#include "app/bench_marker.h"
#include "base/alloc.h"
#include "base/error.h"

/* A marked frame on its way through the counters. */
struct reading {
    struct gw_bench_loop *loop;
    struct gw_bench_subscriber *sub;
};

static void on_end(void *self, struct gw_client_stream *stream, bool was_open, const char *why)
{
    struct gw_bench_loop *loop = self;
    const struct gw_bench_subscriber *sub = (const struct gw_bench_subscriber *)stream;
    if (loop->counts.first_error[0] == '\0') {
        (void)snprintf(loop->counts.first_error, sizeof loop->counts.first_error, "subscriber %u: %.130s", sub->index, why);
    }
    if (was_open) {
        gw_bench_live_add(&loop->live.lost, 1);
    } else {
        loop->connects_in_flight--;
        gw_bench_live_add(&loop->live.refused, 1);
    }
}

void gw_bench_subscriber_open(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub)
{
    struct gw_error err;
    unsigned source = (unsigned)(sub->index % loop->spec->options->sources);
    sub->connect_ns = gw_client_now_ns();
    loop->connects_in_flight++;
    if (gw_client_stream_open(&loop->host, &sub->stream, gw_bench_request_url(loop->spec->subscribe), source, &err) != 0) {
        on_end(loop, &sub->stream, false, err.message);
    }
}

static void on_connected(void *self, struct gw_client_stream *stream, struct gw_buffer *out)
{
    static const char accept[] = "Accept: text/event-stream\r\n";
    const struct gw_bench_loop *loop = self;
    const struct gw_bench_subscriber *sub = (const struct gw_bench_subscriber *)stream;
    const struct gw_bench_fleet_spec *spec = loop->spec;
    struct gw_bench_values values = {.subscriber = sub->index, .channel = sub->channel, .tag = spec->tag, .payload = ""};
    struct gw_buffer extra, scratch;
    gw_buffer_init(&extra, 0);
    gw_buffer_init(&scratch, 0);
    values.bearer = gw_bench_lines_at(spec->bearers, sub->index);
    if (spec->cursors != NULL) {
        gw_buffer_appendf(&extra, "Last-Event-ID: %s\r\n", gw_bench_lines_at(spec->cursors, sub->channel));
    }
    /* As an EventSource does (WHATWG HTML 9.2.2); some servers refuse without. With its NUL. */
    gw_buffer_append(&extra, accept, sizeof accept);
    gw_bench_request_render(spec->subscribe, &values, extra.data, &scratch, out);
    gw_buffer_fini(&extra);
    gw_buffer_fini(&scratch);
}

static void on_open(void *self, struct gw_client_stream *stream)
{
    struct gw_bench_loop *loop = self;
    const struct gw_bench_subscriber *sub = (const struct gw_bench_subscriber *)stream;
    loop->connects_in_flight--;
    gw_bench_histogram_note(&loop->connect, loop->host.now_ns - sub->connect_ns);
    gw_bench_live_add(&loop->live.opened, 1);
}

static void on_read(void *self, size_t bytes)
{
    struct gw_bench_loop *loop = self;
    gw_bench_live_add(&loop->live.bytes, bytes);
    gw_bench_live_add(&loop->live.reads, 1);
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
    loop->last_done_ns = loop->host.now_ns;
    gw_bench_histogram_note(&loop->catch_up, loop->host.now_ns - r->sub->connect_ns);
    gw_bench_live_add(&loop->live.done, 1);
}

static void note_delay(struct reading *r, uint64_t ts_ns)
{
    struct gw_bench_loop *loop = r->loop;
    if (ts_ns >= atomic_load_explicit(loop->measure_from_ns, memory_order_relaxed) &&
        ts_ns < atomic_load_explicit(loop->measure_until_ns, memory_order_relaxed)) {
        gw_bench_histogram_note(&loop->delay, loop->host.now_ns > ts_ns ? loop->host.now_ns - ts_ns : 0);
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

static void on_frame(void *self, struct gw_client_stream *stream, const struct gw_sse_frame *frame)
{
    struct gw_bench_loop *loop = self;
    struct reading r = {loop, (struct gw_bench_subscriber *)stream};
    struct gw_bench_marker marker;
    const char *counted = loop->spec->options->count_event;
    if (gw_sse_frame_is(frame, "resume")) {
        note_verdict(loop, frame);
        return;
    }
    bool is_counted = frame->data != NULL && (counted == NULL || gw_sse_frame_is(frame, counted)) &&
                      gw_bench_marker_find(frame->data, frame->data_length, &loop->marker_hint, &marker);
    if (is_counted) {
        on_message(&r, &marker, frame);
    } else {
        loop->counts.other_frames++;
    }
}

void gw_bench_subscriber_host(struct gw_bench_loop *loop)
{
    loop->host.self = loop;
    loop->host.on_connected = on_connected;
    loop->host.on_open = on_open;
    loop->host.on_read = on_read;
    loop->host.on_frame = on_frame;
    loop->host.on_end = on_end;
}
