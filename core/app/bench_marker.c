#include "app/bench_marker.h"

#include <string.h>

/* Where the fields stand in the marker; between them are the names. */
enum { SEQ_AT = 4, SEQ_DIGITS = 10, TS_AT = 18, TS_DIGITS = 19, P_AT = 40, P_DIGITS = 4, CH_AT = 48, CH_DIGITS = 5 };
static const char blank_marker[] = "seq=0000000000;ts=0000000000000000000;p=0000;ch=00000;";
_Static_assert(sizeof blank_marker - 1 == GW_BENCH_MARKER_BYTES, "the marker's width");

static void put(char *at, size_t digits, uint64_t value)
{
    while (digits > 0) {
        at[--digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

static bool get(const char *at, size_t digits, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(at[i] - '0');
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* Short words: a long unbroken run could be refused as an embedded file. */
static void pad(char *at, size_t length)
{
    static const char word[] = "lorem ipsum ";
    for (size_t i = 0; i < length; i++) {
        at[i] = word[i % (sizeof word - 1)];
    }
}

size_t gw_bench_marker_write(const struct gw_bench_marker *marker, size_t size, char *out)
{
    memcpy(out, blank_marker, GW_BENCH_MARKER_BYTES);
    put(out + SEQ_AT, SEQ_DIGITS, marker->seq);
    put(out + TS_AT, TS_DIGITS, marker->ts_ns);
    put(out + P_AT, P_DIGITS, marker->publisher);
    put(out + CH_AT, CH_DIGITS, marker->channel);
    if (size <= GW_BENCH_MARKER_BYTES) {
        return GW_BENCH_MARKER_BYTES;
    }
    pad(out + GW_BENCH_MARKER_BYTES, size - GW_BENCH_MARKER_BYTES);
    return size;
}

static const char *locate(const char *data, size_t length, size_t hint)
{
    if (hint + 4 <= length && memcmp(data + hint, "seq=", 4) == 0) {
        return data + hint;
    }
    return memmem(data, length, "seq=", 4);
}

bool gw_bench_marker_find(const char *data, size_t length, size_t *hint, struct gw_bench_marker *out)
{
    uint64_t publisher, channel;
    const char *at = locate(data, length, *hint);
    if (at == NULL || length - (size_t)(at - data) < GW_BENCH_MARKER_BYTES) {
        return false;
    }
    *hint = (size_t)(at - data);
    if (!get(at + SEQ_AT, SEQ_DIGITS, &out->seq) || !get(at + TS_AT, TS_DIGITS, &out->ts_ns) || !get(at + P_AT, P_DIGITS, &publisher) ||
        !get(at + CH_AT, CH_DIGITS, &channel)) {
        return false;
    }
    out->publisher = (unsigned)publisher;
    out->channel = (unsigned)channel;
    return true;
}
