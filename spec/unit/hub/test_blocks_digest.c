/* The digest of a block tree: kept, it equals the one made anew. */
#include "base/alloc.h"
#include "blocks_random.h"
#include "hub/blocks_digest.h"
#include "hub/merkle.h"

static void digest_anew(const struct gw_blocks *blocks, uint8_t out[GW_SHA256_BYTES])
{
    struct gw_merkle *leaves = gw_merkle_create();
    for (struct gw_block *block = NULL; (block = gw_blocks_next(blocks, NULL, block));) {
        uint8_t key[GW_SHA256_BYTES], leaf[GW_SHA256_BYTES];
        struct gw_buffer text;
        gw_buffer_init(&text, 0);
        gw_buffer_append_char(&text, '\0');
        gw_blocks_digest_write(block, &text);
        gw_sha256(text.data, text.length, leaf);
        gw_sha256(gw_block_id(block), strlen(gw_block_id(block)), key);
        assert_int_equal(gw_merkle_put(leaves, key, leaf), 0);
        gw_buffer_fini(&text);
    }
    gw_merkle_root(leaves, out);
    gw_merkle_destroy(leaves);
}

static void assert_digest(struct gw_blocks *blocks)
{
    uint8_t kept[GW_SHA256_BYTES], anew[GW_SHA256_BYTES];
    assert_int_equal(gw_blocks_digest(blocks, kept), 0);
    digest_anew(blocks, anew);
    assert_memory_equal(kept, anew, sizeof kept);
}

static void a_leaf_holds_what_a_reader_sees_and_the_left_neighbour(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_error err;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL), *b = insert(&f, "b", NULL, a);
    struct gw_json *set = parse("{\"z\":1.5,\"ä\":[true],\"b\":{\"y\":1,\"x\":null}}");
    struct gw_block_update update = {.block = b, .set = set, .vis = "staff"};
    struct gw_buffer text;
    assert_int_equal(gw_blocks_update(f.blocks, &update, &err), 0);
    gw_buffer_init(&text, 0);
    gw_blocks_digest_write(a, &text);
    gw_blocks_digest_write(b, &text);
    gw_buffer_append(&text, "", 1);
    assert_string_equal(text.data, "{\"after\":null,\"id\":\"a\",\"kind\":\"text\",\"parent\":null,\"props\":{},\"text\":\"a\"}"
                                   "{\"after\":\"a\",\"id\":\"b\",\"kind\":\"text\",\"parent\":null,"
                                   "\"props\":{\"b\":{\"x\":null,\"y\":1},\"z\":1.5,\"ä\":[true]},\"text\":\"b\",\"vis\":\"staff\"}");
    gw_buffer_fini(&text);
    gw_json_unref(set);
    fixture_fini(&f);
}

static void a_kept_digest_equals_one_made_anew(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t round = 0; round < 400; round++) {
        for (size_t i = next_random(&f, 12); i; i--)
            random_change(&f);
        assert_digest(f.blocks);
    }
    assert_true(gw_blocks_count(f.blocks) > 20);
    fixture_fini(&f);
}

/* Asked before, while and after a journal is open. */
static void a_revert_leaves_no_trace(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t round = 0; round < 400; round++) {
        random_change(&f);
        if (round % 2)
            assert_digest(f.blocks);
        uint64_t seq = f.seq;
        gw_journal_begin(&f.journal);
        for (size_t i = next_random(&f, 10); i; i--) {
            random_change(&f);
            if (next_random(&f, 4) == 0)
                assert_digest(f.blocks);
        }
        if (round % 3) {
            gw_journal_revert(&f.journal);
            f.seq = seq;
        } else {
            gw_journal_keep(&f.journal);
        }
        if (round % 5)
            assert_digest(f.blocks);
    }
    fixture_fini(&f);
}

static void so_many_changes_that_it_is_made_anew(void **state)
{
    (void)state;
    struct fixture f;
    char id[16];
    fixture_init(&f);
    struct gw_block *last = insert(&f, "first", NULL, NULL);
    assert_digest(f.blocks);
    for (size_t i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "n%zu", i);
        last = insert(&f, id, NULL, last);
    }
    assert_digest(f.blocks);
    remove_block(&f, find(&f, "n1500"));
    assert_digest(f.blocks);
    fixture_fini(&f);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 1; n < 60; n++) {
        struct fixture f;
        uint8_t out[GW_SHA256_BYTES];
        fixture_init(&f);
        for (size_t i = 0; i < 30; i++)
            random_change(&f);
        if (n % 2)
            assert_digest(f.blocks);
        random_change(&f);
        gw_alloc_fail_after(n);
        int status = gw_blocks_digest(f.blocks, out);
        gw_alloc_fail_after(0);
        assert_true(status == 0 || status == GW_ENOMEM);
        random_change(&f);
        assert_digest(f.blocks);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_holds_what_a_reader_sees_and_the_left_neighbour),
        cmocka_unit_test(a_kept_digest_equals_one_made_anew),
        cmocka_unit_test(a_revert_leaves_no_trace),
        cmocka_unit_test(so_many_changes_that_it_is_made_anew),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
