/* Random schedules of the whole hub: several nodes, workers, writers and readers, with whatever can go wrong. Every schedule is a seed; HUB_SCHEDULES sets how many
 * are run, HUB_SEED the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/hub_internal.h"
#include "hub/run.h"
#include "support/hub_reader.h"
#include "support/hub_writer.h"

#define RUNS    2
#define READERS 6

struct schedule {
    struct world *world;
    struct world_reader readers[READERS];
    size_t reader_count, run_count;
    struct world_batch *batches;
    unsigned command_count;
    bool is_forgetful; /* cursors go out of reach */
};

static const char *const run_ids[RUNS] = {"r1", "r2"};

/* ---- commands ----------------------------------------------------------------------------------------------------------------------------- */

static const char *const canvases[] = {"c1", "c2"};

/* A splice stands on a cursor that some reader of the run has seen. */
static bool write_splice(struct schedule *s, const char *run_id, char *out, size_t size)
{
    char base[GW_CURSOR_MAX];
    const struct world_reader *reader = &s->readers[world_random(s->world, s->reader_count)];
    if (strcmp(reader->run_id, run_id) != 0 || !world_reader_cursor(reader, base))
        return false;
    unsigned number = s->command_count++;
    snprintf(
        out, size,
        "\"command_id\":\"k%u\",\"type\":\"block.splice\",\"canvas_id\":\"%s\",\"base\":\"%s\",\"args\":{\"id\":\"b%u\",\"at\":0,\"del\":0,"
        "\"ins\":\"x\"}",
        number, canvases[number % 2], base, number > 12 ? number - 9 : 3);
    return true;
}

static void write_command(struct schedule *s, const char *run_id, char *out, size_t size)
{
    struct world *world = s->world;
    /* Now and then an id that was used before: with the same body if it is the same kind and value. */
    unsigned number = world_chance(world, 150) && s->command_count ? (unsigned)world_random(world, s->command_count) : s->command_count++;
    const char *canvas = canvases[number % 2];
    unsigned value = number * 7 % 50 + 1;
    if (world_chance(world, 150) && write_splice(s, run_id, out, size))
        return;
    switch (number % 7) {
    case 0:
        snprintf(out, size, "\"command_id\":\"k%u\",\"type\":\"canvas.mount\",\"canvas_id\":\"%s\",\"args\":{\"canvas_type\":\"planning\"}",
                 number, canvas);
        break;
    case 1:
        snprintf(out, size, "\"command_id\":\"k%u\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":%u}}", number, value);
        break;
    case 2:
        snprintf(out, size, "\"command_id\":\"k%u\",\"type\":\"token.set\",\"args\":{\"set\":{\"ui.zoom\":%u.5}}", number, value % 7);
        break;
    case 3:
    case 4:
        snprintf(
            out, size,
            "\"command_id\":\"k%u\",\"type\":\"block.insert\",\"canvas_id\":\"%s\",\"args\":{\"block\":{\"id\":\"b%u\",\"kind\":\"text\","
            "\"parent\":null,\"text\":\"%0*u\"}}",
            number, canvas, number, (int)(value * value / 8 + 1), value);
        break;
    case 5:
        snprintf(out, size, "\"command_id\":\"k%u\",\"type\":\"block.remove\",\"canvas_id\":\"%s\",\"args\":{\"id\":\"b%u\"}", number,
                 canvas, number > 8 ? number - 9 : 3);
        break;
    default:
        snprintf(out, size, "\"command_id\":\"k%u\",\"type\":\"canvas.commit\",\"canvas_id\":\"%s\",\"args\":{}", number, canvas);
        break;
    }
}

static void submit_some(struct schedule *s)
{
    enum { MAX = 4 };
    static const char *const flags[] = {"", "", "", "a", "d", "ad"};
    char texts[MAX][1024];
    const char *pointers[MAX];
    struct world *world = s->world;
    size_t count = world_chance(world, 600) ? 1 : 1 + (size_t)world_random(world, MAX);
    const char *run_id = run_ids[world_random(world, s->run_count)];
    for (size_t i = 0; i < count; i++) {
        write_command(s, run_id, texts[i], sizeof texts[i]);
        pointers[i] = texts[i];
    }
    struct world_batch *batch = world_submit(world, world_random(world, world->node_count), world_random(world, world->worker_count),
                                             run_id, flags[world_random(world, 6)], "ann", pointers, count);
    batch->older = s->batches;
    s->batches = batch;
}

/* ---- readers ------------------------------------------------------------------------------------------------------------------------------ */

static const char *const sets[] = {"", "", "c1", "c2", "c1 c2"};

