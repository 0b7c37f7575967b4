#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

static ptrdiff_t count(const char *text) { return gw_utf8_count(text, strlen(text), NULL); }

static void counts_code_points(void **state)
{
    (void)state;
    assert_int_equal(count(""), 0);
    assert_int_equal(count("plain text of some length"), 25);
    assert_int_equal(count("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), 4);
    assert_int_equal(count("\xf4\x8f\xbf\xbf"), 1);
    assert_int_equal(gw_utf8_count("a\0b", 3, NULL), 3);
}

static void names_the_offending_byte(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",             /* a tail alone */
        "\xc0\xaf",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xed\xbf\xbf",     /* surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3",
        "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32] = "0123456789";
        size_t at = 0;
        memcpy(text + 10, bad[i], strlen(bad[i]));
        assert_int_equal(gw_utf8_count(text, 10 + strlen(bad[i]), &at), -1);
        assert_int_equal(at, 10);
    }
}

static void turns_indexes_into_offsets(void **state)
{
    (void)state;
    const char text[] = "0123456789\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z123456789";
    size_t length = sizeof text - 1;
    size_t at = 0;
    for (size_t index = 0; index < 23; index++) {
        assert_int_equal(gw_utf8_offset(text, length, index), at);
        at += gw_utf8_step(text + at, length - at);
    }
    assert_int_equal(at, length);
    assert_int_equal(gw_utf8_offset(text, length, 23), length);
    assert_int_equal(gw_utf8_offset(text, length, 1000), length);
    assert_int_equal(gw_utf8_offset("", 0, 3), 0);
}

static void steps_over_every_code_point_and_no_surrogate(void **state)
{
    (void)state;
    for (unsigned long c = 0x80; c <= 0x110000; c++) {
        char text[4];
        size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = size; i > 0; i--)
            text[i - 1] = (char)(0x80 | (c >> (6 * (size - i)) & 0x3f));
        text[0] = (char)((size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0) | c >> (6 * (size - 1)));
        int is_character = (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
        if (gw_utf8_step(text, size) != (is_character ? size : 0))
            fail_msg("U+%lX", c);
        if (gw_utf8_step(text, size - 1) != 0)
            fail_msg("cut U+%lX", c);
    }
}

static void cuts_before_a_character_that_is_not_whole(void **state)
{
    (void)state;
    const char text[] = "a\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t floors[] = {0, 1, 1, 1, 4, 4, 4, 4, 8};
    for (size_t length = 0; length <= 8; length++)
        assert_int_equal(gw_utf8_floor(text, length), floors[length]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_code_points),
        cmocka_unit_test(names_the_offending_byte),
        cmocka_unit_test(turns_indexes_into_offsets),
        cmocka_unit_test(steps_over_every_code_point_and_no_surrogate),
        cmocka_unit_test(cuts_before_a_character_that_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
