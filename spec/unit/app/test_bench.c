#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "app/bench_histogram.h"
#include "app/bench_marker.h"
#include "app/bench_order.h"
#include "app/bench_template.h"
#include "base/alloc.h"
#include "base/buffer.h"

static struct gw_bench_order_counts note_all(const uint64_t *seqs, size_t count)
{
    struct gw_bench_order order = {.next_seq = 1};
    struct gw_bench_order_counts counts = {0};
    for (size_t i = 0; i < count; i++) {
        gw_bench_order_note(&order, seqs[i], &counts);
    }
    return counts;
}

#define NOTE(...) note_all((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
#define ASSERT_COUNTS(c, gaps, twice, late)                                                                                                \
    do {                                                                                                                                   \
        struct gw_bench_order_counts got = (c);                                                                                            \
        assert_int_equal(got.missing, (gaps));                                                                                             \
        assert_int_equal(got.duplicates, (twice));                                                                                         \
        assert_int_equal(got.reordered, (late));                                                                                           \
    } while (0)

static void counts_gaps_duplicates_and_late_arrivals(void **state)
{
    (void)state;
    ASSERT_COUNTS(NOTE(1, 2, 3), 0, 0, 0);
    ASSERT_COUNTS(NOTE(1, 4), 2, 0, 0);
    ASSERT_COUNTS(NOTE(1, 2, 2, 1), 0, 2, 0);
    ASSERT_COUNTS(NOTE(2, 1, 3), 0, 0, 1);
    ASSERT_COUNTS(NOTE(5, 3, 3), 3, 1, 1);
    ASSERT_COUNTS(NOTE(64, 1), 62, 0, 1);
    ASSERT_COUNTS(NOTE(65, 1), 64, 1, 0);
    ASSERT_COUNTS(NOTE(1000, 1001, 1000), 999, 1, 0);
}

static void keeps_quantiles_within_a_percent_at_any_size(void **state)
{
    (void)state;
    struct gw_bench_histogram *h = gw_alloc(sizeof *h);
    for (uint64_t scale = 1; scale < UINT64_C(1) << 50; scale *= 32) {
        *h = (struct gw_bench_histogram){0};
        for (uint64_t i = 1; i <= 1000; i++) {
            gw_bench_histogram_note(h, i * scale);
        }
        double p99_ns = gw_bench_histogram_quantile_ms(h, 0.99) * 1e6;
        assert_true(p99_ns > 990.0 * (double)scale * 0.99 && p99_ns < 990.0 * (double)scale * 1.01);
        assert_true(gw_bench_histogram_quantile_ms(h, 1.0) * 1e6 <= 1000.0 * (double)scale);
    }
    gw_free(h);
}

static void finds_its_marker_inside_a_json_string(void **state)
{
    (void)state;
    char text[400] = "{\"data\":{\"set\":{\"plan.title\":\"";
    size_t prefix = strlen(text), hint = 0;
    struct gw_bench_marker in = {42, 1234567890123, 7, 99999}, out = {0};
    assert_int_equal(gw_bench_marker_write(&in, 300, text + prefix), 300);
    for (int again = 0; again < 2; again++) {
        assert_true(gw_bench_marker_find(text, prefix + 300, &hint, &out));
        assert_int_equal(hint, prefix);
        assert_int_equal(out.seq, 42);
        assert_int_equal(out.ts_ns, 1234567890123);
        assert_int_equal(out.publisher, 7);
        assert_int_equal(out.channel, 99999);
    }
    assert_false(gw_bench_marker_find(text, prefix + 20, &hint, &out));
    assert_false(gw_bench_marker_find("seq=abc", 7, &hint, &out));
}

static void assert_renders(const char *template, const char *text)
{
    struct gw_bench_values values = {.subscriber = 3, .channel = 4, .publisher = 5, .seq = 6, .ts_ns = 7, .unique = 8};
    values.tag = "ab";
    values.payload = "pay";
    values.payload_length = 3;
    values.bearer = "tok";
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    struct gw_bench_template *t = gw_bench_template_create(template);
    gw_bench_template_render(t, &values, &out);
    gw_bench_template_destroy(t);
    assert_int_equal(out.length, strlen(text));
    if (out.length > 0) {
        assert_memory_equal(out.data, text, out.length);
    }
    gw_buffer_fini(&out);
}

static void fills_places_and_leaves_other_braces_alone(void **state)
{
    (void)state;
    assert_renders("", "");
    assert_renders("{i}{ch}{p}{seq}{ts}", "34567");
    assert_renders("{\"id\":\"{unique}\",\"x\":{\"t\":\"{payload}\"}}", "{\"id\":\"ab-0000000008\",\"x\":{\"t\":\"pay\"}}");
    assert_renders("Bearer {bearer}", "Bearer tok");
    assert_renders("{c}{{ch}", "{c}{4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_gaps_duplicates_and_late_arrivals),
        cmocka_unit_test(keeps_quantiles_within_a_percent_at_any_size),
        cmocka_unit_test(finds_its_marker_inside_a_json_string),
        cmocka_unit_test(fills_places_and_leaves_other_braces_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
