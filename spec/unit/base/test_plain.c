/* How far text is plain: wherever the first byte stands that is not, and however long the text is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/plain.h"

enum { LENGTH_MAX = 50 };

typedef size_t (*finder)(const char *text, size_t length);

static bool is_escaped(unsigned c) { return c < 0x20 || c == '"' || c == '\\'; }
static bool is_escaped_or_not_ascii(unsigned c) { return is_escaped(c) || c >= 0x80; }
static bool may_be_control(unsigned c) { return c < 0x20 || c == 0x7F || c == 0xC2; }

/* Every byte at every place of texts of every length up to three blocks, among bytes that are plain. */
static void check_every_byte(finder find, bool (*is_special)(unsigned c))
{
    char text[LENGTH_MAX];
    memset(text, 'x', sizeof text);
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t at = 0; at < length; at++) {
            for (unsigned c = 0; c < 256; c++) {
                text[at] = (char)c;
                assert_int_equal(find(text, length), is_special(c) ? at : length);
            }
            text[at] = 'x';
        }
    }
}

static void stops_at_what_json_escapes(void **state)
{
    (void)state;
    check_every_byte(gw_plain_in_json, is_escaped);
}

static void stops_at_what_is_not_ascii_in_json(void **state)
{
    (void)state;
    check_every_byte(gw_plain_ascii_in_json, is_escaped_or_not_ascii);
}

static void stops_at_what_may_be_a_control(void **state)
{
    (void)state;
    check_every_byte(gw_plain_of_controls, may_be_control);
}

static void stops_at_the_first_of_several(void **state)
{
    (void)state;
    char text[LENGTH_MAX];
    for (size_t first = 0; first < sizeof text; first++) {
        memset(text, 'x', first);
        memset(text + first, '"', sizeof text - first);
        assert_int_equal(gw_plain_in_json(text, sizeof text), first);
    }
}

static void does_not_look_behind_the_end(void **state)
{
    (void)state;
    char text[LENGTH_MAX];
    for (size_t length = 0; length < sizeof text; length++) {
        memset(text, 'x', length);
        memset(text + length, '"', sizeof text - length);
        assert_int_equal(gw_plain_in_json(text, length), length);
    }
}

static void takes_no_bytes_at_all(void **state)
{
    (void)state;
    assert_int_equal(gw_plain_in_json(NULL, 0), 0);
    assert_int_equal(gw_plain_ascii_in_json(NULL, 0), 0);
    assert_int_equal(gw_plain_of_controls(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_what_json_escapes),     cmocka_unit_test(stops_at_what_is_not_ascii_in_json),
        cmocka_unit_test(stops_at_what_may_be_a_control), cmocka_unit_test(stops_at_the_first_of_several),
        cmocka_unit_test(does_not_look_behind_the_end),   cmocka_unit_test(takes_no_bytes_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
