/* script_rates.h — how often an actor may send what a file of policies/commands names: one token bucket for each actor and file, whichever worker asks. Any thread: a
 * lock of its own is held for one look-up; time is passed in. Bounded: of more names than the maximum the longest unused ones are forgotten, half of the
 * maximum at a time, and begin full when they come again. */
#ifndef GW_SCRIPT_SCRIPT_RATES_H
#define GW_SCRIPT_SCRIPT_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_rates;

/* value */
struct gw_rate {
    double per_s, burst;
};

/* At most `max` names, at least 2. */
struct gw_rates *gw_rates_create(const uint8_t seed[16], size_t max);
void gw_rates_destroy(struct gw_rates *rates); /* NULL is fine */
/* Takes one token of the bucket called `name`, which begins full. False: there is none. Without memory the answer is true: rates are no permission. A clock that
 * reads earlier than another thread's fills nothing. */
bool gw_rates_take(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms);
size_t gw_rates_count(struct gw_rates *rates);

#endif
