#include "hub/blocks.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/block.h"
#include "hub/blocks_digest.h"
#include "hub/journal.h"
#include "hub/removed.h"
#include "hub/siblings.h"
#include "hub/splice_log.h"

enum { CUTS_PER_ADVANCE = 16 }; /* forgotten removals: more than one event can add, on the long run */

static void free_values(struct gw_map *map, void (*free_value)(struct gw_blocks *, void *), struct gw_blocks *blocks)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(map, &cursor, &key, &length, &value))
        free_value(blocks, value);
    gw_map_destroy(map);
}

static void free_block_value(struct gw_blocks *blocks, void *block) { gw_block_free(blocks, block); }

static void free_kind_value(struct gw_blocks *blocks, void *kind)
{
    (void)blocks;
    gw_free(kind);
}

static void free_tree(struct gw_blocks *blocks)
{
    free_values(blocks->by_id, free_block_value, blocks);
    free_values(blocks->kinds, free_kind_value, blocks);
    gw_removed_destroy(blocks->removed);
    gw_blocks_digest_destroy(blocks->digest);
    gw_json_unref(blocks->no_props);
    gw_free(blocks);
}

void gw_blocks_destroy(struct gw_blocks *blocks)
{
    if (!blocks)
        return;
    assert(!blocks->journal->is_open);
    free_tree(blocks);
}

struct gw_blocks *gw_blocks_create(const uint8_t seed[16], const struct gw_splice_limits *limits, struct gw_journal *journal)
{
    struct gw_blocks *blocks = gw_try_alloc(sizeof *blocks);
    if (!blocks)
        return NULL;
    *blocks = (struct gw_blocks){.limits = *limits, .journal = journal};
    memcpy(blocks->seed, seed, sizeof blocks->seed);
    blocks->by_id = gw_map_create(seed);
    blocks->kinds = gw_map_create(seed);
    blocks->no_props = gw_json_new_object();
    blocks->removed = gw_removed_create(seed);
    if (blocks->no_props && blocks->removed)
        return blocks;
    free_tree(blocks);
    return NULL;
}

/* ---- links ---- */

struct gw_block **gw_blocks_children(struct gw_blocks *blocks, struct gw_block *parent)
{
    return parent ? &parent->children : &blocks->top;
}

/* The height of `parent` was `before`; tells the levels above as far as it matters to them. */
static void pass_height_up(struct gw_block *parent, size_t before)
{
    while (parent && gw_block_height(parent) != before) {
        struct gw_block *above = parent->parent;
        before = gw_block_height(above);
        gw_siblings_recount(parent);
        parent = above;
    }
}

void gw_blocks_attach(struct gw_blocks *blocks, struct gw_block *block, struct gw_block *parent, struct gw_block *previous)
{
    size_t before = gw_block_height(parent);
    block->parent = parent;
    gw_siblings_insert(gw_blocks_children(blocks, parent), previous, block);
    pass_height_up(parent, before);
}

void gw_blocks_detach(struct gw_blocks *blocks, struct gw_block *block)
{
    size_t before = gw_block_height(block->parent);
    gw_siblings_remove(gw_blocks_children(blocks, block->parent), block);
    pass_height_up(block->parent, before);
}

/* ---- blocks with edits: a ring that advance walks ---- */

int gw_blocks_open_edits(struct gw_blocks *blocks, struct gw_block *block)
{
    if (block->edits)
        return 0;
    block->edits = gw_splice_log_create(&blocks->open_ops);
    if (!block->edits)
        return GW_ENOMEM;
    struct gw_block *next = blocks->edited ? blocks->edited : block;
    struct gw_block *previous = blocks->edited ? next->edited_previous : block;
    block->edited_next = next;
    block->edited_previous = previous;
    next->edited_previous = previous->edited_next = block;
    blocks->edited = next;
    return 0;
}

static void close_edits(struct gw_blocks *blocks, struct gw_block *block)
{
    if (!block->edits)
        return;
    if (blocks->edited == block)
        blocks->edited = block->edited_next == block ? NULL : block->edited_next;
    block->edited_previous->edited_next = block->edited_next;
    block->edited_next->edited_previous = block->edited_previous;
    gw_splice_log_destroy(block->edits);
    block->edits = NULL;
}

