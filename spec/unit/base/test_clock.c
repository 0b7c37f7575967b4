#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static void assert_time(int64_t wall_ms, const char *text)
{
    char out[25];
    memset(out, 'x', sizeof out);
    gw_clock_format_rfc3339(wall_ms, out);
    assert_string_equal(out, text);
}

static void writes_times_as_rfc3339(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01T00:00:00.000Z");
    assert_time(1769508000123, "2026-01-27T10:00:00.123Z");
    assert_time(951782399999, "2000-02-28T23:59:59.999Z");
    assert_time(951782400000, "2000-02-29T00:00:00.000Z");
    assert_time(951868800000, "2000-03-01T00:00:00.000Z");
    assert_time(4107542399999, "2100-02-28T23:59:59.999Z");
    assert_time(4107542400000, "2100-03-01T00:00:00.000Z");
    assert_time(-1, "1969-12-31T23:59:59.999Z");
    assert_time(-2208988800000, "1900-01-01T00:00:00.000Z");
}

static void holds_times_within_four_digit_years(void **state)
{
    (void)state;
    assert_time(INT64_MIN, "0000-01-01T00:00:00.000Z");
    assert_time(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

static void reads_a_monotonic_and_a_wall_clock(void **state)
{
    (void)state;
    const struct gw_clock *clock = gw_clock_system();
    uint64_t before = clock->monotonic_ns(clock->self);
    uint64_t after = clock->monotonic_ns(clock->self);
    assert_true(after >= before);
    assert_true(clock->monotonic_ms(clock->self) >= before / 1000000);
    assert_true(clock->wall_ms(clock->self) > INT64_C(1700000000000));
}

static void fills_every_byte_with_randomness(void **state)
{
    (void)state;
    const struct gw_clock *clock = gw_clock_system();
    unsigned char seen[32] = {0};
    for (int round = 0; round < 64; round++) {
        unsigned char bytes[32];
        clock->random(clock->self, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_not_equal(seen[i], 0);
}

static void assert_reads(const char *text, int64_t expected)
{
    int64_t ms = -1;
    assert_int_equal(gw_clock_parse_rfc3339(text, strlen(text), &ms), GW_OK);
    assert_int_equal(ms, expected);
}

static void reads_times_of_rfc3339(void **state)
{
    (void)state;
    assert_reads("1970-01-01T00:00:00Z", 0);
    assert_reads("2026-01-27T10:00:00.123Z", 1769508000123);
    assert_reads("2026-01-27T11:30:00.1239+01:30", 1769508000123);
    assert_reads("2026-01-27t09:00:00.1-01:00", 1769508000100);
    assert_reads("2000-02-29T00:00:00z", 951782400000);
    assert_reads("0000-01-01T00:00:00.000Z", INT64_C(-62167219200000));
    assert_reads("9999-12-31T23:59:59.999Z", INT64_C(253402300799999));
    for (int64_t ms = -4000000000123; ms < 5000000000000; ms += INT64_C(3196799963)) {
        char out[25];
        gw_clock_format_rfc3339(ms, out);
        assert_reads(out, ms);
    }
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-01-27",
                                      "2026-01-27T10:00:00",
                                      "2026-01-27 10:00:00Z",
                                      "2026-1-27T10:00:00Z",
                                      "2026-02-29T10:00:00Z",
                                      "2026-13-01T10:00:00Z",
                                      "2026-00-01T10:00:00Z",
                                      "2026-01-00T10:00:00Z",
                                      "2026-01-27T24:00:00Z",
                                      "2026-01-27T10:60:00Z",
                                      "2026-01-27T10:00:60Z",
                                      "2026-01-27T10:00:00.Z",
                                      "2026-01-27T10:00:00+1:00",
                                      "2026-01-27T10:00:00+01",
                                      "2026-01-27T10:00:00Zx",
                                      "0000-01-01T00:00:00+00:01",
                                      "2026-01-27T10:00:-1Z"};
    int64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(gw_clock_parse_rfc3339(bad[i], strlen(bad[i]), &ms), GW_EINVAL);
    const char *whole = "2026-01-27T10:00:00.123+01:00";
    for (size_t length = 0; length < strlen(whole); length++)
        assert_int_equal(gw_clock_parse_rfc3339(whole, length, &ms), GW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_times_as_rfc3339),
        cmocka_unit_test(holds_times_within_four_digit_years),
        cmocka_unit_test(reads_times_of_rfc3339),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(reads_a_monotonic_and_a_wall_clock),
        cmocka_unit_test(fills_every_byte_with_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
