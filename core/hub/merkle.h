/* merkle.h — a digest over a set of leaves that changes cheaply: a trie of fan-out 16 over the leaves' keys, whose inner digests are made
 * anew only along the paths that changed. The digest depends on the set alone, not on the way to it, so that anybody can recompute it:
 *   of no leaf: 32 zero bytes · of one leaf: the leaf itself · of more, at depth d: SHA-256(0x01, then the digests of the sixteen
 *   sets that have 0, 1 … 15 as hexadecimal digit d of their keys, in this order)
 * Keys are digests themselves, so the depth is logarithmic. Owns copies; one thread. Knows nothing of what the leaves stand for. */
#ifndef GW_HUB_MERKLE_H
#define GW_HUB_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct gw_merkle;

struct gw_merkle *gw_merkle_create(void); /* NULL when memory is gone */
void gw_merkle_destroy(struct gw_merkle *merkle);
/* Sets the leaf of `key`. GW_ENOMEM: the set may hold the old leaf or none; only destroy is of use then. */
int gw_merkle_put(struct gw_merkle *merkle, const uint8_t key[GW_SHA256_BYTES], const uint8_t leaf[GW_SHA256_BYTES]);
/* Takes the leaf of `key` out, if there is one. */
void gw_merkle_remove(struct gw_merkle *merkle, const uint8_t key[GW_SHA256_BYTES]);
size_t gw_merkle_count(const struct gw_merkle *merkle);
/* The digest of the set. Costs the inner nodes above what changed since the last call. */
void gw_merkle_root(struct gw_merkle *merkle, uint8_t out[GW_SHA256_BYTES]);

#endif
