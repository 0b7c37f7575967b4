/* From a command to its event, or to the refusal that names path and rule. */
#include "support/state_fixture.h"

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    must(&f, MOUNT);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define INSERT(members) ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{" members "}}"
#define UPDATE(members) ON_C "\"type\":\"block.update\",\"args\":{" members "}"
#define MOVE(members)   ON_C "\"type\":\"block.move\",\"args\":{" members "}"
#define REMOVE(id)      ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"" id "\"}"
#define TEXT(id, text)  INSERT("\"id\":\"" id "\",\"kind\":\"text\",\"parent\":null,\"text\":\"" text "\"")

#define SPLICE(base, more, id, at, del, ins)                                                                                               \
    ON_C "\"type\":\"block.splice\",\"base\":\"" #base "\"," more "\"args\":{\"id\":\"" id "\",\"at\":" #at ",\"del\":" #del               \
         ",\"ins\":\"" ins "\"}"
#define BY(origin, n) "\"origin\":\"" origin "\",\"n\":" #n ","

static const struct gw_json *op_of(struct fixture *f, size_t index) { return gw_json_at(gw_json_get(last_event(f)->data, "ops"), index); }

/* A member of a block in the written state; the caller does not own it: it lives until the next call. */
static const struct gw_json *block_member(struct fixture *f, const char *id, const char *member)
{
    static struct gw_json *all;
    gw_json_unref(all);
    char *text = state_text(f->state, f->plan);
    all = parse_json(text);
    gw_free(text);
    return gw_json_get(gw_json_get(gw_json_get(gw_json_get(gw_json_get(all, "canvases"), "c"), "blocks"), id), member);
}

/* ---- all commands
 * ------------------------------------------------------------------------------------------------------------------------ */

static void what_cannot_be_written_or_is_no_command_is_refused(void **state)
{
    struct fixture *f = *state;
    must_refuse(f, "\"type\":\"block.paint\",\"args\":{}", "unknown_command", "/type");
    must_refuse(f, "\"type\":\"block.remove\",\"args\":{\"id\":\"x\"}", "missing_id", "/canvas_id");
    must_refuse(f, "\"canvas_id\":\"z\",\"type\":\"block.remove\",\"args\":{\"id\":\"x\"}", "canvas_not_mounted", "/canvas_id");
    fixture_set_plan(f, plan_of("{}"));
    must_refuse(f, TEXT("a", ""), "not_allowed", "/type");
    assert_int_equal(f->err.code, GW_EDENIED);
}

static void a_mount_is_idempotent_and_keeps_its_type(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    assert_int_equal(f->made, 0);
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"c\",\"args\":{\"canvas_type\":\"sharing\"}", "canvas_exists",
                "/args/canvas_type");
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"nope\"}", "unknown_canvas",
                "/args/canvas_type");
    must_refuse(f, "\"type\":\"canvas.mount\",\"args\":{\"canvas_type\":\"planning\"}", "missing_id", "/canvas_id");
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{}", "missing_arg", "/args/canvas_type");
}

static void a_run_holds_so_many_canvases(void **state)
{
    struct fixture *f = *state;
    char members[160];
    for (int i = 1; i < 32; i++) {
        snprintf(members, sizeof members, "\"type\":\"canvas.mount\",\"canvas_id\":\"c%d\",\"args\":{\"canvas_type\":\"planning\"}", i);
        must(f, members);
    }
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"planning\"}", "limit_canvases", "/canvas_id");
    assert_string_equal(f->err.limit_name, "max_canvases");
}

static void commands_of_an_origin_come_in_order(void **state)
{
    struct fixture *f = *state;
#define ZOOM(n, v) "\"type\":\"token.set\",\"origin\":\"o\",\"n\":" #n ",\"args\":{\"set\":{\"ui.zoom\":" #v "}}"
    must(f, ZOOM(1, 2));
    must_refuse(f, ZOOM(3, 3), "out_of_order", "/n");
    assert_true(f->err.is_retryable);
    assert_non_null(strstr(f->err.message, "n = 2"));
    must_refuse(f, ZOOM(1, 3), "out_of_order", "/n");
    assert_false(f->err.is_retryable);
    must(f, ZOOM(2, 3));
    f->author_id = "bob"; /* another actor's origin of the same name is another origin */
    must(f, ZOOM(1, 4));
}

