#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/block.h"
#include "hub/blocks.h"
#include "hub/blocks_digest.h"
#include "hub/journal.h"
#include "hub/removed.h"
#include "hub/siblings.h"

/* Each change here: checks, allocates the undo step and whatever else it needs, changes, pushes the step. */

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to change a block"); }

static int bad_op(struct gw_error *err, const char *what, const char *id)
{
    return gw_error_set(err, GW_EINVAL, "bad_op", "%s: %.64s", what, id);
}

/* What is undone on one block without more than it was: base of the steps below. */
struct block_undo {
    struct gw_undo step;
    struct gw_blocks *blocks;
    struct gw_block *block;
};

static void on_forget_nothing(struct gw_undo *step) { gw_free(step); }

/* A block that stands, and the one to its right, which knows its left neighbour. */
static void touch_place(struct gw_blocks *blocks, struct gw_block *block)
{
    gw_blocks_digest_touch(blocks, block);
    gw_blocks_digest_touch(blocks, gw_siblings_next(block));
}

/* ---- insert ---- */

struct insert_undo {
    struct block_undo base;
    struct gw_block *shadowed; /* a removed block of the same id, still kept; or NULL */
};

static void unmap(struct gw_blocks *blocks, struct gw_block *block) { gw_map_remove(blocks->by_id, block->id, strlen(block->id)); }

static void remap(struct gw_blocks *blocks, struct gw_block *block)
{
    int code = gw_map_put(blocks->by_id, block->id, strlen(block->id), block, NULL);
    assert(code == 0); /* the key is there, so no memory is needed */
    (void)code;
}

static void on_revert_insert(struct gw_undo *step)
{
    struct insert_undo *undo = (struct insert_undo *)step;
    struct gw_blocks *blocks = undo->base.blocks;
    gw_blocks_detach(blocks, undo->base.block);
    blocks->count--;
    if (undo->shadowed)
        remap(blocks, undo->shadowed);
    else
        unmap(blocks, undo->base.block);
    gw_block_free(blocks, undo->base.block);
    gw_free(undo);
}

const char *gw_blocks_intern(struct gw_blocks *blocks, const char *kind)
{
    size_t length = strlen(kind);
    char *name = gw_map_get(blocks->kinds, kind, length);
    if (name)
        return name;
    name = gw_try_strndup(kind, length);
    if (name && !gw_map_put(blocks->kinds, kind, length, name, NULL))
        return name;
    gw_free(name);
    return NULL;
}

static int set_text(struct gw_block *block, const struct gw_block_insert *insert)
{
    if (insert->text_bytes == 0)
        return 0;
    struct gw_error err;
    struct gw_text_piece piece = gw_text_piece(insert->text, insert->text_bytes);
    struct gw_splice splice = {.ins = (uint32_t)piece.points};
    return gw_text_splice(&block->text, &splice, &piece, NULL, &err);
}

static struct gw_block *new_block(struct gw_blocks *blocks, const struct gw_block_insert *insert)
{
    size_t id_size = strlen(insert->id) + 1;
    struct gw_block *block = gw_try_alloc(sizeof *block + id_size);
    if (!block)
        return NULL;
    *block = (struct gw_block){.born_seq = insert->seq, .props = gw_json_ref(insert->props ? insert->props : blocks->no_props)};
    memcpy(block->id, insert->id, id_size);
    memcpy(block->label.text, insert->label, strlen(insert->label) + 1);
    block->priority = (uint32_t)gw_siphash(blocks->seed, insert->id, id_size - 1);
    block->kind = gw_blocks_intern(blocks, insert->kind);
    block->author = gw_blocks_intern(blocks, insert->author ? insert->author : "");
    block->by = gw_blocks_intern(blocks, insert->by ? insert->by : "");
    bool has_vis = insert->vis && *insert->vis;
    if (has_vis)
        block->vis = gw_try_strndup(insert->vis, strlen(insert->vis));
    if (block->kind && block->author && block->by && (!has_vis || block->vis) && !set_text(block, insert))
        return block;
    gw_block_free(blocks, block);
    return NULL;
}

/* The block behind which `label` belongs; GW_EINVAL when it is no label or taken. */
static int find_place(struct gw_blocks *blocks, struct gw_block *parent, const char *label, struct gw_block **previous)
{
    if (!gw_order_is_valid(label, strlen(label)))
        return GW_EINVAL;
    struct gw_block *root = *gw_blocks_children(blocks, parent);
    *previous = gw_siblings_before(root, label);
    const struct gw_block *next = *previous ? gw_siblings_next(*previous) : gw_siblings_first(root);
    return next && strcmp(next->label.text, label) == 0 ? GW_EINVAL : 0;
}

