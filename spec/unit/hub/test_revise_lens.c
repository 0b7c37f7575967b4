/* Undo and restore through a lens. */
#include "revise_world.h"

#define SEES "\"events\":[\"*\"],\"tokens\":{\"read\":[\"*\"],\"write\":[\"*\"]}"

static void steps_need_no_command_of_their_own_in_the_list(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ""));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true}"));
    fixture_set_plan(&w->f, plan_of("{" SEES ",\"commands\":[\"undo\"],\"blocks\":{\"read\":true,\"write\":true}}"));
    undo(w, "ann", "c3");
    assert_skipped(w, "[]");
    assert_null(gw_json_get(gw_block_props(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, "a")), "done"));
}

static void steps_are_writes_of_their_author(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ""));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true}"));
    fixture_set_plan(&w->f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":true}}"));
    undo(w, "ann", "c3");
    assert_int_equal(gw_json_count(w->skipped), 1);
    assert_non_null(gw_json_get(gw_block_props(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, "a")), "done"));
}

static void a_restore_leaves_what_is_hidden_alone_and_says_nothing(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("seen", ",\"text\":\"one\""));
    ann(w, INSERT("secret", ",\"text\":\"one\",\"vis\":\"s\""));
    ann(w, INSERT("gone", ",\"vis\":\"s\""));
    ann(w, COMMIT);
    splice(w, "ann", "seen", "\"at\":0,\"del\":3,\"ins\":\"two\"");
    splice(w, "ann", "secret", "\"at\":0,\"del\":3,\"ins\":\"two\"");
    ann(w, UPDATE("seen", ",\"set\":{\"due\":\"never\"}"));
    ann(w, REMOVE("gone"));
    ann(w, INSERT("later", ",\"vis\":\"s\""));
    ann(w, INSERT("extra", ""));
    fixture_set_plan(&w->f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":[{\"vis\":[\"\"]}],\"write\":true,"
                                    "\"redact\":[{\"props\":[\"due\"]}]}}"));
    revise(w, "bob", RESTORE(1));
    assert_skipped(w, "[]");
    assert_text(w, "seen", "one");
    assert_text(w, "secret", "two");
    const struct gw_blocks *blocks = gw_state_canvas(w->f.state, "c")->blocks;
    assert_non_null(gw_blocks_find(blocks, "later"));
    assert_null(gw_blocks_find(blocks, "gone"));
    assert_null(gw_blocks_find(blocks, "extra"));
    assert_non_null(gw_json_get(gw_block_props(gw_blocks_find(blocks, "seen")), "due"));
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPEC(steps_need_no_command_of_their_own_in_the_list),
        SPEC(steps_are_writes_of_their_author),
        SPEC(a_restore_leaves_what_is_hidden_alone_and_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
