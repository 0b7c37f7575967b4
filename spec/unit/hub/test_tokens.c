/* Typed values, their declarations, and the Tokens of a run. */
#include "hub/journal.h"
#include "hub/tokens.h"
#include "hub/value_type.h"
#include "support/state_fixture.h"

/* "" when `value` fits, else "<id> at <path>". */
static const char *judge(const char *declaration, const char *value)
{
    static char verdict[256];
    struct gw_json *d = parse_json(declaration), *holder = NULL;
    struct gw_buffer text;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(&text, "[%s]", value);
    gw_buffer_append(&text, "", 1);
    holder = parse_json(text.data);
    if (gw_value_type_check(d, false, &err))
        fail_msg("%s: %s at %s", declaration, err.message, err.path);
    verdict[0] = '\0';
    if (gw_value_fits(d, gw_json_at(holder, 0), &err))
        snprintf(verdict, sizeof verdict, "%s at %s", err.id, err.path);
    gw_json_unref(d);
    gw_json_unref(holder);
    gw_buffer_fini(&text);
    return verdict;
}

static const char *judge_declaration(const char *declaration)
{
    static char verdict[256];
    struct gw_json *d = parse_json(declaration);
    struct gw_error err;
    verdict[0] = '\0';
    if (gw_value_type_check(d, true, &err))
        snprintf(verdict, sizeof verdict, "%s at %s", err.id, err.path);
    gw_json_unref(d);
    return verdict;
}

static void booleans(void **state)
{
    (void)state;
    assert_string_equal(judge("{\"type\":\"boolean\"}", "true"), "");
    assert_string_equal(judge("{\"type\":\"boolean\"}", "1"), "wrong_type at ");
}

static void integers_have_range_and_step(void **state)
{
    static const char d[] = "{\"type\":\"integer\",\"min\":1,\"max\":365,\"step\":2}";
    (void)state;
    assert_string_equal(judge(d, "1"), "");
    assert_string_equal(judge(d, "365"), "");
    assert_string_equal(judge(d, "7.0"), "");
    assert_string_equal(judge(d, "2"), "bad_step at ");
    assert_string_equal(judge(d, "0"), "out_of_range at ");
    assert_string_equal(judge(d, "366"), "out_of_range at ");
    assert_string_equal(judge(d, "1.5"), "wrong_type at ");
    assert_string_equal(judge(d, "\"1\""), "wrong_type at ");
    assert_string_equal(judge("{\"type\":\"integer\"}", "9007199254740991"), "");
    assert_string_equal(judge("{\"type\":\"integer\"}", "1e300"), "wrong_type at ");
}

static void numbers_have_range_and_step(void **state)
{
    static const char d[] = "{\"type\":\"number\",\"min\":0.1,\"max\":8,\"step\":0.1}";
    (void)state;
    assert_string_equal(judge(d, "0.1"), "");
    assert_string_equal(judge(d, "0.7"), "");
    assert_string_equal(judge(d, "8"), "");
    assert_string_equal(judge(d, "0.15"), "bad_step at ");
    assert_string_equal(judge(d, "0.09"), "out_of_range at ");
    assert_string_equal(judge(d, "null"), "wrong_type at ");
}

static void enums_strings_and_colours(void **state)
{
    (void)state;
    assert_string_equal(judge("{\"type\":\"enum\",\"values\":[\"a\",\"b\"]}", "\"b\""), "");
    assert_string_equal(judge("{\"type\":\"enum\",\"values\":[\"a\",\"b\"]}", "\"c\""), "not_in_enum at ");
    assert_string_equal(judge("{\"type\":\"enum\",\"values\":[\"a\",\"b\"]}", "[]"), "wrong_type at ");
    assert_string_equal(judge("{\"type\":\"string\",\"max_length\":3}", "\"\u00e4\u20ac\U0001F600\""), "");
    assert_string_equal(judge("{\"type\":\"string\",\"max_length\":3}", "\"abcd\""), "too_long at ");
    assert_string_equal(judge("{\"type\":\"colour\"}", "\"#12aBcd\""), "");
    assert_string_equal(judge("{\"type\":\"colour\"}", "\"#12aBcd80\""), "");
    assert_string_equal(judge("{\"type\":\"colour\"}", "\"#12aBc\""), "bad_colour at ");
    assert_string_equal(judge("{\"type\":\"colour\"}", "\"red\""), "bad_colour at ");
}

