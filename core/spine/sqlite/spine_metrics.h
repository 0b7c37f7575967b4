/* spine_metrics.h — what the SQLite spine counts. Borrows its metrics from the process's registry; updates from any thread. */
#ifndef GW_SPINE_SPINE_METRICS_H
#define GW_SPINE_SPINE_METRICS_H

#include <stddef.h>

struct gw_metric;
struct gw_metrics;

#define GW_SPINE_GROUP_SIZES 5

/* value */
struct gw_spine_metrics {
    struct gw_metric *appends, *conflicts, *failures, *refusals;
    struct gw_metric *syncs;
    struct gw_metric *groups[GW_SPINE_GROUP_SIZES]; /* by number of jobs: 1, 2-7, 8-63, 64-511, 512 and more */
    struct gw_metric *append_seconds, *sync_seconds;
    struct gw_metric *wal_bytes, *checkpoints, *checkpoint_failures;
};

void gw_spine_metrics_init(struct gw_spine_metrics *m, struct gw_metrics *registry);
void gw_spine_metrics_count_group(const struct gw_spine_metrics *m, size_t size);

#endif
