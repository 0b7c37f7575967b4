/* What a slow reader of an ephemeral table is told in the end: the newest of everybody, whatever was forgotten on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "hub/hub_internal.h"
#include "hub/subscriber.h"
#include "support/plain_wire.h"

#define ACTORS  300
#define READERS 4

static int64_t wall(void *self)
{
    (void)self;
    return 0;
}

static const struct gw_clock clock_at_0 = {.wall_ms = wall};

static uint64_t next_random(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static struct gw_ephemeral *make(size_t actor, enum gw_ephemeral_kind kind, unsigned value)
{
    char id[20], line[40];
    snprintf(id, sizeof id, "a%zu", actor);
    int length = snprintf(line, sizeof line, "%zu %u %u\n", actor, (unsigned)kind, value);
    struct gw_ephemeral *frame = gw_ephemeral_create(kind, id, line, (size_t)length);
    if (frame)
        frame->is_end = value == 0;
    return frame;
}

/* ---- a table, another one that follows it, and readers who follow that ---- */

struct reader {
    struct gw_subscriber subscriber;
    unsigned told[ACTORS][2];
};

struct crowd {
    uint64_t random;
    struct gw_ephemera owner;
    uint64_t outlet_told;
    struct gw_hub hub;
    struct gw_view view;
    struct reader readers[READERS];
    unsigned values[ACTORS][2];
    size_t resets;
};

static void change(struct crowd *c)
{
    size_t actor = next_random(&c->random, ACTORS);
    enum gw_ephemeral_kind kind = next_random(&c->random, 2) ? GW_EPHEMERAL_GESTURE : GW_EPHEMERAL_PRESENCE;
    unsigned value = (unsigned)next_random(&c->random, 3);
    c->values[actor][kind] = value;
    assert_int_equal(gw_ephemera_put(&c->owner, make(actor, kind, value), c->owner.version + 1), GW_OK);
}

static void tell_view(struct crowd *c)
{
    struct gw_ephemera_news news;
    if (!gw_ephemera_collect(&c->owner, c->outlet_told, &news))
        return;
    uint64_t version = news.version;
    c->outlet_told = gw_ephemera_apply(&c->view.ephemera, &news) ? 0 : version;
}

static void read_text(struct crowd *c, struct reader *reader)
{
    char *text = gw_try_strndup(reader->subscriber.control, reader->subscriber.control_length), *at = text;
    for (char *newline; (newline = strchr(at, '\n')); at = newline + 1) {
        size_t actor;
        unsigned kind, value;
        if (at[0] == 'P') {
            memset(reader->told, 0, sizeof reader->told);
            c->resets++;
        } else {
            assert_int_equal(sscanf(at, "%zu %u %u", &actor, &kind, &value), 3);
            reader->told[actor][kind] = value;
        }
    }
    gw_free(text);
    gw_free(reader->subscriber.control);
    reader->subscriber.control = NULL;
}

static bool show(struct crowd *c, struct reader *reader)
{
    if (gw_view_show(&c->view, &reader->subscriber) <= 0)
        return false;
    read_text(c, reader);
    return true;
}

static void act(struct crowd *c)
{
    switch (next_random(&c->random, 40)) {
    case 0:
        tell_view(c);
        break;
    case 1:
        show(c, &c->readers[next_random(&c->random, READERS)]);
        break;
    default:
        change(c);
    }
}

static void crowd_init(struct crowd *c, uint64_t seed)
{
    *c = (struct crowd){.random = seed};
    c->hub.opts.wire = plain_wire();
    c->hub.opts.clock = &clock_at_0;
    c->view.hub = &c->hub;
}

static void crowd_fini(struct crowd *c)
{
    gw_ephemera_fini(&c->owner);
    gw_ephemera_fini(&c->view.ephemera);
}

static void the_slowest_knows_in_the_end_who_is_there(void **state)
{
    (void)state;
    struct crowd *c = gw_alloc(sizeof *c);
    size_t resets = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        crowd_init(c, seed);
        for (int i = 0; i < 4000; i++)
            act(c);
        tell_view(c);
        for (size_t i = 0; i < READERS; i++) {
            while (show(c, &c->readers[i]))
                ;
            assert_memory_equal(c->readers[i].told, c->values, sizeof c->values);
        }
        resets += c->resets;
        crowd_fini(c);
    }
    assert_true(resets > 30); /* else nothing was ever forgotten */
    gw_free(c);
}

