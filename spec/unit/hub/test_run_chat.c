/* Posts of tokens on the run's owner: when they are judged, what they share, what becomes of them when the spine fails; leases. */
#include "base/map.h"
#include "hub/chat.h"
#include "hub/hub_internal.h"
#include "hub/run.h"
#include "hub/small_hub.h"

#define OPEN(id) "\"type\":\"chat_send\",\"args\":{\"message_id\":\"" id "\",\"stream\":true}"

/* Submits one post; nothing is done before the next turn. */
static void send_post(struct world *w, struct sent *sent, const char *args)
{
    char members[512];
    bool is_probe = args[0] == '?';
    snprintf(members, sizeof members, "\"type\":\"chat.append\",\"args\":%s", args + is_probe);
    send_command(w, sent, members);
    sent->submission.is_append = true;
    sent->submission.is_probe = is_probe;
}

static void must_post(struct world *w, const char *args)
{
    struct sent sent;
    send_post(w, &sent, args);
    turn(w);
    assert_outcome(&sent, "committed");
}

static struct gw_run *run_of(struct world *w)
{
    struct sent sent;
    send_command(w, &sent, SET(1));
    struct gw_scope scope = sent.submission.scope;
    turn(w);
    gw_submission_fini(&sent.submission);
    return gw_hub_run(w->hub, &scope);
}

static uint64_t seq_of(struct world *w) { return gw_state_seq(run_of(w)->state); }

static void let_go(struct world *w)
{
    struct gw_spine_append *held = w->held;
    w->held = NULL;
    w->holds_appends = false;
    pass_append(w, held);
}

