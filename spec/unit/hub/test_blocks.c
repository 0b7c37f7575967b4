/* The operations of the block tree, one by one. */
#include <stdio.h>

#include "blocks_fixture.h"

#include "base/alloc.h"

static void assert_order(struct fixture *f, const char *expected)
{
    char got[128] = "";
    for (struct gw_block *b = gw_blocks_next(f->blocks, NULL, NULL); b; b = gw_blocks_next(f->blocks, NULL, b))
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", gw_block_id(b));
    assert_string_equal(got, expected);
    assert_consistent(f->blocks);
}

static void siblings_stand_where_they_were_put(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL);
    struct gw_block *b = insert(&f, "b", NULL, a);
    insert(&f, "c", NULL, a);
    insert(&f, "d", NULL, NULL);
    insert(&f, "x", b, NULL);
    assert_order(&f, "d a c b x ");
    assert_int_equal(move_after(&f, gw_blocks_find(f.blocks, "d"), b, gw_blocks_find(f.blocks, "x")), 0);
    assert_order(&f, "a c b x d ");
    assert_int_equal(gw_block_depth(gw_blocks_find(f.blocks, "d")), 2);
    gw_blocks_destroy(f.blocks);
}

static void a_move_within_one_parent_passes_over_itself(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL), *b = insert(&f, "b", NULL, a), *c = insert(&f, "c", NULL, b);
    assert_int_equal(move_after(&f, a, NULL, c), 0);
    assert_order(&f, "b c a ");
    assert_int_equal(move_after(&f, a, NULL, NULL), 0);
    assert_order(&f, "a b c ");
    assert_int_equal(move_after(&f, b, NULL, a), 0);
    assert_order(&f, "a b c ");
    gw_blocks_destroy(f.blocks);
}

static void inserts_at_one_place_relabel_neighbours_and_can_be_undone(void **state)
{
    (void)state;
    struct fixture f;
    char id[16];
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL);
    insert(&f, "z", NULL, a);
    for (int round = 0; round < 10; round++) {
        struct gw_buffer before = dump(f.blocks, f.seq);
        uint64_t seq = f.seq;
        for (int keep = 0; keep < 2; keep++) {
            gw_journal_begin(&f.journal);
            for (int i = 0; i < 50; i++) {
                snprintf(id, sizeof id, "n%d", round * 50 + i);
                insert(&f, id, NULL, a);
                if (i % 10 == 9)
                    assert_int_equal(move_after(&f, gw_blocks_find(f.blocks, id), NULL, NULL), 0);
            }
            assert_consistent(f.blocks);
            if (keep) {
                gw_journal_keep(&f.journal);
                continue;
            }
            gw_journal_revert(&f.journal);
            f.seq = seq;
            assert_same_dump(before, dump(f.blocks, f.seq));
        }
    }
    assert_int_equal(gw_blocks_count(f.blocks), 502);
    gw_blocks_destroy(f.blocks);
}

static void a_move_into_its_own_subtree_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_error err;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL), *b = insert(&f, "b", a, NULL);
    assert_true(gw_block_is_within(b, a));
    assert_false(gw_block_is_within(a, b));
    assert_int_equal(gw_blocks_move(f.blocks, a, b, "V", &err), GW_EINVAL);
    assert_int_equal(gw_blocks_move(f.blocks, a, a, "V", &err), GW_EINVAL);
    assert_order(&f, "a b ");
    gw_blocks_destroy(f.blocks);
}

