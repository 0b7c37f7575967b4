#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "hub/span.h"

/* Frames of seqs 3, 5, 9 with 4, 2 and 6 bytes, behind seq 2. */
static struct gw_span *make(void)
{
    struct gw_span *span = gw_span_create(2, 12, 3);
    gw_span_append(span, 3, true, "aaaa", 4);
    gw_span_append(span, 5, false, "bb", 2);
    gw_span_append(span, 9, true, "cccccc", 6);
    return span;
}

static void frames_lie_behind_each_other(void **state)
{
    (void)state;
    struct gw_span *span = make();
    assert_int_equal(span->length, 12);
    assert_memory_equal(span->bytes, "aaaabbcccccc", 12);
    assert_int_equal(span->frame_count, 3);
    assert_int_equal(span->frames[1].end, 6);
    assert_false(span->frames[1].is_event);
    assert_int_equal(span->after_seq, 2);
    gw_span_unref(span);
}

static void room_is_both_bytes_and_frames(void **state)
{
    (void)state;
    struct gw_span *span = gw_span_create(0, 10, 2);
    assert_true(gw_span_has_room(span, 10));
    assert_false(gw_span_has_room(span, 11));
    gw_span_append(span, 1, true, "x", 1);
    assert_false(gw_span_has_room(span, 10));
    gw_span_append(span, 2, true, "x", 1);
    assert_false(gw_span_has_room(span, 0));
    gw_span_unref(span);
}

static void an_offset_follows_the_frames_up_to_a_seq(void **state)
{
    (void)state;
    struct gw_span *span = make();
    static const struct {
        uint64_t seq;
        uint32_t offset, frames;
    } rows[] = {{0, 0, 0}, {2, 0, 0}, {3, 4, 1}, {4, 4, 1}, {5, 6, 2}, {8, 6, 2}, {9, 12, 3}, {UINT64_MAX, 12, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(gw_span_offset_after(span, 3, rows[i].seq), rows[i].offset);
        assert_int_equal(gw_span_frames_up_to(span, 3, rows[i].seq), rows[i].frames);
    }
    gw_span_unref(span);
}

/* A reader looks only at the frames that it was told of: the owner may be writing behind them. */
static void frames_that_were_not_told_are_not_seen(void **state)
{
    (void)state;
    struct gw_span *span = make();
    uint32_t into;
    assert_int_equal(gw_span_offset_after(span, 2, 9), 6);
    assert_int_equal(gw_span_seq_before(span, 2, 7, &into), 5);
    assert_int_equal(into, 1);
    gw_span_unref(span);
}

static void every_offset_is_a_seq_and_what_is_sent_of_the_next_frame(void **state)
{
    (void)state;
    struct gw_span *span = make();
    for (uint32_t offset = 0; offset <= span->length; offset++) {
        uint32_t into;
        uint64_t seq = gw_span_seq_before(span, 3, offset, &into);
        assert_int_equal(gw_span_offset_after(span, 3, seq) + into, offset);
        assert_int_equal(seq, offset < 4 ? 2 : offset < 6 ? 3 : offset < 12 ? 5 : 9);
    }
    gw_span_unref(span);
}

static void a_span_goes_with_its_last_reference(void **state)
{
    (void)state;
    struct gw_span *span = make();
    assert_ptr_equal(gw_span_ref(span), span);
    gw_span_unref(span);
    assert_int_equal(span->length, 12);
    gw_span_unref(span);
    gw_span_unref(NULL);
}

static void without_memory_there_is_no_span(void **state)
{
    (void)state;
    gw_alloc_fail_after(1);
    assert_null(gw_span_create(0, 100, 1));
    gw_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_lie_behind_each_other),
        cmocka_unit_test(room_is_both_bytes_and_frames),
        cmocka_unit_test(an_offset_follows_the_frames_up_to_a_seq),
        cmocka_unit_test(frames_that_were_not_told_are_not_seen),
        cmocka_unit_test(every_offset_is_a_seq_and_what_is_sent_of_the_next_frame),
        cmocka_unit_test(a_span_goes_with_its_last_reference),
        cmocka_unit_test(without_memory_there_is_no_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
