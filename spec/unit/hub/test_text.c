/* Chunked text against a flat copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/text.h"
#include "hub/transform.h"

/* A text and the same text flat. */
struct pair {
    struct gw_text text;
    struct gw_buffer flat;
};

static void pair_init(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    gw_buffer_init(&pair->flat, 0);
}

static void pair_fini(struct pair *pair)
{
    gw_text_fini(&pair->text);
    gw_buffer_fini(&pair->flat);
}

static size_t points_of(const struct gw_buffer *b) { return (size_t)gw_utf8_count(b->data, b->length, NULL); }

static void flat_splice(struct gw_buffer *flat, size_t at, size_t del, const char *ins)
{
    struct gw_buffer next;
    gw_buffer_init(&next, 0);
    size_t from = gw_utf8_offset(flat->data, flat->length, at), to = gw_utf8_offset(flat->data, flat->length, at + del);
    gw_buffer_append(&next, flat->data, from);
    gw_buffer_append_text(&next, ins);
    gw_buffer_append(&next, flat->data + to, flat->length - to);
    gw_buffer_fini(flat);
    *flat = next;
}

static int splice(struct gw_text *text, size_t at, size_t del, const char *ins, struct gw_text_undo **undo, struct gw_error *err)
{
    struct gw_text_piece piece = gw_text_piece(ins, strlen(ins));
    struct gw_splice s = {(uint32_t)at, (uint32_t)del, (uint32_t)piece.points};
    return gw_text_splice(text, &s, &piece, undo, err);
}

static void both(struct pair *pair, size_t at, size_t del, const char *ins)
{
    struct gw_error err;
    assert_int_equal(splice(&pair->text, at, del, ins, NULL, &err), 0);
    flat_splice(&pair->flat, at, del, ins);
}

static void assert_text_is(const struct gw_text *text, const char *expected, size_t length)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_text_write(text, &out);
    assert_int_equal(out.length, length);
    assert_int_equal(text->bytes, length);
    if (length)
        assert_memory_equal(out.data, expected, length);
    assert_int_equal(text->points, gw_utf8_count(expected, length, NULL));
    gw_buffer_fini(&out);
}

static void assert_pair(const struct pair *pair) { assert_text_is(&pair->text, pair->flat.data ? pair->flat.data : "", pair->flat.length); }

static void positions_count_code_points(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    both(&p, 0, 0, "aä€𝄞z");
    both(&p, 3, 1, "ß");
    both(&p, 1, 2, "");
    assert_text_is(&p.text, "aßz", 4);
    assert_pair(&p);
    pair_fini(&p);
}

static void an_empty_text_owns_nothing(void **state)
{
    (void)state;
    struct gw_text text = {0};
    struct gw_error err;
    assert_int_equal(splice(&text, 0, 0, "", NULL, &err), 0);
    assert_text_is(&text, "", 0);
    assert_int_equal(gw_text_memory(&text) < 32, 1);
    gw_text_fini(&text);
}

static void a_short_text_costs_little(void **state)
{
    (void)state;
    struct gw_text text = {0};
    struct gw_error err;
    assert_int_equal(splice(&text, 0, 0, "buy milk", NULL, &err), 0);
    assert_int_equal(splice(&text, 8, 0, " and bread", NULL, &err), 0);
    assert_true(gw_text_memory(&text) <= 18 + 16);
    gw_text_fini(&text);
}

static void a_splice_behind_the_end_is_refused_and_told(void **state)
{
    (void)state;
    struct pair p;
    struct gw_error err;
    pair_init(&p);
    both(&p, 0, 0, "abc");
    assert_int_equal(splice(&p.text, 4, 0, "x", NULL, &err), GW_EINVAL);
    assert_string_equal(err.id, "splice_out_of_range");
    assert_int_equal(splice(&p.text, 1, 3, "x", NULL, &err), GW_EINVAL);
    assert_non_null(strstr(err.message, "4"));
    assert_non_null(strstr(err.message, "3"));
    assert_int_equal(splice(&p.text, UINT32_MAX, UINT32_MAX, "x", NULL, &err), GW_EINVAL);
    assert_pair(&p);
    pair_fini(&p);
}

static uint32_t next_random(uint64_t *seed, size_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 33) % below);
}

static const char *random_piece(uint64_t *seed)
{
    static const char *const pieces[] = {"", "a", "é", "€uro", "𝄞", "a longer piece of plain text, as one pastes it", "日本語のテキスト"};
    return pieces[next_random(seed, sizeof pieces / sizeof *pieces)];
}

