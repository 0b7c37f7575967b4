#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_node.h"
#include "base/json_scan.h"

enum { FIRST_CAPACITY = 4 };

struct number {
    struct gw_json head;
    union {
        int64_t whole;
        double real;
    } is;
};

struct text {
    struct gw_json head;
    size_t length;
    char bytes[];
};

struct array {
    struct gw_json head;
    struct gw_json **items;
    size_t count, capacity;
};

static const struct gw_json null_node = {.type = GW_JSON_NULL}, true_node = {.type = GW_JSON_BOOL}, false_node = {.type = GW_JSON_BOOL};

/* ---- sharing: values travel between threads, and whoever drops the last reference frees ------------------------------------------------ */

static bool is_constant(const struct gw_json *value) { return value->type == GW_JSON_NULL || value->type == GW_JSON_BOOL; }

struct gw_json *gw_json_ref(struct gw_json *value)
{
    if (value && !is_constant(value))
        gw_refs_add(&value->refs);
    return value;
}

static void array_fini(struct array *array)
{
    for (size_t i = 0; i < array->count; i++)
        gw_json_unref(array->items[i]);
    gw_free(array->items);
}

/* Recurses as deep as values are nested: what is parsed is bounded, what is built here is flat. */
void gw_json_unref(struct gw_json *value)
{
    if (!value || is_constant(value) || !gw_refs_drop(&value->refs))
        return;
    if (value->type == GW_JSON_ARRAY)
        array_fini((struct array *)value);
    else if (value->type == GW_JSON_OBJECT)
        gw_json_object_fini((struct gw_json_object *)value);
    gw_free(value);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------------------- */

static bool is_of(const struct gw_json *value, enum gw_json_type type) { return value && value->type == type; }

enum gw_json_type gw_json_type(const struct gw_json *value)
{
    assert(value);
    return value->type;
}

bool gw_json_is_string(const struct gw_json *value) { return is_of(value, GW_JSON_STRING); }
bool gw_json_is_object(const struct gw_json *value) { return is_of(value, GW_JSON_OBJECT); }
bool gw_json_is_array(const struct gw_json *value) { return is_of(value, GW_JSON_ARRAY); }
bool gw_json_is_int(const struct gw_json *value) { return is_of(value, GW_JSON_INT); }
bool gw_json_is_number(const struct gw_json *value) { return is_of(value, GW_JSON_INT) || is_of(value, GW_JSON_REAL); }
bool gw_json_is_bool(const struct gw_json *value) { return is_of(value, GW_JSON_BOOL); }
bool gw_json_is_null(const struct gw_json *value) { return is_of(value, GW_JSON_NULL); }

const char *gw_json_text(const struct gw_json *value, size_t *length)
{
    assert(gw_json_is_string(value));
    const struct text *text = (const struct text *)value;
    if (length)
        *length = text->length;
    return text->bytes;
}

int64_t gw_json_int(const struct gw_json *value)
{
    assert(gw_json_is_int(value));
    return ((const struct number *)value)->is.whole;
}

double gw_json_number(const struct gw_json *value)
{
    assert(gw_json_is_number(value));
    const struct number *number = (const struct number *)value;
    return value->type == GW_JSON_INT ? (double)number->is.whole : number->is.real;
}

bool gw_json_bool(const struct gw_json *value)
{
    assert(gw_json_is_bool(value));
    return value == &true_node;
}

size_t gw_json_count(const struct gw_json *container)
{
    if (gw_json_is_array(container))
        return ((const struct array *)container)->count;
    const struct gw_json_object *object = (const struct gw_json_object *)container;
    return gw_json_is_object(container) ? object->used - object->holes : 0;
}

struct gw_json *gw_json_at(const struct gw_json *array, size_t index)
{
    return gw_json_is_array(array) && index < gw_json_count(array) ? ((const struct array *)array)->items[index] : NULL;
}

struct gw_json *gw_json_get(const struct gw_json *object, const char *key) { return gw_json_getn(object, key, strlen(key)); }

struct gw_json *gw_json_getn(const struct gw_json *object, const char *key, size_t length)
{
    const struct gw_json_member *member =
        gw_json_is_object(object) ? gw_json_object_find((const struct gw_json_object *)object, key, length) : NULL;
    return member ? member->value : NULL;
}

bool gw_json_next(const struct gw_json *object, void **iterator, const char **key, struct gw_json **value)
{
    const struct gw_json_object *from = (const struct gw_json_object *)object;
    size_t position = (size_t)(uintptr_t)*iterator;
    if (!gw_json_is_object(object))
        return false;
    while (position < from->used && !from->members[position].value)
        position++;
    if (position == from->used)
        return false;
    const struct gw_json_member *member = &from->members[position];
    *iterator = (void *)(uintptr_t)(position + 1);
    *key = gw_json_member_key(member);
    *value = member->value;
    return true;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------------------ */

static void *new_node(enum gw_json_type type, size_t size)
{
    struct gw_json *node = gw_try_alloc(size);
    if (!node)
        return NULL;
    memset(node, 0, size);
    gw_refs_init(&node->refs);
    node->type = type;
    return node;
}

static struct gw_json *new_whole(int64_t value)
{
    struct number *number = new_node(GW_JSON_INT, sizeof *number);
    if (!number)
        return NULL;
    number->is.whole = value;
    return &number->head;
}

static struct gw_json *new_fraction(double value)
{
    struct number *number = new_node(GW_JSON_REAL, sizeof *number);
    if (!number)
        return NULL;
    number->is.real = value;
    return &number->head;
}

/* A constant is handed out like any other value; nothing writes through it. */
static struct gw_json *constant(const struct gw_json *node) { return (struct gw_json *)(uintptr_t)node; }

struct gw_json *gw_json_new_null(void) { return constant(&null_node); }
struct gw_json *gw_json_new_bool(bool value) { return constant(value ? &true_node : &false_node); }
struct gw_json *gw_json_new_array(void) { return new_node(GW_JSON_ARRAY, sizeof(struct array)); }
struct gw_json *gw_json_new_object(void) { return new_node(GW_JSON_OBJECT, sizeof(struct gw_json_object)); }

struct gw_json *gw_json_new_int(int64_t value)
{
    bool is_safe = value >= -GW_JSON_MAX_INT && value <= GW_JSON_MAX_INT;
    return is_safe ? new_whole(value) : NULL;
}

struct gw_json *gw_json_new_real(double value)
{
    if (!gw_json_is_valid_number(value))
        return NULL;
    bool is_whole = value == trunc(value) && fabs(value) < 1e21;
    return is_whole ? new_whole((int64_t)value) : new_fraction(value);
}

static bool is_text(const char *text, size_t length)
{
    return length == 0 || (!memchr(text, '\0', length) && gw_utf8_count(text, length, NULL) >= 0);
}

struct gw_json *gw_json_new_text(const char *text, size_t length) { return is_text(text, length) ? gw_json_node_text(text, length) : NULL; }

struct gw_json *gw_json_node_text(const char *text, size_t length)
{
    size_t size;
    struct text *node = __builtin_add_overflow(sizeof *node + 1, length, &size) ? NULL : gw_try_alloc(size);
    if (!node)
        return NULL;
    gw_refs_init(&node->head.refs);
    node->head.type = GW_JSON_STRING;
    node->length = length;
    if (length)
        memcpy(node->bytes, text, length);
    node->bytes[length] = '\0';
    return &node->head;
}

/* ---- changing ---------------------------------------------------------------------------------------------------------------------------- */

int gw_json_node_add(struct gw_json *object, const char *key, size_t length, struct gw_json *value)
{
    struct gw_json_object *into = (struct gw_json_object *)object;
    int status = !value ? GW_ENOMEM : gw_json_object_find(into, key, length) ? GW_ECONFLICT : gw_json_object_add(into, key, length, value);
    if (status)
        gw_json_unref(value);
    return status;
}

int gw_json_set(struct gw_json *object, const char *key, struct gw_json *value) { return gw_json_setn(object, key, strlen(key), value); }

int gw_json_setn(struct gw_json *object, const char *key, size_t length, struct gw_json *value)
{
    assert(gw_json_is_object(object) && value != object);
    struct gw_json_object *into = (struct gw_json_object *)object;
    struct gw_json_member *member = gw_json_object_find(into, key, length);
    if (value && member) {
        gw_json_unref(member->value);
        member->value = value;
        return 0;
    }
    if (value && is_text(key, length) && !gw_json_object_add(into, key, length, value))
        return 0;
    gw_json_unref(value);
    return GW_ENOMEM;
}

static int grow_array(struct array *array)
{
    if (array->count < array->capacity)
        return GW_OK;
    size_t capacity = array->capacity ? array->capacity * 2 : FIRST_CAPACITY;
    struct gw_json **items = gw_try_grow(array->items, capacity, sizeof(struct gw_json *));
    if (!items)
        return GW_ENOMEM;
    array->items = items;
    array->capacity = capacity;
    return GW_OK;
}

int gw_json_append(struct gw_json *array, struct gw_json *value)
{
    assert(gw_json_is_array(array) && value != array);
    struct array *to = (struct array *)array;
    if (!value || grow_array(to)) {
        gw_json_unref(value);
        return GW_ENOMEM;
    }
    to->items[to->count++] = value;
    return 0;
}

void gw_json_remove(struct gw_json *object, const char *key)
{
    struct gw_json_object *from = (struct gw_json_object *)object;
    struct gw_json_member *member = gw_json_is_object(object) ? gw_json_object_find(from, key, strlen(key)) : NULL;
    if (member)
        gw_json_object_drop(from, member);
}

/* ---- copies and comparison --------------------------------------------------------------------------------------------------------------- */

static int copy_members(const struct gw_json *from, struct gw_json *to)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(from, &iterator, &key, &value))
        if (gw_json_node_add(to, key, strlen(key), gw_json_copy_deep(value)))
            return GW_ENOMEM;
    return GW_OK;
}

