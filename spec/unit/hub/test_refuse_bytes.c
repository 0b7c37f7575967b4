#include "hub/refuse_bytes.h"
#include "support/state_fixture.h"

#define RUN_MAX 1024

static bool passes(const char *text)
{
    struct gw_error err;
    int status = gw_refuse_bytes_text(text, strlen(text), RUN_MAX, &err);
    assert_true(status == GW_OK || strcmp(err.id, "bytes_refused") == 0);
    return status == GW_OK;
}

static void prose_code_and_tokens_pass(void **state)
{
    static const char *const good[] = {
        "",
        "Two lines,\n\tan indent, and a Windows end.\r\n",
        "The data: I have it here, and base64, too.",
        "see data: image/png, image/jpeg",
        "const metadata:image/png, x = {data:a/b, c:1};",
        "data:,hello and data:text/plain,hi and data:text/html;charset=utf-8,x",
        "data:image/png;base64 without a comma",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.dozjgNryP4J3jVmNHl0w5N_XgL5n",
        "gr\u00fc\u00dfe \u00a0 \u4f60\u597d \U0001F600 \u200d",
        "https://example.org/a/very/long/path?with=a&query=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!passes(good[i]))
            fail_msg("refused: %s", good[i]);
}

static void bytes_in_uris_are_refused(void **state)
{
    static const char *const bad[] = {
        "data:image/png;base64,iVBORw0KGgo=", "see (DATA:IMAGE/PNG;BASE64,iVBO)", "data:;base64,AAAA",
        "data:text/plain;base64,SGk=",        "data:image/svg+xml,%3Csvg%3E",     "x data:application/octet-stream,%00",
        "data:image/png; base64 ,AA",         "data: image/png;base64,AA",        "metadata:image/png;base64,AA",
        "data:a,b data:audio/ogg,x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (passes(bad[i]))
            fail_msg("passed: %s", bad[i]);
}

static void control_characters_are_refused(void **state)
{
    struct gw_error err;
    (void)state;
    assert_false(passes("a\x01"
                        "b"));
    assert_false(passes("\x1b[31m"));
    assert_false(passes("\x7f"));
    assert_false(passes("\xc2\x85"));
    assert_false(passes("\xc2\x9f"));
    assert_int_equal(gw_refuse_bytes_text("a\0b", 3, RUN_MAX, &err), GW_EINVAL);
    assert_non_null(strstr(err.message, "U+0000"));
}

static void a_run_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    char text[2 * RUN_MAX + 8];
    struct gw_error err;
    (void)state;
    memset(text, 'f', sizeof text);
    assert_int_equal(gw_refuse_bytes_text(text, RUN_MAX, RUN_MAX, &err), GW_OK);
    assert_int_equal(gw_refuse_bytes_text(text, RUN_MAX + 1, RUN_MAX, &err), GW_EINVAL);
    assert_string_equal(err.limit_name, "max_base64_run");
    assert_int_equal(err.limit, RUN_MAX);
    text[RUN_MAX] = '.';
    assert_int_equal(gw_refuse_bytes_text(text, 2 * RUN_MAX + 1, RUN_MAX, &err), GW_OK);
    memset(text, 'f', RUN_MAX + 2);
    memcpy(text + 5, "+/-_", 4);
    assert_int_equal(gw_refuse_bytes_text(text, RUN_MAX + 1, RUN_MAX, &err), GW_EINVAL);
}

static void every_string_and_key_inside_json_is_judged(void **state)
{
    struct gw_error err;
    struct gw_json *value = parse_json("{\"ok\":[1,null,{\"a/b\":[\"fine\",\"data:image/png;base64,AA\"]}]}");
    (void)state;
    assert_int_equal(gw_refuse_bytes_json(value, RUN_MAX, &err), GW_EINVAL);
    assert_string_equal(err.path, "/ok/2/a~1b/1");
    gw_json_unref(value);
    value = parse_json("{\"data:image/png;base64,AA\":1}");
    assert_int_equal(gw_refuse_bytes_json(value, RUN_MAX, &err), GW_EINVAL);
    gw_json_unref(value);
}

/* ---- changes: the judgement near a change is that of the whole text ---------------------------------------------------------------- */

static int judge_change(const char *text, size_t at, size_t del, const char *ins, size_t max_run)
{
    struct gw_error err;
    struct gw_refuse_change change = {.left = text,
                                      .left_length = at,
                                      .ins = ins,
                                      .ins_length = strlen(ins),
                                      .right = text + at + del,
                                      .right_length = strlen(text) - at - del};
    return gw_refuse_bytes_change(&change, max_run, &err);
}

static int judge_whole(const char *text, size_t at, size_t del, const char *ins, size_t max_run)
{
    struct gw_error err;
    struct gw_buffer whole;
    gw_buffer_init(&whole, 0);
    gw_buffer_append(&whole, text, at);
    gw_buffer_append_text(&whole, ins);
    gw_buffer_append_text(&whole, text + at + del);
    int status = gw_refuse_bytes_text(whole.data ? whole.data : "", whole.length, max_run, &err);
    gw_buffer_fini(&whole);
    return status;
}

static void a_uri_built_by_any_split_is_refused_at_its_last_piece(void **state)
{
    static const char whole[] = "see data:image/png;base64,AA here";
    size_t length = strlen(whole);
    (void)state;
    for (size_t from = 0; from <= length; from++) {
        for (size_t to = from; to <= length; to++) {
            char rest[64], ins[64];
            memcpy(rest, whole, from);
            memcpy(rest + from, whole + to, length - to + 1);
            memcpy(ins, whole + from, to - from);
            ins[to - from] = '\0';
            if (passes(rest))
                assert_int_equal(judge_change(rest, from, 0, ins, RUN_MAX), GW_EINVAL);
        }
    }
}

static void a_run_grown_piece_by_piece_is_refused(void **state)
{
    char text[RUN_MAX + 3] = "";
    size_t length = 0;
    (void)state;
    while (length < RUN_MAX) {
        assert_int_equal(judge_change(text, length / 2, 0, "f", RUN_MAX), GW_OK);
        text[length++] = 'f';
        text[length] = '\0';
    }
    for (size_t at = 0; at <= length; at += 64)
        assert_int_equal(judge_change(text, at, 0, "f", RUN_MAX), GW_EINVAL);
    assert_int_equal(judge_change(text, 100, 0, " ", RUN_MAX), GW_OK);
}

static void a_deletion_that_joins_two_runs_is_refused(void **state)
{
    char text[RUN_MAX + 3];
    (void)state;
    memset(text, 'f', sizeof text);
    text[600] = ' ';
    text[RUN_MAX + 2] = '\0';
    assert_int_equal(judge_change(text, 600, 1, "", RUN_MAX), GW_EINVAL);
    assert_int_equal(judge_change(text, 599, 2, "", RUN_MAX), GW_OK);
}

static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void append(char *text, size_t size, const char *piece)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s", piece);
}

