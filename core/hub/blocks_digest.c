#include "hub/blocks_digest.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/block.h"
#include "hub/blocks.h"
#include "hub/journal.h"
#include "hub/merkle.h"

/* Past this many touched ids, or a quarter of the tree, making the set anew is no dearer than keeping count. */
#define TOUCHED_MAX(count) (1024 + (count) / 4)

struct gw_blocks_digest {
    struct gw_merkle *leaves; /* NULL: to be made anew */
    struct gw_map *touched;   /* ids whose leaf may be wrong; more than need be after a revert */
};

/* ---- what changed ---- */

static void forget_leaves(struct gw_blocks_digest *digest)
{
    gw_merkle_destroy(digest->leaves);
    digest->leaves = NULL;
}

void gw_blocks_digest_touch(struct gw_blocks *blocks, struct gw_block *block)
{
    struct gw_blocks_digest *digest = blocks->digest;
    if (!block || !digest || !digest->leaves || block->is_touched)
        return;
    if (gw_map_count(digest->touched) >= TOUCHED_MAX(blocks->count) ||
        gw_map_put(digest->touched, block->id, strlen(block->id), digest, NULL)) {
        forget_leaves(digest);
        return;
    }
    block->is_touched = true;
}

void gw_blocks_digest_destroy(struct gw_blocks_digest *digest)
{
    if (!digest)
        return;
    forget_leaves(digest);
    gw_map_destroy(digest->touched);
    gw_free(digest);
}

/* ---- leaves ---- */

static void write_text(struct gw_buffer *out, const char *before, const char *text)
{
    gw_buffer_append_text(out, before);
    if (text)
        gw_buffer_append_json_string(out, text, strlen(text));
    else
        gw_buffer_append_text(out, "null");
}

void gw_blocks_digest_write(const struct gw_block *block, struct gw_buffer *out)
{
    const struct gw_block *after = gw_block_previous_sibling(block);
    write_text(out, "{\"after\":", after ? after->id : NULL);
    write_text(out, ",\"id\":", block->id);
    write_text(out, ",\"kind\":", block->kind);
    write_text(out, ",\"parent\":", block->parent ? block->parent->id : NULL);
    gw_buffer_append_text(out, ",\"props\":");
    gw_json_write_canonical(block->props, out);
    gw_blocks_write_text(block, out);
    if (block->vis)
        write_text(out, ",\"vis\":", block->vis);
    gw_buffer_append_char(out, '}');
}

static int put_leaf(struct gw_merkle *leaves, const struct gw_block *block, struct gw_buffer *scratch)
{
    uint8_t key[GW_SHA256_BYTES], leaf[GW_SHA256_BYTES];
    gw_buffer_reset(scratch);
    gw_buffer_append_char(scratch, '\0');
    gw_blocks_digest_write(block, scratch);
    if (scratch->has_failed)
        return GW_ENOMEM;
    gw_sha256(scratch->data, scratch->length, leaf);
    gw_sha256(block->id, strlen(block->id), key);
    return gw_merkle_put(leaves, key, leaf);
}

/* A revert leaves the set made under the journal wrong in ways that nobody noted. */
struct made_undo {
    struct gw_undo step;
    struct gw_blocks_digest *digest;
};

static void on_revert_made(struct gw_undo *step)
{
    forget_leaves(((struct made_undo *)step)->digest);
    gw_free(step);
}

static void on_forget_made(struct gw_undo *step) { gw_free(step); }

static int make_leaves(struct gw_blocks *blocks, struct gw_buffer *scratch)
{
    struct gw_blocks_digest *digest = blocks->digest;
    struct made_undo *undo = gw_try_alloc(sizeof *undo);
    digest->leaves = undo ? gw_merkle_create() : NULL;
    if (!digest->leaves) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    *undo = (struct made_undo){{NULL, on_revert_made, on_forget_made}, digest};
    gw_journal_push(blocks->journal, &undo->step);
    for (struct gw_block *block = NULL; (block = gw_blocks_next(blocks, NULL, block));)
        if (put_leaf(digest->leaves, block, scratch))
            return GW_ENOMEM;
    return GW_OK;
}

static int mend_leaves(struct gw_blocks *blocks, struct gw_buffer *scratch)
{
    size_t cursor = 0, length;
    const void *id;
    void *value;
    while (gw_map_next(blocks->digest->touched, &cursor, &id, &length, &value)) {
        uint8_t key[GW_SHA256_BYTES];
        const struct gw_block *block = gw_map_get(blocks->by_id, id, length);
        gw_sha256(id, length, key);
        if (!block || block->is_removed)
            gw_merkle_remove(blocks->digest->leaves, key);
        else if (put_leaf(blocks->digest->leaves, block, scratch))
            return GW_ENOMEM;
    }
    return GW_OK;
}

/* Not while a journal is open: after a revert the same ids would have to be looked at again. */
static void clear_touched(struct gw_blocks *blocks)
{
    size_t cursor = 0, length;
    const void *id;
    void *value;
    while (!blocks->journal->is_open && gw_map_next(blocks->digest->touched, &cursor, &id, &length, &value)) {
        struct gw_block *block = gw_map_get(blocks->by_id, id, length);
        if (block)
            block->is_touched = false;
        gw_map_remove(blocks->digest->touched, id, length);
    }
}

/* ---- the digest ---- */

static int open_digest(struct gw_blocks *blocks)
{
    if (blocks->digest)
        return GW_OK;
    blocks->digest = gw_try_alloc(sizeof *blocks->digest);
    if (!blocks->digest)
        return GW_ENOMEM;
    *blocks->digest = (struct gw_blocks_digest){.touched = gw_map_create(blocks->seed)};
    return GW_OK;
}

int gw_blocks_digest(struct gw_blocks *blocks, uint8_t out[GW_SHA256_BYTES])
{
    struct gw_buffer scratch;
    if (open_digest(blocks))
        return GW_ENOMEM;
    gw_buffer_init(&scratch, 0);
    int status = blocks->digest->leaves ? mend_leaves(blocks, &scratch) : make_leaves(blocks, &scratch);
    gw_buffer_fini(&scratch);
    if (status) {
        forget_leaves(blocks->digest);
        return GW_ENOMEM;
    }
    clear_touched(blocks);
    gw_merkle_root(blocks->digest->leaves, out);
    return GW_OK;
}
