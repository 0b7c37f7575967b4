/* Random schedules of people who come, go, do something and change their lens, on several workers, with readers who are slow and now and then short memory: in the end each open stream has been told
 * who is there and what they do, no more and no less. Each schedule is a seed; PRESENCE_SCHEDULES sets how many are run, PRESENCE_SEED the first. */
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
#include "base/json.h"
#include "hub/gesture_post.h"
#include "hub/hub_internal.h"
#include "support/hub_reader.h"
#include "support/hub_writer.h"

#define READERS 8
#define ACTORS  5

struct schedule {
    struct world *world;
    struct world_reader readers[READERS];
    unsigned gesture_count, command_count;
    struct world_batch *batches;
};

static void name_actor(struct gw_arrival *arrival, size_t number)
{
    *arrival = (struct gw_arrival){.surface_id = "web", .app_id = "demo"};
    snprintf(arrival->actor.id, sizeof arrival->actor.id, "actor%zu", number);
}

/* ---- what may happen ---------------------------------------------------------------------------------------------------------------------- */

static void open_or_close(struct schedule *s, struct world_reader *reader)
{
    if (reader->is_open) {
        world_reader_close(reader);
        return;
    }
    reader->worker = world_random(s->world, s->world->worker_count);
    reader->plan = world_random(s->world, WORLD_PLANS);
    name_actor(&reader->arrival, world_random(s->world, ACTORS));
    world_reader_canvases(reader, world_chance(s->world, 300) ? "c2" : "");
    world_reader_open(reader, world_chance(s->world, 500) ? GW_START_CHECKPOINT : GW_START_NOW, 0);
}

static void on_done(struct gw_gesture_post *post)
{
    assert_true(post->status == GW_OK || post->status == GW_ENOMEM);
    gw_gesture_post_fini(post);
    gw_free(post);
}

/* Canvas c2 is never mounted, so that nobody is shown what is done there. */
static void gesture(struct schedule *s)
{
    static const char *const kinds[] = {"{\"kind\":\"k%u\"}", "{\"kind\":\"k%u\",\"blocks\":[\"b1\"]}",
                                        "{\"kind\":\"k%u\",\"blocks\":[\"nope\"]}", "{}"};
    static const struct gw_json_limits limits = {.max_bytes = 1000, .max_depth = 4, .max_nodes = 20};
    char text[100];
    struct gw_error err;
    struct gw_gesture_post *post = gw_alloc(sizeof *post);
    size_t worker = world_random(s->world, s->world->worker_count);
    snprintf(text, sizeof text, kinds[world_random(s->world, 4)], s->gesture_count++);
    post->scope = world_scope("r1");
    name_actor(&post->who, world_random(s->world, ACTORS));
    memcpy(post->gesture.canvas_id, "c1", 3);
    post->gesture.plan = gw_plan_ref(s->world->plans[world_random(s->world, 2)]);
    post->home = &s->world->executors[worker];
    post->done = on_done;
    assert_int_equal(gw_json_parse(text, strlen(text), &limits, &post->gesture.data, &err), 0);
    assert_int_equal(gw_gesture_check(post->gesture.data, 1024, &err), 0);
    world_enter(s->world, 0, worker);
    gw_hub_show(world_hub(s->world, 0, worker), post);
    world_leave(s->world);
}

/* Events, so that whoever is stalled falls behind, and further than is replayed. */
static void write_some(struct schedule *s)
{
    char text[100];
    const char *pointer = text;
    for (int i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "\"command_id\":\"t%u\",\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":%u}}", s->command_count,
                 s->command_count % 300 + 1);
        s->command_count++;
        struct world_batch *batch = world_submit(s->world, 0, 0, "r1", "", "ann", &pointer, 1);
        batch->older = s->batches;
        s->batches = batch;
    }
}

static void act(struct schedule *s)
{
    struct world_reader *reader = &s->readers[world_random(s->world, READERS)];
    switch (world_random(s->world, 9)) {
    case 0:
    case 1:
        open_or_close(s, reader);
        break;
    case 2:
        if (reader->is_open)
            world_reader_switch(reader, world_random(s->world, WORLD_PLANS));
        break;
    case 3:
        reader->is_stalled = !reader->is_stalled;
        break;
    case 4:
        write_some(s);
        break;
    case 5:
        world_tick(s->world, 1 + world_random(s->world, 4000));
        break;
    default:
        gesture(s);
    }
}

