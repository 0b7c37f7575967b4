#include "io/origin_fixture.h"

#include "identity/jwks_fetch.h"
#include "io/http_client.h"

struct asking {
    struct fixture fixture; /* the verifier's thread, and the client's too */
    struct origin origin;
    struct gw_http_client *client;
    struct gw_jwks_fetch *fetch;
    struct gw_key_fetch_request request;
    char url[128], body[64];
    unsigned done_count;
};

static struct asking asking; /* reached from `done`, whose request carries no owner */

static void on_done(struct gw_key_fetch_request *request)
{
    asking.done_count++;
    if (request->status == GW_OK)
        snprintf(asking.body, sizeof asking.body, "%.*s", (int)request->body_length, request->body);
    gw_loop_stop(asking.fixture.loop);
}

static void ask(const char *path, bool is_https_only)
{
    struct gw_error err;
    const struct gw_http_client_opts client_opts = {0};
    char where[GW_ADDRESS_TEXT_MAX];
    memset(&asking, 0, sizeof asking);
    fixture_init(&asking.fixture);
    origin_init(&asking.origin, NULL);
    assert_int_equal(gw_http_client_create(asking.fixture.loop, &client_opts, &asking.client, &err), 0);
    struct gw_executor *home = gw_loop_executor(asking.fixture.loop);
    asking.fetch = gw_jwks_fetch_create(&(struct gw_jwks_fetch_opts){asking.client, home, home, is_https_only});
    gw_address_format(&asking.origin.address, where);
    snprintf(asking.url, sizeof asking.url, "http://%s%s", where, path);
    asking.request = (struct gw_key_fetch_request){.url = asking.url, .max_bytes = 1000, .done = on_done};
    const struct gw_key_fetch *port = gw_jwks_fetch_port(asking.fetch);
    port->get(port->self, &asking.request);
    assert_int_equal(asking.done_count, 0);
    fixture_run(&asking.fixture);
    assert_int_equal(asking.done_count, 1);
    gw_http_client_close(asking.client);
    gw_jwks_fetch_destroy(asking.fetch);
    fixture_fini(&asking.fixture);
    origin_fini(&asking.origin);
}

static void brings_the_set_and_its_age(void **state)
{
    (void)state;
    ask("/keys", false);
    assert_int_equal(asking.request.status, GW_OK);
    assert_string_equal(asking.body, "{\"keys\":[]}");
    assert_int_equal(asking.request.max_age_s, 60);
    assert_non_null(strstr(asking.origin.last_request, "Accept: application/jwk-set+json, application/json\r\n"));
}

static void another_status_is_a_failure(void **state)
{
    (void)state;
    ask("/gone", false);
    assert_int_equal(asking.request.status, GW_EIO);
    assert_string_equal(asking.request.err.id, "keys_unavailable");
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    ask("/moved", false);
    assert_int_equal(asking.request.status, GW_EIO);
    assert_int_equal(atomic_load(&asking.origin.request_count), 1);
}

static void an_endless_set_is_a_failure(void **state)
{
    (void)state;
    ask("/long", false);
    assert_int_equal(asking.request.status, GW_ELIMIT);
}

static void plain_http_is_refused_where_https_is_demanded(void **state)
{
    (void)state;
    ask("/keys", true);
    assert_int_not_equal(asking.request.status, GW_OK);
    assert_int_equal(atomic_load(&asking.origin.request_count), 0);
}

static void reads_max_age(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"max-age=600", 600},
                 {"public, Max-Age=\"60\"", 60},
                 {"no-cache, max-age=9", 0},
                 {"no-store", 0},
                 {"", -1},
                 {"public", -1},
                 {"max-age=", -1},
                 {"max-age=-5", -1},
                 {"max-age=5x", -1},
                 {"s-maxage=10", -1},
                 {" max-age=7 ,", 7},
                 {"max-age", -1},
                 {"max-age=\"", -1},
                 {"max-age=99999999999999999999", INT64_C(31536000)}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(gw_jwks_max_age_s(cases[i].text, strlen(cases[i].text)), cases[i].seconds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_the_set_and_its_age),
        cmocka_unit_test(another_status_is_a_failure),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(an_endless_set_is_a_failure),
        cmocka_unit_test(plain_http_is_refused_where_https_is_demanded),
        cmocka_unit_test(reads_max_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
