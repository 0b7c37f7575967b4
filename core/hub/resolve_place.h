/* resolve_place.h — where a block is to stand: below which parent, after which sibling, with which label. For resolve*.c alone; changes
 * nothing. */
#ifndef GW_HUB_RESOLVE_PLACE_H
#define GW_HUB_RESOLVE_PLACE_H

#include "hub/resolve.h"

/* value: as a command names it */
struct gw_resolve_place {
    struct gw_block *parent; /* NULL: root */
    struct gw_block *after;  /* NULL: first */
};

/* Reads `parent` and `after` of `in`. `moving` (may be NULL) may not be its own parent, nor stand above it, nor come after itself. Ids
 * of gw_resolve_block, cycle, bad_after, missing_arg (a move needs `parent`; an insert without one goes to the root). */
int gw_resolve_place_read(const struct gw_resolve *r, struct gw_resolve_in in, const struct gw_block *moving, struct gw_resolve_place *out);

/* value */
struct gw_resolve_placed {
    struct gw_json *ops; /* an array: the relabel when neighbours must move over, else empty; the caller's. NULL on failure */
    char label[GW_ORDER_MAX + 1];
};

/* Chooses the label; `facets` are told the neighbours and the parent. limit_siblings. */
int gw_resolve_place_ops(const struct gw_resolve *r, const struct gw_resolve_place *place, const struct gw_block *moving,
                         struct gw_json *facets, struct gw_resolve_placed *out);

#endif
