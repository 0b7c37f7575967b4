#include "spine/sqlite/work_queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"

struct gw_work_queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct gw_spine_job *slots;
    size_t max_count, max_bytes;
    size_t head, count, bytes;
    bool is_closed;
};

struct gw_work_queue *gw_work_queue_create(size_t max_count, size_t max_bytes)
{
    struct gw_work_queue *queue = gw_alloc(sizeof *queue);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->wake, NULL);
    queue->slots = gw_alloc_array(max_count, sizeof *queue->slots);
    queue->max_count = max_count;
    queue->max_bytes = max_bytes;
    return queue;
}

void gw_work_queue_destroy(struct gw_work_queue *queue)
{
    if (queue == NULL)
        return;
    assert(queue->count == 0);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
    gw_free(queue->slots);
    gw_free(queue);
}

static bool has_room(const struct gw_work_queue *queue, size_t bytes)
{
    if (queue->count == queue->max_count)
        return false;
    return queue->count == 0 || (queue->bytes <= queue->max_bytes && bytes <= queue->max_bytes - queue->bytes);
}

int gw_work_queue_push(struct gw_work_queue *queue, const struct gw_spine_job *job)
{
    int result = GW_OK;
    pthread_mutex_lock(&queue->lock);
    if (queue->is_closed)
        result = GW_ECLOSED;
    else if (!has_room(queue, job->bytes))
        result = GW_EBUSY;
    if (result == GW_OK) {
        queue->slots[(queue->head + queue->count) % queue->max_count] = *job;
        queue->count++;
        queue->bytes += job->bytes;
    }
    bool is_first = queue->count == 1;
    pthread_mutex_unlock(&queue->lock);
    /* The taker empties the queue or finds it non-empty, so only the first job can meet it asleep. */
    if (result == GW_OK && is_first)
        pthread_cond_signal(&queue->wake);
    return result;
}

size_t gw_work_queue_take(struct gw_work_queue *queue, struct gw_spine_job *out, size_t max_count, size_t max_bytes)
{
    size_t taken = 0, bytes = 0;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->is_closed)
        pthread_cond_wait(&queue->wake, &queue->lock);
    while (taken < max_count && queue->count > 0) {
        const struct gw_spine_job *job = &queue->slots[queue->head];
        if (taken > 0 && job->bytes > max_bytes - bytes)
            break;
        out[taken++] = *job;
        bytes = job->bytes > max_bytes - bytes ? max_bytes : bytes + job->bytes;
        queue->bytes -= job->bytes;
        queue->head = (queue->head + 1) % queue->max_count;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void gw_work_queue_close(struct gw_work_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->wake);
}
