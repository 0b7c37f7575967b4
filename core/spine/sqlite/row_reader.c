#include "spine/sqlite/row_reader.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "spine/sqlite/database.h"

enum statement { BEGIN, COMMIT, FIND_RUN, FIND_TAIL, FIND_RECORDS, FIND_BLOB, FIND_CHUNKS, STATEMENT_COUNT };

static const char *const SQL[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [FIND_RUN] = "SELECT id, floor FROM run WHERE name=?1",
    [FIND_TAIL] = "SELECT last FROM record WHERE run=?1 ORDER BY first DESC LIMIT 1",
    [FIND_RECORDS] = ("SELECT first, last, payload FROM record WHERE run=?1 AND first <= ?3 AND first >= coalesce("
                      "(SELECT first FROM record WHERE run=?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), ?2) ORDER BY first"),
    [FIND_BLOB] = "SELECT seq FROM blob WHERE run=?1 AND kind=?2 AND seq<=?3 ORDER BY seq DESC LIMIT 1",
    [FIND_CHUNKS] = "SELECT bytes FROM blob WHERE run=?1 AND kind=?2 AND seq=?3 ORDER BY chunk",
};

struct gw_row_reader {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* value */
struct run {
    int64_t id; /* 0: there is none */
    uint64_t floor_seq;
};

int gw_row_reader_create(sqlite3 *db, struct gw_row_reader **out, struct gw_error *err)
{
    struct gw_row_reader *r = gw_alloc(sizeof *r);
    r->db = db;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (gw_database_prepare(db, SQL[i], &r->statements[i], err) != GW_OK) {
            gw_row_reader_destroy(r);
            return err->code;
        }
    *out = r;
    return GW_OK;
}

void gw_row_reader_destroy(struct gw_row_reader *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(r->statements[i]);
    sqlite3_close(r->db);
    gw_free(r);
}

/* Every failure of SQLite ends here. */
static int fail_sqlite(struct gw_row_reader *r, const struct gw_spine_job *job) { return *job->status = gw_database_fail(r->db, job->err); }

static int fail_memory(const struct gw_spine_job *job)
{
    return gw_spine_job_fail(job, GW_ENOMEM, "out_of_memory", "no memory for what was read");
}

/* A statement's first number; *is_found tells whether it yielded a row. Leaves the statement to be reset. */
static int step(struct gw_row_reader *r, sqlite3_stmt *statement, const struct gw_spine_job *job, bool *is_found)
{
    int code = sqlite3_step(statement);
    *is_found = code == SQLITE_ROW;
    return *is_found || code == SQLITE_DONE ? GW_OK : fail_sqlite(r, job);
}

static int64_t clamp_seq(uint64_t seq) { return seq > INT64_MAX ? INT64_MAX : (int64_t)seq; }

/* A NUL follows the copy. NULL: no memory. */
static char *copy_column(sqlite3_stmt *statement, int column, size_t *length)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    *length = (size_t)sqlite3_column_bytes(statement, column);
    char *copy = gw_try_alloc(*length + 1);
    if (copy == NULL || (bytes == NULL && *length > 0)) {
        gw_free(copy);
        return NULL;
    }
    if (*length > 0)
        memcpy(copy, bytes, *length);
    copy[*length] = '\0';
    return copy;
}

static int find_run(struct gw_row_reader *r, const struct gw_spine_job *job, struct run *run)
{
    sqlite3_stmt *statement = r->statements[FIND_RUN];
    bool is_found;
    *run = (struct run){0, 1};
    sqlite3_bind_text(statement, 1, job->run->text, -1, SQLITE_STATIC);
    int result = step(r, statement, job, &is_found);
    if (is_found)
        *run = (struct run){sqlite3_column_int64(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1)};
    sqlite3_reset(statement);
    return result;
}

/* ---- records ------------------------------------------------------------------------------------------------------------------------ */

/* Adds the statement's row; refuses one that does not continue what was read. */
static int add_record(struct gw_spine_read *request, const struct gw_spine_job *job, sqlite3_stmt *statement, size_t *capacity)
{
    struct gw_spine_record record = {(uint64_t)sqlite3_column_int64(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1), NULL, 0};
    if (record.last_seq < request->from_seq)
        return GW_OK;
    uint64_t expected = request->record_count == 0 ? request->from_seq : request->records[request->record_count - 1].last_seq + 1;
    if (request->record_count == 0 ? record.first_seq > expected : record.first_seq != expected)
        return gw_spine_job_fail(job, GW_EIO, "spine_hole", "a record is missing from the spine's database");
    if (request->record_count == *capacity) {
        size_t grown = *capacity == 0 ? 8 : *capacity * 2;
        struct gw_spine_record *records = gw_try_grow(request->records, grown, sizeof *records);
        if (records == NULL)
            return fail_memory(job);
        request->records = records;
        *capacity = grown;
    }
    record.payload = copy_column(statement, 2, &record.payload_length);
    if (record.payload == NULL)
        return fail_memory(job);
    request->records[request->record_count++] = record;
    return GW_OK;
}

