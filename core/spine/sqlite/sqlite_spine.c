#include "spine/sqlite/sqlite_spine.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/metrics.h"
#include "spine/job.h"
#include "spine/sqlite/database.h"
#include "spine/sqlite/reader.h"
#include "spine/sqlite/spine_metrics.h"
#include "spine/sqlite/wal.h"
#include "spine/sqlite/wal_vfs.h"
#include "spine/sqlite/writer.h"

enum { MAX_QUEUED_REQUESTS = 16384, MAX_QUEUED_BYTES = 64 * 1024 * 1024, WAL_BYTES = 16 * 1024 * 1024 };
enum { WRITER_CACHE_KIB = 16384, READER_CACHE_KIB = 8192, WAL_CACHE_KIB = 64 };

struct gw_sqlite_spine {
    struct gw_spine port;
    struct gw_spine_metrics metrics;
    char *path;
    int lock_fd;
    struct gw_wal_vfs *vfs; /* the writer's */
    struct gw_wal *wal;
    struct gw_writer *writer;
    struct gw_reader *reader;
};

/* ---- the port ----------------------------------------------------------------------------------------------------------------------- */

static void port_append(void *self, struct gw_spine_append *request)
{
    struct gw_sqlite_spine *spine = self;
    struct gw_spine_job job;
    gw_spine_job_of_append(&job, request);
    gw_writer_submit(spine->writer, &job);
}

static void port_put(void *self, struct gw_spine_put *request)
{
    struct gw_sqlite_spine *spine = self;
    struct gw_spine_job job;
    gw_spine_job_of_put(&job, request);
    gw_writer_submit(spine->writer, &job);
}

static void port_erase(void *self, struct gw_spine_erase *request)
{
    struct gw_sqlite_spine *spine = self;
    struct gw_spine_job job;
    gw_spine_job_of_erase(&job, request);
    gw_writer_submit(spine->writer, &job);
}

static void submit_read(struct gw_sqlite_spine *spine, const struct gw_spine_job *job)
{
    if (!gw_reader_submit(spine->reader, job))
        gw_metric_add(spine->metrics.refusals, 1);
}

static void port_read(void *self, struct gw_spine_read *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_read(&job, request);
    submit_read(self, &job);
}

static void port_tail(void *self, struct gw_spine_tail *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_tail(&job, request);
    submit_read(self, &job);
}

static void port_get(void *self, struct gw_spine_get *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_get(&job, request);
    submit_read(self, &job);
}

const struct gw_spine *gw_sqlite_spine_port(const struct gw_sqlite_spine *spine) { return &spine->port; }

/* ---- wiring ------------------------------------------------------------------------------------------------------------------------- */

static void apply_defaults(struct gw_sqlite_spine_opts *opts)
{
    if (opts->max_queued_requests == 0)
        opts->max_queued_requests = MAX_QUEUED_REQUESTS;
    if (opts->max_queued_bytes == 0)
        opts->max_queued_bytes = MAX_QUEUED_BYTES;
    if (opts->wal_bytes == 0)
        opts->wal_bytes = WAL_BYTES;
}

static struct gw_database_opts database_opts(const struct gw_sqlite_spine *spine, size_t wal_bytes, int cache_kib)
{
    return (struct gw_database_opts){.path = spine->path, .vfs = NULL, .wal_bytes = wal_bytes, .cache_kib = cache_kib};
}

static int make_wal(struct gw_sqlite_spine *spine, const struct gw_sqlite_spine_opts *opts, struct gw_error *err)
{
    struct gw_database_opts database = database_opts(spine, opts->wal_bytes, WAL_CACHE_KIB);
    sqlite3 *db;
    if (gw_database_connect(&database, &db, err) != GW_OK)
        return err->code;
    spine->wal = gw_wal_create(db, opts->wal_bytes, &spine->metrics, opts->log);
    return GW_OK;
}

/* The first of the three: it makes the files. Its log is tended by the second. */
static int make_writer(struct gw_sqlite_spine *spine, const struct gw_sqlite_spine_opts *opts, struct gw_error *err)
{
    struct gw_writer_opts writer_opts = {.database = database_opts(spine, opts->wal_bytes, WRITER_CACHE_KIB),
                                         .max_queued_requests = opts->max_queued_requests,
                                         .max_queued_bytes = opts->max_queued_bytes,
                                         .clock = opts->clock,
                                         .metrics = &spine->metrics,
                                         .log = opts->log};
    sqlite3 *db;
    spine->vfs = gw_wal_vfs_create();
    writer_opts.database.vfs = gw_wal_vfs_name(spine->vfs);
    if (gw_database_start(&writer_opts.database, opts->log, &spine->lock_fd, &db, err) != GW_OK)
        return err->code;
    if (make_wal(spine, opts, err) != GW_OK) {
        sqlite3_close(db);
        return err->code;
    }
    writer_opts.wal = spine->wal;
    writer_opts.vfs = spine->vfs;
    return gw_writer_create(&writer_opts, db, &spine->writer, err);
}

static int make_reader(struct gw_sqlite_spine *spine, const struct gw_sqlite_spine_opts *opts, struct gw_error *err)
{
    struct gw_database_opts database = database_opts(spine, opts->wal_bytes, READER_CACHE_KIB);
    sqlite3 *db;
    if (gw_database_connect(&database, &db, err) != GW_OK)
        return err->code;
    return gw_reader_create(db, opts->max_queued_requests, spine->wal, &spine->reader, err);
}

/* Signals are for the main thread: these inherit a mask that blocks them all. */
static int start_threads(struct gw_sqlite_spine *spine, struct gw_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = gw_wal_start(spine->wal, err);
    if (result == GW_OK)
        result = gw_writer_start(spine->writer, err);
    if (result == GW_OK)
        result = gw_reader_start(spine->reader, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static int build(struct gw_sqlite_spine *spine, const struct gw_sqlite_spine_opts *opts, struct gw_error *err)
{
    if (make_writer(spine, opts, err) != GW_OK || make_reader(spine, opts, err) != GW_OK)
        return err->code;
    return start_threads(spine, err);
}

int gw_sqlite_spine_create(const struct gw_sqlite_spine_opts *opts, struct gw_sqlite_spine **out, struct gw_error *err)
{
    struct gw_sqlite_spine_opts complete = *opts;
    apply_defaults(&complete);
    struct gw_sqlite_spine *spine = gw_alloc(sizeof *spine);
    spine->port = (struct gw_spine){spine, port_append, port_read, port_tail, port_put, port_get, port_erase};
    spine->path = gw_strdup(opts->path);
    spine->lock_fd = -1;
    gw_spine_metrics_init(&spine->metrics, opts->metrics);
    if (build(spine, &complete, err) != GW_OK) {
        gw_sqlite_spine_destroy(spine);
        return err->code;
    }
    *out = spine;
    return GW_OK;
}

void gw_sqlite_spine_destroy(struct gw_sqlite_spine *spine)
{
    if (spine == NULL)
        return;
    /* Both threads end before either is freed: what they complete may still submit. */
    if (spine->writer != NULL)
        gw_writer_stop(spine->writer);
    if (spine->reader != NULL)
        gw_reader_stop(spine->reader);
    gw_writer_destroy(spine->writer);
    gw_reader_destroy(spine->reader);
    gw_wal_destroy(spine->wal);
    gw_wal_vfs_destroy(spine->vfs);
    if (spine->lock_fd >= 0)
        close(spine->lock_fd);
    gw_free(spine->path);
    gw_free(spine);
}
