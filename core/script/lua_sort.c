#include <limits.h>

#include "script/lua_library.h"

#define UNITS_PER_COMPARISON 4
#define UNITS_PER_MOVE       2

/* Stack: the table, the order function or nil, and two lists between which each round of the merge sort copies. */
enum { TABLE = 1, ORDER, FIRST_LIST, SECOND_LIST };

static void charge_comparison(lua_State *L, int a, int b)
{
    uint64_t units = UNITS_PER_COMPARISON;
    if (lua_type(L, a) == LUA_TSTRING && lua_type(L, b) == LUA_TSTRING)
        units += (lua_rawlen(L, a) + lua_rawlen(L, b)) / GW_LUA_BYTES_PER_UNIT;
    gw_budget_charge(L, units);
}

/* Whether the second of the two values on top of the stack must come before the first. Leaves both. */
static bool is_second_first(lua_State *L)
{
    charge_comparison(L, -1, -2);
    if (lua_isnil(L, ORDER))
        return lua_compare(L, -1, -2, LUA_OPLT);
    lua_pushvalue(L, ORDER);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_call(L, 2, 1);
    bool is_less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_less;
}

/* Merges [from, middle) and [middle, end) of list `source` into `target`. Takes the left one unless the right one is less: so it is stable, and it stays within
 * its bounds whatever the order function says. */
static void merge(lua_State *L, int source, lua_Integer from, lua_Integer middle, lua_Integer end)
{
    int target = source == FIRST_LIST ? SECOND_LIST : FIRST_LIST;
    lua_Integer left = from, right = middle;
    for (lua_Integer to = from; to < end; to++) {
        bool takes_right = left == middle;
        if (left < middle && right < end) {
            lua_rawgeti(L, source, left);
            lua_rawgeti(L, source, right);
            takes_right = is_second_first(L);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, source, takes_right ? right++ : left++);
        lua_rawseti(L, target, to);
    }
}

static lua_Integer smaller(lua_Integer a, lua_Integer b) { return a < b ? a : b; }

/* The list that is sorted in the end. Positions are 1 … count. */
static int merge_all(lua_State *L, lua_Integer count)
{
    int source = FIRST_LIST;
    for (lua_Integer width = 1; width < count; width *= 2) {
        gw_budget_charge(L, (uint64_t)count * UNITS_PER_MOVE);
        for (lua_Integer from = 1; from <= count; from += 2 * width)
            merge(L, source, from, smaller(from + width, count + 1), smaller(from + 2 * width, count + 1));
        source = source == FIRST_LIST ? SECOND_LIST : FIRST_LIST;
    }
    return source;
}

int gw_lua_sort(lua_State *L)
{
    luaL_checktype(L, TABLE, LUA_TTABLE);
    lua_Integer count = gw_lua_len(L, TABLE);
    lua_settop(L, ORDER);
    if (count < 2)
        return 0;
    luaL_argcheck(L, count < INT_MAX, TABLE, "array too big");
    if (!lua_isnil(L, ORDER))
        luaL_checktype(L, ORDER, LUA_TFUNCTION);
    gw_budget_charge(L, (uint64_t)count * 2 * UNITS_PER_MOVE);
    lua_createtable(L, (int)count, 0);
    lua_createtable(L, (int)count, 0);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    for (lua_Integer i = 1; i <= count; i++) {
        gw_budget_pace(L, (uint64_t)i);
        lua_geti(L, TABLE, i);
        lua_rawseti(L, FIRST_LIST, i);
    }
    int sorted = merge_all(L, count);
    for (lua_Integer i = 1; i <= count; i++) {
        gw_budget_pace(L, (uint64_t)i);
        lua_rawgeti(L, sorted, i);
        lua_seti(L, TABLE, i);
    }
    return 0;
}