static void a_command_that_changes_nothing_keeps_its_place_in_its_origin(void **state)
{
    struct fixture *f = *state;
    struct gw_json *data = NULL;
    must(f, ZOOM(1, 2));
    must(f, ZOOM(2, 2));
    assert_int_equal(f->made, 1);
    assert_int_equal(last_event(f)->type, GW_EVENT_VOID);
    assert_int_equal(gw_project_event(last_event(f), LENS(f->plan), &data), 0);
    must(f, ZOOM(3, 3));
}

static void bytes_are_refused_wherever_they_would_enter(void **state)
{
    struct fixture *f = *state;
#define BYTES "data:image/png;base64,AAAA"
    must_refuse(f, TEXT("a", BYTES), "bytes_refused", "/args/block/text");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.title\":\"" BYTES "\"}}", "bytes_refused", "/args/set/plan.title");
    must_refuse(f, ON_C "\"type\":\"canvas.commit\",\"args\":{\"message\":\"" BYTES "\"}", "bytes_refused", "/args/message");
    must(f, INSERT("\"id\":\"t\",\"kind\":\"task\""));
    must_refuse(f, UPDATE("\"id\":\"t\",\"set\":{\"due\":\"a\\u0001\"}"), "bytes_refused", "/args/set/due");
}

static void a_commit_message_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char members[1200], message[1002];
    memset(message, ' ', sizeof message);
    message[1001] = '\0';
    snprintf(members, sizeof members, ON_C "\"type\":\"canvas.commit\",\"args\":{\"message\":\"%s\"}", message);
    must_refuse(f, members, "too_long", "/args/message");
    must(f, ON_C "\"type\":\"canvas.commit\"");
    gw_json_remove(last_event(f)->data, "state_hash");
    assert_json(last_event(f)->data, "{\"from\":1,\"rev\":1,\"to\":1}");
}

/* ---- block.insert
 * ------------------------------------------------------------------------------------------------------------------------- */

static void an_insert_is_resolved_with_defaults_place_and_facets(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"parent\":null,\"props\":{\"done\":false},\"vis\":\"staff\""));
    assert_json(
        op_of(f, 0),
        "{\"id\":\"a\",\"kind\":\"task\",\"op\":\"insert\",\"parent\":null,\"pos\":\"V\",\"props\":{\"done\":false,\"state\":\"open\"},"
        "\"text\":\"\",\"vis\":\"staff\"}");
    assert_json(
        last_event(f)->facets,
        "{\"blocks\":{\"a\":{\"author\":\"user\",\"is\":\"new\",\"kind\":\"task\",\"vis\":\"staff\"}},\"canvas_type\":\"planning\"}");
    assert_null(last_event(f)->context);
    f->author_kind = "agent";
    must(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"a\",\"text\":\"x\""));
    assert_json(last_event(f)->facets, "{\"blocks\":{\"a\":{\"author\":\"user\",\"kind\":\"task\",\"vis\":\"staff\"},"
                                       "\"b\":{\"author\":\"agent\",\"is\":\"new\",\"kind\":\"text\"}},\"canvas_type\":\"planning\"}");
}

static void siblings_stand_where_after_says(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"b\",\"kind\":\"text\""));
    must(f, INSERT("\"id\":\"a\",\"kind\":\"text\",\"after\":null"));
    must(f, INSERT("\"id\":\"c\",\"kind\":\"text\",\"after\":\"b\""));
    must(f, INSERT("\"id\":\"ab\",\"kind\":\"text\",\"after\":\"a\""));
    char order[4][32];
    static const char *const ids[] = {"a", "ab", "b", "c"};
    for (int i = 0; i < 4; i++)
        snprintf(order[i], sizeof order[i], "%s", gw_json_text(block_member(f, ids[i], "pos"), NULL));
    for (int i = 0; i + 1 < 4; i++)
        assert_true(strcmp(order[i], order[i + 1]) < 0);
}

