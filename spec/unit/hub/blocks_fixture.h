/* blocks_fixture.h — a block tree with its journal, short names for its operations, and what a tree must show at any
 * time. For the tests of the block tree alone; a failing operation fails the test. */
#ifndef GW_SPEC_BLOCKS_FIXTURE_H
#define GW_SPEC_BLOCKS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/blocks.h"
#include "hub/journal.h"
#include "hub/removed.h"

static const uint8_t SEED[16] = {1, 2, 3};
static const struct gw_splice_limits LIMITS = {1000, 16384, 100000};
static const struct gw_json_limits PARSE = {.max_bytes = 1 << 26, .max_depth = 32, .max_nodes = 1 << 22};

struct fixture {
    struct gw_journal journal;
    struct gw_blocks *blocks;
    uint64_t seq, seed;
};

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.seed = 1};
    f->blocks = gw_blocks_create(SEED, &LIMITS, &f->journal);
    assert_non_null(f->blocks);
}

static inline void fixture_fini(struct fixture *f) { gw_blocks_destroy(f->blocks); }

static inline uint32_t next_random(struct fixture *f, size_t below)
{
    f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((f->seed >> 33) % below);
}

static inline struct gw_json *parse(const char *text)
{
    struct gw_json *json;
    struct gw_error err;
    assert_int_equal(gw_json_parse(text, strlen(text), &PARSE, &json, &err), 0);
    return json;
}

static inline int try_insert(struct fixture *f, const char *id, struct gw_block *parent, struct gw_block *after, struct gw_block **out)
{
    struct gw_placement place;
    struct gw_error err;
    assert_int_equal(gw_blocks_place(f->blocks, parent, after, NULL, &place, &err), 0);
    struct gw_block_insert insert = {.id = id, .kind = "text", .parent = parent, .label = place.label.text, .seq = ++f->seq};
    insert.text = id;
    insert.text_bytes = strlen(id);
    int code = gw_blocks_relabel(f->blocks, place.relabels, place.relabel_count, &err);
    return code ? code : gw_blocks_insert(f->blocks, &insert, out, &err);
}

static inline struct gw_block *insert(struct fixture *f, const char *id, struct gw_block *parent, struct gw_block *after)
{
    struct gw_block *block = NULL;
    assert_int_equal(try_insert(f, id, parent, after, &block), 0);
    return block;
}

static inline int move_after(struct fixture *f, struct gw_block *block, struct gw_block *parent, struct gw_block *after)
{
    struct gw_placement place;
    struct gw_error err;
    assert_int_equal(gw_blocks_place(f->blocks, parent, after, block, &place, &err), 0);
    int code = gw_blocks_relabel(f->blocks, place.relabels, place.relabel_count, &err);
    f->seq++;
    return code ? code : gw_blocks_move(f->blocks, block, parent, place.label.text, &err);
}

static inline int splice(struct fixture *f, struct gw_block *block, struct gw_splice s, const char *ins)
{
    struct gw_error err;
    struct gw_text_op op;
    struct gw_splice_edit edit = {"me", f->seq, f->seq + 1, s};
    int code = gw_blocks_resolve_splice(f->blocks, block, &edit, &op, &err);
    if (code)
        return code;
    code = gw_blocks_splice(f->blocks, &(struct gw_block_splice){block, &edit, &op, ins, strlen(ins)}, &err);
    gw_text_op_fini(&op);
    f->seq++;
    return code;
}

static inline int remove_block(struct fixture *f, struct gw_block *block)
{
    struct gw_error err;
    return gw_blocks_remove(f->blocks, block, ++f->seq, &err);
}

static inline struct gw_block *find(struct fixture *f, const char *id) { return gw_blocks_find(f->blocks, id); }

/* Everything that a tree shows, as a checkpoint would hold it. */
static inline struct gw_buffer dump(const struct gw_blocks *blocks, uint64_t head_seq)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    for (struct gw_block *b = gw_blocks_next(blocks, NULL, NULL); b; b = gw_blocks_next(blocks, NULL, b)) {
        gw_blocks_write_block(blocks, b, head_seq, &out);
        gw_buffer_append_char(&out, '\n');
    }
    const void *cursor = NULL;
    const struct gw_removed_block *removed;
    while ((removed = gw_blocks_next_removed(blocks, head_seq, &cursor)))
        gw_buffer_appendf(&out, "removed %s %llu %s %s %s %s\n", removed->id, (unsigned long long)removed->seq, removed->kind,
                          removed->author, removed->by, removed->vis);
    assert_false(out.has_failed);
    gw_buffer_append(&out, "", 1);
    return out;
}

static inline void assert_same_dump(struct gw_buffer expected, struct gw_buffer got)
{
    assert_string_equal(expected.data, got.data);
    gw_buffer_fini(&expected);
    gw_buffer_fini(&got);
}

static inline void assert_consistent(const struct gw_blocks *blocks)
{
    size_t seen = 0;
    for (struct gw_block *b = gw_blocks_next(blocks, NULL, NULL); b; b = gw_blocks_next(blocks, NULL, b)) {
        struct gw_block *next = gw_block_next_sibling(b);
        seen++;
        assert_ptr_equal(gw_blocks_find(blocks, gw_block_id(b)), b);
        if (next) {
            assert_ptr_equal(gw_block_previous_sibling(next), b);
            assert_true(strcmp(gw_block_label(b), gw_block_label(next)) < 0);
        }
        size_t children = 0;
        for (struct gw_block *c = gw_blocks_first_child(blocks, b); c; c = gw_block_next_sibling(c), children++)
            assert_ptr_equal(gw_block_parent(c), b);
        assert_int_equal(children, gw_blocks_child_count(blocks, b));
    }
    assert_int_equal(seen, gw_blocks_count(blocks));
}

#endif
