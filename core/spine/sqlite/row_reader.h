/* row_reader.h — reads, tails and gets, each from one consistent view of the database. Owns a connection. The reader thread only. */
#ifndef GW_SPINE_ROW_READER_H
#define GW_SPINE_ROW_READER_H

#include <sqlite3.h>

#include "spine/job.h"

struct gw_row_reader;

int gw_row_reader_create(sqlite3 *db /* taken, also on failure */, struct gw_row_reader **out, struct gw_error *err);
void gw_row_reader_destroy(struct gw_row_reader *r);
/* Carries a job out: fills its status and its outputs. */
void gw_row_reader_execute(struct gw_row_reader *r, const struct gw_spine_job *job);

#endif
