/* blocks_random.h — random operations on the tree of blocks_fixture.h: inserts, updates, splices, moves and removes among 150 ids,
 * the same ones for the same seed. */
#ifndef GW_SPEC_BLOCKS_RANDOM_H
#define GW_SPEC_BLOCKS_RANDOM_H

#include <stdio.h>

#include "blocks_fixture.h"

static inline struct gw_block *random_block(struct fixture *f)
{
    char id[16];
    snprintf(id, sizeof id, "b%u", next_random(f, 150));
    return gw_blocks_find(f->blocks, id);
}

static inline struct gw_block *random_child(struct fixture *f, const struct gw_block *parent, const struct gw_block *but)
{
    size_t count = gw_blocks_child_count(f->blocks, parent);
    struct gw_block *child = count ? gw_blocks_first_child(f->blocks, parent) : NULL;
    for (size_t i = count ? next_random(f, count + 1) : 0; child && i; i--)
        child = gw_block_next_sibling(child);
    return child == but ? NULL : child;
}

static inline void random_update(struct fixture *f, struct gw_block *block)
{
    char text[64];
    struct gw_error err;
    snprintf(text, sizeof text, "{\"p%u\":%u}", next_random(f, 4), next_random(f, 100));
    struct gw_json *set = parse(text);
    snprintf(text, sizeof text, "[\"p%u\"]", next_random(f, 4));
    struct gw_json *unset = parse(text);
    static const char *const labels[] = {NULL, "", "staff", "press"};
    struct gw_block_update update = {block, next_random(f, 4) ? set : NULL, next_random(f, 2) ? unset : NULL, labels[next_random(f, 4)]};
    assert_int_equal(gw_blocks_update(f->blocks, &update, &err), 0);
    f->seq++;
    gw_json_unref(set);
    gw_json_unref(unset);
}

static inline void random_splice(struct fixture *f, struct gw_block *block)
{
    size_t points = gw_block_text(block)->points;
    struct gw_splice s = {.at = next_random(f, points + 1), .ins = 4};
    s.del = next_random(f, points - s.at + 1);
    assert_int_equal(splice(f, block, s, "äbcd"), 0);
}

static inline void random_change(struct fixture *f)
{
    struct gw_block *block = random_block(f), *other = random_block(f);
    char id[16];
    unsigned kind = next_random(f, 20);
    snprintf(id, sizeof id, "b%u", next_random(f, 150));
    if (kind < 8 && !gw_blocks_find(f->blocks, id))
        insert(f, id, block, random_child(f, block, NULL));
    else if (block && kind < 11)
        random_update(f, block);
    else if (block && kind < 14)
        random_splice(f, block);
    else if (block && kind < 18 && !(other && gw_block_is_within(other, block)))
        assert_int_equal(move_after(f, block, other, random_child(f, other, block)), 0);
    else if (block && kind == 18)
        assert_int_equal(remove_block(f, block), 0);
    gw_blocks_advance(f->blocks, f->seq);
}

#endif
