#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "script/answers.h"

static const uint8_t seed[16] = {1};

static const uint8_t *key_of(unsigned n)
{
    static uint8_t key[GW_SHA256_BYTES];
    gw_sha256(&n, sizeof n, key);
    return key;
}

static void put(struct gw_answers *answers, unsigned n, const char *text)
{
    gw_answers_put(answers, key_of(n), &(struct gw_answer){GW_ANSWER_VALUE, text, strlen(text)});
}

static void what_was_put_is_found(void **state)
{
    struct gw_answers *answers = gw_answers_create(seed, 4096);
    struct gw_answer answer;
    (void)state;
    put(answers, 1, "\"one\"");
    gw_answers_put(answers, key_of(2), &(struct gw_answer){.kind = GW_ANSWER_FAILURE});
    assert_true(gw_answers_find(answers, key_of(1), &answer));
    assert_int_equal(answer.kind, GW_ANSWER_VALUE);
    assert_string_equal(answer.text, "\"one\"");
    assert_int_equal(answer.length, 5);
    assert_true(gw_answers_find(answers, key_of(2), &answer));
    assert_int_equal(answer.kind, GW_ANSWER_FAILURE);
    assert_false(gw_answers_find(answers, key_of(3), &answer));
    gw_answers_destroy(answers);
}

static void no_more_is_kept_than_there_may_be_and_what_is_asked_for_stays(void **state)
{
    struct gw_answers *answers = gw_answers_create(seed, 4096);
    struct gw_answer answer;
    (void)state;
    put(answers, 0, "0");
    for (unsigned n = 1; n < 500; n++) {
        put(answers, n, "\"something\"");
        assert_true(gw_answers_find(answers, key_of(0), &answer));
        assert_string_equal(answer.text, "0");
        assert_in_range(gw_answers_bytes(answers), 1, 4096);
    }
    assert_false(gw_answers_find(answers, key_of(1), &answer));
    assert_true(gw_answers_find(answers, key_of(499), &answer));
    gw_answers_destroy(answers);
}

static void what_is_too_large_is_not_kept(void **state)
{
    static char text[4096];
    struct gw_answers *answers = gw_answers_create(seed, 4096);
    struct gw_answer answer;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    put(answers, 1, text);
    assert_false(gw_answers_find(answers, key_of(1), &answer));
    assert_int_equal(gw_answers_bytes(answers), 0);
    gw_answers_destroy(answers);
}

static void without_memory_it_is_not_kept(void **state)
{
    struct gw_answers *answers = gw_answers_create(seed, 4096);
    struct gw_answer answer;
    (void)state;
    for (long n = 1; n < 4; n++) {
        gw_alloc_fail_after(n);
        put(answers, 1, "1");
        gw_alloc_fail_after(0);
        if (gw_answers_find(answers, key_of(1), &answer))
            break;
        assert_int_equal(gw_answers_bytes(answers), 0);
    }
    gw_answers_destroy(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(no_more_is_kept_than_there_may_be_and_what_is_asked_for_stays),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(without_memory_it_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
