/* siblings.h — the children of one parent in order: a treap whose nodes are the blocks themselves, so that neighbours, places and moves
 * cost O(log n) and no memory. Priorities come from the ids' hash; the shape never shows. Functions on a root pointer that the parent
 * holds; one thread. */
#ifndef GW_HUB_SIBLINGS_H
#define GW_HUB_SIBLINGS_H

#include <stddef.h>

struct gw_block;

struct gw_block *gw_siblings_first(const struct gw_block *root);
struct gw_block *gw_siblings_last(const struct gw_block *root);
struct gw_block *gw_siblings_next(const struct gw_block *node);
struct gw_block *gw_siblings_previous(const struct gw_block *node);
/* The last one whose label is below `label`; NULL when there is none. */
struct gw_block *gw_siblings_before(const struct gw_block *root, const char *label);

/* Links `node`, which is in no treap, directly behind `previous` (NULL = first). */
void gw_siblings_insert(struct gw_block **root, struct gw_block *previous, struct gw_block *node);
void gw_siblings_remove(struct gw_block **root, struct gw_block *node);
/* Counts again from `node` up to the root, after the height of node's own subtree changed. */
void gw_siblings_recount(struct gw_block *node);

#endif
