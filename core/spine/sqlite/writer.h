/* writer.h — the thread that makes appends and puts durable: whatever waits is one transaction, one sync. Owns its queue and its
 * connection. At low load a request is committed at once: there is no timer. Failure: a lost transaction answers GW_EIO to all of its jobs;
 * before the next one the connection is opened again. */
#ifndef GW_SPINE_WRITER_H
#define GW_SPINE_WRITER_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "spine/job.h"
#include "spine/sqlite/database.h"

struct gw_clock;
struct gw_log;
struct gw_spine_metrics;
struct gw_wal;
struct gw_wal_vfs;
struct gw_writer;

/* value; all borrowed until destroy */
struct gw_writer_opts {
    struct gw_database_opts database;
    size_t max_queued_requests, max_queued_bytes;
    const struct gw_clock *clock;
    const struct gw_spine_metrics *metrics;
    struct gw_log *log;
    struct gw_wal *wal;
    struct gw_wal_vfs *vfs; /* the one that `database` names */
};

int gw_writer_create(const struct gw_writer_opts *opts, sqlite3 *db /* taken, also on failure */, struct gw_writer **out,
                     struct gw_error *err);
int gw_writer_start(struct gw_writer *writer, struct gw_error *err);
/* From any thread. A refusal completes the job. */
void gw_writer_submit(struct gw_writer *writer, struct gw_spine_job *job);
/* From now on submits are refused; finishes what is queued and ends the thread. */
void gw_writer_stop(struct gw_writer *writer);
/* Stops it if need be, closes the connection. */
void gw_writer_destroy(struct gw_writer *writer);

#endif
