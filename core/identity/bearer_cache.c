#include "identity/bearer_cache.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "identity/identity.h"
#include "identity/key_ring.h"

#define DIGEST_BYTES 32

struct entry {
    uint8_t digest[DIGEST_BYTES];
    uint8_t thumbprint[32];
    struct gw_identity *identity;
    struct entry *newer, *older;
};

struct gw_bearer_cache {
    struct gw_map *entries;
    size_t max_entries;
    struct entry *newest, *oldest;
};

struct gw_bearer_cache *gw_bearer_cache_create(size_t max_entries, const uint8_t seed[16])
{
    struct gw_bearer_cache *cache = gw_alloc(sizeof *cache);
    cache->entries = gw_map_create(seed);
    cache->max_entries = max_entries;
    return cache;
}

static void unlink_entry(struct gw_bearer_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct gw_bearer_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct gw_bearer_cache *cache, struct entry *entry)
{
    gw_map_remove(cache->entries, entry->digest, DIGEST_BYTES);
    unlink_entry(cache, entry);
    gw_identity_unref(entry->identity);
    gw_free(entry);
}

void gw_bearer_cache_destroy(struct gw_bearer_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        drop(cache, cache->oldest);
    gw_map_destroy(cache->entries);
    gw_free(cache);
}

struct gw_identity *gw_bearer_cache_get(struct gw_bearer_cache *cache, const uint8_t digest[32])
{
    struct entry *entry = gw_map_get(cache->entries, digest, DIGEST_BYTES);
    if (entry == NULL)
        return NULL;
    unlink_entry(cache, entry);
    link_newest(cache, entry);
    return entry->identity;
}

void gw_bearer_cache_put(struct gw_bearer_cache *cache, const uint8_t digest[32], struct gw_identity *identity,
                         const uint8_t thumbprint[32])
{
    gw_bearer_cache_remove(cache, digest);
    if (gw_map_count(cache->entries) >= cache->max_entries)
        drop(cache, cache->oldest);
    struct entry *entry = gw_try_alloc(sizeof *entry);
    if (entry == NULL)
        return;
    memcpy(entry->digest, digest, DIGEST_BYTES);
    memcpy(entry->thumbprint, thumbprint, sizeof entry->thumbprint);
    if (gw_map_put(cache->entries, digest, DIGEST_BYTES, entry, NULL) != 0) {
        gw_free(entry);
        return;
    }
    entry->identity = gw_identity_ref(identity);
    link_newest(cache, entry);
}

void gw_bearer_cache_remove(struct gw_bearer_cache *cache, const uint8_t digest[32])
{
    struct entry *entry = gw_map_get(cache->entries, digest, DIGEST_BYTES);
    if (entry != NULL)
        drop(cache, entry);
}

void gw_bearer_cache_keep_signed_by(struct gw_bearer_cache *cache, const struct gw_key_ring *ring)
{
    struct entry *next;
    for (struct entry *entry = cache->newest; entry != NULL; entry = next) {
        next = entry->older;
        if (!gw_key_ring_has(ring, entry->thumbprint))
            drop(cache, entry);
    }
}

size_t gw_bearer_cache_count(const struct gw_bearer_cache *cache) { return gw_map_count(cache->entries); }
