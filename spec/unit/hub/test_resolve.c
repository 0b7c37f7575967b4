/* From a command to its event, or to the refusal that names path and rule. */
#include "hub/state_fixture.h"

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

static const struct gw_json *op_of(struct fixture *f, size_t index)
{
    return gw_json_at(gw_json_get(last_event(f)->data, "ops"), index);
}

/* A member of a block in the written state; the caller does not own it: it lives until the next call. */
static const struct gw_json *block_member(struct fixture *f, const char *id, const char *member)
{
    static struct gw_json *all;
    gw_json_unref(all);
    char *text = state_text(f->state, &f->plan);
    all = parse_json(text);
    gw_free(text);
    return gw_json_get(gw_json_get(gw_json_get(gw_json_get(gw_json_get(all, "canvases"), "c"), "blocks"), id), member);
}

static void assert_text(struct fixture *f, const char *id, const char *expected)
{
    assert_string_equal(gw_json_text(block_member(f, id, "text"), NULL), expected);
}

/* ---- all commands ------------------------------------------------------------------------------------------------------------------------ */

static void what_cannot_be_written_or_is_no_command_is_refused(void **state)
{
    struct fixture *f = *state;
    must_refuse(f, "\"type\":\"block.paint\",\"args\":{}", "unknown_command", "/type");
    must_refuse(f, "\"type\":\"block.remove\",\"args\":{\"id\":\"x\"}", "missing_id", "/canvas_id");
    must_refuse(f, "\"canvas_id\":\"z\",\"type\":\"block.remove\",\"args\":{\"id\":\"x\"}", "canvas_not_mounted", "/canvas_id");
    f->plan.can_write = false;
    must_refuse(f, TEXT("a", ""), "not_allowed", "");
    assert_int_equal(f->err.code, GW_EDENIED);
}

static void a_mount_is_idempotent_and_keeps_its_type(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    assert_int_equal(f->made, 0);
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"c\",\"args\":{\"canvas_type\":\"sharing\"}", "canvas_exists", "/args/canvas_type");
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"nope\"}", "unknown_canvas", "/args/canvas_type");
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
    assert_int_equal(gw_project_event(last_event(f), &f->plan, &data), 0);
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
    assert_json(last_event(f)->data, "{\"from\":1,\"rev\":1,\"to\":1}");
}

/* ---- block.insert ------------------------------------------------------------------------------------------------------------------------- */

static void an_insert_is_resolved_with_defaults_place_and_facets(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"parent\":null,\"props\":{\"done\":false},\"vis\":\"staff\""));
    assert_json(op_of(f, 0), "{\"id\":\"a\",\"kind\":\"task\",\"op\":\"insert\",\"parent\":null,\"pos\":\"V\",\"props\":{\"done\":false,\"state\":\"open\"},"
                             "\"text\":\"\",\"vis\":\"staff\"}");
    assert_json(last_event(f)->facets,
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

/* ---- block.update, move, remove -------------------------------------------------------------------------------------------------------------- */

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
                "{\"author\":\"user\",\"block\":{\"kind\":\"task\",\"parent\":null,\"pos\":\"V\",\"props\":{\"done\":true,\"state\":\"open\"},\"text\":\"hey\","
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
                "{\"a\":{\"author\":\"user\",\"is\":\"gone\",\"kind\":\"text\"},\"b\":{\"author\":\"user\",\"is\":\"gone\",\"kind\":\"text\",\"vis\":\"v\"}}");
    must(f, REMOVE("b"));
    assert_int_equal(f->made, 0);
    must_refuse(f, UPDATE("\"id\":\"b\""), "block_removed", "/args/id");
    must_refuse(f, MOVE("\"id\":\"a\",\"parent\":null"), "block_removed", "/args/id");
    must_refuse(f, INSERT("\"id\":\"n\",\"kind\":\"text\",\"parent\":\"a\""), "block_removed", "/args/block/parent");
    must_refuse(f, TEXT("a", "again"), "block_removed", "/args/block/id");
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0,\"ins\":\"x\"}", "block_removed", "/args/id");
    must_refuse(f, REMOVE("z"), "unknown_block", "/args/id");
}

