#include "spine/sqlite/reader.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "spine/sqlite/row_reader.h"
#include "spine/sqlite/wal.h"
#include "spine/sqlite/work_queue.h"

struct gw_reader {
    struct gw_work_queue *queue;
    struct gw_row_reader *rows;
    struct gw_wal *wal;
    pthread_t thread;
    bool is_started;
};

static void *run_thread(void *self)
{
    struct gw_reader *reader = self;
    struct gw_spine_job job;
    while (gw_work_queue_take(reader->queue, &job, 1, 0) > 0) {
        gw_wal_enter_read(reader->wal);
        gw_row_reader_execute(reader->rows, &job);
        gw_wal_leave_read(reader->wal);
        gw_spine_job_complete(&job);
    }
    return NULL;
}

int gw_reader_create(sqlite3 *db, size_t max_queued_requests, struct gw_wal *wal, struct gw_reader **out, struct gw_error *err)
{
    struct gw_row_reader *rows;
    if (gw_row_reader_create(db, &rows, err) != GW_OK)
        return err->code;
    struct gw_reader *reader = gw_alloc(sizeof *reader);
    reader->rows = rows;
    reader->wal = wal;
    reader->queue = gw_work_queue_create(max_queued_requests, SIZE_MAX);
    *out = reader;
    return GW_OK;
}

int gw_reader_start(struct gw_reader *reader, struct gw_error *err)
{
    if (pthread_create(&reader->thread, NULL, run_thread, reader) != 0)
        return gw_error_set(err, GW_EIO, "spine_no_thread", "the spine's reader thread cannot be started");
    reader->is_started = true;
    pthread_setname_np(reader->thread, "spine-reader");
    return GW_OK;
}

bool gw_reader_submit(struct gw_reader *reader, const struct gw_spine_job *job)
{
    int result = gw_work_queue_push(reader->queue, job);
    if (result == GW_OK)
        return true;
    if (result == GW_EBUSY)
        gw_spine_job_fail(job, GW_EBUSY, "spine_busy", "too many reads wait for the spine");
    else
        gw_spine_job_fail(job, GW_ECLOSED, "spine_closed", "the spine is closing");
    gw_spine_job_complete(job);
    return false;
}

void gw_reader_stop(struct gw_reader *reader)
{
    gw_work_queue_close(reader->queue);
    if (reader->is_started)
        pthread_join(reader->thread, NULL);
    reader->is_started = false;
}

void gw_reader_destroy(struct gw_reader *reader)
{
    if (reader == NULL)
        return;
    gw_reader_stop(reader);
    gw_work_queue_destroy(reader->queue);
    gw_row_reader_destroy(reader->rows);
    gw_free(reader);
}
