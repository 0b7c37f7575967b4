#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "script/data_file.h"

static const char *fake_env(void *self, const char *name)
{
    (void)self;
    if (strcmp(name, "PORT") == 0)
        return "8080";
    if (strcmp(name, "NAME") == 0)
        return "top-secret";
    if (strcmp(name, "ON") == 0)
        return "1";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct gw_data_opts with_env = {.env = fake_env};

static int parse(const char *text, const struct gw_data_opts *opts, struct gw_data_file **file, struct gw_error *err)
{
    struct gw_data_opts named = {.name = NULL};
    if (opts != NULL)
        named = *opts;
    named.name = "test.lua";
    *file = NULL;
    return gw_data_file_parse(text, strlen(text), &named, file, err);
}

static void assert_reads_as(const char *text, const struct gw_data_opts *opts, const char *json)
{
    struct gw_data_file *file;
    struct gw_error err = {0};
    if (parse(text, opts, &file, &err) != 0)
        fail_msg("%s: %s: %s", text, err.path, err.message);
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_json_write(gw_data_file_value(file), &out);
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, json);
    gw_buffer_fini(&out);
    gw_data_file_destroy(file);
}

static void assert_refused(const char *text, const struct gw_data_opts *opts, const char *id, const char *path)
{
    struct gw_data_file *file;
    struct gw_error err = {0};
    int rc = parse(text, opts, &file, &err);
    assert_int_not_equal(rc, 0);
    assert_null(file);
    assert_int_equal(err.code, rc);
    assert_string_equal(err.id, id);
    assert_string_equal(err.path, path);
}

static void tables_become_objects_and_arrays(void **state)
{
    (void)state;
    assert_reads_as("return { b = 1, a = { 'x', true, 2.5 } }", NULL, "{\"a\":[\"x\",true,2.5],\"b\":1}");
    assert_reads_as("return { 10, 20, [3] = 30 }", NULL, "[10,20,30]");
    assert_reads_as("return { a = nil, b = {} }", NULL, "{\"b\":{}}");
    assert_reads_as("local kind = { 'x' } return { a = kind, b = kind }", NULL, "{\"a\":[\"x\"],\"b\":[\"x\"]}");
}

static void an_empty_table_is_a_list_where_the_name_says_so(void **state)
{
    (void)state;
    static const char *const lists[] = {"tools", NULL};
    struct gw_data_opts opts = {.list_names = lists};
    assert_reads_as("return { tools = {}, mytools = {}, x = { tools = {} } }", &opts, "{\"mytools\":{},\"tools\":[],\"x\":{\"tools\":[]}}");
}

static void numbers_follow_i_json(void **state)
{
    (void)state;
    assert_reads_as("return { 9007199254740991, -9007199254740991, 0.1 }", NULL, "[9007199254740991,-9007199254740991,0.1]");
    assert_refused("return {\n a = 9007199254740992 }", NULL, "data_bad_value", "test.lua:2");
    assert_refused("return { a = 1/0 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { a = 0/0 }", NULL, "data_bad_value", "test.lua:1");
}

static void what_is_no_data_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_refused("return {\n  a = 1,\n  b = {\n    c = function() end,\n  },\n}", NULL, "data_bad_value", "test.lua:4");
    assert_refused("return {\n 1,\n {\n x = 1, 2 } }", NULL, "data_bad_value", "test.lua:3");
    assert_refused("return { 1, nil, 3 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { [0] = 1 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { [true] = 1 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { [1.5] = 1 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return {\n['a'] = '\\xff' }", NULL, "data_bad_value", "test.lua:2");
    assert_refused("return { ['\\xff'] = 1 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { a = 'a\\0b' }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return { ['a\\0b'] = 1 }", NULL, "data_bad_value", "test.lua:1");
    assert_refused("return 5", NULL, "data_bad_value", "test.lua:1");
    assert_refused("", NULL, "data_bad_value", "test.lua:1");
    assert_refused("local t = {}\nt.x = t\nreturn t", NULL, "data_bad_value", "test.lua:3");
}

static void the_path_stands_in_the_message(void **state)
{
    (void)state;
    struct gw_data_file *file;
    struct gw_error err = {0};
    assert_int_equal(parse("return { a = { { b = print or function() end } } }", NULL, &file, &err), GW_EINVAL);
    assert_string_equal(err.message, "/a/0/b: a function is not data");
}

