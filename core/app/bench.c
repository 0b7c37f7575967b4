#include "app/bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/bench_phases.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"

static int make_request(struct gw_bench_request **out, const struct gw_bench_request_spec *spec, struct gw_error *err)
{
    if (spec->url == NULL) {
        return GW_OK;
    }
    *out = gw_bench_request_create(spec, err);
    return *out != NULL ? GW_OK : err->code;
}

static int prepare(struct gw_bench_run *run, struct gw_error *err)
{
    const struct gw_bench_options *o = run->options;
    struct gw_bench_request_spec subscribe = {"GET", o->sub_url, NULL, &o->sub_headers};
    struct gw_bench_request_spec publish = {o->pub_method, o->pub_url, o->pub_body, &o->pub_headers};
    struct gw_bench_request_spec setup = {o->pub_method, NULL, o->setup_body, &o->pub_headers};
    if (o->setup_body != NULL) {
        setup.url = o->setup_url != NULL ? o->setup_url : o->pub_url;
    }
    uint8_t random[4];
    gw_clock_system()->random(gw_clock_system()->self, random, sizeof random);
    gw_hex_encode(random, sizeof random, run->tag);
    int rc = o->bearers_path != NULL ? gw_bench_lines_load(o->bearers_path, &run->bearers, err) : GW_OK;
    rc = rc == GW_OK ? make_request(&run->subscribe, &subscribe, err) : rc;
    rc = rc == GW_OK ? make_request(&run->publish, &publish, err) : rc;
    return rc == GW_OK ? make_request(&run->setup, &setup, err) : rc;
}

static void release(struct gw_bench_run *run)
{
    gw_bench_publisher_destroy(run->publisher);
    gw_bench_request_destroy(run->subscribe);
    gw_bench_request_destroy(run->publish);
    gw_bench_request_destroy(run->setup);
    gw_bench_lines_fini(&run->bearers);
}

static int take_course(struct gw_bench_run *run, struct gw_bench_outcome *outcome, bool *is_over, struct gw_error *err)
{
    switch (run->options->mode) {
    case GW_BENCH_IDLE:
        return gw_bench_run_idle(run, outcome, err);
    case GW_BENCH_RESUME:
        return gw_bench_run_resume(run, outcome, is_over, err);
    case GW_BENCH_LOAD:
        break;
    }
    return gw_bench_run_load(run, outcome, err);
}

/* 0: exact; 1: not; negative: it could not run. */
static int run_and_report(struct gw_bench_run *run, struct gw_bench_outcome *outcome, struct gw_error *err)
{
    bool is_over = false;
    int rc = prepare(run, err);
    rc = rc == GW_OK ? take_course(run, outcome, &is_over, err) : rc;
    if (rc != GW_OK || is_over) {
        return rc;
    }
    gw_bench_report_line(outcome);
    if (run->options->json_path != NULL) {
        rc = gw_bench_report_json(outcome, run->options->json_path, err);
    }
    return rc == GW_OK && !gw_bench_outcome_is_exact(outcome) ? 1 : rc;
}

int gw_bench_main(int argc, char **argv)
{
    struct gw_bench_options options;
    struct gw_error err = {0};
    int rc = gw_bench_options_parse(argc, argv, &options, &err);
    if (rc == GW_ECLOSED) {
        return 0;
    }
    struct gw_bench_run run = {.options = &options};
    struct gw_bench_outcome *outcome = gw_alloc(sizeof *outcome); /* histograms: too large for a stack */
    if (rc == GW_OK) {
        signal(SIGPIPE, SIG_IGN);
        if (gw_client_raise_file_limit() < options.subs + options.connections + 32) {
            fputs("atoms bench: the limit of open files is below what this needs\n", stderr);
        }
        rc = run_and_report(&run, outcome, &err);
        release(&run);
    }
    gw_free(outcome);
    if (rc < 0) {
        fprintf(stderr, "atoms bench: %s\n", err.message);
    }
    return rc < 0 ? 2 : rc;
}
