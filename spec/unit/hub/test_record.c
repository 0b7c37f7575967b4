#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/record.h"
#include "support/state_fixture.h"

static struct gw_event *make_event(uint64_t seq, enum gw_event_type type, const char *data)
{
    struct gw_event *event = gw_event_create();
    event->seq = seq;
    event->type = type;
    event->ts_ms = 1700000000000 + (int64_t)seq;
    memcpy(event->actor.id, "ann:1", 6);
    event->actor.kind = GW_ACTOR_AGENT;
    memcpy(event->surface_id, "web", 4);
    memcpy(event->app_id, "app", 4);
    memcpy(event->cause, "cmd", 4);
    event->data = data ? parse_json(data) : NULL;
    return event;
}

static struct gw_record_key make_key(uint8_t byte, const char *answer)
{
    struct gw_record_key key = {.answer = answer, .answer_length = strlen(answer)};
    memset(key.key, byte, sizeof key.key);
    memset(key.body, ~byte, sizeof key.body);
    return key;
}

static void write_all(struct gw_record_writer *writer)
{
    struct gw_event *patch = make_event(7, GW_EVENT_STATE_PATCH, "{\"ops\":[\"\\\"\\n\\u2028 caf\u00e9\"]}");
    memcpy(patch->canvas_id, "c1", 3);
    patch->facets = parse_json("{\"b\":1}");
    patch->context = parse_json("{\"n\":2}");
    struct gw_event *nothing = make_event(8, GW_EVENT_VOID, NULL);
    struct gw_record_key first = make_key(1, "{\"status\":\"committed\"}"), second = make_key(2, "\"\\");
    gw_record_write_key(writer, &first);
    gw_record_write_event(writer, patch);
    gw_record_write_key(writer, &second);
    gw_record_write_event(writer, nothing);
    gw_event_unref(patch);
    gw_event_unref(nothing);
}

static void finish(struct gw_record_writer *writer, struct gw_buffer *out)
{
    gw_buffer_init(out, 0);
    assert_int_equal(gw_record_write_end(writer, 0xfeedfacecafebeef, 0x1, 7, out), GW_OK);
    gw_record_writer_fini(writer);
}

static void make_record(struct gw_buffer *out)
{
    struct gw_record_writer writer;
    gw_record_writer_init(&writer);
    write_all(&writer);
    finish(&writer, out);
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct gw_buffer text;
    struct gw_record record;
    struct gw_error err;
    make_record(&text);
    assert_int_equal(gw_record_parse(text.data, text.length, &record, &err), GW_OK);
    assert_true(record.epoch == 0xfeedfacecafebeef && record.nonce == 1 && record.first_seq == 7);
    assert_int_equal(record.events.count, 2);
    const struct gw_event *patch = record.events.items[0];
    assert_int_equal(patch->seq, 7);
    assert_int_equal(patch->type, GW_EVENT_STATE_PATCH);
    assert_int_equal(patch->ts_ms, 1700000000007);
    assert_string_equal(patch->actor.id, "ann:1");
    assert_int_equal(patch->actor.kind, GW_ACTOR_AGENT);
    assert_string_equal(patch->canvas_id, "c1");
    assert_string_equal(patch->cause, "cmd");
    assert_json(patch->facets, "{\"b\":1}");
    assert_json(patch->context, "{\"n\":2}");
    assert_int_equal(record.events.items[1]->type, GW_EVENT_VOID);
    assert_null(record.events.items[1]->data);
    assert_int_equal(record.key_count, 2);
    assert_int_equal(record.keys[0].key[15], 1);
    assert_int_equal(record.keys[1].body[0], 0xfd);
    assert_memory_equal(record.keys[1].answer, "\"\\", 2);
    assert_int_equal(record.keys[1].answer_length, 2);
    gw_record_fini(&record);
    gw_buffer_fini(&text);
}

static void what_is_written_behind_a_mark_can_be_taken_back(void **state)
{
    (void)state;
    struct gw_record_writer once, twice;
    struct gw_buffer expected, text;
    make_record(&expected);
    gw_record_writer_init(&once);
    write_all(&once);
    struct gw_record_mark mark = gw_record_writer_mark(&once);
    size_t bytes = gw_record_writer_bytes(&once);
    write_all(&once);
    assert_int_equal(gw_record_writer_bytes(&once), 2 * bytes + 4); /* two commas, two newlines */
    gw_record_writer_rewind(&once, &mark);
    finish(&once, &text);
    assert_int_equal(text.length, expected.length);
    assert_memory_equal(text.data, expected.data, text.length);
    gw_buffer_fini(&text);
    /* To the very beginning, and a failure with it. */
    gw_record_writer_init(&twice);
    mark = gw_record_writer_mark(&twice);
    struct gw_record_key key = make_key(1, "x");
    gw_alloc_fail_after(1);
    gw_record_write_key(&twice, &key);
    gw_alloc_fail_after(0);
    assert_true(gw_record_writer_has_failed(&twice));
    gw_record_writer_rewind(&twice, &mark);
    assert_false(gw_record_writer_has_failed(&twice));
    write_all(&twice);
    finish(&twice, &text);
    assert_memory_equal(text.data, expected.data, text.length);
    gw_buffer_fini(&text);
    gw_buffer_fini(&expected);
}

