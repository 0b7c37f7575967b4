/* Messages: sending, streaming, ending, forgetting; posts one by one and in rounds. */
#include "hub/chat.h"
#include "hub/chat_round.h"
#include "support/state_fixture.h"

static int open_fixture(void **state)
{
    struct fixture *f = gw_alloc(sizeof *f);
    fixture_open(f);
    f->author_id = "ann";
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    gw_free(f);
    return 0;
}

static const char *text_of(const struct fixture *f, const char *id)
{
    static char text[4096];
    const struct gw_chat_message *message = gw_chat_find(gw_state_chat(f->state), id);
    assert_non_null(message);
    assert_true(message->bytes < sizeof text);
    if (message->bytes)
        memcpy(text, message->text, message->bytes);
    text[message->bytes] = '\0';
    return text;
}

static enum gw_chat_end end_of(const struct fixture *f, const char *id) { return gw_chat_find(gw_state_chat(f->state), id)->end; }

static void open_message(struct fixture *f, const char *id)
{
    char members[256];
    snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"%s\",\"stream\":true}", id);
    must(f, members);
}

#define APPEND(args) "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m1\"," args "}"

/* ---- sending --------------------------------------------------------------------------------------------------------------------------- */

static void a_plain_message_has_ended(void **state)
{
    struct fixture *f = *state;
    must(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m1\",\"text\":\"hello\",\"reply_to\":\"m0\",\"vis\":\"staff\"}");
    assert_int_equal(end_of(f, "m1"), GW_CHAT_DONE);
    assert_string_equal(text_of(f, "m1"), "hello");
    assert_string_equal(last_event(f)->canvas_id, "");
    assert_int_equal(gw_chat_open_count(gw_state_chat(f->state)), 0);
}

static void an_id_is_derived_from_author_and_command(void **state)
{
    struct fixture *f = *state;
    must(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"a\"}");
    const char *id = gw_json_text(gw_json_get(last_event(f)->data, "message_id"), NULL);
    assert_true(gw_id_is_valid(id, strlen(id)));
    must(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"a\"}");
    assert_string_not_equal(gw_json_text(gw_json_get(last_event(f)->data, "message_id"), NULL), id);
}

static void an_id_stands_once(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m1\",\"text\":\"x\"}", "message_exists", "/args/message_id");
}

static void bad_messages_are_refused(void **state)
{
    struct fixture *f = *state;
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{}", "missing_arg", "/args/text");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":1}", "bad_shape", "/args/text");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"x\",\"message_id\":\"a/b\"}", "bad_id", "/args/message_id");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"x\",\"html\":\"y\"}", "unknown_member", "/args/html");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"data:image/png;base64,AAAA\"}", "bytes_refused", "/args/text");
}

/* ---- streaming ------------------------------------------------------------------------------------------------------------------------- */

static void tokens_join_at_code_points(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"Gr\\u00fc\\ud83d\\ude00\""));
    must(f, APPEND("\"offset\":4,\"text\":\"\\u00dfe\""));
    assert_string_equal(text_of(f, "m1"), "Gr\xc3\xbc\xf0\x9f\x98\x80\xc3\x9f"
                                          "e");
    assert_int_equal(gw_chat_find(gw_state_chat(f->state), "m1")->points, 6);
    must(f, APPEND("\"end\":\"done\""));
    assert_int_equal(end_of(f, "m1"), GW_CHAT_DONE);
}

static void a_repeat_brings_nothing(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    assert_int_equal(f->made, 0);
    must(f, APPEND("\"offset\":1,\"text\":\"bcd\""));
    assert_string_equal(text_of(f, "m1"), "abcd");
    must(f, APPEND("\"offset\":4,\"end\":\"done\""));
    must(f, APPEND("\"offset\":4,\"end\":\"done\""));
    assert_int_equal(f->made, 0);
    must(f, APPEND("\"offset\":0,\"text\":\"abcd\""));
    assert_int_equal(f->made, 0);
}

static void a_gap_names_the_expected_offset(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"a\xc3\xbc\""));
    must_refuse(f, APPEND("\"offset\":3,\"text\":\"x\""), "chat_gap", "/args/offset");
    assert_true(f->err.has_expected);
    assert_int_equal(f->err.expected, 2);
    assert_true(f->err.is_retryable);
    must_refuse(f, APPEND("\"offset\":3,\"end\":\"done\""), "chat_gap", "/args/offset");
}

static void other_text_at_an_offset_is_refused(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    must_refuse(f, APPEND("\"offset\":0,\"text\":\"abX\""), "chat_text_differs", "/args/text");
    must_refuse(f, APPEND("\"offset\":2,\"text\":\"Xd\""), "chat_text_differs", "/args/text");
    assert_int_equal(f->err.expected, 3);
}

