#include "script/data_value.h"

#include <lua.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "script/freeze.h"

#define MAX_SAFE_INTEGER ((lua_Integer)9007199254740991)

struct reader {
    lua_State *L;
    const struct gw_data_value_rules *rules;
    unsigned depth, nodes_left;
    size_t bytes_left;
    int bottom;            /* stack index of the outermost value */
    struct gw_buffer path; /* JSON pointer of the value at hand */
    struct gw_error *err;
};

/* A member's name; borrowed from the Lua string, which the table keeps alive. */
struct key {
    const char *text;
    size_t length;
};

static int read_value(struct reader *r, struct gw_json **out);

static void set_path(struct reader *r)
{
    gw_buffer_append_char(&r->path, '\0');
    if (!r->path.has_failed)
        gw_error_prefix(r->err, r->path.data);
}

static int no_memory(struct reader *r) { return gw_error_set(r->err, GW_ENOMEM, "out_of_memory", "no memory for the data"); }

#define BAD_VALUE(r, ...) (gw_error_set((r)->err, GW_EINVAL, "data_bad_value", __VA_ARGS__), set_path(r), GW_EINVAL)

static int check_text(struct reader *r, const char *text, size_t length)
{
    size_t bad_at = 0;
    if (gw_utf8_count(text, length, &bad_at) < 0)
        return BAD_VALUE(r, "text is not valid UTF-8 (byte %zu)", bad_at);
    if (memchr(text, '\0', length) != NULL)
        return BAD_VALUE(r, "text that holds a NUL");
    if (r->rules->max_bytes != 0 && length > r->bytes_left) {
        gw_error_limit(r->err, "data_too_large", "max_bytes", (int64_t)r->rules->max_bytes, "more than %zu bytes of text",
                       r->rules->max_bytes);
        set_path(r);
        return GW_ELIMIT;
    }
    r->bytes_left -= r->rules->max_bytes != 0 ? length : 0;
    return 0;
}

/* The value on top, a member of a table. */
static bool is_left_out(const struct reader *r) { return r->rules->leaves_out_functions && lua_isfunction(r->L, -1); }

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
        *out = gw_json_new_real(n);
    }
    return *out == NULL ? no_memory(r) : 0;
}

static void push_path(struct reader *r, const char *text, size_t length)
{
    gw_buffer_append_char(&r->path, '/');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '~')
            gw_buffer_append_text(&r->path, "~0");
        else if (text[i] == '/')
            gw_buffer_append_text(&r->path, "~1");
        else
            gw_buffer_append_char(&r->path, text[i]);
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->text, y->text, shorter);
    if (order != 0)
        return order;
    return (x->length > y->length) - (x->length < y->length);
}

/* Counts the keys of the table on top by kind. */
static int count_keys(struct reader *r, size_t *texts, size_t *integers)
{
    *texts = *integers = 0;
    lua_pushnil(r->L);
    while (lua_next(r->L, -2) != 0) {
        bool is_absent = is_left_out(r);
        lua_pop(r->L, 1);
        if (is_absent)
            continue;
        if (lua_type(r->L, -1) == LUA_TSTRING)
            ++*texts;
        else if (lua_isinteger(r->L, -1))
            ++*integers;
        else {
            int type = lua_type(r->L, -1);
            lua_pop(r->L, 1);
            return BAD_VALUE(r, "a key of type %s: keys are names or 1, 2, 3", lua_typename(r->L, type));
        }
    }
    if (*texts > 0 && *integers > 0)
        return BAD_VALUE(r, "names and positions mixed in one table: it must be a list or a record");
    return 0;
}

static int read_array(struct reader *r, size_t count, struct gw_json *array)
{
    size_t outer = r->path.length;
    for (size_t i = 1; i <= count; i++) {
        gw_buffer_append_char(&r->path, '/');
        gw_buffer_append_u64(&r->path, i - 1);
        if (lua_rawgeti(r->L, -1, (lua_Integer)i) == LUA_TNIL) {
            lua_pop(r->L, 1);
            return BAD_VALUE(r, "a list with a hole: position %zu is nil", i);
        }
        struct gw_json *item = NULL;
        int rc = read_value(r, &item);
        lua_pop(r->L, 1);
        if (rc != 0)
            return rc;
        if (gw_json_append(array, item) != 0)
            return no_memory(r);
        r->path.length = outer;
    }
    return 0;
}

static void collect_keys(struct reader *r, struct key *keys)
{
    lua_pushnil(r->L);
    while (lua_next(r->L, -2) != 0) {
        bool is_absent = is_left_out(r);
        lua_pop(r->L, 1);
        if (is_absent)
            continue;
        keys->text = lua_tolstring(r->L, -1, &keys->length);
        keys++;
    }
}

