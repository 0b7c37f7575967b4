#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/replay_text.h"
#include "app/replay_trace.h"
#include "base/error.h"

static void assert_text(const struct gw_replay_text *text, const char *expected)
{
    struct gw_replay_text other;
    gw_replay_text_init(&other);
    gw_replay_text_set(&other, expected, strlen(expected));
    assert_true(gw_replay_text_equal(text, &other));
    gw_replay_text_fini(&other);
}

static void splices_by_code_points(void **state)
{
    (void)state;
    struct gw_replay_text text;
    gw_replay_text_init(&text);
    assert_true(gw_replay_text_splice(&text, 0, 0, "a€𝄞z", strlen("a€𝄞z")));
    assert_int_equal(gw_replay_text_count(&text), 4);
    assert_true(gw_replay_text_splice(&text, 1, 2, "bé", 3));
    assert_text(&text, "abéz");
    assert_true(gw_replay_text_splice(&text, 4, 0, "!", 1));
    assert_true(gw_replay_text_splice(&text, 0, 1, "", 0));
    assert_text(&text, "béz!");
    gw_replay_text_fini(&text);
}

static void refuses_a_splice_beyond_the_end(void **state)
{
    (void)state;
    struct gw_replay_text text;
    gw_replay_text_init(&text);
    gw_replay_text_set(&text, "abc", 3);
    assert_false(gw_replay_text_splice(&text, 4, 0, "x", 1));
    assert_false(gw_replay_text_splice(&text, 2, 2, "x", 1));
    assert_false(gw_replay_text_splice(&text, SIZE_MAX, SIZE_MAX, "x", 1));
    assert_text(&text, "abc");
    gw_replay_text_fini(&text);
}

static void tells_where_two_texts_differ(void **state)
{
    (void)state;
    struct gw_replay_text a, b;
    gw_replay_text_init(&a);
    gw_replay_text_init(&b);
    gw_replay_text_set(&a, "same€x", strlen("same€x"));
    gw_replay_text_set(&b, "same€y", strlen("same€y"));
    assert_false(gw_replay_text_equal(&a, &b));
    assert_int_equal(gw_replay_text_difference(&a, &b), 5);
    gw_replay_text_fini(&a);
    gw_replay_text_fini(&b);
}

static int load(const char *json, struct gw_replay_trace *trace, struct gw_error *err)
{
    char path[] = "/tmp/atoms-trace-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, strlen(json)), strlen(json));
    close(fd);
    int rc = gw_replay_trace_load(path, trace, err);
    unlink(path);
    return rc;
}

static void reads_a_sequential_trace(void **state)
{
    (void)state;
    struct gw_replay_trace trace;
    struct gw_error err;
    assert_int_equal(load("{\"startContent\":\"s\",\"endContent\":\"e\",\"txns\":[{\"time\":\"x\",\"patches\":[[0,1,\"a\"],[1,0,\"bc\"]]},"
                          "{\"patches\":[]},{\"patches\":[[2,0,\"\"]]}]}",
                          &trace, &err),
                     0);
    assert_int_equal(trace.author_count, 1);
    assert_int_equal(trace.edit_count, 3);
    assert_int_equal(trace.edits[1].at, 1);
    assert_int_equal(trace.edits[1].ins_length, 2);
    assert_int_equal(trace.edits[2].seen, -1);
    assert_int_equal(trace.start_length, 1);
    gw_replay_trace_fini(&trace);
}

/* Author 0 writes transactions 0, 1 and 4, author 1 writes 2 and 3; 3 has seen 0 and 1 only through 1, 4 has seen 2. */
static void knows_what_each_author_had_seen_of_the_other(void **state)
{
    (void)state;
    struct gw_replay_trace trace;
    struct gw_error err;
    assert_int_equal(load("{\"kind\":\"concurrent\",\"endContent\":\"e\",\"numAgents\":2,\"txns\":["
                          "{\"parents\":[],\"agent\":0,\"patches\":[[0,0,\"a\",1],[1,0,\"b\",1]]},"
                          "{\"parents\":[0],\"agent\":0,\"patches\":[[2,0,\"c\",1]]},"
                          "{\"parents\":[],\"agent\":1,\"patches\":[[0,0,\"d\",1]]},"
                          "{\"parents\":[1,2],\"agent\":1,\"patches\":[[0,0,\"e\",1]]},"
                          "{\"parents\":[1,2],\"agent\":0,\"patches\":[[0,0,\"f\",1]]}]}",
                          &trace, &err),
                     0);
    static const ptrdiff_t seen[] = {-1, -1, -1, -1, 2, 3};
    assert_int_equal(trace.edit_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(trace.edits[i].seen, seen[i]);
    }
    gw_replay_trace_fini(&trace);
}

static void refuses_what_is_no_trace(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"endContent\":\"\"}",
        "{\"endContent\":\"\",\"txns\":[1]}",
        "{\"endContent\":\"\",\"txns\":[{\"patches\":[[0,-1,\"\"]]}]}",
        "{\"endContent\":\"\",\"txns\":[{\"patches\":[[0,0]]}]}",
        "{\"endContent\":\"\",\"numAgents\":3,\"txns\":[]}",
        "{\"endContent\":\"\",\"numAgents\":2,\"txns\":[{\"parents\":[0],\"agent\":0,\"patches\":[]}]}",
        "{\"endContent\":\"\",\"numAgents\":2,\"txns\":[{\"parents\":[],\"agent\":2,\"patches\":[]}]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct gw_replay_trace trace;
        struct gw_error err;
        assert_int_not_equal(load(texts[i], &trace, &err), 0);
        gw_replay_trace_fini(&trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splices_by_code_points),
        cmocka_unit_test(refuses_a_splice_beyond_the_end),
        cmocka_unit_test(tells_where_two_texts_differ),
        cmocka_unit_test(reads_a_sequential_trace),
        cmocka_unit_test(knows_what_each_author_had_seen_of_the_other),
        cmocka_unit_test(refuses_what_is_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
