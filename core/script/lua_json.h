/* lua_json.h — the module "atoms.json" of scripts: encode(value) → canonical JSON text (base/json.h), raising an error for what is no data; decode(text) → value, or
 * nil and {code, message, path}; null, what JSON null is in Lua, as a member too; list(table) marks a table so that it is a list even when it is empty, and returns
 * it. The same rules as a call's arguments and results have, limits included; work is charged to the budget. */
#ifndef GW_SCRIPT_LUA_JSON_H
#define GW_SCRIPT_LUA_JSON_H

#include <lua.h>

/* Pushes the module's table. Raises a Lua error when memory runs out. */
void gw_lua_json_push(lua_State *L);

#endif
