/* Text of others on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/printable.h"

static void keeps_text_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(gw_printable("policies/täg.lua: β ≠ 😀").text, "policies/täg.lua: β ≠ 😀");
    assert_string_equal(gw_printable(NULL).text, "");
}

static void escapes_whatever_moves_a_cursor(void **state)
{
    (void)state;
    assert_string_equal(gw_printable("\x1b[31m\r\n\t\x7f").text, "\\x1b[31m\\x0d\\x0a\\x09\\x7f");
    assert_string_equal(gw_printable("\xc2\x9b"
                                     "31m")
                            .text,
                        "\\xc2\\x9b31m");
    assert_string_equal(gw_printable("\xff\xc3").text, "\\xff\\xc3");
}

static void leaves_out_what_does_not_fit_and_never_half_of_it(void **state)
{
    char out[8];
    (void)state;
    for (size_t size = 1; size <= sizeof out; size++) {
        memset(out, 'x', sizeof out);
        gw_printable_text(out, size,
                          "a\x1b"
                          "äb",
                          5);
        assert_true(strlen(out) < size);
        assert_true(strcmp(out, size < 6 ? "a" : size < 8 ? "a\\x1b" : "a\\x1bä") == 0 || size == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_text_as_it_is),
        cmocka_unit_test(escapes_whatever_moves_a_cursor),
        cmocka_unit_test(leaves_out_what_does_not_fit_and_never_half_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
