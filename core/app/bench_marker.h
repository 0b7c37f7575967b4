/* bench_marker.h — what the generator writes into each payload and finds again in what arrives: which message of which connection on which
 * channel this is and when it was meant to be sent. Plain ASCII that survives inside a JSON string. Pure. */
#ifndef GW_APP_BENCH_MARKER_H
#define GW_APP_BENCH_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "seq=0000000001;ts=0000000000000000001;p=0000;ch=00000;": of fixed width, so that frames are too. */
#define GW_BENCH_MARKER_BYTES 54

/* value */
struct gw_bench_marker {
    uint64_t seq;   /* 1, 2, 3 … per channel and publisher */
    uint64_t ts_ns; /* monotonic clock */
    unsigned publisher, channel;
};

/* Writes the marker and pads with words to `size` bytes (at least the marker's); returns the number written. `out` holds that many. */
size_t gw_bench_marker_write(const struct gw_bench_marker *marker, size_t size, char *out);
/* Looks first where *hint says the last one stood, then everywhere; updates *hint. False when there is none. */
bool gw_bench_marker_find(const char *data, size_t length, size_t *hint, struct gw_bench_marker *out);

#endif
