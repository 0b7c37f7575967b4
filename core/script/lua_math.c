#include <lualib.h>
#include <stdbool.h>
#include <string.h>

#include "script/lua_library.h"

#define VALUES_PER_UNIT 2

/* Upvalue 1 is plain Lua's own, which keeps nothing; its work follows the number of its arguments once none is a long string. */
static int calculate(lua_State *L)
{
    int count = lua_gettop(L);
    gw_budget_charge(L, 1 + (uint64_t)count / VALUES_PER_UNIT);
    for (int i = 1; i <= count; i++)
        gw_lua_check_numeral(L, i);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Upvalue 1 as above. These take any value; a long string is no number. */
static int classify(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > GW_SCRIPT_NUMERAL_MAX) {
        lua_pushnil(L);
        return 1;
    }
    return calculate(L);
}

static void add_own(lua_State *L, int library, const char *name)
{
    bool is_any = strcmp(name, "type") == 0 || strcmp(name, "tointeger") == 0;
    if (lua_getfield(L, -1, name) == LUA_TFUNCTION)
        lua_pushcclosure(L, is_any ? classify : calculate, 1);
    lua_setfield(L, library, name);
}

/* Named one by one, since a build of Lua may bring more than the manual lists. */
void gw_lua_open_math(lua_State *L)
{
    static const char *const names[] = {"abs",  "acos", "asin", "atan", "ceil",       "cos",  "deg",        "exp",  "floor",
                                        "fmod", "huge", "log",  "max",  "maxinteger", "min",  "mininteger", "modf", "pi",
                                        "rad",  "sin",  "sqrt", "tan",  "tointeger",  "type", "ult"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    lua_createtable(L, 0, COUNT);
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    int library = lua_gettop(L) - 1;
    for (size_t i = 0; i < COUNT; i++)
        add_own(L, library, names[i]);
    lua_pop(L, 1);
}
