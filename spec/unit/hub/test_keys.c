#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "hub/keys.h"

static const uint8_t seed[16] = "keys";

#define PAGES 64

/* The pages that a spine would hold, by seq. */
struct shelf {
    struct gw_buffer pages[PAGES];
    unsigned fetches;
};

static void key_of(unsigned number, uint8_t out[GW_KEY_BYTES])
{
    char name[16];
    snprintf(name, sizeof name, "c%u", number);
    gw_keys_digest("ann", name, out);
}

static void add(struct gw_keys *keys, unsigned number, uint64_t seq)
{
    struct gw_record_key key = {.answer = "yes", .answer_length = 3};
    key_of(number, key.key);
    memset(key.body, (int)number, sizeof key.body);
    assert_int_equal(gw_keys_add(keys, &key, seq), GW_OK);
}

/* Asks as the owner does, fetching what is asked for. */
static enum gw_keys_answer find(struct gw_keys *keys, struct shelf *shelf, unsigned number, struct gw_keys_entry *entry)
{
    uint8_t key[GW_KEY_BYTES];
    uint64_t page_seq;
    struct gw_error err;
    key_of(number, key);
    for (int rounds = 0; rounds < 1000; rounds++) {
        enum gw_keys_answer answer = gw_keys_find(keys, key, entry, &page_seq);
        if (answer != GW_KEYS_ASK_PAGE)
            return answer;
        assert_true(page_seq < PAGES && shelf->pages[page_seq].length > 0);
        shelf->fetches++;
        assert_int_equal(gw_keys_offer_page(keys, page_seq, shelf->pages[page_seq].data, shelf->pages[page_seq].length, &err), GW_OK);
    }
    fail_msg("the search goes on for ever");
    return GW_KEYS_NEW;
}

/* As the spine: a page that is there already stays. */
static void seal(struct gw_keys *keys, struct shelf *shelf, uint64_t seq)
{
    struct gw_buffer page;
    gw_buffer_init(&page, 0);
    assert_int_equal(gw_keys_seal_begin(keys, seq, &page), GW_OK);
    assert_true(gw_keys_is_sealing(keys, seq));
    if (shelf->pages[seq].length == 0)
        shelf->pages[seq] = page;
    else
        gw_buffer_fini(&page);
    gw_keys_seal_end(keys, true);
    assert_false(gw_keys_is_sealing(keys, seq));
}

static struct gw_keys *reload(const struct gw_keys *keys)
{
    struct gw_buffer saved;
    struct gw_error err;
    struct gw_keys *loaded = gw_keys_create(seed);
    gw_buffer_init(&saved, 0);
    assert_int_equal(gw_keys_save(keys, &saved), GW_OK);
    assert_int_equal(gw_keys_load(loaded, saved.data, saved.length, &err), GW_OK);
    gw_buffer_fini(&saved);
    return loaded;
}

static void clear(struct shelf *shelf)
{
    for (size_t i = 0; i < PAGES; i++)
        gw_buffer_fini(&shelf->pages[i]);
}

static void must_know(struct gw_keys *keys, struct shelf *shelf, unsigned number, uint64_t seq)
{
    struct gw_keys_entry entry;
    assert_int_equal(find(keys, shelf, number, &entry), GW_KEYS_KNOWN);
    assert_int_equal(entry.seq, seq);
    assert_int_equal(entry.body[0], number);
}

