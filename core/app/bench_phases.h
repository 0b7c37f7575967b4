/* bench_phases.h — the course of a run of the generator: connect, settle, warm up, measure, drain; or weigh idle streams; or publish and
 * then resume. Runs on the calling thread and blocks until done; every wait has an end. */
#ifndef GW_APP_BENCH_PHASES_H
#define GW_APP_BENCH_PHASES_H

#include "app/bench_report.h"

/* value: what all phases share */
struct gw_bench_run {
    const struct gw_bench_options *options;
    struct gw_bench_request *subscribe, *publish, *setup; /* NULL where the options have none */
    struct gw_bench_lines bearers;
    char tag[16];                         /* random, the beginning of every {unique} */
    struct gw_bench_publisher *publisher; /* of the last phase, owned; the outcome points into it */
};

/* Each fills in `out`; an error says that the run could not take place, not that it went badly. */
int gw_bench_run_load(struct gw_bench_run *run, struct gw_bench_outcome *out, struct gw_error *err);
int gw_bench_run_idle(struct gw_bench_run *run, struct gw_bench_outcome *out, struct gw_error *err);
/* With --cursor-out it stops after publishing: *is_over is set and `out` says nothing. */
int gw_bench_run_resume(struct gw_bench_run *run, struct gw_bench_outcome *out, bool *is_over, struct gw_error *err);

#endif
