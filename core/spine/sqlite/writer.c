#include "spine/sqlite/writer.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "spine/sqlite/database.h"
#include "spine/sqlite/row_writer.h"
#include "spine/sqlite/spine_metrics.h"
#include "spine/sqlite/wal.h"
#include "spine/sqlite/wal_vfs.h"
#include "spine/sqlite/work_queue.h"

/* What one transaction takes: bounds how long the first job of a group waits for the last. */
enum { MAX_GROUP_JOBS = 4096, MAX_GROUP_BYTES = 4 * 1024 * 1024 };

struct gw_writer {
    struct gw_writer_opts opts;
    struct gw_work_queue *queue;
    pthread_t thread;
    bool is_started;
    /* The thread's: */
    struct gw_row_writer *rows; /* NULL: the connection is to be opened again */
    uint8_t seed[16];
    bool is_failing;
    struct gw_spine_job group[MAX_GROUP_JOBS];
};

static uint64_t now_ns(const struct gw_writer *writer) { return writer->opts.clock->monotonic_ns(writer->opts.clock->self); }

/* ---- failure and recovery ----------------------------------------------------------------------------------------------------------- */

static int adopt(struct gw_writer *writer, sqlite3 *db, struct gw_error *err)
{
    gw_wal_watch(writer->opts.wal, db);
    return gw_row_writer_create(db, writer->seed, &writer->rows, err);
}

static int open_again(struct gw_writer *writer, struct gw_error *err)
{
    sqlite3 *db;
    if (gw_database_connect(&writer->opts.database, &db, err) != GW_OK)
        return err->code;
    return adopt(writer, db, err);
}

/* One line when it begins and one when it ends: a full disk must not fill the log. */
static void report(struct gw_writer *writer, const struct gw_error *failure)
{
    if (writer->is_failing == (failure != NULL))
        return;
    writer->is_failing = failure != NULL;
    if (writer->opts.log == NULL)
        return;
    if (failure != NULL)
        gw_log_write(writer->opts.log, GW_LOG_ERROR, "spine_refuses",
                     (struct gw_log_field[]){GW_F_TEXT("code", failure->id), GW_F_TEXT("reason", failure->message), GW_F_END});
    else
        gw_log_write(writer->opts.log, GW_LOG_INFO, "spine_recovered", NULL);
}

/* The jobs are refused, so none of them may come back with the next recovery. */
static void revoke_group(struct gw_writer *writer)
{
    if (gw_wal_vfs_revoke(writer->opts.vfs) != GW_OK && writer->opts.log != NULL)
        gw_log_write(writer->opts.log, GW_LOG_ERROR, "spine_not_revoked",
                     (struct gw_log_field[]){GW_F_TEXT("reason", "what was refused may be found after a restart"), GW_F_END});
}

/* The connection goes with the group, whatever state the failure left it in: the next group begins with a new one. */
static void fail_group(struct gw_writer *writer, size_t count, const struct gw_error *failure)
{
    revoke_group(writer);
    gw_row_writer_destroy(writer->rows);
    writer->rows = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct gw_spine_job *job = &writer->group[i];
        if (*job->status != GW_OK)
            continue;
        gw_spine_job_fail(job, GW_EIO, failure->id, failure->message);
        gw_metric_add(writer->opts.metrics->failures, 1);
    }
    report(writer, failure);
}

/* Before it is answered that something is erased, no file holds it. */
static void scrub(struct gw_writer *writer)
{
    bool is_clean = gw_wal_scrub(writer->opts.wal, gw_row_writer_peek_db(writer->rows));
    gw_database_extend_wal(&writer->opts.database, writer->opts.log);
    if (!is_clean && writer->opts.log != NULL)
        gw_log_write(writer->opts.log, GW_LOG_WARN, "spine_not_scrubbed",
                     (struct gw_log_field[]){GW_F_TEXT("reason", "what was erased may stand in the database's files yet"), GW_F_END});
}

/* ---- groups ------------------------------------------------------------------------------------------------------------------------- */

