/* The bounded state that scripts pick a context from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "transport/context_view.h"

/* value: a state being written, as GET /v1/state does */
struct world {
    struct gw_buffer body;
    struct gw_json *view;
};

static int setup(void **state)
{
    static struct world world;
    gw_buffer_init(&world.body, 0);
    world.view = NULL;
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gw_buffer_fini(&world->body);
    gw_json_unref(world->view);
    return 0;
}

static void say(struct world *world, const char *text) { gw_buffer_append_text(&world->body, text); }

static void repeat(struct world *world, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        say(world, text);
}

static void view(struct world *world, const char *focus)
{
    struct gw_error err;
    gw_json_unref(world->view);
    assert_int_equal(gw_context_view(world->body.data, world->body.length, focus, &world->view, &err), 0);
}

static struct gw_json *at(const struct world *world, const char *path)
{
    char copy[128], *rest = copy, *name;
    struct gw_json *value = world->view;
    snprintf(copy, sizeof copy, "%s", path);
    while (value && (name = strsep(&rest, "/")))
        value = gw_json_is_object(value) ? gw_json_get(value, name) : NULL;
    return value;
}

static int64_t left(const struct world *world, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "left_out/%s", what);
    return gw_json_int(at(world, path));
}

static void what_fits_is_given_as_it_is(void **state)
{
    struct world *world = *state;
    say(world, "{\"cursor\":\"c\",\"canvases\":{\"c1\":{\"blocks\":{\"b\":{\"kind\":\"text\",\"parent\":null,\"pos\":\"V\",\"props\":{},"
               "\"text\":\"");
    repeat(world, "0123456789", 10000);
    say(world, "\"}},\"type\":\"planning\"}},\"chat\":{\"messages\":{},\"order\":[]},"
               "\"graph\":{\"detail\":\"\",\"edges\":{},\"flow_id\":\"\",\"nodes\":{},\"state\":null},\"tokens\":{\"a\":1}}");
    view(world, NULL);
    size_t length;
    (void)gw_json_text(at(world, "canvases/c1/blocks/b/text"), &length);
    assert_int_equal(length, 100000);
    assert_null(at(world, "canvases/c1/blocks/b/text_bytes"));
    assert_int_equal(left(world, "texts"), 0);
    assert_int_equal(left(world, "blocks"), 0);
}

static void write_block(struct world *world, size_t number, const char *parent, size_t words)
{
    gw_buffer_appendf(&world->body, "%s\"b%zu\":{\"kind\":\"text\",\"parent\":%s,\"pos\":\"P%06zu\",\"props\":{},\"text\":\"",
                      number ? "," : "", number, parent, 900000 - number);
    repeat(world, "0123456789", words);
    say(world, "\"}");
}

/* Each has its children behind it in the text, and stands before those of a lower number. */
static void write_canvas(struct world *world, const char *id, size_t count, size_t words)
{
    char parent[24];
    gw_buffer_appendf(&world->body, "\"%s\":{\"blocks\":{", id);
    for (size_t i = 0; i < count; i++) {
        snprintf(parent, sizeof parent, "\"b%zu\"", i - i % 10);
        write_block(world, i, i % 10 ? parent : "null", words);
    }
    say(world, "},\"type\":\"planning\"}");
}

static void finish(struct world *world)
{
    say(world, "},\"chat\":{\"messages\":{");
    for (size_t i = 0; i < 300; i++) {
        gw_buffer_appendf(&world->body, "%s\"m%zu\":{\"text\":\"", i ? "," : "", i);
        repeat(world, "0123456789", 100);
        say(world, "\"}");
    }
    say(world, "},\"order\":[");
    for (size_t i = 300; i > 0; i--)
        gw_buffer_appendf(&world->body, "%s\"m%zu\"", i < 300 ? "," : "", i - 1);
    say(world, "]},\"graph\":{\"detail\":\"d\",\"edges\":{\"e1\":{\"from\":\"n1\",\"to\":\"n2\"},\"e2\":{\"from\":\"n1\",\"to\":\"n999\"}},"
               "\"flow_id\":\"f\",\"nodes\":{");
    for (size_t i = 0; i < 1000; i++) {
        gw_buffer_appendf(&world->body, "%s\"n%zu\":{\"label\":\"", i ? "," : "", i);
        repeat(world, "0123456789", 10);
        say(world, "\"}");
    }
    say(world, "},\"state\":\"running\"},\"tokens\":{\"a\":\"");
    repeat(world, "0123456789", 5000);
    say(world, "\",\"b\":\"short\"}}");
}

static void begin(struct world *world) { say(world, "{\"cursor\":\"c\",\"canvases\":{"); }

