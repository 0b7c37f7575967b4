/* Walking through JSON text that was written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/json_slice.h"

static struct gw_json_slice slice(const char *text) { return (struct gw_json_slice){text, strlen(text)}; }

/* "key=value;" of each; a list has no keys. */
static const char *walked(const char *text)
{
    static char out[512];
    struct gw_json_walk walk = gw_json_walk_begin(slice(text));
    struct gw_json_slice key = {"", 0}, value;
    size_t length = 0;
    out[0] = '\0';
    while (gw_json_walk_next(&walk, &key, &value))
        length += (size_t)snprintf(out + length, sizeof out - length, "%.*s=%.*s;", (int)key.length, key.at, (int)value.length, value.at);
    return out;
}

static void members_and_elements_come_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(walked("{}"), "");
    assert_string_equal(walked("[]"), "");
    assert_string_equal(walked("{\"a\":1,\"b\":{\"c\":[1,{\"d\":\"}\"}]},\"e\":null}"), "a=1;b={\"c\":[1,{\"d\":\"}\"}]};e=null;");
    assert_string_equal(walked("[1,[2,3],\"a,]\\\"\",{\"x\":[]},true]"), "=1;=[2,3];=\"a,]\\\"\";={\"x\":[]};=true;");
    assert_string_equal(walked("{\"a\\\"b\":\"\\\\\",\"c\":\"\"}"), "a\\\"b=\"\\\\\";c=\"\";");
    assert_string_equal(walked("12"), "");
    assert_string_equal(walked("\"text\""), "");
}

static void a_member_is_found_by_its_name(void **state)
{
    (void)state;
    struct gw_json_slice object = slice("{\"ab\":{\"b\":1},\"b\":2,\"c\":\"b\"}"), value;
    assert_true(gw_json_slice_member(object, "b", &value));
    assert_int_equal(gw_json_slice_compare(value, slice("2")), 0);
    assert_true(gw_json_slice_member(object, "c", &value));
    assert_int_equal(gw_json_slice_compare(value, slice("\"b\"")), 0);
    assert_false(gw_json_slice_member(object, "a", &value));
    assert_int_equal(value.length, 0);
    assert_false(gw_json_slice_member(slice("[1]"), "a", &value));
}

static void slices_are_ordered_by_bytes(void **state)
{
    (void)state;
    assert_true(gw_json_slice_compare(slice("a"), slice("ab")) < 0);
    assert_true(gw_json_slice_compare(slice("b"), slice("ab")) > 0);
    assert_int_equal(gw_json_slice_compare(slice(""), slice("")), 0);
}

static void a_text_is_cut_between_code_points_and_escapes(void **state)
{
    (void)state;
    static const char text[] = "\"a\\n\xC3\xA9\\u0001\xF0\x9F\x98\x80\"";
    static const size_t lengths[] = {0, 1, 1, 3, 3, 5, 5, 5, 5, 5, 5, 11, 11, 11, 11, 15, 15};
    for (size_t max = 0; max < sizeof lengths / sizeof *lengths; max++) {
        struct gw_json_cut cut = gw_json_slice_cut(slice(text), max);
        assert_int_equal(cut.length, lengths[max]);
        assert_int_equal(cut.bytes, 1 + 1 + 2 + 1 + 4);
    }
    assert_int_equal(gw_json_slice_cut(slice("\"\""), 8).bytes, 0);
}

static void nothing_beyond_the_slice_is_read(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":{\"b\":[\"c\\\"\",1]},\"d\":\"e\"}";
    for (size_t length = 0; length < sizeof text; length++) {
        char copy[sizeof text];
        memcpy(copy, text, length);
        struct gw_json_walk walk = gw_json_walk_begin((struct gw_json_slice){copy, length});
        struct gw_json_slice key, value;
        while (gw_json_walk_next(&walk, &key, &value))
            assert_true(value.at + value.length <= copy + length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_elements_come_one_by_one), cmocka_unit_test(a_member_is_found_by_its_name),
        cmocka_unit_test(slices_are_ordered_by_bytes),          cmocka_unit_test(a_text_is_cut_between_code_points_and_escapes),
        cmocka_unit_test(nothing_beyond_the_slice_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
