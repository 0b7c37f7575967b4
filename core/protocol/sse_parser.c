#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/sse.h"

struct gw_sse_parser {
    const struct gw_sse_events *events;
    void *user;
    size_t max_block_bytes;
    struct gw_buffer line;     /* the part of a line that earlier calls brought */
    struct gw_buffer type, id; /* NUL-terminated when not empty */
    struct gw_buffer data;
    bool has_id;         /* this block carried one */
    bool has_first_line; /* a byte order mark can come no more */
    bool was_cr;         /* a LF now belongs to the line end before it */
};

struct gw_sse_parser *gw_sse_parser_create(const struct gw_sse_events *events, void *user, size_t max_block_bytes)
{
    struct gw_sse_parser *parser = gw_try_alloc(sizeof *parser);
    if (!parser)
        return NULL;
    *parser = (struct gw_sse_parser){.events = events, .user = user, .max_block_bytes = max_block_bytes};
    gw_buffer_init(&parser->line, 0);
    gw_buffer_init(&parser->type, 0);
    gw_buffer_init(&parser->id, 0);
    gw_buffer_init(&parser->data, 0);
    return parser;
}

void gw_sse_parser_destroy(struct gw_sse_parser *parser)
{
    if (!parser)
        return;
    gw_buffer_fini(&parser->line);
    gw_buffer_fini(&parser->type);
    gw_buffer_fini(&parser->id);
    gw_buffer_fini(&parser->data);
    gw_free(parser);
}

static int refuse_size(const struct gw_sse_parser *parser, struct gw_error *err)
{
    return gw_error_limit(err, "sse_block_too_large", "max_block_bytes", (int64_t)parser->max_block_bytes,
                          "A line or the data of an event is longer than %zu bytes", parser->max_block_bytes);
}

static int append(struct gw_buffer *buffer, const char *bytes, size_t length, struct gw_error *err)
{
    gw_buffer_append(buffer, bytes, length);
    return buffer->has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for an event") : 0;
}

static int set_text(struct gw_buffer *buffer, const char *text, size_t length, struct gw_error *err)
{
    gw_buffer_reset(buffer);
    int rc = append(buffer, text, length, err);
    return rc ? rc : append(buffer, "", 1, err);
}

static int add_data(struct gw_sse_parser *parser, const char *value, size_t length, struct gw_error *err)
{
    if (length > parser->max_block_bytes || parser->data.length > parser->max_block_bytes - length)
        return refuse_size(parser, err);
    int rc = append(&parser->data, value, length, err);
    return rc ? rc : append(&parser->data, "\n", 1, err);
}

static void take_retry(struct gw_sse_parser *parser, const char *value, size_t length)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        if (__builtin_mul_overflow(ms, 10, &ms) || __builtin_add_overflow(ms, (uint64_t)(value[i] - '0'), &ms))
            ms = UINT64_MAX;
    }
    if (length && parser->events->on_retry)
        parser->events->on_retry(parser->user, ms);
}

static bool is_name(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

/* WHATWG HTML 9.2.6, "process the field". */
static int on_field(struct gw_sse_parser *parser, const char *name, size_t name_length, const char *value, size_t length,
                    struct gw_error *err)
{
    if (is_name(name, name_length, "data"))
        return add_data(parser, value, length, err);
    if (is_name(name, name_length, "event"))
        return set_text(&parser->type, value, length, err);
    if (is_name(name, name_length, "id") && (length == 0 || !memchr(value, '\0', length))) {
        parser->has_id = true;
        return set_text(&parser->id, value, length, err);
    }
    if (is_name(name, name_length, "retry"))
        take_retry(parser, value, length);
    return 0;
}

/* WHATWG HTML 9.2.6, "dispatch the event"; an id alone is told too. */
static void dispatch(struct gw_sse_parser *parser)
{
    bool has_data = parser->data.length > 0;
    bool has_type = parser->type.length > 1;
    struct gw_sse_event event = {.type = has_type ? parser->type.data : "message", .has_id = parser->has_id};
    event.last_event_id = parser->id.length ? parser->id.data : "";
    if (has_data) {
        event.data = parser->data.data;
        event.data_length = parser->data.length - 1;
        parser->data.data[event.data_length] = '\0';
    }
    if (has_data || parser->has_id)
        parser->events->on_event(parser->user, &event);
    gw_buffer_reset(&parser->data);
    gw_buffer_reset(&parser->type);
    parser->has_id = false;
}

static int on_line(struct gw_sse_parser *parser, const char *line, size_t length, struct gw_error *err)
{
    if (!parser->has_first_line && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    parser->has_first_line = true;
    if (length == 0) {
        dispatch(parser);
        return 0;
    }
    const char *colon = memchr(line, ':', length);
    size_t name_length = colon ? (size_t)(colon - line) : length;
    size_t at = colon ? name_length + 1 : length;
    if (at < length && line[at] == ' ')
        at++;
    return name_length ? on_field(parser, line, name_length, line + at, length - at, err) : 0;
}

/* A line ends here; its beginning may have come with earlier calls. */
static int end_line(struct gw_sse_parser *parser, const char *bytes, size_t length, struct gw_error *err)
{
    if (parser->line.length == 0)
        return on_line(parser, bytes, length, err);
    int rc = append(&parser->line, bytes, length, err);
    if (rc == 0)
        rc = on_line(parser, parser->line.data, parser->line.length, err);
    gw_buffer_reset(&parser->line);
    return rc;
}

static size_t line_length(const char *bytes, size_t length)
{
    const char *feed = memchr(bytes, '\n', length);
    size_t until = feed ? (size_t)(feed - bytes) : length;
    const char *carriage = until ? memchr(bytes, '\r', until) : NULL;
    return carriage ? (size_t)(carriage - bytes) : until;
}

int gw_sse_parser_feed(struct gw_sse_parser *parser, const char *bytes, size_t length, struct gw_error *err)
{
    size_t at = 0;
    while (at < length) {
        if (parser->was_cr && bytes[at] == '\n')
            at++;
        parser->was_cr = false;
        if (at == length)
            break;
        size_t count = line_length(bytes + at, length - at);
        if (count > parser->max_block_bytes || parser->line.length > parser->max_block_bytes - count)
            return refuse_size(parser, err);
        if (at + count == length)
            return append(&parser->line, bytes + at, count, err);
        int rc = end_line(parser, bytes + at, count, err);
        if (rc)
            return rc;
        parser->was_cr = bytes[at + count] == '\r';
        at += count + 1;
    }
    return 0;
}
