#include "script/lua_libraries.h"

#include "script/lua_library.h"

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