static void text_needs_its_offset(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must_refuse(f, APPEND("\"text\":\"abc\""), "missing_arg", "/args/offset");
    must_refuse(f, APPEND("\"offset\":-1,\"text\":\"abc\""), "bad_shape", "/args/offset");
    must_refuse(f, APPEND("\"end\":\"stopped\""), "bad_shape", "/args/end");
    must_refuse(f, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m9\",\"offset\":0,\"text\":\"x\"}", "unknown_message",
                "/args/message_id");
}

static void only_the_author_or_a_service_adds(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    f->author_id = "bob";
    must_refuse(f, APPEND("\"offset\":0,\"text\":\"x\""), "not_author", "/args/message_id");
    f->author_kind = "service";
    must(f, APPEND("\"offset\":0,\"text\":\"x\""));
    f->author_id = "ann";
    f->author_kind = "agent";
    must_refuse(f, APPEND("\"offset\":1,\"text\":\"x\""), "not_author", "/args/message_id");
}

static void who_writes_may_stop(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    f->author_id = "bob";
    must(f, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m1\"}");
    assert_int_equal(end_of(f, "m1"), GW_CHAT_CANCELLED);
    must(f, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m1\"}");
    assert_int_equal(f->made, 0);
    f->author_id = "ann";
    must_refuse(f, APPEND("\"offset\":3,\"text\":\"d\""), "chat_ended", "/args/message_id");
    assert_string_equal(f->err.end, "cancelled");
    must_refuse(f, APPEND("\"end\":\"done\""), "chat_ended", "/args/message_id");
    must_refuse(f, APPEND("\"offset\":3"), "chat_ended", "/args/message_id");
    must_refuse(f, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m2\"}", "unknown_message", "/args/message_id");
}

static void bytes_are_refused_however_they_are_split(void **state)
{
    struct fixture *f = *state;
    char members[1400], run[1001];
    memset(run, 'A', 1000);
    run[1000] = '\0';
    open_message(f, "m1");
    snprintf(members, sizeof members, APPEND("\"offset\":0,\"text\":\"%s\""), run);
    must(f, members);
    must(f, APPEND("\"offset\":1000,\"text\":\"AAAAAAAAAAAAAAAAAAAAAAAA\""));
    must_refuse(f, APPEND("\"offset\":1024,\"text\":\"A\""), "bytes_refused", "/args/text");
    must(f, APPEND("\"offset\":1024,\"text\":\" data:image/png;ba\""));
    must_refuse(f, APPEND("\"offset\":1042,\"text\":\"se64,AAAA\""), "bytes_refused", "/args/text");
    must_refuse(f, APPEND("\"offset\":1042,\"text\":\"\\u0007\""), "bytes_refused", "/args/text");
}

/* ---- limits and forgetting ------------------------------------------------------------------------------------------------------------- */

static void open_messages_and_text_are_limited(void **state)
{
    struct fixture *f = *state;
    struct gw_state_limits limits;
    gw_state_destroy(f->state);
    gw_state_limits_default(&limits);
    limits.max_open_messages = 2;
    limits.max_message_bytes = 8;
    limits.max_open_bytes = 10;
    f->state = gw_state_create(fixture_seed, &limits);
    open_message(f, "m1");
    open_message(f, "m2");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"stream\":true}", "limit_open_messages", "/args/stream");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"123456789\"}", "limit_message_bytes", "/args/text");
    must(f, APPEND("\"offset\":0,\"text\":\"12345678\""));
    must_refuse(f, APPEND("\"offset\":8,\"text\":\"9\""), "limit_message_bytes", "/args/text");
    must_refuse(f, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m2\",\"offset\":0,\"text\":\"123\"}", "limit_open_bytes",
                "/args/text");
    must(f, APPEND("\"end\":\"done\""));
    open_message(f, "m3");
}

static void old_messages_are_forgotten_but_not_their_ids(void **state)
{
    struct fixture *f = *state;
    char members[256];
    open_message(f, "m1");
    for (int i = 0; i < GW_CHAT_KEPT + 3; i++) {
        snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"p%d\",\"text\":\"x\"}", i);
        must(f, members);
    }
    const struct gw_chat *chat = gw_state_chat(f->state);
    assert_null(gw_chat_find(chat, "p2"));
    assert_non_null(gw_chat_find(chat, "p3"));
    assert_non_null(gw_chat_find(chat, "m1"));
    assert_int_equal(gw_chat_forgotten(chat, "p2"), GW_CHAT_DONE);
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"p2\",\"text\":\"x\"}", "message_exists", "/args/message_id");
    must_refuse(f, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"p2\",\"offset\":0,\"text\":\"x\"}", "chat_ended",
                "/args/message_id");
}

