#include "script/sandbox.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "script/data_value.h"
#include "script/entries.h"
#include "script/freeze.h"
#include "script/lookups.h"
#include "script/lua_base.h"
#include "script/lua_json.h"
#include "script/modules.h"
#include "script/sandbox_failure.h"
#include "script/sandbox_state.h"
#include "script/sources.h"
#include "script/value_push.h"

#define MAX_ARGS       8
#define NS_PER_MS      1000000u
#define MAX_PATH_STEPS 8

/* value: what a protected call does, and what it found */
struct task {
    struct gw_sandbox *box;
    const char *module, *function; /* function may be NULL: the module itself */
    bool is_missing_module, is_missing_function;
    uint32_t constant; /* the result's number; 0: it has none, or nobody wants to know */
};

/* Its address is the key of their table in the registry: constant → its number, which also keeps them alive. */
static const char constants_key;

void gw_sandbox_limits_default(struct gw_sandbox_limits *limits)
{
    *limits = (struct gw_sandbox_limits){
        .call_instructions = 1000000,
        .call_ms = 50,
        .memory_bytes = (size_t)8 << 20,
        .result_depth = 32,
        .result_nodes = 16384,
        .result_bytes = (size_t)256 << 10,
    };
}

void gw_sandbox_hold(struct gw_sandbox *box, struct gw_json *value)
{
    gw_json_unref(box->held);
    box->held = value;
}

static int open_state(lua_State *L)
{
    gw_freeze_open(L);
    gw_modules_open(L);
    gw_lua_open_globals(L);
    gw_lua_json_push(L);
    gw_modules_add(L, "atoms.json");
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &constants_key);
    return 0;
}

int gw_sandbox_create(const struct gw_sandbox_opts *opts, struct gw_sandbox **out, struct gw_error *err)
{
    struct gw_sandbox *box = gw_alloc(sizeof *box);
    *out = NULL;
    box->limits = opts->limits;
    box->sources = gw_sources_ref(opts->sources);
    box->trace.sources = box->sources;
    if (opts->is_entry != NULL) {
        box->wanted = gw_alloc_array(gw_sources_count(box->sources) + 1, sizeof *box->wanted);
        gw_entries_find(box->sources, opts->is_entry, box->wanted);
    }
    box->failed = gw_alloc_array(gw_sources_count(box->sources) + 1, sizeof *box->failed);
    box->meter = (struct gw_meter){
        .clock = opts->clock,
        .max_instructions = UINT64_MAX / 4, /* opening is the core's own work */
        .max_ns = UINT64_MAX,
        .max_memory = opts->limits.memory_bytes,
        .on_end = gw_sandbox_on_end,
    };
    gw_buffer_init(&box->scratch, 0);
    int rc = 0;
    box->L = lua_newstate(gw_meter_allocate, &box->meter);
    if (box->L != NULL) {
        gw_meter_attach(&box->meter, box->L);
        box->meter.is_stressed = opts->is_gc_stressed;
        gw_meter_begin(&box->meter);
        lua_pushcfunction(box->L, open_state);
        rc = lua_pcall(box->L, 0, 0, 0);
        lua_settop(box->L, 0);
        box->meter.is_counting = false;
        box->meter.max_instructions = opts->limits.call_instructions;
        box->meter.max_ns = (uint64_t)opts->limits.call_ms * NS_PER_MS;
    }
    if (box->L == NULL || rc != LUA_OK) {
        rc = gw_sandbox_memory_failure(box, err);
        gw_sandbox_destroy(box);
        return rc;
    }
    *out = box;
    return 0;
}

void gw_sandbox_destroy(struct gw_sandbox *box)
{
    if (box == NULL)
        return;
    if (box->L != NULL)
        lua_close(box->L);
    gw_json_unref(box->held);
    gw_buffer_fini(&box->scratch);
    for (size_t i = 0; i < gw_sources_count(box->sources); i++)
        gw_free(box->failed[i]);
    gw_free(box->failed);
    gw_free(box->wanted);
    gw_sources_unref(box->sources);
    gw_free(box);
}

/* Replaces the module on top by what `path` names in it, step by step; nil when a step leads nowhere. */
static void follow(lua_State *L, const char *path)
{
    const char *separator = path[0] == '/' ? "/" : ".";
    path += path[0] == '/';
    while (lua_istable(L, -1)) {
        size_t length = strcspn(path, separator);
        lua_pushlstring(L, path, length);
        lua_gettable(L, -2);
        lua_remove(L, -2);
        if (path[length] == '\0')
            return;
        path += length + 1;
    }
    lua_pop(L, 1);
    lua_pushnil(L);
}

