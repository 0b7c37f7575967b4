#include "app/bench_fleet.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app/bench_loop.h"
#include "app/bench_publisher.h"
#include "app/bench_subscriber.h"
#include "base/alloc.h"
#include "base/error.h"

/* Few events a turn: the publisher's schedule is looked at between turns. */
enum { EVENTS_A_TURN = 64, CONNECTS_A_TURN = 32 };
#define LONGEST_WAIT_NS UINT64_C(50000000)

struct thread {
    struct gw_bench_loop loop;
    struct gw_bench_fleet *fleet;
    pthread_t handle;
    size_t index, first, count; /* slice of the fleet's subscribers */
    size_t opened_count;        /* of the slice: how many connects were begun */
    uint64_t ramp_start_ns;
    int cpu; /* -1: not pinned */
};

struct gw_bench_fleet {
    const struct gw_bench_fleet_spec *spec;
    struct gw_bench_subscriber *subscribers;
    struct gw_bench_order *orders;
    struct thread *threads;
    size_t thread_count;
    uint64_t first_connect_ns;
    atomic_bool may_connect, should_stop;
    atomic_uint_fast64_t measure_from_ns, measure_until_ns;
};

uint64_t gw_bench_fleet_fan(const struct gw_bench_fleet_spec *spec, size_t channel)
{
    size_t channels = spec->options->channels;
    return spec->subscriber_count / channels + (channel < spec->subscriber_count % channels ? 1 : 0);
}

uint64_t gw_bench_fleet_delivered(const struct gw_bench_fleet *fleet)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < fleet->thread_count; t++) {
        sum += atomic_load_explicit(&fleet->threads[t].loop.live.delivered, memory_order_relaxed);
    }
    return sum;
}

static void pin(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) {
        return;
    }
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fprintf(stderr, "atoms bench: cannot run on processor %d: %s\n", cpu, strerror(errno));
    }
}

/* Begins the connects that the pace allows; nanoseconds until there may be more to do. */
static uint64_t ramp(struct thread *t)
{
    const struct gw_bench_options *o = t->fleet->spec->options;
    if (!atomic_load_explicit(&t->fleet->may_connect, memory_order_acquire) || t->opened_count == t->count) {
        return LONGEST_WAIT_NS;
    }
    uint64_t now = gw_client_now_ns();
    t->ramp_start_ns = t->ramp_start_ns == 0 ? now : t->ramp_start_ns;
    double pace = o->connect_rate / (double)t->fleet->thread_count;
    double allowed = (double)(now - t->ramp_start_ns) / 1e9 * pace + 1;
    for (int i = 0; i < CONNECTS_A_TURN && t->opened_count < t->count; i++) {
        if ((double)t->opened_count >= allowed || t->loop.connects_in_flight >= o->connects_in_flight) {
            break;
        }
        gw_bench_subscriber_open(&t->loop, &t->fleet->subscribers[t->first + t->opened_count++]);
    }
    return t->loop.connects_in_flight >= o->connects_in_flight ? LONGEST_WAIT_NS : UINT64_C(200000);
}

static void turn(struct thread *t, struct gw_bench_publisher *publisher)
{
    struct epoll_event events[EVENTS_A_TURN];
    uint64_t wait_ns = ramp(t);
    if (publisher != NULL) {
        uint64_t due_ns = gw_bench_publisher_pump(publisher);
        wait_ns = due_ns < wait_ns ? due_ns : wait_ns;
    }
    struct timespec timeout = {.tv_nsec = (long)wait_ns};
    int count = epoll_pwait2(t->loop.host.epoll, events, EVENTS_A_TURN, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct gw_client_conn *conn = events[i].data.ptr;
        if (conn->kind == GW_CLIENT_CONN_WIRE) {
            gw_bench_publisher_on_event(publisher, conn, events[i].events);
        } else {
            gw_client_stream_on_event(&t->loop.host, (struct gw_client_stream *)conn, events[i].events);
        }
    }
}

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    struct gw_bench_publisher *publisher = t->index == 0 ? t->fleet->spec->publisher : NULL;
    pin(t->cpu);
    /* The default slack of 50 µs would show in an open loop's send times. */
    (void)prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
    if (publisher != NULL) {
        gw_bench_publisher_attach(publisher, t->fleet, t->loop.host.epoll);
    }
    while (!atomic_load_explicit(&t->fleet->should_stop, memory_order_relaxed)) {
        turn(t, publisher);
    }
    if (publisher != NULL) {
        gw_bench_publisher_detach(publisher);
    }
    return NULL;
}