static int store_group(struct gw_writer *writer, size_t count, struct gw_error *err)
{
    if (writer->rows == NULL && open_again(writer, err) != GW_OK)
        return err->code;
    gw_wal_vfs_settle(writer->opts.vfs);
    if (gw_row_writer_begin(writer->rows, err) != GW_OK)
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (gw_row_writer_apply(writer->rows, &writer->group[i], err) != GW_OK)
            return err->code;
    bool has_synced;
    uint64_t start = now_ns(writer);
    if (gw_row_writer_commit(writer->rows, &has_synced, err) != GW_OK)
        return err->code;
    if (has_synced) {
        gw_metric_add(writer->opts.metrics->syncs, 1);
        gw_metric_observe_ns(writer->opts.metrics->sync_seconds, now_ns(writer) - start);
    }
    if (gw_row_writer_has_erased(writer->rows))
        scrub(writer);
    return GW_OK;
}

/* Before a job is completed: afterwards its request is the caller's again. */
static void count_job(const struct gw_writer *writer, const struct gw_spine_job *job, uint64_t now)
{
    const struct gw_spine_metrics *metrics = writer->opts.metrics;
    if (job->kind != GW_SPINE_JOB_APPEND)
        return;
    if (*job->status == GW_ECONFLICT)
        gw_metric_add(metrics->conflicts, 1);
    if (*job->status != GW_OK)
        return;
    gw_metric_add(metrics->appends, 1);
    gw_metric_observe_ns(metrics->append_seconds, now - job->submitted_ns);
}

static void complete_group(struct gw_writer *writer, size_t count)
{
    uint64_t now = now_ns(writer);
    for (size_t i = 0; i < count; i++) {
        count_job(writer, &writer->group[i], now);
        gw_spine_job_complete(&writer->group[i]);
    }
    gw_spine_metrics_count_group(writer->opts.metrics, count);
}

static void *run_thread(void *self)
{
    struct gw_writer *writer = self;
    size_t count;
    while ((count = gw_work_queue_take(writer->queue, writer->group, MAX_GROUP_JOBS, MAX_GROUP_BYTES)) > 0) {
        struct gw_error err;
        if (store_group(writer, count, &err) == GW_OK)
            report(writer, NULL);
        else
            fail_group(writer, count, &err);
        complete_group(writer, count);
        if (writer->rows != NULL)
            gw_wal_tend(writer->opts.wal, gw_row_writer_peek_db(writer->rows));
    }
    return NULL;
}

/* ---- outside ------------------------------------------------------------------------------------------------------------------------ */

int gw_writer_create(const struct gw_writer_opts *opts, sqlite3 *db, struct gw_writer **out, struct gw_error *err)
{
    struct gw_writer *writer = gw_alloc(sizeof *writer);
    writer->opts = *opts;
    opts->clock->random(opts->clock->self, writer->seed, sizeof writer->seed);
    if (adopt(writer, db, err) != GW_OK) {
        gw_free(writer);
        return err->code;
    }
    writer->queue = gw_work_queue_create(opts->max_queued_requests, opts->max_queued_bytes);
    *out = writer;
    return GW_OK;
}

int gw_writer_start(struct gw_writer *writer, struct gw_error *err)
{
    if (pthread_create(&writer->thread, NULL, run_thread, writer) != 0)
        return gw_error_set(err, GW_EIO, "spine_no_thread", "the spine's writer thread cannot be started");
    writer->is_started = true;
    pthread_setname_np(writer->thread, "spine-writer");
    return GW_OK;
}

void gw_writer_submit(struct gw_writer *writer, struct gw_spine_job *job)
{
    job->submitted_ns = now_ns(writer);
    int result = gw_work_queue_push(writer->queue, job);
    if (result == GW_OK)
        return;
    gw_metric_add(writer->opts.metrics->refusals, 1);
    if (result == GW_EBUSY)
        gw_spine_job_fail(job, GW_EBUSY, "spine_busy", "too many requests wait for the spine");
    else
        gw_spine_job_fail(job, GW_ECLOSED, "spine_closed", "the spine is closing");
    gw_spine_job_complete(job);
}

void gw_writer_stop(struct gw_writer *writer)
{
    gw_work_queue_close(writer->queue);
    if (writer->is_started)
        pthread_join(writer->thread, NULL);
    writer->is_started = false;
}

void gw_writer_destroy(struct gw_writer *writer)
{
    if (writer == NULL)
        return;
    gw_writer_stop(writer);
    gw_work_queue_destroy(writer->queue);
    gw_row_writer_destroy(writer->rows);
    gw_free(writer);
}
