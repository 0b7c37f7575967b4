#include "script/rule_file.h"

#include <stddef.h>

#include "base/json.h"
#include "hub/plan_layer.h"
#include "script/generation.h"

static bool is_rate(const struct gw_json *rate)
{
    const struct gw_json *per_s = gw_json_get(rate, "per_s"), *burst = gw_json_get(rate, "burst");
    return gw_json_is_number(per_s) && gw_json_number(per_s) > 0 && gw_json_is_number(burst) && gw_json_number(burst) >= 1;
}

struct gw_rule_fault gw_rule_fault(const struct gw_json *data, bool has_validate)
{
    if (!gw_json_is_object(data))
        return (struct gw_rule_fault){"script_bad_shape", "the file must return a table", NULL};
    const struct gw_json *api = gw_json_get(data, "api"), *rate = gw_json_get(data, "rate");
    if (!gw_json_is_int(api) || gw_json_int(api) != GW_SCRIPT_API)
        return (struct gw_rule_fault){"script_api", "the file must say api = 1", "api"};
    if (!gw_plan_is_list(gw_json_get(data, "commands")))
        return (struct gw_rule_fault){"script_bad_shape",
                                      "commands must be a list of at most 64 command types, * standing for any characters", "commands"};
    if (rate && !(gw_json_is_object(rate) && is_rate(rate)))
        return (struct gw_rule_fault){"script_bad_shape", "rate must be { per_s = a number above 0, burst = a number from 1 }", "rate"};
    if (!rate && !has_validate)
        return (struct gw_rule_fault){"script_missing", "the file returns neither a function validate nor a rate", NULL};
    return (struct gw_rule_fault){NULL, NULL, NULL};
}
