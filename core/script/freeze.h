/* freeze.h — tables that cannot change any more. A frozen table keeps its identity: its content moves into a hidden table and it becomes an empty one whose
 * metatable reads from there and refuses to write. So indexing, `#`, ipairs and every function that honours metamethods see no difference; what reads raw (pairs,
 * the core) asks for the content. There is no rawget, rawset, rawlen or next in a script to tell the difference.
 * A table that becomes a metatable is frozen by that, since a field such as __mode or __close counts from the moment in which it is set.
 * Functions here raise Lua errors: call them protected. What marks tables is keyed by addresses that no script can name. */
#ifndef GW_SCRIPT_FREEZE_H
#define GW_SCRIPT_FREEZE_H

#include <stdbool.h>

#include <lua.h>

/* Freezes everything that can be reached from the value at `index`: members, keys, metatables, upvalues. Raises "file:line: …" for what would keep a state from
 * call to call: a function that assigns to a local outside of it, an iterator. Charges the budget. */
void gw_freeze_deep(lua_State *L, int index);
/* As gw_freeze_deep for the table of globals, at `index`, whose members are trusted: an assignment says that there are no globals. */
void gw_freeze_globals(lua_State *L, int index);

/* Pushes the table that holds the content of the table at `index`: itself when it is not frozen. Raises nothing, allocates nothing. */
void gw_freeze_push_content(lua_State *L, int index);
bool gw_freeze_is_frozen(lua_State *L, int index);
/* Frozen by gw_freeze_deep: neither it nor anything in it can change any more. Raises nothing, allocates nothing. */
bool gw_freeze_is_constant(lua_State *L, int index);

/* Marks the table at `index`, which has no metatable, as a list: one that is a list even when empty. */
void gw_freeze_mark_list(lua_State *L, int index);
/* Raises nothing, allocates nothing. */
bool gw_freeze_is_list(lua_State *L, int index);

/* setmetatable(table, metatable) and getmetatable(value), as lua_CFunctions. */
int gw_freeze_setmetatable(lua_State *L);
int gw_freeze_getmetatable(lua_State *L);

/* Once per state: what gw_freeze_mark_list and gw_freeze_deep keep in the registry. */
void gw_freeze_open(lua_State *L);

#endif
