/* What crosses the border of a sandbox: results, lookups, data of modules, tracebacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "script/sandbox_support.h"

static void bad(const char *body, const char *what)
{
    char text[600];
    snprintf(text, sizeof text, "return {f = function(a) %s end}", body);
    assert_fails(text, NULL, "script_bad_result", "m.lua", what);
}

static void a_result_is_data_or_an_error(void **state)
{
    (void)state;
    bad("return print or pairs", "f returned: a function is not data");
    bad("return {a = {b = pairs}}", "f returned at /a/b: a function is not data");
    bad("return 0 / 0", "not finite");
    bad("return math.maxinteger", "2^53");
    bad("return '\\xff'", "UTF-8");
    bad("return 'a\\0b'", "NUL");
    bad("local t = {} t.t = t return t", "at /t: a table that contains itself");
    bad("return {1, nil, 3, x = 1}", "mixed");
    bad("return {[1] = 1, [3] = 3}", "position 2 is nil");
    bad("return {[1.5] = 1}", "a key of type number");
    bad("return {[true] = 1}", "a key of type boolean");
    bad("local t = {} for i = 1, 40 do t = {t} end return t", "nested deeper than 32 tables");
    bad("local t = {} for i = 1, 20000 do t[i] = i end return t", "more than 16384 values");
    bad("local t = {} for i = 1, 200 do t[i] = t[i - 1] or {} for k = 1, 100 do t[i][k] = k end end return t", "more than 16384 values");
    bad("local s, t = string.rep('x', 1000), {} for i = 1, 300 do t[i] = s end return t", "more than 262144 bytes of text");
    bad("return {['a\\27[31m/~'] = pairs}", "/a\\x1b[31m~1~0");
}

static void only_own_members_are_the_result(void **state)
{
    (void)state;
    assert_gives("return {f = function() return setmetatable({a = 1}, {__index = {b = 2}, __len = function() return 5 end}) end}", NULL,
                 "{\"a\":1}");
    assert_gives("return {f = function() local t = {1, 2} return {t, t} end}", NULL, "[[1,2],[1,2]]");
}

static void json_of_scripts_keeps_what_json_means(void **state)
{
    (void)state;
    assert_gives(
        "local json = require 'atoms.json'\n"
        "return {f = function(a) return {json.encode(a), json.decode('{\"l\":[],\"n\":9007199254740991,\"z\":null}'), json.list({}),\n"
        "  {json.null}, a.n == json.null, select('#', json.decode('[')), (select(2, json.decode('[1,'))).code} end}",
        "[{\"z\":1,\"l\":[],\"n\":null,\"i\":9007199254740991}]",
        "[\"{\\\"i\\\":9007199254740991,\\\"l\\\":[],\\\"n\\\":null,\\\"z\\\":1}\",{\"l\":[],\"n\":9007199254740991,\"z\":null},[],[null],"
        "true,2,"
        "\"json_malformed\"]");
    assert_fails("return {f = function()\nrequire('atoms.json').encode({pairs}) end}", NULL, "script_failed", "m.lua:2",
                 "json.encode: /0: a function is not data");
    assert_gives("local json = require 'atoms.json' local none = json.list({}) return {f = function() return {none, {none}} end}", NULL,
                 "[[],[[]]]");
}

static int look(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err)
{
    int *count = self;
    ++*count;
    const struct gw_json *first = gw_json_at(args, 0);
    if (gw_json_is_string(first) && strcmp(gw_json_text(first, NULL), "fail") == 0)
        return gw_error_set(err, GW_EIO, "disk", "the disk is gone");
    if (gw_json_is_string(first) && strcmp(gw_json_text(first, NULL), "none") == 0)
        return 0;
    *result = gw_json_ref(gw_json_at(args, 0));
    return 0;
}

static int call_with_look(const char *text, char *out, size_t size, struct gw_error *err)
{
    int count = 0;
    struct gw_sandbox *box = box_of_text(text);
    struct gw_sandbox_lookup lookup = {"block", look, &count};
    struct gw_json *view = gw_json_new_object(), *results[2];
    struct gw_sandbox_call call = {
        .module = "m", .function = "f", .args = &view, .arg_count = 1, .lookups = &lookup, .lookup_count = 1, .result_count = 2};
    int rc = gw_sandbox_call(box, &call, results, NULL, err);
    struct gw_buffer buffer;
    gw_buffer_init(&buffer, 0);
    for (int i = 0; rc == 0 && i < 2; i++) {
        gw_json_write_canonical(results[i], &buffer);
        gw_json_unref(results[i]);
        gw_buffer_append_char(&buffer, ' ');
    }
    gw_buffer_append_char(&buffer, '\0');
    snprintf(out, size, "%s%d", buffer.data, count);
    gw_buffer_fini(&buffer);
    gw_json_unref(view);
    gw_sandbox_destroy(box);
    return rc;
}

static void a_script_looks_things_up(void **state)
{
    (void)state;
    char out[200];
    struct gw_error err = {0};
    assert_int_equal(
        call_with_look("return {f = function(v) return v.block({id = 'x', l = {}}), v.block('none') end}", out, sizeof out, &err), 0);
    assert_string_equal(out, "{\"id\":\"x\",\"l\":{}} null 2");
    assert_int_equal(call_with_look("return {f = function(v)\npcall(v.block, 'fail') return 1 end}", out, sizeof out, &err), GW_EINVAL);
    assert_string_equal(err.id, "script_failed");
    assert_string_equal(err.path, "m.lua:2");
    assert_string_equal(err.message, "block: the disk is gone");
    assert_int_equal(call_with_look("return {f = function(v) return v.block(pairs) end}", out, sizeof out, &err), GW_EINVAL);
    assert_string_equal(err.message, "block: a function is not data");
    assert_int_equal(call_with_look("return {f = function(v) while true do v.block(1) end end}", out, sizeof out, &err), GW_ELIMIT);
}

static void members_are_found_by_their_path(void **state)
{
    (void)state;
    struct gw_error err = {0};
    struct gw_sandbox *box = box_of_text("return {name = 'n', f = function() end, deep = {er = {g = function() return 3 end}}}");
    struct gw_json *result = NULL;
    struct gw_sandbox_call call = {.module = "m", .function = "deep.er.g", .result_count = 1};
    assert_int_equal(gw_sandbox_call(box, &call, &result, NULL, &err), 0);
    assert_int_equal(gw_json_int(result), 3);
    gw_json_unref(result);
    assert_int_equal(gw_sandbox_has(box, "m", "deep.er.g", &err), 1);
    assert_int_equal(gw_sandbox_has(box, "m", "deep.er", &err), 0);
    assert_int_equal(gw_sandbox_has(box, "m", "deep.er.g.h", &err), 0);
    assert_int_equal(gw_sandbox_has(box, "m", "name.x", &err), 0);
    assert_int_equal(gw_sandbox_has(box, "other", "f", &err), GW_ENOTFOUND);
    assert_string_equal(err.id, "script_missing");
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    assert_int_equal(gw_sandbox_data(box, "m", &result, &err), 0);
    gw_json_write_canonical(result, &text);
    gw_buffer_append_char(&text, '\0');
    assert_string_equal(text.data, "{\"deep\":{\"er\":{}},\"name\":\"n\"}");
    gw_buffer_fini(&text);
    gw_json_unref(result);
    gw_sandbox_destroy(box);
}

/* Knows every table but the one that it met first. */
static bool knows_all_but_first(void *self, uint32_t constant)
{
    uint32_t *last = self;
    *last = constant;
    return constant != 1;
}

