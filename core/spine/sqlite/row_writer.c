#include "spine/sqlite/row_writer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "spine/sqlite/database.h"

enum { MAX_TAILS = 65536 };

enum statement {
    BEGIN,
    COMMIT,
    FIND_RUN,
    ADD_RUN,
    FIND_TAIL,
    ADD_RECORD,
    FIND_BLOB,
    ADD_CHUNK,
    DROP_OLDER,
    SET_FLOOR,
    ERASE_RECORDS,
    ERASE_BLOBS,
    ERASE_BLOB,
    ERASE_RUN,
    STATEMENT_COUNT
};

static const char *const SQL[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [FIND_RUN] = "SELECT id, floor FROM run WHERE name=?1",
    [ADD_RUN] = "INSERT INTO run(name, floor) VALUES(?1, 1)",
    [FIND_TAIL] = "SELECT last FROM record WHERE run=?1 ORDER BY first DESC LIMIT 1",
    [ADD_RECORD] = "INSERT INTO record(run, first, last, payload) VALUES(?1, ?2, ?3, ?4)",
    [FIND_BLOB] = "SELECT 1 FROM blob WHERE run=?1 AND kind=?2 AND seq=?3 LIMIT 1",
    [ADD_CHUNK] = "INSERT INTO blob(run, kind, seq, chunk, bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
    [DROP_OLDER] = ("DELETE FROM blob WHERE run=?1 AND kind=?2 AND seq < (SELECT min(seq) FROM"
                    " (SELECT DISTINCT seq FROM blob WHERE run=?1 AND kind=?2 ORDER BY seq DESC LIMIT ?3))"),
    [SET_FLOOR] = "UPDATE run SET floor=?2 WHERE id=?1",
    [ERASE_RECORDS] = "DELETE FROM record WHERE run=?1 AND last < ?2",
    [ERASE_BLOBS] = "DELETE FROM blob WHERE run=?1 AND kind<>?2 AND seq < ?3",
    [ERASE_BLOB] = "DELETE FROM blob WHERE run=?1 AND kind=?2 AND seq=?3",
    [ERASE_RUN] = "DELETE FROM run WHERE id=?1",
};

/* Where a run stands in this transaction. */
struct tail {
    int64_t run; /* 0: the run has no row yet */
    int64_t seq;
};

struct gw_row_writer {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    uint8_t seed[16];
    struct gw_map *tails; /* by run key; right as long as the transaction holds */
    bool has_written, has_erased;
};

static void free_tails(struct gw_map *tails)
{
    size_t cursor = 0, length;
    const void *key;
    void *tail;
    while (gw_map_next(tails, &cursor, &key, &length, &tail))
        gw_free(tail);
    gw_map_destroy(tails);
}

static void forget_tails(struct gw_row_writer *w)
{
    free_tails(w->tails);
    w->tails = gw_map_create(w->seed);
}

int gw_row_writer_create(sqlite3 *db, const uint8_t seed[16], struct gw_row_writer **out, struct gw_error *err)
{
    struct gw_row_writer *w = gw_alloc(sizeof *w);
    w->db = db;
    memcpy(w->seed, seed, sizeof w->seed);
    w->tails = gw_map_create(seed);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (gw_database_prepare(db, SQL[i], &w->statements[i], err) != GW_OK) {
            gw_row_writer_destroy(w);
            return err->code;
        }
    *out = w;
    return GW_OK;
}

void gw_row_writer_destroy(struct gw_row_writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(w->statements[i]);
    sqlite3_close(w->db);
    free_tails(w->tails);
    gw_free(w);
}

bool gw_row_writer_has_erased(const struct gw_row_writer *w) { return w->has_erased; }

sqlite3 *gw_row_writer_peek_db(const struct gw_row_writer *w) { return w->db; }

/* ---- statements --------------------------------------------------------------------------------------------------------------------- */

