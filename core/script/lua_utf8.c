#include "script/lua_library.h"

#define LARGEST_CODE 0x7FFFFFFFu /* what six bytes hold; only a lax reader takes more than Unicode has */
#define MAX_SEQUENCE 6

static bool is_continuation(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

/* The sequence at `at`: its bytes, or 0 when it is none, too long for its code, or, when strict, not a Unicode scalar. */
static size_t decode(const char *at, size_t left, bool is_strict, uint32_t *code)
{
    static const uint32_t least[MAX_SEQUENCE + 1] = {0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000};
    unsigned char lead = (unsigned char)*at;
    size_t count = 1;
    if (lead >= 0x80) {
        for (count = 0; count < 8 && (lead & (0x80u >> count)) != 0; count++)
            continue;
        if (count < 2 || count > MAX_SEQUENCE)
            return 0;
    }
    if (count > left)
        return 0;
    uint32_t value = count == 1 ? lead : lead & (0x7Fu >> count);
    for (size_t i = 1; i < count; i++) {
        if (!is_continuation(at[i]))
            return 0;
        value = value << 6 | ((unsigned char)at[i] & 0x3Fu);
    }
    if (value < least[count] || (is_strict && (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))))
        return 0;
    *code = value;
    return count;
}

static void add_code(luaL_Buffer *buffer, uint32_t code)
{
    static const uint32_t most[MAX_SEQUENCE + 1] = {0, 0x7F, 0x7FF, 0xFFFF, 0x1FFFFF, 0x3FFFFFF, LARGEST_CODE};
    unsigned count = 1;
    while (code > most[count])
        count++;
    if (count == 1) {
        luaL_addchar(buffer, (char)code);
        return;
    }
    luaL_addchar(buffer, (char)((0xFF00u >> count & 0xFFu) | code >> (6 * (count - 1))));
    for (unsigned i = count - 1; i > 0; i--)
        luaL_addchar(buffer, (char)(0x80u | (code >> (6 * (i - 1)) & 0x3Fu)));
}

static int from_codes(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer buffer;
    gw_budget_charge(L, 1 + (uint64_t)count);
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= count; i++) {
        lua_Unsigned code = (lua_Unsigned)gw_lua_check_integer(L, i);
        luaL_argcheck(L, code <= LARGEST_CODE, i, "value out of range");
        add_code(&buffer, (uint32_t)code);
    }
    gw_lua_push_result(&buffer);
    return 1;
}

/* A position as scripts write it; 0 and what lies before the string are 0. */
static lua_Integer absolute(lua_Integer position, size_t length)
{
    if (position >= 0)
        return position;
    return position < -(lua_Integer)length ? 0 : (lua_Integer)length + position + 1;
}

static int code_points(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer from = absolute(gw_lua_opt_integer(L, 2, 1), length);
    lua_Integer to = absolute(gw_lua_opt_integer(L, 3, from), length);
    bool is_strict = !lua_toboolean(L, 4);
    luaL_argcheck(L, from >= 1, 2, "out of bounds");
    luaL_argcheck(L, to <= (lua_Integer)length, 3, "out of bounds");
    if (from > to)
        return 0;
    if (to - from >= GW_LUA_VALUES_MAX)
        return luaL_error(L, "string slice too long");
    gw_budget_charge(L, (uint64_t)(to - from) + 1);
    luaL_checkstack(L, (int)(to - from) + 1, "string slice too long");
    int count = 0;
    for (size_t at = (size_t)from - 1; at < (size_t)to; count++) {
        uint32_t code;
        size_t bytes = decode(text + at, length - at, is_strict, &code);
        if (bytes == 0)
            return luaL_error(L, "invalid UTF-8 code");
        lua_pushinteger(L, code);
        at += bytes;
    }
    return count;
}

