/* lua_base.h — the globals that scripts have beside the libraries of lua_libraries.h: those of the Lua 5.4 manual (6.1) that lua/sandbox.lua lists,
 * with these differences: tostring shows no addresses; pairs goes in order (lua_pairs.h); setmetatable freezes the metatable and refuses __gc, __mode, __close
 * (freeze.h); pcall and xpcall do not catch the end of a call's budget or memory; the handler of xpcall runs after the error, not within it; require knows the
 * sandbox's sources only (modules.h); a string longer than GW_SCRIPT_NUMERAL_MAX is no number; getmetatable shows nothing of strings. */
#ifndef GW_SCRIPT_LUA_BASE_H
#define GW_SCRIPT_LUA_BASE_H

#include <lua.h>

/* Fills the table of globals, libraries included, and freezes it. Raises a Lua error when memory runs out. Once per state. */
void gw_lua_open_globals(lua_State *L);

#endif