static void json_values_follow_their_schema(void **state)
{
    static const char d[] =
        "{\"type\":\"json\",\"schema\":{\"type\":\"object\",\"required\":[\"n\"],\"additionalProperties\":false,\"properties\":{"
        "\"n\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9},\"s\":{\"type\":\"string\",\"maxLength\":2},"
        "\"l\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"enum\":[1,\"x\",null]}}}}}";
    (void)state;
    assert_string_equal(judge(d, "{\"n\":3,\"s\":\"ab\",\"l\":[1,\"x\"]}"), "");
    assert_string_equal(judge(d, "{}"), "missing_member at /n");
    assert_string_equal(judge(d, "{\"n\":10}"), "out_of_range at /n");
    assert_string_equal(judge(d, "{\"n\":1,\"s\":\"abc\"}"), "too_long at /s");
    assert_string_equal(judge(d, "{\"n\":1,\"l\":[1,2]}"), "not_in_enum at /l/1");
    assert_string_equal(judge(d, "{\"n\":1,\"l\":[1,1,1]}"), "too_long at /l");
    assert_string_equal(judge(d, "{\"n\":1,\"a/b\":1}"), "unknown_member at /a~1b");
    assert_string_equal(judge(d, "[]"), "wrong_type at ");
    assert_string_equal(judge("{\"type\":\"json\"}", "[{\"any\":null}]"), "");
}

static void declarations_are_checked(void **state)
{
    (void)state;
    assert_string_equal(judge_declaration("{\"type\":\"string\",\"required\":true}"), "");
    assert_string_equal(judge_declaration("[]"), "wrong_type at ");
    assert_string_equal(judge_declaration("{}"), "missing_member at /type");
    assert_string_equal(judge_declaration("{\"type\":\"color\"}"), "unknown_type at /type");
    assert_string_equal(judge_declaration("{\"type\":\"boolean\",\"min\":1}"), "unknown_member at /min");
    assert_string_equal(judge_declaration("{\"type\":\"integer\",\"min\":3,\"max\":1}"), "out_of_range at /max");
    assert_string_equal(judge_declaration("{\"type\":\"integer\",\"min\":0.5}"), "wrong_type at /min");
    assert_string_equal(judge_declaration("{\"type\":\"number\",\"step\":0}"), "out_of_range at /step");
    assert_string_equal(judge_declaration("{\"type\":\"enum\"}"), "missing_member at /values");
    assert_string_equal(judge_declaration("{\"type\":\"enum\",\"values\":[\"a\",\"a\"]}"), "wrong_type at /values");
    assert_string_equal(judge_declaration("{\"type\":\"string\",\"max_length\":0}"), "wrong_type at /max_length");
    assert_string_equal(judge_declaration("{\"type\":\"integer\",\"max\":3,\"default\":4}"), "bad_default at /default");
    assert_string_equal(judge_declaration("{\"type\":\"json\",\"schema\":{\"items\":{\"$ref\":\"#\"}}}"),
                        "unknown_member at /schema/items/$ref");
    assert_string_equal(judge_declaration("{\"type\":\"json\",\"schema\":{\"type\":\"date\"}}"), "unknown_type at /schema/type");
    assert_string_equal(judge_declaration("{\"type\":\"json\",\"schema\":{\"properties\":{\"p\":{\"maxLength\":-1}}}}"),
                        "wrong_type at /schema/properties/p/maxLength");
}

/* ---- token.set
 * ---------------------------------------------------------------------------------------------------------------------------- */

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

static void a_set_carries_only_what_changes(void **state)
{
    struct fixture *f = *state;
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.priority\":\"normal\",\"plan.days\":30},\"unset\":[\"plan.title\"]}");
    assert_int_equal(last_event(f)->type, GW_EVENT_TOKEN_PATCH);
    assert_string_equal(last_event(f)->canvas_id, "");
    assert_json(last_event(f)->data, "{\"set\":{\"plan.days\":30},\"unset\":[\"plan.title\"]}");
}

