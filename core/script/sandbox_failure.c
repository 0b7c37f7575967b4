#include "script/sandbox_failure.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/printable.h"
#include "script/budget.h"
#include "script/sources.h"

#define KEPT_BYTES 65536

int gw_sandbox_on_error(lua_State *L)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    if (box->meter.end != GW_METER_RUNS)
        return 1; /* on_end saw more */
    gw_trace_frames(&box->trace, L, 1);
    gw_trace_error(&box->trace, L, 1);
    return 1;
}

void gw_sandbox_on_end(struct gw_meter *meter, lua_State *L)
{
    struct gw_sandbox *box = (struct gw_sandbox *)meter;
    gw_trace_frames(&box->trace, L, 0);
}

int gw_sandbox_fail(lua_State *L, const struct gw_error *why)
{
    gw_meter_stop(L, GW_METER_STOPPED);
    gw_sandbox_of(L)->failure = *why;
    return luaL_error(L, "the call is over");
}

int gw_sandbox_memory_failure(const struct gw_sandbox *box, struct gw_error *err)
{
    if (box->meter.refusal == GW_METER_HEAP_IS_GONE)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for scripts");
    if (box->meter.refusal == GW_METER_STRING_TOO_LONG)
        return gw_error_limit(err, "script_memory", "string_bytes", GW_SCRIPT_STRING_MAX, "made a string longer than %u bytes",
                              GW_SCRIPT_STRING_MAX);
    if (box->meter.refusal == GW_METER_TABLE_TOO_LARGE)
        return gw_error_limit(err, "script_memory", "table_names", GW_SCRIPT_NAMES_MAX, "made a table of more than %d names",
                              GW_SCRIPT_NAMES_MAX);
    return gw_error_limit(err, "script_memory", "memory_bytes", (int64_t)box->limits.memory_bytes, "needs more than %zu bytes of memory",
                          box->limits.memory_bytes);
}

static int budget_failure(const struct gw_sandbox *box, struct gw_error *err)
{
    const struct gw_sandbox_limits *limits = &box->limits;
    if (box->meter.end == GW_METER_TIME)
        return gw_error_limit(err, "script_budget", "call_ms", limits->call_ms, "took longer than %u ms", limits->call_ms);
    return gw_error_limit(err, "script_budget", "call_instructions", (int64_t)limits->call_instructions, "took more than %llu instructions",
                          (unsigned long long)limits->call_instructions);
}

static const char *path_of(const struct gw_sandbox *box, const char *module)
{
    const struct gw_source *source = gw_sources_find(box->sources, module);
    return source != NULL ? source->path : module;
}

int gw_sandbox_failure(struct gw_sandbox *box, int status, const char *module, struct gw_error *err)
{
    int rc;
    if (status == LUA_ERRMEM && box->meter.end == GW_METER_RUNS)
        box->meter.end = GW_METER_MEMORY;
    if (box->failure.code != 0) {
        *err = box->failure;
        rc = err->code;
    } else if (box->meter.end == GW_METER_MEMORY) {
        rc = gw_sandbox_memory_failure(box, err);
    } else if (box->meter.end != GW_METER_RUNS) {
        rc = budget_failure(box, err);
    } else {
        rc = gw_error_set(err, GW_EINVAL, "script_failed", "%s", box->trace.is_set ? box->trace.message : "ended without saying why");
    }
    if (err->path[0] == '\0')
        snprintf(err->path, sizeof err->path, "%.159s", box->trace.path[0] != '\0' ? box->trace.path : path_of(box, module));
    return rc;
}

int gw_sandbox_bad_result(struct gw_sandbox *box, const char *module, const char *function, struct gw_error *err)
{
    const struct gw_error *why = &box->failure;
    if (why->code == GW_ENOMEM) {
        *err = *why;
        return err->code;
    }
    if (strcmp(why->id, "data_too_slow") == 0) {
        box->meter.end = GW_METER_TIME;
        budget_failure(box, err);
        snprintf(err->path, sizeof err->path, "%.159s", path_of(box, module));
        return err->code;
    }
    *err = (struct gw_error){.has_limit = why->has_limit, .limit = why->limit};
    memcpy(err->limit_name, why->limit_name, sizeof err->limit_name);
    char message[sizeof err->message], member[100];
    gw_printable_text(member, sizeof member, why->path, strlen(why->path));
    snprintf(message, sizeof message, "%.40s%s%s%.80s: %.90s", function != NULL ? function : "the file",
             function != NULL ? " returned" : "", member[0] != '\0' ? " at " : "", member, why->message);
    snprintf(err->path, sizeof err->path, "%.159s", path_of(box, module));
    memcpy(err->message, message, sizeof message);
    memcpy(err->id, "script_bad_result", sizeof "script_bad_result");
    err->code = why->code;
    return err->code;
}

void gw_sandbox_end(struct gw_sandbox *box, struct gw_sandbox_cost *cost)
{
    lua_settop(box->L, 0);
    box->failure.code = 0;
    if (box->scratch.capacity > KEPT_BYTES) {
        gw_buffer_fini(&box->scratch);
        gw_buffer_init(&box->scratch, 0);
    }
    if (box->meter.end == GW_METER_MEMORY)
        lua_gc(box->L, LUA_GCCOLLECT);
    box->meter.is_counting = false;
    if (cost != NULL)
        *cost = (struct gw_sandbox_cost){.instructions = box->meter.used, .ns = gw_meter_spent_ns(&box->meter)};
}
