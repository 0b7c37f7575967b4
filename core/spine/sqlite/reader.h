/* reader.h — the thread that answers reads, tails and gets, oldest first. Owns its queue and its connection. Replay never blocks appends.
 */
#ifndef GW_SPINE_READER_H
#define GW_SPINE_READER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "spine/job.h"

struct gw_reader;
struct gw_spine_metrics;
struct gw_wal;

/* `wal` and `metrics` are borrowed until destroy. */
int gw_reader_create(sqlite3 *db /* taken, also on failure */, size_t max_queued_requests, struct gw_wal *wal, struct gw_reader **out,
                     struct gw_error *err);
int gw_reader_start(struct gw_reader *reader, struct gw_error *err);
/* From any thread. A refusal completes the job, and is told by false. */
bool gw_reader_submit(struct gw_reader *reader, const struct gw_spine_job *job);
/* From now on submits are refused; finishes what is queued and ends the thread. */
void gw_reader_stop(struct gw_reader *reader);
/* Stops it if need be, closes the connection. */
void gw_reader_destroy(struct gw_reader *reader);

#endif
