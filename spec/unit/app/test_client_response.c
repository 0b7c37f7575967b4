#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "app/client_response.h"

/* Feeds `text` cut at `cut`, collecting the body; returns the bytes that belong to the response. */
static size_t read_in_two(const char *text, size_t cut, struct gw_response *r, char *body)
{
    char bytes[512];
    size_t length = strlen(text), held = 0, fed = 0, used = 0;
    bool has_head = false, is_complete = false;
    *r = (struct gw_response){0};
    memset(body, 0, 512);
    for (int part = 0; part < 2 && !is_complete; part++) {
        size_t until = part == 0 ? cut : length;
        memcpy(bytes + held, text + fed, until - fed);
        held += until - fed;
        fed = until;
        if (!has_head) {
            ptrdiff_t head = gw_response_feed_head(r, bytes, held);
            assert_true(head >= 0);
            if (head == 0) {
                continue;
            }
            has_head = true;
            used += (size_t)head;
            held -= (size_t)head;
            memmove(bytes, bytes + head, held);
        }
        struct gw_response_step step;
        assert_int_equal(gw_response_decode(r, bytes, held, &step), 0);
        memcpy(body + strlen(body), bytes, step.produced);
        used += step.consumed;
        held = 0;
        is_complete = step.is_complete;
    }
    return used;
}

static void reads_every_framing_at_every_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
        int status;
        size_t used;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP", "hello", 200, 43},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\nrest", "abc0123456789", 200, 79},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n1\r\nz\r\n0\r\nTrailer: 1\r\n\r\n", "z", 200, 69},
        {"HTTP/1.1 204 No Content\r\nX: y\r\n\r\nHTTP/1.1", "", 204, 33},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", 200, 32},
        {"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", "", 409, 44},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t cut = 0; cut <= strlen(cases[i].text); cut++) {
            struct gw_response r;
            char body[512];
            size_t used = read_in_two(cases[i].text, cut, &r, body);
            assert_string_equal(body, cases[i].body);
            assert_int_equal(r.status, cases[i].status);
            assert_int_equal(used, cases[i].used);
        }
    }
}

static void refuses_what_is_not_http(void **state)
{
    (void)state;
    static const char *const heads[] = {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct gw_response r;
        assert_int_equal(gw_response_feed_head(&r, heads[i], strlen(heads[i])), -1);
    }
}

static void refuses_broken_chunks(void **state)
{
    (void)state;
    static const char *const bodies[] = {"g\r\n", "3\r\nabcX", "FFFFFFFFFF\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct gw_response r = {.framing = GW_RESPONSE_CHUNKED};
        struct gw_response_step step;
        char bytes[32];
        memcpy(bytes, bodies[i], strlen(bodies[i]));
        assert_int_equal(gw_response_decode(&r, bytes, strlen(bodies[i]), &step), -1);
    }
}

static void tells_when_the_server_will_close(void **state)
{
    (void)state;
    struct gw_response r;
    const char *head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_true(gw_response_feed_head(&r, head, strlen(head)) > 0);
    assert_true(r.closes_after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_framing_at_every_split),
        cmocka_unit_test(refuses_what_is_not_http),
        cmocka_unit_test(refuses_broken_chunks),
        cmocka_unit_test(tells_when_the_server_will_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