static void a_set_that_changes_nothing_makes_no_event(void **state)
{
    struct fixture *f = *state;
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"ui.zoom\":1.0},\"unset\":[\"plan.days\"]}");
    assert_int_equal(f->made, 0);
}

static void a_violation_names_key_rule_and_value(void **state)
{
    struct fixture *f = *state;
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":366}}", "out_of_range", "/args/set/plan.days");
    assert_non_null(strstr(f->err.message, "365"));
    assert_non_null(strstr(f->err.message, "366"));
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.priority\":\"urgent\"}}", "not_in_enum", "/args/set/plan.priority");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"nope\":1}}", "unknown_token", "/args/set/nope");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"unset\":[\"ui.zoom\",\"nope\"]}", "unknown_token", "/args/unset/1");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"unset\":[1]}", "bad_shape", "/args/unset/0");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"ui.zoom\":2},\"unset\":[\"ui.zoom\"]}", "named_twice", "/args/unset/0");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":[]}", "bad_shape", "/args/set");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"sets\":{}}", "unknown_member", "/args/sets");
}

static void a_hidden_token_and_a_missing_one_get_the_same_answer(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of_tokens("[\"ui.*\"]"));
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":1}}", "unknown_token", "/args/set/plan.days");
    char message[240];
    memcpy(message, f->err.message, sizeof message);
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.dayz\":1}}", "unknown_token", "/args/set/plan.dayz");
    assert_int_equal(strlen(message), strlen(f->err.message));
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"ui.zoom\":2}}");
}

static void manifests_that_agree_on_a_token_share_it(void **state)
{
    struct fixture *f = *state;
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":5}}");
    must(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"sharing\"}");
    assert_json(gw_json_get(last_event(f)->data, "tokens"), "{\"more\":true,\"plan.days\":5}");
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"e\",\"args\":{\"canvas_type\":\"contradicting\"}", "token_conflict",
                "/args/canvas_type");
    assert_non_null(strstr(f->err.message, "plan.days"));
}

static void a_token_conflict_does_not_name_what_the_lens_hides(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of_tokens("[\"ui.*\"]"));
    must_refuse(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"e\",\"args\":{\"canvas_type\":\"contradicting\"}", "token_conflict",
                "/args/canvas_type");
    assert_null(strstr(f->err.message, "plan.days"));
}

static void a_value_over_the_byte_limit_names_the_limit(void **state)
{
    struct fixture *f = *state;
    struct gw_error err;
    struct gw_journal journal = {0};
    struct gw_tokens *tokens = gw_tokens_create(fixture_seed, &journal);
    struct gw_json *declaration = parse_json("{\"type\":\"json\"}"), *value = parse_json("[1,2,3,4,5]");
    assert_int_equal(gw_tokens_declare(tokens, "j", declaration), GW_OK);
    assert_int_equal(gw_tokens_check(tokens, f->plan, "j", value, 11, &err), GW_OK);
    assert_int_equal(gw_tokens_check(tokens, f->plan, "j", value, 10, &err), GW_ELIMIT);
    assert_string_equal(err.limit_name, "max_token_bytes");
    gw_json_unref(declaration);
    gw_json_unref(value);
    gw_tokens_destroy(tokens);
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans),
        cmocka_unit_test(integers_have_range_and_step),
        cmocka_unit_test(numbers_have_range_and_step),
        cmocka_unit_test(enums_strings_and_colours),
        cmocka_unit_test(json_values_follow_their_schema),
        cmocka_unit_test(declarations_are_checked),
        SPEC(a_set_carries_only_what_changes),
        SPEC(a_set_that_changes_nothing_makes_no_event),
        SPEC(a_violation_names_key_rule_and_value),
        SPEC(a_hidden_token_and_a_missing_one_get_the_same_answer),
        SPEC(manifests_that_agree_on_a_token_share_it),
        SPEC(a_token_conflict_does_not_name_what_the_lens_hides),
        SPEC(a_value_over_the_byte_limit_names_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
