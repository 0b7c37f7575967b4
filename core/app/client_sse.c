#include "app/client_sse.h"

#include <string.h>

/* value: a line of a frame, cut into its field's name and value */
struct field {
    const char *name, *value;
    size_t name_length, value_length;
};

static struct field cut_line(const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    const char *value = colon == NULL ? end : colon + 1;
    if (value < end && *value == ' ') {
        value++;
    }
    return (struct field){line, value, (size_t)((colon == NULL ? end : colon) - line), (size_t)(end - value)};
}

static bool is_named(const struct field *field, const char *name, size_t length)
{
    return field->name_length == length && memcmp(field->name, name, length) == 0;
}

/* Notes the field; true when it is a data line beyond the first. */
static bool read_field(struct gw_sse_frame *frame, const struct field *field)
{
    if (is_named(field, "data", 4)) {
        if (frame->data != NULL) {
            return true;
        }
        frame->data = field->value;
        frame->data_length = field->value_length;
    } else if (is_named(field, "id", 2)) {
        frame->id = field->value;
        frame->id_length = field->value_length;
    } else if (is_named(field, "event", 5)) {
        frame->event = field->value;
        frame->event_length = field->value_length;
    }
    return false;
}

/* Moves the further data lines of a whole frame behind the first, joined by LF: names and line ends leave more room than that needs. Only a
 * whole frame may be changed, since an unfinished one is read again. */
static void join_data(struct gw_sse_frame *frame, char *newline, const char *end)
{
    char *joined = (char *)frame->data + frame->data_length;
    char *line = memchr(joined, '\n', (size_t)(end - joined));
    while (line != NULL && line < newline) {
        char *start = line + 1;
        line = memchr(start, '\n', (size_t)(end - start));
        char *stop = line[-1] == '\r' ? line - 1 : line;
        struct field field = cut_line(start, stop < start ? start : stop);
        if (is_named(&field, "data", 4)) {
            *joined = '\n';
            memmove(joined + 1, field.value, field.value_length);
            joined += field.value_length + 1;
        }
    }
    frame->data_length = (size_t)(joined - frame->data);
}

size_t gw_sse_split(char *bytes, size_t length, gw_sse_on_frame on_frame, void *arg)
{
    struct gw_sse_frame frame = {0};
    char *end = bytes + length;
    char *frame_start = bytes;
    bool has_more_data = false;
    for (char *line = bytes, *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL; line = newline + 1) {
        char *line_end = newline > line && newline[-1] == '\r' ? newline - 1 : newline;
        if (line_end > line) {
            struct field field = cut_line(line, line_end);
            has_more_data |= read_field(&frame, &field);
            continue;
        }
        frame.byte_count = (size_t)(newline + 1 - frame_start);
        if (has_more_data) {
            join_data(&frame, newline, end);
        }
        if (frame.data != NULL || frame.id != NULL || frame.event != NULL) {
            on_frame(arg, &frame);
        }
        frame = (struct gw_sse_frame){0};
        has_more_data = false;
        frame_start = newline + 1;
    }
    return (size_t)(frame_start - bytes);
}

bool gw_sse_frame_is(const struct gw_sse_frame *frame, const char *name)
{
    if (frame->event == NULL) {
        return strcmp(name, "message") == 0;
    }
    return strlen(name) == frame->event_length && memcmp(frame->event, name, frame->event_length) == 0;
}
