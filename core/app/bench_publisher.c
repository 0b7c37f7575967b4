#include "app/bench_publisher.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/bench_loop.h"
#include "app/bench_marker.h"
#include "app/client_wire.h"
#include "base/alloc.h"
#include "base/error.h"

#define REOPEN_AFTER_NS UINT64_C(50000000)
#define NO_DEADLINE     UINT64_C(50000000)
/* Below this a wait costs more than it saves: poll without sleeping. */
#define SPIN_NS UINT64_C(60000)

struct line {
    struct gw_client_wire wire; /* first: the owner's callbacks get it */
    size_t next_channel;
    uint64_t reopen_ns; /* 0: it is open or opening */
    bool is_dirty;      /* bytes wait to be flushed */
};

struct gw_bench_publisher {
    struct gw_bench_publisher_spec spec;
    struct gw_client_wire_owner owner;
    const struct gw_bench_fleet *fleet;
    struct line *lines;
    size_t line_count, tracks;
    uint64_t *seqs; /* channel * tracks + track */
    char *payload;
    struct gw_buffer body;
    struct gw_bench_histogram acks;
    uint64_t next_setup, schedule_start_ns, schedule_next, unique;
    char first_error[200];
    atomic_int job;
    atomic_uint_fast64_t limit, size, measure_from_ns, measure_until_ns;
    atomic_uint_fast64_t setup_answered, issued, answered, refused, reconnects, expected;
};

/* What a flight's tag holds: the deliveries that the message ought to cause, or that it is no message. */
#define SETUP_TAG (UINT64_C(1) << 63)

static void note_refusal(struct gw_bench_publisher *p, const struct gw_client_answer *answer)
{
    int shown = (int)(answer->body_length < 140 ? answer->body_length : 140);
    gw_bench_live_add(&p->refused, 1);
    if (p->first_error[0] != '\0') {
        return;
    }
    if (answer->status == 0) {
        (void)snprintf(p->first_error, sizeof p->first_error, "a message was lost with its connection");
    } else {
        (void)snprintf(p->first_error, sizeof p->first_error, "publishing answered %d: %.*s", answer->status, shown, answer->body);
    }
}

static void on_answer(void *self, struct gw_client_wire *wire, const struct gw_client_flight *flight, const struct gw_client_answer *answer)
{
    struct gw_bench_publisher *p = self;
    uint64_t now = gw_client_now_ns();
    bool is_setup = flight->tag == SETUP_TAG;
    (void)wire;
    if (answer->status / 100 != 2) {
        note_refusal(p, answer);
        gw_bench_live_add(&p->expected, is_setup ? 0 : 0 - flight->tag);
    }
    gw_bench_live_add(is_setup ? &p->setup_answered : &p->answered, 1);
    if (!is_setup && flight->started_ns >= atomic_load_explicit(&p->measure_from_ns, memory_order_relaxed) &&
        flight->started_ns < atomic_load_explicit(&p->measure_until_ns, memory_order_relaxed)) {
        gw_bench_histogram_note(&p->acks, now - flight->started_ns);
    }
}

static void on_lost(void *self, struct gw_client_wire *wire, const char *why)
{
    struct gw_bench_publisher *p = self;
    struct line *line = (struct line *)wire;
    if (p->first_error[0] == '\0') {
        (void)snprintf(p->first_error, sizeof p->first_error, "publishing connection: %.160s", why);
    }
    gw_bench_live_add(&p->reconnects, 1);
    line->reopen_ns = gw_client_now_ns() + REOPEN_AFTER_NS;
}

struct gw_bench_publisher *gw_bench_publisher_create(const struct gw_bench_publisher_spec *spec)
{
    const struct gw_bench_options *o = spec->options;
    struct gw_bench_publisher *p = gw_alloc(sizeof *p);
    p->spec = *spec;
    p->owner = (struct gw_client_wire_owner){p, on_answer, on_lost};
    p->line_count = o->connections;
    p->tracks = spec->fleet->publishers_per_channel;
    p->lines = gw_alloc_array(p->line_count, sizeof p->lines[0]);
    p->seqs = gw_alloc_array(o->channels * p->tracks, sizeof p->seqs[0]);
    p->payload = gw_alloc((1u << 20) + GW_BENCH_MARKER_BYTES);
    gw_buffer_init(&p->body, 0);
    atomic_store(&p->size, o->size_bytes);
    atomic_store(&p->measure_from_ns, UINT64_MAX);
    atomic_store(&p->measure_until_ns, UINT64_MAX);
    for (size_t i = 0; i < p->line_count; i++) {
        gw_client_wire_init(&p->lines[i].wire, &p->owner, o->pipeline);
        p->lines[i].wire.index = i;
        p->lines[i].next_channel = i % o->channels;
        p->lines[i].reopen_ns = 1;
    }
    return p;
}