/* Pushes the function, or answers false. */
static bool push_function(lua_State *L, struct task *task)
{
    task->is_missing_module = gw_modules_push(L, task->module) == 0;
    if (task->is_missing_module)
        return false;
    if (task->function == NULL)
        return true;
    follow(L, task->function);
    task->is_missing_function = !lua_isfunction(L, -1);
    return !task->is_missing_function;
}

static int run_look(lua_State *L)
{
    struct task *task = lua_touserdata(L, 1);
    lua_settop(L, 0);
    return push_function(L, task) ? 1 : 0;
}

/* Of the table on top. */
static uint32_t number_constant(lua_State *L, struct gw_sandbox *box)
{
    if (!gw_freeze_is_constant(L, -1))
        return 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &constants_key);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    uint32_t number = (uint32_t)lua_tointeger(L, -1); /* 0 for nil */
    lua_pop(L, 1);
    if (number == 0) {
        number = ++box->constant_count;
        lua_pushvalue(L, -2);
        lua_pushinteger(L, number);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    return number;
}

static int run_call(lua_State *L)
{
    struct task *task = lua_touserdata(L, 1);
    const struct gw_sandbox_call *call = task->box->call;
    lua_settop(L, 0);
    luaL_checkstack(L, MAX_ARGS + 8, NULL);
    if (!push_function(L, task))
        return 0;
    for (size_t i = 0; i < call->arg_count; i++)
        gw_value_push(L, call->args[i]);
    if (call->lookup_count > 0)
        gw_lookups_set(L);
    lua_call(L, (int)call->arg_count, (int)call->result_count);
    if (call->knows)
        task->constant = number_constant(L, task->box);
    return (int)call->result_count;
}

/* Runs `work` under the budgets; what it returned is on the stack above index 1. */
static int perform(struct gw_sandbox *box, lua_CFunction work, struct task *task, int result_count, struct gw_error *err)
{
    lua_State *L = box->L;
    gw_trace_clear(&box->trace);
    box->failure.code = 0;
    box->loading = NULL;
    box->serial++;
    lua_settop(L, 0);
    lua_pushcfunction(L, gw_sandbox_on_error);
    lua_pushcfunction(L, work);
    lua_pushlightuserdata(L, task);
    int status = lua_pcall(L, 1, result_count, 1);
    gw_sandbox_hold(box, NULL);
    if (status != LUA_OK)
        return gw_sandbox_failure(box, status, task->module, err);
    if (task->is_missing_module)
        return gw_error_set(err, GW_ENOTFOUND, "script_missing", "there is no module %.100s", task->module);
    if (task->is_missing_function)
        return gw_error_set(err, GW_ENOTFOUND, "script_missing", "%.80s has no function %.80s", task->module, task->function);
    return 0;
}

/* A file that takes all the time of a call is slow itself only when it began with all of it. */
static bool is_final(const struct gw_sandbox *box, int rc, bool had_all_time)
{
    return rc != GW_ENOMEM && (box->meter.end != GW_METER_TIME || had_all_time);
}

/* Loads the entries that have not been tried yet. */
static int load_entries(struct gw_sandbox *box, struct gw_error *err)
{
    bool has_all_time = true;
    for (; box->entry_count < gw_sources_count(box->sources); box->entry_count++) {
        struct task task = {.box = box, .module = gw_sources_at(box->sources, box->entry_count)->module};
        if (!box->wanted[box->entry_count])
            continue;
        gw_meter_renew(&box->meter);
        int rc = perform(box, run_look, &task, 1, err);
        if (rc != 0 && !is_final(box, rc, has_all_time))
            return rc;
        has_all_time = false;
        if (rc == 0)
            continue;
        box->failed[box->entry_count] = gw_alloc(sizeof *err);
        *box->failed[box->entry_count] = *err;
        if (box->meter.end == GW_METER_MEMORY)
            lua_gc(box->L, LUA_GCCOLLECT);
    }
    return 0;
}

