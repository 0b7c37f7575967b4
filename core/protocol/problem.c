#include "protocol/problem.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "protocol/http1_reply.h"

const char *gw_retry_name(enum gw_retry retry)
{
    static const char *const names[] = {"now", "later", "auth", "never"};
    return names[retry];
}

static struct gw_problem classify_code(int code)
{
    switch (code) {
    case GW_EINVAL:
        return (struct gw_problem){400, GW_RETRY_NEVER};
    case GW_ELIMIT:
        return (struct gw_problem){413, GW_RETRY_NEVER};
    case GW_ENOTFOUND:
        return (struct gw_problem){404, GW_RETRY_NEVER};
    case GW_ECONFLICT:
    case GW_ESTATE:
        return (struct gw_problem){409, GW_RETRY_NEVER};
    case GW_ERULE:
        return (struct gw_problem){422, GW_RETRY_NEVER};
    case GW_EAUTH:
        return (struct gw_problem){401, GW_RETRY_AUTH};
    case GW_EDENIED:
        return (struct gw_problem){403, GW_RETRY_NEVER};
    default:
        return (struct gw_problem){503, GW_RETRY_LATER};
    }
}

struct gw_problem gw_problem_classify(const struct gw_error *err, const struct gw_problem_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].id, err->id) == 0)
            return rules[i].problem;
    struct gw_problem problem = classify_code(err->code);
    if (problem.retry == GW_RETRY_NEVER && err->is_retryable)
        problem.retry = GW_RETRY_NOW;
    return problem;
}

static void write_text(struct gw_buffer *out, const char *before, const char *value)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, value, strlen(value));
}

/* Names end with their unit (docs/errors.md); what has none is a count. */
static const char *unit_of(const char *limit_name)
{
    static const struct {
        const char *suffix, *unit;
    } units[] = {{"_bytes", "bytes"}, {"_ms", "ms"}, {"_ms_per_s", "ms/s"}};
    size_t length = strlen(limit_name);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t tail = strlen(units[i].suffix);
        if (length >= tail && strcmp(limit_name + length - tail, units[i].suffix) == 0)
            return units[i].unit;
    }
    return "count";
}

static void write_limit(const struct gw_error *err, struct gw_buffer *out)
{
    write_text(out, ",\"limit\":{\"name\":", err->limit_name);
    gw_buffer_append_text(out, ",\"value\":");
    gw_buffer_append_i64(out, err->limit);
    write_text(out, ",\"unit\":", unit_of(err->limit_name));
    gw_buffer_append_char(out, '}');
}

void gw_problem_write(const struct gw_error *err, struct gw_problem problem, struct gw_buffer *out)
{
    write_text(out, "{\"type\":\"about:blank\",\"title\":", gw_http1_reason(problem.status));
    gw_buffer_append_text(out, ",\"status\":");
    gw_buffer_append_u64(out, (uint64_t)problem.status);
    write_text(out, ",\"code\":", err->id);
    write_text(out, ",\"detail\":", err->message);
    if (err->path[0])
        write_text(out, ",\"path\":", err->path);
    if (err->has_limit)
        write_limit(err, out);
    if (err->has_expected) {
        gw_buffer_append_text(out, ",\"expected\":");
        gw_buffer_append_i64(out, err->expected);
    }
    if (err->reason[0])
        write_text(out, ",\"reason\":", err->reason);
    if (err->end[0])
        write_text(out, ",\"end\":", err->end);
    write_text(out, ",\"retry\":", gw_retry_name(problem.retry));
    gw_buffer_append_char(out, '}');
}

void gw_problem_add_member(struct gw_buffer *out, const char *name, const char *json, size_t length)
{
    if (out->has_failed)
        return;
    gw_buffer_truncate(out, out->length - 1); /* the closing brace */
    gw_buffer_appendf(out, ",\"%s\":", name);
    gw_buffer_append(out, json, length);
    gw_buffer_append_char(out, '}');
}
