#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"

static const uint8_t seed[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void *number(uintptr_t n) { return (void *)(n + 1); }

static size_t make_key(char *key, size_t size, unsigned n) { return (size_t)snprintf(key, size, "key-%u", n); }

static void finds_what_was_put(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    assert_null(gw_map_get(map, "a", 1));
    assert_int_equal(gw_map_put(map, "a", 1, number(1), NULL), 0);
    assert_int_equal(gw_map_put(map, "a\0", 2, number(2), NULL), 0);
    assert_int_equal(gw_map_put(map, "", 0, number(3), NULL), 0);
    assert_ptr_equal(gw_map_get(map, "a", 1), number(1));
    assert_ptr_equal(gw_map_get(map, "a\0", 2), number(2));
    assert_ptr_equal(gw_map_get(map, NULL, 0), number(3));
    assert_int_equal(gw_map_count(map), 3);
    gw_map_destroy(map);
    gw_map_destroy(NULL);
}

static void hands_back_the_value_that_it_replaces(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    void *old = number(9);
    gw_map_put(map, "k", 1, number(1), &old);
    assert_null(old);
    gw_map_put(map, "k", 1, number(2), &old);
    assert_ptr_equal(old, number(1));
    assert_int_equal(gw_map_count(map), 1);
    gw_map_destroy(map);
}

static void copies_its_keys(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    char key[] = "mine";
    gw_map_put(map, key, 4, number(1), NULL);
    memset(key, 'x', 4);
    assert_ptr_equal(gw_map_get(map, "mine", 4), number(1));
    gw_map_destroy(map);
}

static void stays_right_through_growth_and_removal(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    char key[32];
    for (unsigned n = 0; n < 5000; n++)
        gw_map_put(map, key, make_key(key, sizeof key, n), number(n), NULL);
    for (unsigned n = 0; n < 5000; n += 2)
        assert_ptr_equal(gw_map_remove(map, key, make_key(key, sizeof key, n)), number(n));
    assert_int_equal(gw_map_count(map), 2500);
    for (unsigned n = 0; n < 5000; n++)
        assert_ptr_equal(gw_map_get(map, key, make_key(key, sizeof key, n)), n % 2 ? number(n) : NULL);
    assert_null(gw_map_remove(map, "key-0", 5));
    gw_map_destroy(map);
}

static void searches_end_after_endless_churn(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    char key[32];
    for (unsigned n = 0; n < 20000; n++) {
        gw_map_put(map, key, make_key(key, sizeof key, n), number(n), NULL);
        if (n >= 3)
            assert_ptr_equal(gw_map_remove(map, key, make_key(key, sizeof key, n - 3)), number(n - 3));
        assert_null(gw_map_get(map, "absent", 6));
    }
    assert_int_equal(gw_map_count(map), 3);
    gw_map_destroy(map);
}

static void visits_every_entry_once(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    unsigned char seen[100] = {0};
    char key[32];
    for (unsigned n = 0; n < 100; n++)
        gw_map_put(map, key, make_key(key, sizeof key, n), number(n), NULL);
    const void *at;
    size_t cursor = 0;
    size_t length;
    void *value;
    while (gw_map_next(map, &cursor, &at, &length, &value)) {
        uintptr_t n = (uintptr_t)value - 1;
        assert_int_equal(length, make_key(key, sizeof key, (unsigned)n));
        assert_memory_equal(at, key, length);
        seen[n]++;
    }
    for (int n = 0; n < 100; n++)
        assert_int_equal(seen[n], 1);
    gw_map_destroy(map);
}

static void may_be_emptied_while_it_is_visited(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    char key[32];
    for (unsigned n = 0; n < 100; n++)
        gw_map_put(map, key, make_key(key, sizeof key, n), number(n), NULL);
    const void *at;
    size_t cursor = 0;
    size_t length;
    size_t visited = 0;
    void *value;
    while (gw_map_next(map, &cursor, &at, &length, &value)) {
        assert_ptr_equal(gw_map_remove(map, at, length), value);
        visited++;
    }
    assert_int_equal(visited, 100);
    assert_int_equal(gw_map_count(map), 0);
    gw_map_destroy(map);
}

static void a_failed_put_leaves_it_as_it_was(void **state)
{
    (void)state;
    struct gw_map *map = gw_map_create(seed);
    char key[32];
    unsigned next = 0;
    for (long n = 1; n <= 2; n++) {
        for (unsigned i = 0; i < 40; i++, next++) {
            size_t length = make_key(key, sizeof key, next);
            gw_alloc_fail_after(n);
            int rc = gw_map_put(map, key, length, number(next), NULL);
            long made = gw_alloc_fallible_count();
            gw_alloc_fail_after(0);
            assert_int_equal(rc, made >= n ? GW_ENOMEM : 0);
            assert_ptr_equal(gw_map_get(map, key, length), rc ? NULL : number(next));
            gw_map_put(map, key, length, number(next), NULL);
        }
    }
    for (unsigned n = 0; n < next; n++)
        assert_ptr_equal(gw_map_get(map, key, make_key(key, sizeof key, n)), number(n));
    gw_map_destroy(map);
}

/* The reference implementation's vectors_sip64 (Aumasson, Bernstein): key 00..0f, message 00, 01 … of the given length. */
static void siphash_agrees_with_the_reference_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint64_t hash;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},  {2, UINT64_C(0x0d6c8009d9a94f5a)},
        {3, UINT64_C(0x85676696d7fb7e2d)},  {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    uint8_t message[64];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_true(gw_siphash(seed, message, vectors[i].length) == vectors[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(hands_back_the_value_that_it_replaces),
        cmocka_unit_test(copies_its_keys),
        cmocka_unit_test(stays_right_through_growth_and_removal),
        cmocka_unit_test(searches_end_after_endless_churn),
        cmocka_unit_test(visits_every_entry_once),
        cmocka_unit_test(may_be_emptied_while_it_is_visited),
        cmocka_unit_test(a_failed_put_leaves_it_as_it_was),
        cmocka_unit_test(siphash_agrees_with_the_reference_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
