#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/sanitize.h"

#define LINES_MAX         64
#define MESSAGE_MAX_BYTES (8u << 10)
#define FIELDS_MAX_BYTES  (16u << 10) /* canonical JSON */

static int refuse_member(const struct gw_resolve *r, const char *member)
{
    gw_pointer_prefix(r->err, member);
    return r->err->code;
}

static int check_level(const struct gw_resolve *r, const struct gw_json *line)
{
    const struct gw_json *level = gw_json_get(line, "level");
    enum gw_log_level parsed;
    if (gw_json_is_string(level) && !gw_log_level_parse(gw_json_text(level, NULL), &parsed))
        return GW_OK;
    gw_error_set(r->err, GW_EINVAL, level ? "bad_shape" : "missing_arg", "level is debug, info, warn or error");
    return refuse_member(r, "level");
}

static int check_message(const struct gw_resolve *r, const struct gw_json *line)
{
    const struct gw_json *message = gw_json_get(line, "message");
    size_t length = 0;
    if (!gw_json_is_string(message)) {
        gw_error_set(r->err, GW_EINVAL, message ? "bad_shape" : "missing_arg", "message is a text");
        return refuse_member(r, "message");
    }
    (void)gw_json_text(message, &length);
    if (length <= MESSAGE_MAX_BYTES)
        return GW_OK;
    gw_error_limit(r->err, "limit_log_bytes", "max_log_message_bytes", MESSAGE_MAX_BYTES, "the message of a log line may hold %u bytes",
                   MESSAGE_MAX_BYTES);
    return refuse_member(r, "message");
}

static int check_fields(const struct gw_resolve *r, const struct gw_json *line)
{
    const struct gw_json *fields = gw_json_get(line, "fields");
    struct gw_buffer text;
    if (!fields)
        return GW_OK;
    if (!gw_json_is_object(fields)) {
        gw_error_set(r->err, GW_EINVAL, "bad_shape", "fields is an object");
        return refuse_member(r, "fields");
    }
    gw_buffer_init(&text, FIELDS_MAX_BYTES);
    gw_json_write_canonical(fields, &text);
    bool is_small = !text.has_failed;
    gw_buffer_fini(&text);
    if (is_small)
        return GW_OK;
    gw_error_limit(r->err, "limit_log_bytes", "max_log_fields_bytes", FIELDS_MAX_BYTES, "the fields of a log line may hold %u bytes",
                   FIELDS_MAX_BYTES);
    return refuse_member(r, "fields");
}

static int check_line(const struct gw_resolve *r, const struct gw_json *line)
{
    static const char *const names[] = {"level", "message", "fields", NULL};
    if (!gw_json_is_object(line))
        return gw_error_set(r->err, GW_EINVAL, "bad_shape", "a log line is an object");
    int status = gw_resolve_members(r, (struct gw_resolve_in){line, ""}, names);
    if (!status)
        status = check_level(r, line);
    if (!status)
        status = check_message(r, line);
    return status ? status : check_fields(r, line);
}

static struct gw_json *make_data(const struct gw_json *line)
{
    struct gw_json *data = gw_json_new_object(), *fields = gw_json_get(line, "fields");
    if (!data)
        return NULL;
    int status = gw_json_set(data, "level", gw_json_ref(gw_json_get(line, "level")));
    if (!status)
        status = gw_json_set(data, "message", gw_sanitize_json(gw_json_get(line, "message")));
    if (!status && fields)
        status = gw_json_set(data, "fields", gw_sanitize_json(fields));
    if (!status)
        return data;
    gw_json_unref(data);
    return NULL;
}

/* A list without lines is refused; checked as a whole before the first is emitted. */
static int check_lines(const struct gw_resolve *r, struct gw_json **lines)
{
    static const char *const names[] = {"lines", NULL};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_typed(r, gw_resolve_args(r), "lines", gw_json_is_array, lines);
    if (status)
        return status;
    size_t count = gw_json_count(*lines);
    if (count == 0)
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "lines holds at least one line");
    else if (count > LINES_MAX)
        gw_error_limit(r->err, "limit_log_lines", "max_log_lines", LINES_MAX, "one post holds at most %d log lines", LINES_MAX);
    if (count == 0 || count > LINES_MAX)
        return gw_resolve_at(r, "/args/lines");
    for (size_t i = 0; i < count; i++) {
        if (!check_line(r, gw_json_at(*lines, i)))
            continue;
        gw_pointer_prefix_index(r->err, i);
        return gw_resolve_at(r, "/args/lines");
    }
    return GW_OK;
}

int gw_resolve_log_write(const struct gw_resolve *r)
{
    struct gw_json *lines;
    int status = check_lines(r, &lines);
    for (size_t i = 0; !status && i < gw_json_count(lines); i++)
        status = gw_resolve_emit(r, GW_EVENT_LOG_LINE, make_data(gw_json_at(lines, i)), NULL, NULL);
    return status;
}