void gw_blocks_advance(struct gw_blocks *blocks, uint64_t head_seq)
{
    if (blocks->journal->is_open)
        return;
    gw_removed_cut(blocks->removed, gw_splice_floor(&blocks->limits, head_seq), CUTS_PER_ADVANCE);
    struct gw_block *block = blocks->edited;
    if (!block)
        return;
    blocks->edited = block->edited_next;
    gw_splice_log_prune(block->edits, &blocks->limits, head_seq);
    if (gw_splice_log_is_empty(block->edits))
        close_edits(blocks, block);
}

void gw_block_free(struct gw_blocks *blocks, struct gw_block *block)
{
    close_edits(blocks, block);
    gw_text_fini(&block->text);
    gw_json_unref(block->props);
    gw_free(block->vis);
    gw_free(block);
}

/* ---- reading ---- */

size_t gw_blocks_count(const struct gw_blocks *blocks) { return blocks->count; }

struct gw_block *gw_blocks_find(const struct gw_blocks *blocks, const char *id)
{
    struct gw_block *block = gw_map_get(blocks->by_id, id, strlen(id));
    return block && !block->is_removed ? block : NULL;
}

static uint64_t last_removal(const struct gw_blocks *blocks, const char *id, uint64_t head_seq)
{
    const struct gw_removed_block *last = gw_removed_find(blocks->removed, id);
    return last && last->seq > gw_splice_floor(&blocks->limits, head_seq) ? last->seq : 0;
}

const struct gw_removed_block *gw_blocks_removed(const struct gw_blocks *blocks, const char *id, uint64_t head_seq)
{
    return gw_blocks_removed_seq(blocks, id, head_seq) ? gw_removed_find(blocks->removed, id) : NULL;
}

uint64_t gw_blocks_removed_seq(const struct gw_blocks *blocks, const char *id, uint64_t head_seq)
{
    return gw_blocks_find(blocks, id) ? 0 : last_removal(blocks, id, head_seq);
}

uint64_t gw_blocks_returned_seq(const struct gw_blocks *blocks, const struct gw_block *block, uint64_t head_seq)
{
    return last_removal(blocks, block->id, head_seq);
}

uint64_t gw_block_born_seq(const struct gw_block *block) { return block->born_seq; }
const char *gw_block_id(const struct gw_block *block) { return block->id; }
const char *gw_block_kind(const struct gw_block *block) { return block->kind; }
const char *gw_block_label(const struct gw_block *block) { return block->label.text; }
const char *gw_block_vis(const struct gw_block *block) { return block->vis ? block->vis : ""; }
const char *gw_block_author(const struct gw_block *block) { return block->author; }
const char *gw_block_by(const struct gw_block *block) { return block->by; }
struct gw_json *gw_block_props(const struct gw_block *block) { return block->props; }
const struct gw_text *gw_block_text(const struct gw_block *block) { return &block->text; }
struct gw_block *gw_block_parent(const struct gw_block *block) { return block->parent; }

static struct gw_block *root_of(const struct gw_blocks *blocks, const struct gw_block *parent)
{
    return parent ? parent->children : blocks->top;
}

struct gw_block *gw_blocks_first_child(const struct gw_blocks *blocks, const struct gw_block *parent)
{
    return gw_siblings_first(root_of(blocks, parent));
}

size_t gw_blocks_child_count(const struct gw_blocks *blocks, const struct gw_block *parent)
{
    const struct gw_block *root = root_of(blocks, parent);
    return root ? root->sibling_count : 0;
}

struct gw_block *gw_block_next_sibling(const struct gw_block *block) { return gw_siblings_next(block); }
struct gw_block *gw_block_previous_sibling(const struct gw_block *block) { return gw_siblings_previous(block); }

struct gw_block *gw_blocks_next(const struct gw_blocks *blocks, const struct gw_block *top, const struct gw_block *block)
{
    if (!block)
        return top ? (struct gw_block *)(uintptr_t)top : gw_siblings_first(blocks->top);
    if (block->children)
        return gw_siblings_first(block->children);
    for (; block && block != top; block = block->parent) {
        struct gw_block *next = gw_siblings_next(block);
        if (next)
            return next;
    }
    return NULL;
}

bool gw_block_is_within(const struct gw_block *block, const struct gw_block *top)
{
    while (block && block != top)
        block = block->parent;
    return block != NULL;
}

