#include "script/lua_json.h"

#include <lauxlib.h>

#include "base/json.h"
#include "script/budget.h"
#include "script/freeze.h"
#include "script/sandbox_failure.h"
#include "script/sandbox_state.h"
#include "script/value_push.h"

#define BYTES_PER_UNIT 2
#define UNITS_PER_NODE 8

static int json_encode(lua_State *L)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    struct gw_error err = {0};
    struct gw_json *value = NULL;
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    gw_budget_charge(L, UNITS_PER_NODE);
    struct gw_data_value_cost cost;
    struct gw_data_value_rules rules = gw_sandbox_rules(box);
    rules.cost = &cost;
    int rc = gw_data_value_read(L, &rules, &value, &err);
    gw_sandbox_hold(box, value);
    gw_budget_charge(L, (uint64_t)cost.nodes * UNITS_PER_NODE + cost.bytes);
    gw_budget_look(L);
    if (rc == GW_ENOMEM)
        return gw_sandbox_fail(L, &err);
    if (rc != 0)
        return luaL_error(L, "json.encode: %s%s%s", err.path, err.path[0] != '\0' ? ": " : "", err.message);
    if (cost.bytes > GW_SCRIPT_STRING_MAX)
        return luaL_error(L, "json.encode: the text would be too long");
    gw_buffer_reset(&box->scratch);
    gw_json_write_canonical(value, &box->scratch);
    if (box->scratch.has_failed) {
        gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for JSON text");
        return gw_sandbox_fail(L, &err);
    }
    gw_budget_charge(L, box->scratch.length / BYTES_PER_UNIT);
    if (box->scratch.length > GW_SCRIPT_STRING_MAX)
        return luaL_error(L, "json.encode: the text would be too long");
    lua_pushlstring(L, box->scratch.data, box->scratch.length);
    gw_sandbox_hold(box, NULL);
    return 1;
}

static int push_refusal(lua_State *L, const struct gw_error *err)
{
    lua_pushnil(L);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, err->id);
    lua_setfield(L, -2, "code");
    lua_pushstring(L, err->message);
    lua_setfield(L, -2, "message");
    lua_pushstring(L, err->path);
    lua_setfield(L, -2, "path");
    return 2;
}

static int json_decode(lua_State *L)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    struct gw_error err = {0};
    struct gw_json *value = NULL;
    size_t length;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &length);
    struct gw_json_limits limits = {
        .max_bytes = box->limits.result_bytes, .max_depth = box->limits.result_depth, .max_nodes = box->limits.result_nodes};
    gw_budget_charge(L, UNITS_PER_NODE + (length <= limits.max_bytes ? length / BYTES_PER_UNIT : 0));
    if (gw_json_parse(text, length, &limits, &value, &err) != 0)
        return err.code == GW_ENOMEM ? gw_sandbox_fail(L, &err) : push_refusal(L, &err);
    gw_sandbox_hold(box, value);
    gw_budget_charge(L, gw_value_push(L, value) * UNITS_PER_NODE);
    gw_sandbox_hold(box, NULL);
    return 1;
}

static int json_list(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (gw_freeze_is_list(L, 1))
        return 1;
    if (lua_getmetatable(L, 1))
        return luaL_error(L, "json.list: the table has a metatable, or is frozen");
    gw_freeze_mark_list(L, 1);
    return 1;
}

void gw_lua_json_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"encode", json_encode}, {"decode", json_decode}, {"list", json_list}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