/* ---- what must have come of it -------------------------------------------------------------------------------------------------------------- */

/* value: what one stream was told, by actor; "" for nothing */
struct told {
    bool is_here[ACTORS];
    char gesture[ACTORS][100];
};

/* The text of field n, up to the end of the line where that is the last one of `fields`. */
static size_t field(const char *line, int n, int fields, const char **out)
{
    for (int i = 0; i < n; i++)
        line = strchr(line, '|') + 1;
    *out = line;
    return strcspn(line, n == fields - 1 ? "\n" : "|\n");
}

static void read_line(struct told *told, const char *line)
{
    const char *type, *actor, *data;
    field(line, 1, 5, &type);
    field(line, 2, 5, &actor);
    size_t length = field(line, 4, 5, &data);
    if (strncmp(data, "{\"status\":\"reset\"}", 18) == 0) {
        *told = (struct told){0};
        return;
    }
    size_t number = (size_t)strtoul(actor + strlen("actor"), NULL, 10);
    assert_true(number < ACTORS);
    if (strncmp(type, "presence", 8) == 0) {
        bool is_here = strncmp(data, "{\"status\":\"here\"", 16) == 0;
        assert_true(is_here || strncmp(data, "{\"status\":\"gone\"", 16) == 0);
        told->is_here[number] = is_here;
        if (!is_here)
            told->gesture[number][0] = '\0';
    } else {
        snprintf(told->gesture[number], sizeof told->gesture[number], "%.*s", (int)length, length == 2 ? "" : data);
    }
}

/* A new session goes on in the connection of the one before, when its lens was switched: its first verdict begins anew. */
static void read_all(const struct world_session *session, struct told *told)
{
    const char *at = session->bytes.data, *end = at + session->bytes.length, *newline;
    *told = (struct told){0};
    for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        if (at[0] == 'V')
            *told = (struct told){0};
        else if (at[0] == 'P')
            read_line(told, at);
    }
}

struct asking {
    struct gw_read read; /* first */
    struct gw_json *body;
};

static void on_roster(struct gw_read *read)
{
    static const struct gw_json_limits limits = {.max_bytes = 1 << 20, .max_depth = 8, .max_nodes = 4096};
    struct gw_error err;
    struct asking *asking = (struct asking *)(void *)read;
    if (read->status)
        fail_msg("%s: %s", read->err.id, read->err.message);
    assert_int_equal(gw_json_parse(read->body, read->body_length, &limits, &asking->body, &err), 0);
    gw_read_fini(read);
}

static void ask(struct schedule *s, const struct world_reader *reader, struct asking *asking)
{
    *asking = (struct asking){.read = {.kind = GW_READ_PRESENCE, .scope = world_scope("r1"), .set = reader->set}};
    asking->read.plan = gw_plan_ref(s->world->plans[reader->plan]);
    asking->read.home = &s->world->executors[0];
    asking->read.done = on_roster;
    world_enter(s->world, 0, 0);
    gw_hub_read(world_hub(s->world, 0, 0), &asking->read);
    world_leave(s->world);
    world_settle(s->world);
    assert_non_null(asking->body);
}

static void check_reader(struct schedule *s, const struct world_reader *reader)
{
    struct told told, expected = {0};
    struct asking asking;
    ask(s, reader, &asking);
    const struct gw_json *actors = gw_json_get(asking.body, "actors");
    for (size_t i = 0; i < gw_json_count(actors); i++) {
        const struct gw_json *entry = gw_json_at(actors, i), *shown = gw_json_get(entry, "gesture");
        const char *id = gw_json_text(gw_json_get(gw_json_get(entry, "actor"), "id"), NULL);
        if (strcmp(id, reader->arrival.actor.id) == 0)
            continue;
        size_t number = (size_t)strtoul(id + strlen("actor"), NULL, 10);
        struct gw_buffer text;
        gw_buffer_init(&text, 0);
        if (shown)
            gw_json_write(gw_json_get(shown, "data"), &text);
        expected.is_here[number] = true;
        snprintf(expected.gesture[number], sizeof expected.gesture[number], "%.*s", (int)text.length, text.data ? text.data : "");
        gw_buffer_fini(&text);
    }
    gw_json_unref(asking.body);
    read_all(reader->session, &told);
    for (size_t i = 0; i < ACTORS; i++) {
        assert_int_equal(told.is_here[i], expected.is_here[i]);
        assert_string_equal(told.gesture[i], expected.gesture[i]);
    }
}

