/* What one call into the sandbox costs, beside the same function called by plain Lua in a loop: a validator with a command of 14 fields and a view with one
 * lookup, and a lens. Prints one line of JSON a figure: medians over rounds of calls, in nanoseconds, and the ratio. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "script/sandbox.h"
#include "script/sources.h"

#define ROUNDS 2001
#define CALLS  100

static const char script[] =
    "local m = {}\n"
    "function m.validate(command, view)\n"
    "  local args = command.args\n"
    "  if type(args.text) ~= 'string' or #args.text > 200 then\n"
    "    return nil, {code = 'bad_text', message = 'a text of at most 200 bytes', path = '/args/text'}\n"
    "  end\n"
    "  if args.depth < 0 or args.depth > 10 then return nil, {code = 'bad_depth'} end\n"
    "  local parent = view.block and view.block(args.parent_id)\n"
    "  if not parent then return nil, {code = 'no_parent', message = 'no such parent', path = '/args/parent_id'} end\n"
    "  return true\n"
    "end\n"
    "function m.lens(actor, scope)\n"
    "  local plan = {history = true, vision = actor.role == 'director', presence = true, logs = {read = true}}\n"
    "  plan.tokens = {read = {'*', '!secret.*'}, write = actor.role == 'viewer' and {} or {'*'}}\n"
    "  plan.blocks = {read = {{kinds = {'*'}, vis = {'', 'draft'}}}, write = {{kinds = {'*'}}}}\n"
    "  plan.events = {'*'}\n"
    "  plan.commands = {}\n"
    "  for i, name in ipairs({'block.*', 'token.set', 'chat.*'}) do plan.commands[i] = name end\n"
    "  return plan\n"
    "end\n"
    "return m\n";

static const char command_text[] =
    "{\"command_id\":\"c-0001\",\"type\":\"block.insert\",\"canvas_id\":\"board\",\"args\":{\"parent_id\":\"b1\",\"text\":\"A line of "
    "text\","
    "\"depth\":3,\"done\":false,\"weight\":0.5,\"tags\":[\"a\",\"b\"]},\"actor\":{\"id\":\"ann\",\"kind\":\"user\",\"role\":\"editor\"},"
    "\"run_id\":\"r1\",\"scope\":{\"tenant_id\":\"acme\",\"mode\":\"dev\"}}";
static const char actor_text[] = "{\"id\":\"ann\",\"kind\":\"user\",\"role\":\"editor\"}";
static const char scope_text[] =
    "{\"tenant_id\":\"acme\",\"mode\":\"dev\",\"project_id\":\"p1\",\"surface_id\":\"web\",\"app_id\":\"demo\"}";

static struct gw_json *parse(const char *text)
{
    struct gw_json_limits limits = {.max_bytes = 1 << 16, .max_depth = 16, .max_nodes = 1000};
    struct gw_error err;
    struct gw_json *value = NULL;
    if (gw_json_parse(text, strlen(text), &limits, &value, &err) != 0) {
        fprintf(stderr, "script_call: %s\n", err.message);
        exit(1);
    }
    return value;
}

static int look(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err)
{
    (void)args;
    (void)err;
    *result = gw_json_ref(self);
    return 0;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static uint64_t now(void) { return gw_clock_system()->monotonic_ns(NULL); }

static double time_sandbox(struct gw_sandbox *box, const struct gw_sandbox_call *call)
{
    double rounds[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t start = now();
        for (int i = 0; i < CALLS; i++) {
            struct gw_json *results[2];
            struct gw_error err;
            if (gw_sandbox_call(box, call, results, NULL, &err) != 0) {
                fprintf(stderr, "script_call: %s: %s\n", err.path, err.message);
                exit(1);
            }
            for (size_t k = 0; k < call->result_count; k++)
                gw_json_unref(results[k]);
        }
        rounds[r] = (double)(now() - start) / CALLS;
    }
    return median(rounds);
}

/* The loop is in Lua: what a call costs where there is neither sandbox nor border. */
static double time_plain(const char *function, const char *args)
{
    static const char loop[] = "local m, name, a, b = ... local f = m[name] for _ = 1, 100 do f(a, b) end";
    double rounds[ROUNDS];
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_dostring(L, script) != LUA_OK || luaL_dostring(L, args) != LUA_OK || luaL_loadstring(L, loop) != LUA_OK) {
        fprintf(stderr, "script_call: %s\n", lua_tostring(L, -1));
        exit(1);
    }
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t start = now();
        lua_settop(L, 4);
        lua_pushvalue(L, 4);
        lua_pushvalue(L, 1);
        lua_pushstring(L, function);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
            fprintf(stderr, "script_call: %s\n", lua_tostring(L, -1));
            exit(1);
        }
        rounds[r] = (double)(now() - start) / CALLS;
    }
    lua_close(L);
    return median(rounds);
}

static void report(const char *name, double sandbox, double plain)
{
    printf("{\"figure\":\"script_call.%s\",\"sandbox_ns\":%.0f,\"plain_lua_ns\":%.0f,\"ratio\":%.2f}\n", name, sandbox, plain,
           sandbox / plain);
}

int main(void)
{
    struct gw_error err;
    struct gw_sandbox_opts opts = {.sources = gw_sources_create(), .clock = gw_clock_system()};
    struct gw_source source = {"m", "m.lua", script, sizeof script - 1};
    struct gw_sandbox *box;
    gw_sandbox_limits_default(&opts.limits);
    if (gw_sources_add(opts.sources, &source, &err) != 0 || gw_sandbox_create(&opts, &box, &err) != 0) {
        fprintf(stderr, "script_call: %s\n", err.message);
        return 1;
    }
    struct gw_json *command = parse(command_text), *view = parse("{\"canvas_type\":\"board\"}"),
                   *block = parse("{\"id\":\"b1\",\"kind\":\"line\"}");
    struct gw_json *actor = parse(actor_text), *scope = parse(scope_text);
    struct gw_json *const with_view[] = {command, view}, *const with_scope[] = {actor, scope};
    struct gw_sandbox_lookup lookup = {.name = "block", .look = look, .self = block};
    struct gw_sandbox_call validate = {
        .module = "m", .function = "validate", .args = with_view, .arg_count = 2, .lookups = &lookup, .lookup_count = 1, .result_count = 2};
    struct gw_sandbox_call lens = {.module = "m", .function = "lens", .args = with_scope, .arg_count = 2, .result_count = 1};
    report(
        "validator", time_sandbox(box, &validate),
        time_plain(
            "validate",
            "local command = {command_id='c-0001',type='block.insert',canvas_id='board',args={parent_id='b1',text='A line of text',depth=3,"
            "done=false,weight=0.5,tags={'a','b'}},actor={id='ann',kind='user',role='editor'},run_id='r1',scope={}} local block = "
            "{id='b1',kind='line'} return command, {canvas_type='board', block=function() return block end}"));
    report("lens", time_sandbox(box, &lens), time_plain("lens", "return {id='ann',kind='user',role='editor'}, {tenant_id='acme'}"));
    printf("{\"figure\":\"script_call.memory\",\"bytes\":%zu}\n", gw_sandbox_memory(box));
    gw_sandbox_destroy(box);
    gw_sources_unref(opts.sources);
    struct gw_json *const values[] = {command, view, block, actor, scope};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        gw_json_unref(values[i]);
    return 0;
}