static int gather_records(struct gw_row_reader *r, const struct gw_spine_job *job, sqlite3_stmt *statement)
{
    struct gw_spine_read *request = job->request.read;
    size_t capacity = 0, bytes = 0;
    bool is_found = true;
    while (request->record_count == 0 || bytes < request->max_bytes) {
        if (step(r, statement, job, &is_found) != GW_OK)
            return *job->status;
        if (!is_found)
            return GW_OK;
        size_t count = request->record_count;
        if (add_record(request, job, statement, &capacity) != GW_OK)
            return *job->status;
        if (request->record_count > count)
            bytes += request->records[count].payload_length;
    }
    return GW_OK;
}

static void read_records(struct gw_row_reader *r, const struct gw_spine_job *job, const struct run *run)
{
    struct gw_spine_read *request = job->request.read;
    if (request->from_seq < run->floor_seq) {
        gw_spine_job_fail(job, GW_ENOTFOUND, "spine_below_floor", "these events are no longer stored");
        return;
    }
    if (run->id == 0 || request->from_seq > INT64_MAX)
        return;
    sqlite3_stmt *statement = r->statements[FIND_RECORDS];
    sqlite3_bind_int64(statement, 1, run->id);
    sqlite3_bind_int64(statement, 2, (int64_t)request->from_seq);
    sqlite3_bind_int64(statement, 3, clamp_seq(request->to_seq));
    if (gather_records(r, job, statement) != GW_OK)
        gw_spine_read_fini(request);
    sqlite3_reset(statement);
}

static void find_tail(struct gw_row_reader *r, const struct gw_spine_job *job, const struct run *run)
{
    struct gw_spine_tail *request = job->request.tail;
    sqlite3_stmt *statement = r->statements[FIND_TAIL];
    bool is_found;
    sqlite3_bind_int64(statement, 1, run->id);
    if (step(r, statement, job, &is_found) == GW_OK) {
        request->floor_seq = run->floor_seq;
        request->tail_seq = is_found ? (uint64_t)sqlite3_column_int64(statement, 0) : run->floor_seq - 1;
    }
    sqlite3_reset(statement);
}

/* ---- blobs -------------------------------------------------------------------------------------------------------------------------- */

static int find_blob(struct gw_row_reader *r, const struct gw_spine_job *job, const struct run *run)
{
    struct gw_spine_get *request = job->request.get;
    sqlite3_stmt *statement = r->statements[FIND_BLOB];
    bool is_found;
    sqlite3_bind_int64(statement, 1, run->id);
    sqlite3_bind_int64(statement, 2, (int64_t)request->kind);
    sqlite3_bind_int64(statement, 3, clamp_seq(request->at_most_seq));
    int result = step(r, statement, job, &is_found);
    if (result == GW_OK && !is_found)
        result = gw_spine_job_fail(job, GW_ENOTFOUND, "spine_no_blob", "there is no such blob");
    if (is_found)
        request->seq = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return result;
}

static int add_chunk(struct gw_spine_get *request, const struct gw_spine_job *job, sqlite3_stmt *statement, size_t *capacity)
{
    if (request->chunk_count == *capacity) {
        size_t grown = *capacity == 0 ? 8 : *capacity * 2;
        char **chunks = gw_try_grow(request->chunks, grown, sizeof *chunks);
        if (chunks != NULL)
            request->chunks = chunks;
        size_t *lengths = gw_try_grow(request->lengths, grown, sizeof *lengths);
        if (lengths != NULL)
            request->lengths = lengths;
        if (chunks == NULL || lengths == NULL)
            return fail_memory(job);
        *capacity = grown;
    }
    char *chunk = copy_column(statement, 0, &request->lengths[request->chunk_count]);
    if (chunk == NULL)
        return fail_memory(job);
    request->chunks[request->chunk_count++] = chunk;
    return GW_OK;
}

static void get_blob(struct gw_row_reader *r, const struct gw_spine_job *job, const struct run *run)
{
    struct gw_spine_get *request = job->request.get;
    if (find_blob(r, job, run) != GW_OK)
        return;
    sqlite3_stmt *statement = r->statements[FIND_CHUNKS];
    sqlite3_bind_int64(statement, 1, run->id);
    sqlite3_bind_int64(statement, 2, (int64_t)request->kind);
    sqlite3_bind_int64(statement, 3, (int64_t)request->seq);
    size_t capacity = 0;
    bool is_found;
    int result;
    while ((result = step(r, statement, job, &is_found)) == GW_OK && is_found)
        if ((result = add_chunk(request, job, statement, &capacity)) != GW_OK)
            break;
    if (result != GW_OK)
        gw_spine_get_fini(request);
    sqlite3_reset(statement);
}

/* ---- jobs --------------------------------------------------------------------------------------------------------------------------- */

static void look_up(struct gw_row_reader *r, const struct gw_spine_job *job)
{
    struct run run;
    if (find_run(r, job, &run) != GW_OK)
        return;
    if (job->kind == GW_SPINE_JOB_READ)
        read_records(r, job, &run);
    else if (job->kind == GW_SPINE_JOB_TAIL)
        find_tail(r, job, &run);
    else
        get_blob(r, job, &run);
}

void gw_row_reader_execute(struct gw_row_reader *r, const struct gw_spine_job *job)
{
    if (sqlite3_step(r->statements[BEGIN]) == SQLITE_DONE)
        look_up(r, job);
    else
        fail_sqlite(r, job);
    sqlite3_reset(r->statements[BEGIN]);
    sqlite3_step(r->statements[COMMIT]);
    sqlite3_reset(r->statements[COMMIT]);
}