/* Finds the member without creating a Lua string, which could raise a memory error: the key is known to exist, so its own string is reached
 * by iteration. */
static int read_members(struct reader *r, const struct key *keys, size_t count, struct gw_json **members)
{
    lua_pushnil(r->L);
    while (lua_next(r->L, -2) != 0) {
        if (is_left_out(r)) {
            lua_pop(r->L, 1);
            continue;
        }
        struct key key;
        key.text = lua_tolstring(r->L, -2, &key.length);
        const struct key *slot = bsearch(&key, keys, count, sizeof *keys, compare_keys);
        size_t outer = r->path.length;
        push_path(r, key.text, key.length);
        int rc = check_text(r, key.text, key.length);
        if (rc == 0)
            rc = read_value(r, &members[slot - keys]);
        lua_pop(r->L, 1);
        if (rc != 0) {
            lua_pop(r->L, 1);
            return rc;
        }
        r->path.length = outer;
    }
    return 0;
}

static int read_object(struct reader *r, size_t count, struct gw_json *object)
{
    struct key *keys = gw_try_grow(NULL, count + 1, sizeof *keys);
    struct gw_json **members = gw_try_grow(NULL, count + 1, sizeof(struct gw_json *));
    int rc = GW_ENOMEM;
    size_t moved = 0;
    if (keys == NULL || members == NULL) {
        no_memory(r);
        goto out;
    }
    memset(members, 0, (count + 1) * sizeof(struct gw_json *));
    collect_keys(r, keys);
    qsort(keys, count, sizeof *keys, compare_keys);
    rc = read_members(r, keys, count, members);
    for (; rc == 0 && moved < count; moved++)
        if (gw_json_setn(object, keys[moved].text, keys[moved].length, members[moved]) != 0)
            rc = no_memory(r);
    for (; members != NULL && moved < count; moved++)
        gw_json_unref(members[moved]);
out:
    gw_free(keys);
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

/* Whether the member at hand is a list by its name. The path ends with the name, whose escapes no listed name has. */
static bool is_list_by_name(const struct reader *r)
{
    for (const char *const *name = r->rules->list_names; name != NULL && *name != NULL; name++) {
        size_t length = strlen(*name);
        size_t slash = r->path.length - length - 1;
        if (r->path.length > length && r->path.data[slash] == '/' && memcmp(r->path.data + slash + 1, *name, length) == 0)
            return true;
    }
    return false;
}

static int too_many(struct reader *r)
{
    gw_error_limit(r->err, "data_too_large", "max_nodes", r->rules->max_nodes, "more than %u values", r->rules->max_nodes);
    set_path(r);
    return GW_ELIMIT;
}

/* The content of a table on top. Of a table with more members than may be read none is looked at. */
static int read_content(struct reader *r, bool is_marked, struct gw_json **out)
{
    size_t texts, integers;
    int rc = count_keys(r, &texts, &integers);
    if (rc != 0)
        return rc;
    if (texts > r->nodes_left || integers > r->nodes_left)
        return too_many(r);
    bool is_list = integers > 0 || (texts == 0 && (is_marked || is_list_by_name(r)));
    *out = is_list ? gw_json_new_array() : gw_json_new_object();
    if (*out == NULL)
        return no_memory(r);
    return is_list ? read_array(r, integers, *out) : read_object(r, texts, *out);
}

static int read_table(struct reader *r, struct gw_json **out)
{
    if (is_cycle(r))
        return BAD_VALUE(r, "a table that contains itself");
    if (r->depth == r->rules->max_depth || !lua_checkstack(r->L, 10)) {
        gw_error_limit(r->err, "data_too_large", "max_depth", r->rules->max_depth, "nested deeper than %u tables", r->rules->max_depth);
        set_path(r);
        return GW_ELIMIT;
    }
    bool is_marked = gw_freeze_is_list(r->L, -1);
    r->depth++;
    gw_freeze_push_content(r->L, -1);
    int rc = read_content(r, is_marked, out);
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
    default:
        return BAD_VALUE(r, "a %s is not data", lua_typename(r->L, lua_type(r->L, -1)));
    }
}

/* On failure *out is NULL. */
static int read_value(struct reader *r, struct gw_json **out)
{
    *out = NULL;
    if (r->nodes_left == 0)
        return too_many(r);
    r->nodes_left--;
    int rc = lua_istable(r->L, -1) ? read_table(r, out) : read_scalar(r, out);
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
    gw_buffer_init(&reader.path, 0);
    int rc = read_value(&reader, out);
    if (rc == 0 && reader.path.has_failed) {
        gw_json_unref(*out);
        *out = NULL;
        rc = no_memory(&reader);
    }
    gw_buffer_fini(&reader.path);
    return rc;
}
