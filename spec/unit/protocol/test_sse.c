/* test_sse.c — event streams: what the encoder writes, and what the parser makes of the standard's examples however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/sse.h"

static void on_event(void *user, const struct gw_sse_event *event)
{
    struct gw_buffer *out = user;
    if (!event->data) {
        gw_buffer_appendf(out, "(id %s)", event->last_event_id);
        return;
    }
    assert_int_equal(strlen(event->data), event->data_length);
    gw_buffer_appendf(out, "(%s|%s|%s%s)", event->type, event->data, event->last_event_id, event->has_id ? "*" : "");
}

static void on_retry(void *user, uint64_t ms) { gw_buffer_appendf(user, "(retry %llu)", (unsigned long long)ms); }

static const struct gw_sse_events events = {on_event, on_retry};

static void run(const char *input, size_t length, size_t split, size_t step, const char *expected)
{
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    struct gw_sse_parser *parser = gw_sse_parser_create(&events, &out, 1024);
    for (size_t at = 0, count; at < length; at += count) {
        count = at < split ? split - at : step < length - at ? step : length - at;
        char *piece = gw_try_strndup(input + at, count);
        assert_int_equal(gw_sse_parser_feed(parser, piece, count, &err), 0);
        gw_free(piece);
    }
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    gw_sse_parser_destroy(parser);
    gw_buffer_fini(&out);
}

static void expect_raw(const char *input, size_t length, const char *expected)
{
    for (size_t split = 0; split <= length; split++)
        run(input, length, split, length, expected);
    run(input, length, 0, 1, expected);
}

static void expect(const char *input, const char *expected) { expect_raw(input, strlen(input), expected); }

static void parses_the_examples_of_the_standard(void **state)
{
    (void)state;
    expect("data: YHOO\ndata: +2\ndata: 10\n\n", "(message|YHOO\n+2\n10|)");
    expect(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
           "(message|first event|1*)(message|second event|*)(message| third event|)");
    expect("data\n\ndata\ndata\n\ndata:", "(message||)(message|\n|)");
    expect("data:test\n\ndata: test\n\n", "(message|test|)(message|test|)");
}

static void takes_every_line_end(void **state)
{
    (void)state;
    expect("data: a\r\rdata: b\r\n\r\ndata: c\n\ndata: d\n\r\ndata: e\r\n\rdata: f\r\n\n",
           "(message|a|)(message|b|)(message|c|)(message|d|)"
           "(message|e|)(message|f|)");
}

static void skips_one_byte_order_mark(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf"
           "data: a\n\n",
           "(message|a|)");
    expect("\xef\xbb\xbf\xef\xbb\xbf"
           "data: a\n\n",
           "");
    expect("data: a\n\n\xef\xbb\xbf"
           "data: b\n\n",
           "(message|a|)");
    expect("\xef\xbb\xbf\n", "");
}

static void remembers_ids_across_blocks(void **state)
{
    (void)state;
    expect("id: 1\ndata: a\n\ndata: b\n\nid: 2\n\nid\n\n: c\n\ndata: c\n\n", "(message|a|1*)(message|b|1)(id 2)(id )(message|c|)");
    static const char with_nul[] = "id: 1\n\nid: 2\0003\ndata: a\n\n";
    expect_raw(with_nul, sizeof with_nul - 1, "(id 1)(message|a|1)");
}

static void reads_types_and_retry(void **state)
{
    (void)state;
    expect("event: x\ndata: a\n\ndata: b\n\nevent: y\n\ndata: c\n\nevent:\ndata: d\n\n", "(x|a|)(message|b|)(message|c|)(message|d|)");
    expect("retry: 2500\nretry: 1x\nretry:\nretry: -1\nretry: 99999999999999999999999\n\n", "(retry 2500)(retry 18446744073709551615)");
    expect("unknown: 1\nDATA: 2\n\n:data: 3\n\n", "");
}

static void never_delivers_a_cut_off_block(void **state)
{
    (void)state;
    expect("data: a\n\ndata: b\n", "(message|a|)");
    expect("id: 1\ndata: b", "");
}

static void reads_back_what_the_encoder_writes(void **state)
{
    (void)state;
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_sse_write_retry(&out, 1000);
    gw_sse_write(&out, "token_patch", "abc", "{\"a\":1}", 7);
    gw_sse_write(&out, NULL, NULL, "x", 1);
    gw_sse_begin(&out, "resume", NULL);
    gw_buffer_append_text(&out, "{}");
    gw_sse_end(&out);
    gw_sse_write_id(&out, "def");
    gw_sse_write_comment(&out, "hb");
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(
        out.data,
        "retry: 1000\n\nevent: token_patch\nid: abc\ndata: {\"a\":1}\n\ndata: x\n\nevent: resume\ndata: {}\n\nid: def\n\n: hb\n\n");
    expect(out.data, "(retry 1000)(token_patch|{\"a\":1}|abc*)(message|x|abc)(resume|{}|abc)(id def)");
    gw_buffer_fini(&out);
}

static int feed_limited(const char *input, size_t step, size_t max_block_bytes, struct gw_error *err)
{
    struct gw_buffer out;
    int rc = 0;
    gw_buffer_init(&out, 0);
    struct gw_sse_parser *parser = gw_sse_parser_create(&events, &out, max_block_bytes);
    for (size_t at = 0; at < strlen(input) && rc == 0; at += step)
        rc = gw_sse_parser_feed(parser, input + at, step < strlen(input + at) ? step : strlen(input + at), err);
    gw_sse_parser_destroy(parser);
    gw_buffer_fini(&out);
    return rc;
}

static void bounds_lines_and_blocks(void **state)
{
    (void)state;
    struct gw_error err;
    for (size_t step = 1; step < 12; step++) {
        assert_int_equal(feed_limited("data: 78\n\n", step, 8, &err), 0);
        assert_int_equal(feed_limited("data: 789\n\n", step, 8, &err), GW_ELIMIT);
        assert_string_equal(err.id, "sse_block_too_large");
        assert_int_equal(err.limit, 8);
        assert_int_equal(feed_limited("data:678\ndata:678\ndata:678\n\n", step, 8, &err), GW_ELIMIT);
    }
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    const char *input = "event: x\nid: 1\ndata: a\nda";
    int failures = 0;
    for (long n = 1; n < 30; n++) {
        struct gw_error err;
        struct gw_buffer out;
        gw_buffer_init(&out, 0);
        gw_alloc_fail_after(n);
        struct gw_sse_parser *parser = gw_sse_parser_create(&events, &out, 1024);
        int rc = parser ? gw_sse_parser_feed(parser, input, strlen(input), &err) : GW_ENOMEM;
        gw_alloc_fail_after(0);
        assert_true(rc == 0 || rc == GW_ENOMEM);
        failures += rc != 0;
        gw_sse_parser_destroy(parser);
        gw_buffer_fini(&out);
    }
    assert_int_equal(failures, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_the_examples_of_the_standard),
        cmocka_unit_test(takes_every_line_end),
        cmocka_unit_test(skips_one_byte_order_mark),
        cmocka_unit_test(remembers_ids_across_blocks),
        cmocka_unit_test(reads_types_and_retry),
        cmocka_unit_test(never_delivers_a_cut_off_block),
        cmocka_unit_test(reads_back_what_the_encoder_writes),
        cmocka_unit_test(bounds_lines_and_blocks),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
