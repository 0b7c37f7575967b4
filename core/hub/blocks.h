/* blocks.h — the block tree of one canvas: blocks by id, siblings in label order, properties, text, and the memory of removed ids.
 * Every change is a resolved operation, is undone by the journal when that is open, and costs O(log siblings) however large the
 * canvas is. Deterministic: same operations, same tree.
 *
 * Owns its blocks. One thread. A change that does not fit the tree (an unknown parent, a label that is taken) is GW_EINVAL, id
 * bad_op: the caller's events are damaged; the tree is then unchanged. GW_ENOMEM likewise leaves it unchanged. Does not judge
 * commands: schemas, limits and permissions are the resolver's. */
#ifndef GW_HUB_BLOCKS_H
#define GW_HUB_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "hub/order.h"
#include "hub/splice_context.h"
#include "hub/text.h"

struct gw_block;
struct gw_blocks;
struct gw_buffer;
struct gw_error;
struct gw_journal;
struct gw_json;
struct gw_removed_block;

/* `seed` is for hashing only and never shows. `journal` is the state's, borrowed, and outlives the tree. NULL when memory is gone. */
struct gw_blocks *gw_blocks_create(const uint8_t seed[16], const struct gw_splice_limits *limits, struct gw_journal *journal);
void gw_blocks_destroy(struct gw_blocks *blocks);

/* ---- reading. A block pointer is good until the next change of the tree, or, while the journal is open, until keep or revert. ---- */

size_t gw_blocks_count(const struct gw_blocks *blocks);
struct gw_block *gw_blocks_find(const struct gw_blocks *blocks, const char *id); /* NULL: removed or never there */
/* Seq at which `id` was removed, if it is not there now and that lies within the edit window before head_seq; else 0. */
uint64_t gw_blocks_removed_seq(const struct gw_blocks *blocks, const char *id, uint64_t head_seq);
const struct gw_removed_block *gw_blocks_removed(const struct gw_blocks *blocks, const char *id,
                                                 uint64_t head_seq); /* the same, as removed.h has it */
/* The same of a block that stands under that id again: an edit whose base is older was meant for the one that went. */
uint64_t gw_blocks_returned_seq(const struct gw_blocks *blocks, const struct gw_block *block, uint64_t head_seq);
/* Seq of the insert. An edit whose base is older and whose origin did not insert the block means another block of that id. */
uint64_t gw_block_born_seq(const struct gw_block *block);
const char *gw_block_id(const struct gw_block *block);
const char *gw_block_kind(const struct gw_block *block);
const char *gw_block_label(const struct gw_block *block);
const char *gw_block_vis(const struct gw_block *block);       /* "" when it has none */
const char *gw_block_author(const struct gw_block *block);    /* "" when it has none */
const char *gw_block_by(const struct gw_block *block);        /* the actor who inserted it; "" when that is not known */
struct gw_json *gw_block_props(const struct gw_block *block); /* borrowed object, never NULL; treat as immutable */
const struct gw_text *gw_block_text(const struct gw_block *block);

struct gw_block *gw_block_parent(const struct gw_block *block); /* NULL: at the root */
/* `parent` NULL = the root, here and below. */
struct gw_block *gw_blocks_first_child(const struct gw_blocks *blocks, const struct gw_block *parent);
size_t gw_blocks_child_count(const struct gw_blocks *blocks, const struct gw_block *parent);
struct gw_block *gw_block_next_sibling(const struct gw_block *block);
struct gw_block *gw_block_previous_sibling(const struct gw_block *block);
/* The next block in tree order (parents before children, siblings by label) within the subtree of `top` (NULL = all); starts with
 * block NULL; NULL at the end. */
struct gw_block *gw_blocks_next(const struct gw_blocks *blocks, const struct gw_block *top, const struct gw_block *block);
bool gw_block_is_within(const struct gw_block *block, const struct gw_block *top); /* also true for top itself */
size_t gw_block_depth(const struct gw_block *block);                               /* 1 at the root; 0 for NULL */
size_t gw_block_height(const struct gw_block *block); /* levels of its subtree, 1 for a leaf; kept, not counted */

/* ---- placing: which label, and which neighbours must move over ---- */