/* Those without a stream and a lease have gone: what is left is who has one. */
static void check_owner(struct schedule *s)
{
    struct asking asking;
    struct world_reader all = {.plan = 0};
    size_t here = 0;
    bool is_here[ACTORS] = {false};
    for (size_t i = 0; i < READERS; i++)
        if (s->readers[i].is_open && s->readers[i].plan != 2 && !s->readers[i].session->is_refused)
            is_here[s->readers[i].arrival.actor.id[5] - '0'] = true;
    for (size_t i = 0; i < ACTORS; i++)
        here += is_here[i];
    ask(s, &all, &asking);
    assert_int_equal(gw_json_count(gw_json_get(asking.body, "actors")), here);
    gw_json_unref(asking.body);
}

static void check(struct schedule *s)
{
    for (size_t i = 0; i < READERS; i++) {
        struct world_reader *reader = &s->readers[i];
        reader->is_stalled = false;
        reader->shorts = 0;
    }
    world_settle(s->world);
    for (int i = 0; i < 3; i++) { /* what was not due is told, and a run that is down comes back */
        world_tick(s->world, 300);
        world_settle(s->world);
    }
    for (size_t i = 0; i < READERS; i++)
        if (s->readers[i].is_open && !s->readers[i].session->is_refused)
            check_reader(s, &s->readers[i]);
    world_tick(s->world, 60000);
    world_settle(s->world);
    check_owner(s);
}

static void run(uint64_t seed)
{
    struct schedule s = {0};
    struct world_opts opts;
    world_opts_default(&opts, seed);
    opts.workers = 1 + seed % WORLD_WORKERS;
    opts.limits.max_replay_events = 8;
    opts.limits.ring_bytes = 1024;
    s.world = world_create(&opts);
    const char *first[] = {"\"command_id\":\"m\",\"type\":\"canvas.mount\",\"canvas_id\":\"c1\",\"args\":{\"canvas_type\":\"planning\"}",
                           "\"command_id\":\"i\",\"type\":\"block.insert\",\"canvas_id\":\"c1\",\"args\":{\"block\":{\"id\":\"b1\","
                           "\"kind\":\"text\",\"parent\":null,\"text\":\"x\"}}"};
    struct world_batch *batch = world_submit(s.world, 0, 0, "r1", "", "ann", first, 2);
    world_settle(s.world);
    world_batch_destroy(batch);
    for (size_t i = 0; i < READERS; i++) {
        world_reader_init(&s.readers[i], s.world, "r1", 0);
        s.readers[i].shorts = 200;
    }
    for (int i = 0; i < 120; i++) {
        act(&s);
        if (seed % 3 == 0 && world_chance(s.world, 100))
            gw_alloc_fail_after(1 + (long)world_random(s.world, 40));
        for (uint64_t steps = world_random(s.world, 30); steps > 0 && world_step(s.world); steps--)
            ;
        gw_alloc_fail_after(0);
    }
    check(&s);
    for (size_t i = 0; i < READERS; i++)
        world_reader_fini(&s.readers[i]);
    world_settle(s.world);
    while (s.batches) {
        struct world_batch *last = s.batches;
        s.batches = last->older;
        world_batch_destroy(last);
    }
    world_destroy(s.world);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void every_stream_has_been_told_who_is_there(void **state)
{
    (void)state;
    uint64_t first = number_from("PRESENCE_SEED", 1), count = number_from("PRESENCE_SCHEDULES", 300);
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (count == 1)
            print_message("seed %llu\n", (unsigned long long)seed);
        run(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_stream_has_been_told_who_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
