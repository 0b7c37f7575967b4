#include <string.h>

#include "script/lua_library.h"

static void spend(void *self, uint64_t steps) { gw_budget_charge(self, steps / GW_LUA_STEPS_PER_UNIT); }

static void start_match(lua_State *L, struct gw_pattern_match *match, const struct gw_pattern *pattern, int subject)
{
    size_t length;
    match->subject = luaL_checklstring(L, subject, &length);
    match->length = length;
    match->pattern = pattern;
    match->spend = spend;
    match->self = L;
    match->steps = 0;
    match->fault = NULL;
}

static const char *check_pattern(lua_State *L, int index, size_t *length)
{
    const char *text = luaL_checklstring(L, index, length);
    if (*length > GW_PATTERN_MAX_BYTES)
        luaL_error(L, "pattern too long");
    gw_budget_charge(L, 1 + *length);
    return text;
}

void gw_lua_matching_init(lua_State *L, struct gw_lua_matching *m, int subject, int pattern, bool may_anchor)
{
    size_t length;
    const char *text = check_pattern(L, pattern, &length);
    struct gw_pattern_item *items = m->few;
    if (length >= GW_LUA_FEW_ITEMS)
        items = lua_newuserdatauv(L, (length + 1) * sizeof(*items), 0);
    gw_pattern_compile(text, length, may_anchor, items, &m->pattern);
    start_match(L, &m->match, &m->pattern, subject);
}

int gw_lua_matching_check(lua_State *L, struct gw_pattern_match *match, int found)
{
    return found < 0 ? luaL_error(L, "%s", match->fault) : found;
}

void gw_lua_matching_settle(lua_State *L, struct gw_pattern_match *match)
{
    gw_budget_charge(L, 1 + match->steps / GW_LUA_STEPS_PER_UNIT);
    match->steps = 0;
}

static void push_text(lua_State *L, const struct gw_pattern_match *match, size_t start, size_t length)
{
    gw_lua_charge_bytes(L, length);
    lua_pushlstring(L, match->subject + start, length);
}

void gw_lua_push_capture(lua_State *L, const struct gw_pattern_match *match, unsigned index)
{
    const struct gw_pattern_capture *capture = &match->captures[index];
    if (index >= match->pattern->capture_count) {
        if (index != 0)
            luaL_error(L, "invalid capture index %%%d", (int)index + 1);
        push_text(L, match, match->start, match->end - match->start);
    } else if (capture->is_position) {
        lua_pushinteger(L, (lua_Integer)capture->start + 1);
    } else {
        push_text(L, match, capture->start, capture->length);
    }
}

int gw_lua_push_captures(lua_State *L, const struct gw_pattern_match *match)
{
    unsigned count = match->pattern->capture_count;
    luaL_checkstack(L, (int)count + 1, "too many captures");
    for (unsigned i = 0; i < count; i++)
        gw_lua_push_capture(L, match, i);
    if (count == 0)
        gw_lua_push_capture(L, match, 0);
    return count == 0 ? 1 : (int)count;
}

static int push_bounds(lua_State *L, size_t start, size_t end)
{
    lua_pushinteger(L, (lua_Integer)start + 1);
    lua_pushinteger(L, (lua_Integer)end);
    return 2;
}

static int push_nil(lua_State *L)
{
    lua_pushnil(L);
    return 1;
}

static int find_plain(lua_State *L, size_t from)
{
    size_t length, wanted;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *text = luaL_checklstring(L, 2, &wanted);
    gw_lua_charge_bytes(L, 2 * (length - from));
    const char *found = wanted == 0 ? subject + from : memmem(subject + from, length - from, text, wanted);
    if (found == NULL)
        return push_nil(L);
    size_t at = (size_t)(found - subject);
    return push_bounds(L, at, at + wanted);
}

/* Where the search begins, or -1 behind the end of the subject. */
static ptrdiff_t check_start(lua_State *L, int index)
{
    size_t length;
    luaL_checklstring(L, 1, &length);
    size_t from = gw_lua_range_start(gw_lua_opt_integer(L, index, 1), length) - 1;
    return from > length ? -1 : (ptrdiff_t)from;
}

static int search(lua_State *L, bool is_find, size_t from)
{
    struct gw_lua_matching m;
    gw_lua_matching_init(L, &m, 1, 2, true);
    int found = gw_lua_matching_check(L, &m.match, gw_pattern_find(&m.match, from));
    gw_lua_matching_settle(L, &m.match);
    if (!found)
        return push_nil(L);
    if (!is_find)
        return gw_lua_push_captures(L, &m.match);
    int count = push_bounds(L, m.match.start, m.match.end);
    return m.pattern.capture_count == 0 ? count : count + gw_lua_push_captures(L, &m.match);
}

int gw_lua_find(lua_State *L)
{
    size_t length;
    ptrdiff_t from = check_start(L, 3);
    const char *pattern = luaL_checklstring(L, 2, &length);
    if (from < 0)
        return push_nil(L);
    if (lua_toboolean(L, 4) || gw_pattern_is_plain(pattern, length))
        return find_plain(L, (size_t)from);
    return search(L, true, (size_t)from);
}

int gw_lua_match(lua_State *L)
{
    ptrdiff_t from = check_start(L, 3);
    luaL_checkstring(L, 2);
    return from < 0 ? push_nil(L) : search(L, false, (size_t)from);
}

/* What an iterator of gmatch keeps: a userdata, its second upvalue; the first is the subject. */
struct iterator {
    size_t next;
    size_t last_end; /* a match may not end where the one before did; SIZE_MAX: there was none */
    struct gw_pattern pattern;
    struct gw_pattern_match match;
    struct gw_pattern_item items[];
};

static int iterate(lua_State *L)
{
    struct iterator *it = lua_touserdata(L, lua_upvalueindex(2));
    for (size_t at = it->next; at <= it->match.length; at++) {
        int found = gw_lua_matching_check(L, &it->match, gw_pattern_find(&it->match, at));
        if (!found)
            break;
        at = it->match.start;
        if (it->match.end == it->last_end)
            continue;
        it->next = it->last_end = it->match.end;
        gw_lua_matching_settle(L, &it->match);
        return gw_lua_push_captures(L, &it->match);
    }
    it->next = it->match.length + 1;
    gw_lua_matching_settle(L, &it->match);
    return 0;
}

int gw_lua_gmatch(lua_State *L)
{
    size_t length, bytes;
    luaL_checklstring(L, 1, &bytes);
    const char *text = check_pattern(L, 2, &length);
    size_t from = gw_lua_range_start(gw_lua_opt_integer(L, 3, 1), bytes) - 1;
    lua_settop(L, 2);
    struct iterator *it = lua_newuserdatauv(L, sizeof(*it) + (length + 1) * sizeof(it->items[0]), 0);
    gw_pattern_compile(text, length, false, it->items, &it->pattern);
    start_match(L, &it->match, &it->pattern, 1);
    it->next = from > bytes ? bytes + 1 : from;
    it->last_end = SIZE_MAX;
    lua_pushvalue(L, 1);
    lua_insert(L, 3);
    lua_pushcclosure(L, iterate, 2);
    return 1;
}