static void nothing_of_lua_is_reachable(void **state)
{
    (void)state;
    static const char *const names[] = {"print",     "require", "os",   "io",    "load",   "pcall", "setmetatable",
                                        "string",    "table",   "math", "debug", "_G",     "error", "collectgarbage",
                                        "coroutine", "rawget",  "next", "pairs", "select", "env"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[80];
        snprintf(text, sizeof text, "return { x = %s == nil }", names[i]);
        assert_reads_as(text, NULL, "{\"x\":true}");
    }
    assert_refused("return { x = ('a'):rep(10) }", NULL, "data_failed", "test.lua:1");
    assert_refused("\x1bLua", NULL, "data_syntax", "test.lua");
}

static void env_follows_the_type_of_the_default(void **state)
{
    (void)state;
    assert_reads_as("return { a = env('NAME'), b = env('PORT', 1), c = env('ON', false), d = env('PORT') }", &with_env,
                    "{\"a\":\"top-secret\",\"b\":8080,\"c\":true,\"d\":\"8080\"}");
    assert_reads_as("return { a = env('GONE'), b = env('GONE', 7), c = env('EMPTY', 'x') }", &with_env, "{\"b\":7,\"c\":\"x\"}");
    assert_refused("return {\n a = env('NAME', 1) }", &with_env, "data_failed", "test.lua:2");
    assert_refused("return { a = env('NAME', true) }", &with_env, "data_failed", "test.lua:1");
    assert_refused("return { a = env() }", &with_env, "data_failed", "test.lua:1");
    assert_refused("return { a = env('NAME') }", NULL, "data_failed", "test.lua:1");
}

static void no_message_quotes_a_secret(void **state)
{
    (void)state;
    static const char *const texts[] = {"return { a = env('NAME', 1) }", "return { a = 'top-secret",
                                        "return { a = 'top-secret' 'top-secret' }", "return { a = [[top-secret",
                                        "return { a = \"top-secret\" x }"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gw_data_file *file;
        struct gw_error err = {0};
        assert_int_equal(parse(texts[i], &with_env, &file, &err), GW_EINVAL);
        assert_null(strstr(err.message, "top-secret"));
    }
}

static void syntax_errors_say_the_line(void **state)
{
    (void)state;
    assert_refused("return {\n  a = ,\n}", NULL, "data_syntax", "test.lua:2");
    assert_refused("local x = nil\nlocal y = x.z\nreturn {}", NULL, "data_failed", "test.lua:2");
}

static void an_endless_file_ends(void **state)
{
    (void)state;
    assert_refused("local x\nwhile true do end", NULL, "data_budget", "test.lua:2");
    assert_refused("local function f() return f() end return f()", NULL, "data_budget", "test.lua:1");
    assert_refused("local s = 'x' while true do s = s .. s end", NULL, "data_memory", "test.lua");
    assert_refused("local t = {} for i = 1, 1e9 do t = { t } end return t", NULL, "data_budget", "test.lua:1");
}

static void depth_and_count_are_capped(void **state)
{
    (void)state;
    assert_refused("local t = {} for i = 1, 40 do t = { t } end return { a = t }", NULL, "data_too_large", "test.lua:1");
    assert_refused("local t = {} for i = 1, 20000 do t[i] = 0 end return t", NULL, "data_too_large", "test.lua:1");
    /* shared tables would unfold to 2^30 values */
    assert_refused("local t = { 1 } for i = 1, 30 do t = { t, t } end return t", NULL, "data_too_large", "test.lua:1");
    struct gw_data_limits limits;
    gw_data_limits_default(&limits);
    limits.max_bytes = 8;
    struct gw_data_file *file;
    struct gw_error err = {0};
    assert_int_equal(gw_data_file_parse("return {}", 9, &(struct gw_data_opts){.limits = &limits}, &file, &err), GW_ELIMIT);
    assert_string_equal(err.limit_name, "max_bytes");
}

static void assert_line(const struct gw_data_file *file, const char *pointer, const char *where)
{
    char text[64];
    gw_data_file_where(file, pointer, text, sizeof text);
    assert_string_equal(text, where);
}

