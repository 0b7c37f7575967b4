/* Flows: their schema, and runs that are opened from them. */
#include "support/state_fixture.h"

#include "hub/graph_schema.h"

#define START "\"type\":\"run.start\",\"args\":{\"flow_id\":\"demo\"}"

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* Resolves and folds a run.start for which the registry answered `flow` (NULL: it has none). */
static int start(struct fixture *f, const char *members, const char *flow)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    make_command(f, members, &command);
    command.flow = flow ? parse_json(flow) : NULL;
    if (flow)
        assert_int_equal(gw_flow_check(command.flow, &f->err), GW_OK);
    int status = resolve_only(f, &command, &events);
    f->made = events.count;
    if (!status)
        assert_int_equal(fold_all(f, &events), GW_OK);
    gw_event_list_fini(&events);
    gw_command_fini(&command);
    return status;
}

#define DEMO                                                                                                                               \
    "{\"flow_id\":\"demo\",\"nodes\":[{\"id\":\"plan\",\"kind\":\"agent\",\"label\":\"Plan\"},{\"id\":\"write\",\"state\":\"held\"}],"     \
    "\"edges\":[{\"id\":\"e\",\"from\":\"plan\",\"to\":\"write\",\"label\":\"then\"}],"                                                    \
    "\"canvases\":[{\"canvas_id\":\"z\",\"canvas_type\":\"planning\"},{\"canvas_id\":\"a\",\"canvas_type\":\"sharing\"}]}"

static void a_run_opens_with_the_flows_graph_and_canvases(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start(f, START, DEMO), GW_OK);
    assert_int_equal(f->made, 4);
    assert_int_equal(f->log.items[0]->type, GW_EVENT_STATE_PATCH);
    assert_string_equal(f->log.items[0]->canvas_id, "");
    assert_int_equal(f->log.items[1]->type, GW_EVENT_CANVAS_READY);
    assert_string_equal(f->log.items[1]->canvas_id, "z");
    assert_string_equal(f->log.items[2]->canvas_id, "a");
    assert_json(f->log.items[3]->data, "{\"ops\":[{\"flow_id\":\"demo\",\"op\":\"run.set_state\",\"state\":\"running\"}]}");
    assert_json(f->log.items[0]->facets,
                "{\"edges\":{\"e\":{\"is\":\"new\"}},\"nodes\":{\"plan\":{\"author\":\"user\",\"is\":\"new\",\"kind\":\"agent\"},"
                "\"write\":{\"author\":\"user\",\"is\":\"new\"}}}");
    char *text = state_text(f->state, f->plan);
    assert_non_null(
        strstr(text, "\"graph\":{\"edges\":{\"e\":{\"from\":\"plan\",\"label\":\"then\",\"to\":\"write\"}},\"flow_id\":\"demo\",\"nodes\":{"
                     "\"plan\":{\"kind\":\"agent\",\"label\":\"Plan\",\"state\":\"pending\"},\"write\":{\"state\":\"held\"}},"
                     "\"state\":\"running\"}"));
    gw_free(text);
}

static void starting_again_from_the_same_flow_changes_nothing(void **state)
{
    struct fixture *f = *state;
    start(f, START, DEMO);
    f->author_kind = "agent";
    must(f, "\"type\":\"run.set_state\",\"args\":{\"state\":\"planning\"}");
    /* Whether the registry still has it does not matter. */
    assert_int_equal(start(f, START, NULL), GW_OK);
    assert_int_equal(f->made, 0);
    char *text = state_text(f->state, f->plan);
    assert_non_null(strstr(text, "\"flow_id\":\"demo\""));
    gw_free(text);
}

static void a_run_that_exists_is_not_opened(void **state)
{
    struct fixture *f = *state;
    start(f, START, DEMO);
    must_refuse(f, "\"type\":\"run.start\",\"args\":{\"flow_id\":\"other\"}", "run_exists", "/args/flow_id");
    assert_int_equal(f->err.code, GW_ECONFLICT);
    fixture_close(f);
    fixture_open(f);
    must(f, MOUNT);
    assert_int_equal(start(f, START, DEMO), GW_ECONFLICT);
    assert_string_equal(f->err.id, "run_exists");
}

static void a_flow_that_cannot_be_opened_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start(f, START, NULL), GW_ENOTFOUND);
    assert_string_equal(f->err.id, "unknown_flow");
    assert_string_equal(f->err.path, "/args/flow_id");
    must_refuse(f, "\"type\":\"run.start\",\"args\":{}", "missing_arg", "/args/flow_id");
    assert_int_equal(start(f, START, "{\"flow_id\":\"demo\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"nope\"}]}"), GW_ENOTFOUND);
    assert_string_equal(f->err.id, "unknown_canvas");
    assert_int_equal(start(f, START,
                           "{\"flow_id\":\"demo\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"planning\"},{\"canvas_id\":\"d\","
                           "\"canvas_type\":\"contradicting\"}]}"),
                     GW_ECONFLICT);
    assert_string_equal(f->err.id, "token_conflict");
    assert_int_equal(start(f, START, "{\"flow_id\":\"demo\",\"title\":\"\\u0007\"}"), GW_EINVAL);
    assert_string_equal(f->err.id, "bytes_refused");
    assert_int_equal(f->log.count, 0);
}

