/* bearer_cache.h — bearers that were verified lately, by the SHA-256 of their text: the token itself is not kept. Bounded; the least
 * recently used goes first. Owns a reference on each identity. Lives on one thread. Knows no clock: whoever finds an expired identity
 * removes it. */
#ifndef GW_IDENTITY_BEARER_CACHE_H
#define GW_IDENTITY_BEARER_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct gw_bearer_cache;
struct gw_identity;
struct gw_key_ring;

/* `max_entries` > 0. */
struct gw_bearer_cache *gw_bearer_cache_create(size_t max_entries, const uint8_t seed[16]);
void gw_bearer_cache_destroy(struct gw_bearer_cache *cache);
/* Borrowed, or NULL; makes it the most recently used. */
struct gw_identity *gw_bearer_cache_get(struct gw_bearer_cache *cache, const uint8_t digest[32]);
/* Remembers who the bearer was and which key (its thumbprint) signed it. Takes a reference. Without memory it is simply not remembered. */
void gw_bearer_cache_put(struct gw_bearer_cache *cache, const uint8_t digest[32], struct gw_identity *identity,
                         const uint8_t thumbprint[32]);
void gw_bearer_cache_remove(struct gw_bearer_cache *cache, const uint8_t digest[32]);
/* Forgets every bearer whose key the ring no longer has. */
void gw_bearer_cache_keep_signed_by(struct gw_bearer_cache *cache, const struct gw_key_ring *ring);
size_t gw_bearer_cache_count(const struct gw_bearer_cache *cache);

#endif
