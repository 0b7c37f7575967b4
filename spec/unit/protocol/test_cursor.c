/* test_cursor.c — sealed cursors: deterministic, bound to their run and ring, and nothing else opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/id.h"
#include "protocol/cursor.h"

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"

static const struct gw_run_key run = {.text = "tenant/dev/project/run"};

static struct gw_cursor_ring *parse(const char *text)
{
    struct gw_cursor_ring *ring;
    struct gw_error err;
    assert_int_equal(gw_cursor_ring_parse(text, &ring, &err), 0);
    return ring;
}

static struct gw_cursor sample(size_t canvas_count)
{
    static const char *const ids[GW_CURSOR_CANVASES_MAX] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
    struct gw_cursor cursor = {.epoch = 0x0102030405060708, .class_id = UINT64_MAX, .seq = 9007199254740993, .encoder_version = 3};
    gw_cursor_set_canvases(&cursor, ids, canvas_count);
    return cursor;
}

static void opens_what_it_sealed_for_every_set_size(void **state)
{
    (void)state;
    struct gw_cursor_ring *ring = parse(KEY_A);
    for (size_t count = 0; count <= GW_CURSOR_CANVASES_MAX; count++) {
        struct gw_cursor cursor = sample(count), opened;
        char text[GW_CURSOR_TEXT_MAX], again[GW_CURSOR_TEXT_MAX];
        size_t length = gw_cursor_seal(ring, &run, &cursor, text);
        assert_int_equal(strlen(text), length);
        gw_cursor_seal(ring, &run, &cursor, again);
        assert_string_equal(text, again);
        memset(&opened, 0xee, sizeof opened);
        assert_int_equal(gw_cursor_open(ring, &run, text, length, &opened), 0);
        assert_memory_equal(&opened, &cursor, sizeof cursor);
    }
    gw_cursor_ring_destroy(ring);
}

static void keeps_its_wire_form(void **state)
{
    (void)state;
    struct gw_cursor_ring *ring = parse(KEY_A);
    struct gw_cursor cursor = sample(1);
    char text[GW_CURSOR_TEXT_MAX];
    gw_cursor_seal(ring, &run, &cursor, text);
    assert_string_equal(text, "MF6D5Hq34HhBtZefDe-x0GKhBTzEctagy-bX9AW7LrizMEVKFFdAMgnwc9xc5MVMPDo");
    gw_cursor_ring_destroy(ring);
}

static void refuses_garbled_text(void **state)
{
    (void)state;
    struct gw_cursor_ring *ring = parse(KEY_A);
    struct gw_cursor cursor = sample(2), opened;
    char text[GW_CURSOR_TEXT_MAX], bad[GW_CURSOR_TEXT_MAX + 8];
    size_t length = gw_cursor_seal(ring, &run, &cursor, text);
    for (size_t i = 0; i < length; i++) {
        memcpy(bad, text, length);
        bad[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(gw_cursor_open(ring, &run, bad, length, &opened), GW_EINVAL);
        bad[i] = '+';
        assert_int_equal(gw_cursor_open(ring, &run, bad, length, &opened), GW_EINVAL);
        assert_int_equal(gw_cursor_open(ring, &run, text, i, &opened), GW_EINVAL);
    }
    memset(bad, 'A', sizeof bad);
    assert_int_equal(gw_cursor_open(ring, &run, bad, sizeof bad, &opened), GW_EINVAL);
    gw_cursor_ring_destroy(ring);
}

static void opens_nothing_of_another_run(void **state)
{
    (void)state;
    static const struct gw_run_key other = {.text = "tenant/dev/project/run2"};
    struct gw_cursor_ring *ring = parse(KEY_A);
    struct gw_cursor cursor = sample(0), opened;
    char text[GW_CURSOR_TEXT_MAX];
    size_t length = gw_cursor_seal(ring, &run, &cursor, text);
    assert_int_equal(gw_cursor_open(ring, &other, text, length, &opened), GW_EINVAL);
    gw_cursor_ring_destroy(ring);
}

static void rotates_keys_through_the_ring(void **state)
{
    (void)state;
    struct gw_cursor_ring *old = parse(KEY_A), *both = parse(KEY_B " ,\n" KEY_A), *new = parse(KEY_B);
    struct gw_cursor cursor = sample(0), opened;
    char by_old[GW_CURSOR_TEXT_MAX], by_both[GW_CURSOR_TEXT_MAX], by_new[GW_CURSOR_TEXT_MAX];
    size_t length = gw_cursor_seal(old, &run, &cursor, by_old);
    gw_cursor_seal(both, &run, &cursor, by_both);
    gw_cursor_seal(new, &run, &cursor, by_new);
    assert_string_equal(by_both, by_new);
    assert_int_equal(gw_cursor_open(both, &run, by_old, length, &opened), 0);
    assert_int_equal(gw_cursor_open(new, &run, by_old, length, &opened), GW_EINVAL);
    struct gw_cursor_ring *copy = gw_cursor_ring_dup(both);
    gw_cursor_ring_destroy(both);
    assert_int_equal(gw_cursor_open(copy, &run, by_old, length, &opened), 0);
    gw_cursor_seal(copy, &run, &cursor, by_both);
    assert_string_equal(by_both, by_new);
    gw_cursor_ring_destroy(old);
    gw_cursor_ring_destroy(new);
    gw_cursor_ring_destroy(copy);
}

static void makes_a_ring_from_one_key(void **state)
{
    (void)state;
    static const uint8_t zeros[GW_CURSOR_KEY_BYTES];
    struct gw_cursor_ring *raw = gw_cursor_ring_create(zeros), *parsed = parse(KEY_A);
    struct gw_cursor cursor = sample(0);
    char a[GW_CURSOR_TEXT_MAX], b[GW_CURSOR_TEXT_MAX];
    gw_cursor_seal(raw, &run, &cursor, a);
    gw_cursor_seal(parsed, &run, &cursor, b);
    assert_string_equal(a, b);
    gw_cursor_ring_destroy(raw);
    gw_cursor_ring_destroy(parsed);
}

static void refuses_bad_key_texts_without_showing_them(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ",", KEY_A ",", "," KEY_A, KEY_A "," KEY_A "A", "AAAA", KEY_A "=", "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gw_cursor_ring *ring;
        struct gw_error err;
        assert_int_equal(gw_cursor_ring_parse(bad[i], &ring, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_seal_keys");
        assert_null(strstr(err.message, "AAAA"));
        assert_null(ring);
    }
}

static void compares_canvas_sets(void **state)
{
    (void)state;
    static const char *const ids[] = {"x", "y", "x"}, *const other[] = {"z"};
    struct gw_cursor timeline = {0}, both = {0}, one = {0}, foreign = {0};
    gw_cursor_set_canvases(&both, ids, 3);
    gw_cursor_set_canvases(&one, ids, 1);
    gw_cursor_set_canvases(&foreign, other, 1);
    assert_int_equal(both.canvas_count, 2);
    assert_true(gw_cursor_covers(&timeline, &timeline));
    assert_true(gw_cursor_covers(&timeline, &both));
    assert_false(gw_cursor_covers(&both, &timeline));
    assert_true(gw_cursor_covers(&both, &one));
    assert_true(gw_cursor_covers(&one, &one));
    assert_false(gw_cursor_covers(&one, &both));
    assert_false(gw_cursor_covers(&both, &foreign));
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    int failures = 0;
    for (long n = 1; n < 10; n++) {
        struct gw_cursor_ring *ring, *copy = NULL;
        struct gw_error err;
        gw_alloc_fail_after(n);
        int rc = gw_cursor_ring_parse(KEY_A "," KEY_B, &ring, &err);
        if (rc == 0)
            copy = gw_cursor_ring_dup(ring);
        gw_alloc_fail_after(0);
        assert_true(rc == 0 || rc == GW_ENOMEM);
        failures += rc != 0 || !copy;
        gw_cursor_ring_destroy(ring);
        gw_cursor_ring_destroy(copy);
    }
    assert_int_equal(failures, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_it_sealed_for_every_set_size),
        cmocka_unit_test(keeps_its_wire_form),
        cmocka_unit_test(refuses_garbled_text),
        cmocka_unit_test(opens_nothing_of_another_run),
        cmocka_unit_test(rotates_keys_through_the_ring),
        cmocka_unit_test(makes_a_ring_from_one_key),
        cmocka_unit_test(refuses_bad_key_texts_without_showing_them),
        cmocka_unit_test(compares_canvas_sets),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
