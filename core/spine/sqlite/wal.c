#include "spine/sqlite/wal.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "spine/sqlite/database.h"
#include "spine/sqlite/scrub.h"
#include "spine/sqlite/spine_metrics.h"

/* PASS_NEVER: a sync of the database failed. The system may have dropped what was moved, and says so only once, while SQLite counts it as
 * moved: emptying the log could lose it. So the log is kept until the next start, whose recovery moves all of it again. */
enum pass { PASS_IDLE, PASS_WANTED, PASS_DONE, PASS_NEVER };

struct gw_wal {
    sqlite3 *db; /* the thread's */
    const struct gw_spine_metrics *metrics;
    struct gw_log *log;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock; /* of the three below */
    pthread_cond_t wake;
    enum pass pass;
    bool is_closing;

    pthread_mutex_t reading; /* held by whoever must be alone: a read transaction, or the move of the rest */

    /* The writer's. In frames. */
    size_t length;   /* of the log, since the last commit */
    size_t next;     /* length at which the thread is asked to work */
    size_t step;     /* what `next` starts at and grows by */
    size_t maximum;  /* length from which the writer waits for readers */
    bool is_tainted; /* what was erased may still stand in it */
};

static void report_failure(const struct gw_wal *wal, sqlite3 *db)
{
    gw_metric_add(wal->metrics->checkpoint_failures, 1);
    if (wal->log != NULL)
        gw_log_write(
            wal->log, GW_LOG_WARN, "spine_checkpoint_failed",
            (struct gw_log_field[]){GW_F_TEXT("reason", sqlite3_errmsg(db)), GW_F_INT("code", sqlite3_extended_errcode(db)), GW_F_END});
}

/* PASSIVE moves what can be moved without waiting for anybody; *is_whole: all of the log is in the database. SQLite's code. */
static int move_frames(const struct gw_wal *wal, sqlite3 *db, int mode, bool *is_whole)
{
    int length = -1, moved = -1;
    int code = sqlite3_wal_checkpoint_v2(db, NULL, mode, &length, &moved);
    *is_whole = code == SQLITE_OK && length == moved;
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        report_failure(wal, db);
    return code;
}

/* SQLite syncs the database only when the whole log is in it, which here is the writer's part: what was moved so far is synced before, so
 * that the writer waits for little. */
