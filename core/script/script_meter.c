#include "script/script_meter.h"

#define NS_PER_MS 1000000

bool gw_script_meter_may_run(struct gw_script_meter *meter, uint32_t ms_per_s, uint32_t reserved_ms, uint64_t now_ms)
{
    uint64_t passed = now_ms - meter->refilled_ms;
    uint64_t refill_ns = passed >= 1000 * 60 ? UINT64_C(60000) * NS_PER_MS : passed * ms_per_s * (NS_PER_MS / 1000);
    meter->refilled_ms = now_ms;
    meter->spent_ns -= (int64_t)refill_ns;
    if (meter->spent_ns < 0)
        meter->spent_ns = 0;
    return meter->spent_ns < ((int64_t)ms_per_s - reserved_ms) * NS_PER_MS;
}

void gw_script_meter_spend(struct gw_script_meter *meter, uint64_t ns) { meter->spent_ns += (int64_t)ns; }

bool gw_script_meter_is_denied(const struct gw_script_meter *meter, uint64_t now_ms) { return now_ms < meter->denied_until_ms; }

bool gw_script_meter_fail(struct gw_script_meter *meter, uint64_t now_ms)
{
    if (gw_script_meter_is_denied(meter, now_ms))
        return false;
    if (now_ms - meter->window_ms >= GW_QUARANTINE_WINDOW_MS) {
        meter->window_ms = now_ms;
        meter->failures = 0;
    }
    if (++meter->failures < GW_QUARANTINE_FAILURES)
        return false;
    bool is_again = meter->denied_ms && now_ms - meter->denied_until_ms < GW_QUARANTINE_LAST_MS;
    uint32_t next_ms = is_again ? meter->denied_ms * 2 : GW_QUARANTINE_FIRST_MS;
    meter->denied_ms = next_ms < GW_QUARANTINE_LAST_MS ? next_ms : GW_QUARANTINE_LAST_MS;
    meter->denied_until_ms = now_ms + meter->denied_ms;
    meter->failures = 0;
    meter->window_ms = meter->denied_until_ms;
    return true;
}

void gw_script_meter_forgive(struct gw_script_meter *meter)
{
    meter->failures = 0;
    meter->denied_until_ms = 0;
    meter->denied_ms = 0;
}
