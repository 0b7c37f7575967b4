#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 4, .max_nodes = 16};

static struct gw_json *parse(const char *text)
{
    struct gw_json *json;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &json, &err))
        fail_msg("%s: %s at %s", text, err.id, err.path);
    return json;
}

static void assert_refused_bytes(const char *text, size_t length, const char *id)
{
    /* A copy of exactly this size, so that the sanitizer sees a read past the end. */
    char *exact = gw_try_strndup(text, length);
    char *bytes = gw_try_alloc(length);
    struct gw_json *json = (struct gw_json *)exact;
    struct gw_error err = {.code = 0};
    memcpy(bytes, exact, length);
    if (gw_json_parse(bytes, length, &limits, &json, &err) == 0)
        fail_msg("accepted: %s", exact);
    if (strcmp(err.id, id) != 0)
        fail_msg("%s: %s, not %s", exact, err.id, id);
    assert_null(json);
    assert_memory_equal(err.path, "byte ", 5);
    gw_free(bytes);
    gw_free(exact);
}

static void assert_refused(const char *text, const char *id) { assert_refused_bytes(text, strlen(text), id); }

static void reads_every_type(void **state)
{
    (void)state;
    struct gw_json *json = parse(" {\"s\":\"x\\u00e9\",\"i\":-7,\"r\":0.5,\"t\":true,\"n\":null,\"a\":[1,2]} \n");
    size_t length;
    assert_true(gw_json_is_object(json));
    assert_int_equal(gw_json_count(json), 6);
    assert_string_equal(gw_json_text(gw_json_get(json, "s"), &length), "x\xc3\xa9");
    assert_int_equal(length, 3);
    assert_int_equal(gw_json_int(gw_json_get(json, "i")), -7);
    assert_true(gw_json_number(gw_json_get(json, "r")) == 0.5);
    assert_true(gw_json_bool(gw_json_get(json, "t")));
    assert_true(gw_json_is_null(gw_json_get(json, "n")));
    assert_int_equal(gw_json_count(gw_json_get(json, "a")), 2);
    assert_int_equal(gw_json_int(gw_json_at(gw_json_get(json, "a"), 1)), 2);
    assert_null(gw_json_at(gw_json_get(json, "a"), 2));
    assert_null(gw_json_get(json, "absent"));
    assert_non_null(gw_json_getn(json, "abc", 1));
    gw_json_unref(json);
}

static void answers_questions_about_nothing(void **state)
{
    (void)state;
    assert_false(gw_json_is_string(NULL));
    assert_false(gw_json_is_object(NULL));
    assert_false(gw_json_is_array(NULL));
    assert_false(gw_json_is_int(NULL));
    assert_false(gw_json_is_number(NULL));
    assert_false(gw_json_is_bool(NULL));
    assert_false(gw_json_is_null(NULL));
    assert_int_equal(gw_json_count(NULL), 0);
    assert_null(gw_json_get(NULL, "a"));
    assert_null(gw_json_at(NULL, 0));
    gw_json_unref(NULL);
}

static void accepts_a_lone_scalar(void **state)
{
    (void)state;
    gw_json_unref(parse("\"text\""));
    gw_json_unref(parse("7"));
    gw_json_unref(parse("null"));
}

static void refuses_broken_grammar(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     " ",     "{",         "}",           "[1,]",   "{\"a\":}",   "{\"a\" 1}", "{a:1}", "[1 2]",          "tru",
        "nul",  "truex", "[] []",     "1 2",         "\"open", "\"a\nb\"",   "[",         "'a'",   "\xef\xbb\xbf{}", "\"\\x\"",
        "\"\\", "//c",   "\"\\u12\"", "\"\\u12g4\"", "[1]]",   "{\"a\":1,}", "::::",      ",",     "\"\\u0000\"",    "{\"\\u0000\":1}",
        "01",   "1.",    ".5",        "-",           "+1",     "1e",         "0x10",      "NaN",   "Infinity",       "--1",
        "1-2",  "[1}",   "\"\t\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i], "json_malformed");
    assert_refused_bytes("[1]\0", 4, "json_malformed");
    assert_refused_bytes("\"a\0b\"", 5, "json_malformed");
}

