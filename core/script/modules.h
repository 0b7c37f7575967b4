/* modules.h — `require`: a module is a file of the sandbox's sources, loaded once, its result frozen (freeze.h); or one that is built in: "atoms.json". A file that
 * requires itself by any way is an error that names the way. A failed load leaves nothing behind. Where
 * the sandbox has entries (sandbox.h), they and what they name are loaded before the first call; a call then finds what is loaded, and how the rest failed. */
#ifndef GW_SCRIPT_MODULES_H
#define GW_SCRIPT_MODULES_H

#include <lua.h>

/* Once per state. */
void gw_modules_open(lua_State *L);
/* Registers the value on top, frozen, as a built-in module; pops it. */
void gw_modules_add(lua_State *L, const char *name);
/* Pushes what the module returned, or nothing and answers 0 when there is no such module. Raises the errors of its file. */
int gw_modules_push(lua_State *L, const char *name);
/* require(name), a lua_CFunction. */
int gw_modules_require(lua_State *L);

#endif
