#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_node.h"
#include "base/json_scan.h"

/* struct gw_json is never defined: it is jansson's json_t under a name that keeps its header in this file. */
static json_t *as_jansson(const struct gw_json *value) { return (json_t *)value; }
static struct gw_json *as_json(const json_t *value) { return (struct gw_json *)value; }

/* ---- sharing: values travel between threads, and whoever drops the last reference frees ------------------------------------------------ */

#ifdef __SANITIZE_THREAD__
#define IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_WATCHED 1
#endif
#endif

#ifdef IS_WATCHED
#include <sanitizer/tsan_interface.h>

/* What jansson does to its atomic counts inside itself, the thread sanitizer does not see: it is told that whoever frees comes after all who
 * dropped. (One place for all values, since the text of a string goes before its count does.) */
static const char drops;
static void announce_drop(void) { __tsan_release((void *)(uintptr_t)&drops); }
static void await_drops(void *memory)
{
    __tsan_acquire((void *)(uintptr_t)&drops);
    __tsan_acquire((char *)memory + offsetof(json_t, refcount));
}
#else
static void announce_drop(void) {}
/* jansson's decrement only releases; the last one has to acquire before the memory is another's. */
static void await_drops(void *memory)
{
    (void)memory;
    atomic_thread_fence(memory_order_acquire);
}
#endif

static void free_memory(void *memory)
{
    if (memory)
        await_drops(memory);
    gw_free(memory);
}

/* Before main, because jansson's allocator is one for the process and must not change once there are values; seeding its hash here too
 * keeps the first parse free of a race. */
__attribute__((constructor)) static void install_allocator(void)
{
    json_set_alloc_funcs(gw_try_alloc, free_memory);
    json_object_seed(0);
}

/* The constants true, false and null are never freed. jansson's own incref and decref ask this by a plain read, which races with the atomic
 * writes of other threads. */
static bool is_counted(const json_t *value) { return value && __atomic_load_n(&value->refcount, __ATOMIC_RELAXED) != SIZE_MAX; }

struct gw_json *gw_json_ref(struct gw_json *value)
{
    json_t *counted = as_jansson(value);
    if (is_counted(counted))
        __atomic_add_fetch(&counted->refcount, 1, __ATOMIC_RELAXED);
    return value;
}

void gw_json_unref(struct gw_json *value)
{
    json_t *counted = as_jansson(value);
    announce_drop();
    if (is_counted(counted) && __atomic_sub_fetch(&counted->refcount, 1, __ATOMIC_RELEASE) == 0)
        json_delete(counted);
}

enum gw_json_type gw_json_type(const struct gw_json *value)
{
    assert(value);
    switch (json_typeof(as_jansson(value))) {
    case JSON_OBJECT:
        return GW_JSON_OBJECT;
    case JSON_ARRAY:
        return GW_JSON_ARRAY;
    case JSON_STRING:
        return GW_JSON_STRING;
    case JSON_INTEGER:
        return GW_JSON_INT;
    case JSON_REAL:
        return GW_JSON_REAL;
    case JSON_NULL:
        return GW_JSON_NULL;
    default:
        return GW_JSON_BOOL;
    }
}

bool gw_json_is_string(const struct gw_json *value) { return json_is_string(as_jansson(value)); }
bool gw_json_is_object(const struct gw_json *value) { return json_is_object(as_jansson(value)); }
bool gw_json_is_array(const struct gw_json *value) { return json_is_array(as_jansson(value)); }
bool gw_json_is_int(const struct gw_json *value) { return json_is_integer(as_jansson(value)); }
bool gw_json_is_number(const struct gw_json *value) { return json_is_number(as_jansson(value)); }
bool gw_json_is_bool(const struct gw_json *value) { return json_is_boolean(as_jansson(value)); }
bool gw_json_is_null(const struct gw_json *value) { return json_is_null(as_jansson(value)); }

const char *gw_json_text(const struct gw_json *value, size_t *length)
{
    assert(gw_json_is_string(value));
    if (length)
        *length = json_string_length(as_jansson(value));
    return json_string_value(as_jansson(value));
}

int64_t gw_json_int(const struct gw_json *value)
{
    assert(gw_json_is_int(value));
    return json_integer_value(as_jansson(value));
}

double gw_json_number(const struct gw_json *value)
{
    assert(gw_json_is_number(value));
    return json_number_value(as_jansson(value));
}

bool gw_json_bool(const struct gw_json *value)
{
    assert(gw_json_is_bool(value));
    return json_is_true(as_jansson(value));
}

