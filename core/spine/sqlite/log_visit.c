#include "spine/sqlite/log_visit.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/spine_port.h"

#define BUSY_MS     5000
#define ALL_RECORDS "SELECT payload FROM record WHERE run=?1 ORDER BY first"

enum statement { RUNS, NEWEST, CHUNKS, RECORDS, STATEMENT_COUNT };

static const char *const texts[STATEMENT_COUNT] = {
    [RUNS] = "SELECT id, name FROM run ORDER BY name",
    [NEWEST] = "SELECT seq FROM blob WHERE run=?1 AND kind=?2 ORDER BY seq DESC LIMIT 1",
    [CHUNKS] = "SELECT bytes FROM blob WHERE run=?1 AND kind=?3 AND seq=?2 ORDER BY chunk",
    [RECORDS] = "SELECT payload FROM record WHERE run=?1 AND last>?2 ORDER BY first",
};

static int fail(sqlite3 *db, struct gw_error *err)
{
    return gw_error_set(err, GW_EIO, "spine_io", "the spine cannot be read: %s", db ? sqlite3_errmsg(db) : "no memory");
}

/* value: a visit at work */
struct visit {
    sqlite3 *db;
    const struct gw_log_visitor *visitor;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int stepped; /* what SQLite answered last: neither row nor end means that reading failed */
};

static sqlite3_stmt *begin(struct visit *v, enum statement which, sqlite3_int64 run, sqlite3_int64 seq)
{
    sqlite3_stmt *statement = v->statements[which];
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, run);
    if (which != RECORDS || v->visitor->checkpoint)
        sqlite3_bind_int64(statement, 2, seq);
    return statement;
}

static bool has_row(struct visit *v, sqlite3_stmt *statement)
{
    v->stepped = sqlite3_step(statement);
    return v->stepped == SQLITE_ROW;
}

static bool is_good(const struct visit *v) { return v->stepped == SQLITE_ROW || v->stepped == SQLITE_DONE; }

static void add_chunk(struct gw_spine_get *stored, const void *bytes, size_t length)
{
    char **chunks = gw_alloc_array(stored->chunk_count + 1, sizeof *chunks);
    size_t *lengths = gw_alloc_array(stored->chunk_count + 1, sizeof *lengths);
    for (size_t i = 0; i < stored->chunk_count; i++) {
        chunks[i] = stored->chunks[i];
        lengths[i] = stored->lengths[i];
    }
    gw_free(stored->chunks);
    gw_free(stored->lengths);
    chunks[stored->chunk_count] = gw_alloc(length + 1);
    if (length)
        memcpy(chunks[stored->chunk_count], bytes, length);
    lengths[stored->chunk_count++] = length;
    stored->chunks = chunks;
    stored->lengths = lengths;
}

/* *seq is the checkpoint's, 0 when there is none. */
static int visit_checkpoint(struct visit *v, sqlite3_int64 run, sqlite3_int64 *seq)
{
    struct gw_spine_get stored = {.kind = GW_SPINE_CHECKPOINT};
    sqlite3_stmt *statement = begin(v, NEWEST, run, GW_SPINE_CHECKPOINT);
    *seq = has_row(v, statement) ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    if (*seq == 0)
        return GW_OK;
    statement = begin(v, CHUNKS, run, *seq);
    sqlite3_bind_int64(statement, 3, GW_SPINE_CHECKPOINT);
    while (has_row(v, statement))
        add_chunk(&stored, sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
    sqlite3_reset(statement);
    stored.seq = (uint64_t)*seq;
    int status = is_good(v) ? v->visitor->checkpoint(v->visitor->arg, &stored) : GW_OK;
    gw_spine_get_fini(&stored);
    return status;
}

static int visit_run(struct visit *v, sqlite3_int64 run)
{
    sqlite3_int64 seq = 0;
    int status = v->visitor->checkpoint ? visit_checkpoint(v, run, &seq) : GW_OK;
    if (status || !is_good(v))
        return status;
    sqlite3_stmt *records = begin(v, RECORDS, run, seq);
    while (!status && has_row(v, records))
        status = v->visitor->record(v->visitor->arg, sqlite3_column_blob(records, 0), (size_t)sqlite3_column_bytes(records, 0));
    sqlite3_reset(records);
    return status;
}

static int visit_runs(struct visit *v, struct gw_error *err)
{
    int status = GW_OK;
    v->stepped = SQLITE_DONE;
    while (!status && is_good(v) && has_row(v, v->statements[RUNS]))
        if (v->visitor->run(v->visitor->arg, (const char *)sqlite3_column_text(v->statements[RUNS], 1)))
            status = visit_run(v, sqlite3_column_int64(v->statements[RUNS], 0));
    return !status && v->stepped != SQLITE_DONE ? fail(v->db, err) : status;
}

static int prepare(struct visit *v, struct gw_error *err)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v2(v->db, i == RECORDS && !v->visitor->checkpoint ? ALL_RECORDS : texts[i], -1, &v->statements[i], NULL))
            return fail(v->db, err);
    return GW_OK;
}

int gw_log_visit(const char *path, const struct gw_log_visitor *visitor, struct gw_error *err)
{
    struct visit v = {.visitor = visitor};
    if (access(path, R_OK)) {
        gw_error_set(err, GW_ENOTFOUND, "spine_missing", "there is no spine here");
        gw_error_prefix(err, path);
        return GW_ENOTFOUND;
    }
    int status = GW_OK;
    if (sqlite3_open_v2(path, &v.db, SQLITE_OPEN_READONLY, NULL) || sqlite3_busy_timeout(v.db, BUSY_MS))
        status = fail(v.db, err);
    if (!status)
        status = prepare(&v, err);
    if (!status)
        status = visit_runs(&v, err);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(v.statements[i]);
    sqlite3_close(v.db);
    return status;
}
