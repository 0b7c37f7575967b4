/* Transforming edits over one another: the tie rule by example, TP1 by exhaustive and random cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/transform.h"

enum { TEXT_MAX = 96 };

/* A text of small numbers, so that every point can be told from every other. */
struct text {
    uint16_t points[TEXT_MAX];
    size_t count;
};

static struct text text_of(size_t count)
{
    struct text text = {.count = count};
    for (size_t i = 0; i < count; i++)
        text.points[i] = (uint16_t)(i + 1);
    return text;
}

static void apply_splice(struct text *text, struct gw_splice s, uint16_t mark)
{
    assert_true(s.at + s.del <= text->count && text->count - s.del + s.ins <= TEXT_MAX);
    size_t behind = text->count - s.at - s.del;
    memmove(text->points + s.at + s.ins, text->points + s.at + s.del, behind * sizeof text->points[0]);
    for (size_t i = 0; i < s.ins; i++)
        text->points[s.at + i] = (uint16_t)(mark + i);
    text->count = text->count - s.del + s.ins;
}

static void apply(struct text *text, const struct gw_text_op *op, uint16_t mark)
{
    for (uint32_t i = 0; i < gw_text_op_splice_count(op); i++)
        apply_splice(text, gw_text_op_splice(op, i), mark);
}

static void assert_same(const struct text *a, const struct text *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->points, b->points, a->count * sizeof a->points[0]);
}

static const struct gw_text_span *spans_of(const struct gw_text_op *op) { return op->span_count > 1 ? op->many : &op->one; }

static void assert_well_formed(const struct gw_text_op *op)
{
    assert_true((op->many != NULL) == (op->span_count > 1));
    for (uint32_t i = 0; i < op->span_count; i++) {
        assert_true(spans_of(op)[i].length > 0);
        assert_true(spans_of(op)[i].start >= op->at);
        if (i)
            assert_true(spans_of(op)[i].start > spans_of(op)[i - 1].start + spans_of(op)[i - 1].length);
    }
}

static void assert_joins_back(const struct gw_text_op *op)
{
    struct gw_splice splices[TEXT_MAX];
    uint32_t count = gw_text_op_splice_count(op);
    for (uint32_t i = 0; i < count; i++)
        splices[i] = gw_text_op_splice(op, i);
    struct gw_text_op joined;
    assert_int_equal(gw_text_op_join(splices, count, &joined), 0);
    assert_int_equal(joined.ins, op->ins);
    assert_int_equal(joined.span_count, op->span_count);
    assert_memory_equal(spans_of(&joined), spans_of(op), op->span_count * sizeof(struct gw_text_span));
    if (count)
        assert_int_equal(joined.at, op->at);
    gw_text_op_fini(&joined);
}

/* `a` ordered before `b`, both on `text`: either order of applying gives one text. */
static void assert_tp1(const struct text *text, const struct gw_text_op *a, const struct gw_text_op *b)
{
    struct gw_text_op a_over_b, b_over_a;
    assert_int_equal(gw_text_op_transform(a, b, false, &a_over_b), 0);
    assert_int_equal(gw_text_op_transform(b, a, true, &b_over_a), 0);
    assert_well_formed(&a_over_b);
    assert_well_formed(&b_over_a);
    assert_joins_back(&a_over_b);
    assert_joins_back(&b_over_a);
    struct text left = *text, right = *text;
    apply(&left, a, 1000);
    apply(&left, &b_over_a, 2000);
    apply(&right, b, 2000);
    apply(&right, &a_over_b, 1000);
    assert_same(&left, &right);
    gw_text_op_fini(&a_over_b);
    gw_text_op_fini(&b_over_a);
}

/* What `later` becomes after `earlier`, as its plain splices. */
static void assert_becomes(struct gw_splice later, struct gw_splice earlier, const struct gw_splice *expected, uint32_t count)
{
    struct gw_text_op a, b, out;
    gw_text_op_init(&a, &later);
    gw_text_op_init(&b, &earlier);
    assert_int_equal(gw_text_op_transform(&a, &b, true, &out), 0);
    assert_int_equal(gw_text_op_splice_count(&out), count);
    for (uint32_t i = 0; i < count; i++) {
        struct gw_splice s = gw_text_op_splice(&out, i);
        assert_memory_equal(&s, &expected[i], sizeof s);
    }
    gw_text_op_fini(&out);
}

