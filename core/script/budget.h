/* budget.h — what a library function written in C owes to the budget of the script that called it. A count hook never fires inside a C function, so each of
 * them charges for its work before or while it does it. Belongs to a state made by sandbox.h. Not for code outside a call of a script. */
#ifndef GW_SCRIPT_BUDGET_H
#define GW_SCRIPT_BUDGET_H

#include <stdint.h>

#include <lua.h>

/* The longest string a script may make, by a library function or by `..` (the allocator refuses longer ones): what Lua itself does with one string in one
 * instruction (compare, hash, convert to a number) must stay short. */
#define GW_SCRIPT_STRING_MAX (512u << 10)

/* The most members a table may have that are no list's (the allocator refuses more). Numbers can be chosen so that all fall on one place of Lua's hash table; when
 * that grows, one instruction costs members^2: 20 ms for half of these. */
#define GW_SCRIPT_NAMES_MAX 8192

/* The longest string that stands for a number. Reading one takes longer than copying it, and functions take many. */
#define GW_SCRIPT_NUMERAL_MAX 64

/* Counts `units` instructions: one is about what one Lua instruction costs, a few nanoseconds. Any number is fine, UINT64_MAX too. Raises a Lua error (a longjmp)
 * when the call has used up its instructions or its time, now or before; hold nothing then that only C would release. */
void gw_budget_charge(lua_State *L, uint64_t units);
/* Raises as gw_budget_charge does, after a look at the clock: for loops whose rounds may each cost much more than they seem to, such as reading a table whose
 * metatables lead far, or whose keys all fall on one place. A look costs some 30 ns: not in every round. */
void gw_budget_look(lua_State *L);
#define GW_BUDGET_ROUNDS 128 /* without a look */
static inline void gw_budget_pace(lua_State *L, uint64_t round)
{
    if (round % GW_BUDGET_ROUNDS == GW_BUDGET_ROUNDS - 1)
        gw_budget_look(L);
}

#endif
