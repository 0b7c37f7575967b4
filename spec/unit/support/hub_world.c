#include "support/hub_world.h"
#include "support/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "spine/memory/memory_faults.h"
#include "spine/memory/memory_spine.h"
#include "support/hub_spine.h"
#include "support/plain_wire.h"
#include "support/state_fixture.h"

#define SPINE_THREAD (WORLD_THREADS - 2)
#define SPEC_THREAD  (WORLD_THREADS - 1)
#define STEPS_MAX    2000000

/* Mounts of a large manifest would be most of what is parsed here. */
#define PLANNING_SMALL                                                                                                                     \
    "{\"name\":\"planning\",\"version\":\"1\",\"api\":1,\"title\":\"P\",\"harness\":\"h\",\"tokens\":{"                                    \
    "\"plan.title\":{\"type\":\"string\",\"default\":\"\"},\"plan.days\":{\"type\":\"integer\",\"min\":1,\"max\":365},"                    \
    "\"ui.zoom\":{\"type\":\"number\",\"min\":0.1,\"max\":8,\"default\":1}},\"kinds\":{\"text\":{\"text\":true}}}"

/* ---- chance and time --------------------------------------------------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t next_random(struct world *world)
{
    uint64_t z = world->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t world_random(struct world *world, uint64_t below) { return next_random(world) % below; }

bool world_chance(struct world *world, unsigned of_a_thousand) { return of_a_thousand > 0 && world_random(world, 1000) < of_a_thousand; }

static uint64_t clock_ms(void *self) { return ((struct world *)self)->now_ms; }

static uint64_t clock_ns(void *self) { return ((struct world *)self)->now_ms * 1000000; }

static int64_t clock_wall(void *self) { return 1700000000000 + (int64_t)((struct world *)self)->now_ms; }

static void clock_random(void *self, void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)next_random(self);
}

/* ---- threads ----------------------------------------------------------------------------------------------------------------------------- */

static void on_post(void *self, struct gw_task *task)
{
    struct world_slot *slot = self;
    struct world *world = slot->world;
    task->next = NULL;
    *world->queues[world->thread][slot->thread].last = task;
    world->queues[world->thread][slot->thread].last = &task->next;
}

static bool on_try_post(void *self, struct gw_task *task)
{
    on_post(self, task);
    return true;
}

static void run_task(struct world *world, size_t poster, size_t target)
{
    struct gw_task *task = world->queues[poster][target].first;
    world->queues[poster][target].first = task->next;
    if (!task->next)
        world->queues[poster][target].last = &world->queues[poster][target].first;
    if (target < WORLD_NODES * WORLD_WORKERS)
        world->workers[target].needs_turn = true;
    world->thread = target;
    task->run(task);
    world->thread = SPEC_THREAD;
}

static void run_turn(struct world *world, size_t index)
{
    struct world_worker *worker = &world->workers[index];
    world->thread = index;
    worker->needs_turn = false;
    gw_hub_work(worker->hub);
    worker->needs_turn = gw_hub_pump(worker->hub);
    world->thread = SPEC_THREAD;
}

static size_t index_of(const struct world *world, size_t node, size_t worker) { return node * world->worker_count + worker; }

void world_enter(struct world *world, size_t node, size_t worker)
{
    world->thread = index_of(world, node, worker);
    world->workers[world->thread].needs_turn = true;
}

void world_leave(struct world *world) { world->thread = SPEC_THREAD; }

/* ---- requests to the spine ----------------------------------------------------------------------------------------------------------------- */

static void ask(struct world *world, struct world_op op)
{
    struct world_op *kept = gw_alloc(sizeof *kept);
    *kept = op;
    kept->next = world->ops;
    world->ops = kept;
}

static void on_append(void *self, struct gw_spine_append *request)
{
    ask(self, (struct world_op){.kind = GW_SPINE_JOB_APPEND, .append = request});
}

static void on_read(void *self, struct gw_spine_read *request) { ask(self, (struct world_op){.kind = GW_SPINE_JOB_READ, .read = request}); }

static void on_tail(void *self, struct gw_spine_tail *request) { ask(self, (struct world_op){.kind = GW_SPINE_JOB_TAIL, .tail = request}); }

static void on_put(void *self, struct gw_spine_put *request) { ask(self, (struct world_op){.kind = GW_SPINE_JOB_PUT, .put = request}); }

