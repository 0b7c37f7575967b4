/* block.splice in its context, and preconditions. */
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
#define TEXT(id, text)  INSERT("\"id\":\"" id "\",\"kind\":\"text\",\"parent\":null,\"text\":\"" text "\"")

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

static void assert_text(struct fixture *f, const char *id, const char *expected)
{
    assert_string_equal(gw_json_text(block_member(f, id, "text"), NULL), expected);
}

/* ---- block.splice
 * ------------------------------------------------------------------------------------------------------------------------------ */

#define SPLICE(base, more, id, at, del, ins)                                                                                               \
    ON_C "\"type\":\"block.splice\",\"base\":\"" #base "\"," more "\"args\":{\"id\":\"" id "\",\"at\":" #at ",\"del\":" #del               \
         ",\"ins\":\"" ins "\"}"
#define BY(origin, n) "\"origin\":\"" origin "\",\"n\":" #n ","

static void a_splice_counts_code_points(void **state)
{
    struct fixture *f = *state;
    must(f, TEXT("a", "a\U0001F600b"));
    must(f, SPLICE(2, , "a", 1, 1, "\u00e4\u00f6"));
    assert_json(last_event(f)->data, "{\"ops\":[{\"at\":1,\"del\":1,\"id\":\"a\",\"ins\":\"\u00e4\u00f6\",\"op\":\"splice\"}]}");
    assert_json(last_event(f)->context, "{\"base\":2,\"block\":\"a\",\"was\":[\"😀\"],\"written\":[1,1,2]}");
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
    must_refuse(f, ON_C "\"type\":\"block.splice\",\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":0,\"ins\":1}", "bad_shape",
                "/args/ins");
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

/* ---- if
 * ------------------------------------------------------------------------------------------------------------------------------------------
 */

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
    static const char *const bad[] = {
        "",          "/", "tokens", "/tokens", "/tokens/a/b", "/chat", "/canvases/c", "/canvases/c/blocks", "/canvases/c/blocks/a/pos",
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
    fixture_set_plan(f, plan_of_tokens("[\"plan.days\"]"));
    must_refuse(f, IF("\"/tokens/ui.zoom\":1"), "condition_failed", "/if/~1tokens~1ui.zoom");
    must(f, IF("\"/tokens/ui.zoom\":null"));
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
