/* A run.start waits for its flow, and what comes after it waits too. */
#include "hub/small_hub.h"

#define DEMO "{\"flow_id\":\"demo\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"planning\"}]}"

static void a_start_waits_for_its_flow_and_what_follows_waits_for_the_start(void **state)
{
    struct world *w = *state;
    struct sent start, next;
    send_command(w, &start, START);
    send_command(w, &next, SET(7));
    turn(w);
    assert_false(start.is_done || next.is_done);
    assert_string_equal(w->asked->tenant_id, "t");
    assert_string_equal(w->asked->project_id, "p");
    assert_string_equal(w->asked->flow_id, "demo");
    answer_flow(w, GW_OK, DEMO);
    turn(w);
    assert_outcome(&start, "\"events\":2");
    assert_outcome(&next, "\"events\":1");
}

static void a_run_that_exists_asks_for_no_flow(void **state)
{
    struct world *w = *state;
    struct sent start;
    must_send(w, MOUNT);
    send_command(w, &start, START);
    turn(w);
    assert_outcome(&start, "run_exists");
    assert_int_equal(w->asked_count, 0);
}

static void who_may_not_write_asks_for_no_flow(void **state)
{
    struct world *w = *state;
    struct sent start;
    small_hub_set_plan(w, plan_of("{}"));
    send_command(w, &start, START);
    turn(w);
    assert_outcome(&start, "not_allowed");
    assert_int_equal(w->asked_count, 0);
}

static void an_unknown_flow_is_refused_and_asked_for_again(void **state)
{
    struct world *w = *state;
    struct sent start;
    for (size_t i = 1; i <= 2; i++) {
        send_command(w, &start, START);
        turn(w);
        answer_flow(w, GW_ENOTFOUND, NULL);
        turn(w);
        assert_outcome(&start, "unknown_flow");
        assert_int_equal(w->asked_count, i);
    }
    must_send(w, MOUNT);
}

static void a_registry_that_fails_is_to_be_asked_later(void **state)
{
    struct world *w = *state;
    struct sent start, next;
    send_command(w, &start, START);
    send_command(w, &next, MOUNT);
    turn(w);
    answer_flow(w, GW_EIO, NULL);
    turn(w);
    assert_true(start.submission.outcomes[0].error->is_retryable);
    assert_outcome(&start, "registry_unavailable");
    assert_outcome(&next, "committed");
}

static void what_was_admitted_before_a_drain_gets_its_flow(void **state)
{
    struct world *w = *state;
    struct sent start, other;
    send_command(w, &start, START);
    turn(w);
    gw_hub_drain(w->hub);
    send_command(w, &other, MOUNT);
    turn(w);
    assert_outcome(&other, "draining");
    assert_false(gw_hub_is_quiet(w->hub));
    answer_flow(w, GW_OK, DEMO);
    turn(w);
    assert_outcome(&start, "committed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, small_hub_setup, small_hub_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_waits_for_its_flow_and_what_follows_waits_for_the_start),
        TEST(a_run_that_exists_asks_for_no_flow),
        TEST(who_may_not_write_asks_for_no_flow),
        TEST(an_unknown_flow_is_refused_and_asked_for_again),
        TEST(a_registry_that_fails_is_to_be_asked_later),
        TEST(what_was_admitted_before_a_drain_gets_its_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
