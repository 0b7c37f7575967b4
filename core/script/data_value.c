#include "script/data_value.h"

#include <lua.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "script/freeze.h"

#define MAX_SAFE_INTEGER ((lua_Integer)9007199254740991)
#define FEW_MEMBERS      16
#define TABLES_PER_LOOK  8
#define KEYS_PER_LOOK    256

struct reader {
    lua_State *L;
    const struct gw_data_value_rules *rules;
    unsigned depth, nodes_left, tables;
    size_t bytes_left;
    int bottom; /* stack index of the outermost value */
    struct gw_error *err;
};

/* value: a member's name, borrowed from the Lua string, which the table keeps alive; and what it is, owned */
struct member {
    const char *name;
    size_t length;
    struct gw_json *value;
};

/* `name` is the member's that the value is, or NULL. */
static int read_value(struct reader *r, const struct member *name, struct gw_json **out);

static int no_memory(struct reader *r) { return gw_error_set(r->err, GW_ENOMEM, "out_of_memory", "no memory for the data"); }

#define BAD_VALUE(r, ...) gw_error_set((r)->err, GW_EINVAL, "data_bad_value", __VA_ARGS__)

static int check_text(struct reader *r, const char *text, size_t length)
{
    size_t bad_at = 0;
    bool is_bounded = r->rules->max_bytes != 0;
    if (is_bounded && length > r->bytes_left)
        return gw_error_limit(r->err, "data_too_large", "max_bytes", (int64_t)r->rules->max_bytes, "more than %zu bytes of text",
                              r->rules->max_bytes);
    r->bytes_left -= is_bounded ? length : 0;
    if (gw_utf8_count(text, length, &bad_at) < 0)
        return BAD_VALUE(r, "text is not valid UTF-8 (byte %zu)", bad_at);
    if (memchr(text, '\0', length) != NULL)
        return BAD_VALUE(r, "text that holds a NUL");
    return 0;
}

static int read_text(struct reader *r, struct gw_json **out)
{
    size_t length;
    const char *text = lua_tolstring(r->L, -1, &length);
    int rc = check_text(r, text, length);
    if (rc == 0 && (*out = gw_json_new_text(text, length)) == NULL)
        rc = no_memory(r);
    return rc;
}

static int read_number(struct reader *r, struct gw_json **out)
{
    if (lua_isinteger(r->L, -1)) {
        lua_Integer n = lua_tointeger(r->L, -1);
        if (n > MAX_SAFE_INTEGER || n < -MAX_SAFE_INTEGER)
            return BAD_VALUE(r, "integer outside of plus or minus 2^53-1");
        *out = gw_json_new_int(n);
    } else {
        double n = lua_tonumber(r->L, -1);
        if (!isfinite(n))
            return BAD_VALUE(r, "number is not finite");
        if (!gw_json_is_valid_number(n))
            return BAD_VALUE(r, "whole number outside of plus or minus 2^53-1");
        *out = gw_json_new_real(n);
    }
    return *out == NULL ? no_memory(r) : 0;
}

/* Puts the member's name before the pointer of what is wrong in it (RFC 6901). */
static void prefix_name(struct reader *r, const struct member *member)
{
    char segment[sizeof r->err->path];
    size_t at = 0;
    segment[at++] = '/';
    for (size_t i = 0; i < member->length && at + 3 < sizeof segment; i++) {
        char c = member->name[i];
        if (c == '~' || c == '/') {
            segment[at++] = '~';
            c = c == '~' ? '0' : '1';
        }
        segment[at++] = c;
    }
    segment[at] = '\0';
    gw_error_prefix(r->err, segment);
}

static void prefix_index(struct reader *r, size_t index)
{
    char segment[24];
    snprintf(segment, sizeof segment, "/%zu", index);
    gw_error_prefix(r->err, segment);
}

/* The value on top, a member of a table. */
static bool is_left_out(const struct reader *r) { return r->rules->leaves_out_functions && lua_isfunction(r->L, -1); }

static int too_many(struct reader *r)
{
    return gw_error_limit(r->err, "data_too_large", "max_nodes", r->rules->max_nodes, "more than %u values", r->rules->max_nodes);
}