/* The number of what f returns for `argument`, and whether it was read. */
static uint32_t number_of(struct gw_sandbox *box, int64_t argument, bool *is_read)
{
    uint32_t last = 0;
    struct gw_error err;
    struct gw_json *arg = gw_json_new_int(argument), *result = NULL;
    struct gw_sandbox_call call = {
        .module = "m", .function = "f", .args = &arg, .arg_count = 1, .result_count = 1, .knows = knows_all_but_first, .knows_self = &last};
    assert_int_equal(gw_sandbox_call(box, &call, &result, NULL, &err), 0);
    *is_read = result != NULL;
    gw_json_unref(arg);
    gw_json_unref(result);
    return last;
}

static void a_table_that_a_file_made_as_it_was_loaded_has_a_number(void **state)
{
    (void)state;
    bool is_read;
    struct gw_sandbox *box = box_of_text("local outer = {inner = {1}} local class = {} class.__index = class\n"
                                         "local known = {outer, outer.inner, {}, 'text'}\n"
                                         "return {f = function(n)\n"
                                         "if n == 5 then return setmetatable({}, class) end if n == 6 then return {outer} end\n"
                                         "return known[n] end}");
    assert_int_equal(number_of(box, 2, &is_read), 1);
    assert_true(is_read);
    assert_int_equal(number_of(box, 1, &is_read), 2);
    assert_false(is_read);
    assert_int_equal(number_of(box, 3, &is_read), 3);
    assert_int_equal(number_of(box, 2, &is_read), 1);
    assert_int_equal(number_of(box, 1, &is_read), 2);
    for (int others = 4; others <= 7; others++) { /* a text, an object, a table of this call, nil */
        assert_int_equal(number_of(box, others, &is_read), 0);
        assert_true(is_read);
    }
    gw_sandbox_destroy(box);
}

