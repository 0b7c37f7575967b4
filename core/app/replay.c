#include "app/replay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/client_options.h"
#include "app/replay_session.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"

static const char usage[] =
    "atoms replay-trace FILE.json[.gz] --url http://127.0.0.1:8080 --bearer TOKEN [options]\n\n"
    "Types a recorded editing history into one block of a new run, keystroke by keystroke, while subscribers fold the text from their "
    "streams\n"
    "alone; some are cut at random moments and resume. At the end each must hold the recorded text. The gateway may be killed and started\n"
    "again meanwhile: what was not acknowledged is sent again. Traces: github.com/josephg/editing-traces (sequential, concurrent).\n\n";

/* value: the command line */
struct arguments {
    struct gw_client_list files;
    const char *url, *canvas_type;
    struct gw_replay_scope scope;
    unsigned long in_flight, subscribers, cuts, seed;
    double patience_s;
    bool is_quiet;
};

static int parse(int argc, char **argv, struct arguments *a, struct gw_error *err)
{
    const struct gw_client_option table[] = {
        {"--url", GW_OPTION_TEXT, &a->url, "URL  the gateway (http://127.0.0.1:8080)"},
        {"--bearer", GW_OPTION_TEXT, &a->scope.bearer, "TOKEN  as atoms token prints it"},
        {"--in-flight", GW_OPTION_COUNT, &a->in_flight, "N  splices sent and not yet acknowledged (64)"},
        {"--subscribers", GW_OPTION_COUNT, &a->subscribers, "N  (8)"},
        {"--cuts", GW_OPTION_COUNT, &a->cuts, "K  connections cut at random moments (16)"},
        {"--seed", GW_OPTION_COUNT, &a->seed, "S  of the random moments (1)"},
        {"--patience", GW_OPTION_REAL, &a->patience_s, "S  without any progress, then give up (60)"},
        {"--tenant", GW_OPTION_TEXT, &a->scope.tenant, "ID  (demo); must be the bearer's"},
        {"--mode", GW_OPTION_TEXT, &a->scope.mode, "ID  (dev)"},
        {"--project", GW_OPTION_TEXT, &a->scope.project, "ID  (demo)"},
        {"--surface", GW_OPTION_TEXT, &a->scope.surface, "ID  (demo)"},
        {"--app", GW_OPTION_TEXT, &a->scope.app, "ID  (demo)"},
        {"--run", GW_OPTION_TEXT, &a->scope.run, "ID  (a new one)"},
        {"--canvas", GW_OPTION_TEXT, &a->scope.canvas, "ID  (c1)"},
        {"--canvas-type", GW_OPTION_TEXT, &a->canvas_type, "TYPE  (planning)"},
        {"--block", GW_OPTION_TEXT, &a->scope.block, "ID  (text)"},
        {"--quiet", GW_OPTION_FLAG, &a->is_quiet, "no progress line"},
        {NULL, GW_OPTION_FLAG, NULL, NULL},
    };
    int rc = gw_client_options_parse(table, argc, argv, &a->files, err);
    if (rc == GW_ECLOSED) {
        fputs(usage, stdout);
        gw_client_options_help(table);
    }
    return rc;
}

static int check(struct arguments *a, struct gw_error *err)
{
    if (a->files.count != 1) {
        return gw_error_set(err, GW_EINVAL, "option_value", "one trace file is wanted; --help says more");
    }
    if (a->scope.bearer == NULL) {
        return gw_error_set(err, GW_EINVAL, "option_value", "--bearer is wanted: atoms token --tenant %s … prints one", a->scope.tenant);
    }
    if (a->in_flight < 1 || a->in_flight > 65536 || a->subscribers < 1 || a->subscribers > 10000) {
        return gw_error_set(err, GW_EINVAL, "option_value", "--in-flight is 1 to 65536, --subscribers 1 to 10000");
    }
    return gw_client_url_parse(a->url, &a->scope.url, err);
}