static void an_empty_flow_only_runs(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start(f, START, "{\"flow_id\":\"demo\",\"nodes\":{},\"edges\":[],\"canvases\":{}}"), GW_OK);
    assert_int_equal(f->made, 1);
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    for (long n = 1; n < 1000; n++) {
        struct gw_command command;
        struct gw_event_list events = {0};
        make_command(f, START, &command);
        command.flow = parse_json(DEMO);
        gw_alloc_fail_after(n);
        int status = resolve_only(f, &command, &events);
        bool has_reached = gw_alloc_fallible_count() >= n;
        gw_alloc_fail_after(0);
        if (status) {
            assert_int_equal(status, GW_ENOMEM);
            assert_int_equal(events.count, 0);
        }
        gw_event_list_fini(&events);
        gw_command_fini(&command);
        if (!has_reached)
            return;
    }
    fail();
}

/* ---- the schema ------------------------------------------------------------------------------------------------------------------------- */

static void flows_are_checked_with_the_path_of_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *flow, *id, *path;
    } bad[] = {
        {"[]", "bad_shape", ""},
        {"{}", "missing_member", "/flow_id"},
        {"{\"flow_id\":\"a b\"}", "bad_id", "/flow_id"},
        {"{\"flow_id\":\"f\",\"steps\":[]}", "unknown_member", "/steps"},
        {"{\"flow_id\":\"f\",\"title\":1}", "bad_shape", "/title"},
        {"{\"flow_id\":\"f\",\"nodes\":1}", "bad_shape", "/nodes"},
        {"{\"flow_id\":\"f\",\"nodes\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "named_twice", "/nodes/1/id"},
        {"{\"flow_id\":\"f\",\"nodes\":[{\"id\":\"a\",\"started_at\":\"x\"}]}", "unknown_member", "/nodes/0/started_at"},
        {"{\"flow_id\":\"f\",\"nodes\":[{\"id\":\"a\",\"props\":[]}]}", "bad_shape", "/nodes/0/props"},
        {"{\"flow_id\":\"f\",\"nodes\":[{\"kind\":\"a\"}]}", "missing_member", "/nodes/0/id"},
        {"{\"flow_id\":\"f\",\"nodes\":[1]}", "bad_shape", "/nodes/0"},
        {"{\"flow_id\":\"f\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[{\"id\":\"e\",\"from\":\"a\",\"to\":\"b\"}]}", "unknown_node",
         "/edges/0/to"},
        {"{\"flow_id\":\"f\",\"edges\":[{\"id\":\"e\",\"from\":\"a\"}]}", "missing_member", "/edges/0/to"},
        {"{\"flow_id\":\"f\",\"canvases\":[{\"canvas_id\":\"c\"}]}", "missing_member", "/canvases/0/canvas_type"},
        {"{\"flow_id\":\"f\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"x\"},{\"canvas_id\":\"c\",\"canvas_type\":\"y\"}]}",
         "named_twice", "/canvases/1/canvas_id"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gw_json *flow = parse_json(bad[i].flow);
        struct gw_error err;
        assert_int_equal(gw_flow_check(flow, &err), GW_EINVAL);
        assert_string_equal(err.id, bad[i].id);
        assert_string_equal(err.path, bad[i].path);
        gw_json_unref(flow);
    }
}

static void flows_are_limited(void **state)
{
    (void)state;
    struct gw_buffer text;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "{\"flow_id\":\"f\",\"nodes\":[{\"id\":\"n0\"}");
    for (int i = 1; i <= GW_FLOW_NODES_MAX; i++)
        gw_buffer_appendf(&text, ",{\"id\":\"n%d\"}", i);
    gw_buffer_append(&text, "]}", 3);
    struct gw_json *flow = parse_json(text.data);
    assert_int_equal(gw_flow_check(flow, &err), GW_ELIMIT);
    assert_string_equal(err.path, "/nodes");
    gw_json_unref(flow);
    gw_buffer_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_opens_with_the_flows_graph_and_canvases),
        TEST(starting_again_from_the_same_flow_changes_nothing),
        TEST(a_run_that_exists_is_not_opened),
        TEST(a_flow_that_cannot_be_opened_is_refused_whole),
        TEST(an_empty_flow_only_runs),
        TEST(every_allocation_may_fail),
        cmocka_unit_test(flows_are_checked_with_the_path_of_what_is_wrong),
        cmocka_unit_test(flows_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
