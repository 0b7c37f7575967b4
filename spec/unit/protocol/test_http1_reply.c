/* test_http1_reply.c — heads of answers and chunk framing, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/http1_reply.h"

static void expect_head(const struct gw_http1_reply *reply, const char *expected)
{
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_http1_write_head(reply, &out, &err), 0);
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    gw_buffer_fini(&out);
}

static void writes_each_framing(void **state)
{
    (void)state;
    const struct gw_http1_header headers[] = {GW_HTTP1_HEADER("Content-Type", "application/json"), GW_HTTP1_HEADER("X-Empty", "")};
    expect_head(
        &(struct gw_http1_reply){.status = 200, .framing = GW_HTTP1_LENGTH, .content_length = 12, .headers = headers, .header_count = 2},
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Empty: \r\nContent-Length: 12\r\n\r\n");
    expect_head(&(struct gw_http1_reply){.status = 200, .framing = GW_HTTP1_CHUNKED},
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect_head(&(struct gw_http1_reply){.status = 200, .framing = GW_HTTP1_UNTIL_CLOSE}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect_head(&(struct gw_http1_reply){.status = 204, .framing = GW_HTTP1_NO_BODY}, "HTTP/1.1 204 No Content\r\n\r\n");
    expect_head(&(struct gw_http1_reply){.status = 100, .framing = GW_HTTP1_NO_BODY}, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_head(&(struct gw_http1_reply){.status = 599, .framing = GW_HTTP1_LENGTH, .closes = true},
                "HTTP/1.1 599 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static void refuses_headers_that_would_split_the_answer(void **state)
{
    (void)state;
    static const struct gw_http1_header bad[] = {
        {"X", "a\r\nSet-Cookie: b", 1, 15},
        {"X", "a\nb", 1, 3},
        {"X", "a\0b", 1, 3},
        {"X\r\nY", "a", 4, 1},
        {"", "a", 0, 1},
        {"X:", "a", 2, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gw_buffer out;
        struct gw_error err;
        struct gw_http1_reply reply = {.status = 200, .headers = &bad[i], .header_count = 1};
        gw_buffer_init(&out, 0);
        assert_int_equal(gw_http1_write_head(&reply, &out, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_header");
        assert_int_equal(out.length, 0);
        gw_buffer_fini(&out);
    }
}

static void prefixes_chunks_in_hex(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        const char *prefix;
    } cases[] = {{1, "1\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {0x1f4, "1f4\r\n"}, {SIZE_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[GW_HTTP1_CHUNK_PREFIX_MAX];
        size_t count = gw_http1_chunk_prefix(cases[i].length, out);
        assert_int_equal(count, strlen(cases[i].prefix));
        assert_memory_equal(out, cases[i].prefix, count);
    }
}

static void shows_lack_of_memory_in_the_buffer(void **state)
{
    (void)state;
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    gw_alloc_fail_after(1);
    assert_int_equal(gw_http1_write_head(&(struct gw_http1_reply){.status = 200}, &out, &err), 0);
    gw_alloc_fail_after(0);
    assert_true(out.has_failed);
    gw_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_framing),
        cmocka_unit_test(refuses_headers_that_would_split_the_answer),
        cmocka_unit_test(prefixes_chunks_in_hex),
        cmocka_unit_test(shows_lack_of_memory_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
