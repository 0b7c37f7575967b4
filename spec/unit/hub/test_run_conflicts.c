/* What a conflict tells of what changed since the command's base, and when. */
#include "hub/small_hub.h"

static void a_conflict_tells_what_came_after_its_base(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    must_send(w, SET(8));
    send_command(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, "{\"events\":[2,3],\"cursor\":\"" EPOCH " 1 3\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

static void a_refusal_waits_for_what_it_was_judged_by(void **state)
{
    struct world *w = *state;
    struct sent first, second;
    must_send(w, MOUNT);
    w->holds_appends = true;
    send_command(w, &first, SET(7));
    turn(w);
    send_command(w, &second, BASE(1) CONFLICT);
    turn(w);
    assert_false(first.is_done || second.is_done);
    w->holds_appends = false;
    pass_append(w, w->held);
    turn(w);
    assert_outcome(&first, "committed");
    assert_changes(&second, "{\"events\":[2],\"cursor\":\"" EPOCH " 1 2\",\"truncated\":false}");
    assert_outcome(&second, "condition_failed");
}

static void a_refusal_stands_without_changes_when_those_were_never_stored(void **state)
{
    struct world *w = *state;
    struct sent first, second;
    must_send(w, MOUNT);
    w->holds_appends = true;
    send_command(w, &first, SET(7));
    turn(w);
    send_command(w, &second, BASE(1) CONFLICT);
    turn(w);
    w->fails_appends = true;
    pass_append(w, w->held);
    turn(w);
    assert_outcome(&first, "spine_unavailable");
    assert_changes(&second, NULL);
    assert_outcome(&second, "condition_failed");
}

static void a_refusal_stands_without_changes_when_the_log_cannot_be_read(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    w->fails_reads = true;
    send_command(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, NULL);
    assert_outcome(&sent, "condition_failed");
}

static void another_lens_without_history_is_told_nothing(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    w->plan->sees_history = false;
    send_command(w, &sent, "\"base\":\"" EPOCH " 2 1\"," CONFLICT);
    turn(w);
    assert_changes(&sent, NULL);
    assert_outcome(&sent, "condition_failed");
    send_command(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, "{\"events\":[2],\"cursor\":\"" EPOCH " 1 2\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

static void hidden_events_are_neither_told_nor_counted(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    small_hub_set_plan(w, plan_of_tokens("[\"ui.*\"]"));
    send_command(w, &sent, BASE(1) "\"if\":{\"/tokens/ui.zoom\":5}," SET(6));
    turn(w);
    assert_changes(&sent, "{\"events\":[],\"cursor\":\"" EPOCH " 1 1\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, small_hub_setup, small_hub_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_conflict_tells_what_came_after_its_base),
        TEST(a_refusal_waits_for_what_it_was_judged_by),
        TEST(a_refusal_stands_without_changes_when_those_were_never_stored),
        TEST(a_refusal_stands_without_changes_when_the_log_cannot_be_read),
        TEST(another_lens_without_history_is_told_nothing),
        TEST(hidden_events_are_neither_told_nor_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
