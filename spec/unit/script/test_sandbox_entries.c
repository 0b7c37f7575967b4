#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "script/entries.h"
#include "script/sandbox_support.h"
#include "script/sources.h"

static bool is_short(const char *module) { return strlen(module) == 1; }

static struct gw_sources *sources_of(const struct file *files)
{
    struct gw_error err;
    struct gw_sources *sources = gw_sources_create();
    for (; files->module != NULL; files++) {
        char path[64];
        snprintf(path, sizeof path, "%s.lua", files->module);
        struct gw_source source = {files->module, path, files->text, strlen(files->text)};
        assert_int_equal(gw_sources_add(sources, &source, &err), 0);
    }
    return sources;
}

/* A sandbox whose entries are the modules of one letter. */
static struct gw_sandbox *open_box(const struct file *files, const struct gw_clock *clock)
{
    struct gw_error err;
    struct gw_sandbox *box;
    struct gw_sandbox_opts opts = {.sources = sources_of(files), .clock = clock, .is_entry = is_short};
    gw_sandbox_limits_default(&opts.limits);
    assert_int_equal(gw_sandbox_create(&opts, &box, &err), 0);
    gw_sources_unref(opts.sources);
    return box;
}

static void assert_answer(struct gw_sandbox *box, const char *args, const char *expected)
{
    char out[512];
    struct gw_error err;
    if (call_f(box, args, out, sizeof out, &err) != 0)
        snprintf(out, sizeof out, "%s %s: %s", err.id, err.path, err.message);
    assert_string_equal(out, expected);
}

static void what_entries_name_is_wanted(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"a", "local x = require 'one' f{[[two]]}"}, {"alone", ""}, {"four", ""}, {"one", "return require(\"three\")"}, {"three", ""},
        {"two", "-- 'fo' .. 'ur', \"alone"},         {NULL, NULL}};
    bool wanted[6] = {false};
    struct gw_sources *sources = sources_of(files);
    gw_entries_find(sources, is_short, wanted);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(wanted[i], strstr("a one two three", gw_sources_at(sources, i)->module) != NULL);
    gw_sources_unref(sources);
}

static void a_call_finds_what_a_file_names_and_loads_nothing_else(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"helper", "return { n = 7 }"},
        {"m", "return { f = function(name) local ok, got = pcall(require, name) return { ok, ok and require('helper').n or got } end }"},
        {"other", "return {}"},
        {NULL, NULL}};
    struct gw_sandbox *box = open_box(files, gw_clock_system());
    assert_answer(box, "[\"helper\"]", "[true,7]");
    assert_answer(box, "[\"other\"]", "[false,\"'other' is not loaded, and a call loads nothing: no file has this name in full\"]");
    assert_answer(box, "[\"nowhere\"]", "[false,\"there is no module 'nowhere'\"]");
    gw_sandbox_destroy(box);
}

static void an_entry_that_fails_fails_each_time_alike(void **state)
{
    (void)state;
    static const struct file files[] = {{"a", "local n\nn.x = 1"},
                                        {"b", "return {"},
                                        {"m", "return { f = function(name) return select(2, pcall(require, name)) end }"},
                                        {NULL, NULL}};
    struct gw_sandbox *box = open_box(files, gw_clock_system());
    struct gw_sandbox_call call = {.module = "a", .function = "f", .result_count = 1};
    for (int i = 0; i < 2; i++) {
        struct gw_json *result;
        struct gw_error err;
        assert_int_not_equal(gw_sandbox_call(box, &call, &result, NULL, &err), 0);
        assert_string_equal(err.id, "script_failed");
        assert_string_equal(err.path, "a.lua:2");
        assert_int_not_equal(gw_sandbox_has(box, "b", "f", &err), 1);
        assert_string_equal(err.id, "script_syntax");
        assert_answer(box, "[\"a\"]", "\"a.lua:2: attempt to index a nil value (local 'n')\"");
    }
    gw_sandbox_destroy(box);
}

static void an_endless_entry_leaves_the_others_be(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"a", "while true do end"}, {"m", "return { f = function() return 1 end }"}, {"z", "return { f = function() end }"}, {NULL, NULL}};
    struct gw_sandbox *box = open_box(files, gw_clock_system());
    struct gw_error err;
    assert_answer(box, NULL, "1");
    assert_int_not_equal(gw_sandbox_has(box, "a", "f", &err), 1);
    assert_string_equal(err.id, "script_budget");
    assert_int_equal(gw_sandbox_has(box, "z", "f", &err), 1);
    gw_sandbox_destroy(box);
}

static uint64_t hasty_ns(void *self)
{
    uint64_t *ns = self;
    return *ns += 1000000;
}

static void entries_that_take_more_time_than_a_call_has_are_loaded_by_the_next(void **state)
{
    (void)state;
    uint64_t ns = 0;
    struct gw_clock clock = *gw_clock_system();
    clock.self = &ns;
    clock.monotonic_ns = hasty_ns;
    clock.thread_ns = NULL;
    static const struct file files[] = {{"a", "for i = 1, 15000 do end return {}"},
                                        {"b", "for i = 1, 15000 do end return {}"},
                                        {"c", "for i = 1, 60000 do end return {}"},
                                        {"m", "return { f = function() return 1 end }"},
                                        {NULL, NULL}};
    struct gw_sandbox *box = open_box(files, &clock);
    assert_answer(box, NULL, "script_budget b.lua:1: took longer than 50 ms");
    assert_answer(box, NULL, "script_budget c.lua:1: took longer than 50 ms");
    assert_answer(box, NULL, "script_budget m.lua: took longer than 50 ms");
    assert_answer(box, NULL, "1");
    gw_sandbox_destroy(box);
}

static uint64_t processor_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_any(const char *module) { return module[0] == 'm'; }

/* As many as there may be, in as many files. */
static void names_are_found_quickly(void **state)
{
    struct gw_sources *sources = gw_sources_create();
    struct gw_buffer names;
    struct gw_error err;
    char module[16];
    bool wanted[GW_SOURCES_MAX_FILES + 1] = {false};
    (void)state;
    gw_buffer_init(&names, 0);
    while (names.length < GW_SOURCES_MAX_FILE_BYTES - 8)
        gw_buffer_append_text(&names, "'m999'");
    for (int i = 0; i < GW_SOURCES_MAX_FILES; i++) {
        bool is_large = i < (int)(GW_SOURCES_MAX_BYTES / GW_SOURCES_MAX_FILE_BYTES);
        snprintf(module, sizeof module, "m%d", 999 - i);
        struct gw_source source = {module, module, is_large ? names.data : "", is_large ? names.length : 0};
        assert_int_equal(gw_sources_add(sources, &source, &err), 0);
    }
    uint64_t begin = processor_ms();
    gw_entries_find(sources, is_any, wanted);
    assert_in_range(processor_ms() - begin, 0, 300); /* 43; 815 where each name is held against all files */
    gw_buffer_fini(&names);
    gw_sources_unref(sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_entries_name_is_wanted),
        cmocka_unit_test(a_call_finds_what_a_file_names_and_loads_nothing_else),
        cmocka_unit_test(an_entry_that_fails_fails_each_time_alike),
        cmocka_unit_test(an_endless_entry_leaves_the_others_be),
        cmocka_unit_test(entries_that_take_more_time_than_a_call_has_are_loaded_by_the_next),
        cmocka_unit_test(names_are_found_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
