/* Where a text, or a function, is written in a source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "script/source_line.h"
#include "script/sources.h"

static const char text[] = "local lens = require(\"atoms.lens\")\n" /* 1 */
                           "local function helper(actor)\n"         /* 2 */
                           "  return { \"*\", \"!secret.*\" }\n"    /* 3 */
                           "end\n"                                  /* 4 */
                           "return {\n"                             /* 5 */
                           "  lens = function(actor)\n"             /* 6 */
                           "    return helper(actor)\n"             /* 7 */
                           "  end,\n"                               /* 8 */
                           "}\n";

static const struct gw_source source = {"policy.token_lens", "policies/token_lens.lua", text, sizeof text - 1};

static void finds_a_literal(void **state)
{
    (void)state;
    assert_int_equal(gw_source_line_of(&source, "!secret.*", 1), 3);
    assert_int_equal(gw_source_line_of(&source, "atoms.lens", 1), 1);
    assert_int_equal(gw_source_line_of(&source, "atoms.lens", 2), 0);
    assert_int_equal(gw_source_line_of(&source, "helper", 3), 7);
}

static void finds_nothing_that_is_not_written(void **state)
{
    (void)state;
    assert_int_equal(gw_source_line_of(&source, "!secret", 1), 0);
    assert_int_equal(gw_source_line_of_function(&source, "other"), 0);
}

static void finds_a_function_and_not_what_else_bears_its_name(void **state)
{
    (void)state;
    assert_int_equal(gw_source_line_of_function(&source, "lens"), 6);
    assert_int_equal(gw_source_line_of_function(&source, "helper"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_a_literal), cmocka_unit_test(finds_nothing_that_is_not_written),
                                       cmocka_unit_test(finds_a_function_and_not_what_else_bears_its_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
