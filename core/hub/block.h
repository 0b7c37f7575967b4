/* block.h — the inside of one block and of the tree, for the files of the block tree alone (blocks*.c, siblings.c).
 * Contracts are those of blocks.h. */
#ifndef GW_HUB_BLOCK_H
#define GW_HUB_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/order.h"
#include "hub/splice_context.h"
#include "hub/text.h"

struct gw_block;
struct gw_blocks_digest;
struct gw_buffer;
struct gw_json;
struct gw_journal;
struct gw_map;
struct gw_removed;

struct gw_block {
    struct gw_block *parent;   /* NULL: at the root */
    struct gw_block *children; /* root of the treap of its children */

    /* its node in the treap of its siblings; siblings.c */
    struct gw_block *left, *right, *up;
    uint32_t priority;
    uint32_t sibling_count; /* nodes at and below this one */
    uint32_t tallest;       /* height of the highest block at and below this node */

    struct gw_order_label label;
    bool is_removed;    /* detached, and kept until the journal closes */
    bool is_touched;    /* its id is noted for blocks_digest.c */
    const char *kind;   /* interned in the tree */
    const char *author; /* interned in the tree; "": none */
    const char *by;     /* likewise */
    char *vis;          /* owned; NULL: none */
    struct gw_json *props;
    struct gw_text text;
    struct gw_splice_log *edits;                    /* NULL before the first splice */
    struct gw_block *edited_previous, *edited_next; /* ring of the blocks that have edits */
    uint64_t born_seq;
    char id[];
};

struct gw_blocks {
    uint8_t seed[16];
    struct gw_splice_limits limits;
    struct gw_journal *journal;
    struct gw_map *by_id; /* also blocks that are removed, until the journal closes */
    struct gw_map *kinds; /* name → the interned name */
    struct gw_json *no_props;
    struct gw_block *top; /* root of the treap of the blocks without parent */
    size_t count;
    struct gw_removed *removed;
    struct gw_block *edited; /* the ring's next to be pruned */
    size_t open_ops;
    struct gw_blocks_digest *digest; /* NULL before anybody asked */
};

/* The treap that holds the children of `parent`. */
struct gw_block **gw_blocks_children(struct gw_blocks *blocks, struct gw_block *parent);
/* Links a block into the tree behind `previous` (NULL = first), and out of it. Heights follow. */
void gw_blocks_attach(struct gw_blocks *blocks, struct gw_block *block, struct gw_block *parent, struct gw_block *previous);
void gw_blocks_detach(struct gw_blocks *blocks, struct gw_block *block);
/* The tree's own copy of a text that many blocks share, which lives as long as the tree; NULL when memory is gone. */
const char *gw_blocks_intern(struct gw_blocks *blocks, const char *text);
/* Gives the block a log, for its first edit. */
int gw_blocks_open_edits(struct gw_blocks *blocks, struct gw_block *block);
/* Frees one block, not its children. */
void gw_block_free(struct gw_blocks *blocks, struct gw_block *block);
/* `,"text":"…"`, appended. */
void gw_blocks_write_text(const struct gw_block *block, struct gw_buffer *out);

#endif