int gw_blocks_insert(struct gw_blocks *blocks, const struct gw_block_insert *insert, struct gw_block **out, struct gw_error *err)
{
    struct gw_block *previous;
    if (gw_blocks_find(blocks, insert->id) || (insert->parent && insert->parent->is_removed))
        return bad_op(err, "the block is there, or its parent is not", insert->id);
    if (find_place(blocks, insert->parent, insert->label, &previous))
        return bad_op(err, "the place is taken or malformed", insert->id);
    struct insert_undo *undo = gw_try_alloc(sizeof *undo);
    struct gw_block *block = undo ? new_block(blocks, insert) : NULL;
    void *shadowed = NULL;
    if (!block || gw_map_put(blocks->by_id, block->id, strlen(block->id), block, &shadowed)) {
        if (block)
            gw_block_free(blocks, block);
        gw_free(undo);
        return no_memory(err);
    }
    *undo = (struct insert_undo){{{NULL, on_revert_insert, on_forget_nothing}, blocks, block}, shadowed};
    gw_blocks_attach(blocks, block, insert->parent, previous);
    blocks->count++;
    touch_place(blocks, block);
    gw_journal_push(blocks->journal, &undo->base.step);
    if (out)
        *out = block;
    return 0;
}

/* ---- relabel ---- */

struct relabel_undo {
    struct gw_undo step;
    size_t count;
    struct gw_relabel old[];
};

static void on_revert_relabel(struct gw_undo *step)
{
    struct relabel_undo *undo = (struct relabel_undo *)step;
    for (size_t i = 0; i < undo->count; i++)
        undo->old[i].block->label = undo->old[i].label;
    gw_free(undo);
}

int gw_blocks_relabel(struct gw_blocks *blocks, const struct gw_relabel *relabels, size_t count, struct gw_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (relabels[i].block->is_removed || !gw_order_is_valid(relabels[i].label.text, strlen(relabels[i].label.text)))
            return bad_op(err, "not a label", relabels[i].block->id);
    struct relabel_undo *undo = gw_try_alloc(sizeof *undo + count * sizeof *undo->old);
    if (!undo)
        return no_memory(err);
    *undo = (struct relabel_undo){{NULL, on_revert_relabel, on_forget_nothing}, count};
    for (size_t i = 0; i < count; i++)
        undo->old[i] = (struct gw_relabel){relabels[i].block, relabels[i].block->label};
    for (size_t i = 0; i < count; i++)
        relabels[i].block->label = relabels[i].label;
    gw_journal_push(blocks->journal, &undo->step);
    return 0;
}

/* ---- update ---- */

struct update_undo {
    struct block_undo base;
    struct gw_json *props; /* before; NULL: unchanged */
    char *vis;             /* before */
    bool has_vis;          /* it changed */
};

static void on_revert_update(struct gw_undo *step)
{
    struct update_undo *undo = (struct update_undo *)step;
    struct gw_block *block = undo->base.block;
    if (undo->props) {
        gw_json_unref(block->props);
        block->props = undo->props;
    }
    if (undo->has_vis) {
        gw_free(block->vis);
        block->vis = undo->vis;
    }
    gw_free(undo);
}

static void on_forget_update(struct gw_undo *step)
{
    struct update_undo *undo = (struct update_undo *)step;
    gw_json_unref(undo->props);
    gw_free(undo->vis);
    gw_free(undo);
}

static int set_all(struct gw_json *object, const struct gw_json *members)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (members && gw_json_next(members, &iterator, &key, &value))
        if (gw_json_set(object, key, gw_json_ref(value)))
            return GW_ENOMEM;
    return 0;
}

/* A new object: others may hold the old one. NULL when memory is gone. */
static struct gw_json *updated_props(const struct gw_block_update *update)
{
    struct gw_json *props = gw_json_new_object();
    if (!props || set_all(props, update->block->props) || set_all(props, update->set)) {
        gw_json_unref(props);
        return NULL;
    }
    for (size_t i = 0; i < gw_json_count(update->unset); i++)
        gw_json_remove(props, gw_json_text(gw_json_at(update->unset, i), NULL));
    return props;
}

static bool is_update_well_formed(const struct gw_block_update *update)
{
    if (update->block->is_removed || (update->set && !gw_json_is_object(update->set)) ||
        (update->unset && !gw_json_is_array(update->unset)))
        return false;
    for (size_t i = 0; i < gw_json_count(update->unset); i++)
        if (!gw_json_is_string(gw_json_at(update->unset, i)))
            return false;
    return true;
}