static void operations_that_do_not_fit_change_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_error err;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL), *b = insert(&f, "b", NULL, a);
    struct gw_buffer before = dump(f.blocks, f.seq);
    struct gw_block_insert again = {.id = "a", .kind = "text", .label = "1", .seq = 9};
    struct gw_block_insert taken = {.id = "n", .kind = "text", .label = gw_block_label(b), .seq = 9};
    struct gw_block_insert malformed = {.id = "n", .kind = "text", .label = "1-", .seq = 9};
    assert_int_equal(gw_blocks_insert(f.blocks, &again, NULL, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_op");
    assert_int_equal(gw_blocks_insert(f.blocks, &taken, NULL, &err), GW_EINVAL);
    assert_int_equal(gw_blocks_insert(f.blocks, &malformed, NULL, &err), GW_EINVAL);
    assert_int_equal(gw_blocks_move(f.blocks, a, NULL, gw_block_label(b), &err), GW_EINVAL);
    assert_int_equal(splice(&f, a, (struct gw_splice){5, 0, 1}, "x"), GW_EINVAL);
    struct gw_splice_edit edit = {NULL, f.seq, f.seq + 1, {0, 1, 0}};
    struct gw_text_op op;
    gw_text_op_init(&op, &(struct gw_splice){0, 7, 0});
    assert_int_equal(gw_blocks_splice(f.blocks, &(struct gw_block_splice){a, &edit, &op, "", 0}, &err), GW_EINVAL);
    gw_text_op_init(&op, &(struct gw_splice){0, 0, 2});
    assert_int_equal(gw_blocks_splice(f.blocks, &(struct gw_block_splice){a, &edit, &op, "x", 1}, &err), GW_EINVAL);
    assert_same_dump(before, dump(f.blocks, f.seq));
    gw_blocks_destroy(f.blocks);
}

static void update_is_per_field_and_leaves_the_old_object_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_error err;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL);
    struct gw_json *set = parse("{\"x\":1,\"y\":[2]}"), *unset = parse("[\"x\",\"absent\"]"), *set_z = parse("{\"z\":true}");
    assert_int_equal(gw_blocks_update(f.blocks, &(struct gw_block_update){.block = a, .set = set, .vis = "staff"}, &err), 0);
    struct gw_json *old = gw_json_ref(gw_block_props(a));
    assert_int_equal(gw_blocks_update(f.blocks, &(struct gw_block_update){.block = a, .set = set_z, .unset = unset}, &err), 0);
    struct gw_json *expected = parse("{\"y\":[2],\"z\":true}");
    assert_true(gw_json_equal(gw_block_props(a), expected));
    assert_true(gw_json_equal(old, set));
    assert_string_equal(gw_block_vis(a), "staff");
    assert_int_equal(gw_blocks_update(f.blocks, &(struct gw_block_update){.block = a, .vis = ""}, &err), 0);
    assert_string_equal(gw_block_vis(a), "");
    gw_json_unref(set);
    gw_json_unref(unset);
    gw_json_unref(set_z);
    gw_json_unref(expected);
    gw_json_unref(old);
    gw_blocks_destroy(f.blocks);
}

static void a_removed_id_is_told_from_one_that_never_was(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL);
    insert(&f, "b", a, NULL);
    insert(&f, "c", gw_blocks_find(f.blocks, "b"), NULL);
    assert_int_equal(remove_block(&f, a), 0);
    assert_int_equal(gw_blocks_count(f.blocks), 0);
    assert_null(gw_blocks_find(f.blocks, "c"));
    assert_int_equal(gw_blocks_removed_seq(f.blocks, "c", f.seq), f.seq);
    assert_int_equal(gw_blocks_removed_seq(f.blocks, "never", f.seq), 0);
    assert_int_equal(gw_blocks_removed_seq(f.blocks, "c", f.seq + LIMITS.edit_window), 0);
    insert(&f, "c", NULL, NULL);
    assert_int_equal(gw_blocks_removed_seq(f.blocks, "c", f.seq), 0);
    assert_int_equal(gw_block_born_seq(gw_blocks_find(f.blocks, "c")), f.seq);
    for (uint64_t seq = f.seq; seq < f.seq + LIMITS.edit_window + 10; seq++)
        gw_blocks_advance(f.blocks, seq);
    assert_int_equal(gw_blocks_removed_seq(f.blocks, "a", f.seq), 0);
    gw_blocks_destroy(f.blocks);
}

