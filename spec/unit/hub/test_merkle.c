#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/merkle.h"

struct entry {
    uint8_t key[GW_SHA256_BYTES], leaf[GW_SHA256_BYTES];
};

static struct entry entry_of(unsigned number, unsigned version)
{
    struct entry entry;
    unsigned both[2] = {number, version};
    gw_sha256(&number, sizeof number, entry.key);
    gw_sha256(both, sizeof both, entry.leaf);
    return entry;
}

/* The definition, word for word. */
static void digest_by_hand(const struct entry *entries, size_t count, unsigned depth, uint8_t out[GW_SHA256_BYTES])
{
    memset(out, 0, GW_SHA256_BYTES);
    if (count == 1)
        memcpy(out, entries[0].leaf, GW_SHA256_BYTES);
    if (count < 2)
        return;
    uint8_t bytes[1 + 16 * GW_SHA256_BYTES] = {1};
    struct entry *some = gw_alloc_array(count, sizeof *some);
    for (unsigned digit = 0; digit < 16; digit++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            if (((unsigned)entries[i].key[depth / 2] >> (depth % 2 ? 0 : 4) & 15u) == digit)
                some[found++] = entries[i];
        digest_by_hand(some, found, depth + 1, bytes + 1 + digit * GW_SHA256_BYTES);
    }
    gw_free(some);
    gw_sha256(bytes, sizeof bytes, out);
}

static void assert_root(struct gw_merkle *merkle, const struct entry *entries, size_t count)
{
    uint8_t expected[GW_SHA256_BYTES], got[GW_SHA256_BYTES];
    digest_by_hand(entries, count, 0, expected);
    gw_merkle_root(merkle, got);
    assert_int_equal(gw_merkle_count(merkle), count);
    assert_memory_equal(got, expected, sizeof got);
}

static void put(struct gw_merkle *merkle, const struct entry *entry)
{
    assert_int_equal(gw_merkle_put(merkle, entry->key, entry->leaf), GW_OK);
}

static void no_leaf_is_zeros_and_one_is_itself(void **state)
{
    (void)state;
    struct gw_merkle *merkle = gw_merkle_create();
    struct entry entry = entry_of(7, 0);
    uint8_t got[GW_SHA256_BYTES], zeros[GW_SHA256_BYTES] = {0};
    gw_merkle_root(merkle, got);
    assert_memory_equal(got, zeros, sizeof got);
    put(merkle, &entry);
    gw_merkle_root(merkle, got);
    assert_memory_equal(got, entry.leaf, sizeof got);
    gw_merkle_remove(merkle, entry.key);
    assert_root(merkle, NULL, 0);
    gw_merkle_destroy(merkle);
}

static void the_root_follows_every_change(void **state)
{
    (void)state;
    enum { COUNT = 120 };
    struct gw_merkle *merkle = gw_merkle_create();
    struct entry entries[COUNT];
    size_t count = 0;
    uint32_t seed = 1;
    for (unsigned round = 0; round < 1500; round++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned which = (seed >> 8) % COUNT;
        if (which < count && round % 3 == 0) {
            gw_merkle_remove(merkle, entries[which].key);
            entries[which] = entries[--count];
        } else if (which < count) {
            gw_sha256(&round, sizeof round, entries[which].leaf);
            put(merkle, &entries[which]);
        } else {
            entries[count] = entry_of(1000 + round, 0);
            put(merkle, &entries[count++]);
        }
        if (round % 7 == 0)
            assert_root(merkle, entries, count);
    }
    gw_merkle_destroy(merkle);
}

static void keys_that_begin_alike_lie_deeper(void **state)
{
    (void)state;
    struct gw_merkle *merkle = gw_merkle_create();
    struct entry entries[3] = {entry_of(1, 0), entry_of(2, 0), entry_of(3, 0)};
    memset(entries[0].key, 0x5a, GW_SHA256_BYTES);
    memset(entries[1].key, 0x5a, GW_SHA256_BYTES);
    memset(entries[2].key, 0x5a, GW_SHA256_BYTES);
    entries[1].key[GW_SHA256_BYTES - 1] = 0x5b;
    entries[2].key[9] = 0x4a;
    for (size_t i = 0; i < 3; i++)
        put(merkle, &entries[i]);
    assert_root(merkle, entries, 3);
    gw_merkle_remove(merkle, entries[1].key);
    entries[1] = entries[2];
    assert_root(merkle, entries, 2);
    gw_merkle_destroy(merkle);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    struct gw_merkle *merkle = gw_merkle_create();
    struct entry entries[2] = {entry_of(1, 0), entry_of(2, 0)}, other = entry_of(3, 0);
    gw_merkle_remove(merkle, other.key);
    put(merkle, &entries[0]);
    gw_merkle_remove(merkle, other.key);
    put(merkle, &entries[1]);
    gw_merkle_remove(merkle, other.key);
    assert_root(merkle, entries, 2);
    gw_merkle_destroy(merkle);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct entry entries[2] = {entry_of(1, 0), entry_of(2, 0)};
    for (long n = 1; n <= 4; n++) {
        gw_alloc_fail_after(n);
        struct gw_merkle *merkle = gw_merkle_create();
        int status = merkle ? gw_merkle_put(merkle, entries[0].key, entries[0].leaf) : GW_ENOMEM;
        if (!status)
            status = gw_merkle_put(merkle, entries[1].key, entries[1].leaf);
        gw_alloc_fail_after(0);
        assert_int_equal(status, GW_ENOMEM);
        gw_merkle_destroy(merkle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_leaf_is_zeros_and_one_is_itself), cmocka_unit_test(the_root_follows_every_change),
        cmocka_unit_test(keys_that_begin_alike_lie_deeper),   cmocka_unit_test(removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
