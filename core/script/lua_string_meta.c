#include "script/lua_library.h"

/* Lua leaves arithmetic on strings that hold numbers to their metatable (manual 3.4.3). */
static bool push_number(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TNUMBER) {
        lua_pushvalue(L, index);
        return true;
    }
    size_t bytes;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &bytes) : NULL;
    if (text == NULL || bytes > GW_SCRIPT_NUMERAL_MAX)
        return false;
    gw_budget_charge(L, 1 + bytes / 4);
    return lua_stringtonumber(L, text) == bytes + 1;
}

static int calculate(lua_State *L, int operation, const char *event)
{
    lua_settop(L, 2);
    bool is_first_number = push_number(L, 1);
    if (is_first_number && push_number(L, 2)) {
        lua_arith(L, operation);
        return 1;
    }
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING || !luaL_getmetafield(L, 2, event))
        return luaL_error(L, "attempt to perform arithmetic on a %s value", luaL_typename(L, is_first_number ? 2 : 1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static int add(lua_State *L) { return calculate(L, LUA_OPADD, "__add"); }

static int subtract(lua_State *L) { return calculate(L, LUA_OPSUB, "__sub"); }

static int multiply(lua_State *L) { return calculate(L, LUA_OPMUL, "__mul"); }

static int modulo(lua_State *L) { return calculate(L, LUA_OPMOD, "__mod"); }

static int power(lua_State *L) { return calculate(L, LUA_OPPOW, "__pow"); }

static int divide(lua_State *L) { return calculate(L, LUA_OPDIV, "__div"); }

static int divide_whole(lua_State *L) { return calculate(L, LUA_OPIDIV, "__idiv"); }

static int negate(lua_State *L)
{
    lua_settop(L, 1);
    if (!push_number(L, 1))
        return luaL_error(L, "attempt to perform arithmetic on a string value");
    lua_arith(L, LUA_OPUNM);
    return 1;
}

void gw_lua_open_string_metatable(lua_State *L)
{
    static const luaL_Reg events[] = {{"__add", add},    {"__sub", subtract},      {"__mul", multiply}, {"__mod", modulo}, {"__pow", power},
                                      {"__div", divide}, {"__idiv", divide_whole}, {"__unm", negate},   {NULL, NULL}};
    luaL_newlib(L, events);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "");
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