static int length_of(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer from = absolute(gw_lua_opt_integer(L, 2, 1), length);
    lua_Integer to = absolute(gw_lua_opt_integer(L, 3, -1), length);
    bool is_strict = !lua_toboolean(L, 4);
    luaL_argcheck(L, from >= 1 && from <= (lua_Integer)length + 1, 2, "initial position out of bounds");
    luaL_argcheck(L, to <= (lua_Integer)length, 3, "final position out of bounds");
    gw_budget_charge(L, 1 + (to >= from ? (uint64_t)(to - from) / 2 : 0));
    lua_Integer count = 0;
    for (lua_Integer at = from - 1; at < to; count++) {
        uint32_t code;
        size_t bytes = decode(text + at, length - (size_t)at, is_strict, &code);
        if (bytes == 0) {
            lua_pushnil(L);
            lua_pushinteger(L, at + 1);
            return 2;
        }
        at += (lua_Integer)bytes;
    }
    lua_pushinteger(L, count);
    return 1;
}

/* Whether byte `at` of the string is there and continues a character; right behind the string stands none. */
static bool continues(const char *text, size_t length, lua_Integer at)
{
    return at >= 0 && (size_t)at < length && is_continuation(text[at]);
}

/* From the beginning of a character, `count` characters on or back; -1 where there are not so many. */
static lua_Integer skip(const char *text, size_t length, lua_Integer at, lua_Integer count)
{
    for (; count > 0 && at < (lua_Integer)length; count--) {
        do {
            at++;
        } while (continues(text, length, at));
    }
    for (; count < 0 && at > 0; count++) {
        do {
            at--;
        } while (continues(text, length, at) && at > 0);
    }
    return count == 0 ? at : -1;
}

static lua_Integer first_byte(const char *text, size_t length, lua_Integer at)
{
    while (at > 0 && continues(text, length, at))
        at--;
    return at;
}

static int offset(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer count = gw_lua_check_integer(L, 2);
    lua_Integer at = absolute(gw_lua_opt_integer(L, 3, count >= 0 ? 1 : (lua_Integer)length + 1), length) - 1;
    luaL_argcheck(L, at >= 0 && at <= (lua_Integer)length, 3, "position out of bounds");
    if (count != 0 && continues(text, length, at))
        return luaL_error(L, "initial position is a continuation byte");
    lua_Integer to = count == 0 ? first_byte(text, length, at) : skip(text, length, at, count > 0 ? count - 1 : count);
    size_t passed = to < 0 ? length : (size_t)(to > at ? to - at : at - to);
    gw_budget_charge(L, 1 + passed / 2);
    if (to < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, to + 1);
    return 1;
}

/* The control variable is the position of the character before: an iterator of utf8.codes keeps nothing of its own. */
static int iterate(lua_State *L, bool is_strict)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Unsigned at = (lua_Unsigned)gw_lua_check_integer(L, 2);
    lua_Unsigned before = at;
    while (at > 0 && at < length && is_continuation(text[at]))
        at++;
    gw_budget_charge(L, 1 + (at - before) / 2);
    if (at >= length)
        return 0;
    uint32_t code;
    size_t bytes = decode(text + at, length - at, is_strict, &code);
    if (bytes == 0 || continues(text, length, (lua_Integer)(at + bytes)))
        return luaL_error(L, "invalid UTF-8 code");
    lua_pushinteger(L, (lua_Integer)at + 1);
    lua_pushinteger(L, code);
    return 2;
}

static int iterate_strictly(lua_State *L) { return iterate(L, true); }

static int iterate_laxly(lua_State *L) { return iterate(L, false); }

static int codes(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length == 0 || !is_continuation(*text), 1, "invalid UTF-8 code");
    lua_pushcfunction(L, lua_toboolean(L, 2) ? iterate_laxly : iterate_strictly);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

void gw_lua_open_utf8(lua_State *L)
{
    static const luaL_Reg functions[] = {{"char", from_codes}, {"codepoint", code_points}, {"codes", codes},
                                         {"len", length_of},   {"offset", offset},         {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushlstring(L, "[\0-\x7F\xC2-\xFD][\x80-\xBF]*", 14);
    lua_setfield(L, -2, "charpattern");
}