static void labelled_messages_and_others_make_no_room_for_each_other(void **state)
{
    struct fixture *f = *state;
    char members[256];
    must(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"plain\",\"text\":\"x\"}");
    must(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"secret\",\"text\":\"x\",\"vis\":\"v\"}");
    for (int i = 0; i < GW_CHAT_KEPT; i++) {
        snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"s%d\",\"text\":\"x\",\"vis\":\"v\"}", i);
        must(f, members);
    }
    const struct gw_chat *chat = gw_state_chat(f->state);
    assert_null(gw_chat_find(chat, "secret"));
    assert_non_null(gw_chat_find(chat, "plain"));
    for (int i = 0; i < GW_CHAT_KEPT; i++) {
        snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"p%d\",\"text\":\"x\"}", i);
        must(f, members);
    }
    assert_null(gw_chat_find(chat, "plain"));
    assert_non_null(gw_chat_find(chat, "s0"));
    assert_int_equal(gw_chat_find(chat, "p0")->end_number, GW_CHAT_KEPT + 3);
}

static char *save(const struct fixture *f)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_state_write(f->state, LENS(f->plan), NULL, 0, &out);
    for (const struct gw_chat_message *m = NULL; (m = gw_chat_next(gw_state_chat(f->state), m));)
        gw_chat_write_row(m, &out);
    struct gw_chat_gone gone;
    for (const void *at = NULL; gw_chat_next_gone(gw_state_chat(f->state), &at, &gone);)
        gw_buffer_appendf(&out, "%s %d %d\n", gone.id, gone.end, gone.is_labelled);
    size_t length;
    return gw_buffer_take(&out, &length);
}

static void what_is_reverted_was_not(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    char *before = save(f);
    gw_state_begin(f->state);
    size_t count = f->log.count;
    open_message(f, "m2");
    must(f, APPEND("\"offset\":3,\"text\":\"def\""));
    must(f, APPEND("\"end\":\"done\""));
    must(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"plain\"}");
    gw_state_revert(f->state);
    gw_event_list_truncate(&f->log, count);
    char *after = save(f);
    assert_string_equal(after, before);
    gw_free(before);
    gw_free(after);
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------------------------- */

struct chunks {
    char *items[64];
    size_t lengths[64], count;
};

static int keep_chunk(void *arg, const char *bytes, size_t length)
{
    struct chunks *chunks = arg;
    chunks->items[chunks->count] = gw_try_strndup(bytes, length);
    chunks->lengths[chunks->count++] = length;
    return 0;
}

static void a_checkpoint_brings_everything_back(void **state)
{
    struct fixture *f = *state;
    struct chunks chunks = {.count = 0};
    char members[256];
    open_message(f, "m1");
    for (int i = 0; i < GW_CHAT_KEPT + 3; i++) {
        snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"p%d\",\"text\":\"x\",\"vis\":\"v\"}", i);
        must(f, members);
        snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"o%d\",\"text\":\"x\"}", i);
        must(f, members);
    }
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    open_message(f, "m2");
    must(f, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m1\"}");
    char *before = save(f);
    assert_int_equal(gw_state_save(f->state, 4096, keep_chunk, &chunks, &f->err), 0);
    gw_state_destroy(f->state);
    f->state = create_state();
    assert_int_equal(gw_state_load(f->state, (const char *const *)chunks.items, chunks.lengths, chunks.count, &f->err), 0);
    char *after = save(f);
    assert_string_equal(after, before);
    assert_int_equal(gw_chat_forgotten(gw_state_chat(f->state), "p2"), GW_CHAT_DONE);
    /* The next to be forgotten is the same one. */
    must(f, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"q\",\"text\":\"x\",\"vis\":\"v\"}");
    assert_null(gw_chat_find(gw_state_chat(f->state), "p3"));
    assert_non_null(gw_chat_find(gw_state_chat(f->state), "p4"));
    assert_non_null(gw_chat_find(gw_state_chat(f->state), "o4"));
    assert_non_null(gw_chat_find(gw_state_chat(f->state), "m1"));
    for (size_t i = 0; i < chunks.count; i++)
        gw_free(chunks.items[i]);
    gw_free(before);
    gw_free(after);
}

/* ---- rounds ---------------------------------------------------------------------------------------------------------------------------- */

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
    char *before = save(f);
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
        char *after = save(f);
        assert_string_equal(after, before);
        gw_free(after);
    }
    gw_free(before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    static const struct CMUnitTest tests[] = {
        T(a_plain_message_has_ended),
        T(an_id_is_derived_from_author_and_command),
        T(an_id_stands_once),
        T(bad_messages_are_refused),
        T(tokens_join_at_code_points),
        T(a_repeat_brings_nothing),
        T(a_gap_names_the_expected_offset),
        T(other_text_at_an_offset_is_refused),
        T(text_needs_its_offset),
        T(only_the_author_or_a_service_adds),
        T(who_writes_may_stop),
        T(bytes_are_refused_however_they_are_split),
        T(open_messages_and_text_are_limited),
        T(old_messages_are_forgotten_but_not_their_ids),
        T(labelled_messages_and_others_make_no_room_for_each_other),
        T(what_is_reverted_was_not),
        T(a_checkpoint_brings_everything_back),
        T(a_round_is_one_event),
        T(a_round_of_repeats_is_no_event),
        T(a_round_of_several_authors_is_the_gateways),
        T(a_round_survives_every_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
