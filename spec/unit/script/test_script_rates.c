#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "script/script_rates.h"

static const uint8_t seed[16];
static const struct gw_rate rate = {.per_s = 2, .burst = 3};

static bool take(struct gw_rates *rates, const char *name, uint64_t now_ms)
{
    struct gw_buffer buffer;
    gw_buffer_init(&buffer, 0);
    gw_buffer_append_text(&buffer, name);
    bool answer = gw_rates_take(rates, &buffer, &rate, now_ms);
    gw_buffer_fini(&buffer);
    return answer;
}

static void a_burst_then_so_many_a_second(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 8);
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 1000));
    assert_false(take(rates, "ann", 1499));
    assert_true(take(rates, "ann", 1500));
    assert_false(take(rates, "ann", 1500));
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 60000));
    assert_false(take(rates, "ann", 60000));
    gw_rates_destroy(rates);
}

static void each_name_has_its_own(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 8);
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 1000));
    assert_false(take(rates, "ann", 1000));
    assert_true(take(rates, "ben", 1000));
    gw_rates_destroy(rates);
}

static void at_the_maximum_full_ones_are_forgotten_first(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 2);
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 1000));
    assert_true(take(rates, "ben", 1000));
    assert_true(take(rates, "cat", 1500)); /* ben's is full again */
    assert_int_equal(gw_rates_count(rates), 2);
    assert_true(take(rates, "ann", 1500));
    assert_false(take(rates, "ann", 1500));
    assert_true(take(rates, "dan", 1500)); /* none is full: all go */
    assert_int_equal(gw_rates_count(rates), 1);
    gw_rates_destroy(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_so_many_a_second),
        cmocka_unit_test(each_name_has_its_own),
        cmocka_unit_test(at_the_maximum_full_ones_are_forgotten_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
