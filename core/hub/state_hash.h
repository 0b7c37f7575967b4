/* state_hash.h — the digest that a canvas_commit carries: of one canvas and the run's Tokens, as a reader who sees everything can compute
 * it from its own fold: SHA-256(0x02, digest of the blocks (blocks_digest.h), SHA-256(canonical JSON of the Tokens that are set)).
 * Costs what changed on the canvas since the last call, and the Tokens. Owner's thread. Leaves the state as it is but for what is kept
 * for the next call. */
#ifndef GW_HUB_STATE_HASH_H
#define GW_HUB_STATE_HASH_H

#include "base/digest.h"

struct gw_canvas;
struct gw_state;

#define GW_STATE_HASH_SIZE (2 * GW_SHA256_BYTES + 1)

/* Lower-case hexadecimal. GW_ENOMEM. */
int gw_state_hash(const struct gw_state *state, struct gw_canvas *canvas, char out[GW_STATE_HASH_SIZE]);

#endif