static void refuses_text_that_is_not_utf8(void **state)
{
    (void)state;
    assert_refused("\"\xff\"", "json_bad_utf8");
    assert_refused("\"\xc3\"", "json_bad_utf8");
    assert_refused("{\"\xed\xa0\x80\":1}", "json_bad_utf8");
    assert_refused("\"\xe2\x82", "json_bad_utf8");
}

static void refuses_escaped_surrogates_that_stand_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"\\ud800\"",        "\"\\uDC00\"",        "\"\\ud800x\"",       "\"\\ud800\\n\"",
                                      "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\u0041\"", "\"\\ud800\\u12\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i], "json_bad_utf8");
    struct gw_json *pair = parse("\"\\ud83d\\uDE00\"");
    assert_string_equal(gw_json_text(pair, NULL), "\xf0\x9f\x98\x80");
    gw_json_unref(pair);
}

static void keeps_escaped_keys_and_values_apart(void **state)
{
    (void)state;
    struct gw_json *json = parse("{ \"k\\n\" : \"\\u00e9\\t\\/\" , \"a\\u0062\":{\"c\\\\d\" :[ \"\\\"\",\"\" ] } }");
    assert_string_equal(gw_json_text(gw_json_get(json, "k\n"), NULL), "\xc3\xa9\t/");
    struct gw_json *list = gw_json_get(gw_json_get(json, "ab"), "c\\d");
    assert_string_equal(gw_json_text(gw_json_at(list, 0), NULL), "\"");
    assert_string_equal(gw_json_text(gw_json_at(list, 1), NULL), "");
    gw_json_unref(json);
}

static void names_the_place_of_the_second_key(void **state)
{
    (void)state;
    struct gw_json *json;
    struct gw_error err;
    assert_int_equal(gw_json_parse("{\"a\":1, \"a\":[]}", 15, &limits, &json, &err), GW_EINVAL);
    assert_string_equal(err.path, "byte 8");
}

static void refuses_duplicate_keys(void **state)
{
    (void)state;
    assert_refused("{\"a\":1,\"a\":1}", "json_duplicate_key");
    assert_refused("[{\"a\":1,\"b\":2,\"\\u0061\":3}]", "json_duplicate_key");
}

