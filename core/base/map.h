/* map.h — hash map from byte strings to pointers, seeded (SipHash-2-4) because peers choose the keys. Owns copies of its keys, not its
 * values. One thread at a time. Iteration order is unspecified: sort where order shows. */
#ifndef GW_BASE_MAP_H
#define GW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_map;

/* `seed` is 16 random bytes, copied. */
struct gw_map *gw_map_create(const uint8_t seed[16]);
/* Frees the map and its keys. Values are the caller's: drain them first. */
void gw_map_destroy(struct gw_map *map);
/* The value, or NULL. */
void *gw_map_get(const struct gw_map *map, const void *key, size_t length);
/* Sets the value (not NULL); *old (may be NULL) receives what stood there. GW_ENOMEM leaves the map as it was. */
int gw_map_put(struct gw_map *map, const void *key, size_t length, void *value, void **old);
/* Removes and returns the value, or NULL. */
void *gw_map_remove(struct gw_map *map, const void *key, size_t length);
size_t gw_map_count(const struct gw_map *map);
/* Iterates: start with *cursor = 0; false at the end. Removing the entry just returned is allowed, adding is not. */
bool gw_map_next(const struct gw_map *map, size_t *cursor, const void **key, size_t *length, void **value);
/* SipHash-2-4 of `bytes` (Aumasson, Bernstein 2012). */
uint64_t gw_siphash(const uint8_t seed[16], const void *bytes, size_t length);

#endif
