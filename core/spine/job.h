/* job.h — a request of the spine port, seen alike whatever its kind: what a driver queues, carries out and completes. A value that borrows
 * the request, which stays the caller's and may be gone once the job is completed. Any thread, one at a time. */
#ifndef GW_SPINE_JOB_H
#define GW_SPINE_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "hub/ports.h"

enum gw_spine_job_kind {
    GW_SPINE_JOB_APPEND,
    GW_SPINE_JOB_PUT,
    GW_SPINE_JOB_READ,
    GW_SPINE_JOB_TAIL,
    GW_SPINE_JOB_GET,
    GW_SPINE_JOB_ERASE
};

/* value */
struct gw_spine_job {
    enum gw_spine_job_kind kind;
    union {
        struct gw_spine_append *append;
        struct gw_spine_put *put;
        struct gw_spine_read *read;
        struct gw_spine_tail *tail;
        struct gw_spine_get *get;
        struct gw_spine_erase *erase;
    } request;
    const struct gw_run_key *run;
    struct gw_task *task;
    struct gw_executor *home;
    int *status;
    struct gw_error *err;
    size_t bytes; /* that the request brings along to be stored */
    uint64_t submitted_ns;
};

/* Each makes the job of a request and clears the request's outputs. */
void gw_spine_job_of_append(struct gw_spine_job *job, struct gw_spine_append *request);
void gw_spine_job_of_put(struct gw_spine_job *job, struct gw_spine_put *request);
void gw_spine_job_of_read(struct gw_spine_job *job, struct gw_spine_read *request);
void gw_spine_job_of_tail(struct gw_spine_job *job, struct gw_spine_tail *request);
void gw_spine_job_of_get(struct gw_spine_job *job, struct gw_spine_get *request);
void gw_spine_job_of_erase(struct gw_spine_job *job, struct gw_spine_erase *request);

/* Answers `code` for this job: fills status and err, returns `code`. */
int gw_spine_job_fail(const struct gw_spine_job *job, int code, const char *id, const char *message);
/* Whether the request is one that can be stored: seqs in [1, INT64_MAX] and ascending, at least one chunk. Fails the job if not. */
int gw_spine_job_check(const struct gw_spine_job *job);
/* Posts the request's `done` to its home. */
void gw_spine_job_complete(const struct gw_spine_job *job);

#endif