static void admits_numbers_that_i_json_admits(void **state)
{
    (void)state;
    static const char *const good[] = {
        "9007199254740991", "-9007199254740991", "1e21", "1.7976931348623157e308", "5e-324", "1e-400", "0.1", "-0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        gw_json_unref(parse(good[i]));
    static const char *const bad[] = {
        "9007199254740992",   "-9007199254740992",       "9007199254740993", "18446744073709551616", "1e309", "-1e309", "1e20",
        "9007199254740992.0", "100000000000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i], "json_bad_number");
}

static void bounds_the_spelling_of_a_number(void **state)
{
    (void)state;
    char text[200] = "0.";
    memset(text + 2, '1', 126);
    gw_json_unref(parse(text));
    text[128] = '1';
    assert_refused(text, "json_bad_number");
}

static void makes_integral_numbers_integers_however_they_are_spelled(void **state)
{
    (void)state;
    struct gw_json *json = parse("{\"a\":1.0,\"b\":[1e3,-2.50e1,0.5,{\"c\":-0.0}]}");
    struct gw_json *list = gw_json_get(json, "b");
    assert_int_equal(gw_json_int(gw_json_get(json, "a")), 1);
    assert_int_equal(gw_json_int(gw_json_at(list, 0)), 1000);
    assert_int_equal(gw_json_int(gw_json_at(list, 1)), -25);
    assert_int_equal(gw_json_type(gw_json_at(list, 2)), GW_JSON_REAL);
    assert_int_equal(gw_json_int(gw_json_get(gw_json_at(list, 3), "c")), 0);
    gw_json_unref(json);
    json = parse("2.0");
    assert_int_equal(gw_json_int(json), 2);
    gw_json_unref(json);
    json = parse("1e21");
    assert_int_equal(gw_json_type(json), GW_JSON_REAL);
    gw_json_unref(json);
}

static void refuses_what_is_over_a_limit_and_names_it(void **state)
{
    (void)state;
    struct gw_json *json;
    struct gw_error err;
    char big[4200];
    memset(big, ' ', sizeof big);
    big[0] = '1';
    assert_int_equal(gw_json_parse(big, 4097, &limits, &json, &err), GW_ELIMIT);
    assert_string_equal(err.id, "json_too_large");
    assert_string_equal(err.limit_name, "max_bytes");
    assert_int_equal(err.limit, 4096);
    assert_int_equal(gw_json_parse("[[[[[]]]]]", 10, &limits, &json, &err), GW_ELIMIT);
    assert_string_equal(err.id, "json_too_deep");
    assert_string_equal(err.path, "byte 4");
    assert_int_equal(gw_json_parse("[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6]", 33, &limits, &json, &err), GW_ELIMIT);
    assert_string_equal(err.id, "json_too_many_nodes");
    assert_int_equal(err.limit, 16);
}

static void admits_what_is_at_a_limit(void **state)
{
    (void)state;
    gw_json_unref(parse("[[[[]]],[[[]]]]"));
    gw_json_unref(parse("[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5]"));
}

static void counts_values_and_not_keys(void **state)
{
    (void)state;
    gw_json_unref(parse("{\"a\" :1,\"b\":\"2\",\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11}"));
}

static void refuses_every_prefix_of_a_document(void **state)
{
    (void)state;
    const char text[] = "{\"a\":[1,2.5e1,\"\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":null,\"d\":true}}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *part = gw_try_alloc(length);
        struct gw_json *json;
        struct gw_error err;
        memcpy(part, text, length);
        assert_int_equal(gw_json_parse(part, length, &limits, &json, &err), GW_EINVAL);
        gw_free(part);
    }
    gw_json_unref(parse(text));
}

static void survives_any_single_changed_byte(void **state)
{
    (void)state;
    char text[] = "{\"a\":[1,2.5e1,\"\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":null}}";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char kept = text[i];
        for (int c = 0; c < 256; c++) {
            struct gw_json *json;
            struct gw_error err;
            text[i] = (char)c;
            if (gw_json_parse(text, sizeof text - 1, &limits, &json, &err) == 0)
                gw_json_unref(json);
            else
                assert_int_not_equal(err.id[0], 0);
        }
        text[i] = kept;
    }
}

static void reports_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const char text[] = "{\"a\\n\":[1,2.0,\"te\\txt\"],\"b\":{\"c\":null,\"d\":0.5},\"e\":1,\"f\":2,\"g\":3,\"h\":4}";
    long n = 1;
    for (;; n++) {
        struct gw_json *json;
        struct gw_error err;
        gw_alloc_fail_after(n);
        int rc = gw_json_parse(text, sizeof text - 1, &limits, &json, &err);
        long made = gw_alloc_fallible_count();
        gw_alloc_fail_after(0);
        gw_json_unref(json);
        assert_int_equal(rc, made >= n ? GW_ENOMEM : 0);
        if (rc == 0)
            break;
        assert_string_equal(err.id, "out_of_memory");
        assert_in_range(n, 1, 1000);
    }
    assert_in_range(n, 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(answers_questions_about_nothing),
        cmocka_unit_test(accepts_a_lone_scalar),
        cmocka_unit_test(refuses_broken_grammar),
        cmocka_unit_test(refuses_text_that_is_not_utf8),
        cmocka_unit_test(refuses_escaped_surrogates_that_stand_alone),
        cmocka_unit_test(keeps_escaped_keys_and_values_apart),
        cmocka_unit_test(names_the_place_of_the_second_key),
        cmocka_unit_test(refuses_duplicate_keys),
        cmocka_unit_test(admits_numbers_that_i_json_admits),
        cmocka_unit_test(bounds_the_spelling_of_a_number),
        cmocka_unit_test(makes_integral_numbers_integers_however_they_are_spelled),
        cmocka_unit_test(refuses_what_is_over_a_limit_and_names_it),
        cmocka_unit_test(admits_what_is_at_a_limit),
        cmocka_unit_test(counts_values_and_not_keys),
        cmocka_unit_test(refuses_every_prefix_of_a_document),
        cmocka_unit_test(survives_any_single_changed_byte),
        cmocka_unit_test(reports_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