static int run(struct gw_sandbox *box, lua_CFunction work, struct task *task, int result_count, struct gw_error *err)
{
    int rc = 0;
    gw_meter_begin(&box->meter);
    if (box->wanted != NULL && box->entry_count < gw_sources_count(box->sources)) {
        rc = load_entries(box, err);
        gw_meter_renew(&box->meter);
    }
    if (rc == 0)
        rc = perform(box, work, task, result_count, err);
    box->call = NULL;
    return rc;
}

/* Reads the value at `index` as data. */
static int read_result(struct gw_sandbox *box, int index, const struct gw_data_value_rules *rules, struct gw_json **out)
{
    struct gw_error why = {0};
    lua_State *L = box->L;
    lua_pushvalue(L, index);
    int rc = 0;
    if (lua_isnil(L, -1))
        rc = (*out = gw_json_new_null()) == NULL ? gw_error_set(&why, GW_ENOMEM, "out_of_memory", "no memory for a result") : 0;
    else
        rc = gw_data_value_read(L, rules, out, &why);
    lua_pop(L, 1);
    if (rc != 0)
        box->failure = why;
    return rc;
}

static bool is_late(void *self) { return gw_meter_is_late(self); }

struct gw_data_value_rules gw_sandbox_rules(struct gw_sandbox *box)
{
    return (struct gw_data_value_rules){.max_depth = box->limits.result_depth,
                                        .max_nodes = box->limits.result_nodes,
                                        .max_bytes = box->limits.result_bytes,
                                        .is_late = is_late,
                                        .self = &box->meter};
}

static int read_results(struct gw_sandbox *box, const struct gw_sandbox_call *call, struct gw_json **results, struct gw_error *err)
{
    struct gw_data_value_rules rules = gw_sandbox_rules(box);
    rules.list_names = call->list_names;
    for (size_t i = 0; i < call->result_count; i++) {
        int rc = read_result(box, (int)i + 2, &rules, &results[i]);
        if (rc == 0)
            continue;
        while (i-- > 0) {
            gw_json_unref(results[i]);
            results[i] = NULL;
        }
        return gw_sandbox_bad_result(box, call->module, call->function, err);
    }
    return 0;
}

int gw_sandbox_call(struct gw_sandbox *box, const struct gw_sandbox_call *call, struct gw_json **results, struct gw_sandbox_cost *cost,
                    struct gw_error *err)
{
    assert(call->arg_count <= MAX_ARGS && call->result_count <= 2 && call->function != NULL);
    assert(!call->knows || call->result_count == 1);
    struct task task = {.box = box, .module = call->module, .function = call->function};
    for (size_t i = 0; i < call->result_count; i++)
        results[i] = NULL;
    box->call = call;
    int rc = run(box, run_call, &task, (int)call->result_count, err);
    if (rc == 0 && !(task.constant && call->knows(call->knows_self, task.constant)))
        rc = read_results(box, call, results, err);
    gw_sandbox_end(box, cost);
    return rc;
}

int gw_sandbox_has(struct gw_sandbox *box, const char *module, const char *function, struct gw_error *err)
{
    struct task task = {.box = box, .module = module, .function = function};
    int rc = run(box, run_look, &task, 1, err);
    gw_sandbox_end(box, NULL);
    if (rc == GW_ENOTFOUND && task.is_missing_function)
        return 0;
    return rc == 0 ? 1 : rc;
}

static int read_module(struct gw_sandbox *box, const char *module, const struct gw_data_value_rules *rules, struct gw_json **out,
                       struct gw_error *err)
{
    struct task task = {.box = box, .module = module};
    *out = NULL;
    int rc = run(box, run_look, &task, 1, err);
    if (rc == 0 && read_result(box, 2, rules, out) != 0)
        rc = gw_sandbox_bad_result(box, module, NULL, err);
    gw_sandbox_end(box, NULL);
    return rc;
}

int gw_sandbox_data(struct gw_sandbox *box, const char *module, struct gw_json **out, struct gw_error *err)
{
    struct gw_data_value_rules rules = gw_sandbox_rules(box);
    rules.leaves_out_functions = true;
    return read_module(box, module, &rules, out, err);
}

int gw_sandbox_outline(struct gw_sandbox *box, const char *module, struct gw_json **out, struct gw_error *err)
{
    struct gw_data_value_rules rules = gw_sandbox_rules(box);
    rules.marks_functions = true;
    return read_module(box, module, &rules, out, err);
}

const char *gw_sandbox_traceback(const struct gw_sandbox *box) { return box->trace.text; }

size_t gw_sandbox_memory(const struct gw_sandbox *box) { return box->meter.memory; }
