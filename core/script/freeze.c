#include "script/freeze.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "script/budget.h"
#include "script/upvalue_writes.h"

#define TABLE_UNITS    20
#define FUNCTION_UNITS 20

/* Their addresses are the keys. In the metatable of a frozen table: its content, the metatable it had, whether all beneath it is frozen. In the metatable of a
 * content that serves as a metatable: the table whose content it is. In the registry: functions that have been looked at, the metatable of lists. */
static const char content_key, metatable_key, deep_key, owner_key, list_key, checked_key;

void gw_freeze_open(lua_State *L)
{
    lua_newtable(L);
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &list_key);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &list_key);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &checked_key);
}

/* Pushes a member of the metatable of the value at `index`, or nothing and answers false. */
static bool push_mark(lua_State *L, int index, const void *key)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    if (lua_rawgetp(L, -1, key) == LUA_TNIL) {
        lua_pop(L, 2);
        return false;
    }
    lua_remove(L, -2);
    return true;
}

static bool has_mark(lua_State *L, int index, const void *key)
{
    bool is_there = push_mark(L, index, key);
    if (is_there)
        lua_pop(L, 1);
    return is_there;
}

bool gw_freeze_is_frozen(lua_State *L, int index) { return has_mark(L, index, &content_key); }

bool gw_freeze_is_constant(lua_State *L, int index) { return has_mark(L, index, &deep_key); }

bool gw_freeze_is_list(lua_State *L, int index) { return has_mark(L, index, &list_key); }

void gw_freeze_push_content(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!push_mark(L, index, &content_key))
        lua_pushvalue(L, index);
}

void gw_freeze_mark_list(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
    lua_setmetatable(L, index);
}

/* __newindex(table, key, value) */
static int refuse_write(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "attempt to change a frozen table (field '%s')", lua_tostring(L, 2));
    if (lua_isinteger(L, 2))
        return luaL_error(L, "attempt to change a frozen table (index %I)", (LUAI_UACINT)lua_tointeger(L, 2));
    return luaL_error(L, "attempt to change a frozen table");
}

static int refuse_global(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "attempt to set the global '%s': a script has locals only", lua_tostring(L, 2));
    return luaL_error(L, "attempt to set a global: a script has locals only");
}

/* __len(table): upvalue 1 is the content. */
static int content_length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
    return 1;
}

/* __index(table, key) where the script's __index is a function: upvalue 1 is the content, 2 the function. */
static int content_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static void charge_member(lua_State *L, uint64_t round)
{
    gw_budget_charge(L, 1);
    gw_budget_pace(L, round);
}

/* Copies the metamethods of the table on top into the table below it, all but those that freezing defines. */
static void copy_metamethods(lua_State *L)
{
    lua_pushnil(L);
    for (uint64_t i = 0; lua_next(L, -2) != 0; i++) {
        charge_member(L, i);
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strncmp(name, "__", 2) != 0 || strcmp(name, "__index") == 0 || strcmp(name, "__newindex") == 0) {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5); /* metatable, source, key | key, value */
    }
}

/* Sets __index of the metatable on top so that the content at `content` is read first, then what the metatable `old` says. */
static void set_index(lua_State *L, int content, int old)
{
    int type = LUA_TNIL;
    if (old != 0) {
        lua_pushliteral(L, "__index");
        type = lua_rawget(L, old);
    } else {
        lua_pushnil(L);
    }
    if (type == LUA_TTABLE) {
        lua_createtable(L, 0, 1);
        lua_insert(L, -2);
        lua_setfield(L, -2, "__index");
        lua_setmetatable(L, content);
        lua_pushvalue(L, content);
    } else if (type == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, content);
    } else {
        lua_pushvalue(L, content);
        lua_insert(L, -2);
        lua_pushcclosure(L, content_index, 2);
    }
    lua_setfield(L, -2, "__index");
}

