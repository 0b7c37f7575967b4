/* clock.h — time and randomness, passed in so that tests own both. A `struct gw_clock` is a vtable; gw_clock_system is the real one. */
#ifndef GW_BASE_CLOCK_H
#define GW_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct gw_clock {
    void *self;
    uint64_t (*monotonic_ms)(void *self); /* never goes back */
    uint64_t (*monotonic_ns)(void *self);
    int64_t (*wall_ms)(void *self);                         /* since 1970-01-01T00:00:00Z */
    void (*random)(void *self, void *bytes, size_t length); /* from the system's CSPRNG; aborts when there is none */
    uint64_t (*thread_ns)(void *self);                      /* processor time of the calling thread; NULL in a clock that has none */
};

/* The system's clocks and getrandom(2). Stateless; any thread. */
const struct gw_clock *gw_clock_system(void);
/* Writes "2026-01-27T10:00:00.123Z" (24 characters and a NUL), RFC 3339 with milliseconds. */
void gw_clock_format_rfc3339(int64_t wall_ms, char out[25]);
/* Reads an RFC 3339 time with Z or an offset; a fraction is cut to milliseconds. GW_EINVAL: not one, or a leap second. */
int gw_clock_parse_rfc3339(const char *text, size_t length, int64_t *wall_ms);

#endif
