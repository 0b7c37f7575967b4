#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header of the head [bytes, end), or NULL. */
static const char *find_header(const char *bytes, const char *end, const char *name)
{
    size_t length = strlen(name);
    const char *line = memchr(bytes, '\n', (size_t)(end - bytes));
    while (line != NULL && (size_t)(end - line) > length + 2) {
        if (strncasecmp(line + 1, name, length) == 0 && line[1 + length] == ':') {
            return line + 2 + length;
        }
        line = memchr(line + 1, '\n', (size_t)(end - line - 1));
    }
    return NULL;
}

static unsigned channel_of(const char *path, const char *end)
{
    const char *digits = end;
    while (digits > path && digits[-1] >= '0' && digits[-1] <= '9') {
        digits--;
    }
    return (unsigned)strtoul(digits, NULL, 10);
}

size_t bare_request_parse(const char *bytes, size_t length, struct bare_request *out)
{
    const char *blank = memmem(bytes, length, "\r\n\r\n", 4);
    if (blank == NULL) {
        return 0;
    }
    *out = (struct bare_request){.is_get = bytes[0] == 'G', .body = blank + 4};
    const char *path = memchr(bytes, ' ', (size_t)(blank - bytes));
    const char *path_end = path != NULL ? memchr(path + 1, ' ', (size_t)(blank - path - 1)) : NULL;
    if (path_end != NULL) {
        out->channel = channel_of(path, path_end);
    }
    const char *size = find_header(bytes, blank + 2, "Content-Length");
    const char *last_id = find_header(bytes, blank + 2, "Last-Event-ID");
    out->body_length = size != NULL ? strtoul(size, NULL, 10) : 0;
    out->has_last_id = last_id != NULL;
    out->last_id = last_id != NULL ? strtoull(last_id, NULL, 10) : 0;
    size_t head = (size_t)(blank + 4 - bytes);
    return length - head >= out->body_length ? head + out->body_length : 0;
}
