/* Batches over HTTP: taken, tried again, given up. */
#include "sink/webhook_sink.h"

#include "../io/origin_fixture.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/http_client.h"
#include "record_fixture.h"

struct hooked {
    struct fixture fixture;
    struct origin origin;
    struct gw_http_client *client;
    struct gw_metrics *metrics;
    struct gw_log *log;
    int log_fd;
    struct gw_webhook_sink *sink;
};

static void open_sink(struct hooked *h, const char *path, struct gw_webhook_sink_opts more)
{
    const struct gw_http_client_opts client = {0};
    struct gw_error err;
    char where[GW_ADDRESS_TEXT_MAX], url[160];
    memset(h, 0, sizeof *h);
    fixture_init(&h->fixture);
    origin_init(&h->origin, NULL);
    assert_int_equal(gw_http_client_create(h->fixture.loop, &client, &h->client, &err), 0);
    gw_address_format(&h->origin.address, where);
    snprintf(url, sizeof url, "http://%s%s", where, path);
    h->metrics = gw_metrics_create();
    h->log_fd = open("/dev/null", O_WRONLY);
    h->log = gw_log_create(h->log_fd, GW_LOG_ERROR);
    more.loop = h->fixture.loop;
    more.client = h->client;
    more.url = url;
    more.clock = gw_clock_system();
    more.log = h->log;
    more.metrics = h->metrics;
    h->sink = gw_webhook_sink_create(&more);
}

static void close_sink(struct hooked *h)
{
    gw_webhook_sink_close(h->sink);
    gw_http_client_close(h->client);
    fixture_fini(&h->fixture);
    gw_webhook_sink_destroy(h->sink);
    origin_fini(&h->origin);
    gw_metrics_destroy(h->metrics);
    gw_log_destroy(h->log);
    close(h->log_fd);
}

static int64_t count_of(const struct hooked *h, const char *outcome)
{
    return gw_metric_value(gw_metrics_counter(h->metrics, "atoms_sink_records_total", outcome, ""));
}

/* Runs the loop until nothing is queued; waits are bounded. */
static void run_until_idle(struct hooked *h)
{
    for (int i = 0; i < 500 && !gw_webhook_sink_is_idle(h->sink); i++)
        fixture_run_for(&h->fixture, 20);
    assert_true(gw_webhook_sink_is_idle(h->sink));
}

static void what_waits_goes_as_one_batch(void **state)
{
    (void)state;
    struct hooked h;
    open_sink(&h, "/keys", (struct gw_webhook_sink_opts){.token = "s3cret"});
    for (uint64_t seq = 1; seq <= 3; seq++)
        write_line(gw_webhook_sink_port(h.sink), seq, "x");
    run_until_idle(&h);
    assert_int_equal(count_of(&h, "outcome=\"sent\""), 3);
    /* The first goes at once, the others with the next. */
    assert_int_equal(atomic_load(&h.origin.request_count), 2);
    assert_non_null(strstr(h.origin.last_request, "POST /keys "));
    assert_non_null(strstr(h.origin.last_request, "Authorization: Bearer s3cret"));
    assert_non_null(strstr(h.origin.last_request, "Content-Type: application/x-ndjson"));
    char both[1100];
    size_t length = (size_t)snprintf(both, sizeof both, "%s", line_of(2, "x"));
    snprintf(both + length, sizeof both - length, "%s", line_of(3, "x"));
    assert_string_equal(strstr(h.origin.last_request, "\r\n\r\n") + 4, both);
    close_sink(&h);
}

static void a_receiver_in_trouble_is_asked_again(void **state)
{
    (void)state;
    struct hooked h;
    open_sink(&h, "/flaky", (struct gw_webhook_sink_opts){0});
    write_line(gw_webhook_sink_port(h.sink), 1, "kept");
    run_until_idle(&h);
    assert_int_equal(atomic_load(&h.origin.request_count), 3);
    assert_int_equal(count_of(&h, "outcome=\"sent\""), 1);
    assert_non_null(strstr(h.origin.last_request, line_of(1, "kept")));
    close_sink(&h);
}

static void a_refusal_drops_the_batch(void **state)
{
    (void)state;
    struct hooked h;
    open_sink(&h, "/gone", (struct gw_webhook_sink_opts){0});
    write_line(gw_webhook_sink_port(h.sink), 1, "x");
    run_until_idle(&h);
    assert_int_equal(count_of(&h, "outcome=\"dropped\""), 1);
    assert_int_equal(atomic_load(&h.origin.request_count), 1);
    close_sink(&h);
}

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    struct hooked h;
    open_sink(&h, "/keys", (struct gw_webhook_sink_opts){.max_bytes = 1000});
    for (uint64_t seq = 1; seq <= 10; seq++)
        write_line(gw_webhook_sink_port(h.sink), seq, "x");
    run_until_idle(&h);
    int64_t sent = count_of(&h, "outcome=\"sent\"");
    assert_true(sent > 0 && sent < 10);
    assert_int_equal(sent + count_of(&h, "outcome=\"dropped\""), 10);
    close_sink(&h);
}

static void an_end_with_a_batch_under_way_leaks_nothing(void **state)
{
    (void)state;
    struct hooked h;
    open_sink(&h, "/silent", (struct gw_webhook_sink_opts){0});
    for (uint64_t seq = 1; seq <= 3; seq++)
        write_line(gw_webhook_sink_port(h.sink), seq, "x");
    fixture_run_for(&h.fixture, 50);
    write_line(gw_webhook_sink_port(h.sink), 4, "x");
    assert_false(gw_webhook_sink_is_idle(h.sink));
    close_sink(&h);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_goes_as_one_batch),
        cmocka_unit_test(a_receiver_in_trouble_is_asked_again),
        cmocka_unit_test(a_refusal_drops_the_batch),
        cmocka_unit_test(a_full_queue_drops_and_counts),
        cmocka_unit_test(an_end_with_a_batch_under_way_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
