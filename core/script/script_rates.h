/* script_rates.h — how often an actor may send what a file of policies/commands names: one token bucket for each actor and file. Bounded: at the maximum those that
 * are full again go, and when none is, all do. One thread; time is passed in. */
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

struct gw_rates *gw_rates_create(const uint8_t seed[16], size_t max);
void gw_rates_destroy(struct gw_rates *rates);
/* Takes one token of the bucket called `name`, which begins full. False: there is none. Without memory the answer is true: rates are no permission. */
bool gw_rates_take(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms);
size_t gw_rates_count(const struct gw_rates *rates);

#endif
