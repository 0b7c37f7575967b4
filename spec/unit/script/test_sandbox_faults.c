/* Every allocation fails once, and garbage is collected at every allocation: calls end cleanly, or as they always do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "script/sandbox_support.h"
#include "script/sources.h"

static const char module[] = "local json = require 'atoms.json'\n"
                             "local other = require 'other'\n"
                             "local class = {} class.__index = class\n"
                             "function class.new(n) return setmetatable({n = n}, class) end\n"
                             "return {f = function(a, view)\n"
                             "  local o, out = class.new(3), {}\n"
                             "  for k, v in pairs(a) do out[#out + 1] = k .. '=' .. tostring(v) end\n"
                             "  local ok, e = pcall(error, {1})\n"
                             "  local text = json.encode({out, o.n, a})\n"
                             "  out.x = nil\n"
                             "  return {out, json.decode(text), string.format('%5d|%s', 7, text:sub(1, 3)), other.double(4), ok, "
                             "(text:gsub('%d', '<%0>')), view.block('b')}\n"
                             "end}\n";
static const char other[] = "local cache = {} for i = 1, 40 do cache['k' .. i] = {i} end\n"
                            "return {cache = cache, double = function(n) return n * 2 end}\n";
static const char args_text[] = "{\"a\":1,\"b\":[],\"c\":{\"d\":null},\"e\":\"text\",\"f\":[1,2,{}]}";

static int look(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err)
{
    (void)self;
    *result = gw_json_copy_deep(args);
    return *result != NULL ? 0 : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory");
}

static int fill(struct gw_sources *sources, struct gw_error *err)
{
    struct gw_source a = {"m", "m.lua", module, sizeof module - 1}, b = {"other", "other.lua", other, sizeof other - 1};
    int rc = gw_sources_add(sources, &a, err);
    return rc != 0 ? rc : gw_sources_add(sources, &b, err);
}

/* All that a sandbox does in its life; what it gave as text, when nothing failed. */
static int live(const struct gw_json *arg, bool is_gc_stressed, struct gw_buffer *out, struct gw_error *err)
{
    struct gw_sandbox_opts opts = {.sources = gw_sources_create(), .clock = gw_clock_system(), .is_gc_stressed = is_gc_stressed};
    struct gw_sandbox *box = NULL;
    struct gw_json *result = NULL, *view = gw_json_new_object();
    default_limits(&opts.limits);
    opts.limits.call_ms = 60000;
    int rc = view == NULL ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory") : fill(opts.sources, err);
    if (rc == 0)
        rc = gw_sandbox_create(&opts, &box, err);
    struct gw_json *const args[] = {(struct gw_json *)(uintptr_t)arg, view};
    struct gw_sandbox_lookup lookup = {"block", look, NULL};
    struct gw_sandbox_call call = {
        .module = "m", .function = "f", .args = args, .arg_count = 2, .lookups = &lookup, .lookup_count = 1, .result_count = 1};
    if (rc == 0)
        rc = gw_sandbox_call(box, &call, &result, NULL, err);
    if (rc == 0)
        gw_json_write_canonical(result, out);
    else if (box != NULL && gw_sandbox_call(box, &call, &result, NULL, &(struct gw_error){0}) != 0)
        rc = -100; /* one failure, one failed call */
    gw_json_unref(result);
    gw_json_unref(view);
    gw_sandbox_destroy(box);
    gw_sources_unref(opts.sources);
    return rc;
}

static struct gw_json *parse_arg(void)
{
    struct gw_json_limits limits = {.max_bytes = 1000, .max_depth = 10, .max_nodes = 100};
    struct gw_json *arg = NULL;
    struct gw_error err;
    assert_int_equal(gw_json_parse(args_text, sizeof args_text - 1, &limits, &arg, &err), 0);
    return arg;
}

static void each_lost_allocation_is_a_clean_error(void **state)
{
    (void)state;
    struct gw_json *arg = parse_arg();
    struct gw_buffer expected, out;
    struct gw_error err = {0};
    gw_buffer_init(&expected, 0);
    gw_buffer_init(&out, 0);
    assert_int_equal(live(arg, false, &expected, &err), 0);
    long failed = 0;
    for (long n = 1;; n++) {
        gw_buffer_reset(&out);
        gw_buffer_reserve(&out, 8192);
        err = (struct gw_error){0};
        gw_alloc_fail_after(n);
        int rc = live(arg, false, &out, &err);
        long made = gw_alloc_fallible_count();
        gw_alloc_fail_after(0);
        if (rc == -100)
            fail_msg("allocation %ld: %s: %s, and the next call failed", n, err.id, err.message);
        if (rc != 0 && rc != GW_ENOMEM)
            fail_msg("allocation %ld: %d %s: %s", n, rc, err.id, err.message);
        failed += rc != 0;
        if (rc == 0 && !out.has_failed) {
            assert_int_equal(out.length, expected.length);
            assert_memory_equal(out.data, expected.data, out.length);
        }
        if (made < n)
            break;
    }
    assert_true(failed > 20);
    gw_buffer_fini(&expected);
    gw_buffer_fini(&out);
    gw_json_unref(arg);
}

static void each_size_of_memory_is_enough_or_a_clean_error(void **state)
{
    (void)state;
    struct file files[] = {{"m", module}, {"other", other}, {NULL, NULL}};
    struct gw_sandbox_limits limits;
    char out[4096];
    struct gw_error err;
    default_limits(&limits);
    struct gw_sandbox *whole = box_of(files, &limits);
    size_t least = gw_sandbox_memory(whole);
    gw_sandbox_destroy(whole);
    int good = 0, refused = 0;
    for (size_t more = 4096; more < 60000 && good < 3; more += 251) {
        limits.memory_bytes = least + more;
        struct gw_sandbox *box = box_of(files, &limits);
        int rc = call_f(box, "[{\"x\":1},{}]", out, sizeof out, &err);
        if (rc == 0)
            fail_msg("there is no view.block: %s", out);
        good += strcmp(err.id, "script_failed") == 0;
        refused += strcmp(err.id, "script_memory") == 0;
        if (strcmp(err.id, "script_failed") != 0 && strcmp(err.id, "script_memory") != 0)
            fail_msg("%zu bytes: %s: %s", limits.memory_bytes, err.id, err.message);
        gw_sandbox_destroy(box);
    }
    assert_true(good >= 3);
    assert_true(refused > 0);
}

static void collecting_at_every_allocation_changes_nothing(void **state)
{
    (void)state;
    struct gw_json *arg = parse_arg();
    struct gw_buffer expected, out;
    struct gw_error err = {0};
    gw_buffer_init(&expected, 0);
    gw_buffer_init(&out, 0);
    assert_int_equal(live(arg, false, &expected, &err), 0);
    if (live(arg, true, &out, &err) != 0)
        fail_msg("%s: %s", err.id, err.message);
    assert_int_equal(out.length, expected.length);
    assert_memory_equal(out.data, expected.data, out.length);
    gw_buffer_fini(&expected);
    gw_buffer_fini(&out);
    gw_json_unref(arg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lost_allocation_is_a_clean_error),
        cmocka_unit_test(each_size_of_memory_is_enough_or_a_clean_error),
        cmocka_unit_test(collecting_at_every_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
