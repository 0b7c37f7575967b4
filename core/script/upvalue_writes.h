/* upvalue_writes.h — whether a function that outlives the load of its file would keep a state in a local outside of it: `local n = 0; return {f = function() n = n + 1
 * end}`. Found in the function's own bytecode (lua_dump), where such an assignment is the instruction OP_SETUPVAL; functions inside it count too when what they
 * assign to lies outside of it, and a closure that a call makes may count in that call's locals as it likes. Not for bytecode of others: it is parsed as Lua
 * 5.4 writes it, and anything else is refused. */
#ifndef GW_SCRIPT_UPVALUE_WRITES_H
#define GW_SCRIPT_UPVALUE_WRITES_H

#include <lua.h>

/* The Lua function at `index`. Raises "file:line: …" when it does. Charges the budget for the bytes it looks at. */
void gw_upvalue_writes_check(lua_State *L, int index);

#endif
