#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void returns_the_code_and_fills_every_field(void **state)
{
    (void)state;
    struct gw_error err;
    memset(&err, 'x', sizeof err);
    assert_int_equal(gw_error_set(&err, GW_EINVAL, "bad_thing", "thing %d is bad", 7), GW_EINVAL);
    assert_int_equal(err.code, GW_EINVAL);
    assert_string_equal(err.id, "bad_thing");
    assert_string_equal(err.message, "thing 7 is bad");
    assert_string_equal(err.path, "");
    assert_false(err.has_limit);
    assert_false(err.is_retryable);
}

static void names_the_limit_that_was_hit(void **state)
{
    (void)state;
    struct gw_error err;
    assert_int_equal(gw_error_limit(&err, "body_too_large", "max_body_bytes", 262144, "too large"), GW_ELIMIT);
    assert_true(err.has_limit);
    assert_int_equal(err.limit, 262144);
    assert_string_equal(err.limit_name, "max_body_bytes");
}

static void calls_overload_and_disk_failure_retryable(void **state)
{
    (void)state;
    struct gw_error err;
    const int retryable[] = {GW_ENOMEM, GW_EIO, GW_ECLOSED, GW_EBUSY, GW_ETIMEOUT, GW_EUNKNOWN_OUTCOME};
    for (size_t i = 0; i < sizeof retryable / sizeof *retryable; i++) {
        gw_error_set(&err, retryable[i], "x", "x");
        assert_true(err.is_retryable);
    }
    const int final[] = {GW_EINVAL, GW_ELIMIT, GW_ENOTFOUND, GW_ECONFLICT, GW_EAUTH, GW_EDENIED, GW_ESTATE};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        gw_error_set(&err, final[i], "x", "x");
        assert_false(err.is_retryable);
    }
}

static void cuts_a_long_message_between_characters(void **state)
{
    (void)state;
    struct gw_error err;
    char text[400];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        gw_error_set(&err, GW_EINVAL, "x", "%s", text);
        size_t length = strlen(err.message);
        assert_in_range(length, sizeof err.message - 4, sizeof err.message - 1);
        assert_int_equal((length - shift) % 3, 0);
    }
}

static void puts_an_outer_path_before_the_inner_one(void **state)
{
    (void)state;
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "x", "x");
    snprintf(err.path, sizeof err.path, "/block/id");
    gw_error_prefix(&err, "/args");
    assert_string_equal(err.path, "/args/block/id");
}

static void truncates_a_prefixed_path_at_its_end(void **state)
{
    (void)state;
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "x", "x");
    memset(err.path, 'i', sizeof err.path - 1);
    gw_error_prefix(&err, "/outer");
    assert_int_equal(strlen(err.path), sizeof err.path - 1);
    assert_memory_equal(err.path, "/outeri", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_the_code_and_fills_every_field),    cmocka_unit_test(names_the_limit_that_was_hit),
        cmocka_unit_test(calls_overload_and_disk_failure_retryable), cmocka_unit_test(cuts_a_long_message_between_characters),
        cmocka_unit_test(puts_an_outer_path_before_the_inner_one),   cmocka_unit_test(truncates_a_prefixed_path_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
