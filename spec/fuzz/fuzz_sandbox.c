/* Any text as a module of a sandbox with small budgets: loaded, called with data, read as data; what it gives twice, and in two states, is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "script/sandbox.h"
#include "script/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Time stands still: whether a call takes too long may depend on its instructions only. */
static uint64_t no_time(void *self)
{
    (void)self;
    return 0;
}

static struct gw_json *argument(void)
{
    static const char text[] = "{\"id\":\"b1\",\"list\":[1,2.5,[]],\"n\":null,\"text\":\"a line\"}";
    struct gw_json_limits limits = {.max_bytes = 1000, .max_depth = 8, .max_nodes = 100};
    struct gw_json *value = NULL;
    struct gw_error err;
    if (gw_json_parse(text, sizeof text - 1, &limits, &value, &err) != 0)
        abort();
    return value;
}

static int call(struct gw_sandbox *box, struct gw_json *arg, struct gw_buffer *out)
{
    struct gw_json *const args[] = {arg, arg};
    struct gw_json *results[2];
    struct gw_sandbox_call one = {.module = "m", .function = "f", .args = args, .arg_count = 2, .result_count = 2};
    struct gw_error err;
    int rc = gw_sandbox_call(box, &one, results, NULL, &err);
    if (rc != 0)
        return rc;
    for (int i = 0; i < 2; i++) {
        gw_json_write_canonical(results[i], out);
        gw_json_unref(results[i]);
    }
    return 0;
}

static struct gw_sandbox *create(struct gw_sources *sources, const struct gw_clock *clock)
{
    struct gw_sandbox_opts opts = {.sources = sources, .clock = clock};
    struct gw_sandbox *box;
    struct gw_error err;
    gw_sandbox_limits_default(&opts.limits);
    opts.limits.call_instructions = 20000;
    opts.limits.memory_bytes = 1 << 20;
    if (gw_sandbox_create(&opts, &box, &err) != 0)
        abort();
    return box;
}

/* Calls one sandbox twice and another once: neither calls nor states tell in the result. */
static void compare(struct gw_sources *sources, const struct gw_clock *clock, struct gw_json *arg)
{
    struct gw_sandbox *boxes[] = {create(sources, clock), create(sources, clock)};
    struct gw_buffer out[3];
    int rc[3];
    for (int i = 0; i < 3; i++) {
        gw_buffer_init(&out[i], 0);
        rc[i] = call(boxes[i / 2], arg, &out[i]);
    }
    for (int i = 1; i < 3; i++)
        if (rc[0] == 0 && rc[i] == 0 && (out[0].length != out[i].length || memcmp(out[0].data, out[i].data, out[0].length) != 0))
            abort();
    for (int i = 0; i < 3; i++)
        gw_buffer_fini(&out[i]);
    gw_sandbox_destroy(boxes[0]);
    gw_sandbox_destroy(boxes[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_clock clock = *gw_clock_system();
    clock.monotonic_ns = no_time;
    struct gw_sources *sources = gw_sources_create();
    struct gw_source source = {"m", "m.lua", (const char *)data, size};
    struct gw_json *arg = argument(), *result = NULL;
    struct gw_error err;
    if (gw_sources_add(sources, &source, &err) == 0) {
        struct gw_sandbox *box = create(sources, &clock);
        gw_sandbox_has(box, "m", "f.g", &err);
        if (gw_sandbox_data(box, "m", &result, &err) == 0)
            gw_json_unref(result);
        gw_sandbox_destroy(box);
        compare(sources, &clock, arg);
    }
    gw_json_unref(arg);
    gw_sources_unref(sources);
    return 0;
}
