/* The graph of a run as checkpoints keep and tell it, when events do not fit, and when memory is gone. */
#include "support/state_fixture.h"

#include "hub/graph.h"
#include "hub/ports.h"
#include "hub/state_internal.h"

#define NODE(members) "\"type\":\"graph.node.set\",\"args\":{" members "}"
#define EDGE(members) "\"type\":\"graph.edge.set\",\"args\":{" members "}"
#define RUN(members)  "\"type\":\"run.set_state\",\"args\":{" members "}"

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    f.author_kind = "agent";
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static char *graph_text(const struct gw_state *state)
{
    static const struct gw_plan all = {.class_id = 1, .sees_all = true};
    char *text = state_text(state, &all);
    struct gw_json *document = parse_json(text);
    gw_free(text);
    text = json_text(gw_json_get(document, "graph"));
    gw_json_unref(document);
    return text;
}

/* Two nodes and an edge between them. */
static void make_pair(struct fixture *f)
{
    must(f, NODE("\"id\":\"a\""));
    must(f, NODE("\"id\":\"b\""));
    must(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""));
}

struct chunks {
    char *items[64];
    size_t lengths[64];
    size_t count;
};

static int keep_chunk(void *arg, const char *bytes, size_t length)
{
    struct chunks *chunks = arg;
    assert_true(chunks->count < 64);
    chunks->items[chunks->count] = gw_try_strndup(bytes, length);
    chunks->lengths[chunks->count++] = length;
    return 0;
}

static void checkpoints_hold_the_graph(void **state)
{
    struct fixture *f = *state;
    struct chunks chunks = {.count = 0};
    make_pair(f);
    must(f, NODE("\"id\":\"a\",\"state\":\"running\",\"label\":\"x\",\"props\":{\"k\":[1,2]}"));
    f->author_kind = "service";
    must(f, NODE("\"id\":\"z\",\"vis\":\"staff\""));
    must(f, RUN("\"state\":\"planning\",\"detail\":\"d\""));
    assert_int_equal(gw_state_save(f->state, 100, keep_chunk, &chunks, &f->err), GW_OK);
    struct gw_state *loaded = create_state();
    assert_int_equal(gw_state_load(loaded, (const char *const *)chunks.items, chunks.lengths, chunks.count, &f->err), GW_OK);
    char *before = graph_text(f->state), *after = graph_text(loaded);
    assert_string_equal(before, after);
    assert_int_equal(gw_graph_node_author(gw_graph_node(loaded->graph, "a"))->kind, GW_ACTOR_AGENT);
    assert_int_equal(gw_graph_node_author(gw_graph_node(loaded->graph, "z"))->kind, GW_ACTOR_SERVICE);
    gw_free(before);
    gw_free(after);
    gw_state_destroy(loaded);
    for (size_t i = 0; i < chunks.count; i++)
        gw_free(chunks.items[i]);
}

/* Folds a checkpoint's frames into another state, as a reader would. */
static void fold_frame(void *arg, const struct gw_told_frame *frame)
{
    struct gw_state *reader = arg;
    struct gw_error err;
    struct gw_event *event = gw_event_create();
    char *text = gw_try_strndup(frame->data, frame->data_length);
    assert_null(frame->canvas_id);
    event->type = gw_event_type_parse(frame->type);
    event->seq = gw_state_seq(reader) + 1;
    event->data = parse_json(text);
    gw_free(text);
    assert_int_equal(gw_state_fold(reader, event, &err), GW_OK);
    gw_event_unref(event);
}

static void checkpoint_frames_fold_into_the_same_graph(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3000; i++) {
        char text[300];
        snprintf(text, sizeof text, NODE("\"id\":\"n%d\",\"label\":\"a label of some length to fill more than one frame of a checkpoint\""),
                 i);
        must(f, text);
    }
    must(f, EDGE("\"id\":\"e\",\"from\":\"n1\",\"to\":\"n2999\",\"state\":\"idle\""));
    must(f, RUN("\"state\":\"planning\",\"detail\":\"d\""));
    struct gw_state *reader = create_state();
    assert_int_equal(gw_state_write_run(f->state, LENS(f->plan), fold_frame, reader), GW_OK);
    assert_true(gw_state_seq(reader) > 1);
    char *before = graph_text(f->state), *after = graph_text(reader);
    assert_string_equal(before, after);
    gw_free(before);
    gw_free(after);
    gw_state_destroy(reader);
}