void gw_bench_publisher_destroy(struct gw_bench_publisher *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->line_count; i++) {
        gw_client_wire_fini(&p->lines[i].wire);
    }
    gw_buffer_fini(&p->body);
    gw_free(p->payload);
    gw_free(p->seqs);
    gw_free(p->lines);
    gw_free(p);
}

void gw_bench_publisher_start(struct gw_bench_publisher *p, enum gw_bench_job job, uint64_t limit)
{
    atomic_store(&p->limit, limit);
    atomic_store(&p->job, (int)job);
}

void gw_bench_publisher_halt(struct gw_bench_publisher *p) { atomic_store(&p->job, GW_BENCH_JOB_NONE); }

void gw_bench_publisher_set_size(struct gw_bench_publisher *p, size_t payload_bytes) { atomic_store(&p->size, payload_bytes); }

void gw_bench_publisher_measure(struct gw_bench_publisher *p, uint64_t from_ns, uint64_t until_ns)
{
    atomic_store(&p->measure_until_ns, until_ns);
    atomic_store(&p->measure_from_ns, from_ns);
}

void gw_bench_publisher_progress(const struct gw_bench_publisher *p, struct gw_bench_publisher_progress *out)
{
    out->setup_answered = atomic_load(&p->setup_answered);
    out->issued = atomic_load(&p->issued);
    out->answered = atomic_load(&p->answered);
    out->refused = atomic_load(&p->refused);
    out->reconnects = atomic_load(&p->reconnects);
    out->expected_deliveries = atomic_load(&p->expected);
}

static void reopen_due(struct gw_bench_publisher *p)
{
    struct gw_error err;
    uint64_t now = gw_client_now_ns();
    for (size_t i = 0; i < p->line_count; i++) {
        struct line *line = &p->lines[i];
        if (line->reopen_ns == 0 || line->reopen_ns > now) {
            continue;
        }
        line->reopen_ns = 0;
        if (gw_client_wire_open(&line->wire, gw_bench_request_url(p->spec.publish), &err) != 0) {
            on_lost(p, &line->wire, err.message);
        }
    }
}

void gw_bench_publisher_attach(struct gw_bench_publisher *p, const struct gw_bench_fleet *fleet, int epoll)
{
    p->fleet = fleet;
    for (size_t i = 0; i < p->line_count; i++) {
        p->lines[i].wire.epoll = epoll;
    }
    reopen_due(p);
}

void gw_bench_publisher_detach(struct gw_bench_publisher *p)
{
    p->fleet = NULL;
    for (size_t i = 0; i < p->line_count; i++) {
        gw_client_wire_close(&p->lines[i].wire);
        p->lines[i].reopen_ns = 1;
    }
}

void gw_bench_publisher_on_event(struct gw_bench_publisher *p, struct gw_client_conn *conn, uint32_t events)
{
    (void)p;
    gw_client_wire_on_event((struct gw_client_wire *)conn, events);
}

static bool has_room(const struct line *line) { return line->wire.is_open && line->wire.in_flight < line->wire.depth; }

static void render(struct gw_bench_publisher *p, struct line *line, const struct gw_bench_request *request, struct gw_bench_values *values)
{
    values->tag = p->spec.tag;
    values->unique = ++p->unique;
    values->publisher = line->wire.index;
    values->bearer = gw_bench_lines_at(p->spec.fleet->bearers, line->wire.index);
    gw_bench_request_render(request, values, "", &p->body, &line->wire.out);
    line->is_dirty = true;
}

static void send_message(struct gw_bench_publisher *p, struct line *line, size_t channel, uint64_t intended_ns)
{
    size_t track = line->wire.index / p->spec.options->channels;
    uint64_t seq = ++p->seqs[channel * p->tracks + track];
    struct gw_bench_marker marker = {seq, intended_ns, (unsigned)line->wire.index, (unsigned)channel};
    struct gw_bench_values values = {.channel = channel, .seq = seq, .ts_ns = intended_ns, .payload = p->payload};
    values.payload_length = gw_bench_marker_write(&marker, atomic_load_explicit(&p->size, memory_order_relaxed), p->payload);
    render(p, line, p->spec.publish, &values);
    uint64_t fan = gw_bench_fleet_fan(p->spec.fleet, channel);
    gw_client_wire_note(&line->wire, &(struct gw_client_flight){intended_ns, fan});
    gw_bench_live_add(&p->issued, 1);
    gw_bench_live_add(&p->expected, fan);
}

static void flush(struct gw_bench_publisher *p)
{
    for (size_t i = 0; i < p->line_count; i++) {
        struct line *line = &p->lines[i];
        if (line->is_dirty) {
            line->is_dirty = false;
            gw_client_wire_flush(&line->wire);
        }
    }
}

static bool is_limited(const struct gw_bench_publisher *p)
{
    uint64_t limit = atomic_load_explicit(&p->limit, memory_order_relaxed);
    return limit > 0 && atomic_load_explicit(&p->issued, memory_order_relaxed) >= limit;
}

