#include <pthread.h>
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

static void at_the_maximum_the_longest_unused_are_forgotten(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 4);
    for (int i = 0; i < 3; i++) {
        assert_true(take(rates, "ann", 1000));
        assert_true(take(rates, "ben", 1000));
    }
    assert_true(take(rates, "cat", 1000));
    assert_false(take(rates, "ann", 1000)); /* in use still, unlike ben */
    assert_true(take(rates, "dan", 1000));
    assert_true(take(rates, "eve", 1000));
    assert_true(take(rates, "ben", 1000));
    assert_true(gw_rates_count(rates) <= 4);
    gw_rates_destroy(rates);
}

static void who_is_in_use_is_not_forgotten(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 8);
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 1000));
    for (char name[] = "A"; name[0] <= 'Z'; name[0]++) {
        assert_true(take(rates, name, 1000));
        assert_false(take(rates, "ann", 1000));
        assert_true(gw_rates_count(rates) <= 8);
    }
    gw_rates_destroy(rates);
}

static void a_clock_behind_that_of_another_thread_fills_nothing(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 8);
    for (int i = 0; i < 3; i++)
        assert_true(take(rates, "ann", 1000));
    assert_false(take(rates, "ann", 999));
    assert_false(take(rates, "ann", 1000));
    gw_rates_destroy(rates);
}

#define THREADS 4
#define TRIES   20000

static void *take_many(void *arg)
{
    struct gw_rates *rates = arg;
    char name[] = "A";
    uintptr_t taken = 0;
    for (int i = 0; i < TRIES; i++) {
        name[0] = (char)('A' + i % 26);
        (void)take(rates, name, 1000);
        taken += take(rates, "ann", 1000);
    }
    return (void *)taken;
}

static void threads_share_one_bucket(void **state)
{
    (void)state;
    struct gw_rates *rates = gw_rates_create(seed, 64);
    pthread_t threads[THREADS];
    uintptr_t taken = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, rates), 0);
    for (int i = 0; i < THREADS; i++) {
        void *answer;
        assert_int_equal(pthread_join(threads[i], &answer), 0);
        taken += (uintptr_t)answer;
    }
    assert_int_equal(taken, 3);
    gw_rates_destroy(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_so_many_a_second),
        cmocka_unit_test(each_name_has_its_own),
        cmocka_unit_test(at_the_maximum_the_longest_unused_are_forgotten),
        cmocka_unit_test(who_is_in_use_is_not_forgotten),
        cmocka_unit_test(a_clock_behind_that_of_another_thread_fills_nothing),
        cmocka_unit_test(threads_share_one_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
