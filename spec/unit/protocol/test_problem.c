/* test_problem.c — from an error to status, class and document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "protocol/problem.h"

static void expect_class(int code, int status, enum gw_retry retry)
{
    struct gw_error err;
    gw_error_set(&err, code, "x", "y");
    struct gw_problem problem = gw_problem_classify(&err, NULL, 0);
    assert_int_equal(problem.status, status);
    assert_int_equal(problem.retry, retry);
}

static void classifies_by_code(void **state)
{
    (void)state;
    expect_class(GW_EINVAL, 400, GW_RETRY_NEVER);
    expect_class(GW_ELIMIT, 413, GW_RETRY_NEVER);
    expect_class(GW_ENOTFOUND, 404, GW_RETRY_NEVER);
    expect_class(GW_ECONFLICT, 409, GW_RETRY_NEVER);
    expect_class(GW_ESTATE, 409, GW_RETRY_NEVER);
    expect_class(GW_EAUTH, 401, GW_RETRY_AUTH);
    expect_class(GW_EDENIED, 403, GW_RETRY_NEVER);
    expect_class(GW_ENOMEM, 503, GW_RETRY_LATER);
    expect_class(GW_EIO, 503, GW_RETRY_LATER);
    expect_class(GW_ECLOSED, 503, GW_RETRY_LATER);
    expect_class(GW_EBUSY, 503, GW_RETRY_LATER);
    expect_class(GW_ETIMEOUT, 503, GW_RETRY_LATER);
    expect_class(GW_EUNKNOWN_OUTCOME, 503, GW_RETRY_LATER);
}

static void says_now_where_the_error_may_pass_at_once(void **state)
{
    (void)state;
    struct gw_error err;
    gw_error_set(&err, GW_ECONFLICT, "out_of_order", "A command before it is missing");
    err.is_retryable = true;
    assert_int_equal(gw_problem_classify(&err, NULL, 0).retry, GW_RETRY_NOW);
}

static void lets_a_rule_win(void **state)
{
    (void)state;
    static const struct gw_problem_rule rules[] = {{"other", {500, GW_RETRY_NOW}}, {"rate_limited", {429, GW_RETRY_LATER}}};
    struct gw_error err;
    gw_error_set(&err, GW_ELIMIT, "rate_limited", "Slower");
    struct gw_problem problem = gw_problem_classify(&err, rules, 2);
    assert_int_equal(problem.status, 429);
    assert_int_equal(problem.retry, GW_RETRY_LATER);
}

static void writes_only_the_members_that_are_set(void **state)
{
    (void)state;
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    gw_error_set(&err, GW_EINVAL, "bad_id", "Not an id: \"%s\"", "a/b");
    gw_problem_write(&err, gw_problem_classify(&err, NULL, 0), &out);
    gw_buffer_append_char(&out, '\n');
    gw_error_limit(&err, "body_too_large", "max_body_bytes", 1024, "Too long");
    gw_error_prefix(&err, "/args");
    gw_problem_write(&err, gw_problem_classify(&err, NULL, 0), &out);
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(
        out.data,
        "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"code\":\"bad_id\",\"detail\":\"Not an id: \\\"a/b\\\"\","
        "\"retry\":\"never\"}\n"
        "{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,\"code\":\"body_too_large\",\"detail\":\"Too long\","
        "\"path\":\"/args\",\"limit\":{\"name\":\"max_body_bytes\",\"value\":1024,\"unit\":\"bytes\"},\"retry\":\"never\"}");
    gw_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies_by_code),
        cmocka_unit_test(says_now_where_the_error_may_pass_at_once),
        cmocka_unit_test(lets_a_rule_win),
        cmocka_unit_test(writes_only_the_members_that_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
