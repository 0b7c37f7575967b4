/* What is taken out of log lines, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/sanitize.h"
#include "support/state_fixture.h"

static const char *clean(const char *text)
{
    static char out[4096];
    struct gw_buffer buffer;
    gw_buffer_init(&buffer, 0);
    bool has_found = gw_sanitize_text(text, strlen(text), &buffer);
    assert_false(buffer.has_failed);
    snprintf(out, sizeof out, "%.*s", (int)buffer.length, buffer.data ? buffer.data : "");
    gw_buffer_fini(&buffer);
    assert_int_equal(has_found, strcmp(out, text) != 0);
    return out;
}

/* given, expected: one a line */
static const char *const cases[][2] = {
    {"Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer [redacted:secret]"},
    {"sent bearer 0123456789abcdef to it", "sent bearer [redacted:bearer] to it"},
    {"basic dXNlcjpwYXNzd29yZA== x", "basic [redacted:basic] x"},
    {"jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl!", "jwt=[redacted:jwt]!"},
    {"key sk-abcdefghijklmnop0123 used", "key [redacted:key] used"},
    {"AKIAIOSFODNN7EXAMPLE", "[redacted:key]"},
    {"ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted:key]"},
    {"(xoxb-1234567890-abcdef)", "([redacted:key])"},
    {"card 4111 1111 1111 1111 ok", "card [redacted:card] ok"},
    {"card 4111-1111-1111-1111, 5500005555555559.", "card [redacted:card], [redacted:card]."},
    {"mail ann.lee+x@mail.example.org.", "mail [redacted:email]."},
    {"<ann@example.com>", "<[redacted:email]>"},
    {"d41d8cd98f00b204e9800998ecf8427e", "[redacted:hex]"},
    {"x=Zk9Qw3sT8uVbN2mLpR7yHc4dJf6gKa1eXi5oW0zB", "x=[redacted:secret]"},
    {"password=hunter2 next", "password=[redacted:secret] next"},
    {"{\"api_key\": \"abc\", \"n\": 1}", "{\"api_key\": \"[redacted:secret]\", \"n\": 1}"},
    {"client-secret: s3cr3t;", "client-secret: [redacted:secret];"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "[redacted:private_key]\nrest"},
    {"-----BEGIN PRIVATE KEY-----\nMIIE cut", "[redacted:private_key]"},
    {"Gr\xc3\xbc\xc3\x9f"
     "e an ann@example.com \xf0\x9f\x98\x80",
     "Gr\xc3\xbc\xc3\x9f"
     "e an [redacted:email] \xf0\x9f\x98\x80"},
    /* what stays */
    {"", ""},
    {"a task-force-meeting-about-keys", "a task-force-meeting-about-keys"},
    {"the bearer of bad news", "the bearer of bad news"},
    {"ts 1706349600123 and 1706349600123456", "ts 1706349600123 and 1706349600123456"},
    {"4111 1111 1111 1112", "4111 1111 1111 1112"},
    {"at core/transport/connection.c:120 in on_timeout()", "at core/transport/connection.c:120 in on_timeout()"},
    {"/home/user/Projects/Gateway2/core/transport/Connection3/deep/er", "/home/user/Projects/Gateway2/core/transport/Connection3/deep/er"},
    {"commit 4edb64c and uuid 123e4567-e89b-12d3-a456-426614174000", "commit 4edb64c and uuid 123e4567-e89b-12d3-a456-426614174000"},
    {"a @ b, @scope/package, x@y", "a @ b, @scope/package, x@y"},
    {"passwords must differ", "passwords must differ"},
    {"eyJust.kidding", "eyJust.kidding"},
};

static void known_shapes_go_and_the_rest_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(clean(cases[i][0]), cases[i][1]);
}

static void a_clean_text_stays_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char once[4096];
        snprintf(once, sizeof once, "%s", clean(cases[i][0]));
        if (!strstr(once, "secret: ") && !strstr(once, "=[") && !strstr(once, "\": \"") && !strstr(once, "Authorization"))
            assert_string_equal(clean(once), once);
    }
}