static uint64_t pump_setup(struct gw_bench_publisher *p)
{
    size_t channels = p->spec.options->channels;
    for (size_t i = 0; i < p->line_count; i++) {
        struct line *line = &p->lines[i];
        while (p->next_setup < channels && has_room(line)) {
            struct gw_bench_values values = {.channel = p->next_setup++, .payload = ""};
            render(p, line, p->spec.setup, &values);
            gw_client_wire_note(&line->wire, &(struct gw_client_flight){gw_client_now_ns(), SETUP_TAG});
        }
    }
    flush(p);
    return NO_DEADLINE;
}

/* Closed loop: whether one more message keeps what is outstanding within the window. */
static bool window_is_open(const struct gw_bench_publisher *p, size_t channel)
{
    uint64_t window = p->spec.options->window;
    uint64_t fan = gw_bench_fleet_fan(p->spec.fleet, channel);
    if (window == 0 || fan == 0) {
        return true;
    }
    uint64_t expected = atomic_load_explicit(&p->expected, memory_order_relaxed);
    uint64_t delivered = gw_bench_fleet_delivered(p->fleet);
    return expected <= delivered || expected - delivered + fan <= window * fan;
}

static void advance_channel(struct gw_bench_publisher *p, struct line *line)
{
    size_t channels = p->spec.options->channels;
    line->next_channel += p->line_count;
    if (line->next_channel >= channels) {
        line->next_channel = line->wire.index % channels;
    }
}

/* A resume wants the same number of messages on every channel. A connection's channels take turns, so the first full one ends its work. */
static bool is_full(const struct gw_bench_publisher *p, size_t channel)
{
    return p->spec.options->mode == GW_BENCH_RESUME && p->seqs[channel * p->tracks] >= p->spec.options->resume_events;
}

/* One message on every connection that has room; how many were sent. */
static size_t closed_round(struct gw_bench_publisher *p)
{
    size_t sent = 0;
    for (size_t i = 0; i < p->line_count; i++) {
        struct line *line = &p->lines[i];
        if (!has_room(line) || is_limited(p) || is_full(p, line->next_channel) || !window_is_open(p, line->next_channel)) {
            continue;
        }
        send_message(p, line, line->next_channel, gw_client_now_ns());
        advance_channel(p, line);
        sent++;
    }
    return sent;
}

static uint64_t pump_closed(struct gw_bench_publisher *p)
{
    while (closed_round(p) > 0) {
    }
    flush(p);
    /* With one thread only its own reads can open the window again; other threads' reads cause no event here. */
    return p->spec.options->threads > 1 ? SPIN_NS : NO_DEADLINE;
}

/* The connection for message `k`: those of a channel take turns. */
static struct line *line_of(struct gw_bench_publisher *p, size_t channel, uint64_t k)
{
    size_t channels = p->spec.options->channels;
    if (channels >= p->line_count) {
        return &p->lines[channel % p->line_count];
    }
    size_t of_channel = (p->line_count - channel + channels - 1) / channels;
    return &p->lines[channel + channels * (size_t)(k / channels % of_channel)];
}

static uint64_t pump_open(struct gw_bench_publisher *p)
{
    double step_ns = 1e9 / p->spec.options->rate;
    uint64_t now = gw_client_now_ns();
    p->schedule_start_ns = p->schedule_start_ns == 0 ? now : p->schedule_start_ns;
    uint64_t due = p->schedule_start_ns + (uint64_t)((double)p->schedule_next * step_ns);
    while (due <= now && !is_limited(p)) {
        size_t channel = (size_t)(p->schedule_next % p->spec.options->channels);
        struct line *line = line_of(p, channel, p->schedule_next);
        if (!has_room(line)) {
            flush(p);
            return NO_DEADLINE;
        }
        send_message(p, line, channel, due);
        p->schedule_next++;
        due = p->schedule_start_ns + (uint64_t)((double)p->schedule_next * step_ns);
    }
    flush(p);
    uint64_t left = due > now ? due - now : NO_DEADLINE;
    return left > SPIN_NS ? left - SPIN_NS / 2 : 0;
}

uint64_t gw_bench_publisher_pump(struct gw_bench_publisher *p)
{
    reopen_due(p);
    switch (atomic_load_explicit(&p->job, memory_order_relaxed)) {
    case GW_BENCH_JOB_SETUP:
        return pump_setup(p);
    case GW_BENCH_JOB_LOAD:
        return p->spec.options->rate > 0 ? pump_open(p) : pump_closed(p);
    default:
        /* The main thread starts a job without an event. */
        return UINT64_C(1000000);
    }
}

const struct gw_bench_histogram *gw_bench_publisher_acks(const struct gw_bench_publisher *p) { return &p->acks; }

const char *gw_bench_publisher_first_error(const struct gw_bench_publisher *p) { return p->first_error; }

uint64_t gw_bench_publisher_last_seq(const struct gw_bench_publisher *p, size_t channel, size_t track)
{
    return p->seqs[channel * p->tracks + track];
}