static void random_splices_equal_a_flat_text(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct pair p;
    pair_init(&p);
    static char big[9000];
    memset(big, 'x', sizeof big - 1);
    for (size_t round = 0; round < 6000; round++) {
        size_t points = points_of(&p.flat);
        size_t at = next_random(&seed, points + 1);
        size_t rest = points - at, del = 0;
        if (round % 3 == 0)
            del = next_random(&seed, (rest < 12 ? rest : 12) + 1);
        if (round % 500 == 499)
            del = next_random(&seed, rest + 1);
        both(&p, at, del, round % 400 == 0 ? big : random_piece(&seed));
        if (round % 20 == 0)
            assert_pair(&p);
    }
    assert_true(p.text.chunk_count > 4);
    assert_pair(&p);
    pair_fini(&p);
}

static void every_range_reads_as_in_a_flat_text(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct pair p;
    pair_init(&p);
    for (size_t i = 0; i < 400; i++)
        both(&p, next_random(&seed, points_of(&p.flat) + 1), 0, random_piece(&seed));
    size_t points = points_of(&p.flat);
    for (size_t i = 0; i < 2000; i++) {
        size_t at = next_random(&seed, points + 2), count = next_random(&seed, points + 2);
        struct gw_buffer out;
        gw_buffer_init(&out, 0);
        gw_text_read(&p.text, at, count, &out);
        size_t from = gw_utf8_offset(p.flat.data, p.flat.length, at), to = gw_utf8_offset(p.flat.data, p.flat.length, at + count);
        assert_int_equal(out.length, to - from);
        if (to > from)
            assert_memory_equal(out.data, p.flat.data + from, to - from);
        gw_buffer_fini(&out);
    }
    pair_fini(&p);
}

static void reverting_gives_back_each_earlier_text_without_memory(void **state)
{
    (void)state;
    enum { DEPTH = 2000 };
    static struct gw_text_undo *undos[DEPTH];
    static struct gw_buffer before[DEPTH];
    uint64_t seed = 13;
    struct gw_text text = {0};
    struct gw_error err;
    for (size_t i = 0; i < DEPTH; i++) {
        gw_buffer_init(&before[i], 0);
        gw_text_write(&text, &before[i]);
        size_t at = next_random(&seed, text.points + 1), rest = text.points - at;
        size_t del = i % 100 == 99 ? rest : next_random(&seed, (rest < 6 ? rest : 6) + 1);
        assert_int_equal(splice(&text, at, del, random_piece(&seed), &undos[i], &err), 0);
    }
    for (size_t i = DEPTH; i-- > 0;) {
        gw_alloc_fail_after(0);
        gw_text_revert(&text, undos[i]);
        assert_int_equal(gw_alloc_fallible_count(), 0);
        assert_text_is(&text, before[i].data ? before[i].data : "", before[i].length);
        gw_buffer_fini(&before[i]);
    }
    gw_text_fini(&text);
}

static void a_megabyte_takes_splices_anywhere(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    static char block[1 << 20];
    for (size_t i = 0; i + 1 < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    both(&p, 0, 0, block);
    uint64_t seed = 17;
    for (size_t i = 0; i < 200; i++)
        both(&p, next_random(&seed, p.text.points - 20), next_random(&seed, 20), random_piece(&seed));
    assert_pair(&p);
    both(&p, 10, p.text.points - 20, "");
    assert_int_equal(p.text.points, 20);
    assert_int_equal(p.text.chunk_count, 1);
    assert_pair(&p);
    pair_fini(&p);
}

static void every_failing_allocation_leaves_the_text_as_it_was(void **state)
{
    (void)state;
    static char big[20000];
    memset(big, 'q', sizeof big - 1);
    struct gw_text text = {0};
    struct gw_error err;
    assert_int_equal(splice(&text, 0, 0, "abc", NULL, &err), 0);
    int code = GW_ENOMEM;
    for (long n = 1; code; n++) {
        struct gw_text_undo *undo = NULL;
        gw_alloc_fail_after(n);
        code = splice(&text, 1, 1, big, &undo, &err);
        gw_alloc_fail_after(0);
        if (code) {
            assert_int_equal(code, GW_ENOMEM);
            assert_text_is(&text, "abc", 3);
        } else {
            assert_true(n > 5);
            gw_text_revert(&text, undo);
            assert_text_is(&text, "abc", 3);
        }
    }
    gw_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_count_code_points),
        cmocka_unit_test(an_empty_text_owns_nothing),
        cmocka_unit_test(a_short_text_costs_little),
        cmocka_unit_test(a_splice_behind_the_end_is_refused_and_told),
        cmocka_unit_test(random_splices_equal_a_flat_text),
        cmocka_unit_test(every_range_reads_as_in_a_flat_text),
        cmocka_unit_test(reverting_gives_back_each_earlier_text_without_memory),
        cmocka_unit_test(a_megabyte_takes_splices_anywhere),
        cmocka_unit_test(every_failing_allocation_leaves_the_text_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