static void posts_that_wait_for_a_record_share_an_event(void **state)
{
    struct world *w = *state;
    struct sent sent[4];
    must_send(w, OPEN("m1"));
    must_send(w, OPEN("m2"));
    uint64_t before = seq_of(w);
    w->holds_appends = true;
    send_post(w, &sent[0], "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    assert_non_null(w->held);
    send_post(w, &sent[1], "{\"message_id\":\"m1\",\"offset\":1,\"text\":\"b\"}");
    turn(w);
    send_post(w, &sent[2], "{\"message_id\":\"m2\",\"offset\":0,\"text\":\"c\"}");
    turn(w);
    send_post(w, &sent[3], "{\"message_id\":\"m1\",\"offset\":2,\"text\":\"d\",\"end\":\"done\"}");
    turn(w);
    for (size_t i = 0; i < 4; i++)
        assert_false(sent[i].is_done);
    let_go(w);
    turn(w);
    for (size_t i = 0; i < 4; i++)
        assert_outcome(&sent[i], "\"status\":\"committed\"");
    assert_int_equal(seq_of(w), before + 2);
    const struct gw_chat_message *message = gw_chat_find(gw_state_chat(run_of(w)->state), "m1");
    assert_int_equal(message->bytes, 3);
    assert_memory_equal(message->text, "abd", 3);
}

static void a_repeat_is_answered_when_the_first_is_durable(void **state)
{
    struct world *w = *state;
    struct sent first, again;
    must_send(w, OPEN("m1"));
    w->holds_appends = true;
    send_post(w, &first, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    send_post(w, &again, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    assert_false(first.is_done || again.is_done);
    let_go(w);
    turn(w);
    assert_true(first.is_done && again.is_done);
    assert_string_equal(first.submission.outcomes[0].answer, again.submission.outcomes[0].answer);
    assert_outcome(&first, "\"next_offset\":1");
    assert_outcome(&again, "\"next_offset\":1");
    must_post(w, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
}

static void a_failed_append_refuses_what_waited_for_it_and_changes_nothing(void **state)
{
    struct world *w = *state;
    struct sent first, again;
    must_send(w, OPEN("m1"));
    w->holds_appends = true;
    send_post(w, &first, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    send_post(w, &again, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    w->fails_appends = true;
    let_go(w);
    turn(w);
    assert_outcome(&first, "spine_unavailable");
    assert_outcome(&again, "spine_unavailable");
    w->fails_appends = false;
    w->now_ms += 1000;
    must_post(w, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"other\"}");
}

static void forget_append(struct gw_spine_append *request) { gw_free(request); }

/* It was stored, and nobody said so: what is judged again finds it, and is answered as the first time. */
static void an_unknown_outcome_is_judged_again_by_what_is_stored(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, OPEN("m1"));
    uint64_t before = seq_of(w);
    w->holds_appends = true;
    send_post(w, &sent, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    struct gw_spine_append *held = w->held, *stored = gw_alloc(sizeof *stored);
    w->held = NULL;
    w->holds_appends = false;
    *stored = *held;
    stored->done = forget_append;
    pass_append(w, stored);
    turn(w);
    held->status = GW_EUNKNOWN_OUTCOME;
    held->done(held);
    turn(w);
    assert_outcome(&sent, "\"next_offset\":1");
    assert_int_equal(seq_of(w), before + 1);
}

static void a_stop_comes_after_the_posts_before_it(void **state)
{
    struct world *w = *state;
    struct sent first, second, stop, late;
    must_send(w, OPEN("m1"));
    w->holds_appends = true;
    send_post(w, &first, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    send_post(w, &second, "{\"message_id\":\"m1\",\"offset\":1,\"text\":\"b\"}");
    send_command(w, &stop, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m1\"}");
    turn(w);
    send_post(w, &late, "{\"message_id\":\"m1\",\"offset\":2,\"text\":\"c\"}");
    turn(w);
    let_go(w);
    turn(w);
    assert_outcome(&first, "committed");
    assert_outcome(&second, "committed");
    assert_outcome(&stop, "committed");
    assert_string_equal(late.submission.outcomes[0].error->end, "cancelled");
    assert_outcome(&late, "chat_ended");
}

static void a_run_that_is_not_there_has_no_message(void **state)
{
    struct world *w = *state;
    struct sent sent;
    send_post(w, &sent, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    assert_outcome(&sent, "unknown_message");
}

/* ---- many posts ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t asked_delay;

static void wake_in(void *arg, uint32_t delay_ms)
{
    (void)arg;
    asked_delay = delay_ms;
}

static void few_posts_are_never_held_back(void **state)
{
    struct world *w = *state;
    char args[128];
    w->hub->opts.wake_in = wake_in;
    asked_delay = 0;
    must_send(w, OPEN("m1"));
    for (int i = 0; i < 100; i++) {
        snprintf(args, sizeof args, "{\"message_id\":\"m1\",\"offset\":%d,\"text\":\"x\"}", i);
        must_post(w, args);
        w->now_ms += 5;
    }
    assert_int_equal(asked_delay, 0);
}

static void very_many_posts_wait_for_each_other_a_little(void **state)
{
    struct world *w = *state;
    struct sent post;
    char args[128];
    w->hub->opts.wake_in = wake_in;
    asked_delay = 0;
    must_send(w, OPEN("m1"));
    for (unsigned offset = 0; offset < 200 && !asked_delay; offset++) {
        snprintf(args, sizeof args, "{\"message_id\":\"m1\",\"offset\":%u,\"text\":\"x\"}", offset);
        send_post(w, &post, args);
        turn(w);
        if (!asked_delay)
            assert_outcome(&post, "committed");
        w->now_ms += offset % 2;
    }
    assert_true(asked_delay > 0 && asked_delay <= GW_CHAT_WINDOW_MS);
    assert_false(post.is_done);
    gw_hub_wake(w->hub); /* early: it asks again */
    turn(w);
    assert_false(post.is_done);
    w->now_ms += GW_CHAT_WINDOW_MS;
    gw_hub_wake(w->hub);
    turn(w);
    assert_outcome(&post, "committed");
}

/* ---- leases ---------------------------------------------------------------------------------------------------------------------------- */

static void pass_time(struct world *w, uint64_t ms)
{
    w->now_ms += ms;
    gw_hub_tick(w->hub);
    turn(w);
}

static enum gw_chat_end end_of(struct world *w, const char *id) { return gw_chat_find(gw_state_chat(run_of(w)->state), id)->end; }

static void a_silent_producer_loses_its_message(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, OPEN("m1"));
    must_send(w, OPEN("m2"));
    pass_time(w, 0);
    pass_time(w, 29000);
    assert_int_equal(end_of(w, "m1"), GW_CHAT_OPEN);
    must_post(w, "{\"message_id\":\"m2\"}");
    uint64_t before = seq_of(w);
    pass_time(w, 1000);
    assert_int_equal(end_of(w, "m1"), GW_CHAT_ABORTED);
    assert_int_equal(end_of(w, "m2"), GW_CHAT_OPEN);
    assert_true(seq_of(w) == before + 1);
    send_post(w, &sent, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}");
    turn(w);
    assert_string_equal(sent.submission.outcomes[0].error->end, "aborted");
    assert_outcome(&sent, "chat_ended");
    pass_time(w, 29000);
    assert_int_equal(end_of(w, "m2"), GW_CHAT_ABORTED);
}

static void a_probe_is_no_sign_of_life(void **state)
{
    struct world *w = *state;
    must_send(w, OPEN("m1"));
    pass_time(w, 0);
    for (int i = 0; i < 30; i++) {
        must_post(w, i < 29 ? "?{\"message_id\":\"m1\"}" : "?{\"message_id\":\"m1\",\"offset\":0}");
        pass_time(w, i < 29 ? 1000 : 0);
    }
    pass_time(w, 1000);
    assert_int_equal(end_of(w, "m1"), GW_CHAT_ABORTED);
}

static void a_run_with_an_open_message_stays_until_it_has_ended(void **state)
{
    struct world *w = *state;
    must_send(w, OPEN("m1"));
    must_post(w, "{\"message_id\":\"m1\"}");
    for (int i = 0; i < 29; i++)
        pass_time(w, 1000);
    const struct gw_map *runs = w->hub->runs;
    assert_int_equal(gw_map_count(runs), 1);
    pass_time(w, 1000);
    pass_time(w, 60000);
    pass_time(w, 1000);
    assert_int_equal(gw_map_count(runs), 0);
}

int main(void)
{
#define SPEC(name) cmocka_unit_test_setup_teardown(name, small_hub_setup, small_hub_teardown)
    static const struct CMUnitTest tests[] = {
        SPEC(posts_that_wait_for_a_record_share_an_event),
        SPEC(a_repeat_is_answered_when_the_first_is_durable),
        SPEC(a_failed_append_refuses_what_waited_for_it_and_changes_nothing),
        SPEC(an_unknown_outcome_is_judged_again_by_what_is_stored),
        SPEC(a_stop_comes_after_the_posts_before_it),
        SPEC(a_run_that_is_not_there_has_no_message),
        SPEC(few_posts_are_never_held_back),
        SPEC(very_many_posts_wait_for_each_other_a_little),
        SPEC(a_silent_producer_loses_its_message),
        SPEC(a_probe_is_no_sign_of_life),
        SPEC(a_run_with_an_open_message_stays_until_it_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
