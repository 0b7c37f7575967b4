#include "script/modules.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/budget.h"
#include "script/compile.h"
#include "script/freeze.h"
#include "script/sandbox_state.h"
#include "script/sources.h"

#define CHAIN_BYTES 200

static const char loaded_key; /* its address is the key of the table of loaded modules in the registry */

void gw_modules_open(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
}

void gw_modules_add(lua_State *L, const char *name)
{
    gw_freeze_deep(L, -1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void refuse_cycle(lua_State *L, const struct gw_loading *inner, const char *name)
{
    char chain[CHAIN_BYTES] = "";
    for (const struct gw_loading *file = inner; file != NULL; file = file->outer) {
        char longer[CHAIN_BYTES];
        snprintf(longer, sizeof longer, "%.80s -> %.100s", file->module, chain);
        memcpy(chain, longer, sizeof chain);
        if (strcmp(file->module, name) == 0)
            luaL_error(L, "files that require each other: %s%s", chain, name);
    }
}

/* The compiler's error, whose text is on top. */
static void note_syntax_error(lua_State *L, const struct gw_source *source)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    gw_trace_frames(&box->trace, L, 0);
    snprintf(box->trace.path, sizeof box->trace.path, "%.159s", source->path);
    gw_trace_error(&box->trace, L, -1);
    gw_error_set(&box->failure, GW_EINVAL, "script_syntax", "%s", box->trace.message);
    memcpy(box->failure.path, box->trace.path, sizeof box->failure.path);
}

/* Pushes the file as a function, whose _ENV is the globals. */
static void compile(lua_State *L, const struct gw_source *source)
{
    const char *name = lua_pushfstring(L, "@%s", source->path);
    int status = gw_compile(L, source->text, source->length, name);
    lua_remove(L, -2);
    if (status == LUA_OK)
        return;
    if (status == LUA_ERRMEM)
        gw_meter_stop(L, GW_METER_MEMORY);
    else if (gw_meter_of(L)->end == GW_METER_RUNS)
        note_syntax_error(L, source); /* nested too deep is an error of the run to Lua */
    lua_error(L);
}

static void run(lua_State *L, const struct gw_source *source)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    struct gw_loading here = {.outer = box->loading, .module = source->module};
    compile(L, source);
    box->loading = &here;
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1))
        luaL_error(L, "%s returned nothing: a file returns its table", source->path);
    gw_freeze_deep(L, -1);
    box->loading = here.outer;
}

static bool has_all_entries(const struct gw_sandbox *box)
{
    return box->wanted != NULL && box->entry_count == gw_sources_count(box->sources);
}

/* As the file failed when it was to be loaded. */
static void refuse_failed(lua_State *L, const struct gw_source *source)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    size_t index = 0;
    while (gw_sources_at(box->sources, index) != source)
        index++;
    const struct gw_error *failed = box->failed[index];
    if (failed == NULL)
        return;
    box->failure = *failed;
    luaL_error(L, "%s: %s", failed->path, failed->message);
}

static bool is_loaded(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    bool is_there = lua_getfield(L, -1, name) != LUA_TNIL;
    lua_pop(L, 2);
    return is_there;
}

int gw_modules_push(lua_State *L, const char *name)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    luaL_checkstack(L, 8, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_remove(L, -2);
        return 1;
    }
    lua_pop(L, 1);
    const struct gw_source *source = gw_sources_find(box->sources, name);
    if (source == NULL) {
        lua_pop(L, 1);
        return 0;
    }
    refuse_failed(L, source);
    refuse_cycle(L, box->loading, name);
    run(L, source);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_remove(L, -2);
    return 1;
}

int gw_modules_require(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    lua_settop(L, 1);
    gw_budget_charge(L, 10);
    if (length > GW_MODULE_NAME_MAX)
        return luaL_error(L, "there is no module of a name that long");
    const struct gw_sandbox *box = gw_sandbox_of(L);
    const struct gw_source *source = strlen(name) == length ? gw_sources_find(box->sources, name) : NULL;
    if (source != NULL && box->loading == NULL && has_all_entries(box) && !is_loaded(L, name)) {
        refuse_failed(L, source);
        return luaL_error(L, "'%s' is not loaded, and a call loads nothing: no file has this name in full", name);
    }
    if (strlen(name) != length || gw_modules_push(L, name) == 0)
        return luaL_error(L, "there is no module '%s'", name);
    return 1;
}