static void actors_do_not_share_ids(void **state)
{
    (void)state;
    uint8_t a[GW_KEY_BYTES], b[GW_KEY_BYTES];
    gw_keys_digest("ann", "b", a);
    gw_keys_digest("an", "nb", b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void a_pending_key_gets_its_seq_when_it_is_durable(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_keys_entry entry;
    assert_int_equal(find(keys, &shelf, 1, &entry), GW_KEYS_NEW);
    add(keys, 1, 0);
    assert_int_equal(find(keys, &shelf, 1, &entry), GW_KEYS_KNOWN);
    assert_int_equal(entry.seq, 0);
    add(keys, 1, 5);
    must_know(keys, &shelf, 1, 5);
    assert_int_equal(gw_keys_recent_count(keys), 1);
    gw_keys_destroy(keys);
}

static void a_sealed_key_is_found_in_its_page(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_keys_entry entry;
    for (unsigned i = 1; i <= 9; i++)
        add(keys, i, i);
    seal(keys, &shelf, 9);
    assert_int_equal(gw_keys_recent_count(keys), 0);
    for (unsigned i = 1; i <= 9; i++)
        must_know(keys, &shelf, i, i);
    assert_int_equal(shelf.fetches, 1);
    for (unsigned i = 100; i < 200; i++)
        assert_int_equal(find(keys, &shelf, i, &entry), GW_KEYS_NEW);
    assert_int_equal(shelf.fetches, 1);
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void keys_stay_recent_until_their_page_is_stored(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_buffer page;
    struct gw_keys_entry entry;
    add(keys, 1, 1);
    gw_buffer_init(&page, 0);
    assert_int_equal(gw_keys_seal_begin(keys, 1, &page), GW_OK);
    add(keys, 2, 0); /* while the page is on its way */
    add(keys, 3, 2);
    must_know(keys, &shelf, 1, 1);
    gw_keys_seal_end(keys, false);
    must_know(keys, &shelf, 1, 1);
    add(keys, 2, 3);
    assert_int_equal(gw_keys_recent_count(keys), 3);
    gw_buffer_reset(&page);
    assert_int_equal(gw_keys_seal_begin(keys, 3, &page), GW_OK);
    add(keys, 4, 0);
    add(keys, 5, 4);
    gw_keys_seal_end(keys, true);
    shelf.pages[3] = page;
    assert_int_equal(gw_keys_recent_count(keys), 2);
    assert_int_equal(find(keys, &shelf, 4, &entry), GW_KEYS_KNOWN);
    must_know(keys, &shelf, 5, 4);
    must_know(keys, &shelf, 1, 1);
    must_know(keys, &shelf, 2, 3);
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void a_checkpoint_names_the_page_that_is_being_stored(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    add(keys, 1, 1);
    gw_buffer_init(&shelf.pages[1], 0);
    assert_int_equal(gw_keys_seal_begin(keys, 1, &shelf.pages[1]), GW_OK);
    struct gw_keys *loaded = reload(keys);
    must_know(loaded, &shelf, 1, 1);
    gw_keys_seal_end(keys, true);
    gw_keys_destroy(loaded);
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void old_keys_are_never_forgotten(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    for (unsigned i = 1; i < PAGES; i++) {
        add(keys, i, i);
        seal(keys, &shelf, i);
        if (i % 10 == 0) {
            struct gw_keys *loaded = reload(keys);
            gw_keys_destroy(keys);
            keys = loaded;
        }
    }
    for (unsigned i = 1; i < PAGES; i++)
        must_know(keys, &shelf, i, i);
    gw_keys_destroy(keys);
    clear(&shelf);
}

/* Two processes seal the same run at different times, and one finds at its seq the page of the other, which begins later. */
static void pages_of_another_writer_lead_on_to_those_before(void **state)
{
    (void)state;
    struct gw_keys *ours = gw_keys_create(seed), *theirs = gw_keys_create(seed);
    struct shelf shelf = {0};
    for (unsigned i = 1; i <= 20; i++) {
        add(theirs, i, i);
        seal(theirs, &shelf, i); /* a page a key: longer than the cache */
        add(ours, i, i);
    }
    seal(ours, &shelf, 20);
    for (unsigned i = 1; i <= 20; i++)
        must_know(ours, &shelf, i, i);
    gw_keys_destroy(ours);
    gw_keys_destroy(theirs);
    clear(&shelf);
}

static void a_damaged_page_is_refused(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_error err;
    add(keys, 1, 1);
    seal(keys, &shelf, 1);
    assert_int_equal(gw_keys_offer_page(keys, 1, shelf.pages[1].data, shelf.pages[1].length - 1, &err), GW_EINVAL);
    assert_int_equal(gw_keys_offer_page(keys, 1, shelf.pages[1].data, 0, &err), GW_EINVAL);
    shelf.pages[1].data[0] = 1; /* it would lead on to itself */
    assert_int_equal(gw_keys_offer_page(keys, 1, shelf.pages[1].data, shelf.pages[1].length, &err), GW_EINVAL);
    assert_string_equal(err.id, "key_page_damaged");
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void filters_that_are_not_here_are_asked_for(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed), *opened = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_buffer saved;
    struct gw_keys_entry entry;
    struct gw_error err;
    uint8_t key[GW_KEY_BYTES];
    uint64_t seq;
    add(keys, 1, 1);
    seal(keys, &shelf, 7);
    gw_keys_expect(opened, 7);
    add(opened, 2, 8);
    must_know(opened, &shelf, 2, 8);
    for (unsigned number = 1; number <= 3; number += 2) {
        key_of(number, key);
        assert_int_equal(gw_keys_find(opened, key, &entry, &seq), GW_KEYS_ASK_FILTERS);
        assert_int_equal(seq, 7);
    }
    gw_buffer_init(&saved, 0);
    assert_int_equal(gw_keys_save(keys, &saved), GW_OK);
    assert_int_equal(gw_keys_load(opened, saved.data, saved.length, &err), GW_OK);
    assert_int_equal(gw_keys_expected_seq(opened), 0);
    must_know(opened, &shelf, 1, 1);
    assert_int_equal(find(opened, &shelf, 3, &entry), GW_KEYS_NEW);
    gw_buffer_fini(&saved);
    gw_keys_destroy(opened);
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void saved_filters_cut_short_are_damaged(void **state)
{
    (void)state;
    struct gw_keys *keys = gw_keys_create(seed);
    struct shelf shelf = {0};
    struct gw_buffer saved;
    struct gw_error err;
    add(keys, 1, 1);
    seal(keys, &shelf, 1);
    gw_buffer_init(&saved, 0);
    assert_int_equal(gw_keys_save(keys, &saved), GW_OK);
    size_t cuts[] = {1, 23, 24, 25, saved.length - 1, saved.length - 40};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct gw_keys *loaded = gw_keys_create(seed);
        gw_keys_expect(loaded, 2);
        assert_int_equal(gw_keys_load(loaded, saved.data, saved.length, &err), GW_EINVAL);
        gw_keys_expect(loaded, 1);
        assert_int_equal(gw_keys_load(loaded, saved.data, cuts[i], &err), GW_EINVAL);
        assert_int_equal(gw_keys_expected_seq(loaded), 1);
        assert_int_equal(gw_keys_load(loaded, saved.data, saved.length, &err), GW_OK);
        must_know(loaded, &shelf, 1, 1);
        gw_keys_destroy(loaded);
    }
    gw_buffer_fini(&saved);
    gw_keys_destroy(keys);
    clear(&shelf);
}

static void sealing_survives_every_failed_allocation(void **state)
{
    (void)state;
    int status = GW_ENOMEM;
    for (long n = 1; status != GW_OK; n++) {
        struct gw_keys *keys = gw_keys_create(seed);
        struct shelf shelf = {0};
        struct gw_buffer page;
        for (unsigned i = 1; i <= 5; i++)
            add(keys, i, i);
        gw_buffer_init(&page, 0);
        gw_alloc_fail_after(n);
        status = gw_keys_seal_begin(keys, 5, &page);
        gw_alloc_fail_after(0);
        assert_int_equal(gw_keys_is_sealing(keys, 5), status == GW_OK);
        for (unsigned i = 1; i <= 5; i++)
            must_know(keys, &shelf, i, i);
        gw_buffer_fini(&page);
        gw_keys_destroy(keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_do_not_share_ids),
        cmocka_unit_test(a_pending_key_gets_its_seq_when_it_is_durable),
        cmocka_unit_test(a_sealed_key_is_found_in_its_page),
        cmocka_unit_test(keys_stay_recent_until_their_page_is_stored),
        cmocka_unit_test(a_checkpoint_names_the_page_that_is_being_stored),
        cmocka_unit_test(old_keys_are_never_forgotten),
        cmocka_unit_test(pages_of_another_writer_lead_on_to_those_before),
        cmocka_unit_test(a_damaged_page_is_refused),
        cmocka_unit_test(filters_that_are_not_here_are_asked_for),
        cmocka_unit_test(saved_filters_cut_short_are_damaged),
        cmocka_unit_test(sealing_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
