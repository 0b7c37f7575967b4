/* The graph of a run: commands, their events and facets, conditions, the journal. */
#include "support/state_fixture.h"

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

static void assert_graph(const struct fixture *f, const char *expected)
{
    char *text = graph_text(f->state);
    assert_string_equal(text, expected);
    gw_free(text);
}

/* Two nodes and an edge between them. */
static void make_pair(struct fixture *f)
{
    must(f, NODE("\"id\":\"a\""));
    must(f, NODE("\"id\":\"b\""));
    must(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""));
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------------ */

static void a_node_event_is_run_wide_and_holds_the_whole_node(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    must(f, ON_C NODE("\"id\":\"n\",\"kind\":\"agent\",\"label\":\"Plan\",\"props\":{\"model\":\"x\"},\"vis\":\"staff\""));
    assert_int_equal(last_event(f)->type, GW_EVENT_STATE_PATCH);
    assert_string_equal(last_event(f)->canvas_id, "");
    must(f, NODE("\"id\":\"n\",\"state\":\"pending\""));
    assert_json(last_event(f)->data,
                "{\"ops\":[{\"id\":\"n\",\"kind\":\"agent\",\"label\":\"Plan\",\"op\":\"node.set\",\"props\":{\"model\":\"x\"},"
                "\"state\":\"pending\",\"vis\":\"staff\"}]}");
    assert_graph(f,
                 "{\"edges\":{},\"nodes\":{\"n\":{\"kind\":\"agent\",\"label\":\"Plan\",\"props\":{\"model\":\"x\"},\"state\":\"pending\","
                 "\"vis\":\"staff\"}},\"state\":null}");
}