/* ---- block.splice ------------------------------------------------------------------------------------------------------------------------------ */

#define SPLICE(base, more, id, at, del, ins)                                                                                               \
    ON_C "\"type\":\"block.splice\",\"base\":\"" #base "\"," more "\"args\":{\"id\":\"" id "\",\"at\":" #at ",\"del\":" #del ",\"ins\":\"" ins "\"}"
#define BY(origin, n) "\"origin\":\"" origin "\",\"n\":" #n ","

static void a_splice_counts_code_points(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "a\U0001F600b"));
    must(f, SPLICE(2, , "a", 1, 1, "\u00e4\u00f6"));
    assert_json(last_event(f)->data, "{\"ops\":[{\"at\":1,\"del\":1,\"id\":\"a\",\"ins\":\"\u00e4\u00f6\",\"op\":\"splice\"}]}");
    assert_json(last_event(f)->context, "{\"base\":2,\"block\":\"a\",\"written\":[1,1,2]}");
    assert_text(f, "a", "a\u00e4\u00f6b");
}

static void a_typist_has_many_splices_in_flight_while_others_write(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "...."));
    must(f, SPLICE(2, BY("o", 1), "a", 4, 0, "x"));
    must(f, SPLICE(2, BY("p", 1), "a", 0, 0, "HEAD"));
    must(f, SPLICE(2, BY("o", 2), "a", 5, 0, "y"));
    must(f, SPLICE(2, BY("o", 3), "a", 6, 0, "z"));
    assert_text(f, "a", "HEAD....xyz");
    assert_int_equal(gw_json_int(gw_json_get(op_of(f, 0), "at")), 10);
}

static void a_splice_of_what_others_removed_comes_to_nothing_but_counts(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "abcd"));
    must(f, SPLICE(2, BY("p", 1), "a", 0, 4, ""));
    must(f, SPLICE(2, BY("o", 1), "a", 1, 2, ""));
    assert_int_equal(last_event(f)->type, GW_EVENT_VOID);
    /* In the author's view the text is "ad" now. */
    must(f, SPLICE(2, BY("o", 2), "a", 1, 1, "Z"));
    assert_text(f, "a", "Z");
    must(f, SPLICE(2, , "a", 0, 4, ""));
    assert_int_equal(f->made, 0);
}

static void a_deletion_spares_what_others_put_inside_it(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "abcdef"));
    must(f, SPLICE(2, , "a", 3, 0, "NEW"));
    must(f, SPLICE(2, , "a", 1, 4, "-"));
    assert_int_equal(gw_json_count(gw_json_get(last_event(f)->data, "ops")), 2);
    assert_text(f, "a", "a-NEWf");
}

static void splices_of_one_batch_see_each_other(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "ab"));
    must(f, SPLICE(2, , "a", 0, 0, "12345"));
    f->batch = "batch-1";
    must(f, SPLICE(2, , "a", 2, 0, "c"));
    must(f, SPLICE(2, , "a", 3, 0, "d"));
    assert_text(f, "a", "12345abcd");
}

static void bad_splices_are_refused(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "abc"));
    must(f, INSERT("\"id\":\"r\",\"kind\":\"rule\""));
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0,\"ins\":\"x\"}", "base_required", "/base");
    must_refuse(f, SPLICE(3, , "a", 2, 2, "x"), "out_of_range", "/args/at");
    must_refuse(f, SPLICE(3, , "a", 4, 0, "x"), "out_of_range", "/args/at");
    must_refuse(f, SPLICE(3, , "a", -1, 0, "x"), "out_of_range", "/args/at");
    must_refuse(f, SPLICE(3, , "a", 0, 0.5, "x"), "bad_shape", "/args/del");
    must_refuse(f, SPLICE(3, , "a", 4294967295, 4294967295, "x"), "out_of_range", "/args/at");
    must_refuse(f, SPLICE(3, , "r", 0, 0, "x"), "no_text", "/args/id");
    must_refuse(f, SPLICE(9, , "a", 0, 0, "x"), "base_in_future", "/base");
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0}", "missing_arg", "/args/ins");
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0,\"ins\":1}", "bad_shape", "/args/ins");
    assert_text(f, "a", "abc");
}

