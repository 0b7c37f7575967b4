#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "script/lua_libraries.h"
#include "script/meter.h"

#ifdef __SANITIZE_ADDRESS__
#define MAX_MS 1000 /* sanitizers check every byte */
#else
#define MAX_MS 50
#endif

static const char prepare[] = "package.path = 'spec/unit/script/libraries/?.lua'\n"
                              "real = {string = string, table = table, utf8 = utf8, math = math}\n"
                              "math.randomseed(42)\n"
                              "random = math.random\n";
static const char compare[] = "return function(name)\n"
                              "  local ours = {string = string, table = table, utf8 = utf8, math = math}\n"
                              "  require(name)(real, ours, random)\n"
                              "end\n";

static lua_State *open_state(struct gw_meter *meter, uint64_t max_instructions)
{
    *meter =
        (struct gw_meter){.clock = gw_clock_system(), .max_instructions = UINT64_MAX / 4, .max_ns = UINT64_MAX, .max_memory = 64 << 20};
    lua_State *L = lua_newstate(gw_meter_allocate, meter);
    assert_non_null(L);
    gw_meter_attach(meter, L);
    gw_meter_begin(meter);
    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, prepare), LUA_OK);
    gw_lua_open_libraries(L);
    assert_int_equal(lua_gettop(L), 0);
    meter->max_instructions = max_instructions;
    gw_meter_begin(meter);
    return L;
}

static void run_comparison(const char *name)
{
    struct gw_meter meter;
    lua_State *L = open_state(&meter, UINT64_MAX / 4);
    assert_int_equal(luaL_dostring(L, compare), LUA_OK);
    lua_pushstring(L, name);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
}

static void patterns_match_as_in_plain_lua(void **state)
{
    (void)state;
    run_comparison("patterns");
}

static void strings_are_as_in_plain_lua(void **state)
{
    (void)state;
    run_comparison("strings");
}

static void tables_are_as_in_plain_lua(void **state)
{
    (void)state;
    run_comparison("tables");
}

static void utf8_and_math_are_as_in_plain_lua(void **state)
{
    (void)state;
    run_comparison("utf8s");
}

/* Of the processor: other programs may run beside this one. */
static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Runs the text with a budget of 1,000,000; it must end for want of it, and soon. */
static void assert_overruns(const char *text)
{
    struct gw_meter meter;
    lua_State *L = open_state(&meter, 1000000);
    assert_int_equal(luaL_loadstring(L, text), LUA_OK);
    double begin = now_ms();
    int status = lua_pcall(L, 0, 0, 0);
    double took = now_ms() - begin;
    if (status == LUA_OK || meter.end != GW_METER_INSTRUCTIONS)
        fail_msg("%s: %s", text, status == LUA_OK ? "ended well" : lua_tostring(L, -1));
    print_message("%8.2f ms  %s\n", took, text);
    if (took > MAX_MS)
        fail_msg("%s took %.1f ms", text, took);
    lua_close(L);
}

/* Nothing here loops in Lua for long: without charges each runs for seconds to years. */
static void work_in_c_ends_by_the_budget(void **state)
{
    (void)state;
    assert_overruns("return (('a'):rep(4000)):find('.-.-.-b')");
    assert_overruns("return (('a'):rep(4000)):match('a*a*a*a*b')");
    assert_overruns("return (('a'):rep(4000)):gsub('a?a?a?a-a-a-b', '')");
    assert_overruns("for _ in (('a'):rep(4000)):gmatch('.-.-.-b') do end");
    assert_overruns("return (('('):rep(100000)):gsub('%b()', '')");
    assert_overruns("return (('a'):rep(100000)):find('(.-)%1b')");
    assert_overruns("return (('a'):rep(400000)):gsub('.-b', '')");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do s:find('b', 1, true) end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do s:rep(1) end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do s:sub(2) end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do s:upper() end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do s:reverse() end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do string.format('%s', s) end");
    assert_overruns("local s = (' '):rep(500000) .. '1'; for i = 1, 1e9 do local _ = pcall(utf8.len, s, 1) end");
    assert_overruns("local s = ('\\x80'):rep(500000); local f = utf8.codes('a'); for i = 1, 1e9 do f(s, 1) end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do utf8.len(s) end");
    assert_overruns("local s = ('a'):rep(500000); for i = 1, 1e9 do utf8.offset(s, 500000) end");
    assert_overruns("local t = {} for i = 1, 4000 do t[i] = 1e308 end for i = 1, 1e9 do ('%99.99f'):rep(1000):format(table.unpack(t)) end");
    assert_overruns("return table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1 << 60)");
    assert_overruns("return table.move({}, 1, 1 << 60, 2)");
    assert_overruns("return table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)");
    assert_overruns("return table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)");
    assert_overruns("return table.sort(setmetatable({}, {__len = function() return (1 << 31) - 2 end}))");
    assert_overruns("local a, b = ('a'):rep(500000) .. 'b', ('a'):rep(500000) .. 'c' for i = 1, 1e9 do table.sort({a, b}) end");
    assert_overruns("local t = {} for i = 1, 50000 do t[i] = -i end table.sort(t)");
}

static void assert_fails(const char *text, const char *message)
{
    struct gw_meter meter;
    lua_State *L = open_state(&meter, 100000000);
    if (luaL_dostring(L, text) == LUA_OK)
        fail_msg("%s: ended well", text);
    if (strstr(lua_tostring(L, -1), message) == NULL)
        fail_msg("%s: %s", text, lua_tostring(L, -1));
    lua_close(L);
}

static void strings_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    assert_fails("return ('x'):rep(1 << 20)", "too large");
    assert_fails("return ('x'):rep(1 << 62)", "too large");
    assert_fails("return ('x'):rep(3, ('y'):rep(500000))", "too large");
    assert_fails("return ('x'):rep(500000):gsub('x', 'yy')", "too large");
    assert_fails("return ('x'):rep(500000):gsub('.+', '%0%0')", "too large");
    assert_fails("return ('x'):rep(500000):gsub('.', function() return ('y'):rep(100) end)", "too large");
    assert_fails("local s = ('x'):rep(500000) return table.concat({s, s})", "too large");
    assert_fails("local s = ('x'):rep(500000) return ('%s%s'):format(s, s)", "too large");
    assert_fails("return ('x'):find(('x'):rep(5000) .. '.')", "pattern too long");
    assert_fails("return ('x'):find(('x?'):rep(500))", "pattern too complex");
}

static void a_callback_that_calls_gsub_again_ends_in_an_error(void **state)
{
    (void)state;
    assert_fails("local function again() return (('x'):gsub('x', again)) end return again()", "stack overflow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_plain_lua),
        cmocka_unit_test(strings_are_as_in_plain_lua),
        cmocka_unit_test(tables_are_as_in_plain_lua),
        cmocka_unit_test(utf8_and_math_are_as_in_plain_lua),
        cmocka_unit_test(work_in_c_ends_by_the_budget),
        cmocka_unit_test(strings_beyond_the_limit_are_refused),
        cmocka_unit_test(a_callback_that_calls_gsub_again_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
