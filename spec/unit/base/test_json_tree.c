#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

static struct gw_json *parse(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 256};
    struct gw_json *json;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &json, &err))
        fail_msg("%s: %s", text, err.id);
    return json;
}

static void is_built_by_nested_unchecked_calls(void **state)
{
    (void)state;
    struct gw_json *list = gw_json_new_array();
    assert_int_equal(gw_json_append(list, gw_json_new_bool(false)), 0);
    assert_int_equal(gw_json_append(list, gw_json_new_null()), 0);
    struct gw_json *json = gw_json_new_object();
    assert_int_equal(gw_json_set(json, "list", list), 0);
    assert_int_equal(gw_json_setn(json, "textual", 4, gw_json_new_text("abc", 2)), 0);
    assert_int_equal(gw_json_set(json, "half", gw_json_new_real(0.5)), 0);
    struct gw_json *expected = parse("{\"half\":0.5,\"text\":\"ab\",\"list\":[false,null]}");
    assert_true(gw_json_equal(json, expected));
    gw_json_remove(json, "half");
    gw_json_remove(json, "absent");
    assert_int_equal(gw_json_count(json), 2);
    gw_json_unref(expected);
    gw_json_unref(json);
}

static void takes_nothing_for_lost_memory(void **state)
{
    (void)state;
    struct gw_json *json = gw_json_new_object();
    struct gw_json *list = gw_json_new_array();
    assert_int_equal(gw_json_set(json, "a", NULL), GW_ENOMEM);
    assert_int_equal(gw_json_append(list, NULL), GW_ENOMEM);
    gw_json_unref(list);
    gw_json_unref(json);
}

static void cannot_hold_what_could_not_be_read_back(void **state)
{
    (void)state;
    assert_null(gw_json_new_text("\xff", 1));
    assert_null(gw_json_new_text("a\0b", 3));
    assert_null(gw_json_new_int(GW_JSON_MAX_INT + 1));
    assert_null(gw_json_new_int(INT64_MIN));
    assert_null(gw_json_new_real(1e20));
    assert_null(gw_json_new_real((double)NAN));
    assert_null(gw_json_new_real((double)INFINITY));
    struct gw_json *json = gw_json_new_object();
    assert_int_equal(gw_json_setn(json, "a\0b", 3, gw_json_new_bool(true)), GW_ENOMEM);
    assert_int_equal(gw_json_setn(json, "\xff", 1, gw_json_new_text("x", 1)), GW_ENOMEM);
    assert_int_equal(gw_json_count(json), 0);
    gw_json_unref(json);
}

static void makes_an_integer_of_an_integral_real(void **state)
{
    (void)state;
    struct gw_json *json = gw_json_new_real(-3.0);
    assert_int_equal(gw_json_int(json), -3);
    gw_json_unref(json);
    json = gw_json_new_real(1e300);
    assert_int_equal(gw_json_type(json), GW_JSON_REAL);
    gw_json_unref(json);
}

static void lives_as_long_as_its_last_reference(void **state)
{
    (void)state;
    struct gw_json *json = gw_json_new_text("x", 1);
    assert_ptr_equal(gw_json_ref(json), json);
    gw_json_unref(json);
    assert_string_equal(gw_json_text(json, NULL), "x");
    gw_json_unref(json);
    assert_null(gw_json_ref(NULL));
}

static void equality_ignores_order_and_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool is_equal;
    } pairs[] = {
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"{\"a\":null}", "{}", false},
        {"{\"a\":null}", "{\"b\":null}", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"ab\"", false},
        {"true", "false", false},
        {"true", "true", true},
        {"null", "null", true},
        {"null", "false", false},
        {"0", "\"0\"", false},
        {"0.5", "5e-1", true},
        {"0.5", "0.25", false},
        {"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":2}]}", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct gw_json *a = parse(pairs[i].a);
        struct gw_json *b = parse(pairs[i].b);
        assert_int_equal(gw_json_equal(a, b), pairs[i].is_equal);
        assert_int_equal(gw_json_equal(b, a), pairs[i].is_equal);
        assert_false(gw_json_equal(a, NULL));
        gw_json_unref(a);
        gw_json_unref(b);
    }
    assert_true(gw_json_equal(NULL, NULL));
}

static void a_deep_copy_shares_nothing(void **state)
{
    (void)state;
    struct gw_json *json = parse("{\"a\":{\"b\":[1,0.5,\"x\",null,true]}}");
    struct gw_json *copy = gw_json_copy_deep(json);
    assert_true(gw_json_equal(json, copy));
    assert_int_equal(gw_json_set(gw_json_get(copy, "a"), "c", gw_json_new_bool(true)), 0);
    assert_null(gw_json_get(gw_json_get(json, "a"), "c"));
    gw_json_unref(json);
    gw_json_unref(copy);
}

static void a_copy_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct gw_json *json =
        parse("{\"a\":{\"b\":[1,0.5,\"x\",null,[],{}]},\"c\":1,\"d\":2,\"e\":3,\"f\":4,\"g\":5,\"h\":6,\"i\":7,\"j\":8}");
    struct gw_json *copy = NULL;
    for (long n = 1; !copy; n++) {
        gw_alloc_fail_after(n);
        copy = gw_json_copy_deep(json);
        long made = gw_alloc_fallible_count();
        gw_alloc_fail_after(0);
        assert_int_equal(!copy, made >= n);
        assert_in_range(n, 1, 1000);
    }
    assert_true(gw_json_equal(json, copy));
    gw_json_unref(copy);
    gw_json_unref(json);
}

static void building_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    int rc = -1;
    for (long n = 1; rc; n++) {
        gw_alloc_fail_after(n);
        struct gw_json *json = gw_json_new_object();
        rc = json ? gw_json_set(json, "a", gw_json_new_text("x", 1)) : GW_ENOMEM;
        rc = rc ? rc : gw_json_set(json, "b", gw_json_new_array());
        rc = rc ? rc : gw_json_append(gw_json_get(json, "b"), gw_json_new_int(5));
        gw_alloc_fail_after(0);
        gw_json_unref(json);
        assert_in_range(n, 1, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_built_by_nested_unchecked_calls),
        cmocka_unit_test(takes_nothing_for_lost_memory),
        cmocka_unit_test(cannot_hold_what_could_not_be_read_back),
        cmocka_unit_test(makes_an_integer_of_an_integral_real),
        cmocka_unit_test(lives_as_long_as_its_last_reference),
        cmocka_unit_test(equality_ignores_order_and_spelling),
        cmocka_unit_test(a_deep_copy_shares_nothing),
        cmocka_unit_test(a_copy_survives_the_failure_of_each_allocation),
        cmocka_unit_test(building_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
