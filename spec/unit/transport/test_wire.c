/* test_wire.c — frames of one event for several classes: what they share is what each would have written itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/channel.h"
#include "hub/event.h"
#include "protocol/cursor.h"
#include "support/plans.h"
#include "transport/wire.h"

enum { CLASSES = 4 };

/* value: channels of one run; the third sees a part of the event, the fourth nothing */
struct world {
    struct gw_wire_codec *codec;
    struct gw_channel channels[CLASSES];
    struct gw_event *event;
};

static void open_channels(struct world *world)
{
    static const char *const globs[CLASSES] = {"[\"*\"]", "[\"*\",\"!other\"]", "[\"a\"]", "[\"none\"]"};
    for (size_t i = 0; i < CLASSES; i++) {
        struct gw_channel *channel = &world->channels[i];
        *channel = (struct gw_channel){.wire = gw_wire_codec_port(world->codec), .plan = plan_of_tokens(globs[i]), .epoch = 7};
        channel->scope = (struct gw_scope){.tenant_id = "acme", .mode = "dev", .project_id = "p1", .run_id = "r1"};
        gw_run_key_encode(&channel->scope, &channel->run);
    }
}

static int setup(void **state)
{
    static const uint8_t key[GW_CURSOR_KEY_BYTES] = {1};
    static const char data[] = "{\"set\":{\"a\":1,\"b\":\"two\"},\"unset\":[]}";
    static struct world world;
    struct gw_error err;
    world.codec = gw_wire_codec_create(gw_cursor_ring_create(key));
    open_channels(&world);
    world.event = gw_event_create();
    world.event->type = GW_EVENT_TOKEN_PATCH;
    world.event->seq = 5;
    snprintf(world.event->actor.id, sizeof world.event->actor.id, "ann");
    *state = &world;
    return gw_json_parse(data, sizeof data - 1, &(struct gw_json_limits){.max_bytes = sizeof data, .max_depth = 8, .max_nodes = 64},
                         &world.event->data, &err);
}

static int teardown(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < CLASSES; i++)
        gw_channel_fini(&world->channels[i]);
    gw_event_unref(world->event);
    gw_wire_codec_destroy(world->codec);
    return 0;
}

static void assert_same_bytes(const struct world *world, size_t i, struct gw_buffer *whole)
{
    struct gw_buffer shared, alone;
    bool is_event[2];
    gw_buffer_init(&shared, 0);
    gw_buffer_init(&alone, 0);
    int visible = gw_channel_encode(&world->channels[i], world->event, NULL, &alone, &is_event[0]);
    assert_int_equal(gw_channel_encode(&world->channels[i], world->event, whole, &shared, &is_event[1]), visible);
    assert_int_equal(visible, i < 3);
    assert_int_equal(shared.length, alone.length);
    assert_int_equal(is_event[0], is_event[1]);
    if (visible)
        assert_memory_equal(shared.data, alone.data, alone.length);
    gw_buffer_fini(&shared);
    gw_buffer_fini(&alone);
}

/* In every order, so that whoever comes first writes what the others take. */
static void classes_share_the_bytes_that_they_would_have_written(void **state)
{
    for (size_t first = 0; first < CLASSES; first++) {
        struct gw_buffer whole;
        gw_buffer_init(&whole, 0);
        for (size_t i = 0; i < CLASSES; i++)
            assert_same_bytes(*state, (first + i) % CLASSES, &whole);
        assert_non_null(memchr(whole.data, '{', whole.length));
        gw_buffer_fini(&whole);
    }
}

static void what_a_class_sees_in_part_is_shared_with_nobody(void **state)
{
    const struct world *world = *state;
    struct gw_buffer whole, out;
    bool is_event;
    gw_buffer_init(&whole, 0);
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_channel_encode(&world->channels[2], world->event, &whole, &out, &is_event), 1);
    assert_int_equal(whole.length, 0);
    assert_int_equal(gw_channel_encode(&world->channels[0], world->event, &whole, &out, &is_event), 1);
    size_t length = out.length;
    assert_int_equal(gw_channel_encode(&world->channels[2], world->event, &whole, &out, &is_event), 1);
    assert_null(memmem(out.data + length, out.length - length, "two", 3));
    gw_buffer_fini(&whole);
    gw_buffer_fini(&out);
}

static void what_cannot_be_shared_for_want_of_memory_is_written_by_each(void **state)
{
    const struct world *world = *state;
    struct gw_buffer whole;
    gw_buffer_init(&whole, 8); /* takes no more */
    assert_same_bytes(world, 0, &whole);
    assert_true(whole.has_failed);
    assert_same_bytes(world, 1, &whole);
    gw_buffer_fini(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(classes_share_the_bytes_that_they_would_have_written, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_class_sees_in_part_is_shared_with_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_shared_for_want_of_memory_is_written_by_each, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
