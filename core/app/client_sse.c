#include "app/client_sse.h"

#include <string.h>

/* Moves a further data line behind the first, joined by LF as the standard wants: the bytes between hold only the field's name. */
static void join_data(struct gw_sse_frame *frame, const char *value, size_t length)
{
    char *end = (char *)(frame->data + frame->data_length);
    *end = '\n';
    memmove(end + 1, value, length);
    frame->data_length += length + 1;
}

static void read_field(struct gw_sse_frame *frame, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    const char *value = colon == NULL ? end : colon + 1;
    size_t name_length = (size_t)((colon == NULL ? end : colon) - line);
    if (value < end && *value == ' ') {
        value++;
    }
    size_t length = (size_t)(end - value);
    if (name_length == 4 && memcmp(line, "data", 4) == 0) {
        if (frame->data != NULL) {
            join_data(frame, value, length);
            return;
        }
        frame->data = value;
        frame->data_length = length;
    } else if (name_length == 2 && memcmp(line, "id", 2) == 0) {
        frame->id = value;
        frame->id_length = length;
    } else if (name_length == 5 && memcmp(line, "event", 5) == 0) {
        frame->event = value;
        frame->event_length = length;
    }
}

size_t gw_sse_split(char *bytes, size_t length, gw_sse_on_frame on_frame, void *arg)
{
    struct gw_sse_frame frame = {0};
    char *end = bytes + length;
    char *frame_start = bytes;
    for (char *line = bytes, *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL; line = newline + 1) {
        char *line_end = newline > line && newline[-1] == '\r' ? newline - 1 : newline;
        if (line_end > line) {
            if (*line != ':') {
                read_field(&frame, line, line_end);
            }
            continue;
        }
        frame.byte_count = (size_t)(newline + 1 - frame_start);
        if (frame.data != NULL || frame.id != NULL || frame.event != NULL) {
            on_frame(arg, &frame);
        }
        frame = (struct gw_sse_frame){0};
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