#define BECOMES(later, earlier, ...)                                                                                                       \
    do {                                                                                                                                   \
        const struct gw_splice expected[] = {__VA_ARGS__};                                                                                 \
        assert_becomes((struct gw_splice)later, (struct gw_splice)earlier, expected, sizeof expected / sizeof *expected);                  \
    } while (0)
#define S(at, del, ins)                                                                                                                    \
    {                                                                                                                                      \
        at, del, ins                                                                                                                       \
    }

static void a_later_insert_goes_directly_after_its_left_neighbour(void **state)
{
    (void)state;
    BECOMES(S(5, 0, 2), S(5, 0, 3), S(5, 0, 2));
    BECOMES(S(5, 0, 2), S(4, 0, 3), S(8, 0, 2));
    BECOMES(S(5, 0, 2), S(6, 0, 3), S(5, 0, 2));
}

static void an_earlier_insert_moves_behind_a_later_one(void **state)
{
    (void)state;
    struct gw_text_op a, b, out;
    gw_text_op_init(&a, &(struct gw_splice){5, 0, 3});
    gw_text_op_init(&b, &(struct gw_splice){5, 0, 2});
    assert_int_equal(gw_text_op_transform(&a, &b, false, &out), 0);
    assert_int_equal(gw_text_op_splice(&out, 0).at, 7);
    gw_text_op_fini(&out);
}

static void an_insert_into_a_removed_range_survives_at_its_start(void **state)
{
    (void)state;
    BECOMES(S(6, 0, 2), S(4, 5, 0), S(4, 0, 2));
    BECOMES(S(9, 0, 2), S(4, 5, 0), S(4, 0, 2));
    BECOMES(S(6, 0, 2), S(4, 5, 3), S(7, 0, 2));
}

static void a_removal_splits_round_an_insert(void **state)
{
    (void)state;
    BECOMES(S(4, 5, 0), S(6, 0, 3), S(4, 2, 0), S(7, 3, 0));
    BECOMES(S(4, 5, 1), S(6, 0, 3), S(4, 2, 1), S(8, 3, 0));
    BECOMES(S(4, 5, 1), S(4, 0, 3), S(4, 0, 1), S(8, 5, 0));
    BECOMES(S(4, 5, 0), S(4, 0, 3), S(7, 5, 0));
    BECOMES(S(4, 5, 0), S(9, 0, 3), S(4, 5, 0));
}

static void points_removed_by_both_are_removed_once(void **state)
{
    (void)state;
    BECOMES(S(4, 5, 0), S(6, 5, 0), S(4, 2, 0));
    BECOMES(S(6, 5, 0), S(4, 5, 0), S(4, 2, 0));
    BECOMES(S(4, 6, 0), S(6, 2, 0), S(4, 4, 0));
    BECOMES(S(4, 6, 1), S(2, 10, 0), S(2, 0, 1));
    struct gw_text_op a, out;
    gw_text_op_init(&a, &(struct gw_splice){4, 2, 0});
    assert_int_equal(gw_text_op_transform(&a, &a, true, &out), 0);
    assert_true(gw_text_op_is_empty(&out));
    assert_int_equal(gw_text_op_splice_count(&out), 0);
}

static void every_pair_of_splices_on_a_short_text_converges(void **state)
{
    (void)state;
    enum { LENGTH = 6 };
    struct text text = text_of(LENGTH);
    struct gw_splice all[128];
    size_t count = 0;
    for (uint32_t at = 0; at <= LENGTH; at++)
        for (uint32_t del = 0; at + del <= LENGTH; del++)
            for (uint32_t ins = 0; ins <= 2; ins += 2)
                all[count++] = (struct gw_splice){at, del, ins};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct gw_text_op a, b;
            gw_text_op_init(&a, &all[i]);
            gw_text_op_init(&b, &all[j]);
            assert_tp1(&text, &a, &b);
        }
}

