/* memory_spine.h — the driver of the spine port that forgets: for tests and for the `memory` configuration. Owns copies of everything that
 * it is given, up to a maximum. Port calls are safe from any thread; each is done at once, and completed by a post to the request's home.
 * Failure: past the maximum, or without memory, appends and puts get GW_EIO, as on a full disk. Not durable. */
#ifndef GW_SPINE_MEMORY_SPINE_H
#define GW_SPINE_MEMORY_SPINE_H

#include <stddef.h>

struct gw_clock;
struct gw_memory_spine;
struct gw_spine;

/* `clock` gives the seed of the maps and is not kept. `max_bytes` of payload and blobs; 0: no maximum. */
struct gw_memory_spine *gw_memory_spine_create(const struct gw_clock *clock, size_t max_bytes);
/* No request may be pending. NULL is fine. */
void gw_memory_spine_destroy(struct gw_memory_spine *spine);
/* The port; lives as long as `spine`. */
const struct gw_spine *gw_memory_spine_port(const struct gw_memory_spine *spine);

#endif
