/* lua_library.h — the parts of lua_libraries.h, for its own .c files: what opens each library, and what they share. Each function raises Lua errors. */
#ifndef GW_SCRIPT_LUA_LIBRARY_H
#define GW_SCRIPT_LUA_LIBRARY_H

#include <stddef.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/budget.h"
#include "script/lua_libraries.h"
#include "script/lua_pattern.h"

#define GW_LUA_BYTES_PER_UNIT 16 /* copied or compared at once */
#define GW_LUA_STEPS_PER_UNIT 2  /* of a pattern */
#define GW_LUA_FEW_ITEMS      24 /* a pattern that short needs no memory of the state's */

static inline void gw_lua_charge_bytes(lua_State *L, size_t bytes) { gw_budget_charge(L, 1 + bytes / GW_LUA_BYTES_PER_UNIT); }

/* Each leaves its table on the stack. The string library comes in three parts, which add to one table. */
void gw_lua_open_string(lua_State *L);
void gw_lua_open_table(lua_State *L);
void gw_lua_open_math(lua_State *L);
void gw_lua_open_utf8(lua_State *L);
int gw_lua_format(lua_State *L);
int gw_lua_find(lua_State *L);
int gw_lua_match(lua_State *L);
int gw_lua_gmatch(lua_State *L);
int gw_lua_gsub(lua_State *L);
int gw_lua_sort(lua_State *L);
/* Makes the metatable of all strings; the string table is on top of the stack and stays there. */
void gw_lua_open_string_metatable(lua_State *L);

/* As luaL_checkinteger, luaL_optinteger, luaL_checknumber and luaL_len; but of strings only those stand for a number that are no longer than
 * GW_SCRIPT_NUMERAL_MAX, and reading one is charged. */
lua_Integer gw_lua_check_integer(lua_State *L, int arg);
lua_Integer gw_lua_opt_integer(lua_State *L, int arg, lua_Integer otherwise);
lua_Number gw_lua_check_number(lua_State *L, int arg);
lua_Integer gw_lua_len(lua_State *L, int index);
/* Raises when the argument is a longer string. */
void gw_lua_check_numeral(lua_State *L, int arg);

/* A position as scripts write it (1 is the first byte, -1 the last) as 1 … length + 1 or more; where a range begins and ends (manual 6.4). */
size_t gw_lua_range_start(lua_Integer position, size_t length);
size_t gw_lua_range_end(lua_Integer position, size_t length);

/* value: a pattern at work on a subject, both on the Lua stack. A long pattern's items are userdata that stays on the stack too. */
struct gw_lua_matching {
    struct gw_pattern pattern;
    struct gw_pattern_match match;
    struct gw_pattern_item few[GW_LUA_FEW_ITEMS];
};
void gw_lua_matching_init(lua_State *L, struct gw_lua_matching *m, int subject, int pattern, bool may_anchor);
/* 1 or 0; raises what gw_pattern_find reports as -1. */
int gw_lua_matching_check(lua_State *L, struct gw_pattern_match *match, int found);
/* Charges the steps not charged yet. */
void gw_lua_matching_settle(lua_State *L, struct gw_pattern_match *match);
/* Pushes capture `index` (0 the first; the whole match where the pattern has none), or all of them, and says how many. */
void gw_lua_push_capture(lua_State *L, const struct gw_pattern_match *match, unsigned index);
int gw_lua_push_captures(lua_State *L, const struct gw_pattern_match *match);
/* luaL_pushresult for a string that may have become too long. */
void gw_lua_push_result(luaL_Buffer *buffer);
void gw_lua_check_length(lua_State *L, size_t length);

#endif
