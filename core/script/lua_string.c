#include <string.h>

#include "script/lua_library.h"

static int length(lua_State *L)
{
    size_t bytes;
    luaL_checklstring(L, 1, &bytes);
    lua_pushinteger(L, (lua_Integer)bytes);
    return 1;
}

static int sub(lua_State *L)
{
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    size_t from = gw_lua_range_start(gw_lua_check_integer(L, 2), bytes);
    size_t to = gw_lua_range_end(gw_lua_opt_integer(L, 3, -1), bytes);
    size_t count = from <= to ? to - from + 1 : 0;
    gw_lua_charge_bytes(L, count);
    lua_pushlstring(L, count > 0 ? text + from - 1 : "", count);
    return 1;
}

static int bytes_of(lua_State *L)
{
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    lua_Integer first = gw_lua_opt_integer(L, 2, 1);
    size_t from = gw_lua_range_start(first, bytes);
    size_t to = gw_lua_range_end(gw_lua_opt_integer(L, 3, first), bytes);
    if (from > to)
        return 0;
    size_t count = to - from + 1;
    if (count > GW_LUA_VALUES_MAX)
        return luaL_error(L, "string slice too long");
    gw_budget_charge(L, count);
    luaL_checkstack(L, (int)count, "string slice too long");
    for (size_t i = 0; i < count; i++)
        lua_pushinteger(L, (unsigned char)text[from - 1 + i]);
    return (int)count;
}

static int from_bytes(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer buffer;
    gw_budget_charge(L, (uint64_t)count);
    char *out = luaL_buffinitsize(L, &buffer, (size_t)count);
    for (int i = 1; i <= count; i++) {
        lua_Integer byte = gw_lua_check_integer(L, i);
        luaL_argcheck(L, byte >= 0 && byte <= 255, i, "value out of range");
        out[i - 1] = (char)byte;
    }
    luaL_addsize(&buffer, (size_t)count);
    gw_lua_push_result(&buffer);
    return 1;
}

static int rep(lua_State *L)
{
    size_t bytes, gap;
    const char *text = luaL_checklstring(L, 1, &bytes);
    lua_Integer count = gw_lua_check_integer(L, 2);
    const char *between = luaL_optlstring(L, 3, "", &gap);
    if (count <= 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    size_t both = bytes + gap; /* each at most what an allocation can be */
    if (both > 0 && (lua_Unsigned)count > 2 * (lua_Unsigned)GW_SCRIPT_STRING_MAX / both + 1)
        return luaL_error(L, "resulting string too large");
    size_t total = both == 0 ? 0 : (size_t)count * both - gap;
    gw_lua_check_length(L, total);
    gw_budget_charge(L, 1 + (both == 0 ? 0 : (uint64_t)count) + total / GW_LUA_BYTES_PER_UNIT);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, total);
    for (size_t at = 0; at < total;) {
        memcpy(out + at, text, bytes);
        at += bytes;
        if (at < total)
            memcpy(out + at, between, gap);
        at += gap;
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

static int map_bytes(lua_State *L, char (*map)(const char *text, size_t length, size_t at))
{
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    gw_budget_charge(L, 1 + bytes / 4);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, bytes);
    for (size_t i = 0; i < bytes; i++)
        out[i] = map(text, bytes, i);
    luaL_pushresultsize(&buffer, bytes);
    return 1;
}

static char mirrored(const char *text, size_t bytes, size_t at) { return text[bytes - 1 - at]; }

static char lowered(const char *text, size_t bytes, size_t at)
{
    (void)bytes;
    return (char)(text[at] >= 'A' && text[at] <= 'Z' ? text[at] + ('a' - 'A') : text[at]);
}

static char raised(const char *text, size_t bytes, size_t at)
{
    (void)bytes;
    return (char)(text[at] >= 'a' && text[at] <= 'z' ? text[at] - ('a' - 'A') : text[at]);
}

static int reverse(lua_State *L) { return map_bytes(L, mirrored); }

static int lower(lua_State *L) { return map_bytes(L, lowered); }

static int upper(lua_State *L) { return map_bytes(L, raised); }

void gw_lua_open_string(lua_State *L)
{
    static const luaL_Reg functions[] = {{"byte", bytes_of},        {"char", from_bytes},  {"find", gw_lua_find}, {"format", gw_lua_format},
                                         {"gmatch", gw_lua_gmatch}, {"gsub", gw_lua_gsub}, {"len", length},       {"lower", lower},
                                         {"match", gw_lua_match},   {"rep", rep},          {"reverse", reverse},  {"sub", sub},
                                         {"upper", upper},          {NULL, NULL}};
    luaL_newlib(L, functions);
}