static void open_reader(struct schedule *s, struct world_reader *reader)
{
    struct world *world = s->world;
    char cursor[GW_CURSOR_MAX];
    reader->node = world_random(world, world->node_count);
    reader->worker = world_random(world, world->worker_count);
    if (world_reader_cursor(reader, cursor) && world_chance(world, 800)) {
        if (world_chance(world, 100)) {
            reader->plan = world_random(world, WORLD_PLANS);
            world_reader_canvases(reader, sets[world_random(world, 5)]);
        }
        world_reader_open_at(reader, cursor);
        reader->session->must_be_exact &= !s->is_forgetful;
        return;
    }
    switch (world_random(world, 7)) {
    case 3: /* of several canvases' revisions, which one is meant depends on the moment */
        world_reader_open(reader, reader->set.count == 1 ? GW_START_COMMIT : GW_START_CHECKPOINT, 1);
        break;
    case 0:
        world_reader_open(reader, GW_START_EARLIEST, 0);
        break;
    case 1:
        world_reader_open(reader, GW_START_NOW, 0);
        break;
    case 2:
        world_reader_open(reader, GW_START_LAST, world_random(world, 12));
        break;
    default:
        world_reader_open(reader, GW_START_CHECKPOINT, 0);
    }
}

static void disturb_reader(struct schedule *s)
{
    struct world_reader *reader = &s->readers[world_random(s->world, s->reader_count)];
    if (!reader->is_open) {
        open_reader(s, reader);
    } else if (world_chance(s->world, 300)) {
        reader->is_stalled = !reader->is_stalled;
    } else if (world_chance(s->world, 300)) {
        world_reader_close(reader);
    } else if (world_chance(s->world, 200)) {
        size_t plan = world_random(s->world, WORLD_PLANS);
        if (plan != reader->plan && !reader->session->is_refused)
            world_reader_switch(reader, plan);
    } else if (world_chance(s->world, 200)) {
        world_enter(s->world, reader->node, reader->worker);
        (void)gw_subscriber_control(&reader->subscriber, "K|here\n", 7);
        world_leave(s->world);
    }
}

/* ---- the course of a schedule ------------------------------------------------------------------------------------------------------------- */

static void choose_limits(struct world *world, struct gw_hub_limits *limits)
{
    static const uint64_t every[] = {1, 3, 10, 4096};
    limits->ring_bytes = world_chance(world, 500) ? 4096 : 2u << 20;
    limits->checkpoint_events = every[world_random(world, 4)];
    limits->record_bytes = world_chance(world, 300) ? 300 : 1u << 20;
    limits->run_idle_ms = world_chance(world, 500) ? 0 : 60000;
    limits->view_idle_ms = world_chance(world, 500) ? 0 : 10000;
    limits->block_cache_bytes = world_chance(world, 200) ? 1 : 64u << 20;
}

static void begin(struct schedule *s, uint64_t seed, struct gw_metrics *metrics)
{
    struct world_opts opts;
    struct world dice = {.random = ~seed};
    world_opts_default(&opts, seed);
    opts.metrics = metrics;
    opts.nodes = world_chance(&dice, 300) ? 2 : 1;
    opts.workers = 1 + world_random(&dice, WORLD_WORKERS);
    choose_limits(&dice, &opts.limits);
    *s = (struct schedule){.is_forgetful = world_chance(&dice, 200)};
    if (s->is_forgetful)
        opts.limits.max_replay_events = 1 + world_random(&dice, 20);
    s->world = world_create(&opts);
    s->run_count = 1 + world_random(&dice, RUNS);
    s->reader_count = 1 + world_random(&dice, READERS);
    bool is_faulty = world_chance(&dice, 600);
    if (is_faulty)
        s->world->faults = (struct world_faults){.append_refused = (unsigned)world_random(&dice, 100),
                                                 .append_unknown_stored = (unsigned)world_random(&dice, 100),
                                                 .append_unknown_lost = (unsigned)world_random(&dice, 100),
                                                 .append_unknown_late = (unsigned)world_random(&dice, 100),
                                                 .foreign = (unsigned)world_random(&dice, 100),
                                                 .read_failed = (unsigned)world_random(&dice, 60),
                                                 .put_failed = (unsigned)world_random(&dice, 200)};
    for (size_t i = 0; i < s->reader_count; i++) {
        struct world_reader *reader = &s->readers[i];
        world_reader_init(reader, s->world, run_ids[world_random(&dice, s->run_count)], world_random(&dice, WORLD_PLANS));
        world_reader_canvases(reader, sets[world_random(&dice, 5)]);
        reader->shorts = (unsigned)world_random(&dice, 700);
        reader->failures = world_chance(&dice, 300) ? 30 : 0;
    }
}

/* A run that begins with a past of many blocks. */
static void give_past(struct schedule *s)
{
    size_t count = 200 + world_random(s->world, 1200);
    for (size_t i = 0; i < count; i++)
        world_append_foreign(s->world, run_ids[0]);
}

static void run_course(struct schedule *s)
{
    struct world *world = s->world;
    size_t acts = 20 + world_random(world, 60);
    if (world_chance(world, 8))
        give_past(s);
    while (acts > 0) {
        uint64_t dice = world_random(world, 1000);
        if (dice < 60) {
            submit_some(s);
            acts--;
        } else if (dice < 100) {
            disturb_reader(s);
            acts--;
        } else if (dice < 110) {
            world_tick(world, world_random(world, 3000));
            acts--;
        } else if (dice < 115 && s->is_forgetful) {
            world_cut_off(world, run_ids[0]);
        } else {
            world_step(world);
        }
    }
}

/* ---- what must hold ----------------------------------------------------------------------------------------------------------------------- */

