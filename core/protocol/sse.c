#include "protocol/sse.h"

#include <assert.h>
#include <string.h>

#include "base/buffer.h"

static bool is_one_line(const char *text, size_t length)
{
    return length == 0 || (!memchr(text, '\n', length) && !memchr(text, '\r', length));
}

static void write_field(struct gw_buffer *out, const char *name, const char *value)
{
    size_t length = strlen(value);
    assert(is_one_line(value, length));
    gw_buffer_append_text(out, name);
    gw_buffer_append(out, value, length);
    gw_buffer_append_char(out, '\n');
}

void gw_sse_begin(struct gw_buffer *out, const char *event, const char *id)
{
    if (event)
        write_field(out, "event: ", event);
    if (id)
        write_field(out, "id: ", id);
    gw_buffer_append_text(out, "data: ");
}

void gw_sse_end(struct gw_buffer *out) { gw_buffer_append(out, "\n\n", 2); }

void gw_sse_write(struct gw_buffer *out, const char *event, const char *id, const char *data, size_t length)
{
    assert(is_one_line(data, length));
    gw_sse_begin(out, event, id);
    gw_buffer_append(out, data, length);
    gw_sse_end(out);
}

void gw_sse_write_id(struct gw_buffer *out, const char *id)
{
    write_field(out, "id: ", id);
    gw_buffer_append_char(out, '\n');
}

void gw_sse_write_comment(struct gw_buffer *out, const char *text)
{
    write_field(out, ": ", text);
    gw_buffer_append_char(out, '\n');
}

void gw_sse_write_retry(struct gw_buffer *out, uint64_t ms)
{
    gw_buffer_append_text(out, "retry: ");
    gw_buffer_append_u64(out, ms);
    gw_sse_end(out);
}
