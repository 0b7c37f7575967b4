/* wal.h — keeps the write-ahead log short. A log begins again at its start only when all of it is in the database and no reader needs it,
 * which never happens by itself under load. So a thread of its own moves the bulk while appends go on, then the writer, between two groups
 * and with readers kept out, moves the small rest. Owns that thread and its connection. Failure: counted and logged; the log grows and the
 * move is tried again later; after a failed sync of the database, at the next start. */
#ifndef GW_SPINE_WAL_H
#define GW_SPINE_WAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_log;
struct gw_spine_metrics;
struct gw_wal;

/* `wal_bytes` is the size that the log should not outgrow. */
struct gw_wal *gw_wal_create(sqlite3 *db /* taken */, size_t wal_bytes, const struct gw_spine_metrics *metrics, struct gw_log *log);
/* After the writer and the reader have ended. */
void gw_wal_destroy(struct gw_wal *wal);
int gw_wal_start(struct gw_wal *wal, struct gw_error *err);
/* Has the log's length reported by the writer's connection; again for each new connection. */
void gw_wal_watch(struct gw_wal *wal, sqlite3 *writer_db);
/* The writer calls this between groups. Most calls return at once. */
void gw_wal_tend(struct gw_wal *wal, sqlite3 *writer_db);
/* What was erased is to leave the files too: moves all of the log into the database, truncates it, and scrubs the pages (scrub.h). Between
 * groups; waits for readers. False: tend tries again. */
bool gw_wal_scrub(struct gw_wal *wal, sqlite3 *writer_db);
/* Around each read transaction, on the reader's thread. Waits at most for the writer's move of the rest. */
void gw_wal_enter_read(struct gw_wal *wal);
void gw_wal_leave_read(struct gw_wal *wal);

#endif
