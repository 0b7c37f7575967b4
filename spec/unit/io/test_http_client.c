#include "io/http_client.h"
#include "origin_fixture.h"

struct asking {
    struct fixture fixture;
    struct origin origin;
    struct gw_http_client *client;
    struct gw_http_request request;
    char url[128];
    int done_count;
    bool is_inside_start;
};

static void on_done(struct gw_http_request *request)
{
    struct asking *asking = request->owner;
    assert_false(asking->is_inside_start);
    asking->done_count++;
    gw_loop_stop(asking->fixture.loop);
}

static void asking_init(struct asking *asking)
{
    struct gw_error err;
    const struct gw_http_client_opts opts = {0};
    memset(asking, 0, sizeof *asking);
    fixture_init(&asking->fixture);
    origin_init(&asking->origin, NULL);
    assert_int_equal(gw_http_client_create(asking->fixture.loop, &opts, &asking->client, &err), 0);
    asking->request.done = on_done;
    asking->request.owner = asking;
}

static void asking_fini(struct asking *asking)
{
    gw_http_client_close(asking->client);
    fixture_fini(&asking->fixture);
    gw_http_request_fini(&asking->request);
    origin_fini(&asking->origin);
}

static void start(struct asking *asking, const char *scheme, const char *path)
{
    struct gw_error err;
    char where[GW_ADDRESS_TEXT_MAX];
    gw_address_format(&asking->origin.address, where);
    snprintf(asking->url, sizeof asking->url, "%s://%s%s", scheme, where, path);
    asking->request.url = asking->url;
    asking->is_inside_start = true;
    assert_int_equal(gw_http_request_start(asking->client, &asking->request, &err), 0);
    asking->is_inside_start = false;
}

static void ask(struct asking *asking, const char *path)
{
    start(asking, "http", path);
    fixture_run(&asking->fixture);
    assert_int_equal(asking->done_count, 1);
}

static void brings_status_headers_and_body(void **state)
{
    struct asking asking;
    size_t length;
    (void)state;
    asking_init(&asking);
    ask(&asking, "/keys");
    assert_int_equal(asking.request.status, GW_OK);
    assert_int_equal(asking.request.http_status, 200);
    assert_int_equal(asking.request.response.length, 11);
    assert_memory_equal(asking.request.response.data, "{\"keys\":[]}", 11);
    const char *value = gw_http_response_header(&asking.request, "cache-control", &length);
    assert_int_equal(length, 10);
    assert_memory_equal(value, "max-age=60", 10);
    assert_null(gw_http_response_header(&asking.request, "Cache", &length));
    assert_memory_equal(asking.origin.last_request, "GET /keys HTTP/1.1\r\n", 20);
    assert_non_null(strstr(asking.origin.last_request, "User-Agent: atoms\r\n"));
    asking_fini(&asking);
}

