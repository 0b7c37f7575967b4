/* database.h — the files of the SQLite spine: made, locked to this process, checked for their schema, opened. Used by the thread that
 * starts the driver, and by the writer when it opens its connection again. Failure: GW_EIO, GW_ECONFLICT or GW_ESTATE, as sqlite_spine.h
 * says. */
#ifndef GW_SPINE_DATABASE_H
#define GW_SPINE_DATABASE_H

#include <sqlite3.h>
#include <stddef.h>

#include "base/error.h"

struct gw_log;

/* Bytes that a page takes in the write-ahead log: a frame (sqlite.org/fileformat2.html section 4.1). */
#define GW_WAL_FRAME_BYTES (4096 + 24)

/* value; borrowed */
struct gw_database_opts {
    const char *path;
    const char *vfs;  /* NULL: the system's */
    size_t wal_bytes; /* size of the write-ahead log at the start, and after it was emptied */
    int cache_kib;    /* bounds the connection's memory */
};

/* Makes the folder, takes the lock, makes or checks the schema and gives the write-ahead log its size. *lock_fd is to be closed after the
 * last connection. *db is the writer's connection. */
int gw_database_start(const struct gw_database_opts *opts, struct gw_log *log, int *lock_fd, sqlite3 **db, struct gw_error *err);
/* Gives the write-ahead log its size again after it was truncated. No commit is under way. A failure is logged: commits are slower then. */
void gw_database_extend_wal(const struct gw_database_opts *opts, struct gw_log *log);
/* One more connection, for one thread at a time; sqlite3_close. */
int gw_database_connect(const struct gw_database_opts *opts, sqlite3 **db, struct gw_error *err);
int gw_database_exec(sqlite3 *db, const char *sql, struct gw_error *err);
/* A statement that is kept; sqlite3_finalize. */
int gw_database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct gw_error *err);
/* Reports what `db` failed with last: GW_EIO, spine_full or spine_io. */
int gw_database_fail(sqlite3 *db, struct gw_error *err);

#endif
