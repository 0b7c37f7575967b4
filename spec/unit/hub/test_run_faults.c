/* Commands whose spine fails, forgets or is late, whose run is full, and whose keys are sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "spine/memory/memory_faults.h"
#include "support/hub_spine.h"
#include "support/hub_writer.h"

#define RUN         "r1"
#define DAYS(id, n) "\"command_id\":\"" id "\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":" #n "}}"
#define BAD(id)     "\"command_id\":\"" id "\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":0}}"

static struct world *open_world(struct world_opts *opts)
{
    struct world *world = world_create(opts);
    world_must(world, RUN, WORLD_MOUNT("c1"));
    return world;
}

static int setup(void **state)
{
    struct world_opts opts;
    world_opts_default(&opts, 1);
    opts.limits.run_idle_ms = 0;
    *state = open_world(&opts);
    return 0;
}

static int teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

static struct world_batch *send(struct world *world, const char *flags, const char *const *texts, size_t count)
{
    return world_submit(world, 0, 0, RUN, flags, "ann", texts, count);
}

static void unload(struct world *world)
{
    for (int i = 0; i < 3; i++) {
        world_tick(world, 1000);
        world_settle(world);
    }
}

/* The causes of all events, joined by blanks; of void events with a '-'. */
static void must_hold(struct world *world, const char *expected)
{
    struct world_truth truth;
    char causes[1000] = "";
    world_read_truth(world, RUN, &truth);
    for (size_t i = 1; i < truth.events.count; i++) /* behind the mount */
        snprintf(causes + strlen(causes), sizeof causes - strlen(causes), "%s%s%s", i > 1 ? " " : "", truth.events.items[i]->cause,
                 truth.events.items[i]->type == GW_EVENT_VOID ? "-" : "");
    world_truth_fini(&truth);
    assert_string_equal(causes, expected);
}

static void must_refuse(struct world_batch *batch, size_t index, const char *id)
{
    assert_true(batch->is_done);
    assert_null(world_answer(batch, index));
    assert_string_equal(world_refusal(batch, index), id);
}

static void must_equal(struct world_batch *a, size_t i, struct world_batch *b, size_t j)
{
    assert_non_null(world_answer(a, i));
    assert_non_null(world_answer(b, j));
    assert_string_equal(world_answer(a, i), world_answer(b, j));
}

/* ---- the spine fails ------------------------------------------------------------------------------------------------------------------------ */

static void an_append_that_failed_changes_nothing(void **state)
{
    struct world *world = *state;
    gw_memory_spine_fail_appends(world->memory, GW_EIO, 1);
    struct world_batch *batch = world_do(world, RUN, DAYS("a", 3));
    must_refuse(batch, 0, "spine_unavailable");
    assert_true(batch->submission.outcomes[0].error->is_retryable);
    struct world_batch *soon = world_do(world, RUN, DAYS("b", 4));
    must_refuse(soon, 0, "spine_unavailable");
    world_tick(world, 300);
    world_must(world, RUN, DAYS("a", 3));
    must_hold(world, "a");
    world_batch_destroy(batch);
    world_batch_destroy(soon);
}

static void an_unknown_append_that_was_stored_is_answered(void **state)
{
    struct world *world = *state;
    gw_memory_spine_lose_append(world->memory, true);
    world_must(world, RUN, DAYS("a", 3));
    must_hold(world, "a");
}

static void an_unknown_append_that_was_lost_is_made_again(void **state)
{
    struct world *world = *state;
    gw_memory_spine_lose_append(world->memory, false);
    world_must(world, RUN, DAYS("a", 3));
    must_hold(world, "a");
}

static void what_stays_unknown_is_said_to_be(void **state)
{
    struct world *world = *state;
    gw_memory_spine_lose_append(world->memory, true);
    gw_memory_spine_fail_reads(world->memory, GW_EIO, 1);
    struct world_batch *batch = world_do(world, RUN, DAYS("a", 3));
    must_refuse(batch, 0, "outcome_unknown");
    world_tick(world, 300);
    world_must(world, RUN, DAYS("a", 3));
    must_hold(world, "a");
    world_batch_destroy(batch);
}

