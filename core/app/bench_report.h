/* bench_report.h — the outcome of one run as a line for people and as JSON for scripts, and the verdict whether every count was exact. Pure
 * but for the writing. */
#ifndef GW_APP_BENCH_REPORT_H
#define GW_APP_BENCH_REPORT_H

#include "app/bench_fleet.h"
#include "app/bench_process.h"
#include "app/bench_publisher.h"

/* value */
struct gw_bench_outcome {
    const struct gw_bench_options *options;
    struct gw_bench_fleet_result fleet;
    struct gw_bench_publisher_progress published;
    const struct gw_bench_histogram *acks; /* NULL: nothing was published */
    const char *publish_error;             /* "" when there was none */
    size_t payload_bytes;
    double measured_s;                          /* length of the measured window; resume: until all had caught up */
    uint64_t deliveries, reads, bytes, answers; /* within it */
    double server_cpu_s, own_cpu_s;             /* within it */
    uint64_t rss_before, rss_connected, rss_after;
    double connect_s; /* from the first connect to the last answer */
};

/* Nothing lost, doubled, reordered, foreign or refused, and (resume) every stream complete. */
bool gw_bench_outcome_is_exact(const struct gw_bench_outcome *outcome);
void gw_bench_report_line(const struct gw_bench_outcome *outcome);
/* Appends one JSON object and a newline to the file ("-": standard output). */
int gw_bench_report_json(const struct gw_bench_outcome *outcome, const char *path, struct gw_error *err);

#endif
