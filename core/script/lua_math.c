#include <lualib.h>

#include "script/lua_library.h"

/* Plain Lua's own: each takes a bounded time and keeps nothing. Named one by one, since a build of Lua may bring more than the manual lists. */
void gw_lua_open_math(lua_State *L)
{
    static const char *const names[] = {"abs",  "acos", "asin", "atan", "ceil",       "cos",  "deg",        "exp",  "floor",
                                        "fmod", "huge", "log",  "max",  "maxinteger", "min",  "mininteger", "modf", "pi",
                                        "rad",  "sin",  "sqrt", "tan",  "tointeger",  "type", "ult"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    lua_createtable(L, 0, COUNT);
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    for (size_t i = 0; i < COUNT; i++) {
        lua_getfield(L, -1, names[i]);
        lua_setfield(L, -3, names[i]);
    }
    lua_pop(L, 1);
}
