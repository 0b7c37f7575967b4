/* lua_libraries.h — the string, table, math and utf8 libraries as scripts see them: the functions of the Lua 5.4 manual (6.4, 6.5, 6.6, 6.7), written anew so that
 * each is bounded and charges the budget (budget.h) for its work. Same results as plain Lua, but for:
 *   string   patterns by lua_pattern.h; classes, upper and lower are ASCII in every locale; format takes no %p, %q, and %s no tables or functions; no dump, pack,
 *            packsize, unpack; nothing longer than GW_SCRIPT_STRING_MAX
 *   table    sort is a stable merge sort: an order function that contradicts itself gives some order, never an error of its own, and an error in it leaves the
 *            table as it was; tables are read and written with their metamethods
 *   values   byte, codepoint and unpack give at most GW_LUA_VALUES_MAX
 *   math     no random, no randomseed
 *   numbers  a string longer than GW_SCRIPT_NUMERAL_MAX is none
 * Everything else of plain Lua's globals (select, pairs, pcall, …) is not here. */
#ifndef GW_SCRIPT_LUA_LIBRARIES_H
#define GW_SCRIPT_LUA_LIBRARIES_H

#include <lua.h>

#define GW_LUA_VALUES_MAX 4096

/* Sets the globals string, table, math and utf8, and the metatable of all strings, which getmetatable shows as false. Raises a Lua error when memory runs out: call
 * it protected. Once per state, before any script runs. */
void gw_lua_open_libraries(lua_State *L);

#endif