int gw_blocks_update(struct gw_blocks *blocks, const struct gw_block_update *update, struct gw_error *err)
{
    struct gw_block *block = update->block;
    if (!is_update_well_formed(update))
        return bad_op(err, "not an update", block->id);
    bool has_props = gw_json_count(update->set) || gw_json_count(update->unset);
    bool has_vis = update->vis && *update->vis;
    struct update_undo *undo = gw_try_alloc(sizeof *undo);
    struct gw_json *props = has_props ? updated_props(update) : NULL;
    char *vis = has_vis ? gw_try_strndup(update->vis, strlen(update->vis)) : NULL;
    if (!undo || (has_props && !props) || (has_vis && !vis)) {
        gw_free(undo);
        gw_json_unref(props);
        gw_free(vis);
        return no_memory(err);
    }
    *undo = (struct update_undo){.base = {{NULL, on_revert_update, on_forget_update}, blocks, block}, .has_vis = update->vis != NULL};
    if (props) {
        undo->props = block->props;
        block->props = props;
    }
    if (update->vis) {
        undo->vis = block->vis;
        block->vis = vis;
    }
    gw_blocks_digest_touch(blocks, block);
    gw_journal_push(blocks->journal, &undo->base.step);
    return 0;
}

/* ---- move ---- */

struct move_undo {
    struct block_undo base;
    struct gw_block *parent, *previous; /* where it was: by neighbour, since labels around may have changed too */
    struct gw_order_label label;
};

static void on_revert_move(struct gw_undo *step)
{
    struct move_undo *undo = (struct move_undo *)step;
    struct gw_block *block = undo->base.block;
    gw_blocks_detach(undo->base.blocks, block);
    block->label = undo->label;
    gw_blocks_attach(undo->base.blocks, block, undo->parent, undo->previous);
    gw_free(undo);
}

int gw_blocks_move(struct gw_blocks *blocks, struct gw_block *block, struct gw_block *parent, const char *label, struct gw_error *err)
{
    if (block->is_removed || (parent && (parent->is_removed || gw_block_is_within(parent, block))))
        return bad_op(err, "the block cannot move there", block->id);
    struct move_undo *undo = gw_try_alloc(sizeof *undo);
    if (!undo)
        return no_memory(err);
    *undo = (struct move_undo){
        {{NULL, on_revert_move, on_forget_nothing}, blocks, block}, block->parent, gw_siblings_previous(block), block->label};
    struct gw_block *previous, *next = gw_siblings_next(block);
    gw_blocks_detach(blocks, block);
    if (find_place(blocks, parent, label, &previous)) {
        gw_blocks_attach(blocks, block, undo->parent, undo->previous);
        gw_free(undo);
        return bad_op(err, "the place is taken or malformed", block->id);
    }
    memcpy(block->label.text, label, strlen(label) + 1);
    gw_blocks_attach(blocks, block, parent, previous);
    gw_blocks_digest_touch(blocks, next);
    touch_place(blocks, block);
    gw_journal_push(blocks->journal, &undo->base.step);
    return 0;
}

/* ---- remove ---- */

struct remove_undo {
    struct block_undo base;
    struct gw_block *previous;
    size_t count;
};

static void mark_removed(struct gw_blocks *blocks, struct gw_block *top, bool is_removed)
{
    for (struct gw_block *b = gw_blocks_next(blocks, top, NULL); b; b = gw_blocks_next(blocks, top, b)) {
        b->is_removed = is_removed;
        gw_blocks_digest_touch(blocks, b);
    }
}

static void on_revert_remove(struct gw_undo *step)
{
    struct remove_undo *undo = (struct remove_undo *)step;
    struct gw_blocks *blocks = undo->base.blocks;
    mark_removed(blocks, undo->base.block, false);
    gw_removed_undo(blocks->removed, undo->count);
    gw_blocks_attach(blocks, undo->base.block, undo->base.block->parent, undo->previous);
    blocks->count += undo->count;
    gw_free(undo);
}

/* Frees leaves first, so that every step still finds its way. */
static void free_subtree(struct gw_blocks *blocks, struct gw_block *top)
{
    struct gw_block *block = top;
    while (block) {
        struct gw_block *below = block->children ? block->children : block->left ? block->left : block->right;
        if (below) {
            block = below;
            continue;
        }
        /* `up` leads within the siblings, `parent` from their root. */
        struct gw_block *above = block == top ? NULL : block->up ? block->up : block->parent;
        if (above && above->children == block)
            above->children = NULL;
        else if (above && above->left == block)
            above->left = NULL;
        else if (above)
            above->right = NULL;
        if (gw_map_get(blocks->by_id, block->id, strlen(block->id)) == block)
            unmap(blocks, block);
        gw_block_free(blocks, block);
        block = above;
    }
}

