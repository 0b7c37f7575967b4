/* script_meter.h — how one tenant's scripts fare on one worker: the time they may use, and whether they fail so often that they are left alone. A value; time is
 * passed in. */
#ifndef GW_SCRIPT_SCRIPT_METER_H
#define GW_SCRIPT_SCRIPT_METER_H

#include <stdbool.h>
#include <stdint.h>

#define GW_QUARANTINE_FAILURES  20 /* within GW_QUARANTINE_WINDOW_MS: then the tenant is denied */
#define GW_QUARANTINE_WINDOW_MS 10000
#define GW_QUARANTINE_FIRST_MS  10000 /* and twice as long each time it follows within the longest */
#define GW_QUARANTINE_LAST_MS   300000

/* value; all zero is a fresh one */
struct gw_script_meter {
    int64_t spent_ns; /* of what is refilled by and by */
    uint64_t refilled_ms;
    uint64_t window_ms; /* when it began */
    unsigned failures;  /* in the window */
    uint64_t denied_until_ms;
    uint32_t denied_ms; /* how long, last time */
};

/* More time is left than is reserved for others. A call may take more than is left: the debt is waited for. */
bool gw_script_meter_may_run(struct gw_script_meter *meter, uint32_t ms_per_s, uint32_t reserved_ms, uint64_t now_ms);
void gw_script_meter_spend(struct gw_script_meter *meter, uint64_t ns);
bool gw_script_meter_is_denied(const struct gw_script_meter *meter, uint64_t now_ms);
/* Counts a failure; true when with it a quarantine begins. */
bool gw_script_meter_fail(struct gw_script_meter *meter, uint64_t now_ms);
/* New scripts: what the old ones did does not count; what they spent does. */
void gw_script_meter_forgive(struct gw_script_meter *meter);

#endif