static void sends_method_headers_and_body(void **state)
{
    static const char *const headers[] = {"Content-Type: application/json", "X-One: 1"};
    struct asking asking;
    (void)state;
    asking_init(&asking);
    asking.request.method = "PUT";
    asking.request.headers = headers;
    asking.request.header_count = 2;
    asking.request.body = "{\"a\":1}";
    asking.request.body_length = 7;
    ask(&asking, "/keys");
    assert_memory_equal(asking.origin.last_request, "PUT /keys", 9);
    assert_non_null(strstr(asking.origin.last_request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(asking.origin.last_request, "X-One: 1\r\n"));
    assert_null(strstr(asking.origin.last_request, "Expect"));
    assert_non_null(strstr(asking.origin.last_request, "\r\n\r\n{\"a\":1}"));
    asking_fini(&asking);
}

static void a_post_without_body_is_empty(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    asking.request.method = "POST";
    ask(&asking, "/keys");
    assert_memory_equal(asking.origin.last_request, "POST /keys", 10);
    assert_non_null(strstr(asking.origin.last_request, "Content-Length: 0\r\n"));
    assert_null(strstr(asking.origin.last_request, "Content-Type"));
    asking_fini(&asking);
}

static void a_refusal_by_the_server_is_a_response(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    ask(&asking, "/gone");
    assert_int_equal(asking.request.status, GW_OK);
    assert_int_equal(asking.request.http_status, 404);
    asking_fini(&asking);
}

static void a_redirect_is_not_followed_unless_allowed(void **state)
{
    struct asking asking;
    size_t length;
    (void)state;
    asking_init(&asking);
    ask(&asking, "/moved");
    assert_int_equal(asking.request.http_status, 302);
    gw_http_request_fini(&asking.request);
    asking.done_count = 0;
    asking.request.allow_redirects = true;
    ask(&asking, "/moved");
    assert_int_equal(asking.request.http_status, 200);
    assert_memory_equal(asking.request.response.data, "{\"keys\":[]}", 11);
    assert_null(gw_http_response_header(&asking.request, "X-Only-First", &length));
    asking_fini(&asking);
}

static void redirects_come_to_an_end(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    asking.request.allow_redirects = true;
    ask(&asking, "/loop");
    assert_int_equal(asking.request.status, GW_EIO);
    assert_string_equal(asking.request.err.id, "http_failed");
    assert_int_equal(atomic_load(&asking.origin.request_count), 4);
    asking_fini(&asking);
}

static void a_body_over_its_maximum_is_refused(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    asking.request.max_response_bytes = 5000;
    ask(&asking, "/long");
    assert_int_equal(asking.request.status, GW_ELIMIT);
    assert_string_equal(asking.request.err.id, "http_response_too_large");
    assert_string_equal(asking.request.err.limit_name, "max_response_bytes");
    assert_int_equal(asking.request.err.limit, 5000);
    assert_true(asking.request.response.length <= 5000);
    asking_fini(&asking);
}

static void a_header_over_its_maximum_is_refused(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    ask(&asking, "/header");
    assert_int_equal(asking.request.status, GW_ELIMIT);
    assert_string_equal(asking.request.err.limit_name, "max_response_header_bytes");
    asking_fini(&asking);
}

static void silence_times_out(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    asking.request.total_timeout_ms = 50;
    ask(&asking, "/silent");
    assert_int_equal(asking.request.status, GW_ETIMEOUT);
    assert_string_equal(asking.request.err.id, "http_timeout");
    assert_true(asking.request.err.is_retryable);
    asking_fini(&asking);
}

static void a_dropped_connection_is_a_failure(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    ask(&asking, "/drop");
    assert_int_equal(asking.request.status, GW_EIO);
    assert_string_equal(asking.request.err.id, "http_failed");
    asking_fini(&asking);
}

static void nobody_listening_is_unreachable(void **state)
{
    struct asking asking;
    struct gw_address closed;
    struct gw_error err;
    char where[GW_ADDRESS_TEXT_MAX];
    (void)state;
    asking_init(&asking);
    close(listen_on_loopback(&closed));
    gw_address_format(&closed, where);
    snprintf(asking.url, sizeof asking.url, "http://%s/", where);
    asking.request.url = asking.url;
    assert_int_equal(gw_http_request_start(asking.client, &asking.request, &err), 0);
    fixture_run(&asking.fixture);
    assert_int_equal(asking.request.status, GW_EIO);
    assert_string_equal(asking.request.err.id, "http_unreachable");
    assert_true(asking.request.err.is_retryable);
    asking_fini(&asking);
}

static void a_cancelled_request_is_done_once(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    start(&asking, "http", "/silent");
    fixture_run_for(&asking.fixture, 20);
    assert_int_equal(asking.done_count, 0);
    gw_http_request_cancel(&asking.request);
    gw_http_request_cancel(&asking.request);
    assert_int_equal(asking.done_count, 0);
    fixture_run(&asking.fixture);
    gw_http_request_cancel(&asking.request);
    assert_int_equal(asking.done_count, 1);
    assert_int_equal(asking.request.status, GW_ECLOSED);
    assert_string_equal(asking.request.err.id, "http_cancelled");
    asking_fini(&asking);
}

static void closing_the_client_ends_what_is_under_way(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    start(&asking, "http", "/silent");
    fixture_run_for(&asking.fixture, 20);
    gw_http_client_close(asking.client);
    asking.client = NULL;
    assert_int_equal(asking.done_count, 0);
    fixture_run(&asking.fixture);
    assert_int_equal(asking.done_count, 1);
    assert_int_equal(asking.request.status, GW_ECLOSED);
    asking_fini(&asking);
}

static void a_closed_client_ends_its_requests_in_the_destruction_of_the_loop_too(void **state)
{
    struct asking asking;
    (void)state;
    asking_init(&asking);
    start(&asking, "http", "/silent");
    asking_fini(&asking);
    assert_int_equal(asking.done_count, 1);
    assert_int_equal(asking.request.status, GW_ECLOSED);
}

static void assert_refused(struct asking *asking, const char *url, const char *why)
{
    struct gw_error err;
    asking->request.url = url;
    assert_int_equal(gw_http_request_start(asking->client, &asking->request, &err), GW_EINVAL);
    assert_string_equal(err.id, "http_bad_request");
    assert_non_null(strstr(err.message, why));
    assert_null(asking->request.transfer);
}

static void refuses_a_request_that_makes_no_sense(void **state)
{
    static const char *const split[] = {"X: 1\r\nHost: evil"};
    static const char *const nameless[] = {": 1"};
    struct asking asking;
    (void)state;
    asking_init(&asking);
    assert_refused(&asking, NULL, "URL");
    assert_refused(&asking, "", "URL");
    assert_refused(&asking, "/keys", "URL");
    assert_refused(&asking, "file:///etc/passwd", "neither http nor https");
    asking.request.is_https_only = true;
    assert_refused(&asking, "http://127.0.0.1/", "not an https one");
    asking.request.is_https_only = false;
    asking.request.header_count = 1;
    asking.request.headers = split;
    assert_refused(&asking, "http://127.0.0.1/", "header");
    asking.request.headers = nameless;
    assert_refused(&asking, "http://127.0.0.1/", "header");
    asking.request.header_count = 0;
    asking.request.method = "GE T";
    assert_refused(&asking, "http://127.0.0.1/", "method");
    fixture_run_for(&asking.fixture, 10);
    assert_int_equal(asking.done_count, 0);
    asking_fini(&asking);
}

static void asking_over_tls_init(struct asking *asking, const struct certificate *shown, const struct certificate *trusted)
{
    struct gw_error err;
    const struct gw_http_client_opts opts = {.ca_file = trusted->certificate_file};
    memset(asking, 0, sizeof *asking);
    fixture_init(&asking->fixture);
    origin_init(&asking->origin, shown);
    assert_int_equal(gw_http_client_create(asking->fixture.loop, &opts, &asking->client, &err), 0);
    asking->request = (struct gw_http_request){.done = on_done, .owner = asking, .is_https_only = true};
}

static void asks_over_tls_a_server_that_it_trusts(void **state)
{
    struct asking asking;
    struct certificate certificate;
    (void)state;
    certificate_init(&certificate, "origin");
    asking_over_tls_init(&asking, &certificate, &certificate);
    start(&asking, "https", "/keys");
    fixture_run(&asking.fixture);
    assert_int_equal(asking.request.status, GW_OK);
    assert_int_equal(asking.request.http_status, 200);
    asking_fini(&asking);
    certificate_fini(&certificate);
}

static void does_not_talk_to_a_server_that_it_does_not_trust(void **state)
{
    struct asking asking;
    struct certificate shown, trusted;
    (void)state;
    certificate_init(&shown, "origin");
    certificate_init(&trusted, "another");
    asking_over_tls_init(&asking, &shown, &trusted);
    start(&asking, "https", "/keys");
    fixture_run(&asking.fixture);
    assert_int_equal(asking.request.status, GW_EIO);
    assert_string_equal(asking.request.err.id, "http_tls_failed");
    assert_int_equal(atomic_load(&asking.origin.request_count), 0);
    asking_fini(&asking);
    certificate_fini(&shown);
    certificate_fini(&trusted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_status_headers_and_body),
        cmocka_unit_test(sends_method_headers_and_body),
        cmocka_unit_test(a_post_without_body_is_empty),
        cmocka_unit_test(a_refusal_by_the_server_is_a_response),
        cmocka_unit_test(a_redirect_is_not_followed_unless_allowed),
        cmocka_unit_test(redirects_come_to_an_end),
        cmocka_unit_test(a_body_over_its_maximum_is_refused),
        cmocka_unit_test(a_header_over_its_maximum_is_refused),
        cmocka_unit_test(silence_times_out),
        cmocka_unit_test(a_dropped_connection_is_a_failure),
        cmocka_unit_test(nobody_listening_is_unreachable),
        cmocka_unit_test(a_cancelled_request_is_done_once),
        cmocka_unit_test(closing_the_client_ends_what_is_under_way),
        cmocka_unit_test(a_closed_client_ends_its_requests_in_the_destruction_of_the_loop_too),
        cmocka_unit_test(refuses_a_request_that_makes_no_sense),
        cmocka_unit_test(asks_over_tls_a_server_that_it_trusts),
        cmocka_unit_test(does_not_talk_to_a_server_that_it_does_not_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
