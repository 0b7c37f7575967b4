/* Every way to use too much ends the call, soon, with a clean error, and leaves a sandbox that serves the next call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "script/sandbox_support.h"
#include "script/sources.h"

#define SOON_MS 4000 /* far more than the 50 ms of a budget: sanitizers and busy machines are slow */

/* Runs the body as m.f, then another function of the same sandbox. */
static void ends(const char *body, const char *id)
{
    char text[2048], out[256];
    struct gw_error err;
    struct gw_sandbox_limits limits;
    snprintf(text, sizeof text, "return {f = function(ok)\nif ok then return 'fine' end\n%s\nend}", body);
    struct file files[] = {{"m", text}, {NULL, NULL}};
    gw_sandbox_limits_default(&limits);
    struct gw_sandbox *box = box_of(files, &limits);
    uint64_t start = gw_clock_system()->monotonic_ms(NULL);
    if (call_f(box, NULL, out, sizeof out, &err) == 0)
        fail_msg("%s\ngave %s", body, out);
    uint64_t took = gw_clock_system()->monotonic_ms(NULL) - start;
    if (strcmp(err.id, id) != 0 &&
        !(strcmp(id, "either") == 0 && (strcmp(err.id, "script_memory") == 0 || strcmp(err.id, "script_budget") == 0)))
        fail_msg("%s\n%s: %s: %s", body, err.id, err.path, err.message);
    if (took > SOON_MS)
        fail_msg("%s\ntook %llu ms", body, (unsigned long long)took);
    assert_true(err.path[0] != '\0');
    assert_true(gw_sandbox_memory(box) < (strcmp(err.id, "script_memory") == 0 ? limits.memory_bytes / 4 : limits.memory_bytes));
    for (int tries = 0; call_f(box, "[true]", out, sizeof out, &err) != 0; tries++)
        if (tries == 3 || strcmp(err.limit_name, "call_ms") != 0)
            fail_msg("%s\nthen %s: %s", body, err.id, err.message);
    assert_string_equal(out, "\"fine\"");
    gw_sandbox_destroy(box);
}

static void loops_end(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "while true do end",
        "::again:: goto again",
        "for i = 1, math.huge do end",
        "repeat until false",
        "local function f() return f() end f()",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
        "local o = setmetatable({}, {__tostring = function() while true do end end}) tostring(o)",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "string.gsub('abc', '.', function() while true do end end)",
        "for k in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) do end",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        ends(bodies[i], "either");
    ends("local o = setmetatable({}, {__concat = function() while true do end end}) local s = o .. 'x'", "script_budget");
}

