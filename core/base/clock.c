#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/error.h"

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

static uint64_t system_thread_ns(void *self)
{
    (void)self;
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
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
    static const struct gw_clock clock = {NULL, system_monotonic_ms, system_monotonic_ns, system_wall_ms, system_random, system_thread_ns};
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

/* value: what is left to read */
struct reader {
    const char *at, *end;
};

/* `width` digits from `low` to `high`; -1: there are none. */
static int64_t take(struct reader *r, int width, int64_t low, int64_t high)
{
    int64_t value = 0;
    for (int i = 0; i < width; i++, r->at++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9')
            return -1;
        value = value * 10 + (*r->at - '0');
    }
    return value >= low && value <= high ? value : -1;
}

static bool skip(struct reader *r, char a, char b)
{
    bool is_there = r->at < r->end && (*r->at == a || *r->at == b);
    r->at += is_there;
    return is_there;
}

/* The inverse of put_date's arithmetic: years begin in March. False: there is no such day. */
static bool read_date(struct reader *r, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = take(r, 4, 0, 9999), month = skip(r, '-', '-') ? take(r, 2, 1, 12) : -1;
    int64_t day = skip(r, '-', '-') ? take(r, 2, 1, 31) : -1;
    if (year < 0 || month < 0 || day < 0)
        return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > lengths[month - 1] + (month == 2 && is_leap))
        return false;
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    *days = era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
    return true;
}

static bool read_fraction(struct reader *r, int64_t *ms)
{
    int64_t unit = 100;
    *ms = 0;
    if (!skip(r, '.', '.'))
        return true;
    const char *start = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, unit /= 10)
        *ms += unit * (*r->at - '0');
    return r->at > start;
}

static bool read_offset(struct reader *r, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (skip(r, 'Z', 'z'))
        return true;
    int64_t sign = skip(r, '+', '+') ? 1 : skip(r, '-', '-') ? -1 : 0;
    int64_t hours = sign ? take(r, 2, 0, 23) : -1, minutes = skip(r, ':', ':') ? take(r, 2, 0, 59) : -1;
    *offset_ms = sign * (hours * 60 + minutes) * 60000;
    return hours >= 0 && minutes >= 0;
}

int gw_clock_parse_rfc3339(const char *text, size_t length, int64_t *wall_ms)
{
    struct reader r = {text, text + length};
    int64_t days, ms, offset_ms;
    if (!read_date(&r, &days) || !skip(&r, 'T', 't'))
        return GW_EINVAL;
    int64_t hour = take(&r, 2, 0, 23), minute = skip(&r, ':', ':') ? take(&r, 2, 0, 59) : -1;
    int64_t second = skip(&r, ':', ':') ? take(&r, 2, 0, 59) : -1;
    if (hour < 0 || minute < 0 || second < 0 || !read_fraction(&r, &ms) || !read_offset(&r, &offset_ms) || r.at != r.end)
        return GW_EINVAL;
    *wall_ms = days * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms - offset_ms;
    return *wall_ms >= FIRST_MS && *wall_ms <= LAST_MS ? GW_OK : GW_EINVAL;
}
