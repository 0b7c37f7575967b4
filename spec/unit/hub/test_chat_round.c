/* Posts of streamed text that become one event. */
#include "hub/chat_round.h"
#include "chat_world.h"

struct round {
    struct gw_chat_round round;
    struct gw_resolve_context context;
    struct gw_command commands[16];
    size_t count;
    char answers[16][160];
};

static void begin_round(struct fixture *f, struct round *r)
{
    memset(r, 0, sizeof *r);
    r->context = (struct gw_resolve_context){.plan = f->plan, .author_id = "ann", .author_kind = "agent"};
    gw_chat_round_begin(&r->round, f->state);
}

static int take(struct round *r, const struct gw_command *command, struct gw_chat_post *given, struct gw_error *err)
{
    int status = gw_chat_round_judge(&r->round, command, &r->context, given, err);
    return status ? status : gw_chat_round_apply(&r->round, command, &r->context, given, err);
}

static int post(struct fixture *f, struct round *r, const char *args)
{
    struct gw_chat_post given;
    char members[512];
    size_t length;
    snprintf(members, sizeof members, "\"type\":\"chat.append\",\"args\":%s", args);
    make_command(f, members, &r->commands[r->count]);
    int status = take(r, &r->commands[r->count], &given, &f->err);
    char *answer = status ? NULL : gw_chat_post_answer(&given, &length);
    snprintf(r->answers[r->count++], sizeof r->answers[0], "%s", answer ? answer : "");
    gw_free(answer);
    return status;
}

static struct gw_event *end_round(struct fixture *f, struct round *r)
{
    struct gw_event *event;
    assert_int_equal(gw_chat_round_end(&r->round, &event), 0);
    for (size_t i = 0; i < r->count; i++)
        gw_command_fini(&r->commands[i]);
    if (event) {
        event->seq = gw_state_seq(f->state) + 1;
        assert_int_equal(gw_state_fold(f->state, event, &f->err), 0);
    }
    return event;
}

static void a_round_is_one_event(void **state)
{
    struct fixture *f = *state;
    struct round r;
    struct gw_buffer data;
    f->author_kind = "agent";
    open_message(f, "m1");
    open_message(f, "m2");
    begin_round(f, &r);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"ab\"}"), 0);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m2\",\"offset\":0,\"text\":\"x\"}"), 0);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":2,\"text\":\"cd\"}"), 0);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":9,\"text\":\"?\"}"), GW_ECONFLICT);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"ab\"}"), 0);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":4,\"end\":\"done\"}"), 0);
    assert_string_equal(r.answers[0], "{\"status\":\"committed\",\"message_id\":\"m1\",\"next_offset\":2,\"end\":null}");
    assert_string_equal(r.answers[4], r.answers[0]);
    struct gw_event *event = end_round(f, &r);
    assert_non_null(event);
    gw_buffer_init(&data, 0);
    gw_json_write_canonical(event->data, &data);
    gw_buffer_append_char(&data, '\0');
    assert_string_equal(data.data,
                        "{\"parts\":[{\"message_id\":\"m1\",\"offset\":0,\"text\":\"abcd\"},{\"end\":\"done\",\"message_id\":\"m1\"},"
                        "{\"message_id\":\"m2\",\"offset\":0,\"text\":\"x\"}]}");
    gw_buffer_fini(&data);
    assert_string_equal(event->actor.id, "ann");
    assert_string_equal(text_of(f, "m1"), "abcd");
    assert_int_equal(end_of(f, "m1"), GW_CHAT_DONE);
    gw_event_unref(event);
}

static void a_round_of_repeats_is_no_event(void **state)
{
    struct fixture *f = *state;
    struct round r;
    f->author_kind = "agent";
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    begin_round(f, &r);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"abc\"}"), 0);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\"}"), 0);
    assert_string_equal(r.answers[1], "{\"status\":\"committed\",\"message_id\":\"m1\",\"next_offset\":3,\"end\":null}");
    assert_null(end_round(f, &r));
}

static void a_round_of_several_authors_is_the_gateways(void **state)
{
    struct fixture *f = *state;
    struct round r;
    f->author_kind = "agent";
    open_message(f, "m1");
    f->author_id = "bob";
    open_message(f, "m2");
    begin_round(f, &r);
    assert_int_equal(post(f, &r, "{\"message_id\":\"m1\",\"offset\":0,\"text\":\"a\"}"), 0);
    r.context.author_id = "bob";
    assert_int_equal(post(f, &r, "{\"message_id\":\"m2\",\"offset\":0,\"text\":\"b\"}"), 0);
    struct gw_event *event = end_round(f, &r);
    assert_string_equal(event->actor.id, "gateway");
    assert_string_equal(event->surface_id, "gateway");
    gw_event_unref(event);
}

static void a_round_survives_every_lack_of_memory(void **state)
{
    struct fixture *f = *state;
    f->author_kind = "agent";
    open_message(f, "m1");
    open_message(f, "m2");
    char *before = save_chat(f);
    for (long n = 1; n < 60; n++) {
        struct round r;
        struct gw_event *event = NULL;
        begin_round(f, &r);
        gw_alloc_fail_after(0);
        make_command(f, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m1\",\"offset\":0,\"text\":\"abc\"}", &r.commands[0]);
        make_command(f, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m2\",\"offset\":0,\"text\":\"abc\",\"end\":\"done\"}",
                     &r.commands[1]);
        gw_alloc_fail_after(n);
        int status = 0;
        for (size_t i = 0; !status && i < 2; i++) {
            struct gw_chat_post given;
            status = take(&r, &r.commands[i], &given, &f->err);
        }
        status = gw_chat_round_end(&r.round, status ? NULL : &event);
        gw_alloc_fail_after(0);
        assert_true(status == 0 || status == GW_ENOMEM);
        gw_event_unref(event);
        gw_command_fini(&r.commands[0]);
        gw_command_fini(&r.commands[1]);
        char *after = save_chat(f);
        assert_string_equal(after, before);
        gw_free(after);
    }
    gw_free(before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_chat, close_chat)
    static const struct CMUnitTest tests[] = {
        T(a_round_is_one_event),
        T(a_round_of_repeats_is_no_event),
        T(a_round_of_several_authors_is_the_gateways),
        T(a_round_survives_every_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
