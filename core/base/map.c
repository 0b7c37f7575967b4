#include "base/map.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { FIRST_CAPACITY = 16 };

struct entry {
    void *value;
    size_t length;
    char key[];
};

/* Open addressing with linear probing. entry == NULL: never used; entry == removed_mark(): passed over by searches, reused by puts. */
struct slot {
    uint64_t hash;
    struct entry *entry;
};

struct gw_map {
    uint8_t seed[16];
    size_t count;
    size_t used;     /* live and removed slots: what makes searches long */
    size_t capacity; /* 0 or a power of two */
    struct slot *slots;
};

/* An address that no entry has; never read through. Removal leaves the other entries where they are, so that iteration survives it. */
static struct entry *removed_mark(void)
{
    static const struct entry mark;
    return (struct entry *)&mark;
}

static bool is_live(const struct slot *slot) { return slot->entry && slot->entry != removed_mark(); }

struct gw_map *gw_map_create(const uint8_t seed[16])
{
    struct gw_map *map = gw_alloc(sizeof *map);
    memcpy(map->seed, seed, sizeof map->seed);
    return map;
}

void gw_map_destroy(struct gw_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(&map->slots[i]))
            gw_free(map->slots[i].entry);
    gw_free(map->slots);
    gw_free(map);
}

static bool is_match(const struct slot *slot, uint64_t hash, const void *key, size_t length)
{
    return slot->hash == hash && is_live(slot) && slot->entry->length == length &&
           (length == 0 || memcmp(slot->entry->key, key, length) == 0);
}

static struct slot *find(const struct gw_map *map, uint64_t hash, const void *key, size_t length)
{
    if (map->count == 0)
        return NULL;
    for (size_t i = hash & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1)) {
        struct slot *slot = &map->slots[i];
        if (!slot->entry)
            return NULL;
        if (is_match(slot, hash, key, length))
            return slot;
    }
}

/* The slot for a key that is not there. */
static struct slot *find_free(struct slot *slots, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);
    while (is_live(&slots[i]))
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

/* At most three quarters used, or a search would not end. Grows, shrinks or only sweeps the removed, as the live count asks. */
static int make_room(struct gw_map *map)
{
    if (map->used + 1 <= map->capacity / 4 * 3)
        return 0;
    size_t capacity = FIRST_CAPACITY;
    while (capacity / 2 < map->count + 1)
        if (__builtin_mul_overflow(capacity, 2, &capacity))
            return GW_ENOMEM;
    struct slot *slots = gw_try_grow(NULL, capacity, sizeof *slots);
    if (!slots)
        return GW_ENOMEM;
    memset(slots, 0, capacity * sizeof *slots);
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(&map->slots[i]))
            *find_free(slots, capacity, map->slots[i].hash) = map->slots[i];
    gw_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    map->used = map->count;
    return 0;
}

static struct entry *new_entry(const void *key, size_t length, void *value)
{
    size_t size;
    if (__builtin_add_overflow(sizeof(struct entry), length, &size))
        return NULL;
    struct entry *entry = gw_try_alloc(size);
    if (!entry)
        return NULL;
    entry->value = value;
    entry->length = length;
    if (length)
        memcpy(entry->key, key, length);
    return entry;
}

void *gw_map_get(const struct gw_map *map, const void *key, size_t length)
{
    const struct slot *slot = find(map, gw_siphash(map->seed, key, length), key, length);
    return slot ? slot->entry->value : NULL;
}

int gw_map_put(struct gw_map *map, const void *key, size_t length, void *value, void **old)
{
    assert(value);
    uint64_t hash = gw_siphash(map->seed, key, length);
    struct slot *slot = find(map, hash, key, length);
    if (old)
        *old = slot ? slot->entry->value : NULL;
    if (slot) {
        slot->entry->value = value;
        return 0;
    }
    if (make_room(map))
        return GW_ENOMEM;
    struct entry *entry = new_entry(key, length, value);
    if (!entry)
        return GW_ENOMEM;
    slot = find_free(map->slots, map->capacity, hash);
    map->used += slot->entry ? 0 : 1;
    map->count++;
    *slot = (struct slot){hash, entry};
    return 0;
}

void *gw_map_remove(struct gw_map *map, const void *key, size_t length)
{
    struct slot *slot = find(map, gw_siphash(map->seed, key, length), key, length);
    if (!slot)
        return NULL;
    void *value = slot->entry->value;
    gw_free(slot->entry);
    slot->entry = removed_mark();
    map->count--;
    return value;
}

size_t gw_map_count(const struct gw_map *map) { return map->count; }

bool gw_map_next(const struct gw_map *map, size_t *cursor, const void **key, size_t *length, void **value)
{
    for (; *cursor < map->capacity; ++*cursor) {
        const struct slot *slot = &map->slots[*cursor];
        if (!is_live(slot))
            continue;
        *key = slot->entry->key;
        *length = slot->entry->length;
        *value = slot->entry->value;
        ++*cursor;
        return true;
    }
    return false;
}