/* Lets each node come to know what the others have stored. */
static void catch_up(struct schedule *s)
{
    struct world *world = s->world;
    world->faults = (struct world_faults){0};
    for (size_t i = 0; i < s->reader_count; i++) {
        s->readers[i].is_stalled = false;
        s->readers[i].failures = 0;
    }
    world_settle(world);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < s->run_count * world->node_count; i++) {
            char text[200];
            const char *pointer = text;
            world_tick(world, 1000);
            world_settle(world);
            snprintf(text, sizeof text,
                     "\"command_id\":\"end%zu-%zu\",\"type\":\"canvas.mount\",\"canvas_id\":\"end\",\"args\":{\"canvas_type\":\"sharing\"}",
                     round, i);
            struct world_batch *batch =
                world_submit(world, i % world->node_count, 0, run_ids[i / world->node_count], "", "ann", &pointer, 1);
            world_settle(world);
            assert_true(batch->is_done);
            if (!world_answer(batch, 0))
                fail_msg("the last command was refused: %s", world_refusal(batch, 0));
            batch->older = s->batches;
            s->batches = batch;
        }
    }
}

static uint64_t durable_seq(struct world *world, size_t node, const char *run_id)
{
    struct gw_run_key key;
    struct gw_scope scope = world_scope(run_id);
    gw_run_key_encode(&scope, &key);
    struct gw_hub *hub = world_hub(world, node, 0);
    hub = world_hub(world, node, gw_hub_owner_of(hub, &key));
    const struct gw_run *run = gw_map_get(hub->runs, key.text, strlen(key.text));
    return run ? run->durable_seq : 0;
}

/* value: a stored key */
struct found {
    const struct gw_record_key *key;
    size_t count;
};

static struct found find_key(const struct world_truth *truth, const struct gw_submission *submission, size_t index)
{
    struct found found = {0};
    uint8_t key[GW_KEY_BYTES];
    gw_keys_digest(submission->actor.id, submission->commands[index].command_id, key);
    for (size_t i = 0; i < truth->record_count; i++)
        for (size_t j = 0; j < truth->records[i].key_count; j++)
            if (memcmp(truth->records[i].keys[j].key, key, sizeof key) == 0) {
                found.key = &truth->records[i].keys[j];
                found.count++;
            }
    return found;
}

static void check_command(const struct gw_submission *submission, size_t index, const struct world_truth *truth)
{
    const struct gw_outcome *outcome = &submission->outcomes[index];
    struct found found = find_key(truth, submission, index);
    if (found.count > 1)
        fail_msg("%s took effect %zu times", submission->commands[index].command_id, found.count);
    if (!outcome->answer || submission->is_dry_run)
        return;
    if (found.count != 1)
        fail_msg("%s was acknowledged and is not stored", submission->commands[index].command_id);
    assert_int_equal(outcome->answer_length, found.key->answer_length);
    assert_memory_equal(outcome->answer, found.key->answer, outcome->answer_length);
    assert_memory_equal(submission->commands[index].digest, found.key->body, GW_KEY_BYTES);
}

static void check_run(struct schedule *s, size_t run)
{
    struct world_truth truth;
    world_read_truth(s->world, run_ids[run], &truth);
    for (struct world_batch *batch = s->batches; batch; batch = batch->older) {
        if (strcmp(batch->submission.scope.run_id, run_ids[run]) != 0)
            continue;
        assert_true(batch->is_done);
        for (size_t i = 0; i < batch->submission.count; i++)
            check_command(&batch->submission, i, &truth);
    }
    for (size_t i = 0; i < s->reader_count; i++)
        if (strcmp(s->readers[i].run_id, run_ids[run]) == 0)
            world_reader_check(&s->readers[i], &truth, durable_seq(s->world, s->readers[i].node, run_ids[run]));
    world_truth_fini(&truth);
}

static void end(struct schedule *s)
{
    for (size_t i = 0; i < s->reader_count; i++)
        world_reader_fini(&s->readers[i]);
    world_settle(s->world);
    while (s->batches) {
        struct world_batch *batch = s->batches;
        s->batches = batch->older;
        world_batch_destroy(batch);
    }
    world_destroy(s->world);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static int setup(void **state)
{
    *state = gw_alloc(sizeof(uint64_t));
    return 0;
}

/* The seed at which it stopped is the one to look at. */
static int teardown(void **state)
{
    fprintf(stderr, "last seed: %llu\n", (unsigned long long)*(uint64_t *)*state);
    gw_free(*state);
    return 0;
}

static void every_schedule_keeps_the_promises(void **state)
{
    uint64_t *seed = *state, first = number_of("HUB_SEED", 1), count = number_of("HUB_SCHEDULES", 2000);
    struct gw_metrics *metrics = gw_metrics_create();
    for (*seed = first; *seed < first + count; ++*seed) {
        struct schedule s;
        begin(&s, *seed, metrics);
        run_course(&s);
        catch_up(&s);
        for (size_t run = 0; run < s.run_count; run++)
            check_run(&s, run);
        end(&s);
    }
    gw_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_schedule_keeps_the_promises, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