/* Pushes the table that a script knows the metatable at `index` by, or nil. */
static void push_owner(lua_State *L, int index)
{
    if (!push_mark(L, index, &owner_key))
        lua_pushnil(L);
}

/* The content on top of the stack will serve as a metatable; the table at `owner` is what scripts know it by. */
static void set_owner(lua_State *L, int owner)
{
    if (!lua_getmetatable(L, -1)) {
        lua_createtable(L, 0, 1);
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -3);
    }
    lua_pushvalue(L, owner);
    lua_rawsetp(L, -2, &owner_key);
    lua_pop(L, 1);
}

/* Builds the metatable of a frozen table with this content; `old` is the index of the metatable it had, or 0. */
static void push_frozen_metatable(lua_State *L, int content, int old, lua_CFunction refuse)
{
    lua_createtable(L, 0, 4);
    if (old != 0) {
        lua_pushvalue(L, old);
        copy_metamethods(L);
        if (lua_rawgetp(L, -1, &list_key) == LUA_TNIL) {
            lua_pop(L, 1);
            push_owner(L, -1);
            lua_rawsetp(L, -3, &metatable_key);
        } else {
            lua_rawsetp(L, -3, &list_key);
        }
        lua_pop(L, 1);
    }
    lua_pushvalue(L, content);
    lua_rawsetp(L, -2, &content_key);
    lua_pushcfunction(L, refuse);
    lua_setfield(L, -2, "__newindex");
    if (lua_getfield(L, -1, "__len") == LUA_TNIL) {
        lua_pushvalue(L, content);
        lua_pushcclosure(L, content_length, 1);
        lua_setfield(L, -3, "__len");
    }
    lua_pop(L, 1);
    set_index(L, content, old);
}

/* Pushes a copy of the table's own members. */
static size_t push_copy(lua_State *L, int table)
{
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        charge_member(L, count++);
    }
    size_t listed = lua_rawlen(L, table);
    if (listed > count)
        listed = count; /* a border behind holes */
    gw_budget_charge(L, TABLE_UNITS + 3 * count);
    lua_createtable(L, (int)listed, (int)(count - listed));
    lua_pushnil(L);
    for (uint64_t i = 0; lua_next(L, table) != 0; i++) {
        gw_budget_pace(L, i);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    return count;
}

/* Allocates everything before it changes the table, which is thus frozen or as it was. */
static void freeze(lua_State *L, int table, lua_CFunction refuse)
{
    if (gw_freeze_is_frozen(L, table))
        return;
    luaL_checkstack(L, 12, NULL);
    int base = lua_gettop(L);
    int old = lua_getmetatable(L, table) ? lua_gettop(L) : 0;
    push_copy(L, table);
    int content = lua_gettop(L);
    push_frozen_metatable(L, content, old, refuse);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, table);
    }
    lua_setmetatable(L, table);
    lua_settop(L, base);
}

/* Whether the function at `index` has been looked at; marks it. */
static bool is_checked(lua_State *L, int index)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &checked_key);
    lua_pushvalue(L, index);
    bool is_known = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_known) {
        lua_pushvalue(L, index);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    return is_known;
}

/* Walks a graph with a list of what is still to be visited, at index `pending`, so that no depth of nesting uses up the C stack. */
struct walk {
    lua_State *L;
    int pending;
    lua_Integer count;
    lua_CFunction refuse;
    bool is_trusted;
};

static bool is_work(struct walk *w)
{
    lua_State *L = w->L;
    if (lua_istable(L, -1))
        return !has_mark(L, -1, &deep_key);
    return lua_isfunction(L, -1) && !is_checked(L, lua_gettop(L));
}

/* Pops the value on top. */
static void note(struct walk *w)
{
    if (is_work(w))
        lua_rawseti(w->L, w->pending, ++w->count);
    else
        lua_pop(w->L, 1);
}