static void a_run_that_cannot_be_read_refuses_and_recovers(void **state)
{
    struct world *world = *state;
    unload(world);
    gw_memory_spine_fail_reads(world->memory, GW_EIO, 1);
    struct world_batch *batch = world_do(world, RUN, DAYS("a", 3));
    must_refuse(batch, 0, "spine_unavailable");
    world_tick(world, 300);
    world_must(world, RUN, DAYS("a", 3));
    world_batch_destroy(batch);
}

static void a_lost_race_is_judged_again_in_order(void **state)
{
    struct world *world = *state;
    const char *texts[] = {DAYS("a", 3), DAYS("b", 4), DAYS("c", 5), DAYS("d", 6)};
    struct world_batch *batches[3];
    gw_memory_spine_hold(world->memory);
    batches[0] = send(world, "", &texts[0], 1);
    world_settle(world);
    /* The first was stored; what lies behind it is gathered, and meets another writer. */
    batches[1] = send(world, "", &texts[1], 2);
    batches[2] = send(world, "", &texts[3], 1);
    world_settle(world);
    world_append_foreign(world, RUN);
    gw_memory_spine_release(world->memory, SIZE_MAX);
    world_settle(world);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(world_answer(batches[i], 0));
        world_batch_destroy(batches[i]);
    }
    must_hold(world, "a  b c d");
}

/* ---- limits -------------------------------------------------------------------------------------------------------------------------------- */

static void insert_text(char *out, size_t size, const char *id, size_t bytes)
{
    int length = snprintf(
        out, size,
        "\"command_id\":\"%s\",\"type\":\"block.insert\",\"canvas_id\":\"c1\",\"args\":{\"block\":{\"id\":\"%s\",\"kind\":\"text\","
        "\"parent\":null,\"text\":\"",
        id, id);
    memset(out + length, ' ', bytes);
    snprintf(out + (size_t)length + bytes, size - (size_t)length - bytes, "\"}}");
}

static void a_record_stays_below_what_a_spine_holds(void **state)
{
    enum { COUNT = 6, SIZE = 800000 };
    struct world *world = *state;
    struct world_truth truth;
    struct world_batch *batches[COUNT];
    char *text = gw_alloc(SIZE + 1000);
    for (unsigned i = 0; i < COUNT; i++) {
        char id[8];
        const char *pointer = text;
        snprintf(id, sizeof id, "b%u", i);
        insert_text(text, SIZE + 1000, id, SIZE);
        batches[i] = send(world, i % 2 ? "a" : "", &pointer, 1);
    }
    world_settle(world);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_non_null(world_answer(batches[i], 0));
        world_batch_destroy(batches[i]);
    }
    world_read_truth(world, RUN, &truth);
    assert_int_equal(truth.events.count, COUNT + 1);
    assert_int_equal(truth.record_count, COUNT + 1);
    world_truth_fini(&truth);
    gw_free(text);
}

static void events_that_no_record_holds_are_refused(void **state)
{
    enum { SIZE = 800000 };
    struct world *world = *state;
    char *texts[2] = {gw_alloc(SIZE + 1000), gw_alloc(SIZE + 1000)};
    insert_text(texts[0], SIZE + 1000, "b1", SIZE);
    insert_text(texts[1], SIZE + 1000, "b2", SIZE);
    struct world_batch *batch = send(world, "a", (const char *const *)texts, 2);
    world_settle(world);
    must_refuse(batch, 0, "batch_aborted");
    must_refuse(batch, 1, "record_too_large");
    assert_string_equal(batch->submission.outcomes[1].error->limit_name, "max_record_bytes");
    world_must(world, RUN, DAYS("a", 3));
    must_hold(world, "a");
    world_batch_destroy(batch);
    gw_free(texts[0]);
    gw_free(texts[1]);
}

