/* hub_world.h — a small deterministic world for the hub: one or two processes ("nodes") of several workers each over one memory spine, all in one thread. Tasks, loop
 * turns, requests to the spine and whatever else acts are carried out one at a time in an order that a seed chooses; only what one thread
 * posts to another stays in order. Time stands still but for world_tick. Same seed, same history. */
#ifndef GW_SPEC_HUB_WORLD_H
#define GW_SPEC_HUB_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/task.h"
#include "hub/hub.h"
#include "hub/plan.h"

#define WORLD_NODES   2
#define WORLD_WORKERS 4
#define WORLD_THREADS (WORLD_NODES * WORLD_WORKERS + 2) /* the spine's and the spec's own come last */
#define WORLD_PLANS   3

struct gw_memory_spine;
struct world;
struct world_cut;
struct world_op;

/* Something that may act of itself; one of those that can is chosen now and then. */
struct world_actor {
    bool (*can_act)(struct world_actor *actor);
    void (*act)(struct world_actor *actor);
    struct world_actor *next;
};

/* value: how many of a thousand requests go wrong, and how */
struct world_faults {
    unsigned append_refused;        /* GW_EIO or GW_EBUSY, nothing stored */
    unsigned append_unknown_stored; /* GW_EUNKNOWN_OUTCOME, and it is there */
    unsigned append_unknown_lost;   /* … and it never will be */
    unsigned append_unknown_late;   /* … and it arrives some time later */
    unsigned foreign;               /* another writer appends first */
    unsigned read_failed, put_failed;
};

struct world_worker {
    struct gw_hub *hub;
    bool needs_turn;
};

struct world {
    uint64_t random, now_ms;
    struct gw_clock clock;
    struct gw_memory_spine *memory;
    struct gw_spine spine; /* in front of it */
    struct gw_manifests *manifests;
    struct gw_log *log;
    struct gw_metrics *metrics;
    size_t node_count, worker_count;
    struct world_worker workers[WORLD_NODES * WORLD_WORKERS];
    struct gw_hub *hubs[WORLD_NODES * WORLD_WORKERS];
    struct gw_executor executors[WORLD_THREADS];
    struct world_slot {
        struct world *world;
        size_t thread;
    } slots[WORLD_THREADS];
    struct {
        struct gw_task *first, **last;
    } queues[WORLD_THREADS][WORLD_THREADS]; /* by poster and target */
    size_t thread;                          /* whose turn it is */
    struct world_op *ops;                   /* asked of the spine, not yet carried out */
    struct world_cut *cuts;                 /* records that are no longer stored, newest first */
    struct world_actor *actors;
    struct world_faults faults;
    struct gw_plan *plans[WORLD_PLANS]; /* owned: everything · the Tokens plan.* · no Token and no writing */
    unsigned foreign_count;
    bool shares_metrics;
};

/* value */
struct world_opts {
    uint64_t seed;
    size_t nodes, workers;
    struct gw_hub_limits limits;
    struct gw_metrics *metrics; /* NULL: its own; many worlds may share one */
};
void world_opts_default(struct world_opts *opts, uint64_t seed); /* one node, one worker, small limits */
struct world *world_create(const struct world_opts *opts);
/* Asserts that every hub has become quiet. */
void world_destroy(struct world *world);

uint64_t world_random(struct world *world, uint64_t below);
bool world_chance(struct world *world, unsigned of_a_thousand);
struct gw_hub *world_hub(struct world *world, size_t node, size_t worker);
struct gw_scope world_scope(const char *run_id);
/* The worker was given something to do. Until world_leave the spec acts on its thread. */
void world_enter(struct world *world, size_t node, size_t worker);
void world_leave(struct world *world);
void world_add_actor(struct world *world, struct world_actor *actor);
void world_remove_actor(struct world *world, struct world_actor *actor);

/* One step; false when there is nothing left to do. */
bool world_step(struct world *world);
/* Steps until nothing is left; fails the test when that does not come. */
void world_settle(struct world *world);
/* Lets time pass and ticks every hub. */
void world_tick(struct world *world, uint64_t ms);
/* Another process stores one event in the run, which every lens sees. */
void world_append_foreign(struct world *world, const char *run_id);

#endif
