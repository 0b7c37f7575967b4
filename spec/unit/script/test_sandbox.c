#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "script/sandbox_support.h"

static void a_function_of_a_module_is_called_with_json(void **state)
{
    (void)state;
    assert_gives("return {f = function(a, b) return {sum = a.x + b} end}", "[{\"x\":2},3]", "{\"sum\":5}");
}

static void values_survive_the_way_in_and_out(void **state)
{
    (void)state;
    static const char *const values[] = {
        "null", "true", "9007199254740991", "-1.5", "\"\xc3\xa9\"", "[]", "{}", "[[],{}]", "{\"a\":{\"b\":[1,2,{}]},\"n\":[null,null]}",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char args[200] = "[";
        strncat(strncat(args, values[i], 150), "]", 2);
        assert_gives("return {f = function(a) return a end}", args, values[i]);
    }
}

static void a_list_emptied_by_the_script_is_still_a_list(void **state)
{
    (void)state;
    assert_gives("return {f = function(a) a.l[1] = nil return a end}", "[{\"l\":[1]}]", "{\"l\":[]}");
}

static void an_error_tells_file_and_line(void **state)
{
    (void)state;
    assert_fails("return {f = function()\n  error('no')\nend}", NULL, "script_failed", "m.lua:2", "no");
    assert_fails("return {f = function()\n  local x = nil\n  return x.y\nend}", NULL, "script_failed", "m.lua:3", "attempt to index a nil");
    assert_fails("return {\n f = function( end }", NULL, "script_syntax", "m.lua:2", "expected");
    assert_fails("return {f = function() error({}) end}", NULL, "script_failed", "m.lua:1", "type table");
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    assert_fails("return {}", NULL, "script_missing", NULL, "no function f");
    assert_fails("return {f = 1}", NULL, "script_missing", NULL, "no function f");
}

static void endless_loops_end(void **state)
{
    (void)state;
    assert_fails("return {f = function() while true do end end}", NULL, "script_budget", "m.lua:1", "instructions");
    assert_fails("return {f = function() while true do pcall(function() while true do end end) end end}", NULL, "script_budget", NULL,
                 NULL);
    assert_fails("return {f = function() local function loop() while true do end end xpcall(loop, loop) end}", NULL, "script_budget", NULL,
                 NULL);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    assert_fails("return {f = function() local t = {} for i = 1, 1e9 do t[i] = {} end end}", NULL, "script_memory", NULL, "bytes");
    assert_fails("return {f = function() local s = 'x' while true do s = s .. s end end}", NULL, "script_memory", NULL, "string");
}

static void a_module_is_frozen(void **state)
{
    (void)state;
    assert_fails("local t = {n = 0}\nreturn {f = function()\n t.n = t.n + 1 end}", NULL, "script_failed", "m.lua:3",
                 "frozen table (field 'n')");
    assert_fails("return {f = function() x = 1 end}", NULL, "script_failed", "m.lua:1", "global 'x'");
    assert_fails("local n = 0\nreturn {f = function()\n n = n + 1 return n end}", NULL, "script_failed", "m.lua:3", "'n'");
}

static void pairs_goes_in_order(void **state)
{
    (void)state;
    assert_gives("return {f = function() local o = {} for k in pairs({b=1,a=1,[3]=1,[1]=1,B=1}) do o[#o+1] = tostring(k) end return o end}",
                 NULL, "[\"1\",\"3\",\"B\",\"a\",\"b\"]");
}

static void modules_require_each_other(void **state)
{
    (void)state;
    struct file files[] = {{"m", "local b = require 'b' return {f = function() return b.x end}"}, {"b", "return {x = 7}"}, {NULL, NULL}};
    char out[64];
    struct gw_error err;
    struct gw_sandbox *box = box_of(files, NULL);
    assert_int_equal(call_f(box, NULL, out, sizeof out, &err), 0);
    assert_string_equal(out, "7");
    gw_sandbox_destroy(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_of_a_module_is_called_with_json),
        cmocka_unit_test(values_survive_the_way_in_and_out),
        cmocka_unit_test(a_list_emptied_by_the_script_is_still_a_list),
        cmocka_unit_test(an_error_tells_file_and_line),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(endless_loops_end),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(a_module_is_frozen),
        cmocka_unit_test(pairs_goes_in_order),
        cmocka_unit_test(modules_require_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