static void of_a_large_one_each_part_has_its_share(void **state)
{
    struct world *world = *state;
    begin(world);
    write_canvas(world, "c0", 2000, 20);
    say(world, ",");
    write_canvas(world, "c1", 400, 20);
    finish(world);
    view(world, "c1");
    assert_int_equal(gw_json_count(at(world, "canvases/c1/blocks")), 400);
    size_t c0 = gw_json_count(at(world, "canvases/c0/blocks"));
    assert_in_range(c0, 400, 700);
    assert_int_equal(left(world, "blocks"), 2000 - (int64_t)c0);
    assert_string_equal(gw_json_text(at(world, "canvases/c0/type"), NULL), "planning");
    assert_non_null(at(world, "canvases/c0/blocks/b1990")); /* the first as one reads them, */
    assert_non_null(at(world, "canvases/c0/blocks/b1999")); /* and what is below it */
    assert_null(at(world, "canvases/c0/blocks/b0"));
    assert_string_equal(gw_json_text(at(world, "graph/state"), NULL), "running");
    assert_int_equal(gw_json_count(at(world, "graph/nodes")) + (size_t)left(world, "nodes"), 1000);
    assert_true(left(world, "nodes") > 0);
    assert_non_null(at(world, "graph/edges/e1"));
    assert_null(at(world, "graph/edges/e2"));
    assert_int_equal(left(world, "edges"), 1);
    assert_null(at(world, "tokens/a"));
    assert_non_null(at(world, "tokens/b"));
    assert_int_equal(left(world, "tokens"), 1);
    size_t messages = gw_json_count(at(world, "chat/messages"));
    assert_int_equal(messages + (size_t)left(world, "messages"), 300);
    assert_int_equal(gw_json_count(at(world, "chat/order")), messages);
    assert_non_null(at(world, "chat/messages/m0")); /* the newest */
    assert_null(at(world, "chat/messages/m299"));
    assert_string_equal(gw_json_text(gw_json_at(at(world, "chat/order"), messages - 1), NULL), "m0");
}

static void long_texts_are_cut(void **state)
{
    struct world *world = *state;
    begin(world);
    write_canvas(world, "c0", 20, 5000);
    finish(world);
    view(world, NULL);
    size_t length;
    const char *text = gw_json_text(at(world, "canvases/c0/blocks/b3/text"), &length);
    assert_int_equal(length, GW_CONTEXT_TEXT_BYTES + 3);
    assert_string_equal(text + GW_CONTEXT_TEXT_BYTES, "\xE2\x80\xA6");
    assert_int_equal(gw_json_int(at(world, "canvases/c0/blocks/b3/text_bytes")), 50000);
    assert_int_equal(left(world, "texts"), 20);
    assert_int_equal(left(world, "blocks"), 0);
}

static void one_that_is_too_large_goes_with_what_is_below_it(void **state)
{
    struct world *world = *state;
    begin(world);
    say(world, "\"c0\":{\"blocks\":{\"a\":{\"kind\":\"x\",\"parent\":null,\"pos\":\"A\",\"props\":{\"p\":\"");
    repeat(world, "0123456789", 60000);
    say(world, "\"},\"text\":\"\"},\"b\":{\"kind\":\"x\",\"parent\":\"a\",\"pos\":\"A\",\"props\":{},\"text\":\"\"},"
               "\"c\":{\"kind\":\"x\",\"parent\":null,\"pos\":\"B\",\"props\":{},\"text\":\"\"}},\"type\":\"planning\"}");
    finish(world);
    view(world, "none");
    assert_int_equal(gw_json_count(at(world, "canvases/c0/blocks")), 1);
    assert_non_null(at(world, "canvases/c0/blocks/c"));
    assert_int_equal(left(world, "blocks"), 2);
}

static void many_small_blocks_are_too_many(void **state)
{
    struct world *world = *state;
    begin(world);
    write_canvas(world, "c0", GW_CONTEXT_BLOCKS + 10, 0);
    say(world, "},\"chat\":{\"messages\":{},\"order\":[]},\"graph\":{\"edges\":{},\"nodes\":{},\"state\":null},\"tokens\":{}}");
    assert_true(world->body.length < GW_CONTEXT_VIEW_BYTES);
    view(world, NULL);
    assert_int_equal(gw_json_count(at(world, "canvases/c0/blocks")), GW_CONTEXT_BLOCKS);
    assert_int_equal(left(world, "blocks"), 10);
}

static void the_same_state_gives_the_same_view(void **state)
{
    struct world *world = *state;
    struct gw_buffer texts[2];
    begin(world);
    write_canvas(world, "c0", 3000, 3);
    finish(world);
    for (int i = 0; i < 2; i++) {
        gw_buffer_init(&texts[i], 0);
        view(world, "c0");
        gw_json_write_canonical(world->view, &texts[i]);
    }
    assert_int_equal(texts[0].length, texts[1].length);
    assert_memory_equal(texts[0].data, texts[1].data, texts[0].length);
    assert_true(texts[0].length < GW_CONTEXT_VIEW_BYTES + 4096);
    gw_buffer_fini(&texts[0]);
    gw_buffer_fini(&texts[1]);
}

static void every_lost_allocation_is_told(void **state)
{
    struct world *world = *state;
    struct gw_error err;
    int status = GW_ENOMEM;
    begin(world);
    write_canvas(world, "c0", 3, 20000);
    finish(world);
    for (long n = 1; status; n += n < 100 ? 1 : 97) {
        gw_alloc_fail_after(n);
        status = gw_context_view(world->body.data, world->body.length, NULL, &world->view, &err);
        gw_alloc_fail_after(0);
        assert_true(status == GW_OK || status == GW_ENOMEM);
        assert_int_equal(status == GW_OK, world->view != NULL);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_fits_is_given_as_it_is),
        TEST(of_a_large_one_each_part_has_its_share),
        TEST(long_texts_are_cut),
        TEST(one_that_is_too_large_goes_with_what_is_below_it),
        TEST(many_small_blocks_are_too_many),
        TEST(the_same_state_gives_the_same_view),
        TEST(every_lost_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