static void a_record_cut_short_anywhere_is_damaged(void **state)
{
    (void)state;
    struct gw_buffer text;
    struct gw_record record;
    struct gw_error err;
    make_record(&text);
    for (size_t length = 0; length < text.length; length++) {
        assert_int_equal(gw_record_parse(text.data, length, &record, &err), GW_EINVAL);
        assert_string_equal(err.id, "record_damaged");
    }
    gw_buffer_fini(&text);
}

static void must_be_damaged(const char *text)
{
    struct gw_record record;
    struct gw_error err;
    if (gw_record_parse(text, strlen(text), &record, &err) != GW_EINVAL)
        fail_msg("read: %s", text);
    assert_string_equal(err.id, "record_damaged");
}

#define HEAD  "{\"epoch\":\"0000000000000001\",\"nonce\":\"0000000000000002\",\"first\":1,\"last\":1,"
#define EVENT "{\"t\":\"void\",\"at\":1,\"a\":\"x\",\"k\":\"user\"}"

static void every_other_shape_is_damaged(void **state)
{
    (void)state;
    struct gw_record record;
    struct gw_error err;
    const char *good = HEAD "\"events\":[" EVENT "],\"keys\":[]}";
    assert_int_equal(gw_record_parse(good, strlen(good), &record, &err), GW_OK);
    gw_record_fini(&record);
    must_be_damaged("");
    must_be_damaged("\xff");
    must_be_damaged("{\"epoch\":}");
    must_be_damaged(HEAD "\"events\":[" EVENT "],\"keys\":[]} ,");
    must_be_damaged(HEAD "\"first\":1,\"events\":[" EVENT "],\"keys\":[]}");
    must_be_damaged("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
    must_be_damaged("[]");
    must_be_damaged("{}");
    must_be_damaged(HEAD "\"events\":[],\"keys\":[]}");
    must_be_damaged(HEAD "\"events\":[" EVENT "," EVENT "],\"keys\":[]}"); /* more than first and last tell */
    must_be_damaged(HEAD "\"events\":[" EVENT "]}");
    must_be_damaged(HEAD "\"events\":[" EVENT "],\"keys\":[[\"AA\",\"AA\",\"x\"]]}");
    must_be_damaged(HEAD "\"events\":[" EVENT "],\"keys\":[[]]}");
    must_be_damaged(HEAD "\"events\":[{\"t\":\"other\",\"at\":1,\"a\":\"x\",\"k\":\"user\"}],\"keys\":[]}");
    must_be_damaged(HEAD "\"events\":[{\"t\":\"void\",\"at\":1,\"a\":\"x\",\"k\":\"king\"}],\"keys\":[]}");
    must_be_damaged(HEAD "\"events\":[{\"t\":\"void\",\"a\":\"x\",\"k\":\"user\"}],\"keys\":[]}");
    must_be_damaged("{\"epoch\":\"1\",\"nonce\":\"0000000000000002\",\"first\":1,\"last\":1,\"events\":[" EVENT "],\"keys\":[]}");
    must_be_damaged("{\"epoch\":\"0000000000000001\",\"nonce\":\"0000000000000002\",\"first\":0,\"last\":0,\"events\":[" EVENT
                    "],\"keys\":[]}");
}

static void reading_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct gw_buffer text;
    struct gw_record record;
    struct gw_error err;
    make_record(&text);
    int status = GW_ENOMEM;
    for (long n = 1; status != GW_OK; n++) {
        gw_alloc_fail_after(n);
        status = gw_record_parse(text.data, text.length, &record, &err);
        gw_alloc_fail_after(0);
        assert_true(status == GW_OK || status == GW_ENOMEM);
        assert_true(status == GW_OK || strcmp(err.id, "out_of_memory") == 0);
    }
    gw_record_fini(&record);
    gw_buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_reads_back_as_it_was_written),    cmocka_unit_test(what_is_written_behind_a_mark_can_be_taken_back),
        cmocka_unit_test(a_record_cut_short_anywhere_is_damaged),   cmocka_unit_test(every_other_shape_is_damaged),
        cmocka_unit_test(reading_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
