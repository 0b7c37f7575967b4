#include "script/lua_base.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>

#include "script/budget.h"
#include "script/freeze.h"
#include "script/lua_library.h"
#include "script/lua_pairs.h"
#include "script/modules.h"
#include "script/sandbox_state.h"

#define VALUES_PER_UNIT 16
#define UNITS_PER_TEXT  16 /* of a number */

static int push_number_text(lua_State *L)
{
    gw_budget_charge(L, UNITS_PER_TEXT);
    luaL_tolstring(L, 1, NULL);
    return 1;
}

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
    else if (type == LUA_TNUMBER)
        return push_number_text(L);
    else if (type == LUA_TBOOLEAN || type == LUA_TNIL)
        luaL_tolstring(L, 1, NULL);
    else
        lua_pushstring(L, lua_typename(L, type));
    return 1;
}

/* Of the functions that are Lua's own, upvalue 1 is that one. */
static int call_own(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

static int base_tonumber(lua_State *L)
{
    gw_lua_check_numeral(L, 2);
    if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > GW_SCRIPT_NUMERAL_MAX) {
        lua_pushnil(L);
        return 1;
    }
    if (lua_type(L, 1) == LUA_TSTRING)
        gw_lua_check_numeral(L, 1);
    return call_own(L);
}

static int base_select(lua_State *L)
{
    gw_budget_charge(L, 1 + (uint64_t)lua_gettop(L) / VALUES_PER_UNIT);
    gw_lua_check_numeral(L, 1);
    return call_own(L);
}

static int base_assert(lua_State *L)
{
    gw_budget_charge(L, 1 + (uint64_t)lua_gettop(L) / VALUES_PER_UNIT);
    return call_own(L);
}

/* A position is put before a message that is a text. */
static int base_error(lua_State *L)
{
    gw_lua_check_numeral(L, 2);
    if (lua_type(L, 1) == LUA_TSTRING)
        gw_lua_charge_bytes(L, lua_rawlen(L, 1));
    return call_own(L);
}

static int base_rawequal(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        gw_lua_charge_bytes(L, lua_rawlen(L, 1));
    return call_own(L);
}

/* Calls the function below `arg_count` arguments. False leaves the error in their place; the end of the whole call goes on instead. To name the variable that
 * an error is about, Lua goes through the function's code up to there, and then through the stack. */
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
    gw_budget_look(L);
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

static const char *const of_lua[] = {"ipairs", "type", "_VERSION"};

static const luaL_Reg guarded[] = {{"assert", base_assert}, {"error", base_error},       {"rawequal", base_rawequal},
                                   {"select", base_select}, {"tonumber", base_tonumber}, {NULL, NULL}};

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
    for (const luaL_Reg *one = guarded; one->name != NULL; one++) {
        lua_getfield(L, -1, one->name);
        lua_pushcclosure(L, one->func, 1);
        lua_setfield(L, base + 1, one->name);
    }
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, base + 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    gw_lua_open_libraries(L);
    gw_freeze_globals(L, base + 1);
    lua_settop(L, base);
}
