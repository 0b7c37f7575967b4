/* test_http1.c — requests as one transcript of events, whatever way the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/http1.h"

/* What came out: "<GET /a|q> body [end]" for each request, or the failure's id and status at the end. */
struct session {
    struct gw_http1 *parser;
    struct gw_buffer transcript;
    struct gw_http1_limits limits;
    size_t max_body; /* set by the handler at head time; 0 = left alone */
    bool pauses;     /* at each head and each piece of body */
    bool keep_alive;
    bool has_failed;
};

static void note(struct session *s, const char *bytes, size_t length) { gw_buffer_append(&s->transcript, bytes, length); }

static void on_head(void *user, const struct gw_http1_request *request)
{
    struct session *s = user;
    gw_buffer_appendf(&s->transcript, "<%s ", request->method);
    note(s, request->path, request->path_length);
    if (request->query_length) {
        note(s, "|", 1);
        note(s, request->query, request->query_length);
    }
    gw_buffer_appendf(&s->transcript, " %.*s", (int)request->host_length, request->host ? request->host : "");
    if (request->is_chunked)
        gw_buffer_append_text(&s->transcript, " chunked");
    if (request->has_content_length)
        gw_buffer_appendf(&s->transcript, " length=%zu", (size_t)request->content_length);
    if (request->expects_continue)
        gw_buffer_append_text(&s->transcript, " continue");
    if (request->is_upgrade)
        gw_buffer_append_text(&s->transcript, " upgrade");
    if (!request->keep_alive)
        gw_buffer_append_text(&s->transcript, " close");
    const struct gw_http1_header *shown = gw_http1_find(request, "X-SHOWN");
    if (shown)
        gw_buffer_appendf(&s->transcript, " shown='%.*s'", (int)shown->value_length, shown->value);
    gw_buffer_append_text(&s->transcript, ">");
    s->keep_alive = request->keep_alive;
    if (s->max_body)
        gw_http1_set_max_body(s->parser, s->max_body, "max_body_bytes");
    if (s->pauses)
        gw_http1_pause(s->parser);
}

static void on_body(void *user, const char *bytes, size_t length)
{
    struct session *s = user;
    assert_true(length > 0);
    assert_int_equal(gw_http1_phase(s->parser), GW_HTTP1_BODY);
    assert_false(s->pauses && gw_http1_phase(s->parser) == GW_HTTP1_ENDED);
    note(s, bytes, length);
    if (s->pauses)
        gw_http1_pause(s->parser);
}

static void on_end(void *user)
{
    struct session *s = user;
    assert_true(gw_http1_is_paused(s->parser));
    gw_buffer_append_text(&s->transcript, "[end]");
}

static const struct gw_http1_events events = {on_head, on_body, on_end};

static void open_session(struct session *s)
{
    s->parser = gw_http1_create(&s->limits, &events, s);
    assert_non_null(s->parser);
    gw_buffer_init(&s->transcript, 0);
    s->has_failed = false;
    s->keep_alive = true;
}

static void close_session(struct session *s)
{
    gw_http1_destroy(s->parser);
    gw_buffer_fini(&s->transcript);
}

/* Feeds one read and answers each request at once; false when the connection ends here. */
static bool feed(struct session *s, const char *bytes, size_t length)
{
    size_t at = 0;
    struct gw_error err;
    for (;;) {
        size_t consumed;
        int rc = gw_http1_feed(s->parser, bytes + at, length - at, &consumed, &err);
        at += consumed;
        assert_true(at <= length);
        if (rc) {
            s->has_failed = true;
            gw_buffer_appendf(&s->transcript, "!%s %d", err.id, gw_http1_status(s->parser));
            return false;
        }
        if (!gw_http1_is_paused(s->parser)) {
            assert_int_equal(at, length);
            return true;
        }
        if (gw_http1_phase(s->parser) == GW_HTTP1_ENDED && !s->keep_alive)
            return false;
        gw_http1_resume(s->parser);
    }
}

static void expect_transcript(struct session *s, const char *expected)
{
    gw_buffer_append_char(&s->transcript, '\0');
    assert_false(s->transcript.has_failed);
    assert_string_equal(s->transcript.data, expected);
}