static void twenty_thousand_inserts_at_one_place_keep_labels_short(void **state)
{
    struct fixture *f = *state;
    char members[160];
    size_t longest = 0, relabels = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(members, sizeof members, INSERT("\"id\":\"b%d\",\"kind\":\"text\""), i);
        must(f, members);
        size_t count = gw_json_count(gw_json_get(last_event(f)->data, "ops"));
        const struct gw_json *insert = op_of(f, count - 1);
        size_t length = strlen(gw_json_text(gw_json_get(insert, "pos"), NULL));
        longest = length > longest ? length : longest;
        relabels += count - 1;
    }
    assert_true(longest <= 16);
    assert_true(relabels < 20000);
}

static void bad_inserts_are_refused(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "x"));
    must(f, INSERT("\"id\":\"r\",\"kind\":\"rule\""));
    must_refuse(f, ON_C "\"type\":\"block.insert\",\"args\":{}", "missing_arg", "/args/block");
    must_refuse(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":[]}", "bad_shape", "/args/block");
    must_refuse(f, INSERT("\"kind\":\"text\""), "missing_arg", "/args/block/id");
    must_refuse(f, INSERT("\"id\":\"b c\",\"kind\":\"text\""), "bad_id", "/args/block/id");
    must_refuse(f, INSERT("\"id\":\"a\",\"kind\":\"text\""), "block_exists", "/args/block/id");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"video\""), "unknown_kind", "/args/block/kind");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"z\""), "unknown_block", "/args/block/parent");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"after\":\"z\""), "unknown_block", "/args/block/after");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"a\",\"after\":\"r\""), "bad_after", "/args/block/after");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"r\""), "bad_parent", "/args/block/parent");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"rule\",\"text\":\"x\""), "no_text", "/args/block/text");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"text\":5"), "bad_shape", "/args/block/text");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"task\",\"props\":{\"dun\":true}"), "unknown_prop", "/args/block/props/dun");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"task\",\"props\":{\"done\":1}"), "wrong_type", "/args/block/props/done");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"heading\""), "missing_prop", "/args/block/props/level");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"heading\",\"props\":{\"level\":4}"), "out_of_range", "/args/block/props/level");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"vis\":7"), "bad_id", "/args/block/vis");
    must_refuse(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"pos\":\"V\""), "unknown_member", "/args/block/pos");
}

static void a_tree_has_so_many_levels(void **state)
{
    struct fixture *f = *state;
    char members[160];
    must(f, TEXT("l1", ""));
    must(f, TEXT("m1", ""));
    must(f, INSERT("\"id\":\"m2\",\"kind\":\"text\",\"parent\":\"m1\""));
    for (int i = 2; i <= 64; i++) {
        snprintf(members, sizeof members, INSERT("\"id\":\"l%d\",\"kind\":\"text\",\"parent\":\"l%d\""), i, i - 1);
        must(f, members);
    }
    must_refuse(f, INSERT("\"id\":\"x\",\"kind\":\"text\",\"parent\":\"l64\""), "limit_depth", "/args/block/parent");
    must_refuse(f, MOVE("\"id\":\"m1\",\"parent\":\"l63\""), "limit_depth", "/args/parent");
    must(f, MOVE("\"id\":\"m1\",\"parent\":\"l62\""));
}

/* ---- block.update, move, remove
 * -------------------------------------------------------------------------------------------------------------- */

static void an_update_carries_only_what_changes(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"props\":{\"done\":false,\"due\":\"x\"}"));
    must(f, UPDATE("\"id\":\"a\",\"set\":{\"done\":true,\"state\":\"open\"},\"unset\":[\"due\"]"));
    assert_json(op_of(f, 0), "{\"id\":\"a\",\"op\":\"update\",\"set\":{\"done\":true},\"unset\":[\"due\"]}");
    must(f, UPDATE("\"id\":\"a\",\"set\":{\"done\":true},\"unset\":[\"due\"],\"vis\":null"));
    assert_int_equal(f->made, 0);
}

