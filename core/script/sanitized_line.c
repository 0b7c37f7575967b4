#include "script/sanitized_line.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

static int say(struct gw_error *err, const char *what) { return gw_error_set(err, GW_EINVAL, "script_bad_result", "%s", what); }

static int check_names(const struct gw_json *line, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(line, &iterator, &name, &value))
        if (strcmp(name, "level") != 0 && strcmp(name, "message") != 0 && strcmp(name, "fields") != 0)
            return gw_error_set(err, GW_EINVAL, "script_bad_result", "/%.60s: a line has no such member; there are level, message, fields",
                                name);
    return GW_OK;
}

int gw_sanitized_line_check(const struct gw_json *line, struct gw_error *err)
{
    enum gw_log_level parsed;
    if (gw_json_is_null(line))
        return GW_OK;
    if (!gw_json_is_object(line))
        return say(err, "sanitize answers a line or nil");
    const struct gw_json *level = gw_json_get(line, "level"), *fields = gw_json_get(line, "fields");
    if (!gw_json_is_string(level) || gw_log_level_parse(gw_json_text(level, NULL), &parsed))
        return say(err, "/level: must be debug, info, warn or error");
    if (!gw_json_is_string(gw_json_get(line, "message")))
        return say(err, "/message: must be a text");
    if (fields && !gw_json_is_object(fields))
        return say(err, "/fields: must be a table with names");
    return check_names(line, err);
}
