#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

static void assert_holds(struct gw_buffer *b, const char *text)
{
    assert_false(b->has_failed);
    assert_int_equal(b->length, strlen(text));
    if (b->length)
        assert_memory_equal(b->data, text, b->length);
    gw_buffer_reset(b);
}

static void joins_what_is_appended(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_buffer_append(&b, "ab", 2);
    gw_buffer_append(&b, NULL, 0);
    gw_buffer_append_text(&b, "cd");
    gw_buffer_append_char(&b, 'e');
    gw_buffer_appendf(&b, "%d-%s", 7, "x");
    assert_holds(&b, "abcde7-x");
    gw_buffer_fini(&b);
}

static void prints_the_ends_of_the_integer_ranges(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_buffer_append_u64(&b, 0);
    gw_buffer_append_char(&b, ' ');
    gw_buffer_append_u64(&b, UINT64_MAX);
    gw_buffer_append_char(&b, ' ');
    gw_buffer_append_i64(&b, INT64_MIN);
    gw_buffer_append_char(&b, ' ');
    gw_buffer_append_i64(&b, -1);
    assert_holds(&b, "0 18446744073709551615 -9223372036854775808 -1");
    gw_buffer_fini(&b);
}

static void keeps_its_bytes_while_it_grows(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    for (int i = 0; i < 10000; i++)
        gw_buffer_appendf(&b, "%05d", i);
    assert_int_equal(b.length, 50000);
    assert_memory_equal(b.data, "0000000001", 10);
    assert_memory_equal(b.data + 49990, "0999809999", 10);
    gw_buffer_fini(&b);
}

static void fails_for_good_over_its_maximum(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 8);
    gw_buffer_append(&b, "12345678", 8);
    assert_false(b.has_failed);
    gw_buffer_append_char(&b, '9');
    assert_true(b.has_failed);
    assert_null(gw_buffer_reserve(&b, 0));
    gw_buffer_reset(&b);
    gw_buffer_append_text(&b, "ok");
    assert_holds(&b, "ok");
    gw_buffer_fini(&b);
}

static void counts_formatted_text_up_to_the_maximum_exactly(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 256);
    gw_buffer_appendf(&b, "%0*d", 256, 7);
    assert_false(b.has_failed);
    assert_int_equal(b.length, 256);
    gw_buffer_appendf(&b, "%d", 1);
    assert_true(b.has_failed);
    gw_buffer_fini(&b);
}

static void refuses_a_length_that_overflows(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_buffer_append_char(&b, 'x');
    assert_null(gw_buffer_reserve(&b, SIZE_MAX));
    assert_true(b.has_failed);
    gw_buffer_fini(&b);
}

static void escapes_only_what_json_requires(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    const char text[] = "a\"b\\c/\b\t\n\f\r\x01\x1f\x7f\xc3\xa9\xe2\x80\xa8";
    gw_buffer_append_json_string(&b, text, sizeof text - 1);
    assert_holds(&b, "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xc3\xa9\xe2\x80\xa8\"");
    gw_buffer_append_json_string(&b, "a\0b", 3);
    assert_holds(&b, "\"a\\u0000b\"");
    gw_buffer_append_json_string(&b, NULL, 0);
    assert_holds(&b, "\"\"");
    gw_buffer_fini(&b);
}

static void takes_reserved_room_only_as_far_as_committed(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    char *room = gw_buffer_reserve(&b, 10);
    memcpy(room, "abcdefghij", 10);
    gw_buffer_commit(&b, 3);
    assert_holds(&b, "abc");
    gw_buffer_fini(&b);
}

static void drops_consumed_bytes_from_the_front(void **state)
{
    (void)state;
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_buffer_consume(&b, 0);
    gw_buffer_append_text(&b, "abcdef");
    gw_buffer_consume(&b, 0);
    gw_buffer_consume(&b, 2);
    assert_int_equal(b.length, 4);
    assert_memory_equal(b.data, "cdef", 4);
    gw_buffer_consume(&b, 4);
    assert_holds(&b, "");
    gw_buffer_fini(&b);
}

static void hands_its_memory_over_with_a_nul(void **state)
{
    (void)state;
    struct gw_buffer b;
    size_t length;
    gw_buffer_init(&b, 256);
    for (int i = 0; i < 256; i++)
        gw_buffer_append_char(&b, 'x');
    char *text = gw_buffer_take(&b, &length);
    assert_int_equal(length, 256);
    assert_int_equal(strlen(text), 256);
    assert_int_equal(b.length, 0);
    gw_free(text);
    text = gw_buffer_take(&b, &length);
    assert_string_equal(text, "");
    gw_free(text);
    gw_buffer_fini(&b);
}

static void hands_nothing_over_after_a_failure(void **state)
{
    (void)state;
    struct gw_buffer b;
    size_t length = 9;
    gw_buffer_init(&b, 2);
    gw_buffer_append_text(&b, "abc");
    assert_null(gw_buffer_take(&b, &length));
    assert_int_equal(length, 0);
    gw_buffer_fini(&b);
}

static void survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (long n = 1; n < 20; n++) {
        struct gw_buffer b;
        gw_buffer_init(&b, 0);
        gw_alloc_fail_after(n);
        for (int i = 0; i < 300; i++)
            gw_buffer_appendf(&b, "%d", i);
        long made = gw_alloc_fallible_count();
        gw_alloc_fail_after(0);
        assert_int_equal(b.has_failed, made >= n);
        gw_buffer_fini(&b);
        if (made < n)
            return;
    }
    fail_msg("the sweep did not end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_what_is_appended),
        cmocka_unit_test(prints_the_ends_of_the_integer_ranges),
        cmocka_unit_test(keeps_its_bytes_while_it_grows),
        cmocka_unit_test(fails_for_good_over_its_maximum),
        cmocka_unit_test(counts_formatted_text_up_to_the_maximum_exactly),
        cmocka_unit_test(refuses_a_length_that_overflows),
        cmocka_unit_test(escapes_only_what_json_requires),
        cmocka_unit_test(takes_reserved_room_only_as_far_as_committed),
        cmocka_unit_test(drops_consumed_bytes_from_the_front),
        cmocka_unit_test(hands_its_memory_over_with_a_nul),
        cmocka_unit_test(hands_nothing_over_after_a_failure),
        cmocka_unit_test(survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