static void an_update_of_vis_carries_the_whole_block_in_its_facets(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"text\":\"hey\",\"vis\":\"one\""));
    must(f, UPDATE("\"id\":\"a\",\"set\":{\"done\":true},\"vis\":\"two\""));
    assert_json(op_of(f, 0), "{\"id\":\"a\",\"op\":\"update\",\"set\":{\"done\":true},\"unset\":[],\"vis\":\"two\"}");
    assert_json(gw_json_get(gw_json_get(last_event(f)->facets, "blocks"), "a"),
                "{\"author\":\"user\",\"block\":{\"kind\":\"task\",\"parent\":null,\"pos\":\"V\",\"props\":{\"done\":true,\"state\":"
                "\"open\"},\"text\":\"hey\","
                "\"vis\":\"two\"},\"kind\":\"task\",\"vis\":\"two\",\"was\":{\"vis\":\"one\"}}");
    must(f, UPDATE("\"id\":\"a\",\"vis\":null"));
    assert_json(gw_json_get(op_of(f, 0), "vis"), "null");
    assert_null(block_member(f, "a", "vis"));
}

static void bad_updates_are_refused(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"h\",\"kind\":\"heading\",\"props\":{\"level\":1}"));
    must_refuse(f, UPDATE("\"set\":{}"), "missing_arg", "/args/id");
    must_refuse(f, UPDATE("\"id\":\"z\""), "unknown_block", "/args/id");
    must_refuse(f, UPDATE("\"id\":\"h\",\"set\":{\"level\":\"1\"}"), "wrong_type", "/args/set/level");
    must_refuse(f, UPDATE("\"id\":\"h\",\"unset\":[\"level\"]"), "missing_prop", "/args/unset/0");
    must_refuse(f, UPDATE("\"id\":\"h\",\"unset\":[\"nope\"]"), "unknown_prop", "/args/unset/0");
    must_refuse(f, UPDATE("\"id\":\"h\",\"unset\":{}"), "bad_shape", "/args/unset");
    must_refuse(f, UPDATE("\"id\":\"h\",\"vis\":\"a b\""), "bad_id", "/args/vis");
    must_refuse(f, UPDATE("\"id\":\"h\",\"text\":\"x\""), "unknown_member", "/args/text");
}

static void moves_are_free_of_cycles(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", ""));
    must(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"a\""));
    must(f, INSERT("\"id\":\"c\",\"kind\":\"text\",\"parent\":\"b\""));
    must_refuse(f, MOVE("\"id\":\"a\",\"parent\":\"c\""), "cycle", "/args/parent");
    must_refuse(f, MOVE("\"id\":\"a\",\"parent\":\"a\""), "cycle", "/args/parent");
    must_refuse(f, MOVE("\"id\":\"a\""), "missing_arg", "/args/parent");
    must_refuse(f, MOVE("\"id\":\"a\",\"parent\":null,\"after\":\"a\""), "bad_after", "/args/after");
    must(f, MOVE("\"id\":\"b\",\"parent\":null,\"after\":\"a\""));
    assert_json(gw_json_get(op_of(f, 0), "parent"), "null");
    must(f, MOVE("\"id\":\"b\",\"parent\":null,\"after\":\"a\""));
    assert_int_equal(f->made, 0);
    must(f, MOVE("\"id\":\"a\",\"parent\":\"c\""));
    must_refuse(f, MOVE("\"id\":\"b\",\"parent\":\"a\""), "cycle", "/args/parent");
}