static int too_slow(struct reader *r) { return gw_error_set(r->err, GW_ELIMIT, "data_too_slow", "tables that take too long to read"); }

/* Integers can be chosen so that finding each in its table takes as many steps as there are. */
static int heed_clock(struct reader *r, size_t count)
{
    bool looks = r->rules->is_late != NULL && count % KEYS_PER_LOOK == KEYS_PER_LOOK - 1;
    return looks && r->rules->is_late(r->rules->self) ? too_slow(r) : 0;
}

static int count_key(struct reader *r, size_t *texts, size_t *integers)
{
    int type = lua_type(r->L, -1);
    if (type == LUA_TSTRING)
        ++*texts;
    else if (lua_isinteger(r->L, -1))
        ++*integers;
    else
        return BAD_VALUE(r, "a key of type %s: keys are names or 1, 2, 3", lua_typename(r->L, type));
    return heed_clock(r, *texts + *integers);
}

/* Counts the keys of the table on top by kind. */
static int count_keys(struct reader *r, size_t *texts, size_t *integers)
{
    *texts = *integers = 0;
    lua_pushnil(r->L);
    for (size_t absent = 0; lua_next(r->L, -2) != 0;) {
        bool is_absent = is_left_out(r);
        lua_pop(r->L, 1);
        int rc = is_absent && ++absent > r->nodes_left ? too_many(r) : 0;
        if (rc == 0 && !is_absent)
            rc = count_key(r, texts, integers);
        if (rc != 0) {
            lua_pop(r->L, 1);
            return rc;
        }
    }
    if (*texts > 0 && *integers > 0)
        return BAD_VALUE(r, "names and positions mixed in one table: it must be a list or a record");
    return 0;
}

static int read_array(struct reader *r, size_t count, struct gw_json *array)
{
    for (size_t i = 1; i <= count; i++) {
        struct gw_json *item = NULL;
        int rc;
        if (lua_rawgeti(r->L, -1, (lua_Integer)i) == LUA_TNIL)
            rc = BAD_VALUE(r, "a list with a hole: position %zu is nil", i);
        else
            rc = read_value(r, NULL, &item);
        lua_pop(r->L, 1);
        if (rc != 0) {
            prefix_index(r, i - 1);
            return rc;
        }
        if (gw_json_append(array, item) != 0)
            return no_memory(r);
    }
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, shorter);
    if (order != 0)
        return order;
    return (x->length > y->length) - (x->length < y->length);
}

/* Reads the members of the table on top, in its own order; *count of them have been read, also on failure. */
static int read_members(struct reader *r, struct member *members, size_t *count)
{
    *count = 0;
    lua_pushnil(r->L);
    while (lua_next(r->L, -2) != 0) {
        if (is_left_out(r)) {
            lua_pop(r->L, 1);
            continue;
        }
        struct member *member = &members[*count];
        member->name = lua_tolstring(r->L, -2, &member->length);
        int rc = check_text(r, member->name, member->length);
        if (rc == 0)
            rc = read_value(r, member, &member->value);
        lua_pop(r->L, 1);
        if (rc != 0) {
            prefix_name(r, member);
            lua_pop(r->L, 1);
            return rc;
        }
        ++*count;
    }
    return 0;
}

static int read_object(struct reader *r, size_t count, struct gw_json *object)
{
    struct member few[FEW_MEMBERS], *members = few;
    if (count > FEW_MEMBERS && (members = gw_try_grow(NULL, count, sizeof *members)) == NULL)
        return no_memory(r);
    int rc = read_members(r, members, &count);
    if (rc == 0)
        qsort(members, count, sizeof *members, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (rc != 0)
            gw_json_unref(members[i].value);
        else if (gw_json_setn(object, members[i].name, members[i].length, members[i].value) != 0)
            rc = no_memory(r);
    }
    if (members != few)
        gw_free(members);
    return rc;
}

/* Whether the table on top is one that encloses itself: those lie below it on the stack. */
static bool is_cycle(const struct reader *r)
{
    const void *self = lua_topointer(r->L, -1);
    for (int i = lua_gettop(r->L) - 1; i >= r->bottom; i--)
        if (lua_type(r->L, i) == LUA_TTABLE && lua_topointer(r->L, i) == self)
            return true;
    return false;
}

