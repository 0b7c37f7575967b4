/* hub_writer.h — commands and reads of a world: made from JSON text, sent, and kept with their outcomes until the spec has looked at them. */
#ifndef GW_SPEC_HUB_WRITER_H
#define GW_SPEC_HUB_WRITER_H

#include "hub/hub.h"
#include "support/hub_world.h"

/* A batch that was sent; `done` counts once it is answered. */
struct world_batch {
    struct gw_submission submission; /* first */
    struct world_batch *older;       /* the spec's */
    bool is_done;
};

/* Makes a batch of `count` commands of the run. Each text holds the members but for the scope: "\"command_id\":\"x\",\"type\":…". `flags`: "a" atomic, "d" dry
 * run. The actor is a user. */
struct world_batch *world_prepare(struct world *world, const char *run_id, const char *flags, const char *actor, const char *const *texts,
                                  size_t count);
/* Sends it from a worker. */
void world_send(struct world *world, struct world_batch *batch, size_t node, size_t worker);
/* Both. */
struct world_batch *world_submit(struct world *world, size_t node, size_t worker, const char *run_id, const char *flags, const char *actor,
                                 const char *const *texts, size_t count);
/* One command of ann from worker 0 of node 0, settled. */
struct world_batch *world_do(struct world *world, const char *run_id, const char *text);
/* As world_do, and it must have been committed; frees it. */
void world_must(struct world *world, const char *run_id, const char *text);
void world_batch_destroy(struct world_batch *batch);
/* Of one command of an answered batch: its answer, or NULL; and the id of its error, or "". */
const char *world_answer(const struct world_batch *batch, size_t index);
const char *world_refusal(const struct world_batch *batch, size_t index);

/* A read, settled; the caller finishes it with gw_read_fini. */
void world_get(struct world *world, enum gw_read_kind kind, const char *run_id, size_t plan, const char *cursor, struct gw_read *out);

#define WORLD_MOUNT(id)                                                                                                                    \
    "\"command_id\":\"mount-" id "\",\"type\":\"canvas.mount\",\"canvas_id\":\"" id "\",\"args\":{\"canvas_type\":\"planning\"}"

#endif
