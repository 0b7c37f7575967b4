#include "script/lua_base.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>

#include "script/budget.h"
#include "script/freeze.h"
#include "script/lua_libraries.h"
#include "script/lua_pairs.h"
#include "script/modules.h"
#include "script/sandbox_state.h"

#define BYTES_PER_UNIT 8

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (luaL_callmeta(L, 1, "__tostring")) {
        if (lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "'__tostring' must return a string");
        return 1;
    }
    int type = lua_type(L, 1);
    if (type == LUA_TSTRING)
        return 1;
    if (type == LUA_TLIGHTUSERDATA)
        lua_pushliteral(L, "null");
    else if (type == LUA_TNUMBER || type == LUA_TBOOLEAN || type == LUA_TNIL)
        luaL_tolstring(L, 1, NULL);
    else
        lua_pushstring(L, lua_typename(L, type));
    return 1;
}

/* Upvalue 1 is the library's tonumber, whose work follows the length of a text. */
static int base_tonumber(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        gw_budget_charge(L, lua_rawlen(L, 1) / BYTES_PER_UNIT);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Calls the function below `arg_count` arguments. False leaves the error in their place; the end of the whole call goes on instead. */
static bool try_call(lua_State *L, int arg_count)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    const struct gw_loading *loading = box->loading;
    int status = lua_pcall(L, arg_count, LUA_MULTRET, 0);
    if (status == LUA_ERRMEM)
        gw_meter_stop(L, GW_METER_MEMORY);
    if (status == LUA_OK)
        return true;
    if (box->meter.end != GW_METER_RUNS)
        lua_error(L);
    box->loading = loading;
    box->failure.code = 0;
    return false;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    bool is_good = try_call(L, lua_gettop(L) - 1);
    luaL_checkstack(L, 1, NULL);
    lua_pushboolean(L, is_good);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/* xpcall(function, handler, …). A handler that ran within the error would run with hooks off when the error is a hook's. */
static int base_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 1);
    lua_copy(L, 2, 1);
    lua_replace(L, 2);
    bool is_good = try_call(L, lua_gettop(L) - 2);
    if (!is_good) {
        lua_call(L, 1, LUA_MULTRET);
        lua_pushnil(L);
        lua_insert(L, 1);
    }
    lua_pushboolean(L, is_good);
    lua_replace(L, 1);
    return lua_gettop(L);
}

static const char *const of_lua[] = {"assert", "error", "ipairs", "rawequal", "select", "type", "_VERSION"};

static const luaL_Reg ours[] = {
    {"getmetatable", gw_freeze_getmetatable}, {"pairs", gw_lua_pairs},     {"pcall", base_pcall},   {"require", gw_modules_require},
    {"setmetatable", gw_freeze_setmetatable}, {"tostring", base_tostring}, {"xpcall", base_xpcall}, {NULL, NULL},
};

void gw_lua_open_globals(lua_State *L)
{
    int base = lua_gettop(L);
    lua_newtable(L);
    luaL_setfuncs(L, ours, 0);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    for (size_t i = 0; i < sizeof of_lua / sizeof of_lua[0]; i++) {
        lua_getfield(L, -1, of_lua[i]);
        lua_setfield(L, base + 1, of_lua[i]);
    }
    lua_getfield(L, -1, "tonumber");
    lua_pushcclosure(L, base_tonumber, 1);
    lua_setfield(L, base + 1, "tonumber");
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, base + 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    gw_lua_open_libraries(L);
    gw_freeze_globals(L, base + 1);
    lua_settop(L, base);
}
