#include "base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 4096, TEXT_MAX_BYTES = 512 };

struct gw_log {
    int fd;
    enum gw_log_level level;
};

/* A line is composed on the stack: a log that allocates would fail when it is needed most. */
struct line {
    size_t length;
    bool is_full; /* something did not fit */
    char text[LINE_MAX_BYTES];
};

static const char ending[] = "}\n";
static const char cut_ending[] = ",\"truncated\":true}\n";

static const char *const level_names[] = {"debug", "info", "warn", "error"};

struct gw_log *gw_log_create(int fd, enum gw_log_level level)
{
    struct gw_log *log = gw_alloc(sizeof *log);
    log->fd = fd;
    log->level = level;
    return log;
}

void gw_log_destroy(struct gw_log *log) { gw_free(log); }

int gw_log_level_parse(const char *text, enum gw_log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) != 0)
            continue;
        *out = (enum gw_log_level)i;
        return 0;
    }
    return GW_EINVAL;
}

static void put_bytes(struct line *line, const char *bytes, size_t length)
{
    if (length > LINE_MAX_BYTES - sizeof cut_ending - line->length) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

static void put_text(struct line *line, const char *text) { put_bytes(line, text, strlen(text)); }

static void put_number(struct line *line, const struct gw_log_field *field)
{
    char digits[24];
    if (field->kind == GW_LOG_UINT)
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)field->number);
    else
        snprintf(digits, sizeof digits, "%lld", (long long)field->number);
    put_text(line, digits);
}

/* Control characters, C1 and DEL are escaped, so that no log line can move a terminal's cursor. Bytes that are no UTF-8 become U+FFFD. */
static size_t put_character(struct line *line, const char *text, size_t length)
{
    size_t step = gw_utf8_step(text, length);
    unsigned char c = (unsigned char)text[0];
    if (step == 0) {
        put_text(line, "\\ufffd");
        return 1;
    }
    bool is_c1 = step == 2 && c == 0xC2 && (unsigned char)text[1] < 0xA0;
    if (is_c1 || (step == 1 && (c < 0x20 || c == 0x7f))) {
        char escape[7];
        snprintf(escape, sizeof escape, "\\u%04x", is_c1 ? (unsigned char)text[1] : c);
        put_text(line, escape);
        return step;
    }
    if (c == '"' || c == '\\')
        put_text(line, "\\");
    put_bytes(line, text, step);
    return step;
}

static void put_string(struct line *line, const char *text)
{
    size_t length = strnlen(text, TEXT_MAX_BYTES + 1);
    bool is_cut = length > TEXT_MAX_BYTES;
    if (is_cut)
        length = gw_utf8_floor(text, TEXT_MAX_BYTES);
    put_text(line, "\"");
    for (size_t at = 0; at < length && !line->is_full;)
        at += put_character(line, text + at, length - at);
    put_text(line, is_cut ? "\xe2\x80\xa6\"" : "\"");
}

/* A field is there whole or not at all. */
static void put_field(struct line *line, const struct gw_log_field *field)
{
    size_t before = line->length;
    put_text(line, ",");
    put_string(line, field->name);
    put_text(line, ":");
    if (field->kind != GW_LOG_TEXT)
        put_number(line, field);
    else if (field->text)
        put_string(line, field->text);
    else
        put_text(line, "null");
    if (line->is_full)
        line->length = before;
}

static void finish(struct line *line)
{
    const char *end = line->is_full ? cut_ending : ending;
    memcpy(line->text + line->length, end, strlen(end));
    line->length += strlen(end);
}

void gw_log_write(struct gw_log *log, enum gw_log_level level, const char *event, const struct gw_log_field *fields)
{
    if (level < log->level)
        return;
    struct line line;
    line.length = 0;
    line.is_full = false;
    const struct gw_clock *clock = gw_clock_system();
    char now[25];
    gw_clock_format_rfc3339(clock->wall_ms(clock->self), now);
    put_text(&line, "{\"ts\":");
    put_string(&line, now);
    put_text(&line, ",\"level\":");
    put_string(&line, level_names[level]);
    put_text(&line, ",\"event\":");
    put_string(&line, event);
    for (; fields && fields->kind != GW_LOG_END && !line.is_full; fields++)
        put_field(&line, fields);
    finish(&line);
    /* A log that cannot be written has nowhere to report that; only an interrupted write is tried again. */
    while (write(log->fd, line.text, line.length) < 0 && errno == EINTR)
        continue;
}