size_t gw_block_depth(const struct gw_block *block)
{
    size_t depth = 0;
    for (; block; block = block->parent)
        depth++;
    return depth;
}

size_t gw_block_height(const struct gw_block *block)
{
    if (!block)
        return 0;
    return block->children ? (size_t)block->children->tallest + 1 : 1;
}

/* ---- placing ---- */

static struct gw_block *next_but(const struct gw_block *block, const struct gw_block *moving)
{
    struct gw_block *next = gw_siblings_next(block);
    return next && next == moving ? gw_siblings_next(next) : next;
}

static struct gw_block *previous_but(const struct gw_block *block, const struct gw_block *moving)
{
    struct gw_block *previous = gw_siblings_previous(block);
    return previous && previous == moving ? gw_siblings_previous(previous) : previous;
}

/* value: the neighbours of a place as blocks and as labels, nearest first */
struct neighbourhood {
    struct gw_block *left[GW_ORDER_RELABEL_MAX + 1];
    struct gw_block *right[GW_ORDER_RELABEL_MAX + 1];
    struct gw_order_neighbours labels;
};

static void look_around(struct gw_block *left, struct gw_block *right, const struct gw_block *moving, struct neighbourhood *n)
{
    n->labels.left_count = n->labels.right_count = 0;
    for (; left && n->labels.left_count <= GW_ORDER_RELABEL_MAX; left = previous_but(left, moving)) {
        n->left[n->labels.left_count] = left;
        n->labels.left[n->labels.left_count++] = left->label.text;
    }
    for (; right && n->labels.right_count <= GW_ORDER_RELABEL_MAX; right = next_but(right, moving)) {
        n->right[n->labels.right_count] = right;
        n->labels.right[n->labels.right_count++] = right->label.text;
    }
}

static void add_relabel(struct gw_placement *out, struct gw_block *block, const struct gw_order_label *label)
{
    if (strcmp(block->label.text, label->text) != 0)
        out->relabels[out->relabel_count++] = (struct gw_relabel){block, *label};
}

static int make_room(struct gw_block *left, struct gw_block *right, const struct gw_block *moving, struct gw_placement *out)
{
    struct neighbourhood n;
    struct gw_order_spread spread;
    look_around(left, right, moving, &n);
    int code = gw_order_spread(&n.labels, &spread);
    if (code)
        return code;
    for (size_t i = spread.left_count; i-- > 0;)
        add_relabel(out, n.left[i], &spread.left[i]);
    for (size_t i = 0; i < spread.right_count; i++)
        add_relabel(out, n.right[i], &spread.right[i]);
    out->label = spread.inserted;
    return 0;
}

int gw_blocks_place(const struct gw_blocks *blocks, const struct gw_block *parent, const struct gw_block *after,
                    const struct gw_block *moving, struct gw_placement *out, struct gw_error *err)
{
    assert(!after || (after->parent == parent && after != moving));
    struct gw_block *left = (struct gw_block *)(uintptr_t)after;
    struct gw_block *right = left ? next_but(left, moving) : gw_blocks_first_child(blocks, parent);
    if (right && right == moving)
        right = gw_siblings_next(right);
    out->relabel_count = 0;
    if (!gw_order_between(left ? left->label.text : NULL, right ? right->label.text : NULL, &out->label))
        return 0;
    if (!make_room(left, right, moving, out))
        return 0;
    return gw_error_limit(err, "order_no_room", "max_relabels", GW_ORDER_RELABEL_MAX,
                          "there is no label left at this place: insert a few siblings further on");
}

int gw_blocks_resolve_splice(const struct gw_blocks *blocks, const struct gw_block *block, const struct gw_splice_edit *edit,
                             struct gw_text_op *resolved, struct gw_error *err)
{
    int code = gw_splice_log_resolve(block->edits, &blocks->limits, edit, resolved, err);
    if (code)
        return code;
    size_t points = gw_splice_log_points(block->edits, edit, block->text.points);
    if (edit->written.at <= points && edit->written.del <= points - edit->written.at)
        return 0;
    gw_text_op_fini(resolved);
    return gw_error_set(err, GW_EINVAL, "splice_out_of_range", "the splice ends at %zu, the text in its context has %zu code points",
                        (size_t)edit->written.at + edit->written.del, points);
}
