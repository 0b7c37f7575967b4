#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"

static void gives_zeroed_memory_even_for_nothing(void **state)
{
    (void)state;
    unsigned char *memory = gw_alloc(64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(memory[i], 0);
    gw_free(memory);
    void *nothing = gw_alloc(0);
    assert_non_null(nothing);
    gw_free(nothing);
    gw_free(NULL);
}

static void refuses_an_array_whose_size_overflows(void **state)
{
    (void)state;
    assert_null(gw_try_grow(NULL, SIZE_MAX / 2, 3));
    assert_null(gw_try_strndup("", SIZE_MAX));
}

static void leaves_the_old_array_when_growing_fails(void **state)
{
    (void)state;
    char *old = gw_try_grow(NULL, 4, 1);
    memcpy(old, "abc", 4);
    gw_alloc_fail_after(1);
    assert_null(gw_try_grow(old, 400, 1));
    gw_alloc_fail_after(0);
    assert_string_equal(old, "abc");
    gw_free(old);
}

static void copies_text_by_length(void **state)
{
    (void)state;
    char *copy = gw_try_strndup("hello", 3);
    assert_string_equal(copy, "hel");
    gw_free(copy);
    copy = gw_try_strndup(NULL, 0);
    assert_string_equal(copy, "");
    gw_free(copy);
    copy = gw_strdup("whole");
    assert_string_equal(copy, "whole");
    gw_free(copy);
}

static void fails_exactly_the_chosen_allocation(void **state)
{
    (void)state;
    gw_alloc_fail_after(2);
    void *first = gw_try_alloc(1);
    void *second = gw_try_alloc(1);
    void *third = gw_try_alloc(1);
    assert_int_equal(gw_alloc_fallible_count(), 3);
    gw_alloc_fail_after(0);
    assert_int_equal(gw_alloc_fallible_count(), 0);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    gw_free(first);
    gw_free(third);
}

static void overwrites_secrets(void **state)
{
    (void)state;
    char secret[] = "hunter2";
    gw_zero_secret(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        assert_int_equal(secret[i], 0);
    gw_zero_secret(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_memory_even_for_nothing),    cmocka_unit_test(refuses_an_array_whose_size_overflows),
        cmocka_unit_test(leaves_the_old_array_when_growing_fails), cmocka_unit_test(copies_text_by_length),
        cmocka_unit_test(fails_exactly_the_chosen_allocation),     cmocka_unit_test(overwrites_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