static void fields_are_cleaned_by_value_and_by_name(void **state)
{
    (void)state;
    struct gw_json *given =
        parse_json("{\"user\":\"ann@example.com\",\"Password\":\"x\",\"pin\":{\"secret\":1234,\"n\":[5500005555555559,7]},"
                   "\"token_count\":5,\"access_token\":\"abc\",\"ok\":true,\"none\":null,\"x\":1.5}");
    struct gw_json *out = gw_sanitize_json(given);
    struct gw_json *expected = parse_json(
        "{\"user\":\"[redacted:email]\",\"Password\":\"[redacted:secret]\",\"pin\":{\"secret\":\"[redacted:secret]\","
        "\"n\":[\"[redacted:card]\",7]},\"token_count\":5,\"access_token\":\"[redacted:secret]\",\"ok\":true,\"none\":null,\"x\":1.5}");
    assert_true(gw_json_equal(out, expected));
    gw_json_unref(given);
    gw_json_unref(out);
    gw_json_unref(expected);
}

static void lack_of_memory_is_an_answer(void **state)
{
    (void)state;
    struct gw_json *given = parse_json("{\"a\":[\"ann@example.com\",{\"b\":1}],\"password\":\"x\"}");
    for (long n = 1; n < 30; n++) {
        gw_alloc_fail_after(n);
        struct gw_json *out = gw_sanitize_json(given);
        gw_alloc_fail_after(0);
        gw_json_unref(out);
    }
    gw_json_unref(given);
}

/* Hostile text costs time in proportion to its length: this would take minutes otherwise. */
static void long_text_is_cheap(void **state)
{
    (void)state;
    static const char *const units[] = {"a.", "a+", "-----BEGIN ", "eyJa.", "sk-a ", "1 ", "a@", "password", "Zk9-"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct gw_buffer text, out;
        gw_buffer_init(&text, 0);
        gw_buffer_init(&out, 0);
        while (text.length < 200000)
            gw_buffer_append_text(&text, units[i]);
        (void)gw_sanitize_text(text.data, text.length, &out);
        gw_buffer_fini(&text);
        gw_buffer_fini(&out);
    }
}

/* ---- the command ----------------------------------------------------------------------------------------------------------------------- */

static void log_lines_are_events_without_secrets(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    must(&f, "\"type\":\"log.write\",\"canvas_id\":\"c\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"to ann@example.com\"},"
             "{\"level\":\"error\",\"message\":\"x\",\"fields\":{\"password\":\"p\",\"n\":1}}]}");
    assert_int_equal(f.made, 2);
    const struct gw_event *first = f.log.items[f.log.count - 2], *second = last_event(&f);
    assert_int_equal(first->type, GW_EVENT_LOG_LINE);
    assert_string_equal(first->canvas_id, "");
    assert_string_equal(gw_json_text(gw_json_get(first->data, "message"), NULL), "to [redacted:email]");
    assert_string_equal(gw_json_text(gw_json_get(gw_json_get(second->data, "fields"), "password"), NULL), "[redacted:secret]");
    fixture_close(&f);
}

static void bad_log_lines_are_refused_whole(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{}", "missing_arg", "/args/lines");
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{\"lines\":[]}", "missing_arg", "/args/lines");
    must_refuse(
        &f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"x\"},{\"level\":\"loud\",\"message\":\"x\"}]}",
        "bad_shape", "/args/lines/1/level");
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\"}]}", "missing_arg", "/args/lines/0/message");
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"x\",\"html\":1}]}", "unknown_member",
                "/args/lines/0/html");
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"x\",\"fields\":[]}]}", "bad_shape",
                "/args/lines/0/fields");
    must_refuse(&f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"data:image/png;base64,AAAA\"}]}",
                "bytes_refused", "/args/lines/0/message");
    fixture_close(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_shapes_go_and_the_rest_stays),
        cmocka_unit_test(a_clean_text_stays_clean),
        cmocka_unit_test(fields_are_cleaned_by_value_and_by_name),
        cmocka_unit_test(lack_of_memory_is_an_answer),
        cmocka_unit_test(long_text_is_cheap),
        cmocka_unit_test(log_lines_are_events_without_secrets),
        cmocka_unit_test(bad_log_lines_are_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
