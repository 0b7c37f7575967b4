#include "script/lua_libraries.h"

#include "script/lua_library.h"

#define UNITS_PER_NUMERAL 20

void gw_lua_open_libraries(lua_State *L)
{
    gw_lua_open_string(L);
    gw_lua_open_string_metatable(L);
    lua_setglobal(L, "string");
    gw_lua_open_table(L);
    lua_setglobal(L, "table");
    gw_lua_open_math(L);
    lua_setglobal(L, "math");
    gw_lua_open_utf8(L);
    lua_setglobal(L, "utf8");
}

void gw_lua_check_numeral(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        return;
    luaL_argcheck(L, lua_rawlen(L, arg) <= GW_SCRIPT_NUMERAL_MAX, arg, "number expected, got a long string");
    gw_budget_charge(L, UNITS_PER_NUMERAL);
}

lua_Integer gw_lua_check_integer(lua_State *L, int arg)
{
    gw_lua_check_numeral(L, arg);
    return luaL_checkinteger(L, arg);
}

lua_Integer gw_lua_opt_integer(lua_State *L, int arg, lua_Integer otherwise)
{
    return lua_isnoneornil(L, arg) ? otherwise : gw_lua_check_integer(L, arg);
}

lua_Number gw_lua_check_number(lua_State *L, int arg)
{
    gw_lua_check_numeral(L, arg);
    return luaL_checknumber(L, arg);
}

lua_Integer gw_lua_len(lua_State *L, int index)
{
    lua_len(L, index);
    int is_integer = 0;
    lua_Integer length = 0;
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) <= GW_SCRIPT_NUMERAL_MAX)
        length = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
        luaL_error(L, "object length is not an integer");
    lua_pop(L, 1);
    return length;
}

size_t gw_lua_range_start(lua_Integer position, size_t length)
{
    if (position > 0)
        return (size_t)position;
    if (position == 0 || position < -(lua_Integer)length)
        return 1;
    return length + 1 - (size_t)-position;
}

size_t gw_lua_range_end(lua_Integer position, size_t length)
{
    if (position > (lua_Integer)length)
        return length;
    if (position >= 0)
        return (size_t)position;
    return position < -(lua_Integer)length ? 0 : length + 1 - (size_t)-position;
}

void gw_lua_check_length(lua_State *L, size_t length)
{
    if (length > GW_SCRIPT_STRING_MAX)
        luaL_error(L, "resulting string too large");
}

void gw_lua_push_result(luaL_Buffer *buffer)
{
    gw_lua_check_length(buffer->L, luaL_bufflen(buffer));
    luaL_pushresult(buffer);
}