/* The `index`-th number of "0,2,5", over again when there are fewer; -1 without a list. */
static int pinned_cpu(const char *list, size_t index)
{
    int cpus[64];
    size_t count = 0;
    for (const char *p = list; p != NULL && *p != '\0' && count < 64; p = strchr(p, ',')) {
        p += *p == ',' ? 1 : 0;
        cpus[count++] = (int)strtol(p, NULL, 10);
    }
    return count > 0 ? cpus[index % count] : -1;
}

static void init_subscribers(struct gw_bench_fleet *fleet)
{
    const struct gw_bench_fleet_spec *spec = fleet->spec;
    size_t tracks = spec->publishers_per_channel;
    for (size_t i = 0; i < spec->subscriber_count; i++) {
        struct gw_bench_subscriber *sub = &fleet->subscribers[i];
        gw_client_stream_init(&sub->stream);
        sub->index = (uint32_t)i;
        sub->channel = (uint32_t)(i % spec->options->channels);
        sub->orders = &fleet->orders[i * tracks];
        for (size_t k = 0; k < tracks; k++) {
            sub->orders[k].next_seq = spec->first_seq;
        }
    }
}

static int start_thread(struct gw_bench_fleet *fleet, size_t index, struct gw_error *err)
{
    struct thread *t = &fleet->threads[index];
    size_t share = fleet->spec->subscriber_count / fleet->thread_count;
    size_t extra = fleet->spec->subscriber_count % fleet->thread_count;
    t->fleet = fleet;
    t->index = index;
    t->first = index * share + (index < extra ? index : extra);
    t->count = share + (index < extra ? 1 : 0);
    t->cpu = pinned_cpu(fleet->spec->options->pins, index);
    t->loop.spec = fleet->spec;
    t->loop.measure_from_ns = &fleet->measure_from_ns;
    t->loop.measure_until_ns = &fleet->measure_until_ns;
    gw_bench_subscriber_host(&t->loop);
    t->loop.host.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->loop.host.epoll < 0 || pthread_create(&t->handle, NULL, run_thread, t) != 0) {
        return gw_error_set(err, GW_EIO, "thread_failed", "a generator thread cannot start: %s", strerror(errno));
    }
    return GW_OK;
}

struct gw_bench_fleet *gw_bench_fleet_create(const struct gw_bench_fleet_spec *spec, struct gw_error *err)
{
    struct gw_bench_fleet *fleet = gw_alloc(sizeof *fleet);
    size_t tracks = spec->publishers_per_channel;
    fleet->spec = spec;
    fleet->subscribers = gw_alloc_array(spec->subscriber_count + 1, sizeof *fleet->subscribers);
    fleet->orders = gw_alloc_array(spec->subscriber_count * tracks + 1, sizeof *fleet->orders);
    fleet->threads = gw_alloc_array(spec->options->threads, sizeof *fleet->threads);
    atomic_store(&fleet->measure_from_ns, UINT64_MAX);
    atomic_store(&fleet->measure_until_ns, UINT64_MAX);
    init_subscribers(fleet);
    /* Set before any thread runs: all of them sum over all. */
    fleet->thread_count = spec->options->threads;
    for (size_t i = 0; i < fleet->thread_count; i++) {
        if (start_thread(fleet, i, err) != 0) {
            return NULL;
        }
    }
    return fleet;
}

void gw_bench_fleet_connect(struct gw_bench_fleet *fleet)
{
    fleet->first_connect_ns = gw_client_now_ns();
    atomic_store_explicit(&fleet->may_connect, true, memory_order_release);
}

