#include "script/context_items.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

static const char *const texts[] = {"kind", "ref", "text"};

static bool is_text(const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i]) == 0)
            return true;
    return false;
}

static int check_item(const struct gw_json *item, size_t index, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (!gw_json_is_object(item))
        return gw_error_set(err, GW_EINVAL, "script_bad_result", "/%zu: an item is { kind, ref, text, data }", index);
    while (gw_json_next(item, &iterator, &name, &value)) {
        if (!is_text(name) && strcmp(name, "data") != 0)
            return gw_error_set(err, GW_EINVAL, "script_bad_result",
                                "/%zu/%.60s: an item has no such member; there are kind, ref, text, data", index, name);
        if (is_text(name) && !gw_json_is_string(value))
            return gw_error_set(err, GW_EINVAL, "script_bad_result", "/%zu/%.60s: must be a text", index, name);
    }
    return gw_json_get(item, "kind")
               ? GW_OK
               : gw_error_set(err, GW_EINVAL, "script_bad_result", "/%zu/kind: is needed: a word for what it is", index);
}

int gw_context_items_check(const struct gw_json *items, struct gw_error *err)
{
    int status = GW_OK;
    if (gw_json_is_object(items) && gw_json_count(items) == 0) /* an empty table */
        return GW_OK;
    if (!gw_json_is_array(items))
        return gw_error_set(err, GW_EINVAL, "script_bad_result", "context answers a list of { kind, ref, text, data }");
    for (size_t i = 0; !status && i < gw_json_count(items); i++)
        status = check_item(gw_json_at(items, i), i, err);
    return status;
}