static bool is_list_by_name(const struct reader *r, const struct member *name)
{
    if (name == NULL || r->rules->list_names == NULL)
        return false;
    for (const char *const *listed = r->rules->list_names; *listed != NULL; listed++)
        if (strlen(*listed) == name->length && memcmp(*listed, name->name, name->length) == 0)
            return true;
    return false;
}

/* The content of a table, on top. Of a table with more members than may be read none is looked at. */
static int read_content(struct reader *r, bool is_list, struct gw_json **out)
{
    size_t texts, integers;
    int rc = count_keys(r, &texts, &integers);
    if (rc != 0)
        return rc;
    if (texts > r->nodes_left || integers > r->nodes_left)
        return too_many(r);
    is_list = integers > 0 || (texts == 0 && is_list);
    *out = is_list ? gw_json_new_array() : gw_json_new_object();
    if (*out == NULL)
        return no_memory(r);
    return is_list ? read_array(r, integers, *out) : read_object(r, texts, *out);
}

static bool is_late(struct reader *r)
{
    return r->rules->is_late != NULL && ++r->tables % TABLES_PER_LOOK == 0 && r->rules->is_late(r->rules->self);
}

static int read_table(struct reader *r, const struct member *name, struct gw_json **out)
{
    if (is_late(r))
        return too_slow(r);
    if (is_cycle(r))
        return BAD_VALUE(r, "a table that contains itself");
    if (r->depth == r->rules->max_depth || !lua_checkstack(r->L, 10))
        return gw_error_limit(r->err, "data_too_large", "max_depth", r->rules->max_depth, "nested deeper than %u tables",
                              r->rules->max_depth);
    bool is_list = gw_freeze_is_list(r->L, -1) || is_list_by_name(r, name);
    r->depth++;
    gw_freeze_push_content(r->L, -1);
    int rc = read_content(r, is_list, out);
    lua_pop(r->L, 1);
    r->depth--;
    return rc;
}

static int read_scalar(struct reader *r, struct gw_json **out)
{
    switch (lua_type(r->L, -1)) {
    case LUA_TBOOLEAN:
        *out = gw_json_new_bool(lua_toboolean(r->L, -1));
        return *out == NULL ? no_memory(r) : 0;
    case LUA_TNUMBER:
        return read_number(r, out);
    case LUA_TSTRING:
        return read_text(r, out);
    case LUA_TLIGHTUSERDATA: /* data_file.h's states have none, a script's only the one */
        *out = gw_json_new_null();
        return *out == NULL ? no_memory(r) : 0;
    case LUA_TFUNCTION:
        if (r->rules->marks_functions)
            return (*out = gw_json_new_bool(true)) == NULL ? no_memory(r) : 0;
        return BAD_VALUE(r, "a function is not data");
    default:
        return BAD_VALUE(r, "a %s is not data", lua_typename(r->L, lua_type(r->L, -1)));
    }
}

/* On failure *out is NULL. */
static int read_value(struct reader *r, const struct member *name, struct gw_json **out)
{
    *out = NULL;
    if (r->nodes_left == 0)
        return too_many(r);
    r->nodes_left--;
    int rc = lua_istable(r->L, -1) ? read_table(r, name, out) : read_scalar(r, out);
    if (rc != 0) {
        gw_json_unref(*out);
        *out = NULL;
    }
    return rc;
}

int gw_data_value_read(struct lua_State *L, const struct gw_data_value_rules *rules, struct gw_json **out, struct gw_error *err)
{
    struct reader reader = {
        .L = L, .rules = rules, .nodes_left = rules->max_nodes, .bytes_left = rules->max_bytes, .bottom = lua_gettop(L), .err = err};
    int rc = read_value(&reader, NULL, out);
    if (rules->cost != NULL)
        *rules->cost =
            (struct gw_data_value_cost){.bytes = rules->max_bytes - reader.bytes_left, .nodes = rules->max_nodes - reader.nodes_left};
    return rc;
}
