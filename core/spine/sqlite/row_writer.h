/* row_writer.h — appends, puts and erasures as rows of one transaction: prepared statements, and the tails of the runs that wrote lately.
 * Owns a connection. The writer thread only. Failure: a job that cannot be stored is refused alone; only when the transaction itself is lost does
 * a call here fail; after that only destroy is of use, which rolls it back. */
#ifndef GW_SPINE_ROW_WRITER_H
#define GW_SPINE_ROW_WRITER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "spine/job.h"

struct gw_row_writer;

/* `seed` is 16 random bytes. */
int gw_row_writer_create(sqlite3 *db /* taken, also on failure */, const uint8_t seed[16], struct gw_row_writer **out,
                         struct gw_error *err);
void gw_row_writer_destroy(struct gw_row_writer *w);
int gw_row_writer_begin(struct gw_row_writer *w, struct gw_error *err);
/* GW_OK: *job->status tells what became of this job. Else the transaction is lost, for every job in it. */
int gw_row_writer_apply(struct gw_row_writer *w, const struct gw_spine_job *job, struct gw_error *err);
/* Durable when it answers GW_OK. *has_synced: whether there was anything to sync. */
int gw_row_writer_commit(struct gw_row_writer *w, bool *has_synced, struct gw_error *err);
/* Did the transaction take anything away? */
bool gw_row_writer_has_erased(const struct gw_row_writer *w);
sqlite3 *gw_row_writer_peek_db(const struct gw_row_writer *w);

#endif
