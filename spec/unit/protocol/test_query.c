/* test_query.c — queries as lists of pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/query.h"

/* Pairs as "name=value;" or "!" at a refusal. Raw text and scratch are exact allocations, so that overruns are seen. */
static void expect_raw(const char *raw, size_t length, const char *expected)
{
    struct gw_query query;
    struct gw_query_pair pair;
    struct gw_error err;
    struct gw_buffer out;
    char *text = gw_try_alloc(length);
    char *scratch = gw_try_alloc(length + 1);
    int rc;
    memcpy(text, raw, length);
    gw_buffer_init(&out, 0);
    gw_query_init(&query, text, length, scratch);
    while ((rc = gw_query_next(&query, &pair, &err)) == 1) {
        assert_int_equal(strlen(pair.name), pair.name_length);
        assert_int_equal(strlen(pair.value), pair.value_length);
        gw_buffer_appendf(&out, "%s=%s;", pair.name, pair.value);
    }
    if (rc < 0) {
        assert_string_equal(err.id, "bad_query");
        gw_buffer_appendf(&out, "!%s", err.path);
    }
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    gw_buffer_fini(&out);
    gw_free(text);
    gw_free(scratch);
}

static void expect(const char *raw, const char *expected) { expect_raw(raw, strlen(raw), expected); }

static void lists_pairs_in_order(void **state)
{
    (void)state;
    expect("", "");
    expect("a=1", "a=1;");
    expect("canvas_id=a&canvas_id=b&x", "canvas_id=a;canvas_id=b;x=;");
    expect("&&a=1&&b=&", "a=1;b=;");
    expect("a=b=c", "a=b=c;");
    expect("a&b&c", "a=;b=;c=;");
}

static void decodes_strictly(void **state)
{
    (void)state;
    expect("caf%C3%a9=x+y%2B", "caf\xc3\xa9=x y+;");
    expect("a=%26%3D", "a=&=;");
    expect("a=%", "!a");
    expect("a=%4", "!a");
    expect("a=%4g", "!a");
    expect("ok=1&%zz=1", "ok=1;!");
    expect("a=%00", "!a");
    expect("a=%ff", "!a");
    expect("a=%c3", "!a");
    expect("a=%ed%a0%80", "!a");
    expect("=x", "!");
    expect_raw("a=\0", 3, "!a");
}

static void decodes_path_segments(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(gw_percent_decode("a%20b+c", 7, out), 5);
    assert_string_equal(out, "a b+c");
    assert_int_equal(gw_percent_decode("", 0, out), 0);
    assert_int_equal(gw_percent_decode("%0", 2, out), -1);
    assert_int_equal(gw_percent_decode("%00", 3, out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_pairs_in_order),
        cmocka_unit_test(decodes_strictly),
        cmocka_unit_test(decodes_path_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