/* A statement that yields no row. */
static int execute(struct gw_row_writer *w, enum statement which, struct gw_error *err)
{
    sqlite3_stmt *statement = w->statements[which];
    int result = sqlite3_step(statement) == SQLITE_DONE ? GW_OK : gw_database_fail(w->db, err);
    sqlite3_reset(statement);
    return result;
}

/* A statement that yields at most one row, up to two numbers; *is_found tells whether it did. */
static int query(struct gw_row_writer *w, enum statement which, int64_t out[2], bool *is_found, struct gw_error *err)
{
    sqlite3_stmt *statement = w->statements[which];
    int code = sqlite3_step(statement);
    *is_found = code == SQLITE_ROW;
    int result = *is_found || code == SQLITE_DONE ? GW_OK : gw_database_fail(w->db, err);
    for (int i = 0; *is_found && i < sqlite3_column_count(statement); i++)
        out[i] = sqlite3_column_int64(statement, i);
    sqlite3_reset(statement);
    return result;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static void bind_bytes(sqlite3_stmt *statement, int index, const char *bytes, size_t length)
{
    /* A NULL pointer would bind NULL instead of no bytes. */
    sqlite3_bind_blob64(statement, index, length == 0 ? "" : bytes, length, SQLITE_STATIC);
}

/* ---- runs --------------------------------------------------------------------------------------------------------------------------- */

static int load_tail(struct gw_row_writer *w, const struct gw_run_key *key, struct tail *tail, struct gw_error *err)
{
    int64_t row[2] = {0, 1};
    bool is_found;
    *tail = (struct tail){0, 0};
    bind_text(w->statements[FIND_RUN], 1, key->text);
    if (query(w, FIND_RUN, row, &is_found, err) != GW_OK)
        return err->code;
    if (!is_found)
        return GW_OK;
    *tail = (struct tail){row[0], row[1] - 1};
    sqlite3_bind_int64(w->statements[FIND_TAIL], 1, tail->run);
    if (query(w, FIND_TAIL, row, &is_found, err) != GW_OK)
        return err->code;
    if (is_found)
        tail->seq = row[0];
    return GW_OK;
}

/* *out stays valid until the next call. */
static int find_tail(struct gw_row_writer *w, const struct gw_run_key *key, struct tail **out, struct gw_error *err)
{
    size_t length = strlen(key->text);
    *out = gw_map_get(w->tails, key->text, length);
    if (*out != NULL)
        return GW_OK;
    struct tail loaded;
    if (load_tail(w, key, &loaded, err) != GW_OK)
        return err->code;
    if (gw_map_count(w->tails) >= MAX_TAILS)
        forget_tails(w);
    struct tail *tail = gw_alloc(sizeof *tail);
    *tail = loaded;
    if (gw_map_put(w->tails, key->text, length, tail, NULL) != GW_OK) {
        gw_free(tail);
        return gw_error_set(err, GW_EIO, "out_of_memory", "no memory for the tail of a run");
    }
    *out = tail;
    return GW_OK;
}

static int add_run(struct gw_row_writer *w, const struct gw_run_key *key, struct tail *tail, struct gw_error *err)
{
    if (tail->run != 0)
        return GW_OK;
    bind_text(w->statements[ADD_RUN], 1, key->text);
    if (execute(w, ADD_RUN, err) != GW_OK)
        return err->code;
    tail->run = sqlite3_last_insert_rowid(w->db);
    w->has_written = true;
    return GW_OK;
}

/* ---- jobs --------------------------------------------------------------------------------------------------------------------------- */

static int append(struct gw_row_writer *w, const struct gw_spine_job *job, struct gw_error *err)
{
    const struct gw_spine_append *request = job->request.append;
    struct tail *tail;
    if (find_tail(w, &request->run, &tail, err) != GW_OK)
        return err->code;
    int64_t first = (int64_t)request->first_seq;
    if (first != tail->seq + 1) {
        const char *id = first <= tail->seq ? "spine_seq_taken" : "spine_seq_gap";
        gw_spine_job_fail(job, GW_ECONFLICT, id, "the run's tail is elsewhere");
        return GW_OK;
    }
    if (add_run(w, &request->run, tail, err) != GW_OK)
        return err->code;
    sqlite3_stmt *statement = w->statements[ADD_RECORD];
    sqlite3_bind_int64(statement, 1, tail->run);
    sqlite3_bind_int64(statement, 2, first);
    sqlite3_bind_int64(statement, 3, (int64_t)request->last_seq);
    bind_bytes(statement, 4, request->payload, request->payload_length);
    if (execute(w, ADD_RECORD, err) != GW_OK)
        return err->code;
    tail->seq = (int64_t)request->last_seq;
    w->has_written = true;
    return GW_OK;
}

static void bind_blob(sqlite3_stmt *statement, const struct tail *tail, const struct gw_spine_put *request)
{
    sqlite3_bind_int64(statement, 1, tail->run);
    sqlite3_bind_int64(statement, 2, (int64_t)request->kind);
    sqlite3_bind_int64(statement, 3, (int64_t)request->seq);
}

static int add_chunks(struct gw_row_writer *w, const struct tail *tail, const struct gw_spine_put *request, struct gw_error *err)
{
    sqlite3_stmt *statement = w->statements[ADD_CHUNK];
    bind_blob(statement, tail, request);
    w->has_written = true;
    for (size_t i = 0; i < request->chunk_count; i++) {
        sqlite3_bind_int64(statement, 4, (int64_t)i);
        bind_bytes(statement, 5, request->chunks[i], request->lengths[i]);
        if (execute(w, ADD_CHUNK, err) != GW_OK)
            return err->code;
    }
    return GW_OK;
}

static int put(struct gw_row_writer *w, const struct gw_spine_job *job, struct gw_error *err)
{
    const struct gw_spine_put *request = job->request.put;
    struct tail *tail;
    if (find_tail(w, &request->run, &tail, err) != GW_OK || add_run(w, &request->run, tail, err) != GW_OK)
        return err->code;
    int64_t found[2];
    bool is_stored;
    bind_blob(w->statements[FIND_BLOB], tail, request);
    if (query(w, FIND_BLOB, found, &is_stored, err) != GW_OK)
        return err->code;
    if (is_stored)
        return GW_OK;
    if (add_chunks(w, tail, request, err) != GW_OK)
        return err->code;
    if (request->keep == 0)
        return GW_OK;
    sqlite3_stmt *statement = w->statements[DROP_OLDER];
    bind_blob(statement, tail, request);
    sqlite3_bind_int64(statement, 3, (int64_t)request->keep);
    return execute(w, DROP_OLDER, err);
}

/* ---- erasing ------------------------------------------------------------------------------------------------------------------------ */

/* A statement of two or three numbers that yields no row. */
static int execute_with(struct gw_row_writer *w, enum statement which, int64_t first, int64_t second, int64_t third, struct gw_error *err)
{
    sqlite3_stmt *statement = w->statements[which];
    int count = sqlite3_bind_parameter_count(statement);
    sqlite3_bind_int64(statement, 1, first);
    if (count > 1)
        sqlite3_bind_int64(statement, 2, second);
    if (count > 2)
        sqlite3_bind_int64(statement, 3, third);
    return execute(w, which, err);
}

static int keep(struct gw_row_writer *w, const struct tail *tail, const struct gw_spine_erase *request, struct gw_error *err)
{
    int64_t seq = (int64_t)request->floor_seq - 1;
    for (size_t i = 0; i < request->kept_count; i++) {
        const struct gw_spine_kept *kept = &request->kept[i];
        struct gw_spine_put put = {.kind = kept->kind, .seq = (uint64_t)seq, .chunks = kept->chunks, .lengths = kept->lengths};
        put.chunk_count = kept->chunk_count;
        if (execute_with(w, ERASE_BLOB, tail->run, kept->kind, seq, err) != GW_OK || add_chunks(w, tail, &put, err) != GW_OK)
            return err->code;
    }
    return GW_OK;
}

static int erase_below(struct gw_row_writer *w, const struct tail *tail, const struct gw_spine_erase *request, struct gw_error *err)
{
    int64_t floor = (int64_t)request->floor_seq, row[2] = {0, 1};
    bool is_found;
    bind_text(w->statements[FIND_RUN], 1, request->run.text);
    if (query(w, FIND_RUN, row, &is_found, err) != GW_OK)
        return err->code;
    if (row[1] >= floor)
        return GW_OK;
    if (execute_with(w, SET_FLOOR, tail->run, floor, 0, err) != GW_OK)
        return err->code;
    if (execute_with(w, ERASE_RECORDS, tail->run, floor, 0, err) != GW_OK)
        return err->code;
    if (execute_with(w, ERASE_BLOBS, tail->run, GW_SPINE_KEY_PAGE, floor - 1, err) != GW_OK)
        return err->code;
    return keep(w, tail, request, err);
}

static int erase_run(struct gw_row_writer *w, const struct gw_run_key *key, const struct tail *tail, struct gw_error *err)
{
    if (execute_with(w, ERASE_RECORDS, tail->run, INT64_MAX, 0, err) != GW_OK)
        return err->code;
    if (execute_with(w, ERASE_BLOBS, tail->run, GW_SPINE_BLOB_KINDS, INT64_MAX, err) != GW_OK)
        return err->code;
    if (execute_with(w, ERASE_RUN, tail->run, 0, 0, err) != GW_OK)
        return err->code;
    gw_free(gw_map_remove(w->tails, key->text, strlen(key->text)));
    return GW_OK;
}

static int erase(struct gw_row_writer *w, const struct gw_spine_job *job, struct gw_error *err)
{
    const struct gw_spine_erase *request = job->request.erase;
    struct tail *tail;
    if (find_tail(w, &request->run, &tail, err) != GW_OK)
        return err->code;
    if (request->floor_seq > (uint64_t)tail->seq + 1) {
        gw_spine_job_fail(job, GW_EINVAL, "spine_bad_floor", "the floor lies behind the run's tail");
        return GW_OK;
    }
    w->has_erased = true; /* also when nothing is there: what an earlier one left unscrubbed may be */
    if (tail->run == 0)
        return GW_OK;
    w->has_written = true;
    /* Overwriting makes a dirty page of every page that is freed: a run need not fit into memory. */
    if (gw_database_exec(w->db, "PRAGMA cache_spill=ON", err) != GW_OK)
        return err->code;
    int result = request->floor_seq > 0 ? erase_below(w, tail, request, err) : erase_run(w, &request->run, tail, err);
    return result == GW_OK ? gw_database_exec(w->db, "PRAGMA cache_spill=OFF", err) : result;
}

int gw_row_writer_apply(struct gw_row_writer *w, const struct gw_spine_job *job, struct gw_error *err)
{
    if (gw_spine_job_check(job) != GW_OK)
        return GW_OK;
    if (job->kind == GW_SPINE_JOB_ERASE)
        return erase(w, job, err);
    return job->kind == GW_SPINE_JOB_APPEND ? append(w, job, err) : put(w, job, err);
}

/* ---- transactions ------------------------------------------------------------------------------------------------------------------- */

int gw_row_writer_begin(struct gw_row_writer *w, struct gw_error *err)
{
    w->has_written = w->has_erased = false;
    return execute(w, BEGIN, err);
}

int gw_row_writer_commit(struct gw_row_writer *w, bool *has_synced, struct gw_error *err)
{
    *has_synced = w->has_written;
    return execute(w, COMMIT, err);
}