static void a_base_may_lie_so_far_back(void **state)
{
    struct gw_state_limits limits;
    struct fixture *f = *state;
    gw_state_limits_default(&limits);
    limits.edit_window = 4;
    gw_state_destroy(f->state);
    f->state = gw_state_create(fixture_seed, &limits);
    must(f, MOUNT);
    must(f, TEXT("a", ""));
    must(f, SPLICE(2, BY("o", 1), "a", 0, 0, "x"));
    must(f, SPLICE(2, BY("o", 2), "a", 0, 0, "x"));
    must(f, SPLICE(4, , "a", 0, 0, "x"));
    must(f, SPLICE(5, , "a", 0, 0, "x"));
    must(f, SPLICE(6, , "a", 0, 0, "x"));
    must_refuse(f, SPLICE(2, , "a", 0, 0, "x"), "base_too_old", "/base");
    assert_int_equal(f->err.code, GW_ECONFLICT);
}

static void bytes_are_refused_however_they_are_split(void **state)
{
    struct fixture *f = *state;
    char members[2048], run[601];
    memset(run, 'f', 600);
    run[600] = '\0';
    must(f, TEXT("a", "see data:image/png;base6 end"));
    must_refuse(f, SPLICE(2, , "a", 24, 0, "4,"), "bytes_refused", "/args/ins");
    must(f, TEXT("b", "| |"));
    snprintf(members, sizeof members, SPLICE(3, BY("o", 1), "b", 1, 0, "%s"), run);
    must(f, members);
    snprintf(members, sizeof members, SPLICE(3, BY("o", 2), "b", 602, 0, "%s"), run);
    must(f, members);
    must_refuse(f, SPLICE(3, BY("o", 3), "b", 601, 1, ""), "bytes_refused", "/args/ins");
    must(f, SPLICE(3, BY("o", 3), "b", 601, 1, "\\n"));
}

static void bytes_joined_across_what_others_changed_are_refused(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "data:teXXxt/plain;baYYse64, done"));
    must(f, SPLICE(2, , "a", 7, 2, ""));
    must_refuse(f, SPLICE(2, BY("o", 1), "a", 20, 2, ""), "bytes_refused", "/args/ins");
    /* Two spans of one deletion, parted by what another put between them. */
    must(f, TEXT("b", "data:text/plain;ba........se64, done"));
    must(f, SPLICE(4, , "b", 22, 0, " | "));
    must(f, SPLICE(4, , "b", 18, 8, ""));
    assert_text(f, "b", "data:text/plain;ba | se64, done");
    must_refuse(f, SPLICE(6, , "b", 18, 3, ""), "bytes_refused", "/args/ins");
}

static void a_text_holds_so_many_bytes(void **state)
{
    struct gw_state_limits limits;
    struct fixture *f = *state;
    gw_state_limits_default(&limits);
    limits.max_text_bytes = 10;
    gw_state_destroy(f->state);
    f->state = gw_state_create(fixture_seed, &limits);
    must(f, MOUNT);
    must_refuse(f, TEXT("a", "12345678901"), "limit_text_bytes", "/args/block/text");
    must(f, TEXT("a", "1234567890"));
    must_refuse(f, SPLICE(2, , "a", 0, 0, "x"), "limit_text_bytes", "/args/ins");
    must(f, SPLICE(2, , "a", 0, 2, "\u00e4"));
    must_refuse(f, SPLICE(3, , "a", 0, 1, "\u00e4x"), "limit_text_bytes", "/args/ins");
    assert_string_equal(f->err.limit_name, "max_text_bytes");
}

/* ---- if ------------------------------------------------------------------------------------------------------------------------------------------ */

#define IF(condition) "\"type\":\"token.set\",\"if\":{" condition "},\"args\":{\"set\":{\"plan.days\":9}}"