/* value */
struct gw_relabel {
    struct gw_block *block;
    struct gw_order_label label;
};
/* value; about 2 KiB */
struct gw_placement {
    struct gw_order_label label;
    size_t relabel_count;
    struct gw_relabel relabels[GW_ORDER_RELABEL_MAX]; /* in sibling order */
};
/* The place directly after `after` (NULL = first) among the children of `parent`; `moving` (may be NULL) is passed over and must
 * not be `after`. GW_ELIMIT (order_no_room). */
int gw_blocks_place(const struct gw_blocks *blocks, const struct gw_block *parent, const struct gw_block *after,
                    const struct gw_block *moving, struct gw_placement *out, struct gw_error *err);

/* The operation that a splice of `block` becomes, ready for gw_blocks_splice. Errors of gw_splice_log_resolve, and GW_EINVAL
 * (splice_out_of_range) with the length of the text as the author saw it. Changes nothing. */
int gw_blocks_resolve_splice(const struct gw_blocks *blocks, const struct gw_block *block, const struct gw_splice_edit *edit,
                             struct gw_text_op *resolved, struct gw_error *err);

/* ---- changing ---- */

/* value */
struct gw_block_insert {
    const char *id, *kind;
    const char *vis;         /* NULL or "": none */
    const char *author;      /* kind of the actor who inserts: at most 15 bytes, never changes; NULL or "": none */
    const char *by;          /* that actor's id; NULL or "": not known */
    struct gw_block *parent; /* NULL = root */
    const char *label;
    struct gw_json *props; /* a reference is taken; NULL = empty */
    const char *text;      /* valid UTF-8 */
    size_t text_bytes;
    uint64_t seq;
};
int gw_blocks_insert(struct gw_blocks *blocks, const struct gw_block_insert *insert, struct gw_block **out, struct gw_error *err);

/* Gives blocks new labels without changing who precedes whom, save for a block that the same event moves afterwards; folded before
 * the insert or move that needed it. */
int gw_blocks_relabel(struct gw_blocks *blocks, const struct gw_relabel *relabels, size_t count, struct gw_error *err);

/* value */
struct gw_block_update {
    struct gw_block *block;
    const struct gw_json *set;   /* object {prop: value}, or NULL; values are shared */
    const struct gw_json *unset; /* array of property names, or NULL */
    const char *vis;             /* NULL: unchanged; "": none */
};
int gw_blocks_update(struct gw_blocks *blocks, const struct gw_block_update *update, struct gw_error *err);

/* `parent` must not lie within the block. */
int gw_blocks_move(struct gw_blocks *blocks, struct gw_block *block, struct gw_block *parent, const char *label, struct gw_error *err);

/* Removes the subtree and remembers each id as removed at `seq`. O(subtree). */
int gw_blocks_remove(struct gw_blocks *blocks, struct gw_block *block, uint64_t seq, struct gw_error *err);

/* value */
struct gw_block_splice {
    struct gw_block *block;
    const struct gw_splice_edit *edit; /* as written, with its context; goes into the block's log */
    const struct gw_text_op *resolved; /* what changes the text */
    const char *ins;                   /* resolved->ins points */
    size_t ins_bytes;
};
int gw_blocks_splice(struct gw_blocks *blocks, const struct gw_block_splice *splice, struct gw_error *err);

/* Tells how far the run is; releases what fell out of the edit window, a bounded piece per call. Once per fold; nothing while the journal is open. */
void gw_blocks_advance(struct gw_blocks *blocks, uint64_t head_seq);

/* ---- checkpoint: blocks in the order of gw_blocks_next, then removed ids ---- */

/* One block as a JSON object {id, kind, parent, pos, born, author?, by?, vis?, props?, text?, edits?}. */
void gw_blocks_write_block(const struct gw_blocks *blocks, const struct gw_block *block, uint64_t head_seq, struct gw_buffer *out);
int gw_blocks_load_block(struct gw_blocks *blocks, const struct gw_json *saved, struct gw_error *err); /* its parent first */
/* The last removal of each id within the window, oldest first, also of those that stand again; start with *cursor = NULL. */
const struct gw_removed_block *gw_blocks_next_removed(const struct gw_blocks *blocks, uint64_t head_seq, const void **cursor);
int gw_blocks_load_removed(struct gw_blocks *blocks, const struct gw_removed_block *removed, struct gw_error *err);

#endif