static void an_empty_graph_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct gw_state *reader = create_state();
    must(f, MOUNT);
    assert_int_equal(gw_state_write_run(f->state, LENS(f->plan), fold_frame, reader), GW_OK);
    assert_int_equal(gw_state_seq(reader), 0);
    gw_state_destroy(reader);
}

static int fold_text(struct fixture *f, const char *data)
{
    struct gw_event *event = gw_event_create();
    event->type = GW_EVENT_STATE_PATCH;
    event->seq = gw_state_seq(f->state) + 1;
    event->data = parse_json(data);
    int status = gw_state_fold(f->state, event, &f->err);
    gw_event_unref(event);
    return status;
}

static void damaged_events_are_said_to_be(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"{}",
                                      "{\"ops\":[{\"op\":\"node.set\"}]}",
                                      "{\"ops\":[{\"op\":\"node.set\",\"id\":\"a b\"}]}",
                                      "{\"ops\":[{\"op\":\"node.remove\",\"id\":\"a\"}]}",
                                      "{\"ops\":[{\"op\":\"edge.set\",\"id\":\"e\",\"from\":\"a\",\"to\":\"b\"}]}",
                                      "{\"ops\":[{\"op\":\"edge.remove\",\"id\":\"e\"}]}",
                                      "{\"ops\":[{\"op\":\"run.set_state\"}]}",
                                      "{\"ops\":[{\"op\":\"insert\"}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(fold_text(f, bad[i]), GW_EINVAL);
        assert_string_equal(f->err.id, "bad_event");
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------------- */

/* Runs `members` with each of its allocations failing once: either it is refused for want of memory, or it is taken. */
static void fail_everywhere(const char *const *history, size_t count, const char *members)
{
    for (long n = 1; n < 500; n++) {
        struct fixture f;
        struct gw_command command;
        struct gw_event_list events = {0};
        fixture_open(&f);
        f.author_kind = "agent";
        for (size_t i = 0; i < count; i++)
            must(&f, history[i]);
        make_command(&f, members, &command);
        gw_state_begin(f.state);
        gw_alloc_fail_after(n);
        int status = resolve_only(&f, &command, &events);
        if (!status)
            status = fold_all(&f, &events);
        bool has_reached = gw_alloc_fallible_count() >= n;
        gw_alloc_fail_after(0);
        if (status)
            assert_int_equal(status, GW_ENOMEM);
        gw_state_revert(f.state);
        gw_event_list_fini(&events);
        gw_command_fini(&command);
        fixture_close(&f);
        if (!has_reached)
            return;
    }
    fail();
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const history[] = {NODE("\"id\":\"a\",\"vis\":\"staff\",\"state\":\"running\""), NODE("\"id\":\"b\""),
                                          EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""), RUN("\"state\":\"x\"")};
    fail_everywhere(history, 4, NODE("\"id\":\"a\",\"vis\":null,\"state\":\"done\""));
    fail_everywhere(history, 4, NODE("\"id\":\"c\",\"label\":\"x\""));
    fail_everywhere(history, 4, NODE("\"id\":\"a\",\"remove\":true"));
    fail_everywhere(history, 4, EDGE("\"id\":\"e\",\"to\":\"a\""));
    fail_everywhere(history, 4, EDGE("\"id\":\"f\",\"from\":\"a\",\"to\":\"a\""));
    fail_everywhere(history, 4, EDGE("\"id\":\"e\",\"remove\":true"));
    fail_everywhere(history, 4, RUN("\"state\":\"y\",\"detail\":\"z\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(checkpoints_hold_the_graph),    TEST(checkpoint_frames_fold_into_the_same_graph), TEST(an_empty_graph_is_not_told),
        TEST(damaged_events_are_said_to_be), cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
