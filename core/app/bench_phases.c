#include "app/bench_phases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/bench_marker.h"
#include "app/bench_probe.h"
#include "base/error.h"

static void sleep_s(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static uint64_t deadline_ns(double seconds) { return gw_client_now_ns() + (uint64_t)(seconds * 1e9); }

/* Until every stream has been answered one way or the other. */
static void wait_connected(const struct gw_bench_fleet *fleet, uint64_t wanted, double seconds)
{
    struct gw_bench_progress now;
    uint64_t until = deadline_ns(seconds);
    do {
        sleep_s(0.002);
        gw_bench_fleet_progress(fleet, &now);
    } while (now.opened + now.refused < wanted && gw_client_now_ns() < until);
}

static bool is_drained(const struct gw_bench_fleet *fleet, const struct gw_bench_publisher *publisher, uint64_t wanted)
{
    struct gw_bench_publisher_progress sent;
    gw_bench_publisher_progress(publisher, &sent);
    return sent.issued >= wanted && sent.answered >= sent.issued && gw_bench_fleet_delivered(fleet) >= sent.expected_deliveries;
}

/* Until at least `wanted` messages were sent and all of them answered and delivered. */
static bool wait_drained(const struct gw_bench_fleet *fleet, const struct gw_bench_publisher *publisher, uint64_t wanted, double seconds)
{
    uint64_t until = deadline_ns(seconds);
    while (!is_drained(fleet, publisher, wanted) && gw_client_now_ns() < until) {
        sleep_s(0.002);
    }
    return is_drained(fleet, publisher, wanted);
}

static int run_setup(struct gw_bench_run *run, struct gw_error *err)
{
    struct gw_bench_publisher_progress now;
    uint64_t until = deadline_ns(run->options->connect_timeout_s);
    if (run->setup == NULL) {
        return GW_OK;
    }
    gw_bench_publisher_start(run->publisher, GW_BENCH_JOB_SETUP, 0);
    do {
        sleep_s(0.002);
        gw_bench_publisher_progress(run->publisher, &now);
    } while (now.setup_answered < run->options->channels && gw_client_now_ns() < until);
    gw_bench_publisher_halt(run->publisher);
    if (now.refused > 0 || now.setup_answered < run->options->channels) {
        return gw_error_set(err, GW_EIO, "setup_failed", "%llu of %lu set-up requests answered, %llu refused; %.120s",
                            (unsigned long long)now.setup_answered, run->options->channels, (unsigned long long)now.refused,
                            gw_bench_publisher_first_error(run->publisher));
    }
    return GW_OK;
}

/* Sends one message, looks how large its frame is and chooses the payload so that the next ones have the size asked for. */
static int calibrate(struct gw_bench_run *run, struct gw_bench_fleet *fleet, size_t fleet_size, struct gw_bench_outcome *out,
                     struct gw_error *err)
{
    struct gw_bench_progress seen;
    size_t wanted = run->options->frame_bytes;
    gw_bench_fleet_progress(fleet, &seen);
    /* Without all streams the run is a failure anyway, and its counts say why. */
    if (wanted == 0 || run->options->subs == 0 || seen.opened < fleet_size) {
        return GW_OK;
    }
    gw_bench_publisher_start(run->publisher, GW_BENCH_JOB_LOAD, 1);
    bool has_arrived = wait_drained(fleet, run->publisher, 1, run->options->drain_s);
    gw_bench_publisher_halt(run->publisher);
    gw_bench_fleet_progress(fleet, &seen);
    size_t around = (size_t)seen.frame_bytes - out->payload_bytes;
    if (!has_arrived || seen.frame_bytes < out->payload_bytes || wanted < around + GW_BENCH_MARKER_BYTES) {
        return gw_error_set(err, GW_EIO, "frame_bytes", "a frame of %zu bytes is not possible: payload %zu gave %llu, arrived: %d; %.100s",
                            wanted, out->payload_bytes, (unsigned long long)seen.frame_bytes, has_arrived,
                            gw_bench_publisher_first_error(run->publisher));
    }
    fprintf(stderr, "atoms bench: a payload of %zu bytes gave a frame of %llu; now %zu for %zu\n", out->payload_bytes,
            (unsigned long long)seen.frame_bytes, wanted - around, wanted);
    out->payload_bytes = wanted - around;
    gw_bench_publisher_set_size(run->publisher, out->payload_bytes);
    return GW_OK;
}

/* value: running sums at one moment */
struct moment {
    uint64_t at_ns;
    struct gw_bench_progress fleet;
    struct gw_bench_publisher_progress published;
    struct gw_bench_usage server;
    double own_cpu_s;
};

static void look(const struct gw_bench_run *run, const struct gw_bench_fleet *fleet, struct moment *out)
{
    gw_bench_usage_read(&run->options->server_pids, &out->server);
    out->own_cpu_s = gw_bench_own_cpu_s();
    out->published = (struct gw_bench_publisher_progress){0};
    if (run->publisher != NULL) {
        gw_bench_publisher_progress(run->publisher, &out->published);
    }
    gw_bench_fleet_progress(fleet, &out->fleet);
    out->at_ns = gw_client_now_ns();
}

static void note_window(const struct moment *from, const struct moment *to, struct gw_bench_outcome *out)
{
    out->measured_s = (double)(to->at_ns - from->at_ns) / 1e9;
    out->deliveries = to->fleet.delivered - from->fleet.delivered;
    out->bytes = to->fleet.bytes - from->fleet.bytes;
    out->reads = to->fleet.reads - from->fleet.reads;
    out->answers = to->published.answered - from->published.answered;
    out->server_cpu_s = to->server.cpu_s - from->server.cpu_s;
    out->own_cpu_s = to->own_cpu_s - from->own_cpu_s;
}

/* Sleeps through the measured time, shorter when all messages have been answered. */
static void wait_window(const struct gw_bench_run *run)
{
    struct gw_bench_publisher_progress now = {0};
    uint64_t until = deadline_ns(run->options->duration_s);
    uint64_t limit = run->options->messages;
    while (gw_client_now_ns() < until && (limit == 0 || now.answered < limit)) {
        sleep_s(0.005);
        gw_bench_publisher_progress(run->publisher, &now);
    }
}

static void measure(struct gw_bench_run *run, struct gw_bench_fleet *fleet, struct gw_bench_outcome *out)
{
    struct moment from, to;
    gw_bench_publisher_start(run->publisher, GW_BENCH_JOB_LOAD, run->options->messages);
    sleep_s(run->options->warmup_s);
    look(run, fleet, &from);
    gw_bench_fleet_measure(fleet, from.at_ns, UINT64_MAX);
    gw_bench_publisher_measure(run->publisher, from.at_ns, UINT64_MAX);
    wait_window(run);
    look(run, fleet, &to);
    gw_bench_fleet_measure(fleet, from.at_ns, to.at_ns);
    gw_bench_publisher_measure(run->publisher, from.at_ns, to.at_ns);
    gw_bench_publisher_halt(run->publisher);
    note_window(&from, &to, out);
    (void)wait_drained(fleet, run->publisher, 0, run->options->drain_s);
}

static void connect_all(struct gw_bench_run *run, struct gw_bench_fleet *fleet, uint64_t count, struct gw_bench_outcome *out)
{
    struct gw_bench_usage usage;
    gw_bench_usage_read(&run->options->server_pids, &usage);
    out->rss_before = usage.rss_bytes;
    uint64_t from = gw_client_now_ns();
    gw_bench_fleet_connect(fleet);
    wait_connected(fleet, count, run->options->connect_timeout_s);
    out->connect_s = (double)(gw_client_now_ns() - from) / 1e9;
    sleep_s(run->options->settle_s);
    gw_bench_usage_read(&run->options->server_pids, &usage);
    out->rss_connected = usage.rss_bytes;
}

static size_t publishers_per_channel(const struct gw_bench_options *o) { return (o->connections + o->channels - 1) / o->channels; }

static void init_fleet_spec(const struct gw_bench_run *run, struct gw_bench_fleet_spec *spec)
{
    *spec = (struct gw_bench_fleet_spec){.options = run->options, .subscribe = run->subscribe, .bearers = &run->bearers};
    spec->tag = run->tag;
    spec->subscriber_count = run->options->subs;
    spec->publishers_per_channel = publishers_per_channel(run->options);
    spec->first_seq = 1;
}

static void make_publisher(struct gw_bench_run *run, struct gw_bench_fleet_spec *spec)
{
    struct gw_bench_publisher_spec publisher = {run->options, run->publish, run->setup, spec, run->tag};
    run->publisher = gw_bench_publisher_create(&publisher);
    spec->publisher = run->publisher;
}

/* After the fleet's stop, whose thread the publisher lived on. */
static void note_publisher(struct gw_bench_run *run, struct gw_bench_outcome *out)
{
    gw_bench_publisher_progress(run->publisher, &out->published);
    out->acks = gw_bench_publisher_acks(run->publisher);
    out->publish_error = gw_bench_publisher_first_error(run->publisher);
}

static void begin_outcome(const struct gw_bench_run *run, struct gw_bench_outcome *out)
{
    *out = (struct gw_bench_outcome){.options = run->options, .publish_error = "", .payload_bytes = run->options->size_bytes};
}

int gw_bench_run_load(struct gw_bench_run *run, struct gw_bench_outcome *out, struct gw_error *err)
{
    struct gw_bench_fleet_spec spec;
    struct gw_bench_usage usage;
    begin_outcome(run, out);
    init_fleet_spec(run, &spec);
    make_publisher(run, &spec);
    struct gw_bench_fleet *fleet = gw_bench_fleet_create(&spec, err);
    if (fleet == NULL) {
        return err->code;
    }
    int rc = run_setup(run, err);
    if (rc == GW_OK) {
        connect_all(run, fleet, spec.subscriber_count, out);
        rc = calibrate(run, fleet, spec.subscriber_count, out, err);
    }
    if (rc == GW_OK) {
        measure(run, fleet, out);
    }
    gw_bench_usage_read(&run->options->server_pids, &usage);
    out->rss_after = usage.rss_bytes;
    gw_bench_fleet_stop(fleet, &out->fleet);
    note_publisher(run, out);
    gw_bench_fleet_destroy(fleet);
    return rc;
}

int gw_bench_run_idle(struct gw_bench_run *run, struct gw_bench_outcome *out, struct gw_error *err)
{
    struct gw_bench_fleet_spec spec;
    begin_outcome(run, out);
    init_fleet_spec(run, &spec);
    int rc = GW_OK;
    if (run->setup != NULL) {
        make_publisher(run, &spec);
    }
    struct gw_bench_fleet *fleet = gw_bench_fleet_create(&spec, err);
    if (fleet == NULL) {
        return err->code;
    }
    rc = run_setup(run, err);
    if (rc == GW_OK) {
        connect_all(run, fleet, spec.subscriber_count, out);
    }
    out->measured_s = out->connect_s;
    out->rss_after = out->rss_connected;
    gw_bench_fleet_stop(fleet, &out->fleet);
    gw_bench_fleet_destroy(fleet);
    return rc;
}

/* Publishes --resume-events to one probe a channel and keeps the ids of those from which the streams will resume. */
static int publish_for_resume(struct gw_bench_run *run, struct gw_bench_probe *probe, struct gw_bench_outcome *out, struct gw_error *err)
{
    struct gw_bench_fleet_spec spec;
    struct gw_bench_fleet_result result;
    init_fleet_spec(run, &spec);
    spec.subscriber_count = run->options->channels;
    spec.last_seq = run->options->resume_events;
    spec.id_log = gw_bench_probe_log(probe);
    make_publisher(run, &spec);
    struct gw_bench_fleet *fleet = gw_bench_fleet_create(&spec, err);
    if (fleet == NULL) {
        return err->code;
    }
    int rc = run_setup(run, err);
    if (rc == GW_OK) {
        connect_all(run, fleet, spec.subscriber_count, out);
        rc = calibrate(run, fleet, spec.subscriber_count, out, err);
    }
    if (rc == GW_OK) {
        uint64_t wanted = (uint64_t)run->options->resume_events * run->options->channels;
        gw_bench_publisher_start(run->publisher, GW_BENCH_JOB_LOAD, wanted);
        (void)wait_drained(fleet, run->publisher, wanted, run->options->connect_timeout_s);
    }
    gw_bench_fleet_stop(fleet, &result);
    note_publisher(run, out);
    gw_bench_fleet_destroy(fleet);
    return rc == GW_OK ? gw_bench_probe_finish(probe, &result, err) : rc;
}

static void catch_up(struct gw_bench_run *run, struct gw_bench_fleet *fleet, struct gw_bench_outcome *out)
{
    struct moment from, to;
    uint64_t until = deadline_ns(run->options->connect_timeout_s);
    look(run, fleet, &from);
    out->rss_before = from.server.rss_bytes;
    gw_bench_fleet_connect(fleet);
    do {
        sleep_s(0.001);
        gw_bench_fleet_progress(fleet, &to.fleet);
    } while (to.fleet.done + to.fleet.refused + to.fleet.lost < run->options->subs && gw_client_now_ns() < until);
    look(run, fleet, &to);
    note_window(&from, &to, out);
    out->rss_connected = out->rss_after = to.server.rss_bytes;
    /* What comes beyond the last event would be a duplicate: leave it time to show. */
    sleep_s(0.3);
}

static int resume_all(struct gw_bench_run *run, const struct gw_bench_lines *cursors, struct gw_bench_outcome *out, struct gw_error *err)
{
    struct gw_bench_fleet_spec spec;
    init_fleet_spec(run, &spec);
    spec.publishers_per_channel = 1;
    spec.cursors = cursors;
    spec.first_seq = run->options->resume_events - run->options->resume_back + 1;
    spec.last_seq = run->options->resume_events;
    struct gw_bench_fleet *fleet = gw_bench_fleet_create(&spec, err);
    if (fleet == NULL) {
        return err->code;
    }
    catch_up(run, fleet, out);
    gw_bench_fleet_stop(fleet, &out->fleet);
    gw_bench_fleet_destroy(fleet);
    if (out->fleet.last_done_ns > out->fleet.first_connect_ns && out->fleet.progress.done == run->options->subs) {
        out->measured_s = (double)(out->fleet.last_done_ns - out->fleet.first_connect_ns) / 1e9;
    }
    return GW_OK;
}

int gw_bench_run_resume(struct gw_bench_run *run, struct gw_bench_outcome *out, bool *is_over, struct gw_error *err)
{
    const struct gw_bench_options *o = run->options;
    struct gw_bench_probe *probe = NULL;
    begin_outcome(run, out);
    *is_over = false;
    int rc = gw_bench_probe_create(o, &probe, err);
    if (rc == GW_OK && o->cursor_in_path == NULL) {
        rc = publish_for_resume(run, probe, out, err);
    }
    if (rc == GW_OK && o->cursor_out_path != NULL) {
        *is_over = true;
        rc = gw_bench_probe_save(probe, o->cursor_out_path, err);
    }
    if (rc == GW_OK && !*is_over) {
        rc = resume_all(run, gw_bench_probe_cursors(probe), out, err);
    }
    gw_bench_probe_destroy(probe);
    return rc;
}