static void the_same_id_can_be_removed_and_inserted_within_a_journal(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    insert(&f, "b", insert(&f, "a", NULL, NULL), NULL);
    struct gw_buffer before = dump(f.blocks, f.seq);
    uint64_t seq = f.seq;
    for (int keep = 0; keep < 2; keep++) {
        gw_journal_begin(&f.journal);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(remove_block(&f, gw_blocks_find(f.blocks, "a")), 0);
            insert(&f, "b", insert(&f, "a", NULL, NULL), NULL);
            assert_int_equal(splice(&f, gw_blocks_find(f.blocks, "b"), (struct gw_splice){1, 0, 3}, "new"), 0);
        }
        if (keep) {
            gw_journal_keep(&f.journal);
            assert_order(&f, "a b ");
            gw_buffer_fini(&before);
        } else {
            gw_journal_revert(&f.journal);
            f.seq = seq;
            struct gw_buffer after = dump(f.blocks, f.seq);
            assert_string_equal(before.data, after.data);
            gw_buffer_fini(&after);
        }
    }
    gw_blocks_destroy(f.blocks);
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "[]",
        "{}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V\"}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V0\",\"born\":1}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V\",\"born\":1,\"parent\":\"gone\"}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V\",\"born\":1,\"text\":7}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V\",\"born\":1,\"props\":[]}",
        "{\"id\":\"a\",\"kind\":\"k\",\"pos\":\"V\",\"born\":1,\"edits\":[]}",
        "{\"id\":1,\"kind\":\"k\",\"pos\":\"V\",\"born\":1}",
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct fixture f;
        struct gw_error err;
        fixture_init(&f);
        struct gw_json *json = parse(damaged[i]);
        assert_int_equal(gw_blocks_load_block(f.blocks, json, &err), GW_EINVAL);
        gw_json_unref(json);
        gw_blocks_destroy(f.blocks);
    }
}

static void every_kind_of_change(struct fixture *f, int *code)
{
    struct gw_error err;
    struct gw_block *a = gw_blocks_find(f->blocks, "a"), *made;
    struct gw_json *set = parse("{\"x\":1}");
    gw_alloc_fail_after(*code);
    *code = 0;
    if (try_insert(f, "new", a, NULL, &made) || gw_blocks_update(f->blocks, &(struct gw_block_update){a, set, NULL, "v"}, &err) ||
        splice(f, a, (struct gw_splice){0, 1, 3}, "xyz") || move_after(f, gw_blocks_find(f->blocks, "c"), a, NULL) ||
        remove_block(f, gw_blocks_find(f->blocks, "b")))
        *code = GW_ENOMEM;
    gw_alloc_fail_after(0);
    gw_json_unref(set);
}

static void a_change_that_finds_no_memory_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_block *a = insert(&f, "a", NULL, NULL), *b = insert(&f, "b", NULL, a);
    insert(&f, "c", NULL, b);
    insert(&f, "d", b, NULL);
    struct gw_buffer before = dump(f.blocks, f.seq);
    uint64_t seq = f.seq;
    int code = GW_ENOMEM;
    for (int n = 1; code; n++) {
        code = n;
        gw_journal_begin(&f.journal);
        every_kind_of_change(&f, &code);
        gw_journal_revert(&f.journal);
        f.seq = seq;
        struct gw_buffer after = dump(f.blocks, f.seq);
        assert_string_equal(before.data, after.data);
        gw_buffer_fini(&after);
        assert_consistent(f.blocks);
        assert_true(n < 200);
    }
    gw_buffer_fini(&before);
    gw_blocks_destroy(f.blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siblings_stand_where_they_were_put),
        cmocka_unit_test(a_move_within_one_parent_passes_over_itself),
        cmocka_unit_test(a_move_into_its_own_subtree_is_refused),
        cmocka_unit_test(inserts_at_one_place_relabel_neighbours_and_can_be_undone),
        cmocka_unit_test(operations_that_do_not_fit_change_nothing),
        cmocka_unit_test(update_is_per_field_and_leaves_the_old_object_alone),
        cmocka_unit_test(a_removed_id_is_told_from_one_that_never_was),
        cmocka_unit_test(the_same_id_can_be_removed_and_inserted_within_a_journal),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(a_change_that_finds_no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
