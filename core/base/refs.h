/* refs.h — an atomic reference count, for the immutable messages that threads share. Embed it; the owner's unref function frees when
 * gw_refs_drop answers true. */
#ifndef GW_BASE_REFS_H
#define GW_BASE_REFS_H

#include <stdatomic.h>
#include <stdbool.h>

/* value, embedded */
struct gw_refs {
    atomic_uint count;
};

static inline void gw_refs_init(struct gw_refs *refs) { atomic_init(&refs->count, 1); }
static inline void gw_refs_add(struct gw_refs *refs) { atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed); }
/* True for the caller that dropped the last reference. */
static inline bool gw_refs_drop(struct gw_refs *refs) { return atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel) == 1; }

#endif
