#include <arpa/inet.h>

#include "io/address.h"
#include "loop_fixture.h"

static void assert_round_trip(const char *text, const char *shown, const char *host, uint16_t port)
{
    struct gw_address address;
    struct gw_error err;
    char out[GW_ADDRESS_TEXT_MAX];
    assert_int_equal(gw_address_parse(text, &address, &err), 0);
    gw_address_format(&address, out);
    assert_string_equal(out, shown);
    gw_address_format_host(&address, out);
    assert_string_equal(out, host);
    assert_int_equal(gw_address_port(&address), port);
}

static void reads_and_shows_both_families(void **state)
{
    (void)state;
    assert_round_trip("127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", 8080);
    assert_round_trip("localhost:0", "127.0.0.1:0", "127.0.0.1", 0);
    assert_round_trip(":65535", "0.0.0.0:65535", "0.0.0.0", 65535);
    assert_round_trip("[::1]:443", "[::1]:443", "::1", 443);
    assert_round_trip("[2001:DB8:0:0::1]:1", "[2001:db8::1]:1", "2001:db8::1", 1);
    assert_round_trip("[::ffff:192.0.2.1]:9", "192.0.2.1:9", "192.0.2.1", 9);
}

static void assert_refused(const char *text, const char *why)
{
    struct gw_address address;
    struct gw_error err;
    assert_int_equal(gw_address_parse(text, &address, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_address");
    assert_non_null(strstr(err.message, why));
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    assert_refused("", "there is no port");
    assert_refused("127.0.0.1", "there is no port");
    assert_refused("[::1]", "there is no port");
    assert_refused("127.0.0.1:", "the port is not a number");
    assert_refused("127.0.0.1:65536", "the port is not a number");
    assert_refused("127.0.0.1:80a", "the port is not a number");
    assert_refused("127.0.0.1:-1", "the port is not a number");
    assert_refused("127.0.0.1:+80", "the port is not a number");
    assert_refused("::1:80", "in brackets");
    assert_refused("[::1:80", "']' is missing");
    assert_refused("[]:80", "is not an IPv6 address");
    assert_refused("[127.0.0.1]:80", "is not an IPv6 address");
    assert_refused("example.org:80", "names are not resolved");
    assert_refused("256.0.0.1:80", "names are not resolved");
    assert_refused("0123456789012345678901234567890123456789012345678901234567890123456789:80", "too long");
}

static void shows_another_family_as_unknown(void **state)
{
    struct gw_address address = {.addr.any.sa_family = AF_UNIX};
    char out[GW_ADDRESS_TEXT_MAX];
    (void)state;
    gw_address_format(&address, out);
    assert_string_equal(out, "unknown");
    gw_address_format_host(&address, out);
    assert_string_equal(out, "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_shows_both_families),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(shows_another_family_as_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