static void near_and_whole_judgement_agree_on_random_changes(void **state)
{
    static const char *const pieces[] = {"data:", "image/png", ";base64", ",", "ab", " ", "\n", "text/plain", "=", "da", "ta:", "f0f0"};
    unsigned seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "", ins[64] = "";
        for (int i = 0; i < 8; i++)
            append(text, sizeof text, pieces[draw(&seed) % 12]);
        for (int i = 0; i < 2; i++)
            append(ins, sizeof ins, pieces[draw(&seed) % 12]);
        size_t at = draw(&seed) % (strlen(text) + 1), room = strlen(text) - at;
        size_t del = room ? draw(&seed) % room : 0;
        if (judge_whole(text, 0, 0, "", 12))
            continue;
        if (judge_change(text, at, del, ins, 12) != judge_whole(text, at, del, ins, 12))
            fail_msg("round %d: \"%s\" at %zu del %zu ins \"%s\"", round, text, at, del, ins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_code_and_tokens_pass),
        cmocka_unit_test(bytes_in_uris_are_refused),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(a_run_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(every_string_and_key_inside_json_is_judged),
        cmocka_unit_test(a_uri_built_by_any_split_is_refused_at_its_last_piece),
        cmocka_unit_test(a_run_grown_piece_by_piece_is_refused),
        cmocka_unit_test(a_deletion_that_joins_two_runs_is_refused),
        cmocka_unit_test(near_and_whole_judgement_agree_on_random_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