static void a_table_is_bounded_by_those_who_are_there(void **state)
{
    (void)state;
    struct crowd *c = gw_alloc(sizeof *c);
    crowd_init(c, 1);
    for (unsigned i = 0; i < 100000; i++) {
        char id[20];
        snprintf(id, sizeof id, "b%u", i);
        struct gw_ephemeral *end = gw_ephemeral_create(GW_EPHEMERAL_PRESENCE, id, "x", 1);
        end->is_end = true;
        assert_int_equal(gw_ephemera_put(&c->owner, end, c->owner.version + 1), GW_OK);
    }
    assert_int_equal(c->owner.count, GW_EPHEMERA_ENDS);
    crowd_fini(c);
    gw_free(c);
}

/* Of the processor, for 10,000 changes of what `count` actors do. */
static double cost_among(size_t count)
{
    struct gw_ephemera table = {0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(gw_ephemera_put(&table, make(i, GW_EPHEMERAL_GESTURE, 1), table.version + 1), GW_OK);
    clock_t from = clock();
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(gw_ephemera_put(&table, make(i * 7919 % count, GW_EPHEMERAL_GESTURE, 2), table.version + 1), GW_OK);
    double cost = (double)(clock() - from) / CLOCKS_PER_SEC;
    assert_int_equal(table.count, count);
    assert_true(table.slot_capacity <= 4 * count);
    gw_ephemera_fini(&table);
    return cost;
}

static void a_change_costs_little_among_many(void **state)
{
    (void)state;
    double few = cost_among(32), many = cost_among(32 * 512);
    if (many > 32 * few)
        fail_msg("10,000 changes cost %.3f s among few, and %.3f s among many", few, many);
}

/* ---- when memory is short, at any point, nothing is wrong that is not told later ---- */

static bool try_once(struct crowd *c, long n)
{
    gw_alloc_fail_after(n);
    struct gw_ephemeral *frame = make(7, GW_EPHEMERAL_PRESENCE, 2);
    if (frame && !gw_ephemera_put(&c->owner, frame, c->owner.version + 1))
        c->values[7][GW_EPHEMERAL_PRESENCE] = 2;
    tell_view(c);
    bool is_shown = gw_view_show(&c->view, &c->readers[0].subscriber) > 0;
    long used = gw_alloc_fallible_count();
    gw_alloc_fail_after(0);
    if (is_shown)
        read_text(c, &c->readers[0]);
    return used >= n;
}

static void allocations_may_fail_one_by_one(void **state)
{
    (void)state;
    struct crowd *c = gw_alloc(sizeof *c);
    bool has_failed = true;
    for (long n = 1; has_failed; n++) {
        crowd_init(c, 3);
        for (int i = 0; i < 200; i++)
            change(c);
        has_failed = try_once(c, n);
        change(c);
        tell_view(c);
        while (show(c, &c->readers[0]))
            ;
        assert_memory_equal(c->readers[0].told, c->values, sizeof c->values);
        crowd_fini(c);
    }
    gw_free(c);
}

static void ones_own_are_left_out(void **state)
{
    (void)state;
    struct crowd *c = gw_alloc(sizeof *c);
    struct gw_actor self = {.id = "a7"};
    crowd_init(c, 5);
    c->readers[0].subscriber.actor = &self;
    assert_int_equal(gw_ephemera_put(&c->view.ephemera, make(7, GW_EPHEMERAL_PRESENCE, 1), 1), GW_OK);
    assert_false(show(c, &c->readers[0]));
    assert_int_equal(gw_ephemera_put(&c->view.ephemera, make(8, GW_EPHEMERAL_PRESENCE, 1), 2), GW_OK);
    assert_true(show(c, &c->readers[0]));
    assert_int_equal(c->readers[0].told[7][0], 0);
    assert_int_equal(c->readers[0].told[8][0], 1);
    crowd_fini(c);
    gw_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_knows_in_the_end_who_is_there),
        cmocka_unit_test(a_table_is_bounded_by_those_who_are_there),
        cmocka_unit_test(a_change_costs_little_among_many),
        cmocka_unit_test(allocations_may_fail_one_by_one),
        cmocka_unit_test(ones_own_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
