#include "spine/memory/memory_spine.h"

#include <assert.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "spine/job.h"
#include "spine/memory/memory_faults.h"
#include "spine/memory/memory_store.h"

enum loss { LOSS_NONE, LOSS_STORED, LOSS_DROPPED };

struct held {
    struct held *next;
    struct gw_spine_job job;
};

struct gw_memory_spine {
    struct gw_spine port;
    pthread_mutex_t lock;
    struct gw_memory_store *store;
    int append_fault, read_fault;
    size_t append_faults, read_faults;
    enum loss loss;
    bool is_holding;
    struct held *oldest, **end;
    size_t held_count;
};

static bool is_write(const struct gw_spine_job *job)
{
    return job->kind == GW_SPINE_JOB_APPEND || job->kind == GW_SPINE_JOB_PUT || job->kind == GW_SPINE_JOB_ERASE;
}

/* Plays an ordered fault; false when there is none for this job. */
static bool play_fault(struct gw_memory_spine *spine, const struct gw_spine_job *job)
{
    if (job->kind == GW_SPINE_JOB_APPEND && spine->append_faults > 0) {
        spine->append_faults--;
        gw_spine_job_fail(job, spine->append_fault, "spine_fault", "ordered by the test");
        return true;
    }
    if (!is_write(job) && spine->read_faults > 0) {
        spine->read_faults--;
        gw_spine_job_fail(job, spine->read_fault, "spine_fault", "ordered by the test");
        return true;
    }
    if (job->kind != GW_SPINE_JOB_APPEND || spine->loss == LOSS_NONE)
        return false;
    if (spine->loss == LOSS_STORED)
        gw_memory_store_execute(spine->store, job);
    spine->loss = LOSS_NONE;
    gw_spine_job_fail(job, GW_EUNKNOWN_OUTCOME, "spine_unknown_outcome", "ordered by the test");
    return true;
}

static void submit(struct gw_memory_spine *spine, const struct gw_spine_job *job)
{
    pthread_mutex_lock(&spine->lock);
    if (!play_fault(spine, job))
        gw_memory_store_execute(spine->store, job);
    bool is_held = spine->is_holding && is_write(job);
    if (is_held) {
        struct held *held = gw_alloc(sizeof *held);
        held->job = *job;
        *spine->end = held;
        spine->end = &held->next;
        spine->held_count++;
    } else {
        /* Under the lock, so that completions of one run are posted in the order in which they took effect. */
        gw_spine_job_complete(job);
    }
    pthread_mutex_unlock(&spine->lock);
}

static void port_append(void *self, struct gw_spine_append *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_append(&job, request);
    submit(self, &job);
}

static void port_put(void *self, struct gw_spine_put *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_put(&job, request);
    submit(self, &job);
}

static void port_read(void *self, struct gw_spine_read *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_read(&job, request);
    submit(self, &job);
}

static void port_tail(void *self, struct gw_spine_tail *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_tail(&job, request);
    submit(self, &job);
}

static void port_get(void *self, struct gw_spine_get *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_get(&job, request);
    submit(self, &job);
}

static void port_erase(void *self, struct gw_spine_erase *request)
{
    struct gw_spine_job job;
    gw_spine_job_of_erase(&job, request);
    submit(self, &job);
}

struct gw_memory_spine *gw_memory_spine_create(const struct gw_clock *clock, size_t max_bytes)
{
    struct gw_memory_spine *spine = gw_alloc(sizeof *spine);
    uint8_t seed[16];
    clock->random(clock->self, seed, sizeof seed);
    pthread_mutex_init(&spine->lock, NULL);
    spine->store = gw_memory_store_create(seed, max_bytes);
    spine->end = &spine->oldest;
    spine->port = (struct gw_spine){spine, port_append, port_read, port_tail, port_put, port_get, port_erase};
    return spine;
}

void gw_memory_spine_destroy(struct gw_memory_spine *spine)
{
    if (spine == NULL)
        return;
    assert(spine->held_count == 0);
    gw_memory_store_destroy(spine->store);
    pthread_mutex_destroy(&spine->lock);
    gw_free(spine);
}

const struct gw_spine *gw_memory_spine_port(const struct gw_memory_spine *spine) { return &spine->port; }

/* ---- faults ------------------------------------------------------------------------------------------------------------------------- */

void gw_memory_spine_fail_appends(struct gw_memory_spine *spine, int status, size_t count)
{
    pthread_mutex_lock(&spine->lock);
    spine->append_fault = status;
    spine->append_faults = count;
    pthread_mutex_unlock(&spine->lock);
}

void gw_memory_spine_lose_append(struct gw_memory_spine *spine, bool is_stored)
{
    pthread_mutex_lock(&spine->lock);
    spine->loss = is_stored ? LOSS_STORED : LOSS_DROPPED;
    pthread_mutex_unlock(&spine->lock);
}

void gw_memory_spine_fail_reads(struct gw_memory_spine *spine, int status, size_t count)
{
    pthread_mutex_lock(&spine->lock);
    spine->read_fault = status;
    spine->read_faults = count;
    pthread_mutex_unlock(&spine->lock);
}

void gw_memory_spine_hold(struct gw_memory_spine *spine)
{
    pthread_mutex_lock(&spine->lock);
    spine->is_holding = true;
    pthread_mutex_unlock(&spine->lock);
}

size_t gw_memory_spine_release(struct gw_memory_spine *spine, size_t count)
{
    size_t released = 0;
    pthread_mutex_lock(&spine->lock);
    spine->is_holding = spine->is_holding && count != SIZE_MAX;
    for (; spine->oldest != NULL && released < count; released++) {
        struct held *held = spine->oldest;
        spine->oldest = held->next;
        gw_spine_job_complete(&held->job);
        gw_free(held);
    }
    if (spine->oldest == NULL)
        spine->end = &spine->oldest;
    spine->held_count -= released;
    pthread_mutex_unlock(&spine->lock);
    return released;
}

size_t gw_memory_spine_held_count(struct gw_memory_spine *spine)
{
    pthread_mutex_lock(&spine->lock);
    size_t count = spine->held_count;
    pthread_mutex_unlock(&spine->lock);
    return count;
}
