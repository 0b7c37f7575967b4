#include "script/lua_library.h"

#define UNITS_PER_MOVE   3
#define UNITS_PER_NUMBER 40 /* written as text */

static lua_Integer check_length(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    return gw_lua_len(L, 1);
}

static void charge_moves(lua_State *L, lua_Unsigned count)
{
    gw_budget_charge(L, count > UINT64_MAX / UNITS_PER_MOVE ? UINT64_MAX : 1 + count * UNITS_PER_MOVE);
}

static void move_one(lua_State *L, int to_table, lua_Integer from, lua_Integer to)
{
    gw_budget_pace(L, (uint64_t)from);
    lua_geti(L, 1, from);
    lua_seti(L, to_table, to);
}

static int insert(lua_State *L)
{
    lua_Integer end = (lua_Integer)((lua_Unsigned)check_length(L) + 1);
    lua_Integer at = end;
    if (lua_gettop(L) == 3) {
        at = gw_lua_check_integer(L, 2);
        luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
        charge_moves(L, (lua_Unsigned)end - (lua_Unsigned)at);
        for (lua_Integer i = end; i > at; i--)
            move_one(L, 1, i - 1, i);
    } else if (lua_gettop(L) != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, at);
    return 0;
}

static int remove_one(lua_State *L)
{
    lua_Integer length = check_length(L);
    lua_Integer at = gw_lua_opt_integer(L, 2, length);
    luaL_argcheck(L, at == length || (lua_Unsigned)at - 1u <= (lua_Unsigned)length, 2, "position out of bounds");
    lua_geti(L, 1, at);
    if (at < length)
        charge_moves(L, (lua_Unsigned)length - (lua_Unsigned)at);
    for (; at < length; at++)
        move_one(L, 1, at + 1, at);
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

static int move(lua_State *L)
{
    lua_Integer from = gw_lua_check_integer(L, 2), last = gw_lua_check_integer(L, 3), to = gw_lua_check_integer(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, target, LUA_TTABLE);
    if (last >= from) {
        luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3, "too many elements to move");
        lua_Integer count = last - from + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        charge_moves(L, (lua_Unsigned)count);
        bool is_upwards = to > last || to <= from || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer offset = is_upwards ? i : count - 1 - i;
            move_one(L, target, from + offset, to + offset);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

static void add_element(lua_State *L, luaL_Buffer *buffer, lua_Integer index)
{
    gw_budget_pace(L, (uint64_t)index);
    lua_geti(L, 1, index);
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)index);
    uint64_t units = lua_type(L, -1) == LUA_TNUMBER ? UNITS_PER_NUMBER : 2;
    size_t length;
    lua_tolstring(L, -1, &length);
    gw_lua_check_length(L, luaL_bufflen(buffer) + length);
    gw_lua_charge_bytes(L, units * GW_LUA_BYTES_PER_UNIT + length);
    luaL_addvalue(buffer);
}

static int concat(lua_State *L)
{
    lua_Integer length = check_length(L);
    size_t gap;
    const char *between = luaL_optlstring(L, 2, "", &gap);
    lua_Integer index = gw_lua_opt_integer(L, 3, 1), last = gw_lua_opt_integer(L, 4, length);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (; index < last; index++) {
        add_element(L, &buffer, index);
        gw_lua_check_length(L, luaL_bufflen(&buffer) + gap);
        gw_lua_charge_bytes(L, gap);
        luaL_addlstring(&buffer, between, gap);
    }
    if (index == last)
        add_element(L, &buffer, index);
    gw_lua_push_result(&buffer);
    return 1;
}

static int pack(lua_State *L)
{
    int count = lua_gettop(L);
    gw_budget_charge(L, 1 + (uint64_t)count);
    lua_createtable(L, count, 1);
    lua_insert(L, 1);
    for (int i = count; i >= 1; i--)
        lua_seti(L, 1, i);
    lua_pushinteger(L, count);
    lua_setfield(L, 1, "n");
    return 1;
}

static int unpack(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer from = gw_lua_opt_integer(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? gw_lua_len(L, 1) : gw_lua_check_integer(L, 3);
    if (from > last)
        return 0;
    lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)from;
    if (count >= GW_LUA_VALUES_MAX)
        return luaL_error(L, "too many results to unpack");
    charge_moves(L, count + 1);
    luaL_checkstack(L, (int)count + 1, "too many results to unpack");
    for (lua_Unsigned i = 0; i <= count; i++) {
        gw_budget_pace(L, i);
        lua_geti(L, 1, (lua_Integer)((lua_Unsigned)from + i));
    }
    return (int)count + 1;
}

void gw_lua_open_table(lua_State *L)
{
    static const luaL_Reg functions[] = {{"concat", concat},     {"insert", insert},    {"move", move},     {"pack", pack},
                                         {"remove", remove_one}, {"sort", gw_lua_sort}, {"unpack", unpack}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
