/* resolve_was.h — what stood before a change: the member `was` of an event's context, by which the change can be taken back without the
 * state of that time (revise.h). For resolve*.c alone. Each answers a new context, NULL when memory is gone.
 *
 *   an update    was {set: {prop: former value}, unset: [prop that was not there], vis?: former | null}
 *   a move       was {parent, after}: where it stood
 *   a remove     was [{id, kind, parent, after, props, text, author, by, vis?}]: the subtree, parents first; absent when that is larger
 *                than GW_WAS_MAX_BYTES
 *   a splice     was [text]: what each of its ops removed
 *   token_patch  was {set, unset}: as for an update */
#ifndef GW_HUB_RESOLVE_WAS_H
#define GW_HUB_RESOLVE_WAS_H

#include "hub/resolve.h"

#define GW_WAS_MAX_BYTES (128u << 10)

struct gw_json *gw_was_update(const struct gw_block *block, const struct gw_json *set, const struct gw_json *unset, bool changes_vis);
struct gw_json *gw_was_place(const struct gw_block *block);
struct gw_json *gw_was_removed(const struct gw_blocks *blocks, const struct gw_block *top);
struct gw_json *gw_was_tokens(const struct gw_tokens *tokens, const struct gw_json *set, const struct gw_json *unset);
/* Adds it to the context of a splice that is to become `op`. GW_ENOMEM. */
int gw_was_cut(struct gw_json *context, const struct gw_text *text, const struct gw_text_op *op);

/* A block as the member of a remove has it. */
struct gw_json *gw_was_block(const struct gw_block *block);
/* The whole text as JSON. */
struct gw_json *gw_was_text(const struct gw_block *block);

#endif
