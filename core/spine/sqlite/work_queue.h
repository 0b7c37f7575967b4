/* work_queue.h — the bounded queue before a thread of the SQLite driver. Owns its slots, not the requests. Any thread pushes, one thread
 * takes. Overflow: a push is refused. */
#ifndef GW_SPINE_WORK_QUEUE_H
#define GW_SPINE_WORK_QUEUE_H

#include <stddef.h>

#include "spine/job.h"

struct gw_work_queue;

struct gw_work_queue *gw_work_queue_create(size_t max_count, size_t max_bytes);
void gw_work_queue_destroy(struct gw_work_queue *queue); /* must be empty */
/* GW_EBUSY: full, by count or by bytes (a single job is never too big); GW_ECLOSED: closed. */
int gw_work_queue_push(struct gw_work_queue *queue, const struct gw_spine_job *job);
/* Waits for work and takes the oldest jobs: at most max_count, and while their bytes stay within max_bytes (at least one). 0: closed and
 * empty. */
size_t gw_work_queue_take(struct gw_work_queue *queue, struct gw_spine_job *out, size_t max_count, size_t max_bytes);
/* Ends the pushing; what is queued is still taken. */
void gw_work_queue_close(struct gw_work_queue *queue);

#endif
