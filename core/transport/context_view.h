/* context_view.h — the state that context_lens looks at: what GET /v1/state says, bounded, so that a run of any size has a context. What fits the bounds is given as it
 * is. Of more, texts are cut to GW_CONTEXT_TEXT_BYTES, at a code point, with "…" behind and `text_bytes`, the whole length, beside; and each part has a share:
 *   Tokens     by key; what does not fit any more is left out
 *   graph      nodes by id, then edges between those; likewise
 *   blocks     the focused canvas, then the others by id, each as one reads it: a block, those below it, the next by its place; the first that does not fit
 *              ends it. One that alone is too large goes, with those below it
 *   chat       the newest first; the first that does not fit ends it
 * The same state gives the same view. Pure; one thread. */
#ifndef GW_TRANSPORT_CONTEXT_VIEW_H
#define GW_TRANSPORT_CONTEXT_VIEW_H

#include <stddef.h>

struct gw_error;
struct gw_json;

#define GW_CONTEXT_VIEW_BYTES  (512u << 10) /* of a state that is given as it is */
#define GW_CONTEXT_BLOCKS      2048
#define GW_CONTEXT_TEXT_BYTES  4096 /* as JSON writes them; the next five likewise */
#define GW_CONTEXT_TOKEN_SHARE (64u << 10)
#define GW_CONTEXT_GRAPH_SHARE (64u << 10)
#define GW_CONTEXT_BLOCK_SHARE (256u << 10)
#define GW_CONTEXT_CHAT_SHARE  (128u << 10)
#define GW_CONTEXT_ENTRY_BYTES (32u << 10) /* the largest block, node, edge, Token or message */

/* `body` is what a read of the state answered; `focus` may be NULL. *view is a new reference, with the member `left_out`: {blocks, edges, messages, nodes, tokens}, how
 * many are not there, and {texts}, how many were cut. GW_ENOMEM. */
int gw_context_view(const char *body, size_t length, const char *focus, struct gw_json **view, struct gw_error *err);

#endif
