#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"

enum { STACK_MEMBERS = 32 };

struct member {
    const char *key;
    struct gw_json *value;
};

static void write_value(const struct gw_json *value, bool is_canonical, struct gw_buffer *out);

static void write_member(const struct member *member, bool is_first, bool is_canonical, struct gw_buffer *out)
{
    if (!is_first)
        gw_buffer_append_char(out, ',');
    gw_buffer_append_json_string(out, member->key, strlen(member->key));
    gw_buffer_append_char(out, ':');
    write_value(member->value, is_canonical, out);
}

static void write_in_order(const struct gw_json *object, struct gw_buffer *out)
{
    struct member member;
    void *iterator = NULL;
    bool is_first = true;
    while (gw_json_next(object, &iterator, &member.key, &member.value)) {
        write_member(&member, is_first, false, out);
        is_first = false;
    }
}

static int compare_keys(const void *a, const void *b)
{
    /* strcmp compares bytes as unsigned char (C11 7.24.4); keys hold no NUL. */
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_sorted(const struct gw_json *object, struct gw_buffer *out)
{
    struct member few[STACK_MEMBERS];
    size_t count = gw_json_count(object);
    struct member *members = count <= STACK_MEMBERS ? few : gw_try_grow(NULL, count, sizeof *members);
    if (!members) {
        out->has_failed = true;
        return;
    }
    void *iterator = NULL;
    for (size_t i = 0; i < count; i++)
        gw_json_next(object, &iterator, &members[i].key, &members[i].value);
    qsort(members, count, sizeof *members, compare_keys);
    for (size_t i = 0; i < count; i++)
        write_member(&members[i], i == 0, true, out);
    if (members != few)
        gw_free(members);
}

static void write_object(const struct gw_json *object, bool is_canonical, struct gw_buffer *out)
{
    gw_buffer_append_char(out, '{');
    if (is_canonical)
        write_sorted(object, out);
    else
        write_in_order(object, out);
    gw_buffer_append_char(out, '}');
}

static void write_array(const struct gw_json *array, bool is_canonical, struct gw_buffer *out)
{
    size_t count = gw_json_count(array);
    gw_buffer_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gw_buffer_append_char(out, ',');
        write_value(gw_json_at(array, i), is_canonical, out);
    }
    gw_buffer_append_char(out, ']');
}

static void write_value(const struct gw_json *value, bool is_canonical, struct gw_buffer *out)
{
    size_t length;
    const char *text;
    switch (gw_json_type(value)) {
    case GW_JSON_NULL:
        gw_buffer_append(out, "null", 4);
        break;
    case GW_JSON_BOOL:
        gw_buffer_append_text(out, gw_json_bool(value) ? "true" : "false");
        break;
    case GW_JSON_INT:
        gw_buffer_append_i64(out, gw_json_int(value));
        break;
    case GW_JSON_REAL:
        gw_json_write_number(gw_json_number(value), out);
        break;
    case GW_JSON_STRING:
        text = gw_json_text(value, &length);
        gw_buffer_append_json_string(out, text, length);
        break;
    case GW_JSON_ARRAY:
        write_array(value, is_canonical, out);
        break;
    case GW_JSON_OBJECT:
        write_object(value, is_canonical, out);
        break;
    }
}

void gw_json_write(const struct gw_json *value, struct gw_buffer *out) { write_value(value, false, out); }
void gw_json_write_canonical(const struct gw_json *value, struct gw_buffer *out) { write_value(value, true, out); }

ptrdiff_t gw_json_canonical_length(const struct gw_json *value)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(value, &text);
    ptrdiff_t length = text.has_failed ? -1 : (ptrdiff_t)text.length;
    gw_buffer_fini(&text);
    return length;
}