static void print_result(const struct gw_replay_session_spec *spec, const struct gw_replay_result *r)
{
    const uint64_t *verdicts = r->follow.verdicts;
    printf("%llu of %zu edits acknowledged in %.2f s: %.0f/s, ack p50 %.2f p99 %.2f max %.2f ms\n",
           (unsigned long long)r->write.acknowledged, spec->trace->edit_count, r->written_s,
           r->written_s > 0 ? (double)r->write.acknowledged / r->written_s : 0, gw_bench_histogram_quantile_ms(&r->acks, 0.5),
           gw_bench_histogram_quantile_ms(&r->acks, 0.99), (double)r->acks.max_ns / 1e6);
    printf("commands sent %llu, out of order %llu, busy %llu, rebased %llu; writer disconnected %llu times\n",
           (unsigned long long)r->write.sent, (unsigned long long)r->write.out_of_order, (unsigned long long)r->write.busy,
           (unsigned long long)r->write.rebased, (unsigned long long)r->write.disconnects);
    printf("cuts %zu, streams ended by the gateway %llu; verdicts: exact %llu, fresh %llu, reset %llu, retry %llu\n", r->cuts,
           (unsigned long long)r->follow.ends, (unsigned long long)verdicts[GW_REPLAY_EXACT], (unsigned long long)verdicts[GW_REPLAY_FRESH],
           (unsigned long long)verdicts[GW_REPLAY_RESET], (unsigned long long)verdicts[GW_REPLAY_RETRY]);
    printf("frames %llu, broken %llu; followers with the recorded text: %zu of %zu\n", (unsigned long long)r->follow.frames,
           (unsigned long long)r->follow.broken, r->equal_followers, spec->follower_count);
}

/* 0: all equal; 1: not. */
static int judge(const struct gw_replay_session_spec *spec, const struct gw_replay_result *r)
{
    if (r->difference[0] != '\0') {
        fprintf(stderr, "atoms replay-trace: %s\n", r->difference);
    }
    bool is_equal = r->equal_followers == spec->follower_count && r->follow.broken == 0;
    if (!is_equal && r->follow.first_trouble[0] != '\0') {
        fprintf(stderr, "atoms replay-trace: %s\n", r->follow.first_trouble);
    }
    return is_equal ? 0 : 1;
}

static int replay(struct arguments *a, const struct gw_replay_trace *trace, struct gw_error *err)
{
    char tag[24] = "replay-";
    uint8_t random[4];
    gw_clock_system()->random(gw_clock_system()->self, random, sizeof random);
    gw_hex_encode(random, sizeof random, tag + strlen(tag));
    a->scope.run = a->scope.run != NULL ? a->scope.run : tag;
    struct gw_replay_session_spec spec = {.scope = &a->scope, .trace = trace, .canvas_type = a->canvas_type, .tag = tag};
    spec.in_flight_max = a->in_flight;
    spec.follower_count = a->subscribers;
    spec.cut_count = a->cuts;
    spec.seed = a->seed;
    spec.patience_s = a->patience_s;
    spec.shows_progress = !a->is_quiet && isatty(STDERR_FILENO) == 1;
    printf("run %s: %zu edits by %u, %zu in flight, %zu followers\n", a->scope.run, trace->edit_count, trace->author_count,
           spec.in_flight_max, spec.follower_count);
    struct gw_replay_result *result = gw_alloc(sizeof *result); /* a histogram: too large for a stack */
    int rc = gw_replay_session_run(&spec, result, err);
    print_result(&spec, result);
    rc = rc == GW_OK ? judge(&spec, result) : rc;
    gw_free(result);
    return rc;
}

int gw_replay_main(int argc, char **argv)
{
    struct arguments a = {.url = "http://127.0.0.1:8080", .canvas_type = "planning", .in_flight = 64, .subscribers = 8, .cuts = 16};
    struct gw_replay_trace trace = {0};
    struct gw_error err = {0};
    a.seed = 1;
    a.patience_s = 60;
    a.scope = (struct gw_replay_scope){.tenant = "demo", .mode = "dev", .project = "demo", .surface = "demo", .app = "demo"};
    a.scope.canvas = "c1";
    a.scope.block = "text";
    int rc = parse(argc, argv, &a, &err);
    if (rc == GW_ECLOSED) {
        return 0;
    }
    rc = rc == GW_OK ? check(&a, &err) : rc;
    rc = rc == GW_OK ? gw_replay_trace_load(a.files.items[0], &trace, &err) : rc;
    if (rc == GW_OK) {
        signal(SIGPIPE, SIG_IGN);
        (void)gw_client_raise_file_limit();
        rc = replay(&a, &trace, &err);
    }
    gw_replay_trace_fini(&trace);
    if (rc < 0) {
        fprintf(stderr, "atoms replay-trace: %s%s%s\n", err.path, err.path[0] != '\0' ? ": " : "", err.message);
    }
    /* A gateway that refuses or stands still has failed the replay; all else kept it from taking place. */
    return rc >= 0 ? rc : rc == GW_ETIMEOUT || rc == GW_ESTATE ? 1 : 2;
}