void gw_bench_fleet_progress(const struct gw_bench_fleet *fleet, struct gw_bench_progress *out)
{
    *out = (struct gw_bench_progress){0};
    for (size_t t = 0; t < fleet->thread_count; t++) {
        const struct gw_bench_live *live = &fleet->threads[t].loop.live;
        out->delivered += atomic_load_explicit(&live->delivered, memory_order_relaxed);
        out->bytes += atomic_load_explicit(&live->bytes, memory_order_relaxed);
        out->reads += atomic_load_explicit(&live->reads, memory_order_relaxed);
        out->opened += atomic_load_explicit(&live->opened, memory_order_relaxed);
        out->refused += atomic_load_explicit(&live->refused, memory_order_relaxed);
        out->lost += atomic_load_explicit(&live->lost, memory_order_relaxed);
        out->done += atomic_load_explicit(&live->done, memory_order_relaxed);
        uint64_t frame_bytes = atomic_load_explicit(&live->frame_bytes, memory_order_relaxed);
        out->frame_bytes = frame_bytes > 0 ? frame_bytes : out->frame_bytes;
    }
}

void gw_bench_fleet_measure(struct gw_bench_fleet *fleet, uint64_t from_ns, uint64_t until_ns)
{
    atomic_store(&fleet->measure_until_ns, until_ns);
    atomic_store(&fleet->measure_from_ns, from_ns);
}

/* The last number that a stream of `channel` ought to hold on `track`. */
static uint64_t expected_last(const struct gw_bench_fleet_spec *spec, size_t channel, size_t track)
{
    return spec->publisher != NULL ? gw_bench_publisher_last_seq(spec->publisher, channel, track) : spec->last_seq;
}

static void count_tail(const struct gw_bench_fleet *fleet, const struct gw_bench_subscriber *sub, struct gw_bench_fleet_result *out)
{
    const struct gw_bench_fleet_spec *spec = fleet->spec;
    const struct gw_bench_subscriber *reference = &fleet->subscribers[sub->channel];
    for (size_t k = 0; k < spec->publishers_per_channel; k++) {
        uint64_t due = expected_last(spec, sub->channel, k) + 1;
        out->counts.missing_tail += due > sub->orders[k].next_seq ? due - sub->orders[k].next_seq : 0;
    }
    out->counts.divergent += sub->order_hash != reference->order_hash || sub->received != reference->received ? 1 : 0;
    out->exact_streams += sub->is_done && sub->received == spec->last_seq + 1 - spec->first_seq ? 1 : 0;
}

static void merge_thread(const struct gw_bench_loop *loop, struct gw_bench_fleet_result *out)
{
    out->counts.order.missing += loop->counts.order.missing;
    out->counts.order.duplicates += loop->counts.order.duplicates;
    out->counts.order.reordered += loop->counts.order.reordered;
    out->counts.foreign += loop->counts.foreign;
    out->counts.other_frames += loop->counts.other_frames;
    for (int i = 0; i < GW_BENCH_VERDICT_COUNT; i++) {
        out->counts.verdicts[i] += loop->counts.verdicts[i];
    }
    if (out->counts.first_error[0] == '\0') {
        memcpy(out->counts.first_error, loop->counts.first_error, sizeof out->counts.first_error);
    }
    gw_bench_histogram_merge(&out->delay, &loop->delay);
    gw_bench_histogram_merge(&out->connect, &loop->connect);
    gw_bench_histogram_merge(&out->catch_up, &loop->catch_up);
    out->last_done_ns = loop->last_done_ns > out->last_done_ns ? loop->last_done_ns : out->last_done_ns;
}

void gw_bench_fleet_stop(struct gw_bench_fleet *fleet, struct gw_bench_fleet_result *out)
{
    *out = (struct gw_bench_fleet_result){.first_connect_ns = fleet->first_connect_ns};
    atomic_store(&fleet->should_stop, true);
    for (size_t i = 0; i < fleet->thread_count; i++) {
        pthread_join(fleet->threads[i].handle, NULL);
        merge_thread(&fleet->threads[i].loop, out);
    }
    gw_bench_fleet_progress(fleet, &out->progress);
    for (size_t i = 0; i < fleet->spec->subscriber_count; i++) {
        count_tail(fleet, &fleet->subscribers[i], out);
    }
    for (size_t i = 0; i < fleet->spec->subscriber_count; i++) {
        gw_client_stream_close(&fleet->subscribers[i].stream);
    }
}

void gw_bench_fleet_destroy(struct gw_bench_fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    for (size_t i = 0; i < fleet->thread_count; i++) {
        close(fleet->threads[i].loop.host.epoll);
        gw_client_stream_host_fini(&fleet->threads[i].loop.host);
    }
    gw_free(fleet->threads);
    gw_free(fleet->orders);
    gw_free(fleet->subscribers);
    gw_free(fleet);
}
