/* lookups.h — the functions that one call lends to a script: members of its last argument that look something up in the core (sandbox.h, struct
 * gw_sandbox_lookup). What they are asked and what they answer is JSON. One kept beyond its call raises an error. */
#ifndef GW_SCRIPT_LOOKUPS_H
#define GW_SCRIPT_LOOKUPS_H

#include <lua.h>

/* Adds the running call's lookups to the table on top. Raises a Lua error when memory runs out. */
void gw_lookups_set(lua_State *L);

#endif