static void a_change_of_state_is_stamped_with_the_events_time(void **state)
{
    struct fixture *f = *state;
    f->ts_ms = 1000;
    must(f, NODE("\"id\":\"n\",\"state\":\"running\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{\"started_at\":\"1970-01-01T00:00:01.000Z\",\"state\":\"running\"}},\"state\":null}");
    f->ts_ms = 2500;
    must(f, NODE("\"id\":\"n\",\"state\":\"done\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{\"ended_at\":\"1970-01-01T00:00:02.500Z\",\"started_at\":\"1970-01-01T00:00:01.000Z\","
                    "\"state\":\"done\"}},\"state\":null}");
    f->ts_ms = 3000;
    must(f, NODE("\"id\":\"n\",\"state\":\"running\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{\"started_at\":\"1970-01-01T00:00:03.000Z\",\"state\":\"running\"}},\"state\":null}");
}

static void going_on_after_a_pause_keeps_the_start(void **state)
{
    struct fixture *f = *state;
    f->ts_ms = 1000;
    must(f, NODE("\"id\":\"n\",\"state\":\"running\""));
    f->ts_ms = 2000;
    must(f, NODE("\"id\":\"n\",\"state\":\"paused\""));
    must(f, NODE("\"id\":\"n\",\"state\":\"running\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{\"started_at\":\"1970-01-01T00:00:01.000Z\",\"state\":\"running\"}},\"state\":null}");
}

static void timings_that_are_given_stand_in_utc(void **state)
{
    struct fixture *f = *state;
    must(f, NODE("\"id\":\"n\",\"state\":\"done\",\"started_at\":\"2026-01-27T11:00:00+01:00\",\"ended_at\":\"2026-01-27T10:00:01.5Z\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{\"ended_at\":\"2026-01-27T10:00:01.500Z\",\"started_at\":\"2026-01-27T10:00:00.000Z\","
                    "\"state\":\"done\"}},\"state\":null}");
}

static void null_takes_a_member_away(void **state)
{
    struct fixture *f = *state;
    must(f, NODE("\"id\":\"n\",\"label\":\"x\",\"props\":{\"a\":1},\"vis\":\"staff\""));
    must(f, NODE("\"id\":\"n\",\"label\":null,\"props\":null,\"vis\":null"));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"n\":{}},\"state\":null}");
}

static void what_changes_nothing_makes_no_event(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    must(f, RUN("\"state\":\"planning\",\"detail\":\"d\""));
    static const char *const again[] = {NODE("\"id\":\"a\""), EDGE("\"id\":\"e\""), RUN("\"state\":\"planning\",\"detail\":\"d\""),
                                        NODE("\"id\":\"x\",\"remove\":true"), EDGE("\"id\":\"x\",\"remove\":true")};
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        must(f, again[i]);
        assert_int_equal(f->made, 0);
    }
}

static void bad_members_are_refused_with_their_path(void **state)
{
    struct fixture *f = *state;
    char big[9000];
    must_refuse(f, NODE("\"kind\":\"x\""), "missing_arg", "/args/id");
    must_refuse(f, NODE("\"id\":\"a b\""), "bad_id", "/args/id");
    must_refuse(f, NODE("\"id\":\"n\",\"colour\":1"), "unknown_member", "/args/colour");
    must_refuse(f, NODE("\"id\":\"n\",\"state\":\"two words\""), "bad_id", "/args/state");
    must_refuse(f, NODE("\"id\":\"n\",\"kind\":7"), "bad_id", "/args/kind");
    must_refuse(f, NODE("\"id\":\"n\",\"label\":7"), "bad_shape", "/args/label");
    must_refuse(f, NODE("\"id\":\"n\",\"props\":[]"), "bad_shape", "/args/props");
    must_refuse(f, NODE("\"id\":\"n\",\"started_at\":\"yesterday\""), "bad_time", "/args/started_at");
    must_refuse(f, NODE("\"id\":\"n\",\"ended_at\":1"), "bad_time", "/args/ended_at");
    must_refuse(f, NODE("\"id\":\"n\",\"remove\":1"), "bad_shape", "/args/remove");
    must_refuse(f, NODE("\"id\":\"n\",\"label\":\"\\u0007\""), "bytes_refused", "/args/label");
    must_refuse(f, RUN("\"detail\":\"x\""), "missing_arg", "/args/state");
    must_refuse(f, RUN("\"state\":\"x\",\"detail\":1"), "bad_shape", "/args/detail");
    memset(big, 'x', sizeof big);
    for (size_t i = 10; i < sizeof big; i += 10)
        big[i] = ' ';
    snprintf(big, sizeof big, "%s", NODE("\"id\":\"n\",\"label\":\""));
    size_t start = strlen(big);
    memset(big + start, 'y', 201);
    memcpy(big + start + 201, "\"}", 3);
    must_refuse(f, big, "too_long", "/args/label");
    snprintf(big, sizeof big, "%s", NODE("\"id\":\"n\",\"props\":{\"p\":\""));
    start = strlen(big) - 1;
    for (size_t i = start; i < start + 8192; i++)
        big[i] = i % 9 ? 'z' : ' ';
    memcpy(big + start + 8192, "\"}}", 4);
    must_refuse(f, big, "limit_node_bytes", "/args/props");
}

static void users_may_not_write_the_graph(void **state)
{
    struct fixture *f = *state;
    f->author_kind = "user";
    must_refuse(f, NODE("\"id\":\"n\""), "not_allowed", "/type");
    assert_int_equal(f->err.code, GW_EDENIED);
    must_refuse(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""), "not_allowed", "/type");
    must_refuse(f, RUN("\"state\":\"x\""), "not_allowed", "/type");
    f->author_kind = "service";
    must(f, NODE("\"id\":\"n\""));
}

/* ---- edges ------------------------------------------------------------------------------------------------------------------------------ */

static void an_edge_needs_both_ends(void **state)
{
    struct fixture *f = *state;
    must(f, NODE("\"id\":\"a\""));
    must_refuse(f, EDGE("\"id\":\"e\",\"from\":\"a\""), "missing_arg", "/args/to");
    must_refuse(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""), "unknown_node", "/args/to");
    must_refuse(f, EDGE("\"id\":\"e\",\"from\":\"b\",\"to\":\"a\""), "unknown_node", "/args/from");
    must(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"a\",\"label\":\"again\""));
    assert_graph(f, "{\"edges\":{\"e\":{\"from\":\"a\",\"label\":\"again\",\"to\":\"a\"}},\"nodes\":{\"a\":{}},\"state\":null}");
}

static void an_edge_keeps_what_a_command_does_not_name(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    must(f, EDGE("\"id\":\"e\",\"label\":\"x\""));
    must(f, EDGE("\"id\":\"e\",\"state\":\"active\",\"to\":\"a\""));
    assert_json(last_event(f)->data,
                "{\"ops\":[{\"from\":\"a\",\"id\":\"e\",\"label\":\"x\",\"op\":\"edge.set\",\"state\":\"active\",\"to\":\"a\"}]}");
}

