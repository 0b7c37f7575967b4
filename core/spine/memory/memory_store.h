/* memory_store.h — what the memory spine holds: per run its records, floor and blobs. Owns copies. One thread at a time: the spine locks.
 * Failure: GW_EIO past the maximum or without memory, with nothing stored. */
#ifndef GW_SPINE_MEMORY_STORE_H
#define GW_SPINE_MEMORY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "spine/job.h"

struct gw_memory_store;

/* `seed` is 16 random bytes; max_bytes 0: no maximum. */
struct gw_memory_store *gw_memory_store_create(const uint8_t seed[16], size_t max_bytes);
void gw_memory_store_destroy(struct gw_memory_store *store);
/* Carries a job out and fills its status and outputs. */
void gw_memory_store_execute(struct gw_memory_store *store, const struct gw_spine_job *job);

#endif
