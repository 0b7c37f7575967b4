/* Undo and restore: what comes back, what is left alone, and that others lose nothing. */
#include "revise_world.h"

/* ---- undo ---- */

static void each_kind_of_change_is_taken_back(void **state)
{
    struct world *w = *state;
    static const char *const changes[] = {
        UPDATE("a", ",\"set\":{\"done\":true,\"due\":\"x\"},\"unset\":[\"state\"],\"vis\":\"staff\""),
        UPDATE("b", ",\"vis\":null"),
        MOVE("c", ",\"parent\":\"a\""),
        MOVE("a", ",\"parent\":null,\"after\":\"d\""),
        REMOVE("a"),
        INSERT("new", ",\"parent\":\"a\",\"text\":\"n\""),
        "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":7,\"plan.title\":\"t\"},\"unset\":[\"ui.zoom\"]}",
    };
    ann(w, INSERT("a", ",\"text\":\"A\",\"props\":{\"due\":\"old\"}"));
    ann(w, INSERT("b", ",\"after\":\"a\",\"vis\":\"press\""));
    ann(w, INSERT("c", ",\"after\":\"b\""));
    ann(w, INSERT("d", ",\"after\":\"c\""));
    ann(w, INSERT("a1", ",\"parent\":\"a\",\"text\":\"child\""));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char id[16];
        char *before = keep(w);
        ann(w, changes[i]);
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        char *after = keep(w);
        undo(w, "ann", id);
        assert_back(w, before);
        assert_skipped(w, "[]");
        assert_order(w, NULL, "a b c d ");
        /* An undo is a command: it can be undone. */
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        undo(w, "ann", id);
        assert_back(w, after);
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        undo(w, "ann", id);
        assert_order(w, NULL, "a b c d ");
    }
}

static void what_another_wrote_since_stays_and_is_told(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"props\":{\"due\":\"old\"}"));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true,\"due\":\"hers\"}"));
    bob(w, UPDATE("a", ",\"set\":{\"due\":\"his\"}"));
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a/props/due\",\"reason\":\"changed_since\"}]");
    struct gw_canvas *canvas = gw_state_canvas(w->f.state, "c");
    assert_json(gw_block_props(gw_blocks_find(canvas->blocks, "a")), "{\"due\":\"his\",\"state\":\"open\"}");
}

static void one_undoes_only_what_is_ones_own(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ""));
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"of\":\"c2\"}", "unknown_turn", "/args/of");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}", "unknown_turn", "/args/origin");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"of\":\"c2\",\"origin\":\"o\"}", "missing_arg", "/args");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{}", "missing_arg", "/args");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"all\":true}", "unknown_member", "/args/all");
}

static void a_block_that_others_have_touched_stays(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ""));
    ann(w, INSERT("b", ""));
    ann(w, INSERT("d", ""));
    splice(w, "bob", "a", "\"at\":0,\"del\":0,\"ins\":\"his\"");
    bob(w, INSERT("below", ",\"parent\":\"b\""));
    undo(w, "ann", "c2");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a\",\"reason\":\"changed_since\"}]");
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/b\",\"reason\":\"changed_since\"}]");
    undo(w, "ann", "c4");
    assert_skipped(w, "[]");
    assert_order(w, NULL, "b a ");
}

static void a_removed_block_is_not_written_to(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ""));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true}"));
    bob(w, REMOVE("a"));
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a/props/done\",\"reason\":\"block_removed\"}]");
}

static void ones_own_typing_goes_and_that_of_others_stays(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"one two\""));
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":1,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":3,\"del\":0,\"ins\":\" "
                "and äöü\"}");
    ann(w, ON_C
        "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":2,\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":3,\"ins\":\"ONE\"}");
    assert_text(w, "a", "ONE and äöü two");
    splice(w, "bob", "a", "\"at\":9,\"del\":0,\"ins\":\"--\"");
    splice(w, "bob", "a", "\"at\":0,\"del\":0,\"ins\":\">> \"");
    splice(w, "bob", "a", "\"at\":4,\"del\":1,\"ins\":\"\"");
    assert_text(w, "a", ">> OE and ä--öü two");
    revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
    assert_text(w, "a", ">> one-- two");
    assert_skipped(w, "[]");
}

static void typing_and_deleting_ones_own_leaves_nothing(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"text\""));
    ann(w, ON_C
        "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":1,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":4,\"del\":0,\"ins\":\" abc\"}");
    ann(w,
        ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":2,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":6,\"del\":1,\"ins\":\"\"}");
    ann(w,
        ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":3,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":2,\"del\":3,\"ins\":\"X\"}");
    assert_text(w, "a", "teXac");
    revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
    assert_text(w, "a", "text");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}", "already_undone", "/args/origin");
}