static void run_split(struct session *s, const char *input, size_t length, size_t split, const char *expected)
{
    open_session(s);
    /* Exact copies, so that a read past the end of a piece is seen by the sanitizer. */
    char *head = gw_try_strndup(input, split), *tail = gw_try_strndup(input + split, length - split);
    if (feed(s, head, split))
        feed(s, tail, length - split);
    expect_transcript(s, expected);
    gw_free(head);
    gw_free(tail);
    close_session(s);
}

static void run_bytewise(struct session *s, const char *input, size_t length, const char *expected)
{
    open_session(s);
    for (size_t i = 0; i < length; i++) {
        char c = input[i];
        if (!feed(s, &c, 1))
            break;
    }
    expect_transcript(s, expected);
    close_session(s);
}

static void expect_with(struct session *s, const char *input, size_t length, const char *expected)
{
    for (int pauses = 0; pauses < 2; pauses++) {
        s->pauses = pauses;
        for (size_t split = 0; split <= length; split++)
            run_split(s, input, length, split, expected);
        run_bytewise(s, input, length, expected);
    }
}

static void expect(const char *input, const char *expected)
{
    struct session s = {0};
    gw_http1_limits_default(&s.limits);
    expect_with(&s, input, strlen(input), expected);
}

#define HOST "Host: h\r\n"

