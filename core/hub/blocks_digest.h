/* blocks_digest.h — the digest of a block tree, such that a reader who folds the same operations can compute it too: a Merkle set
 * (merkle.h) of one leaf a block, key SHA-256(id), leaf SHA-256(0x00, canonical JSON of {after, id, kind, parent, props, text, vis}).
 * `after` is the left neighbour's id, null for the first: it covers the order without the volatile labels; `vis` is there when it is set.
 * Costs nothing until the first call, which builds the set; from then on a change notes the ids that it touched, and a call costs those
 * alone. Invisible otherwise: no part of a checkpoint, and a journal may revert behind its back. Thread and owner as blocks.h. */
#ifndef GW_HUB_BLOCKS_DIGEST_H
#define GW_HUB_BLOCKS_DIGEST_H

#include <stdint.h>

#include "base/digest.h"

struct gw_block;
struct gw_blocks;
struct gw_blocks_digest;
struct gw_buffer;

/* The digest of the tree as it stands. GW_ENOMEM. */
int gw_blocks_digest(struct gw_blocks *blocks, uint8_t out[GW_SHA256_BYTES]);
/* The canonical JSON that a leaf is made of, appended. */
void gw_blocks_digest_write(const struct gw_block *block, struct gw_buffer *out);

/* For blocks*.c alone: the leaf of `block` (NULL is fine) is no longer right; and the end. */
void gw_blocks_digest_touch(struct gw_blocks *blocks, struct gw_block *block);
void gw_blocks_digest_destroy(struct gw_blocks_digest *digest);

#endif
