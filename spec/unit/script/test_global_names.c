/* Which globals a source reads and assigns, by its bytecode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "script/global_names.h"
#include "script/sources.h"

/* "name:line" of a read, "name=line" of an assignment, in the order of the code. */
struct seen {
    char text[2048];
};

static void on_use(void *arg, const struct gw_global_use *use)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%s%s%s%u", used ? " " : "", use->name, use->is_assigned ? "=" : ":", use->line);
}

static struct seen look_at(const char *text)
{
    struct seen seen = {""};
    struct gw_error err;
    struct gw_source source = {"policy.x", "policies/x.lua", text, strlen(text)};
    assert_int_equal(gw_global_names(&source, on_use, &seen, &err), GW_OK);
    return seen;
}

static void tells_reads_and_assignments_with_their_lines(void **state)
{
    (void)state;
    assert_string_equal(look_at("local a = 1\nb = a\n\nreturn c\n").text, "b=2 c:4");
}

static void looks_into_functions_in_functions(void **state)
{
    (void)state;
    assert_string_equal(look_at("return { f = function()\n  return function()\n    n = isvalid(1)\n  end\nend }").text, "isvalid:3 n=3");
}

static void knows_locals_parameters_and_fields(void **state)
{
    (void)state;
    assert_string_equal(
        look_at("local t = {}\nfunction t.f(x)\n  for i = 1, x do\n    local y = i\n    t.y = y\n  end\nend\nreturn t").text, "");
}

static void finds_lines_far_apart(void **state)
{
    char text[4000] = "local a = 1\n";
    (void)state;
    for (int i = 0; i < 1500; i++)
        strncat(text, "\n", 2);
    strncat(text, "b = a\nreturn c", 20);
    assert_string_equal(look_at(text).text, "b=1502 c:1503");
}

static void finds_each_of_many_instructions(void **state)
{
    char text[16384] = "local t = {}\n";
    (void)state;
    for (int i = 0; i < 600; i++)
        strncat(text, "t.a = 1\n", 9);
    strncat(text, "last = t\n", 10);
    assert_string_equal(look_at(text).text, "last=602");
}

static void says_where_a_source_is_no_lua(void **state)
{
    struct gw_error err;
    struct gw_source source = {"policy.x", "policies/x.lua", "return {\n\n", 10};
    (void)state;
    assert_int_equal(gw_global_names(&source, NULL, NULL, &err), GW_EINVAL);
    assert_string_equal(err.id, "script_syntax");
    assert_string_equal(err.path, "policies/x.lua:3");
    assert_null(strstr(err.message, "data"));
}

static void survives_what_is_not_text(void **state)
{
    struct gw_error err;
    struct gw_source source = {"policy.x", "policies/x.lua", "\x1bLua\0\xff", 6};
    (void)state;
    assert_int_equal(gw_global_names(&source, on_use, NULL, &err), GW_EINVAL);
    assert_int_equal(gw_global_names(&(struct gw_source){"policy.x", "x", "", 0}, on_use, NULL, &err), GW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_reads_and_assignments_with_their_lines),
        cmocka_unit_test(looks_into_functions_in_functions),
        cmocka_unit_test(knows_locals_parameters_and_fields),
        cmocka_unit_test(finds_lines_far_apart),
        cmocka_unit_test(finds_each_of_many_instructions),
        cmocka_unit_test(says_where_a_source_is_no_lua),
        cmocka_unit_test(survives_what_is_not_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
