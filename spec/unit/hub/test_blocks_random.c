/* The block tree under random operations: undone, reloaded, and at two sizes. */
#include <time.h>

#include "blocks_random.h"

static size_t height_by_hand(const struct gw_blocks *blocks, const struct gw_block *block)
{
    size_t deepest = 0;
    for (struct gw_block *b = gw_blocks_next(blocks, block, NULL); b; b = gw_blocks_next(blocks, block, b))
        if (gw_block_depth(b) > deepest)
            deepest = gw_block_depth(b);
    return deepest + 1 - gw_block_depth(block);
}

static void assert_heights(const struct gw_blocks *blocks)
{
    for (struct gw_block *b = gw_blocks_next(blocks, NULL, NULL); b; b = gw_blocks_next(blocks, NULL, b))
        assert_int_equal(gw_block_height(b), height_by_hand(blocks, b));
}

static struct gw_blocks *reload(struct fixture *f)
{
    struct gw_error err;
    struct gw_blocks *copy = gw_blocks_create(SEED, &LIMITS, &f->journal);
    for (struct gw_block *b = gw_blocks_next(f->blocks, NULL, NULL); b; b = gw_blocks_next(f->blocks, NULL, b)) {
        struct gw_buffer saved;
        gw_buffer_init(&saved, 0);
        gw_blocks_write_block(f->blocks, b, f->seq, &saved);
        gw_buffer_append(&saved, "", 1);
        struct gw_json *json = parse(saved.data);
        assert_int_equal(gw_blocks_load_block(copy, json, &err), 0);
        gw_json_unref(json);
        gw_buffer_fini(&saved);
    }
    const void *cursor = NULL;
    const struct gw_removed_block *removed;
    while ((removed = gw_blocks_next_removed(f->blocks, f->seq, &cursor)))
        assert_int_equal(gw_blocks_load_removed(copy, removed, &err), 0);
    return copy;
}

static void reverting_random_operations_restores_the_tree(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t round = 0; round < 300; round++) {
        for (size_t i = 0; i < 20; i++)
            random_change(&f);
        struct gw_buffer before = dump(f.blocks, f.seq);
        uint64_t seq = f.seq;
        gw_journal_begin(&f.journal);
        for (size_t i = next_random(&f, 60); i; i--)
            random_change(&f);
        if (round % 3) {
            gw_journal_revert(&f.journal);
            f.seq = seq;
            assert_same_dump(before, dump(f.blocks, seq));
        } else {
            gw_journal_keep(&f.journal);
            gw_buffer_fini(&before);
        }
        assert_consistent(f.blocks);
        assert_heights(f.blocks);
    }
    assert_true(gw_blocks_count(f.blocks) > 20);
    gw_blocks_destroy(f.blocks);
}

static void a_reloaded_tree_goes_on_as_the_saved_one(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t round = 0; round < 40; round++) {
        for (size_t i = 0; i < 60; i++)
            random_change(&f);
        struct fixture copy = f;
        copy.journal = (struct gw_journal){0};
        copy.blocks = reload(&f);
        assert_same_dump(dump(f.blocks, f.seq), dump(copy.blocks, f.seq));
        gw_blocks_destroy(f.blocks);
        f.blocks = copy.blocks;
        for (size_t i = 0; i < 60; i++)
            random_change(&f);
    }
    gw_blocks_destroy(f.blocks);
}

/* ---- size ---- */

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fill(struct fixture *f, size_t count)
{
    struct gw_block *last = NULL;
    char id[24];
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "b%zu", i);
        last = insert(f, id, NULL, last);
    }
}

/* Inserts, moves, updates, splices and removes among `count` siblings; microseconds an operation. */
static double time_changes(size_t count)
{
    enum { ROUNDS = 20000 };
    struct fixture f;
    fixture_init(&f);
    fill(&f, count);
    double start = now_us();
    for (size_t i = 0; i < ROUNDS; i++) {
        char id[24];
        snprintf(id, sizeof id, "b%u", next_random(&f, count));
        struct gw_block *block = gw_blocks_find(f.blocks, id);
        snprintf(id, sizeof id, "b%u", next_random(&f, count));
        struct gw_block *other = gw_blocks_find(f.blocks, id);
        struct gw_block *made = insert(&f, "extra", NULL, other);
        if (block != other)
            assert_int_equal(move_after(&f, block, NULL, other), 0);
        assert_int_equal(splice(&f, block, (struct gw_splice){0, 0, 1}, "x"), 0);
        assert_int_equal(remove_block(&f, made), 0);
        gw_blocks_advance(f.blocks, f.seq);
    }
    double us = (now_us() - start) / (4.0 * ROUNDS);
    gw_blocks_destroy(f.blocks);
    return us;
}

static void a_change_costs_much_the_same_among_100_and_100000_siblings(void **state)
{
    (void)state;
    double few = time_changes(100), many = time_changes(100000);
    printf("  %.2f us an operation among 100 siblings, %.2f among 100,000: ratio %.2f\n", few, many, many / few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reverting_random_operations_restores_the_tree),
        cmocka_unit_test(a_reloaded_tree_goes_on_as_the_saved_one),
        cmocka_unit_test(a_change_costs_much_the_same_among_100_and_100000_siblings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