static uint32_t next_random(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void random_op(uint64_t *seed, size_t length, struct gw_text_op *op)
{
    struct gw_splice s = {.at = next_random(seed, (uint32_t)length + 1)};
    uint32_t rest = (uint32_t)length - s.at;
    s.del = next_random(seed, 3) ? next_random(seed, rest + 1) : 0;
    s.ins = next_random(seed, 4);
    gw_text_op_init(op, &s);
}

/* An op that inserts of others have split up to `splits` times, on the text that those leave. */
static void split_op(uint64_t *seed, struct gw_text_op *op, const struct gw_text_op *others, size_t splits)
{
    for (size_t i = 0; i < splits; i++) {
        struct gw_text_op next;
        assert_int_equal(gw_text_op_transform(op, &others[i], next_random(seed, 2), &next), 0);
        gw_text_op_fini(op);
        *op = next;
    }
}

static void random_pairs_also_of_split_operations_converge(void **state)
{
    (void)state;
    uint64_t seed = 20240501;
    size_t split_count = 0;
    for (size_t round = 0; round < 1500000; round++) {
        struct text text = text_of(next_random(&seed, 20));
        struct gw_text_op a, b, others[4];
        random_op(&seed, text.count, &a);
        random_op(&seed, text.count, &b);
        size_t splits = round % 5;
        for (size_t i = 0; i < splits; i++) {
            random_op(&seed, text.count, &others[i]);
            apply(&text, &others[i], (uint16_t)(3000 + 100 * i));
        }
        split_op(&seed, &a, others, splits);
        split_op(&seed, &b, others, splits);
        split_count += a.span_count > 1;
        assert_tp1(&text, &a, &b);
        gw_text_op_fini(&a);
        gw_text_op_fini(&b);
    }
    assert_true(split_count > 10000);
}

static void splices_that_are_not_one_operation_are_refused(void **state)
{
    (void)state;
    struct gw_text_op op;
    const struct gw_splice descending[] = {{5, 1, 0}, {2, 1, 0}};
    const struct gw_splice two_inserts[] = {{5, 1, 1}, {8, 1, 1}};
    const struct gw_splice inside_insert[] = {{5, 1, 4}, {7, 1, 0}};
    const struct gw_splice huge[] = {{UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    assert_int_equal(gw_text_op_join(descending, 2, &op), GW_EINVAL);
    assert_int_equal(gw_text_op_join(two_inserts, 2, &op), GW_EINVAL);
    assert_int_equal(gw_text_op_join(inside_insert, 2, &op), GW_EINVAL);
    assert_int_equal(gw_text_op_join(huge, 1, &op), GW_EINVAL);
    assert_int_equal(gw_text_op_join(NULL, 0, &op), 0);
    assert_true(gw_text_op_is_empty(&op));
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    struct gw_text_op a, b, split, out;
    gw_text_op_init(&a, &(struct gw_splice){0, 9, 0});
    gw_text_op_init(&b, &(struct gw_splice){4, 0, 2});
    gw_alloc_fail_after(1);
    assert_int_equal(gw_text_op_transform(&a, &b, true, &split), GW_ENOMEM);
    gw_alloc_fail_after(0);
    assert_int_equal(gw_text_op_transform(&a, &b, true, &split), 0);
    gw_alloc_fail_after(1);
    assert_int_equal(gw_text_op_copy(&split, &out), GW_ENOMEM);
    gw_alloc_fail_after(0);
    assert_int_equal(gw_text_op_copy(&split, &out), 0);
    gw_text_op_fini(&split);
    gw_text_op_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_insert_goes_directly_after_its_left_neighbour),
        cmocka_unit_test(an_earlier_insert_moves_behind_a_later_one),
        cmocka_unit_test(an_insert_into_a_removed_range_survives_at_its_start),
        cmocka_unit_test(a_removal_splits_round_an_insert),
        cmocka_unit_test(points_removed_by_both_are_removed_once),
        cmocka_unit_test(every_pair_of_splices_on_a_short_text_converges),
        cmocka_unit_test(random_pairs_also_of_split_operations_converge),
        cmocka_unit_test(splices_that_are_not_one_operation_are_refused),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