/* The table on top. */
static void visit_table(struct walk *w)
{
    lua_State *L = w->L;
    int table = lua_gettop(L);
    freeze(L, table, w->refuse);
    w->refuse = refuse_write;
    lua_getmetatable(L, table);
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &deep_key);
    lua_rawgetp(L, -1, &metatable_key);
    note(w);
    gw_freeze_push_content(L, table);
    lua_pushnil(L);
    for (uint64_t i = 0; lua_next(L, -2) != 0; i++) {
        charge_member(L, i);
        note(w);
        lua_pushvalue(L, -1);
        note(w);
    }
    lua_settop(L, table);
}

/* The function on top. Functions in C with upvalues are made by calls of pairs, gmatch and the like, and move on with each call. */
static void visit_function(struct walk *w)
{
    lua_State *L = w->L;
    int function = lua_gettop(L);
    if (w->is_trusted)
        return;
    gw_budget_charge(L, FUNCTION_UNITS);
    if (lua_iscfunction(L, function)) {
        if (lua_getupvalue(L, function, 1) != NULL)
            luaL_error(L, "a module may not keep an iterator: it would change from call to call");
        return;
    }
    gw_upvalue_writes_check(L, function);
    for (int i = 1; lua_getupvalue(L, function, i) != NULL; i++)
        note(w);
}

static void walk_graph(lua_State *L, int index, lua_CFunction refuse, bool is_trusted)
{
    int base = lua_gettop(L);
    index = lua_absindex(L, index);
    luaL_checkstack(L, 12, NULL);
    lua_newtable(L);
    struct walk w = {.L = L, .pending = base + 1, .refuse = refuse, .is_trusted = is_trusted};
    lua_pushvalue(L, index);
    note(&w);
    while (w.count > 0) {
        lua_rawgeti(L, w.pending, w.count);
        lua_pushnil(L);
        lua_rawseti(L, w.pending, w.count--);
        if (lua_istable(L, -1))
            visit_table(&w);
        else
            visit_function(&w);
        lua_settop(L, w.pending);
    }
    lua_settop(L, base);
}

void gw_freeze_deep(lua_State *L, int index) { walk_graph(L, index, refuse_write, false); }

void gw_freeze_globals(lua_State *L, int index) { walk_graph(L, index, refuse_global, true); }

static bool has_field(lua_State *L, int index, const char *name)
{
    gw_freeze_push_content(L, index);
    lua_pushstring(L, name);
    bool is_there = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return is_there;
}

/* Each table in a chain of __call costs a move of all arguments, and the whole chain is one instruction. */
static void check_call(lua_State *L, int metatable)
{
    gw_freeze_push_content(L, metatable);
    lua_pushliteral(L, "__call");
    int type = lua_rawget(L, -2);
    if (type != LUA_TNIL && type != LUA_TFUNCTION)
        luaL_error(L, "__call of a metatable must be a function");
    lua_pop(L, 2);
}

int gw_freeze_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (gw_freeze_is_frozen(L, 1))
        return luaL_error(L, "attempt to change a frozen table (its metatable)");
    if (lua_isnil(L, 2)) {
        lua_setmetatable(L, 1);
        return 1;
    }
    if (lua_rawequal(L, 1, 2))
        return luaL_error(L, "a table cannot be its own metatable");
    static const char *const refused[] = {"__gc", "__mode", "__close"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (has_field(L, 2, refused[i]))
            return luaL_error(L, "a metatable may not have the field %s", refused[i]);
    check_call(L, 2);
    freeze(L, 2, refuse_write);
    gw_freeze_push_content(L, 2);
    set_owner(L, 2);
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

int gw_freeze_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return 1;
    lua_settop(L, 1);
    if (push_mark(L, 1, &metatable_key))
        return 1;
    if (!lua_istable(L, 1) || gw_freeze_is_frozen(L, 1) || !lua_getmetatable(L, 1))
        lua_pushnil(L);
    else
        push_owner(L, -1);
    return 1;
}