static void a_traceback_shows_the_way_and_no_control_characters(void **state)
{
    (void)state;
    char out[64];
    struct gw_error err;
    struct gw_sandbox *box =
        box_of_text("local function inner(n)\n  error('bad \\27[31m\\n' .. n)\nend\nreturn {f = function(n)\n  inner(n) return 1\nend}");
    assert_int_equal(call_f(box, "[7]", out, sizeof out, &err), GW_EINVAL);
    assert_string_equal(err.path, "m.lua:2");
    assert_string_equal(err.message, "bad \\x1b[31m\\x0a7");
    assert_non_null(strstr(gw_sandbox_traceback(box), "m.lua:2: in upvalue 'inner'\nm.lua:5: in the function of line 4"));
    gw_sandbox_destroy(box);
    box = box_of_text("local function f(n) return 1 + f(n + 1) end return {f = f}");
    assert_int_not_equal(call_f(box, "[7]", out, sizeof out, &err), 0);
    assert_true(strlen(gw_sandbox_traceback(box)) < 4096);
    gw_sandbox_destroy(box);
    box = box_of_text("return {f = function(n) if n == 1 then error() end return n end}");
    assert_int_not_equal(call_f(box, "[1]", out, sizeof out, &err), 0);
    assert_string_equal(err.message, "raised a value of type nil as an error, not a text");
    assert_true(gw_sandbox_traceback(box)[0] != '\0');
    assert_int_equal(call_f(box, "[2]", out, sizeof out, &err), 0);
    assert_string_equal(gw_sandbox_traceback(box), "");
    gw_sandbox_destroy(box);
}

static void bytecode_is_no_script(void **state)
{
    (void)state;
    assert_fails("\x1bLua\x54", NULL, "script_syntax", NULL, "attempt to load a binary chunk");
}

static void source_nested_too_deep_is_a_syntax_error(void **state)
{
    (void)state;
    char text[4096] = "return ";
    memset(text + 7, '{', 2000);
    assert_fails(text, NULL, "script_syntax", "m.lua", "overflow");
}

static void an_error_keeps_the_position_it_was_raised_with(void **state)
{
    (void)state;
    assert_fails("local function g()\nerror('deep')\nend\nreturn {f = function()\nlocal ok, e = pcall(g)\nerror(e, 0)\nend}", NULL,
                 "script_failed", "m.lua:2", "deep");
    assert_fails("return {f = function()\nerror('other.lua:1: x', 0)\nend}", NULL, "script_failed", "m.lua:2", "other.lua:1: x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_data_or_an_error),
        cmocka_unit_test(only_own_members_are_the_result),
        cmocka_unit_test(json_of_scripts_keeps_what_json_means),
        cmocka_unit_test(a_script_looks_things_up),
        cmocka_unit_test(members_are_found_by_their_path),
        cmocka_unit_test(a_table_that_a_file_made_as_it_was_loaded_has_a_number),
        cmocka_unit_test(a_traceback_shows_the_way_and_no_control_characters),
        cmocka_unit_test(bytecode_is_no_script),
        cmocka_unit_test(source_nested_too_deep_is_a_syntax_error),
        cmocka_unit_test(an_error_keeps_the_position_it_was_raised_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