static int sync_database(const struct gw_wal *wal)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(wal->db, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

static void end_pass(struct gw_wal *wal, enum pass pass)
{
    if (pass == PASS_NEVER && wal->log != NULL)
        gw_log_write(
            wal->log, GW_LOG_ERROR, "spine_needs_restart",
            (struct gw_log_field[]){GW_F_TEXT("reason", "the database could not be synced; the write-ahead log is kept"), GW_F_END});
    pthread_mutex_lock(&wal->lock);
    wal->pass = pass;
    pthread_cond_broadcast(&wal->wake);
    pthread_mutex_unlock(&wal->lock);
}

static void move_bulk(struct gw_wal *wal)
{
    bool is_whole;
    int code = move_frames(wal, wal->db, SQLITE_CHECKPOINT_PASSIVE, &is_whole);
    bool is_synced = code != SQLITE_IOERR_FSYNC && sync_database(wal) == SQLITE_OK;
    end_pass(wal, is_synced ? PASS_DONE : PASS_NEVER);
}

static void *run_thread(void *self)
{
    struct gw_wal *wal = self;
    pthread_mutex_lock(&wal->lock);
    while (!wal->is_closing) {
        if (wal->pass != PASS_WANTED) {
            pthread_cond_wait(&wal->wake, &wal->lock);
            continue;
        }
        pthread_mutex_unlock(&wal->lock);
        move_bulk(wal);
        pthread_mutex_lock(&wal->lock);
    }
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}

struct gw_wal *gw_wal_create(sqlite3 *db, size_t wal_bytes, const struct gw_spine_metrics *metrics, struct gw_log *log)
{
    struct gw_wal *wal = gw_alloc(sizeof *wal);
    wal->db = db;
    wal->metrics = metrics;
    wal->log = log;
    pthread_mutex_init(&wal->lock, NULL);
    pthread_mutex_init(&wal->reading, NULL);
    pthread_cond_init(&wal->wake, NULL);
    /* Half of the log for the bulk, the other half to write on meanwhile. */
    wal->step = wal_bytes / GW_WAL_FRAME_BYTES / 2 + 1;
    wal->next = wal->step;
    wal->maximum = wal->step * 8;
    return wal;
}

int gw_wal_start(struct gw_wal *wal, struct gw_error *err)
{
    if (pthread_create(&wal->thread, NULL, run_thread, wal) != 0)
        return gw_error_set(err, GW_EIO, "spine_no_thread", "the spine's log thread cannot be started");
    wal->is_started = true;
    pthread_setname_np(wal->thread, "spine-wal");
    return GW_OK;
}

void gw_wal_destroy(struct gw_wal *wal)
{
    if (wal == NULL)
        return;
    pthread_mutex_lock(&wal->lock);
    wal->is_closing = true;
    pthread_mutex_unlock(&wal->lock);
    pthread_cond_broadcast(&wal->wake);
    if (wal->is_started)
        pthread_join(wal->thread, NULL);
    if (wal->pass == PASS_NEVER)
        sqlite3_db_config(wal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(wal->db);
    pthread_cond_destroy(&wal->wake);
    pthread_mutex_destroy(&wal->reading);
    pthread_mutex_destroy(&wal->lock);
    gw_free(wal);
}

/* ---- the writer's side -------------------------------------------------------------------------------------------------------------- */

static int on_commit(void *self, sqlite3 *db, const char *name, int frame_count)
{
    struct gw_wal *wal = self;
    (void)db;
    (void)name;
    wal->length = (size_t)frame_count;
    gw_metric_set(wal->metrics->wal_bytes, (int64_t)frame_count * GW_WAL_FRAME_BYTES);
    return SQLITE_OK;
}

void gw_wal_watch(struct gw_wal *wal, sqlite3 *writer_db) { sqlite3_wal_hook(writer_db, on_commit, wal); }

static enum pass ask_for_pass(struct gw_wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    enum pass before = wal->pass;
    if (before == PASS_IDLE)
        wal->pass = PASS_WANTED;
    pthread_mutex_unlock(&wal->lock);
    if (before == PASS_IDLE)
        pthread_cond_broadcast(&wal->wake);
    return before;
}

/* `reading` is held. */
static void move_rest(struct gw_wal *wal, sqlite3 *writer_db)
{
    bool is_whole;
    int code = move_frames(wal, writer_db, wal->is_tainted ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &is_whole);
    end_pass(wal, code == SQLITE_IOERR_FSYNC ? PASS_NEVER : PASS_IDLE);
    if (is_whole) {
        gw_metric_add(wal->metrics->checkpoints, 1);
        wal->is_tainted = wal->is_tainted && gw_scrub_pages(writer_db) != SQLITE_OK;
        wal->length = 0;
        wal->next = wal->step;
    } else {
        /* A full disk, or somebody else's connection: not again before there is more to move. */
        wal->next = wal->length + wal->step;
    }
}

void gw_wal_tend(struct gw_wal *wal, sqlite3 *writer_db)
{
    if (wal->length < wal->next || ask_for_pass(wal) != PASS_DONE)
        return;
    if (wal->length < wal->maximum) {
        if (pthread_mutex_trylock(&wal->reading) != 0)
            return;
    } else {
        pthread_mutex_lock(&wal->reading);
    }
    move_rest(wal, writer_db);
    pthread_mutex_unlock(&wal->reading);
}

bool gw_wal_scrub(struct gw_wal *wal, sqlite3 *writer_db)
{
    wal->is_tainted = true;
    pthread_mutex_lock(&wal->lock);
    while (wal->pass == PASS_WANTED) /* whether it comes to PASS_NEVER must be known */
        pthread_cond_wait(&wal->wake, &wal->lock);
    bool is_kept = wal->pass == PASS_NEVER;
    pthread_mutex_unlock(&wal->lock);
    if (!is_kept) {
        pthread_mutex_lock(&wal->reading);
        move_rest(wal, writer_db);
        pthread_mutex_unlock(&wal->reading);
    }
    return !wal->is_tainted;
}

void gw_wal_enter_read(struct gw_wal *wal) { pthread_mutex_lock(&wal->reading); }

void gw_wal_leave_read(struct gw_wal *wal) { pthread_mutex_unlock(&wal->reading); }
