/* memory_faults.h — faults that a test orders from the memory spine. Each order is kept until it is used up or changed. Any thread; owns
 * nothing. Only for tests: no other code includes this. */
#ifndef GW_SPINE_MEMORY_FAULTS_H
#define GW_SPINE_MEMORY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_memory_spine;
struct gw_run_key;

/* The next `count` appends answer `status` (GW_EIO, GW_EBUSY, GW_ECONFLICT …) and store nothing. */
void gw_memory_spine_fail_appends(struct gw_memory_spine *spine, int status, size_t count);
/* The next append answers GW_EUNKNOWN_OUTCOME; `is_stored` tells what really happened to it. */
void gw_memory_spine_lose_append(struct gw_memory_spine *spine, bool is_stored);
/* The next `count` reads, tails and gets answer `status`. */
void gw_memory_spine_fail_reads(struct gw_memory_spine *spine, int status, size_t count);
/* From now on completions of appends, puts and erasures wait (they are stored already); release posts what waits, oldest first, at most `count` of
 * them, and ends the holding when `count` is SIZE_MAX. Returns how many were posted. */
void gw_memory_spine_hold(struct gw_memory_spine *spine);
size_t gw_memory_spine_release(struct gw_memory_spine *spine, size_t count);
size_t gw_memory_spine_held_count(struct gw_memory_spine *spine);

#endif
