#include "script/sandbox_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "script/sources.h"

void default_limits(struct gw_sandbox_limits *limits)
{
    gw_sandbox_limits_default(limits);
    limits->call_ms = 1000;
}

static struct gw_sandbox *create(const struct file *files, const struct gw_sandbox_limits *limits, bool is_gc_stressed)
{
    struct gw_error err = {0};
    struct gw_sandbox_opts opts = {.sources = gw_sources_create(), .clock = gw_clock_system(), .is_gc_stressed = is_gc_stressed};
    struct gw_sandbox *box = NULL;
    default_limits(&opts.limits);
    if (limits != NULL)
        opts.limits = *limits;
    for (; files->module != NULL; files++) {
        char path[200];
        snprintf(path, sizeof path, "%s.lua", files->module);
        struct gw_source source = {files->module, path, files->text, strlen(files->text)};
        if (gw_sources_add(opts.sources, &source, &err) != 0)
            fail_msg("%s: %s", err.path, err.message);
    }
    if (gw_sandbox_create(&opts, &box, &err) != 0)
        fail_msg("create: %s %s", err.id, err.message);
    gw_sources_unref(opts.sources);
    return box;
}

struct gw_sandbox *box_of(const struct file *files, const struct gw_sandbox_limits *limits) { return create(files, limits, false); }

struct gw_sandbox *stressed_box_of(const struct file *files)
{
    struct gw_sandbox_limits limits;
    default_limits(&limits);
    limits.call_ms = 60000;
    return create(files, &limits, true);
}

struct gw_sandbox *box_of_text(const char *text)
{
    struct file files[] = {{"m", text}, {NULL, NULL}};
    return box_of(files, NULL);
}

static struct gw_json *parse(const char *text)
{
    struct gw_json_limits limits = {.max_bytes = 1 << 20, .max_depth = 60, .max_nodes = 100000};
    struct gw_error err = {0};
    struct gw_json *value = NULL;
    if (gw_json_parse(text, strlen(text), &limits, &value, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

int call_f(struct gw_sandbox *box, const char *args, char *out, size_t size, struct gw_error *err)
{
    struct gw_json *list = parse(args != NULL ? args : "[]"), *items[8] = {0}, *result = NULL;
    struct gw_sandbox_call call = {.module = "m", .function = "f", .args = items, .arg_count = gw_json_count(list), .result_count = 1};
    for (size_t i = 0; i < call.arg_count; i++)
        items[i] = gw_json_at(list, i);
    *err = (struct gw_error){0};
    int rc = gw_sandbox_call(box, &call, &result, NULL, err);
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    if (rc == 0)
        gw_json_write_canonical(result, &text);
    gw_buffer_append_char(&text, '\0');
    snprintf(out, size, "%s", text.data);
    gw_buffer_fini(&text);
    gw_json_unref(result);
    gw_json_unref(list);
    return rc;
}

void assert_gives(const char *text, const char *args, const char *result)
{
    char out[4096];
    struct gw_error err;
    struct gw_sandbox *box = box_of_text(text);
    if (call_f(box, args, out, sizeof out, &err) != 0)
        fail_msg("%s\n%s: %s: %s\n%s", text, err.id, err.path, err.message, gw_sandbox_traceback(box));
    assert_string_equal(out, result);
    gw_sandbox_destroy(box);
}

void assert_fails(const char *text, const char *args, const char *id, const char *where, const char *what)
{
    char out[4096];
    struct gw_error err;
    struct gw_sandbox *box = box_of_text(text);
    if (call_f(box, args, out, sizeof out, &err) == 0)
        fail_msg("%s\ngave %s", text, out);
    if (strcmp(err.id, id) != 0)
        fail_msg("%s\n%s: %s: %s", text, err.id, err.path, err.message);
    if (where != NULL)
        assert_string_equal(err.path, where);
    if (what != NULL && strstr(err.message, what) == NULL)
        fail_msg("%s\n%s", text, err.message);
    gw_sandbox_destroy(box);
}
