/* The filters of the idempotency index lie beside the checkpoint: who only reads never waits for them, and no command takes effect twice. */
#include "hub/small_hub.h"

#define EVENTS            300 /* enough for a checkpoint when the run leaves memory */
#define CHECKPOINT_EVENTS 4096

/* The run is as if its process had just been started. */
static void leave_memory(struct world *w)
{
    for (int i = 0; i < 3; i++) {
        w->now_ms += 120000;
        gw_hub_tick(w->hub);
        turn(w);
    }
    w->filters_asked = 0;
}

static void make_history(struct world *w)
{
    must_send(w, MOUNT);
    for (int i = 0; i < EVENTS / 2; i++) {
        must_send(w, SET(7));
        must_send(w, SET(8));
    }
    leave_memory(w);
}

static void on_read(struct gw_read *request) { (void)request; }

static void read_events(struct world *w)
{
    struct gw_read request = {
        .kind = GW_READ_EVENTS,
        .limit = 3,
        .scope = {.tenant_id = "t", .mode = "dev", .project_id = "p", .surface_id = "s", .app_id = "a", .run_id = "r"},
        .plan = gw_plan_ref(w->plan),
        .home = &w->executor,
        .done = on_read};
    gw_hub_read(w->hub, &request);
    turn(w);
    assert_int_equal(request.status, GW_OK);
    assert_non_null(strstr(request.body, "\"has_more\":true"));
    gw_read_fini(&request);
}

/* The n-th command once more: answered as it was, and Tokens stay. */
static void repeat(struct world *w, unsigned n, const char *members, const char *answer)
{
    struct sent sent;
    unsigned count = w->command_count;
    w->command_count = n - 1;
    send_command(w, &sent, members);
    w->command_count = count;
    turn(w);
    assert_outcome(&sent, answer);
}

static void assert_takes_effect_once(struct world *w)
{
    repeat(w, 2, SET(7), "\"cursor\":\"" EPOCH " 1 2\"");
    must_send(w, "\"if\":{\"/tokens/plan.days\":8}," SET(8));
}

static void who_only_reads_does_not_load_them(void **state)
{
    struct world *w = *state;
    make_history(w);
    read_events(w);
    assert_int_equal(w->filters_asked, 0);
    must_send(w, SET(9));
    must_send(w, SET(10));
    assert_int_equal(w->filters_asked, 1);
}

static void a_repeat_is_known_after_the_run_was_opened_again(void **state)
{
    struct world *w = *state;
    make_history(w);
    assert_takes_effect_once(w);
    assert_int_equal(w->filters_asked, 1);
}

static void without_them_the_log_tells(void **state)
{
    struct world *w = *state;
    make_history(w);
    w->loses_filters = true;
    assert_takes_effect_once(w);
    leave_memory(w);
    w->loses_filters = false;
    repeat(w, 3, SET(8), "\"cursor\":\"" EPOCH " 1 3\"");
}

static void post(struct world *w, unsigned offset, const char *expected)
{
    struct sent sent;
    char members[100];
    snprintf(members, sizeof members, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m\",\"offset\":%u,\"text\":\".\"}", offset);
    send_command(w, &sent, members);
    sent.submission.is_append = true;
    turn(w);
    assert_outcome(&sent, expected);
}

/* What was refused makes the owner fold its run again. */
static void open_again(struct world *w, unsigned offset)
{
    w->fails_appends = true;
    post(w, offset, "spine_unavailable");
    w->fails_appends = false;
    w->now_ms += 1000;
    turn(w);
    w->filters_asked = 0;
}

/* Appends do not ask the index, and yet their run is to be written down. */
static void a_run_that_saw_appends_alone_loads_them_for_its_checkpoint(void **state)
{
    struct world *w = *state;
    make_history(w);
    must_send(w, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m\",\"stream\":true}");
    open_again(w, 0);
    for (unsigned i = 0; i < CHECKPOINT_EVENTS; i++)
        post(w, i, "committed");
    assert_int_equal(w->filters_asked, 1);
    assert_takes_effect_once(w);
    open_again(w, CHECKPOINT_EVENTS);
    assert_takes_effect_once(w);
    assert_int_equal(w->filters_asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_only_reads_does_not_load_them, small_hub_setup, small_hub_teardown),
        cmocka_unit_test_setup_teardown(a_repeat_is_known_after_the_run_was_opened_again, small_hub_setup, small_hub_teardown),
        cmocka_unit_test_setup_teardown(without_them_the_log_tells, small_hub_setup, small_hub_teardown),
        cmocka_unit_test_setup_teardown(a_run_that_saw_appends_alone_loads_them_for_its_checkpoint, small_hub_setup, small_hub_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