static int copy_items(const struct gw_json *from, struct gw_json *to)
{
    for (size_t i = 0; i < gw_json_count(from); i++)
        if (gw_json_append(to, gw_json_copy_deep(gw_json_at(from, i))))
            return GW_ENOMEM;
    return GW_OK;
}

static struct gw_json *copy_container(const struct gw_json *from)
{
    bool is_object = from->type == GW_JSON_OBJECT;
    struct gw_json *to = is_object ? gw_json_new_object() : gw_json_new_array();
    if (!to || !(is_object ? copy_members(from, to) : copy_items(from, to)))
        return to;
    gw_json_unref(to);
    return NULL;
}

struct gw_json *gw_json_copy_deep(const struct gw_json *value)
{
    switch (value->type) {
    case GW_JSON_OBJECT:
    case GW_JSON_ARRAY:
        return copy_container(value);
    case GW_JSON_STRING:
        return gw_json_node_text(((const struct text *)value)->bytes, ((const struct text *)value)->length);
    case GW_JSON_INT:
        return new_whole(((const struct number *)value)->is.whole);
    case GW_JSON_REAL:
        return new_fraction(((const struct number *)value)->is.real);
    default:
        return constant(value);
    }
}

static bool is_equal_text(const struct gw_json *a, const struct gw_json *b)
{
    const struct text *one = (const struct text *)a, *other = (const struct text *)b;
    return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

static bool is_equal_array(const struct gw_json *a, const struct gw_json *b)
{
    for (size_t i = 0; i < gw_json_count(a); i++)
        if (!gw_json_equal(gw_json_at(a, i), gw_json_at(b, i)))
            return false;
    return true;
}

static bool is_equal_object(const struct gw_json *a, const struct gw_json *b)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(a, &iterator, &key, &value))
        if (!gw_json_equal(value, gw_json_get(b, key)))
            return false;
    return true;
}

bool gw_json_equal(const struct gw_json *a, const struct gw_json *b)
{
    if (a == b || !a || !b)
        return a == b;
    if (gw_json_is_number(a) && gw_json_is_number(b))
        return gw_json_number(a) == gw_json_number(b); /* exact: integers stay within 2^53 */
    if (gw_json_type(a) != gw_json_type(b) || gw_json_count(a) != gw_json_count(b))
        return false;
    switch (gw_json_type(a)) {
    case GW_JSON_ARRAY:
        return is_equal_array(a, b);
    case GW_JSON_OBJECT:
        return is_equal_object(a, b);
    case GW_JSON_STRING:
        return is_equal_text(a, b);
    case GW_JSON_BOOL:
        return gw_json_bool(a) == gw_json_bool(b);
    default:
        return true;
    }
}
