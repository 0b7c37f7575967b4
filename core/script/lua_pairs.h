/* lua_pairs.h — `pairs` in an order that every process agrees on: numbers ascending, then strings by their bytes. The keys are those that the table has when the
 * loop begins; one that is gone by its turn is left out, a new one is not visited. Any other type of key is an error. Honours __pairs. Charges the budget. */
#ifndef GW_SCRIPT_LUA_PAIRS_H
#define GW_SCRIPT_LUA_PAIRS_H

#include <lua.h>

/* pairs(table), a lua_CFunction. */
int gw_lua_pairs(lua_State *L);

#endif
