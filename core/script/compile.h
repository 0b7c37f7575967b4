/* compile.h — a Lua text as a function, in pieces: how long the compiler takes for some bytes depends on all that came before (a name is looked for among the
 * locals of every function around it, a jump goes to the end of a list), so between two pieces the clock is looked at. Where one token costs the square of those
 * before it, at the end of a loop with many a `break`, they are counted. For states with a meter, in protected mode. Compiled Lua is refused. */
#ifndef GW_SCRIPT_COMPILE_H
#define GW_SCRIPT_COMPILE_H

#include <stddef.h>

#include <lua.h>

/* Pushes the function, or an error's value. `name` begins with "=" or "@". As lua_load; also LUA_ERRRUN when the call of the meter is over. Charges the budget. */
int gw_compile(lua_State *L, const char *text, size_t length, const char *name);

#endif