static void a_full_inbox_refuses(void **state)
{
    struct world_opts opts;
    world_opts_default(&opts, 1);
    opts.limits.max_waiting = 2;
    (void)state;
    struct world *world = open_world(&opts);
    const char *texts[] = {DAYS("a", 3), DAYS("a", 3), DAYS("a", 3), DAYS("a", 3)};
    struct world_batch *batches[4];
    gw_memory_spine_hold(world->memory);
    for (size_t i = 0; i < 4; i++) {
        batches[i] = send(world, "", &texts[i], 1);
        world_settle(world); /* the second and third wait for the first, whose twins they are */
    }
    must_refuse(batches[3], 0, "run_busy");
    assert_string_equal(batches[3]->submission.outcomes[0].error->limit_name, "max_waiting_commands");
    gw_memory_spine_release(world->memory, SIZE_MAX);
    world_settle(world);
    for (size_t i = 0; i < 4; i++)
        world_batch_destroy(batches[i]);
    world_destroy(world);
}

/* ---- waking up ------------------------------------------------------------------------------------------------------------------------------ */

static void commands_go_on_after_a_checkpoint_that_was_due(void **state)
{
    enum { COUNT = 20 };
    struct world_opts opts;
    struct world_batch *batches[COUNT];
    (void)state;
    world_opts_default(&opts, 1);
    opts.limits.checkpoint_events = 1;
    opts.limits.record_bytes = 1; /* a record a command */
    struct world *world = open_world(&opts);
    for (unsigned i = 0; i < COUNT; i++) {
        char text[200];
        const char *pointer = text;
        snprintf(text, sizeof text, "\"command_id\":\"k%u\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":%u}}", i, i + 1);
        batches[i] = send(world, "", &pointer, 1);
    }
    world_settle(world);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(batches[i]->is_done);
        world_batch_destroy(batches[i]);
    }
    world_destroy(world);
}

static void every_old_command_is_known_after_many_checkpoints(void **state)
{
    enum { COUNT = 30 };
    struct world_opts opts;
    struct world_batch *first[COUNT];
    char text[COUNT][200];
    (void)state;
    world_opts_default(&opts, 1);
    opts.limits.checkpoint_events = 2;
    opts.limits.run_idle_ms = 0;
    struct world *world = open_world(&opts);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof text[i], "\"command_id\":\"k%u\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":%u}}", i, i + 1);
        first[i] = world_do(world, RUN, text[i]);
    }
    unload(world);
    for (unsigned i = 0; i < COUNT; i++) {
        struct world_batch *again = world_do(world, RUN, text[i]);
        must_equal(first[i], 0, again, 0);
        world_batch_destroy(again);
        world_batch_destroy(first[i]);
    }
    world_destroy(world);
}

static void keys_survive_a_page_that_could_not_be_stored(void **state)
{
    struct world_opts opts;
    (void)state;
    world_opts_default(&opts, 1);
    opts.limits.checkpoint_events = 2;
    struct world *world = world_create(&opts);
    world->faults.put_failed = 1000;
    world_must(world, RUN, WORLD_MOUNT("c1"));
    struct world_batch *first = world_do(world, RUN, DAYS("a", 3));
    world_must(world, RUN, DAYS("b", 4));
    world->faults.put_failed = 0;
    world_tick(world, 31000); /* it is tried again after a while */
    world_must(world, RUN, DAYS("c", 5));
    struct world_batch *again = world_do(world, RUN, DAYS("a", 3));
    must_equal(first, 0, again, 0);
    must_hold(world, "a b c");
    world_batch_destroy(first);
    world_batch_destroy(again);
    world_destroy(world);
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPEC(an_append_that_failed_changes_nothing),
        SPEC(an_unknown_append_that_was_stored_is_answered),
        SPEC(an_unknown_append_that_was_lost_is_made_again),
        SPEC(what_stays_unknown_is_said_to_be),
        SPEC(a_run_that_cannot_be_read_refuses_and_recovers),
        SPEC(a_lost_race_is_judged_again_in_order),
        SPEC(a_record_stays_below_what_a_spine_holds),
        SPEC(events_that_no_record_holds_are_refused),
        cmocka_unit_test(a_full_inbox_refuses),
        cmocka_unit_test(commands_go_on_after_a_checkpoint_that_was_due),
        cmocka_unit_test(every_old_command_is_known_after_many_checkpoints),
        cmocka_unit_test(keys_survive_a_page_that_could_not_be_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