size_t gw_json_count(const struct gw_json *container)
{
    const json_t *value = as_jansson(container);
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

struct gw_json *gw_json_at(const struct gw_json *array, size_t index) { return as_json(json_array_get(as_jansson(array), index)); }
struct gw_json *gw_json_get(const struct gw_json *object, const char *key) { return as_json(json_object_get(as_jansson(object), key)); }

struct gw_json *gw_json_getn(const struct gw_json *object, const char *key, size_t length)
{
    return as_json(json_object_getn(as_jansson(object), key, length));
}

bool gw_json_next(const struct gw_json *object, void **iterator, const char **key, struct gw_json **value)
{
    json_t *from = as_jansson(object);
    *iterator = *iterator ? json_object_iter_next(from, *iterator) : json_object_iter(from);
    if (!*iterator)
        return false;
    *key = json_object_iter_key(*iterator);
    *value = as_json(json_object_iter_value(*iterator));
    return true;
}

struct gw_json *gw_json_new_null(void) { return as_json(json_null()); }
struct gw_json *gw_json_new_bool(bool value) { return as_json(json_boolean(value)); }
struct gw_json *gw_json_new_array(void) { return as_json(json_array()); }
struct gw_json *gw_json_new_object(void) { return as_json(json_object()); }

struct gw_json *gw_json_new_int(int64_t value)
{
    bool is_safe = value >= -GW_JSON_MAX_INT && value <= GW_JSON_MAX_INT;
    return is_safe ? as_json(json_integer(value)) : NULL;
}

struct gw_json *gw_json_new_real(double value)
{
    if (!gw_json_is_valid_number(value))
        return NULL;
    bool is_whole = value == trunc(value) && fabs(value) < 1e21;
    return as_json(is_whole ? json_integer((json_int_t)value) : json_real(value));
}

static bool has_nul(const char *text, size_t length) { return length > 0 && memchr(text, '\0', length); }

struct gw_json *gw_json_new_text(const char *text, size_t length)
{
    return has_nul(text, length) ? NULL : as_json(json_stringn(text, length));
}

struct gw_json *gw_json_node_text(const char *text, size_t length) { return as_json(json_stringn_nocheck(text, length)); }

int gw_json_node_add(struct gw_json *object, const char *key, size_t length, struct gw_json *value)
{
    if (!json_object_getn(as_jansson(object), key, length))
        return json_object_setn_new_nocheck(as_jansson(object), key, length, as_jansson(value)) ? GW_ENOMEM : 0;
    gw_json_unref(value);
    return value ? GW_ECONFLICT : GW_ENOMEM;
}

int gw_json_set(struct gw_json *object, const char *key, struct gw_json *value) { return gw_json_setn(object, key, strlen(key), value); }

int gw_json_setn(struct gw_json *object, const char *key, size_t length, struct gw_json *value)
{
    assert(gw_json_is_object(object));
    if (!has_nul(key, length))
        return json_object_setn_new(as_jansson(object), key, length, as_jansson(value)) ? GW_ENOMEM : 0;
    gw_json_unref(value);
    return GW_ENOMEM;
}

int gw_json_append(struct gw_json *array, struct gw_json *value)
{
    assert(gw_json_is_array(array));
    return json_array_append_new(as_jansson(array), as_jansson(value)) ? GW_ENOMEM : 0;
}

void gw_json_remove(struct gw_json *object, const char *key) { json_object_del(as_jansson(object), key); }

static json_t *copy(const json_t *value);

static json_t *copy_object(json_t *from)
{
    json_t *to = json_object();
    if (!to)
        return NULL;
    for (void *i = json_object_iter(from); i; i = json_object_iter_next(from, i)) {
        json_t *item = copy(json_object_iter_value(i));
        if (json_object_setn_new_nocheck(to, json_object_iter_key(i), json_object_iter_key_len(i), item) == 0)
            continue;
        json_decref(to);
        return NULL;
    }
    return to;
}

static json_t *copy_array(const json_t *from)
{
    json_t *to = json_array();
    if (!to)
        return NULL;
    for (size_t i = 0; i < json_array_size(from); i++) {
        if (json_array_append_new(to, copy(json_array_get(from, i))) == 0)
            continue;
        json_decref(to);
        return NULL;
    }
    return to;
}

/* By hand: json_deep_copy looks for cycles with a hash table, and there are none here. */
static json_t *copy(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return copy_object((json_t *)value);
    case JSON_ARRAY:
        return copy_array(value);
    case JSON_STRING:
        return json_stringn_nocheck(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return json_integer(json_integer_value(value));
    case JSON_REAL:
        return json_real(json_real_value(value));
    default:
        return json_incref((json_t *)value);
    }
}

struct gw_json *gw_json_copy_deep(const struct gw_json *value) { return as_json(copy(as_jansson(value))); }

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
        return json_string_length(as_jansson(a)) == json_string_length(as_jansson(b)) &&
               memcmp(json_string_value(as_jansson(a)), json_string_value(as_jansson(b)), json_string_length(as_jansson(a))) == 0;
    case GW_JSON_BOOL:
        return gw_json_bool(a) == gw_json_bool(b);
    default:
        return true;
    }
}