static void every_member_knows_its_line(void **state)
{
    (void)state;
    struct gw_data_file *file;
    struct gw_error err;
    assert_int_equal(parse("-- return { a = 1 }\n"
                           "local f = function() return { a = 1 } end\n"
                           "return { -- a comment with }\n"
                           "  a = 1, ['b.c'] = 2,\n"
                           "  d = {\n"
                           "    'one', --[[ long\n comment ]]\n"
                           "    { e = '}' },\n"
                           "    [3] = (1 + 2) == 3,\n"
                           "  };\n"
                           "  g = { h =\n"
                           "    1 },\n"
                           "  ['i/j'] = [==[ ]] \n } ]==],\n"
                           "  k = f().a,\n"
                           "}\n",
                           NULL, &file, &err),
                     0);
    assert_line(file, "", "test.lua:3");
    assert_line(file, "/a", "test.lua:4");
    assert_line(file, "/b.c", "test.lua:4");
    assert_line(file, "/d", "test.lua:5");
    assert_line(file, "/d/0", "test.lua:6");
    assert_line(file, "/d/1", "test.lua:8");
    assert_line(file, "/d/1/e", "test.lua:8");
    assert_line(file, "/d/2", "test.lua:5");
    assert_line(file, "/g/h", "test.lua:11");
    assert_line(file, "/g/h/deeper", "test.lua:11");
    assert_line(file, "/i~1j", "test.lua:13");
    assert_line(file, "/k", "test.lua:15");
    assert_line(file, "/unknown", "test.lua:3");
    gw_data_file_destroy(file);
}

static void any_prefix_of_a_file_is_survived(void **state)
{
    (void)state;
    const char *text = "local x = 'a\\'b' -- c\nreturn { a = { [ [[k]] ] = 1, 'x' .. \"\\\"\", b = function(...) if x then return 1 end "
                       "end }, [x] = 0x1p4, c = ... }";
    for (size_t length = 0; length < strlen(text); length++) {
        char *copy = gw_try_strndup(text, length); /* so that a sanitizer sees a read past the end */
        struct gw_data_file *file;
        struct gw_error err;
        assert_int_not_equal(gw_data_file_parse(copy, length, NULL, &file, &err), 0);
        gw_free(copy);
    }
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    const char *text = "return { a = { 1, 2, { b = 'text' } }, c = env('PORT', 1), d = 1.5, e = true }";
    bool has_failed = true;
    for (long n = 1; has_failed && n < 2000; n++) {
        struct gw_data_file *file;
        struct gw_error err;
        gw_alloc_fail_after(n);
        int rc = parse(text, &with_env, &file, &err);
        gw_alloc_fail_after(0);
        /* the line index may do with less memory: it only places messages */
        has_failed = rc != 0;
        if (rc != 0)
            assert_true(err.code == GW_ENOMEM || err.code == GW_ELIMIT);
        else
            assert_int_equal(gw_json_count(gw_data_file_value(file)), 4);
        gw_data_file_destroy(file);
        if (n < 20)
            has_failed = true;
    }
    assert_false(has_failed);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct gw_data_file *file;
    struct gw_error err;
    assert_int_equal(gw_data_file_load("/nonexistent/x.lua", NULL, &file, &err), GW_ENOTFOUND);
    assert_string_equal(err.path, "/nonexistent/x.lua");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_become_objects_and_arrays),
        cmocka_unit_test(an_empty_table_is_a_list_where_the_name_says_so),
        cmocka_unit_test(numbers_follow_i_json),
        cmocka_unit_test(what_is_no_data_is_refused_with_its_line),
        cmocka_unit_test(the_path_stands_in_the_message),
        cmocka_unit_test(nothing_of_lua_is_reachable),
        cmocka_unit_test(env_follows_the_type_of_the_default),
        cmocka_unit_test(no_message_quotes_a_secret),
        cmocka_unit_test(syntax_errors_say_the_line),
        cmocka_unit_test(an_endless_file_ends),
        cmocka_unit_test(depth_and_count_are_capped),
        cmocka_unit_test(every_member_knows_its_line),
        cmocka_unit_test(any_prefix_of_a_file_is_survived),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