static void a_node_takes_its_edges_with_it(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    must(f, EDGE("\"id\":\"loop\",\"from\":\"b\",\"to\":\"b\""));
    must(f, EDGE("\"id\":\"other\",\"from\":\"a\",\"to\":\"a\""));
    must(f, NODE("\"id\":\"b\",\"remove\":true"));
    assert_json(last_event(f)->data, "{\"ops\":[{\"id\":\"b\",\"op\":\"node.remove\"}]}");
    assert_graph(f, "{\"edges\":{\"other\":{\"from\":\"a\",\"to\":\"a\"}},\"nodes\":{\"a\":{}},\"state\":null}");
    must(f, EDGE("\"id\":\"other\",\"remove\":true"));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"a\":{}},\"state\":null}");
}

static void nodes_and_edges_are_limited(void **state)
{
    struct fixture *f = *state;
    f->state->limits.max_nodes = 2;
    f->state->limits.max_edges = 1;
    make_pair(f);
    must_refuse(f, NODE("\"id\":\"c\""), "limit_nodes", "/args/id");
    must_refuse(f, EDGE("\"id\":\"e2\",\"from\":\"a\",\"to\":\"b\""), "limit_edges", "/args/id");
    must(f, NODE("\"id\":\"b\",\"label\":\"x\""));
    must(f, NODE("\"id\":\"b\",\"remove\":true"));
    must(f, NODE("\"id\":\"c\""));
    must(f, EDGE("\"id\":\"e2\",\"from\":\"a\",\"to\":\"c\""));
}

/* ---- facets ----------------------------------------------------------------------------------------------------------------------------- */

static void facets_name_every_node_touched_and_what_changed(void **state)
{
    struct fixture *f = *state;
    must(f, NODE("\"id\":\"a\",\"vis\":\"staff\""));
    assert_json(last_event(f)->facets, "{\"edges\":{},\"nodes\":{\"a\":{\"author\":\"agent\",\"is\":\"new\",\"vis\":\"staff\"}}}");
    f->author_kind = "service";
    must(f, NODE("\"id\":\"b\""));
    must(f, EDGE("\"id\":\"e\",\"from\":\"a\",\"to\":\"b\""));
    assert_json(last_event(f)->facets, "{\"edges\":{\"e\":{\"is\":\"new\"}},\"nodes\":{\"a\":{\"author\":\"agent\",\"vis\":\"staff\"},"
                                       "\"b\":{\"author\":\"service\"}}}");
    must(f, NODE("\"id\":\"a\",\"vis\":null"));
    assert_json(
        last_event(f)->facets,
        "{\"edges\":{\"e\":{\"edge\":{\"from\":\"a\",\"to\":\"b\"}}},\"nodes\":{\"a\":{\"author\":\"agent\",\"was\":{\"vis\":\"staff\"}},"
        "\"b\":{\"author\":\"service\"}}}");
    must(f, EDGE("\"id\":\"e\",\"to\":\"a\""));
    assert_json(last_event(f)->facets, "{\"edges\":{\"e\":{\"was\":{\"from\":\"a\",\"to\":\"b\"}}},\"nodes\":{\"a\":{\"author\":\"agent\"},"
                                       "\"b\":{\"author\":\"service\"}}}");
    must(f, EDGE("\"id\":\"e\",\"remove\":true"));
    assert_json(last_event(f)->facets,
                "{\"edges\":{\"e\":{\"is\":\"gone\",\"was\":{\"from\":\"a\",\"to\":\"a\"}}},\"nodes\":{\"a\":{\"author\":\"agent\"}}}");
    must(f, NODE("\"id\":\"a\",\"remove\":true"));
    assert_json(last_event(f)->facets, "{\"edges\":{},\"nodes\":{\"a\":{\"author\":\"agent\",\"is\":\"gone\"}}}");
}

/* ---- the run's state, conditions -------------------------------------------------------------------------------------------------------- */

static void the_runs_state_is_a_word_with_a_detail(void **state)
{
    struct fixture *f = *state;
    must(f, RUN("\"state\":\"planning\",\"detail\":\"two of five\""));
    assert_graph(f, "{\"detail\":\"two of five\",\"edges\":{},\"nodes\":{},\"state\":\"planning\"}");
    must(f, RUN("\"state\":\"done\""));
    assert_graph(f, "{\"edges\":{},\"nodes\":{},\"state\":\"done\"}");
}

