#include "script/value_push.h"

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "base/json.h"
#include "script/freeze.h"

static size_t push(lua_State *L, const struct gw_json *value, unsigned depth);

static size_t push_array(lua_State *L, const struct gw_json *array, unsigned depth)
{
    size_t count = gw_json_count(array), pushed = 1;
    lua_createtable(L, (int)count, 0);
    gw_freeze_mark_list(L, -1);
    for (size_t i = 0; i < count; i++) {
        pushed += push(L, gw_json_at(array, i), depth + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return pushed;
}

static size_t push_object(lua_State *L, const struct gw_json *object, unsigned depth)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    size_t pushed = 1;
    lua_createtable(L, 0, (int)gw_json_count(object));
    while (gw_json_next(object, &iterator, &key, &member)) {
        lua_pushstring(L, key);
        pushed += push(L, member, depth + 1);
        lua_rawset(L, -3);
    }
    return pushed;
}

static size_t push(lua_State *L, const struct gw_json *value, unsigned depth)
{
    size_t length;
    const char *text;
    if (depth > GW_VALUE_MAX_DEPTH)
        luaL_error(L, "a value nested deeper than %d", GW_VALUE_MAX_DEPTH);
    luaL_checkstack(L, 4, NULL);
    switch (gw_json_type(value)) {
    case GW_JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    case GW_JSON_BOOL:
        lua_pushboolean(L, gw_json_bool(value));
        break;
    case GW_JSON_INT:
        lua_pushinteger(L, gw_json_int(value));
        break;
    case GW_JSON_REAL:
        lua_pushnumber(L, gw_json_number(value));
        break;
    case GW_JSON_STRING:
        text = gw_json_text(value, &length);
        lua_pushlstring(L, text, length);
        break;
    case GW_JSON_ARRAY:
        return push_array(L, value, depth);
    case GW_JSON_OBJECT:
        return push_object(L, value, depth);
    }
    return 1;
}

size_t gw_value_push(struct lua_State *L, const struct gw_json *value)
{
    if (value != NULL)
        return push(L, value, 0);
    lua_pushnil(L);
    return 1;
}
