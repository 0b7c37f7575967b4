/* sqlite_spine.h — the embedded driver of the spine port: one SQLite database, write-ahead log, synced before it acknowledges. Owns the
 * database files and three threads: a writer that commits all that waits as one transaction (one sync for every run), a reader, and one
 * that moves the write-ahead log into the database. Port calls are safe from any thread and never block on the disk. Failure: a full or
 * failing disk refuses appends (GW_EIO), keeps reading, and recovers by itself when it can write again. What was acknowledged survives the
 * death of the process and, as far as the disk honours fdatasync, of the machine. Not for several processes: the database is locked to one.
 */
#ifndef GW_SPINE_SQLITE_SPINE_H
#define GW_SPINE_SQLITE_SPINE_H

#include <stddef.h>

struct gw_clock;
struct gw_error;
struct gw_log;
struct gw_metrics;
struct gw_spine;
struct gw_sqlite_spine;

/* value */
struct gw_sqlite_spine_opts {
    const char *path;             /* of the database; its folder is made with mode 0700, a new file with mode 0600 */
    const struct gw_clock *clock; /* borrowed, as the two below, until destroy */
    struct gw_metrics *metrics;
    struct gw_log *log;         /* NULL: none */
    size_t max_queued_requests; /* of each queue, writes and reads; past it GW_EBUSY. 0: 16,384 */
    size_t max_queued_bytes;    /* payload that waits to be written; past it GW_EBUSY. 0: 64 MiB */
    size_t wal_bytes;           /* size that the write-ahead log is made with, and kept at unless readers hold it back. 0: 16 MiB */
};

/* Opens or makes the database and starts the threads. GW_ECONFLICT: another process has it (spine_locked); GW_ESTATE: a newer program wrote
 * it (spine_newer_schema); GW_EIO: it cannot be opened or is no database. */
int gw_sqlite_spine_create(const struct gw_sqlite_spine_opts *opts, struct gw_sqlite_spine **out, struct gw_error *err);
/* Refuses new requests (GW_ECLOSED), finishes and completes those that were admitted, joins the threads and closes the files. The executors
 * of pending requests must still take posts; their tasks may run later. */
void gw_sqlite_spine_destroy(struct gw_sqlite_spine *spine);
/* The port; lives as long as `spine`. */
const struct gw_spine *gw_sqlite_spine_port(const struct gw_sqlite_spine *spine);

#endif
