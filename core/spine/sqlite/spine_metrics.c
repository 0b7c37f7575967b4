#include "spine/sqlite/spine_metrics.h"

#include "base/metrics.h"

/* value */
struct bucket {
    size_t least; /* jobs */
    const char *labels;
};

static const struct bucket BUCKETS[GW_SPINE_GROUP_SIZES] = {
    {1, "size=\"1\""}, {2, "size=\"2-7\""}, {8, "size=\"8-63\""}, {64, "size=\"64-511\""}, {512, "size=\"512-\""},
};

void gw_spine_metrics_init(struct gw_spine_metrics *m, struct gw_metrics *registry)
{
    m->appends = gw_metrics_counter(registry, "atoms_spine_appends_total", "", "Records made durable");
    m->conflicts = gw_metrics_counter(registry, "atoms_spine_conflicts_total", "", "Appends refused because their seq is not the next one");
    m->failures = gw_metrics_counter(registry, "atoms_spine_failures_total", "", "Appends and puts that the disk refused");
    m->refusals = gw_metrics_counter(registry, "atoms_spine_refusals_total", "", "Requests refused because the queue was full");
    m->syncs = gw_metrics_counter(registry, "atoms_spine_syncs_total", "", "Transactions synced to disk");
    for (size_t i = 0; i < GW_SPINE_GROUP_SIZES; i++)
        m->groups[i] =
            gw_metrics_counter(registry, "atoms_spine_groups_total", BUCKETS[i].labels, "Group commits by the number of their requests");
    m->append_seconds = gw_metrics_histogram(registry, "atoms_spine_append_seconds", "", "From the request to durable");
    m->sync_seconds = gw_metrics_histogram(registry, "atoms_spine_sync_seconds", "", "The commit of a group, write and sync");
    m->wal_bytes = gw_metrics_gauge(registry, "atoms_spine_wal_bytes", "", "Write-ahead log in use");
    m->checkpoints = gw_metrics_counter(registry, "atoms_spine_checkpoints_total", "", "Times that the write-ahead log was emptied");
    m->checkpoint_failures =
        gw_metrics_counter(registry, "atoms_spine_checkpoint_failures_total", "", "Failed moves of the write-ahead log into the database");
}

void gw_spine_metrics_count_group(const struct gw_spine_metrics *m, size_t size)
{
    size_t i = GW_SPINE_GROUP_SIZES - 1;
    while (i > 0 && size < BUCKETS[i].least)
        i--;
    gw_metric_add(m->groups[i], 1);
}
