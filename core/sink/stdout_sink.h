/* stdout_sink.h — the sink port on a descriptor that the process has anyway: one line of JSON a record (sink_record.h). Owns a thread, which alone waits for the
 * reader; a write only queues. The queue is bounded: what comes when it is full is dropped and counted (atoms_sink_records_total). */
#ifndef GW_SINK_STDOUT_SINK_H
#define GW_SINK_STDOUT_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_metrics;
struct gw_sink;
struct gw_stdout_sink;

/* value */
struct gw_stdout_sink_opts {
    int fd;           /* stays the caller's */
    size_t max_bytes; /* queued; 0 = 1 MiB */
    struct gw_metrics *metrics;
};

/* GW_EIO when there is no thread to be had. */
int gw_stdout_sink_create(const struct gw_stdout_sink_opts *opts, struct gw_stdout_sink **out, struct gw_error *err);
/* Nobody writes any more. Writes what a reader takes at once, drops the rest. NULL is fine. */
void gw_stdout_sink_destroy(struct gw_stdout_sink *sink);
/* Any thread; borrowed. */
const struct gw_sink *gw_stdout_sink_port(const struct gw_stdout_sink *sink);
/* Any thread. Nothing is queued. */
bool gw_stdout_sink_is_idle(struct gw_stdout_sink *sink);

#endif
