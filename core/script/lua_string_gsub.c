#include "script/lua_library.h"

#define UNITS_PER_INDEX 16 /* of a table whose metatables may lead far */

struct replacing {
    lua_State *L;
    struct gw_lua_matching m;
    luaL_Buffer out;
};

static void add_bytes(struct replacing *r, const char *text, size_t length)
{
    gw_lua_check_length(r->L, luaL_bufflen(&r->out) + length);
    gw_budget_charge(r->L, length / GW_LUA_BYTES_PER_UNIT);
    luaL_addlstring(&r->out, text, length);
}

static void add_matched(struct replacing *r)
{
    const struct gw_pattern_match *match = &r->m.match;
    add_bytes(r, match->subject + match->start, match->end - match->start);
}

static void add_capture(struct replacing *r, char digit)
{
    if (digit == '0') {
        add_matched(r);
        return;
    }
    gw_lua_push_capture(r->L, &r->m.match, (unsigned)(digit - '1'));
    size_t length;
    lua_tolstring(r->L, -1, &length);
    gw_lua_check_length(r->L, luaL_bufflen(&r->out) + length);
    luaL_addvalue(&r->out);
}

/* A string that replaces: %0 … %9 and %% mean something (manual 6.4, gsub). */
static void add_text(struct replacing *r)
{
    size_t length;
    const char *text = lua_tolstring(r->L, 3, &length);
    gw_budget_charge(r->L, 1 + length / 4);
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%')
            continue;
        add_bytes(r, text + from, i - from);
        char next = ++i < length ? text[i] : '\0';
        from = i + 1;
        if (next == '%')
            luaL_addchar(&r->out, '%');
        else if (next >= '0' && next <= '9')
            add_capture(r, next);
        else
            luaL_error(r->L, "invalid use of '%%' in replacement string");
    }
    add_bytes(r, text + from, length - from);
}

/* The value that a function or a table gives for this match is on top of the stack. */
static void add_value(struct replacing *r)
{
    if (!lua_toboolean(r->L, -1)) {
        lua_pop(r->L, 1);
        add_matched(r);
        return;
    }
    if (!lua_isstring(r->L, -1))
        luaL_error(r->L, "invalid replacement value (a %s)", luaL_typename(r->L, -1));
    size_t length;
    lua_tolstring(r->L, -1, &length);
    gw_lua_check_length(r->L, luaL_bufflen(&r->out) + length);
    gw_lua_charge_bytes(r->L, length);
    luaL_addvalue(&r->out);
}

static void add_replacement(struct replacing *r)
{
    gw_lua_matching_settle(r->L, &r->m.match);
    switch (lua_type(r->L, 3)) {
    case LUA_TFUNCTION:
        lua_pushvalue(r->L, 3);
        lua_call(r->L, gw_lua_push_captures(r->L, &r->m.match), 1);
        add_value(r);
        break;
    case LUA_TTABLE:
        gw_budget_charge(r->L, UNITS_PER_INDEX);
        gw_lua_push_capture(r->L, &r->m.match, 0);
        lua_gettable(r->L, 3);
        add_value(r);
        break;
    default:
        add_text(r);
        break;
    }
}

/* A match may not end where the one before did; where there is none, one byte goes over as it is. */
static lua_Integer replace(struct replacing *r, lua_Integer most)
{
    struct gw_pattern_match *match = &r->m.match;
    size_t at = 0, last_end = SIZE_MAX;
    lua_Integer count = 0;
    while (count < most) {
        if (gw_lua_matching_check(r->L, match, gw_pattern_match_at(match, at)) && match->end != last_end) {
            count++;
            at = last_end = match->end;
            add_replacement(r);
        } else if (at < match->length) {
            luaL_addchar(&r->out, match->subject[at]);
            at++;
        } else {
            break;
        }
        if (r->m.pattern.is_anchored)
            break;
    }
    if (at < match->length)
        add_bytes(r, match->subject + at, match->length - at);
    return count;
}

int gw_lua_gsub(lua_State *L)
{
    struct replacing r;
    size_t length;
    r.L = L;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    int type = lua_type(L, 3);
    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TFUNCTION && type != LUA_TTABLE)
        return luaL_typeerror(L, 3, "string/function/table");
    lua_Integer most = gw_lua_opt_integer(L, 4, (lua_Integer)length + 1);
    gw_lua_matching_init(L, &r.m, 1, 2, true);
    luaL_buffinit(L, &r.out);
    lua_Integer count = replace(&r, most);
    gw_lua_matching_settle(L, &r.m.match);
    gw_lua_push_result(&r.out);
    lua_pushinteger(L, count);
    return 2;
}
