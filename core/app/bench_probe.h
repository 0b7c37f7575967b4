/* bench_probe.h — where resumed streams resume from: the ids of the events that a probing stream of each channel saw, or cursors from a
 * file. Owns the ids. Main thread, while no fleet writes the log. */
#ifndef GW_APP_BENCH_PROBE_H
#define GW_APP_BENCH_PROBE_H

#include "app/bench_fleet.h"

struct gw_bench_probe;

/* Reads --cursor-in when the options have it. */
int gw_bench_probe_create(const struct gw_bench_options *options, struct gw_bench_probe **out, struct gw_error *err);
void gw_bench_probe_destroy(struct gw_bench_probe *probe);
/* The table for gw_bench_fleet_spec.id_log with last_seq = --resume-events. */
char **gw_bench_probe_log(struct gw_bench_probe *probe);
/* Picks each channel's cursor out of the log. Error probe_incomplete: an event was missed or came without an id. */
int gw_bench_probe_finish(struct gw_bench_probe *probe, const struct gw_bench_fleet_result *result, struct gw_error *err);
/* One cursor a channel. */
const struct gw_bench_lines *gw_bench_probe_cursors(const struct gw_bench_probe *probe);
int gw_bench_probe_save(const struct gw_bench_probe *probe, const char *path, struct gw_error *err);

#endif