static void a_write_happens_only_if_its_conditions_hold(void **state)
{
    struct fixture *f = *state;
    must(f, INSERT("\"id\":\"a\",\"kind\":\"task\",\"props\":{\"done\":false},\"text\":\"t\""));
    must(f, INSERT("\"id\":\"b\",\"kind\":\"task\",\"parent\":\"a\",\"vis\":\"v\""));
    must_refuse(f, IF("\"/canvases/c/blocks/a/props/done\":true"), "condition_failed", "/if/~1canvases~1c~1blocks~1a~1props~1done");
    assert_int_equal(f->err.code, GW_ECONFLICT);
    must_refuse(f, IF("\"/tokens/plan.title\":\"x\""), "condition_failed", "/if/~1tokens~1plan.title");
    must_refuse(f, IF("\"/canvases/c/blocks/a\":null"), "condition_failed", "/if/~1canvases~1c~1blocks~1a");
    must_refuse(f, IF("\"/canvases/c/blocks/a/text\":\"u\""), "condition_failed", "/if/~1canvases~1c~1blocks~1a~1text");
    must_refuse(f, IF("\"/canvases/c/blocks/a/text\":\"longer\""), "condition_failed", "/if/~1canvases~1c~1blocks~1a~1text");
    must_refuse(f, IF("\"/canvases/z/type\":\"planning\""), "condition_failed", "/if/~1canvases~1z~1type");
    must(f, IF("\"/canvases/c/type\":\"planning\",\"/canvases/c/blocks/a/text\":\"t\",\"/canvases/c/blocks/a/props/done\":false,"
               "\"/canvases/c/blocks/a/parent\":null,\"/canvases/c/blocks/b/parent\":\"a\",\"/canvases/c/blocks/b/vis\":\"v\","
               "\"/canvases/c/blocks/b/kind\":\"task\",\"/canvases/c/blocks/z\":null,\"/canvases/c/blocks/z/props/done\":null,"
               "\"/canvases/c/blocks/a/props/due\":null,\"/tokens/plan.title\":\"\",\"/tokens/ui.zoom\":1.0,\"/tokens/nope\":null"));
}

static void conditions_ask_only_what_can_be_read(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "/", "tokens", "/tokens", "/tokens/a/b", "/chat", "/canvases/c", "/canvases/c/blocks", "/canvases/c/blocks/a/pos",
                                      "/tokens/~2"};
    must(f, TEXT("a", "x"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char members[256];
        snprintf(members, sizeof members, "\"type\":\"token.set\",\"if\":{\"%s\":1},\"args\":{}", bad[i]);
        assert_int_equal(run_command(f, members), GW_EINVAL);
        assert_string_equal(f->err.id, "bad_condition");
    }
}

static void a_hidden_token_looks_unset_to_a_condition(void **state)
{
    struct fixture *f = *state;
    char *globs[] = {"plan.days"};
    f->plan = (struct gw_plan){.class_id = 2, .can_write = true, .token_globs = globs, .token_glob_count = 1};
    must_refuse(f, IF("\"/tokens/ui.zoom\":1"), "condition_failed", "/if/~1tokens~1ui.zoom");
    must(f, IF("\"/tokens/ui.zoom\":null"));
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------------------------------- */

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
        "\"type\":\"token.set\",\"if\":{\"/canvases/c/blocks/a/text\":\"text\"},\"args\":{\"set\":{\"plan.days\":2},\"unset\":[\"plan.title\"]}",
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
        SPEC(a_splice_counts_code_points),
        SPEC(a_typist_has_many_splices_in_flight_while_others_write),
        SPEC(a_splice_of_what_others_removed_comes_to_nothing_but_counts),
        SPEC(a_deletion_spares_what_others_put_inside_it),
        SPEC(splices_of_one_batch_see_each_other),
        SPEC(bad_splices_are_refused),
        SPEC(a_base_may_lie_so_far_back),
        SPEC(bytes_are_refused_however_they_are_split),
        SPEC(bytes_joined_across_what_others_changed_are_refused),
        SPEC(a_text_holds_so_many_bytes),
        SPEC(a_write_happens_only_if_its_conditions_hold),
        SPEC(conditions_ask_only_what_can_be_read),
        SPEC(a_hidden_token_looks_unset_to_a_condition),
        SPEC(resolving_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
