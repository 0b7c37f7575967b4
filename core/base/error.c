#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Cut text ends on a whole character: clients receive it inside JSON. */
static void end_on_character(char *text, size_t size, int wanted)
{
    if (wanted >= 0 && (size_t)wanted < size)
        return;
    text[gw_utf8_floor(text, strlen(text))] = '\0';
}

static void copy_text(char *out, size_t size, const char *text) { end_on_character(out, size, snprintf(out, size, "%s", text)); }

static bool can_pass_later(int code)
{
    switch (code) {
    case GW_ENOMEM:
    case GW_EIO:
    case GW_ECLOSED:
    case GW_EBUSY:
    case GW_ETIMEOUT:
    case GW_EUNKNOWN_OUTCOME:
        return true;
    default:
        return false;
    }
}

static void fill(struct gw_error *err, int code, const char *id, const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void fill(struct gw_error *err, int code, const char *id, const char *format, va_list args)
{
    *err = (struct gw_error){.code = code, .is_retryable = can_pass_later(code)};
    copy_text(err->id, sizeof err->id, id);
    end_on_character(err->message, sizeof err->message, vsnprintf(err->message, sizeof err->message, format, args));
}

int gw_error_set(struct gw_error *err, int code, const char *id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, id, format, args);
    va_end(args);
    return code;
}

int gw_error_limit(struct gw_error *err, const char *id, const char *limit_name, int64_t limit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, GW_ELIMIT, id, format, args);
    va_end(args);
    gw_error_name_limit(err, limit_name, limit);
    return GW_ELIMIT;
}

void gw_error_name_limit(struct gw_error *err, const char *limit_name, int64_t limit)
{
    err->has_limit = true;
    err->limit = limit;
    copy_text(err->limit_name, sizeof err->limit_name, limit_name);
}

void gw_error_prefix(struct gw_error *err, const char *prefix)
{
    char inner[sizeof err->path];
    memcpy(inner, err->path, sizeof inner);
    end_on_character(err->path, sizeof err->path, snprintf(err->path, sizeof err->path, "%s%s", prefix, inner));
}
