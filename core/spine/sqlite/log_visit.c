#include "spine/sqlite/log_visit.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/error.h"

#define BUSY_MS 5000

static int fail(sqlite3 *db, struct gw_error *err)
{
    return gw_error_set(err, GW_EIO, "spine_io", "the spine cannot be read: %s", db ? sqlite3_errmsg(db) : "no memory");
}

static int visit_records(sqlite3_stmt *records, sqlite3_int64 run, const struct gw_log_visitor *visitor, int *stepped)
{
    int status = 0;
    sqlite3_reset(records);
    sqlite3_bind_int64(records, 1, run);
    while (!status && (*stepped = sqlite3_step(records)) == SQLITE_ROW)
        status = visitor->record(visitor->arg, sqlite3_column_blob(records, 0), (size_t)sqlite3_column_bytes(records, 0));
    return status;
}

static int visit_runs(sqlite3 *db, const struct gw_log_visitor *visitor, struct gw_error *err)
{
    sqlite3_stmt *runs = NULL, *records = NULL;
    int status = 0, stepped = SQLITE_DONE;
    if (sqlite3_prepare_v2(db, "SELECT id, name FROM run ORDER BY name", -1, &runs, NULL) ||
        sqlite3_prepare_v2(db, "SELECT payload FROM record WHERE run = ? ORDER BY first", -1, &records, NULL)) {
        sqlite3_finalize(runs);
        return fail(db, err);
    }
    while (!status && (stepped == SQLITE_DONE || stepped == SQLITE_ROW) && (stepped = sqlite3_step(runs)) == SQLITE_ROW)
        if (visitor->run(visitor->arg, (const char *)sqlite3_column_text(runs, 1)))
            status = visit_records(records, sqlite3_column_int64(runs, 0), visitor, &stepped);
    if (!status && stepped != SQLITE_DONE)
        status = fail(db, err);
    sqlite3_finalize(runs);
    sqlite3_finalize(records);
    return status;
}

int gw_log_visit(const char *path, const struct gw_log_visitor *visitor, struct gw_error *err)
{
    sqlite3 *db = NULL;
    if (access(path, R_OK)) {
        gw_error_set(err, GW_ENOTFOUND, "spine_missing", "there is no spine here");
        gw_error_prefix(err, path);
        return GW_ENOTFOUND;
    }
    int status = GW_OK;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) || sqlite3_busy_timeout(db, BUSY_MS))
        status = fail(db, err);
    if (!status)
        status = visit_runs(db, visitor, err);
    sqlite3_close(db);
    return status;
}
