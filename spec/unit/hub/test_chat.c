/* Messages: sending, streaming, ending, forgetting. */
#include "chat_world.h"

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

static void what_is_reverted_was_not(void **state)
{
    struct fixture *f = *state;
    open_message(f, "m1");
    must(f, APPEND("\"offset\":0,\"text\":\"abc\""));
    char *before = save_chat(f);
    gw_state_begin(f->state);
    size_t count = f->log.count;
    open_message(f, "m2");
    must(f, APPEND("\"offset\":3,\"text\":\"def\""));
    must(f, APPEND("\"end\":\"done\""));
    must(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"plain\"}");
    gw_state_revert(f->state);
    gw_event_list_truncate(&f->log, count);
    char *after = save_chat(f);
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
    char *before = save_chat(f);
    assert_int_equal(gw_state_save(f->state, 4096, keep_chunk, &chunks, &f->err), 0);
    gw_state_destroy(f->state);
    f->state = create_state();
    assert_int_equal(gw_state_load(f->state, (const char *const *)chunks.items, chunks.lengths, chunks.count, &f->err), 0);
    char *after = save_chat(f);
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_chat, close_chat)
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