static void conditions_may_ask_for_the_graph(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    must(f, RUN("\"state\":\"planning\""));
    must(f, "\"if\":{\"/graph/state\":\"planning\",\"/graph/flow_id\":null,\"/graph/nodes/a\":\"a\",\"/graph/nodes/x\":null,"
            "\"/graph/nodes/a/state\":null,\"/graph/edges/e/to\":\"b\"}," NODE("\"id\":\"a\",\"state\":\"running\""));
    must_refuse(f, "\"if\":{\"/graph/nodes/a/state\":null}," NODE("\"id\":\"a\",\"state\":\"done\""), "condition_failed",
                "/if/~1graph~1nodes~1a~1state");
    must_refuse(f, "\"if\":{\"/graph/state\":\"done\"}," NODE("\"id\":\"a\",\"state\":\"done\""), "condition_failed", "/if/~1graph~1state");
    must_refuse(f, "\"if\":{\"/graph/mood\":null}," NODE("\"id\":\"a\",\"state\":\"done\""), "bad_condition", "/if/~1graph~1mood");
    must_refuse(f, "\"if\":{\"/graph/nodes\":null}," NODE("\"id\":\"a\",\"state\":\"done\""), "bad_condition", "/if/~1graph~1nodes");
}

/* ---- journal ------------------------------------------------------------------------------------------------------------------------- */

static void a_reverted_group_leaves_the_graph_as_it_was(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    must(f, RUN("\"state\":\"planning\""));
    char *before = graph_text(f->state);
    for (int round = 0; round < 2; round++) {
        gw_state_begin(f->state);
        must(f, NODE("\"id\":\"a\",\"label\":\"x\""));
        must(f, NODE("\"id\":\"b\",\"remove\":true"));
        must(f, NODE("\"id\":\"b\",\"label\":\"again\""));
        must(f, EDGE("\"id\":\"e\",\"from\":\"b\",\"to\":\"a\""));
        must(f, NODE("\"id\":\"c\""));
        must(f, EDGE("\"id\":\"e2\",\"from\":\"c\",\"to\":\"b\""));
        must(f, EDGE("\"id\":\"e\",\"to\":\"c\""));
        must(f, NODE("\"id\":\"c\",\"remove\":true"));
        must(f, NODE("\"id\":\"b\",\"remove\":true"));
        must(f, RUN("\"state\":\"done\""));
        gw_state_revert(f->state);
        char *after = graph_text(f->state);
        assert_string_equal(before, after);
        gw_free(after);
    }
    gw_free(before);
    must(f, NODE("\"id\":\"b\",\"remove\":true"));
    assert_graph(f, "{\"edges\":{},\"nodes\":{\"a\":{}},\"state\":\"planning\"}");
}

static void a_kept_group_of_removals_and_returns_stands(void **state)
{
    struct fixture *f = *state;
    make_pair(f);
    gw_state_begin(f->state);
    for (int round = 0; round < 3; round++) {
        must(f, NODE("\"id\":\"b\",\"remove\":true"));
        must(f, NODE("\"id\":\"b\""));
        must(f, EDGE("\"id\":\"e\",\"from\":\"b\",\"to\":\"b\""));
    }
    must(f, NODE("\"id\":\"a\",\"remove\":true"));
    gw_state_keep(f->state);
    assert_graph(f, "{\"edges\":{\"e\":{\"from\":\"b\",\"to\":\"b\"}},\"nodes\":{\"b\":{}},\"state\":null}");
    gw_state_begin(f->state);
    must(f, NODE("\"id\":\"b\",\"remove\":true"));
    must(f, NODE("\"id\":\"b\""));
    must(f, NODE("\"id\":\"b\",\"remove\":true"));
    gw_state_keep(f->state);
    assert_graph(f, "{\"edges\":{},\"nodes\":{},\"state\":null}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_node_event_is_run_wide_and_holds_the_whole_node),
        TEST(a_change_of_state_is_stamped_with_the_events_time),
        TEST(going_on_after_a_pause_keeps_the_start),
        TEST(timings_that_are_given_stand_in_utc),
        TEST(null_takes_a_member_away),
        TEST(what_changes_nothing_makes_no_event),
        TEST(bad_members_are_refused_with_their_path),
        TEST(users_may_not_write_the_graph),
        TEST(an_edge_needs_both_ends),
        TEST(an_edge_keeps_what_a_command_does_not_name),
        TEST(a_node_takes_its_edges_with_it),
        TEST(nodes_and_edges_are_limited),
        TEST(facets_name_every_node_touched_and_what_changed),
        TEST(the_runs_state_is_a_word_with_a_detail),
        TEST(conditions_may_ask_for_the_graph),
        TEST(a_reverted_group_leaves_the_graph_as_it_was),
        TEST(a_kept_group_of_removals_and_returns_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
