#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/metrics.h"

static char *render(const struct gw_metrics *m)
{
    struct gw_buffer b;
    size_t length;
    gw_buffer_init(&b, 0);
    gw_metrics_render(m, &b);
    char *text = gw_buffer_take(&b, &length);
    assert_non_null(text);
    return text;
}

static void renders_series_of_one_name_together(void **state)
{
    (void)state;
    struct gw_metrics *m = gw_metrics_create();
    struct gw_metric *exact = gw_metrics_counter(m, "resumes_total", "status=\"exact\"", "Resumes \\ by\nstatus.");
    struct gw_metric *open = gw_metrics_gauge(m, "open", "", "Open.");
    struct gw_metric *reset = gw_metrics_counter(m, "resumes_total", "status=\"reset\"", "ignored");
    gw_metric_add(exact, 3);
    gw_metric_add(reset, 1);
    gw_metric_set(open, -2);
    char *text = render(m);
    assert_string_equal(text, "# HELP resumes_total Resumes \\\\ by\\nstatus.\n"
                              "# TYPE resumes_total counter\n"
                              "resumes_total{status=\"exact\"} 3\n"
                              "resumes_total{status=\"reset\"} 1\n"
                              "# HELP open Open.\n"
                              "# TYPE open gauge\n"
                              "open -2\n");
    gw_free(text);
    gw_metrics_destroy(m);
    gw_metrics_destroy(NULL);
}

static void registers_the_same_name_and_labels_once(void **state)
{
    (void)state;
    struct gw_metrics *m = gw_metrics_create();
    struct gw_metric *first = gw_metrics_counter(m, "a_total", "", "A.");
    assert_ptr_equal(gw_metrics_counter(m, "a_total", "", "A."), first);
    assert_ptr_not_equal(gw_metrics_counter(m, "a_total", "x=\"1\"", "A."), first);
    gw_metrics_destroy(m);
}

static void counts_latencies_in_cumulative_buckets(void **state)
{
    (void)state;
    struct gw_metrics *m = gw_metrics_create();
    struct gw_metric *h = gw_metrics_histogram(m, "append_seconds", "kind=\"a\"", "Append.");
    gw_metric_observe_ns(h, 50000);
    gw_metric_observe_ns(h, 50001);
    gw_metric_observe_ns(h, UINT64_C(11000000000));
    char *text = render(m);
    assert_non_null(strstr(text, "# TYPE append_seconds histogram\nappend_seconds_bucket{kind=\"a\",le=\"5e-05\"} 1\n"));
    assert_non_null(strstr(text, "append_seconds_bucket{kind=\"a\",le=\"0.0001\"} 2\n"));
    assert_non_null(strstr(text, "append_seconds_bucket{kind=\"a\",le=\"10\"} 2\n"));
    assert_non_null(strstr(text, "append_seconds_bucket{kind=\"a\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "append_seconds_sum{kind=\"a\"} 11.000100001\nappend_seconds_count{kind=\"a\"} 3\n"));
    gw_free(text);
    gw_metrics_destroy(m);
}

static void *count_to_ten_thousand(void *metric)
{
    for (int i = 0; i < 10000; i++)
        gw_metric_add(metric, 1);
    return NULL;
}

static void loses_no_update_between_threads(void **state)
{
    (void)state;
    struct gw_metrics *m = gw_metrics_create();
    struct gw_metric *metric = gw_metrics_counter(m, "a_total", "", "A.");
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_to_ten_thousand, metric), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(gw_metric_value(metric), 40000);
    gw_metrics_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_series_of_one_name_together),
        cmocka_unit_test(registers_the_same_name_and_labels_once),
        cmocka_unit_test(counts_latencies_in_cumulative_buckets),
        cmocka_unit_test(loses_no_update_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
