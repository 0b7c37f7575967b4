#include "spine/job.h"

/* The port gives each request its own type; a task finds its way back to it. */
#define REQUEST_OF(type, task_pointer) ((type *)(void *)((char *)(task_pointer)-offsetof(type, task)))

static void on_append_done(struct gw_task *task)
{
    struct gw_spine_append *request = REQUEST_OF(struct gw_spine_append, task);
    request->done(request);
}

static void on_put_done(struct gw_task *task)
{
    struct gw_spine_put *request = REQUEST_OF(struct gw_spine_put, task);
    request->done(request);
}

static void on_read_done(struct gw_task *task)
{
    struct gw_spine_read *request = REQUEST_OF(struct gw_spine_read, task);
    request->done(request);
}

static void on_tail_done(struct gw_task *task)
{
    struct gw_spine_tail *request = REQUEST_OF(struct gw_spine_tail, task);
    request->done(request);
}

static void on_get_done(struct gw_task *task)
{
    struct gw_spine_get *request = REQUEST_OF(struct gw_spine_get, task);
    request->done(request);
}

static void on_erase_done(struct gw_task *task)
{
    struct gw_spine_erase *request = REQUEST_OF(struct gw_spine_erase, task);
    request->done(request);
}

/* What all kinds have in common, by the same member names. */
#define FILL_COMMON(job, req, on_done)                                                                                                     \
    do {                                                                                                                                   \
        (job)->run = &(req)->run;                                                                                                          \
        (job)->task = &(req)->task;                                                                                                        \
        (job)->home = (req)->home;                                                                                                         \
        (job)->status = &(req)->status;                                                                                                    \
        (job)->err = &(req)->err;                                                                                                          \
        (job)->bytes = 0;                                                                                                                  \
        (job)->submitted_ns = 0;                                                                                                           \
        (req)->status = GW_OK;                                                                                                             \
        (req)->err.code = GW_OK;                                                                                                           \
        (req)->task.run = (on_done);                                                                                                       \
        (req)->task.next = NULL;                                                                                                           \
    } while (0)

void gw_spine_job_of_append(struct gw_spine_job *job, struct gw_spine_append *request)
{
    FILL_COMMON(job, request, on_append_done);
    job->kind = GW_SPINE_JOB_APPEND;
    job->request.append = request;
    job->bytes = request->payload_length;
}

void gw_spine_job_of_put(struct gw_spine_job *job, struct gw_spine_put *request)
{
    FILL_COMMON(job, request, on_put_done);
    job->kind = GW_SPINE_JOB_PUT;
    job->request.put = request;
    for (size_t i = 0; i < request->chunk_count; i++)
        job->bytes += request->lengths[i];
}

void gw_spine_job_of_read(struct gw_spine_job *job, struct gw_spine_read *request)
{
    FILL_COMMON(job, request, on_read_done);
    job->kind = GW_SPINE_JOB_READ;
    job->request.read = request;
    request->records = NULL;
    request->record_count = 0;
}

void gw_spine_job_of_tail(struct gw_spine_job *job, struct gw_spine_tail *request)
{
    FILL_COMMON(job, request, on_tail_done);
    job->kind = GW_SPINE_JOB_TAIL;
    job->request.tail = request;
    request->tail_seq = 0;
    request->floor_seq = 1;
}

void gw_spine_job_of_get(struct gw_spine_job *job, struct gw_spine_get *request)
{
    FILL_COMMON(job, request, on_get_done);
    job->kind = GW_SPINE_JOB_GET;
    job->request.get = request;
    request->seq = 0;
    request->chunks = NULL;
    request->lengths = NULL;
    request->chunk_count = 0;
}

void gw_spine_job_of_erase(struct gw_spine_job *job, struct gw_spine_erase *request)
{
    FILL_COMMON(job, request, on_erase_done);
    job->kind = GW_SPINE_JOB_ERASE;
    job->request.erase = request;
    for (size_t i = 0; i < request->kept_count; i++)
        for (size_t j = 0; j < request->kept[i].chunk_count; j++)
            job->bytes += request->kept[i].lengths[j];
}

int gw_spine_job_fail(const struct gw_spine_job *job, int code, const char *id, const char *message)
{
    *job->status = gw_error_set(job->err, code, id, "%s", message);
    return code;
}

int gw_spine_job_check(const struct gw_spine_job *job)
{
    if (job->kind == GW_SPINE_JOB_APPEND) {
        const struct gw_spine_append *append = job->request.append;
        if (append->first_seq < 1 || append->first_seq > append->last_seq || append->last_seq > INT64_MAX)
            return gw_spine_job_fail(job, GW_EINVAL, "spine_bad_seq", "a record needs ascending seqs from 1");
    } else if (job->kind == GW_SPINE_JOB_PUT) {
        const struct gw_spine_put *put = job->request.put;
        if (put->chunk_count == 0 || put->seq > INT64_MAX)
            return gw_spine_job_fail(job, GW_EINVAL, "spine_bad_blob", "a blob needs a seq and at least one chunk");
    } else if (job->kind == GW_SPINE_JOB_ERASE) {
        const struct gw_spine_erase *erase = job->request.erase;
        for (size_t i = 0; i < erase->kept_count; i++)
            if (erase->floor_seq == 0 || erase->kept[i].chunk_count == 0)
                return gw_spine_job_fail(job, GW_EINVAL, "spine_bad_blob", "what is kept needs a floor and at least one chunk");
    }
    return GW_OK;
}

void gw_spine_job_complete(const struct gw_spine_job *job) { job->home->post(job->home->self, job->task); }