static void a_whole_turn_goes_at_once(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"A\""));
    bob(w, INSERT("b", ",\"after\":\"a\",\"text\":\"B\""));
    bob(w, INSERT("x", ",\"parent\":\"b\",\"text\":\"deep\""));
    bob(w, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3}}");
    char *before = keep(w);
    static const char *const turn[] = {
        INSERT("n", ",\"text\":\"new\""),
        MOVE("a", ",\"parent\":\"n\""),
        UPDATE("x", ",\"set\":{\"done\":true}"),
        REMOVE("b"),
        INSERT("m", ",\"parent\":\"a\""),
        "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":9}}",
        "\"type\":\"token.set\",\"args\":{\"unset\":[\"plan.days\"]}",
        REMOVE("m"),
    };
    for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++) {
        char members[512];
        snprintf(members, sizeof members, "\"origin\":\"t1\",\"n\":%zu,%s", i + 1, turn[i]);
        as(w, "ann", members);
    }
    assert_order(w, NULL, "n ");
    revise(w, "ann", "\"type\":\"undo\",\"origin\":\"t2\",\"n\":1,\"args\":{\"origin\":\"t1\"}");
    assert_skipped(w, "[]");
    assert_back(w, before);
    assert_order(w, NULL, "a b ");
    /* The undo has its place in its own origin. */
    must_not_revise(w, "\"type\":\"undo\",\"origin\":\"t2\",\"n\":1,\"args\":{\"origin\":\"t1\"}", "out_of_order", "/n");
}

static void a_block_comes_back_with_its_author(void **state)
{
    struct world *w = *state;
    w->f.author_kind = "agent";
    as(w, "bot", INSERT("a", ",\"text\":\"A\""));
    w->f.author_kind = "user";
    ann(w, REMOVE("a"));
    undo(w, "ann", "c3");
    assert_string_equal(gw_block_author(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, "a")), "agent");
    assert_json(gw_json_get(gw_json_get(last_event(&w->f)->facets, "blocks"), "a"),
                "{\"author\":\"agent\",\"by\":\"bot\",\"is\":\"new\",\"kind\":\"task\"}");
}

static void nobody_else_may_name_an_author_or_use_a_removed_id(void **state)
{
    struct world *w = *state;
    must_refuse(&w->f, INSERT("a", ",\"author\":\"agent\""), "unknown_member", "/args/block/author");
    ann(w, INSERT("a", ""));
    ann(w, REMOVE("a"));
    must_refuse(&w->f, INSERT("a", ""), "block_removed", "/args/block/id");
}

/* ---- restore ---- */

static void a_revision_comes_back_whole(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"grüße\",\"props\":{\"due\":\"x\"},\"vis\":\"staff\""));
    ann(w, INSERT("b", ",\"after\":\"a\",\"text\":\"B\""));
    ann(w, INSERT("b1", ",\"parent\":\"b\""));
    ann(w, INSERT("b2", ",\"parent\":\"b\",\"after\":\"b1\",\"text\":\"deep\""));
    ann(w, INSERT("d", ",\"after\":\"b\""));
    ann(w, COMMIT);
    char *before = keep(w);
    bob(w, MOVE("a", ",\"parent\":\"b2\""));
    bob(w, REMOVE("b1"));
    bob(w, INSERT("z", ",\"text\":\"new\""));
    bob(w, MOVE("b", ",\"parent\":\"z\""));
    bob(w, UPDATE("a", ",\"set\":{\"done\":true},\"unset\":[\"due\"],\"vis\":null"));
    splice(w, "bob", "a", "\"at\":2,\"del\":2,\"ins\":\"ä\"");
    bob(w, MOVE("d", ",\"parent\":null"));
    bob(w, INSERT("z1", ",\"parent\":\"z\",\"text\":\"new\""));
    revise(w, "ann", RESTORE(1));
    assert_skipped(w, "[]");
    assert_back(w, before);
    assert_order(w, NULL, "a b d ");
    assert_order(w, "b", "b1 b2 ");
}

static void restoring_what_stands_makes_no_event(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"A\""));
    ann(w, COMMIT);
    assert_int_equal(revise(w, "ann", RESTORE(1)), 0);
}

static void a_restore_can_be_undone(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"A\""));
    ann(w, COMMIT);
    ann(w, INSERT("b", ",\"text\":\"B\""));
    ann(w, REMOVE("a"));
    char *before = keep(w);
    revise(w, "ann", RESTORE(1));
    assert_order(w, NULL, "a ");
    char id[16];
    snprintf(id, sizeof id, "c%u", w->f.command_count);
    undo(w, "ann", id);
    assert_back(w, before);
}

static void an_unknown_revision_is_refused(void **state)
{
    struct world *w = *state;
    must_not_revise(w, RESTORE(1), "unknown_commit", "/args/rev");
    must_not_revise(w, RESTORE("1"), "bad_shape", "/args/rev");
    must_not_revise(w, "\"type\":\"canvas.restore\",\"args\":{\"rev\":1}", "missing_id", "/canvas_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_of_change_is_taken_back, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_another_wrote_since_stays_and_is_told, open_world, close_world),
        cmocka_unit_test_setup_teardown(one_undoes_only_what_is_ones_own, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_block_that_others_have_touched_stays, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_removed_block_is_not_written_to, open_world, close_world),
        cmocka_unit_test_setup_teardown(ones_own_typing_goes_and_that_of_others_stays, open_world, close_world),
        cmocka_unit_test_setup_teardown(typing_and_deleting_ones_own_leaves_nothing, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_whole_turn_goes_at_once, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_block_comes_back_with_its_author, open_world, close_world),
        cmocka_unit_test_setup_teardown(nobody_else_may_name_an_author_or_use_a_removed_id, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_revision_comes_back_whole, open_world, close_world),
        cmocka_unit_test_setup_teardown(restoring_what_stands_makes_no_event, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_restore_can_be_undone, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_unknown_revision_is_refused, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