static void on_get(void *self, struct gw_spine_get *request) { ask(self, (struct world_op){.kind = GW_SPINE_JOB_GET, .get = request}); }

static void on_erase(void *self, struct gw_spine_erase *request)
{
    ask(self, (struct world_op){.kind = GW_SPINE_JOB_ERASE, .erase = request});
}

static size_t count_ops(const struct world *world)
{
    size_t count = 0;
    for (const struct world_op *op = world->ops; op; op = op->next)
        count++;
    return count;
}

static void run_op(struct world *world, size_t index)
{
    struct world_op **link = &world->ops;
    while (index-- > 0)
        link = &(*link)->next;
    struct world_op *op = *link;
    *link = op->next;
    world->thread = SPINE_THREAD;
    world_carry_out(world, op);
    world->thread = SPEC_THREAD;
    gw_free(op);
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------------------- */

static size_t thread_count(const struct world *world) { return world->node_count * world->worker_count; }

static size_t count_actors(const struct world *world)
{
    size_t count = 0;
    for (struct world_actor *actor = world->actors; actor; actor = actor->next)
        count += actor->can_act(actor);
    return count;
}

static void run_actor(struct world *world, size_t index)
{
    for (struct world_actor *actor = world->actors; actor; actor = actor->next) {
        if (!actor->can_act(actor) || index-- > 0)
            continue;
        actor->act(actor);
        return;
    }
}

static bool run_one_task(struct world *world, size_t index)
{
    for (size_t poster = 0; poster < WORLD_THREADS; poster++)
        for (size_t target = 0; target < WORLD_THREADS; target++)
            if (world->queues[poster][target].first && index-- == 0) {
                run_task(world, poster, target);
                return true;
            }
    return false;
}

static size_t count_queues(const struct world *world)
{
    size_t count = 0;
    for (size_t poster = 0; poster < WORLD_THREADS; poster++)
        for (size_t target = 0; target < WORLD_THREADS; target++)
            count += world->queues[poster][target].first != NULL;
    return count;
}

static size_t count_turns(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < thread_count(world); i++)
        count += world->workers[i].needs_turn;
    return count;
}

static void run_one_turn(struct world *world, size_t index)
{
    for (size_t i = 0; i < thread_count(world); i++)
        if (world->workers[i].needs_turn && index-- == 0) {
            run_turn(world, i);
            return;
        }
}

bool world_step(struct world *world)
{
    size_t queues = count_queues(world), turns = count_turns(world), ops = count_ops(world), actors = count_actors(world);
    if (queues + turns + ops + actors == 0)
        return false;
    size_t choice = world_random(world, queues + turns + ops + actors);
    if (choice < queues)
        run_one_task(world, choice);
    else if ((choice -= queues) < turns)
        run_one_turn(world, choice);
    else if ((choice -= turns) < ops)
        run_op(world, choice);
    else
        run_actor(world, choice - ops);
    return true;
}

void world_settle(struct world *world)
{
    for (size_t steps = 0; world_step(world); steps++)
        if (steps > STEPS_MAX)
            fail_msg("the world does not come to rest");
}

void world_tick(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
    for (size_t i = 0; i < thread_count(world); i++) {
        world->thread = i;
        world->workers[i].needs_turn = true;
        gw_hub_tick(world->workers[i].hub);
    }
    world->thread = SPEC_THREAD;
}

/* ---- building ---------------------------------------------------------------------------------------------------------------------------- */

void world_opts_default(struct world_opts *opts, uint64_t seed)
{
    *opts = (struct world_opts){.seed = seed, .nodes = 1, .workers = 1};
    gw_hub_limits_default(&opts->limits);
}

static void make_plans(struct world *world)
{
    world->plans[0] = plan_of("{" PLAN_SEES "," PLAN_TREES "," PLAN_TOKENS "}");
    world->plans[1] = plan_of_tokens("[\"plan.*\"]");
    world->plans[2] = plan_of("{\"history\":true,\"vision\":true,\"events\":[\"*\"],\"blocks\":{\"read\":true},\"graph\":{\"read\":true},"
                              "\"chat\":{\"read\":true},\"logs\":{\"read\":true}}");
}

