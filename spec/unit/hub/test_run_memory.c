/* Every allocation on the way from a command to its readers fails once: nothing is lost, nothing happens twice, nobody waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/hub_reader.h"
#include "support/hub_writer.h"

#define RUN "r1"

static const char *const texts[] = {
    "\"command_id\":\"d\",\"type\":\"block.insert\",\"canvas_id\":\"c1\",\"args\":{\"block\":{\"id\":\"b1\",\"kind\":\"text\",\"parent\":"
    "null,\"text\":\"x\"}}",
    "\"command_id\":\"e\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3}}",
};

struct scene {
    struct world *world;
    struct world_reader reader;
    struct world_batch *batch; /* the texts, not sent yet */
    uint64_t checkpoint_events;
    const char *flags;
};

static void begin(struct scene *scene)
{
    struct world_opts opts;
    world_opts_default(&opts, 7);
    opts.limits.checkpoint_events = scene->checkpoint_events;
    opts.limits.run_idle_ms = opts.limits.view_idle_ms = 0;
    scene->world = world_create(&opts);
    world_must(scene->world, RUN, WORLD_MOUNT("c1"));
    world_must(scene->world, RUN, "\"command_id\":\"b\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":2}}");
    world_reader_init(&scene->reader, scene->world, RUN, 1);
    world_reader_open(&scene->reader, GW_START_CHECKPOINT, 0);
    world_settle(scene->world);
    scene->batch = world_prepare(scene->world, RUN, scene->flags, "ann", texts, 2);
}

/* Sent again, the commands are committed, and their effects are there once. */
static void insist(struct scene *scene)
{
    struct world_batch *batch = world_submit(scene->world, 0, 0, RUN, "", "ann", texts, 2);
    world_settle(scene->world);
    assert_true(batch->is_done);
    for (size_t i = 0; i < 2; i++)
        if (!world_answer(batch, i))
            fail_msg("refused with memory at hand: %s", world_refusal(batch, i));
    world_batch_destroy(batch);
}

static size_t count_causes(const struct world_truth *truth, const char *command_id)
{
    size_t count = 0;
    for (size_t i = 0; i < truth->events.count; i++)
        count += strcmp(truth->events.items[i]->cause, command_id) == 0;
    return count;
}

static void end(struct scene *scene)
{
    struct world_truth truth;
    /* A run that is down is tried again within the second. */
    world_settle(scene->world);
    world_tick(scene->world, 1000);
    world_settle(scene->world);
    insist(scene);
    world_read_truth(scene->world, RUN, &truth);
    assert_int_equal(count_causes(&truth, "d"), 1);
    assert_int_equal(count_causes(&truth, "e"), 1);
    world_reader_check(&scene->reader, &truth, truth.events.count);
    world_truth_fini(&truth);
    world_reader_fini(&scene->reader);
    world_batch_destroy(scene->batch);
    world_destroy(scene->world);
}

/* Plays `act` with the n-th fallible allocation failing; false when it made fewer. */
static bool play(struct scene *scene, void (*act)(struct scene *), long n)
{
    begin(scene);
    gw_alloc_fail_after(n);
    act(scene);
    bool has_failed = gw_alloc_fallible_count() >= n;
    gw_alloc_fail_after(0);
    end(scene);
    return has_failed;
}

static void sweep(void (*act)(struct scene *), const char *flags, uint64_t checkpoint_events)
{
    struct scene scene = {.flags = flags, .checkpoint_events = checkpoint_events};
    long n = 1;
    while (play(&scene, act, n))
        assert_true(++n < 5000);
    assert_true(n > 10);
}

static void act_send(struct scene *scene)
{
    world_send(scene->world, scene->batch, 0, 0);
    world_settle(scene->world);
    assert_true(scene->batch->is_done);
}

static void act_unload_and_attach(struct scene *scene)
{
    world_reader_close(&scene->reader);
    for (int i = 0; i < 3; i++) {
        world_tick(scene->world, 1000);
        world_settle(scene->world);
    }
    world_reader_open(&scene->reader, GW_START_EARLIEST, 0);
    world_settle(scene->world);
}

/* By another lens, for which nothing is at hand yet. */
static void act_attach_to_checkpoint(struct scene *scene)
{
    world_reader_close(&scene->reader);
    scene->reader.plan = 0;
    world_reader_open(&scene->reader, GW_START_CHECKPOINT, 0);
    world_settle(scene->world);
}

static void act_look_back(struct scene *scene)
{
    world_reader_close(&scene->reader);
    scene->reader.plan = 0;
    world_reader_open(&scene->reader, GW_START_LAST, 1);
    world_settle(scene->world);
}

static void read_all(struct scene *scene, enum gw_read_kind kind, const char *cursor)
{
    struct gw_read read;
    world_get(scene->world, kind, RUN, 0, cursor, &read);
    assert_true((read.status == GW_OK) == (read.body != NULL));
    gw_read_fini(&read);
}

static void act_read(struct scene *scene)
{
    read_all(scene, GW_READ_STATE, "");
    read_all(scene, GW_READ_STATE, "earliest");
    read_all(scene, GW_READ_EVENTS, "");
}

static void a_batch_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_send, "", 4096);
}

static void an_atomic_batch_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_send, "a", 4096);
}

static void a_dry_run_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_send, "d", 4096);
}

static void a_checkpoint_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_send, "", 1);
}

static void loading_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_unload_and_attach, "", 4096);
}

static void loading_from_a_checkpoint_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_unload_and_attach, "", 1);
}

static void attaching_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_attach_to_checkpoint, "", 4096);
}

static void looking_back_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_look_back, "", 4096);
}

static void reads_survive_every_failed_allocation(void **state)
{
    (void)state;
    sweep(act_read, "", 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_survives_every_failed_allocation),
        cmocka_unit_test(an_atomic_batch_survives_every_failed_allocation),
        cmocka_unit_test(a_dry_run_survives_every_failed_allocation),
        cmocka_unit_test(a_checkpoint_survives_every_failed_allocation),
        cmocka_unit_test(loading_survives_every_failed_allocation),
        cmocka_unit_test(loading_from_a_checkpoint_survives_every_failed_allocation),
        cmocka_unit_test(attaching_survives_every_failed_allocation),
        cmocka_unit_test(looking_back_survives_every_failed_allocation),
        cmocka_unit_test(reads_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
