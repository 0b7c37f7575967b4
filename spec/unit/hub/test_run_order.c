/* Orders of an operator to a run: when they are carried out, what comes meanwhile, and what becomes of them when the spine fails. */
#include "hub/small_hub.h"

#include "hub/operate.h"

#define TITLE(text) "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.title\":\"" text "\"}}"

struct given {
    struct gw_order order; /* first */
    bool is_done;
};

static const struct gw_scope scope = {.tenant_id = "t", .mode = "dev", .project_id = "p", .surface_id = "s", .app_id = "a", .run_id = "r"};

static void on_order_done(struct gw_order *order) { ((struct given *)(void *)order)->is_done = true; }

static void give(struct world *w, struct given *given, enum gw_order_kind kind)
{
    *given = (struct given){.order = {.kind = kind, .scope = scope, .home = &w->executor, .done = on_order_done, .actor_id = "ann"}};
    gw_hub_order(w->hub, &given->order);
}

static void must_give(struct world *w, enum gw_order_kind kind)
{
    struct given given;
    give(w, &given, kind);
    turn(w);
    assert_true(given.is_done);
    assert_int_equal(given.order.status, GW_OK);
}

static void must_fail(struct world *w, struct given *given)
{
    turn(w);
    assert_true(given->is_done);
    assert_string_equal(given->order.err.id, "spine_unavailable");
    assert_true(given->order.err.is_retryable);
    w->now_ms += 1000; /* a run that could not be read is tried again */
    turn(w);
}

static void assert_title(struct world *w, const char *expected)
{
    char members[200];
    snprintf(members, sizeof members, "\"if\":{\"/tokens/plan.title\":\"%s\"}," SET(8), expected);
    must_send(w, members);
}

static void begin(struct world *w)
{
    must_send(w, MOUNT);
    must_send(w, TITLE("a title"));
}

static void begins_a_run_anew(void **state)
{
    struct world *w = *state;
    begin(w);
    must_give(w, GW_ORDER_DELETE);
    w->command_count = 0; /* the ids are free */
    begin(w);
    assert_title(w, "a title");
}

static void takes_out_what_was_written(void **state)
{
    struct world *w = *state;
    begin(w);
    must_give(w, GW_ORDER_ERASE);
    assert_title(w, "");
    must_send(w, TITLE("another"));
    assert_title(w, "another");
}

static void is_nothing_to_a_run_that_never_was(void **state)
{
    struct world *w = *state;
    must_give(w, GW_ORDER_ERASE);
    must_give(w, GW_ORDER_DELETE);
    begin(w);
}

static void refuses_commands_meanwhile(struct world *w, enum gw_order_kind kind)
{
    struct given given;
    struct sent sent;
    w->holds_erasures = true;
    give(w, &given, kind);
    turn(w);
    send_command(w, &sent, TITLE("meanwhile"));
    turn(w);
    assert_false(given.is_done);
    assert_true(sent.submission.outcomes[0].error->is_retryable);
    assert_outcome(&sent, "run_being_erased");
    w->holds_erasures = false;
    pass_erase(w, w->held_erase);
    turn(w);
    assert_true(given.is_done);
    assert_int_equal(given.order.status, GW_OK);
}

static void lets_no_command_in_meanwhile(void **state)
{
    struct world *w = *state;
    begin(w);
    refuses_commands_meanwhile(w, GW_ORDER_ERASE);
    must_send(w, TITLE("after it"));
    refuses_commands_meanwhile(w, GW_ORDER_DELETE);
    w->command_count = 0;
    begin(w);
}

static void comes_after_what_was_accepted(void **state)
{
    struct world *w = *state;
    struct given given;
    struct sent on_its_way, waiting;
    begin(w);
    w->holds_appends = true;
    send_command(w, &on_its_way, TITLE("on its way"));
    turn(w);
    give(w, &given, GW_ORDER_ERASE);
    turn(w);
    send_command(w, &waiting, TITLE("not accepted yet"));
    turn(w);
    assert_false(given.is_done || on_its_way.is_done || waiting.is_done);
    w->holds_appends = false;
    pass_append(w, w->held);
    turn(w);
    assert_outcome(&on_its_way, "committed");
    assert_outcome(&waiting, "run_being_erased");
    assert_true(given.is_done);
    assert_int_equal(given.order.erased_count, 1);
    assert_title(w, "");
}

static void comes_one_after_the_other(void **state)
{
    struct world *w = *state;
    struct given given[3];
    begin(w);
    give(w, &given[0], GW_ORDER_ERASE);
    give(w, &given[1], GW_ORDER_ERASE);
    give(w, &given[2], GW_ORDER_DELETE);
    turn(w);
    for (size_t i = 0; i < 3; i++)
        assert_true(given[i].is_done && given[i].order.status == GW_OK);
    assert_int_equal(given[0].order.erased_count, 1);
    assert_int_equal(given[1].order.erased_count, 0);
    w->command_count = 0;
    begin(w);
}

static void changes_nothing_when_the_spine_does_not(void **state)
{
    struct world *w = *state;
    struct given given;
    begin(w);
    w->fails_erasures = true;
    give(w, &given, GW_ORDER_ERASE);
    must_fail(w, &given);
    assert_title(w, "a title");
    give(w, &given, GW_ORDER_DELETE);
    must_fail(w, &given);
    assert_title(w, "a title");
    w->fails_erasures = false;
    must_give(w, GW_ORDER_ERASE);
    assert_title(w, "");
}

static void changes_nothing_when_the_log_cannot_be_read(void **state)
{
    struct world *w = *state;
    struct given given;
    begin(w);
    w->fails_reads = true;
    give(w, &given, GW_ORDER_ERASE);
    must_fail(w, &given);
    w->fails_reads = false;
    assert_title(w, "a title");
    must_give(w, GW_ORDER_ERASE);
    assert_title(w, "");
}

static void changes_nothing_when_its_event_cannot_be_stored(void **state)
{
    struct world *w = *state;
    struct given given;
    begin(w);
    w->fails_appends = true;
    give(w, &given, GW_ORDER_ERASE);
    must_fail(w, &given);
    w->fails_appends = false;
    assert_title(w, "a title");
    must_give(w, GW_ORDER_ERASE);
    assert_title(w, "");
}

static void is_refused_by_a_server_that_ends(void **state)
{
    struct world *w = *state;
    struct given given;
    begin(w);
    gw_hub_drain(w->hub);
    give(w, &given, GW_ORDER_DELETE);
    turn(w);
    assert_true(given.is_done);
    assert_string_equal(given.order.err.id, "draining");
}

int main(void)
{
#define ORDER(behaviour) cmocka_unit_test_setup_teardown(behaviour, small_hub_setup, small_hub_teardown)
    const struct CMUnitTest tests[] = {
        ORDER(begins_a_run_anew),
        ORDER(takes_out_what_was_written),
        ORDER(is_nothing_to_a_run_that_never_was),
        ORDER(lets_no_command_in_meanwhile),
        ORDER(comes_after_what_was_accepted),
        ORDER(comes_one_after_the_other),
        ORDER(changes_nothing_when_the_spine_does_not),
        ORDER(changes_nothing_when_the_log_cannot_be_read),
        ORDER(changes_nothing_when_its_event_cannot_be_stored),
        ORDER(is_refused_by_a_server_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