static void reads_a_request_without_a_body(void **state)
{
    (void)state;
    expect("GET /v1/stream?canvas_id=a&x HTTP/1.1\r\nHost: example.org:8080\r\nX-Shown: \t one \t\r\n\r\n",
           "<GET /v1/stream|canvas_id=a&x example.org:8080 shown='one'>[end]");
    expect("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "<GET / h>[end]");
    expect("GET /? HTTP/1.1\r\n" HOST "x-shown:\r\n\r\n", "<GET / h shown=''>[end]");
    expect("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "<OPTIONS * h>[end]");
    expect("GET /caf%C3%A9/%2e HTTP/1.1\r\n" HOST "\r\n", "<GET /caf%C3%A9/%2e h>[end]");
}

static void takes_an_absolute_target(void **state)
{
    (void)state;
    expect("GET http://real.example/x?y=1 HTTP/1.1\r\nHost: other\r\n\r\n", "<GET /x|y=1 real.example>[end]");
    expect("GET HTTPS://[::1]:8443 HTTP/1.1\r\nHost: other\r\n\r\n", "<GET / [::1]:8443>[end]");
    expect("GET http://real.example?y HTTP/1.1\r\nHost: other\r\n\r\n", "<GET /|y real.example>[end]");
    expect("GET http://user@real.example/ HTTP/1.1\r\nHost: other\r\n\r\n", "!bad_host 400");
    expect("GET http:///x HTTP/1.1\r\nHost: other\r\n\r\n", "!bad_host 400");
}

static void reads_bodies(void **state)
{
    (void)state;
    expect("POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "<POST /a h length=5>hello[end]");
    expect("POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "<POST /a h length=0>[end]");
    expect("POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n006;ext=1\r\n world\r\n0\r\n\r\n",
           "<POST /a h chunked>hello world[end]");
    expect("POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "<POST /a h chunked>[end]");
    expect("POST /a HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi", "<POST /a h length=2 continue>hi[end]");
    expect("POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel", "<POST /a h length=5>hel");
}

static void takes_pipelined_requests_one_at_a_time(void **state)
{
    (void)state;
    expect("POST /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" HOST "\r\n"
           "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: i\r\n\r\n",
           "<POST /1 h length=3>abc[end]<GET /2 h>[end]<POST /3 h chunked>x[end]<GET /4 i>[end]");
}

static void tells_whether_the_connection_lives_on(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n", "<GET / h close>[end]");
    expect("GET / HTTP/1.0\r\n\r\nGET /2", "<GET /  close>[end]");
    expect("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n", "<GET / >[end]");
    expect("POST / HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 2\r\n\r\nhi", "<POST / h length=2 close>hi[end]");
}

static void tells_an_upgrade_and_leaves_its_bytes(void **state)
{
    (void)state;
    expect("GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "<GET /ws h upgrade>[end]");
    expect("GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
           "<GET /ws h upgrade>[end]<GET / h>[end]");
    expect("POST /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n" HOST "\r\n",
           "<POST /ws h length=2 upgrade>hi[end]<GET / h>[end]");
}

static void refuses_folded_headers(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\n" HOST "X: a\r\n Content-Length: 5\r\n\r\n", "!folded_header 400");
    expect("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\tchunked\r\n\r\n", "!folded_header 400");
    expect("GET / HTTP/1.1\r\n Host: h\r\n\r\n", "!folded_header 400");
    expect("GET / HTTP/1.1\r\n" HOST "X: a\r\n \r\n\r\n", "!folded_header 400");
}

static void refuses_smuggling_forms(void **state)
{
    (void)state;
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", "!bad_content_length 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", "!bad_content_length 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", "!bad_content_length 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", "!bad_content_length 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", "!bad_content_length 400");
    expect("POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n", "!bad_header 400");
    expect("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "!transfer_coding_not_supported 501");
    expect("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", "!bad_transfer_encoding 400");
    expect("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "!bad_transfer_encoding 400");
    expect("GET / HTTP/1.1\r\n" HOST "X:\rTransfer-Encoding: chunked\r\n\r\n", "!control_character 400");
    expect("GET / HTTP/1.1\r\n" HOST "\r\rGET /2 HTTP/1.1\r\n\r\n", "!control_character 400");
    expect("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "!duplicate_header 400");
    expect("GET / HTTP/1.1\r\n" HOST "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n", "!duplicate_header 400");
}

static void refuses_bad_lines_and_characters(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\nHost: h\n\n", "!bare_line_feed 400");
    expect("GET / HTTP/1.1\r\nHost: h\n\r\n", "!bare_line_feed 400");
    expect("GET / HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n\r\n", "!control_character 400");
    expect("GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", "!bad_header 400");
    expect("GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", "!bad_header 400");
    expect("GET / HTTP/1.1\r\n" HOST "b@d: x\r\n\r\n", "!bad_header 400");
    expect("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "!bad_request_line 400");
    expect("\x16\x03\x01\x02", "!control_character 400");
    expect("HELLO / HTTP/1.1\r\n" HOST "\r\n", "!bad_request_line 400");
    expect("get / HTTP/1.1\r\n" HOST "\r\n", "!bad_request_line 400");
    expect("AVERYLONGWORDTHATISNOHTTPMETHODATALL", "!bad_request_line 400");
    struct session s = {0};
    gw_http1_limits_default(&s.limits);
    static const char with_nul[] = "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n";
    expect_with(&s, with_nul, sizeof with_nul - 1, "!control_character 400");
}

static void refuses_bad_targets(void **state)
{
    (void)state;
    expect("GET /%zz HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET /%4 HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET /%00 HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET /a#b HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET /caf\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET * HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n", "!bad_target 400");
    expect("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", "!method_not_supported 501");
}

static void refuses_hosts_and_versions(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\n\r\n", "!missing_host 400");
    expect("GET / HTTP/1.1\r\nHost:\r\n\r\n", "!bad_host 400");
    expect("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!bad_host 400");
    expect("GET / HTTP/2.0\r\n" HOST "\r\n", "!version_not_supported 505");
    expect("GET / HTTP/1.2\r\n" HOST "\r\n", "!version_not_supported 505");
    expect("GET / HTTP/0.9\r\n" HOST "\r\n", "!version_not_supported 505");
    expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!version_not_supported 505");
    expect("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", "!expectation_failed 417");
}

static void refuses_bad_chunks_and_trailers(void **state)
{
    (void)state;
    static const char head[] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    static const struct {
        const char *body, *expected;
    } cases[] = {
        {"x\r\n", "<POST / h chunked>!bad_chunk 400"},
        {"1\nx\r\n", "<POST / h chunked>!bad_chunk 400"},
        {"1\r\nxy\r\n", "<POST / h chunked>x!bad_chunk 400"},
        {"fffffffffffffffff\r\n", "<POST / h chunked>!bad_chunk 400"},
        {"0\r\nX: 1\r\n\r\n", "<POST / h chunked>!trailers_refused 400"},
        {"0\r\n X: 1\r\n\r\n", "<POST / h chunked>!bad_chunk 400"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char input[256];
        int length = snprintf(input, sizeof input, "%s%s", head, cases[i].body);
        assert_true(length > 0 && (size_t)length < sizeof input);
        expect(input, cases[i].expected);
    }
}

static void holds_its_limits_exactly(void **state)
{
    (void)state;
    struct session s = {.limits = {.max_target_bytes = 4, .max_header_bytes = 20, .max_header_count = 2, .max_body_bytes = 3}};
    const char *fits = "GET /abc HTTP/1.1\r\nHost: h\r\nX: 345678\r\n\r\n";
    expect_with(&s, fits, strlen(fits), "<GET /abc h>[end]");
    const char *target = "GET /abcd HTTP/1.1\r\nHost: h\r\n\r\n";
    expect_with(&s, target, strlen(target), "!target_too_long 414");
    const char *header = "GET /abc HTTP/1.1\r\nHost: h\r\nX: 3456789\r\n\r\n";
    expect_with(&s, header, strlen(header), "!headers_too_large 431");
    const char *count = "GET / HTTP/1.1\r\nHost: h\r\nX:\r\nY:\r\n\r\n";
    expect_with(&s, count, strlen(count), "!too_many_headers 431");
}

static void bounds_the_body_by_limit_or_by_handler(void **state)
{
    (void)state;
    struct session s = {0};
    gw_http1_limits_default(&s.limits);
    s.limits.max_body_bytes = 3;
    const char *exact = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    expect_with(&s, exact, strlen(exact), "<POST / h length=3>abc[end]");
    const char *more = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd";
    expect_with(&s, more, strlen(more), "<POST / h length=4>!body_too_large 413");
    const char *chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n";
    s.max_body = 4;
    expect_with(&s, more, strlen(more), "<POST / h length=4>abcd[end]");
    expect_with(&s, chunked, strlen(chunked), "<POST / h chunked>abcd[end]");
}

static void refuses_a_chunked_body_as_soon_as_it_is_too_long(void **state)
{
    (void)state;
    struct session s = {.max_body = 3};
    gw_http1_limits_default(&s.limits);
    const char *input = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
    open_session(&s);
    assert_false(feed(&s, input, strlen(input)));
    expect_transcript(&s, "<POST / h chunked>!body_too_large 413");
    close_session(&s);
}

static void refuses_a_chunk_that_cannot_fit_by_its_size_line(void **state)
{
    (void)state;
    struct session s = {.max_body = 3};
    gw_http1_limits_default(&s.limits);
    const char *input = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nffffffffffffffff\r\n";
    expect_with(&s, input, strlen(input), "<POST / h chunked>ab!body_too_large 413");
}

static void bounds_chunk_framing_in_one_piece_too(void **state)
{
    (void)state;
    struct session s = {0};
    char input[20000];
    gw_http1_limits_default(&s.limits);
    int head = snprintf(input, sizeof input, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0;");
    memset(input + head, 'a', 17000);
    memcpy(input + head + 17000, "\r\n\r\n", 4);
    open_session(&s);
    assert_false(feed(&s, input, (size_t)head + 17004));
    expect_transcript(&s, "<POST / h chunked>!bad_chunk 400");
    close_session(&s);
}

static void bounds_chunk_framing_without_body(void **state)
{
    (void)state;
    struct session s = {0};
    gw_http1_limits_default(&s.limits);
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    open_session(&s);
    assert_true(feed(&s, head, strlen(head)));
    size_t fed = 0;
    while (fed < 100000 && feed(&s, "a", 1))
        fed++;
    assert_in_range(fed, 16000, 17000);
    expect_transcript(&s, "<POST / h chunked>!bad_chunk 400");
    close_session(&s);
}

static void tells_what_it_waits_for(void **state)
{
    (void)state;
    struct session s = {0};
    gw_http1_limits_default(&s.limits);
    open_session(&s);
    assert_int_equal(gw_http1_phase(s.parser), GW_HTTP1_IDLE);
    assert_true(feed(&s, "G", 1));
    assert_int_equal(gw_http1_phase(s.parser), GW_HTTP1_HEAD);
    const char *rest = "ET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n";
    assert_true(feed(&s, rest, strlen(rest)));
    assert_int_equal(gw_http1_phase(s.parser), GW_HTTP1_BODY);
    assert_true(feed(&s, "x", 1));
    assert_int_equal(gw_http1_phase(s.parser), GW_HTTP1_IDLE);
    assert_false(feed(&s, "\n", 1));
    assert_int_equal(gw_http1_phase(s.parser), GW_HTTP1_FAILED);
    size_t consumed;
    struct gw_error err;
    assert_int_equal(gw_http1_feed(s.parser, "G", 1, &consumed, &err), GW_ESTATE);
    close_session(&s);
}

static void says_nothing_while_it_is_paused(void **state)
{
    (void)state;
    struct session s = {0};
    struct gw_error err;
    size_t consumed;
    const char *input = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";
    gw_http1_limits_default(&s.limits);
    open_session(&s);
    assert_int_equal(gw_http1_feed(s.parser, input, strlen(input), &consumed, &err), 0);
    assert_int_equal(consumed, strlen(input) / 2);
    size_t more;
    assert_int_equal(gw_http1_feed(s.parser, input + consumed, strlen(input) - consumed, &more, &err), 0);
    assert_int_equal(more, 0);
    expect_transcript(&s, "<GET /1 h>[end]");
    close_session(&s);
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    const char *input = "GET /1 HTTP/1.1\r\nHost: h\r\nX-Shown: 1\r\n\r\n";
    int failures = 0;
    for (long n = 1; n < 50; n++) {
        struct gw_error err = {0};
        size_t consumed;
        struct session s = {0};
        gw_http1_limits_default(&s.limits);
        gw_buffer_init(&s.transcript, 0);
        assert_non_null(gw_buffer_reserve(&s.transcript, 1024));
        gw_alloc_fail_after(n);
        s.parser = gw_http1_create(&s.limits, &events, &s);
        int rc = s.parser ? gw_http1_feed(s.parser, input, strlen(input), &consumed, &err) : GW_ENOMEM;
        gw_alloc_fail_after(0);
        assert_true(rc == 0 || rc == GW_ENOMEM);
        failures += rc != 0;
        if (rc && s.parser)
            assert_int_equal(gw_http1_status(s.parser), 503);
        close_session(&s);
    }
    assert_in_range(failures, 3, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request_without_a_body), cmocka_unit_test(takes_an_absolute_target),
        cmocka_unit_test(reads_bodies), cmocka_unit_test(takes_pipelined_requests_one_at_a_time),
        cmocka_unit_test(tells_whether_the_connection_lives_on), cmocka_unit_test(tells_an_upgrade_and_leaves_its_bytes),
        cmocka_unit_test(refuses_folded_headers), cmocka_unit_test(refuses_smuggling_forms),
        cmocka_unit_test(refuses_bad_lines_and_characters), cmocka_unit_test(refuses_bad_targets),
        cmocka_unit_test(refuses_hosts_and_versions), cmocka_unit_test(refuses_bad_chunks_and_trailers),
        cmocka_unit_test(holds_its_limits_exactly), cmocka_unit_test(bounds_the_body_by_limit_or_by_handler),
        cmocka_unit_test(refuses_a_chunked_body_as_soon_as_it_is_too_long), cmocka_unit_test(refuses_a_chunk_that_cannot_fit_by_its_size_line),
        cmocka_unit_test(bounds_chunk_framing_in_one_piece_too), cmocka_unit_test(bounds_chunk_framing_without_body),
        cmocka_unit_test(tells_what_it_waits_for), cmocka_unit_test(says_nothing_while_it_is_paused),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