static void make_hub(struct world *world, const struct world_opts *opts, size_t index)
{
    size_t first = index / opts->workers * opts->workers;
    struct gw_hub_opts hub = {.worker = index % opts->workers,
                              .worker_count = opts->workers,
                              .executors = &world->executors[first],
                              .hubs = &world->hubs[first],
                              .spine = &world->spine,
                              .wire = plain_wire(),
                              .clock = &world->clock,
                              .manifests = world->manifests,
                              .log = world->log,
                              .metrics = world->metrics,
                              .limits = opts->limits};
    gw_state_limits_default(&hub.state_limits);
    world->hubs[index] = world->workers[index].hub = gw_hub_create(&hub);
}

static void make_threads(struct world *world)
{
    for (size_t i = 0; i < WORLD_THREADS; i++) {
        world->slots[i] = (struct world_slot){world, i};
        world->executors[i] = (struct gw_executor){&world->slots[i], on_post, on_try_post};
        for (size_t j = 0; j < WORLD_THREADS; j++)
            world->queues[i][j].last = &world->queues[i][j].first;
    }
    world->thread = SPEC_THREAD;
}

struct world *world_create(const struct world_opts *opts)
{
    struct world *world = gw_alloc(sizeof *world);
    world->random = opts->seed;
    world->now_ms = 1000000;
    world->node_count = opts->nodes;
    world->worker_count = opts->workers;
    world->clock = (struct gw_clock){world, clock_ms, clock_ns, clock_wall, clock_random, NULL};
    world->memory = gw_memory_spine_create(&world->clock, 0);
    world->spine = (struct gw_spine){world, on_append, on_read, on_tail, on_put, on_get, on_erase};
    world->log = gw_log_create(STDERR_FILENO, getenv("HUB_WORLD_LOG") ? GW_LOG_DEBUG : GW_LOG_ERROR + 1);
    world->shares_metrics = opts->metrics != NULL;
    world->metrics = opts->metrics ? opts->metrics : gw_metrics_create();
    world->manifests = gw_manifests_create();
    add_manifest(world->manifests, PLANNING_SMALL);
    add_manifest(world->manifests, SHARING);
    make_plans(world);
    make_threads(world);
    for (size_t i = 0; i < opts->nodes * opts->workers; i++)
        make_hub(world, opts, i);
    return world;
}

static bool is_all_quiet(const struct world *world)
{
    bool is_quiet = true;
    for (size_t i = 0; i < thread_count(world); i++)
        is_quiet = is_quiet && gw_hub_is_quiet(world->workers[i].hub);
    return is_quiet;
}

void world_destroy(struct world *world)
{
    for (size_t i = 0; i < thread_count(world); i++)
        gw_hub_drain(world->workers[i].hub);
    world->faults = (struct world_faults){0};
    gw_memory_spine_release(world->memory, SIZE_MAX);
    for (int i = 0; i < 20 && (i < 2 || !is_all_quiet(world)); i++) {
        world_tick(world, 1000);
        world_settle(world);
    }
    for (size_t i = 0; i < thread_count(world); i++)
        if (!gw_hub_is_quiet(world->workers[i].hub))
            fail_msg("worker %zu has not become quiet", i);
    for (size_t i = 0; i < thread_count(world); i++)
        gw_hub_destroy(world->workers[i].hub);
    for (size_t i = 0; i < WORLD_PLANS; i++) {
        if (atomic_load(&world->plans[i]->refs.count) != 1)
            fail_msg("plan %zu is still held", i);
        gw_plan_unref(world->plans[i]);
    }
    world_forget_cuts(world);
    gw_memory_spine_destroy(world->memory);
    gw_manifests_unref(world->manifests);
    if (!world->shares_metrics)
        gw_metrics_destroy(world->metrics);
    gw_log_destroy(world->log);
    gw_free(world);
}

struct gw_hub *world_hub(struct world *world, size_t node, size_t worker) { return world->workers[index_of(world, node, worker)].hub; }

struct gw_scope world_scope(const char *run_id)
{
    struct gw_scope scope = {.tenant_id = "t", .mode = "dev", .project_id = "p", .surface_id = "s", .app_id = "a"};
    snprintf(scope.run_id, sizeof scope.run_id, "%s", run_id);
    return scope;
}

void world_add_actor(struct world *world, struct world_actor *actor)
{
    actor->next = world->actors;
    world->actors = actor;
}

void world_remove_actor(struct world *world, struct world_actor *actor)
{
    struct world_actor **link = &world->actors;
    while (*link && *link != actor)
        link = &(*link)->next;
    if (*link)
        *link = actor->next;
}