static void on_forget_remove(struct gw_undo *step)
{
    struct remove_undo *undo = (struct remove_undo *)step;
    free_subtree(undo->base.blocks, undo->base.block);
    gw_free(undo);
}

/* Remembers each id of the subtree; all or none. */
static int remember(struct gw_blocks *blocks, struct gw_block *top, uint64_t seq, size_t *count)
{
    *count = 0;
    for (struct gw_block *b = gw_blocks_next(blocks, top, NULL); b; b = gw_blocks_next(blocks, top, b)) {
        struct gw_removed_block removed = {b->id, seq, b->kind, b->author, b->by, gw_block_vis(b)};
        if (gw_removed_add(blocks->removed, &removed)) {
            gw_removed_undo(blocks->removed, *count);
            return GW_ENOMEM;
        }
        ++*count;
    }
    return 0;
}

int gw_blocks_remove(struct gw_blocks *blocks, struct gw_block *block, uint64_t seq, struct gw_error *err)
{
    if (block->is_removed)
        return bad_op(err, "the block is removed already", block->id);
    struct remove_undo *undo = gw_try_alloc(sizeof *undo);
    size_t count;
    if (!undo || remember(blocks, block, seq, &count)) {
        gw_free(undo);
        return no_memory(err);
    }
    *undo = (struct remove_undo){{{NULL, on_revert_remove, on_forget_remove}, blocks, block}, gw_siblings_previous(block), count};
    touch_place(blocks, block);
    gw_blocks_detach(blocks, block);
    mark_removed(blocks, block, true);
    blocks->count -= count;
    gw_journal_push(blocks->journal, &undo->base.step);
    return 0;
}

/* ---- splice ---- */

struct splice_undo {
    struct block_undo base;
    size_t count;
    struct gw_text_undo *texts[];
};

static void on_revert_splice(struct gw_undo *step)
{
    struct splice_undo *undo = (struct splice_undo *)step;
    while (undo->count)
        gw_text_revert(&undo->base.block->text, undo->texts[--undo->count]);
    gw_free(undo);
}

static void on_forget_splice(struct gw_undo *step)
{
    struct splice_undo *undo = (struct splice_undo *)step;
    while (undo->count)
        gw_text_undo_free(undo->texts[--undo->count]);
    gw_free(undo);
}

static int splice_text(struct gw_block *block, const struct gw_block_splice *splice, struct splice_undo *undo, struct gw_error *err)
{
    static const struct gw_text_piece nothing = {"", 0, 0};
    struct gw_text_piece ins = gw_text_piece(splice->ins, splice->ins_bytes);
    if (ins.points != splice->resolved->ins)
        return bad_op(err, "a splice of another length than its text", block->id);
    for (uint32_t i = 0; i < gw_text_op_splice_count(splice->resolved); i++) {
        struct gw_splice plain = gw_text_op_splice(splice->resolved, i);
        int code = gw_text_splice(&block->text, &plain, plain.ins ? &ins : &nothing, &undo->texts[undo->count], err);
        if (code)
            return code == GW_EINVAL ? bad_op(err, "a splice out of range", block->id) : code;
        undo->count++;
    }
    return 0;
}

int gw_blocks_splice(struct gw_blocks *blocks, const struct gw_block_splice *splice, struct gw_error *err)
{
    struct gw_block *block = splice->block;
    if (block->is_removed)
        return bad_op(err, "a splice of a removed block", block->id);
    struct splice_undo *undo = gw_try_alloc(sizeof *undo + gw_text_op_splice_count(splice->resolved) * sizeof *undo->texts);
    if (!undo)
        return no_memory(err);
    *undo = (struct splice_undo){{{NULL, on_revert_splice, on_forget_splice}, blocks, block}, 0};
    int code = splice_text(block, splice, undo, err);
    if (!code && (gw_blocks_open_edits(blocks, block) || gw_splice_log_fold(block->edits, splice->edit, splice->resolved, blocks->journal)))
        code = no_memory(err);
    if (code) {
        on_revert_splice(&undo->base.step);
    } else {
        gw_blocks_digest_touch(blocks, block);
        gw_journal_push(blocks->journal, &undo->base.step);
    }
    return code;
}
