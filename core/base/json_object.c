#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_node.h"
#include "base/map.h"

/* Few members are found faster by looking at each: most lengths differ. */
enum { FEW_MEMBERS = 16, FIRST_CAPACITY = 4 };

/* Positions of members + 1, by a hash that peers cannot foresee; 0: free. The seed is the index's own: small objects, which nearly all are, need none. */
struct gw_json_index {
    uint8_t seed[16];
    uint32_t capacity;
    uint32_t slots[];
};

static uint32_t hash_of(const struct gw_json_index *index, const char *key, size_t length)
{
    return (uint32_t)gw_siphash(index->seed, key, length);
}

const char *gw_json_member_key(const struct gw_json_member *member)
{
    return member->key_length < GW_JSON_NEAR_KEY_BYTES ? member->key.near : member->key.far;
}

static bool is_named(const struct gw_json_member *member, const char *key, size_t length)
{
    return member->value && member->key_length == length && memcmp(gw_json_member_key(member), key, length) == 0;
}

/* ---- the index --------------------------------------------------------------------------------------------------------------------------- */

static void enter(struct gw_json_index *index, const struct gw_json_object *object, uint32_t position)
{
    uint32_t mask = index->capacity - 1, slot = object->members[position].hash & mask;
    while (index->slots[slot])
        slot = (slot + 1) & mask;
    index->slots[slot] = position + 1;
}

static void enter_all(struct gw_json_index *index, const struct gw_json_object *object)
{
    memset(index->slots, 0, index->capacity * sizeof *index->slots);
    for (uint32_t i = 0; i < object->used; i++)
        enter(index, object, i);
}

static struct gw_json_index *create_index(uint32_t capacity)
{
    struct gw_json_index *index = gw_try_alloc(sizeof *index + capacity * sizeof *index->slots);
    if (!index || getrandom(index->seed, sizeof index->seed, 0) != (ssize_t)sizeof index->seed) {
        gw_free(index);
        return NULL;
    }
    index->capacity = capacity;
    return index;
}

/* At most half full, with one member more than there are. */
static int grow_index(struct gw_json_object *object)
{
    if (object->used < FEW_MEMBERS || (object->index && object->used < object->index->capacity / 2))
        return GW_OK;
    struct gw_json_index *index = create_index(object->index ? object->index->capacity * 2 : FEW_MEMBERS * 4);
    if (!index)
        return GW_ENOMEM;
    for (uint32_t i = 0; i < object->used; i++)
        object->members[i].hash = hash_of(index, gw_json_member_key(&object->members[i]), object->members[i].key_length);
    enter_all(index, object);
    gw_free(object->index);
    object->index = index;
    return GW_OK;
}

static struct gw_json_member *find_by_index(const struct gw_json_object *object, const char *key, size_t length)
{
    const struct gw_json_index *index = object->index;
    uint32_t mask = index->capacity - 1, hash = hash_of(index, key, length);
    for (uint32_t slot = hash & mask; index->slots[slot]; slot = (slot + 1) & mask) {
        struct gw_json_member *member = &object->members[index->slots[slot] - 1];
        if (member->hash == hash && is_named(member, key, length))
            return member;
    }
    return NULL;
}

/* ---- members ----------------------------------------------------------------------------------------------------------------------------- */

struct gw_json_member *gw_json_object_find(const struct gw_json_object *object, const char *key, size_t length)
{
    if (object->index)
        return find_by_index(object, key, length);
    for (uint32_t i = 0; i < object->used; i++)
        if (is_named(&object->members[i], key, length))
            return &object->members[i];
    return NULL;
}

static int grow_members(struct gw_json_object *object)
{
    if (object->used < object->capacity)
        return GW_OK;
    if (object->used >= UINT32_MAX / 8)
        return GW_ENOMEM;
    uint32_t capacity = object->capacity ? object->capacity * 2 : FIRST_CAPACITY;
    struct gw_json_member *members = gw_try_grow(object->members, capacity, sizeof *members);
    if (!members)
        return GW_ENOMEM;
    object->members = members;
    object->capacity = capacity;
    return GW_OK;
}

static int set_key(struct gw_json_member *member, const char *key, size_t length)
{
    if (length >= UINT32_MAX)
        return GW_ENOMEM;
    member->key_length = (uint32_t)length;
    if (length >= GW_JSON_NEAR_KEY_BYTES) {
        member->key.far = gw_try_strndup(key, length);
        return member->key.far ? GW_OK : GW_ENOMEM;
    }
    memcpy(member->key.near, key, length);
    member->key.near[length] = '\0';
    return GW_OK;
}

int gw_json_object_add(struct gw_json_object *object, const char *key, size_t length, struct gw_json *value)
{
    if (grow_members(object) || grow_index(object) || set_key(&object->members[object->used], key, length))
        return GW_ENOMEM;
    struct gw_json_member *member = &object->members[object->used++];
    member->value = value;
    if (!object->index)
        return GW_OK;
    member->hash = hash_of(object->index, key, length);
    enter(object->index, object, object->used - 1);
    return GW_OK;
}

static void release(struct gw_json_member *member)
{
    if (member->key_length >= GW_JSON_NEAR_KEY_BYTES)
        gw_free(member->key.far);
    gw_json_unref(member->value);
}

static void close_holes(struct gw_json_object *object)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < object->used; i++)
        if (object->members[i].value)
            object->members[kept++] = object->members[i];
    object->used = kept;
    object->holes = 0;
    if (object->index)
        enter_all(object->index, object);
}

void gw_json_object_drop(struct gw_json_object *object, struct gw_json_member *member)
{
    release(member);
    *member = (struct gw_json_member){.hash = member->hash};
    object->holes++;
    /* Of many members only now and then, or emptying an object would take a square of its size. */
    if (!object->index || object->holes > object->used / 2)
        close_holes(object);
}

void gw_json_object_fini(struct gw_json_object *object)
{
    for (uint32_t i = 0; i < object->used; i++)
        release(&object->members[i]);
    gw_free(object->members);
    gw_free(object->index);
}