static void remove_takes_the_subtree_and_wins(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "x"));
    must(f, INSERT("\"id\":\"b\",\"kind\":\"text\",\"parent\":\"a\",\"vis\":\"v\""));
    must(f, REMOVE("a"));
    assert_json(op_of(f, 0), "{\"id\":\"a\",\"op\":\"remove\"}");
    assert_json(gw_json_get(last_event(f)->facets, "blocks"),
                "{\"a\":{\"author\":\"user\",\"is\":\"gone\",\"kind\":\"text\"},\"b\":{"
                "\"author\":\"user\",\"is\":\"gone\",\"kind\":\"text\",\"parent\":\"a\",\"vis\":\"v\"}}");
    must(f, REMOVE("b"));
    assert_int_equal(f->made, 0);
    must_refuse(f, UPDATE("\"id\":\"b\""), "block_removed", "/args/id");
    must_refuse(f, MOVE("\"id\":\"a\",\"parent\":null"), "block_removed", "/args/id");
    must_refuse(f, INSERT("\"id\":\"n\",\"kind\":\"text\",\"parent\":\"a\""), "block_removed", "/args/block/parent");
    must_refuse(f, TEXT("a", "again"), "block_removed", "/args/block/id");
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0,\"ins\":\"x\"}",
                "block_removed", "/args/id");
    must_refuse(f, REMOVE("z"), "unknown_block", "/args/id");
}

/* ---- memory
 * ----------------------------------------------------------------------------------------------------------------------------------------
 */

static void resolving_survives_every_failed_allocation(void **state)
{
    struct fixture *f = *state;
    static const char *const commands[] = {
        "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"sharing\"}",
        INSERT("\"id\":\"n\",\"kind\":\"task\",\"parent\":\"a\",\"props\":{\"done\":true},\"text\":\"t\",\"vis\":\"v\""),
        UPDATE("\"id\":\"a\",\"set\":{\"due\":\"x\"},\"unset\":[\"done\"],\"vis\":\"w\""),
        MOVE("\"id\":\"a\",\"parent\":\"b\""),
        REMOVE("a"),
        SPLICE(3, BY("o", 1), "a", 1, 2, "new"),
        SPLICE(3, BY("o", 1), "a", 0, 0, ""),
        "\"type\":\"token.set\",\"if\":{\"/canvases/c/blocks/a/"
        "text\":\"text\"},\"args\":{\"set\":{\"plan.days\":2},\"unset\":[\"plan.title\"]}",
        ON_C "\"type\":\"canvas.commit\",\"args\":{\"message\":\"m\"}",
    };
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"props\":{\"done\":true},\"text\":\"text\",\"vis\":\"v\""));
    must(f, TEXT("b", "other"));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct gw_command command;
        struct gw_event_list events = {0};
        int status = GW_ENOMEM;
        make_command(f, commands[i], &command);
        for (long n = 1; status == GW_ENOMEM && n < 1000; n++) {
            gw_alloc_fail_after(n);
            status = resolve_only(f, &command, &events);
            gw_alloc_fail_after(0);
            if (status)
                assert_int_equal(events.count, 0);
        }
        if (status)
            fail_msg("%s: %s", f->err.id, commands[i]);
        assert_int_equal(events.count, 1);
        gw_event_list_fini(&events);
        gw_command_fini(&command);
    }
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPEC(what_cannot_be_written_or_is_no_command_is_refused),
        SPEC(a_mount_is_idempotent_and_keeps_its_type),
        SPEC(a_run_holds_so_many_canvases),
        SPEC(commands_of_an_origin_come_in_order),
        SPEC(a_command_that_changes_nothing_keeps_its_place_in_its_origin),
        SPEC(bytes_are_refused_wherever_they_would_enter),
        SPEC(a_commit_message_has_a_limit),
        SPEC(an_insert_is_resolved_with_defaults_place_and_facets),
        SPEC(siblings_stand_where_after_says),
        SPEC(twenty_thousand_inserts_at_one_place_keep_labels_short),
        SPEC(bad_inserts_are_refused),
        SPEC(a_tree_has_so_many_levels),
        SPEC(an_update_carries_only_what_changes),
        SPEC(an_update_of_vis_carries_the_whole_block_in_its_facets),
        SPEC(bad_updates_are_refused),
        SPEC(moves_are_free_of_cycles),
        SPEC(remove_takes_the_subtree_and_wins),
        SPEC(resolving_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