static void no_pcall_keeps_a_call_alive(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(pcall, pcall, function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local function loop() while true do end end xpcall(loop, loop)",
        "local function f() pcall(f) pcall(f) end f()",
        "local function f() while true do pcall(xpcall, error, f) end end f()",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        ends(bodies[i], "script_budget");
}

static void work_in_libraries_is_charged(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "string.find(string.rep('a', 4000), '.-.-.-b')",
        "while true do local s = string.rep('x', 100000) end",
        "local s = string.rep('x', 200000) while true do local t = s .. s end",
        "local s = string.rep('x', 200000) local t = s .. '1' s = s .. '2' while true do local b = s < t end",
        "local t = {} for i = 1, 20000 do t[i] = (i * 7919) % 20011 end while true do table.sort(t) table.sort(t, function(a, b) return a "
        "> b end) end",
        "local t = {} for i = 1, 8000 do t['k' .. i] = i end while true do for k in pairs(t) do break end end",
        "local s = string.rep('9', 100000) while true do local n = tonumber(s) end",
        "local json, t = require('atoms.json'), {} for i = 1, 10000 do t[i] = i end while true do json.encode(t) end",
        "local json, t = require('atoms.json'), {} for i = 1, 30000 do t[i] = i end while true do pcall(json.encode, t) end",
        "local json, s = require('atoms.json'), '[' .. string.rep('1,', 8000) .. '1]' while true do json.decode(s) end",
        "while true do setmetatable({}, {__index = {}}) end",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do t.a = 1 t.b = 1 t.a = nil t.b = nil t.c = 1 t.d = 1 t.c = nil t.d = "
        "nil end",
        "local t = {} for i = 1, 4000 do t[i] = i end while true do table.concat(t, ',') end",
        "local t = {} for i = 1, 4000 do t[i] = i end while true do select('#', table.unpack(t)) end",
        "while true do utf8.len(string.rep('\\u{20ac}', 100000)) end",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        ends(bodies[i], "script_budget");
}

static void reading_a_result_is_part_of_the_call(void **state)
{
    (void)state;
    ends("local t, o = {}, {} for i = 1, 100000 do t[i] = i end for i = 1, 100000 do t[i] = nil end for i = 1, 16000 do o[i] = t end "
         "return o",
         "script_budget");
}

/* Live memory is all but the maximum, so that a little garbage fills it up again and again. */
static void memory_that_is_always_full_ends_the_call(void **state)
{
    (void)state;
    for (int less = 0; less < 12; less++) {
        char body[300];
        snprintf(body, sizeof body,
                 "local t = {} for i = 1, 65536 do t[i] = 0 end for i = 1, %d do t[i] = {} end while true do local x = {} end",
                 65000 - less * 37);
        ends(body, "either");
    }
}

static void memory_is_bounded_and_no_pcall_hides_it(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "local t = {} pcall(function() for i = 1, 1e9 do t[i] = {{{}}} end end) return #t",
        "local s = 'x' for i = 1, 60 do s = s .. s end",
        "local s = 'x' pcall(function() for i = 1, 60 do s = s .. s end end) return #s",
        "local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1000) .. i end",
        "local t = {} for i = 1, 1e9 do t[i] = function() return t, i end end",
        "local function f(n) return 1 + f(n + 1) end f(1)",
        "local function f(...) return f(1, ...) end f()",
        "local t = {} for i = 1, 1e9 do t['k' .. i] = true end",
        "local s = string.rep('x', 500000) local t = {} for i = 1, 1e6 do t[i] = s .. i end",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        ends(bodies[i], "either");
    assert_fails("return {f = function() local t = {} pcall(function() while true do t[#t + 1] = {#t} end end) return 1 end}", NULL,
                 "script_memory", NULL, "bytes of memory");
    assert_fails("return {f = function() local s = 'x' pcall(function() while true do s = s .. s end end) return 1 end}", NULL,
                 "script_memory", NULL, "a string longer");
}

static void a_budget_names_its_limit(void **state)
{
    (void)state;
    char out[64];
    struct gw_error err;
    struct gw_sandbox_limits limits;
    struct file files[] = {{"m", "return {f = function(n)\nfor i = 1, n do end return n end}"}, {NULL, NULL}};
    default_limits(&limits);
    limits.call_instructions = 50000;
    struct gw_sandbox *box = box_of(files, &limits);
    assert_int_equal(call_f(box, "[40000]", out, sizeof out, &err), 0);
    assert_int_equal(call_f(box, "[60000]", out, sizeof out, &err), GW_ELIMIT);
    assert_string_equal(err.limit_name, "call_instructions");
    assert_int_equal(err.limit, 50000);
    assert_string_equal(err.path, "m.lua:2");
    assert_int_equal(call_f(box, "[40000]", out, sizeof out, &err), 0);
    gw_sandbox_destroy(box);
}

static uint64_t hasty_ns(void *self)
{
    uint64_t *ns = self;
    return *ns += 1000000;
}

static void time_is_the_clock_s(void **state)
{
    (void)state;
    uint64_t ns = 0;
    struct gw_clock clock = *gw_clock_system();
    clock.self = &ns;
    clock.monotonic_ns = hasty_ns;
    clock.thread_ns = NULL;
    struct gw_error err = {0};
    struct gw_sandbox_opts opts = {.sources = gw_sources_create(), .clock = &clock};
    gw_sandbox_limits_default(&opts.limits);
    struct gw_source source = {"m", "m.lua", "return {f = function(n)\nfor i = 1, n do end\nend}", 47};
    source.length = strlen(source.text);
    assert_int_equal(gw_sources_add(opts.sources, &source, &err), 0);
    struct gw_sandbox *box;
    assert_int_equal(gw_sandbox_create(&opts, &box, &err), 0);
    char out[64];
    assert_int_equal(call_f(box, "[20000]", out, sizeof out, &err), 0);
    assert_int_equal(call_f(box, "[30000]", out, sizeof out, &err), GW_ELIMIT);
    assert_string_equal(err.limit_name, "call_ms");
    assert_int_equal(err.limit, 50);
    gw_sandbox_destroy(box);
    gw_sources_unref(opts.sources);
}

static uint64_t idle_ns(void *self)
{
    (void)self;
    return 1;
}

static void time_in_which_others_ran_is_not_the_call_s(void **state)
{
    (void)state;
    uint64_t ns = 0;
    struct gw_clock clock = *gw_clock_system();
    clock.self = &ns;
    clock.monotonic_ns = hasty_ns;
    clock.thread_ns = idle_ns;
    struct gw_error err = {0};
    struct gw_sandbox_opts opts = {.sources = gw_sources_create(), .clock = &clock};
    gw_sandbox_limits_default(&opts.limits);
    struct gw_source source = {"m", "m.lua", "return {f = function(n) for i = 1, n do end return n end}", 0};
    source.length = strlen(source.text);
    assert_int_equal(gw_sources_add(opts.sources, &source, &err), 0);
    struct gw_sandbox *box;
    assert_int_equal(gw_sandbox_create(&opts, &box, &err), 0);
    char out[64];
    assert_int_equal(call_f(box, "[300000]", out, sizeof out, &err), 0);
    gw_sandbox_destroy(box);
    gw_sources_unref(opts.sources);
}

static void the_cost_of_a_call_is_told(void **state)
{
    (void)state;
    struct gw_sandbox *box = box_of_text("return {f = function(n) for i = 1, n do end end}");
    struct gw_json *n = gw_json_new_int(100000), *result;
    struct gw_sandbox_call call = {.module = "m", .function = "f", .args = &n, .arg_count = 1, .result_count = 1};
    struct gw_sandbox_cost cost = {0};
    struct gw_error err;
    assert_int_equal(gw_sandbox_call(box, &call, &result, &cost, &err), 0);
    assert_in_range(cost.instructions, 99000, 110000);
    assert_true(cost.ns > 0);
    gw_json_unref(result);
    gw_json_unref(n);
    gw_sandbox_destroy(box);
}

#define PLUS_20 "+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i+i"

static void loading_has_the_same_budget(void **state)
{
    (void)state;
    assert_fails("while true do end", NULL, "script_budget", "m.lua:1", NULL);
    assert_fails("local t = {} for i = 1, 1e9 do t[i] = {} end", NULL, "script_memory", NULL, NULL);
    assert_fails("local t = {} for i = 1, 8000 do t[i] = function() return i" PLUS_20 PLUS_20 PLUS_20 PLUS_20
                 " end end return {f = function() return t end}",
                 NULL, "script_budget", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_end),
        cmocka_unit_test(no_pcall_keeps_a_call_alive),
        cmocka_unit_test(work_in_libraries_is_charged),
        cmocka_unit_test(reading_a_result_is_part_of_the_call),
        cmocka_unit_test(memory_that_is_always_full_ends_the_call),
        cmocka_unit_test(memory_is_bounded_and_no_pcall_hides_it),
        cmocka_unit_test(a_budget_names_its_limit),
        cmocka_unit_test(time_is_the_clock_s),
        cmocka_unit_test(time_in_which_others_ran_is_not_the_call_s),
        cmocka_unit_test(the_cost_of_a_call_is_told),
        cmocka_unit_test(loading_has_the_same_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
