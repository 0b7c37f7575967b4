#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/script_meter.h"

#define MS UINT64_C(1000000)

static void what_was_spent_comes_back_with_time(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_true(gw_script_meter_may_run(&meter, 100, 0, 5000));
    gw_script_meter_spend(&meter, 100 * MS);
    assert_false(gw_script_meter_may_run(&meter, 100, 0, 5000));
    assert_false(gw_script_meter_may_run(&meter, 100, 0, 5000));
    assert_true(gw_script_meter_may_run(&meter, 100, 0, 5010)); /* one millisecond of a hundred */
}

static void a_debt_is_waited_for(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_true(gw_script_meter_may_run(&meter, 100, 0, 5000));
    gw_script_meter_spend(&meter, 150 * MS);
    assert_false(gw_script_meter_may_run(&meter, 100, 0, 5499));
    assert_true(gw_script_meter_may_run(&meter, 100, 0, 5510));
}

static void silence_saves_up_no_more_than_a_second_holds(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_true(gw_script_meter_may_run(&meter, 10, 0, 5000));
    assert_true(gw_script_meter_may_run(&meter, 10, 0, 10000000));
    gw_script_meter_spend(&meter, 10 * MS);
    assert_false(gw_script_meter_may_run(&meter, 10, 0, 10000000));
}

static bool fail_times(struct gw_script_meter *meter, int count, uint64_t now_ms)
{
    bool is_quarantined = false;
    for (int i = 0; i < count; i++)
        is_quarantined |= gw_script_meter_fail(meter, now_ms);
    return is_quarantined;
}

static void failures_close_together_deny(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_false(fail_times(&meter, 19, 50000));
    assert_false(gw_script_meter_is_denied(&meter, 50000));
    assert_true(fail_times(&meter, 1, 59999));
    assert_true(gw_script_meter_is_denied(&meter, 69998));
    assert_false(gw_script_meter_is_denied(&meter, 69999));
}

static void failures_far_apart_do_not(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_false(fail_times(&meter, 19, 50000));
    assert_false(fail_times(&meter, 19, 60000));
    assert_false(gw_script_meter_is_denied(&meter, 60000));
}

static void who_fails_again_is_denied_for_longer(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    uint64_t now_ms = 50000, expected_ms = 10000;
    for (int i = 0; i < 8; i++) {
        assert_true(fail_times(&meter, 20, now_ms));
        assert_int_equal(meter.denied_ms, expected_ms);
        now_ms = meter.denied_until_ms;
        expected_ms = expected_ms * 2 < 300000 ? expected_ms * 2 : 300000;
    }
    assert_true(fail_times(&meter, 20, now_ms + 300000));
    assert_int_equal(meter.denied_ms, 10000);
}

static void new_scripts_begin_anew_but_owe_what_was_spent(void **state)
{
    (void)state;
    struct gw_script_meter meter = {0};
    assert_true(gw_script_meter_may_run(&meter, 100, 0, 50000));
    gw_script_meter_spend(&meter, 100 * MS);
    fail_times(&meter, 20, 50000);
    gw_script_meter_forgive(&meter);
    assert_false(gw_script_meter_is_denied(&meter, 50000));
    assert_false(gw_script_meter_may_run(&meter, 100, 0, 50000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_spent_comes_back_with_time),
        cmocka_unit_test(a_debt_is_waited_for),
        cmocka_unit_test(silence_saves_up_no_more_than_a_second_holds),
        cmocka_unit_test(failures_close_together_deny),
        cmocka_unit_test(failures_far_apart_do_not),
        cmocka_unit_test(who_fails_again_is_denied_for_longer),
        cmocka_unit_test(new_scripts_begin_anew_but_owe_what_was_spent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
