#include "script/lua_pairs.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "script/budget.h"
#include "script/freeze.h"

#define FEW_KEYS     32
#define CALL_UNITS   10
#define KEY_UNITS    4
#define BYTES_A_UNIT 64

/* value: a key, whose text belongs to the table */
struct key {
    bool is_text;
    bool is_float;
    lua_Integer integer;
    double number;
    const char *text;
    size_t length;
};

static int compare_texts(const struct key *a, const struct key *b)
{
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* An integral float within the integers is never a key (manual, section 2.1); one beyond them may equal an integer rounded to a float. */
static int compare_numbers(const struct key *a, const struct key *b)
{
    if (!a->is_float && !b->is_float)
        return (a->integer > b->integer) - (a->integer < b->integer);
    double x = a->is_float ? a->number : (double)a->integer, y = b->is_float ? b->number : (double)b->integer;
    if (x != y)
        return x < y ? -1 : 1;
    return (a->is_float ? 1 : 0) - (b->is_float ? 1 : 0);
}

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->is_text != b->is_text)
        return a->is_text ? 1 : -1;
    return a->is_text ? compare_texts(a, b) : compare_numbers(a, b);
}

/* Reads the key at the top; answers what it costs to sort it. */
static uint64_t read_key(lua_State *L, struct key *key)
{
    *key = (struct key){.is_text = lua_type(L, -1) == LUA_TSTRING};
    if (key->is_text) {
        key->text = lua_tolstring(L, -1, &key->length);
        return KEY_UNITS + key->length / BYTES_A_UNIT;
    }
    if (lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "pairs: a key that is a %s has no place in an order; keys are numbers and strings", luaL_typename(L, -1));
    key->is_float = !lua_isinteger(L, -1);
    if (key->is_float)
        key->number = lua_tonumber(L, -1);
    else
        key->integer = lua_tointeger(L, -1);
    return KEY_UNITS;
}

static size_t count_keys(lua_State *L, int content, bool *is_list)
{
    size_t count = 0;
    *is_list = true;
    lua_pushnil(L);
    while (lua_next(L, content) != 0) {
        lua_pop(L, 1);
        gw_budget_pace(L, count++);
        *is_list = *is_list && lua_isinteger(L, -1) && lua_tointeger(L, -1) == (lua_Integer)count;
    }
    return count;
}

static unsigned log2_of(size_t n)
{
    unsigned bits = 1;
    while (n >>= 1)
        bits++;
    return bits;
}

/* Pushes the list of the sorted keys of the table at `content`, of which there are some. */
static void push_keys(lua_State *L, int content, size_t count)
{
    struct key few[FEW_KEYS];
    struct key *keys = count <= FEW_KEYS ? few : lua_newuserdatauv(L, count * sizeof *keys, 0);
    uint64_t units = 0;
    size_t i = 0;
    lua_pushnil(L);
    while (i < count && lua_next(L, content) != 0) {
        lua_pop(L, 1);
        gw_budget_pace(L, i);
        units += read_key(L, &keys[i++]);
    }
    lua_pop(L, 1);
    gw_budget_charge(L, units * log2_of(count));
    qsort(keys, count, sizeof *keys, compare_keys);
    lua_createtable(L, (int)count, 0);
    for (i = 0; i < count; i++) {
        if (keys[i].is_text)
            lua_pushlstring(L, keys[i].text, keys[i].length);
        else if (keys[i].is_float)
            lua_pushnumber(L, keys[i].number);
        else
            lua_pushinteger(L, keys[i].integer);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Upvalues: the content, the keys, how many have been visited. */
static int next_sorted(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
    lua_settop(L, 0);
    for (;;) {
        at++;
        if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL)
            break;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            break;
        lua_settop(L, 0);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return lua_gettop(L);
}

/* Upvalues: the content, how many there were, how many have been visited. */
static int next_listed(lua_State *L)
{
    lua_Integer count = lua_tointeger(L, lua_upvalueindex(2)), at = lua_tointeger(L, lua_upvalueindex(3));
    lua_settop(L, 0);
    while (++at <= count) {
        lua_pushinteger(L, at);
        if (lua_rawgeti(L, lua_upvalueindex(1), at) != LUA_TNIL)
            break;
        lua_settop(L, 0);
    }
    if (lua_gettop(L) == 0)
        lua_pushnil(L);
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return lua_gettop(L);
}

int gw_lua_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_insert(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, 12, NULL);
    gw_freeze_push_content(L, 1);
    bool is_list;
    size_t count = count_keys(L, 2, &is_list);
    gw_budget_charge(L, CALL_UNITS + count);
    lua_pushvalue(L, 2);
    if (is_list)
        lua_pushinteger(L, (lua_Integer)count);
    else
        push_keys(L, 2, count);
    lua_pushinteger(L, 0);
    if (!is_list && lua_gettop(L) > 5)
        lua_remove(L, 4); /* the room for sorting */
    lua_pushcclosure(L, is_list ? next_listed : next_sorted, 3);
    lua_pushvalue(L, 1);
    return 2;
}
