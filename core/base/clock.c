#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MS_PER_DAY INT64_C(86400000)
#define FIRST_MS   INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS    INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        abort();
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t system_monotonic_ns(void *self)
{
    (void)self;
    return read_ns(CLOCK_MONOTONIC);
}

static uint64_t system_monotonic_ms(void *self)
{
    (void)self;
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

static int64_t system_wall_ms(void *self)
{
    (void)self;
    return (int64_t)(read_ns(CLOCK_REALTIME) / 1000000);
}

static void system_random(void *self, void *bytes, size_t length)
{
    (void)self;
    char *at = bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fputs("atoms: the system gives no random bytes\n", stderr);
            abort();
        }
        at += got;
        length -= (size_t)got;
    }
}

const struct gw_clock *gw_clock_system(void)
{
    static const struct gw_clock clock = {NULL, system_monotonic_ms, system_monotonic_ns, system_wall_ms, system_random};
    return &clock;
}

/* Right-aligned decimal digits; returns the place after them. */
static char *put(char *at, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

/* Days since 1970-01-01 to the proleptic Gregorian calendar, counted in 400-year eras that begin on 1 March, so that the leap day is
 * the last of its year (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). By hand because each event carries such a time. */
static char *put_date(char *at, int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    at = put(at, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
    *at++ = '-';
    at = put(at, month, 2);
    *at++ = '-';
    return put(at, day_of_year - (153 * month_from_march + 2) / 5 + 1, 2);
}

void gw_clock_format_rfc3339(int64_t wall_ms, char out[25])
{
    int64_t ms = wall_ms < FIRST_MS ? FIRST_MS : wall_ms > LAST_MS ? LAST_MS : wall_ms;
    int64_t days = (ms >= 0 ? ms : ms - (MS_PER_DAY - 1)) / MS_PER_DAY;
    int64_t rest = ms - days * MS_PER_DAY;
    char *at = put_date(out, days);
    *at++ = 'T';
    at = put(at, rest / 3600000, 2);
    *at++ = ':';
    at = put(at, rest / 60000 % 60, 2);
    *at++ = ':';
    at = put(at, rest / 1000 % 60, 2);
    *at++ = '.';
    at = put(at, rest % 1000, 3);
    *at++ = 'Z';
    *at = '\0';
}
