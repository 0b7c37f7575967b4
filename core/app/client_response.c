#include "app/client_response.h"

#include <string.h>
#include <strings.h>

enum chunk_state { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_TRAILER_LINE };

static bool read_decimal(const char *text, const char *end, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = text;
    for (; p < end && *p >= '0' && *p <= '9' && value < UINT64_MAX / 16; p++) {
        value = value * 10 + (uint64_t)(*p - '0');
    }
    *out = value;
    return p > text && p == end;
}

static bool name_is(const char *line, size_t name_length, const char *name)
{
    return strlen(name) == name_length && strncasecmp(line, name, name_length) == 0;
}

static bool ends_with(const char *value, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - value) >= length && strncasecmp(end - length, word, length) == 0;
}

/* One header line without its CRLF; false when it makes the framing unreadable. */
static bool read_header(struct gw_response *r, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon == NULL) {
        return false;
    }
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t name_length = (size_t)(colon - line);
    if (name_is(line, name_length, "transfer-encoding")) {
        r->framing = GW_RESPONSE_CHUNKED;
        r->remaining = 0;
        return ends_with(value, end, "chunked");
    }
    if (name_is(line, name_length, "content-length") && r->framing != GW_RESPONSE_CHUNKED) {
        r->framing = GW_RESPONSE_LENGTH;
        return read_decimal(value, end, &r->remaining);
    }
    if (name_is(line, name_length, "connection")) {
        r->closes_after = ends_with(value, end, "close");
    }
    return true;
}

ptrdiff_t gw_response_feed_head(struct gw_response *r, const char *bytes, size_t length)
{
    const char *blank = memmem(bytes, length, "\r\n\r\n", 4);
    uint64_t status = 0;
    if (blank == NULL) {
        return 0;
    }
    if (blank - bytes < 12 || memcmp(bytes, "HTTP/1.", 7) != 0 || !read_decimal(bytes + 9, bytes + 12, &status)) {
        return -1;
    }
    *r = (struct gw_response){.status = (int)status, .framing = GW_RESPONSE_UNTIL_CLOSE};
    const char *line = memmem(bytes, length, "\r\n", 2);
    while (line < blank) {
        const char *start = line + 2;
        line = memmem(start, length - (size_t)(start - bytes), "\r\n", 2);
        if (!read_header(r, start, line)) {
            return -1;
        }
    }
    if (status / 100 == 1 || status == 204 || status == 304) {
        r->framing = GW_RESPONSE_EMPTY;
    }
    return blank + 4 - bytes;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int feed_size(struct gw_response *r, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        r->remaining = r->remaining * 16 + (uint64_t)digit;
        return r->remaining > UINT32_MAX ? -1 : 0;
    }
    if (c != '\r' && c != ';' && c != ' ') {
        return -1;
    }
    r->chunk_state = CHUNK_EXTENSION;
    return 0;
}

/* One byte of chunk framing; -1 when broken. Sets *is_complete at the end of the trailer. */
static int feed_framing(struct gw_response *r, char c, bool *is_complete)
{
    switch (r->chunk_state) {
    case CHUNK_SIZE:
        return feed_size(r, c);
    case CHUNK_EXTENSION:
        if (c == '\n') {
            r->chunk_state = r->remaining > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        }
        return 0;
    case CHUNK_DATA_END:
        if (c == '\n') {
            r->chunk_state = CHUNK_SIZE;
            r->remaining = 0;
        }
        return c == '\n' || c == '\r' ? 0 : -1;
    case CHUNK_TRAILER:
        *is_complete = c == '\n';
        if (c != '\n' && c != '\r') {
            r->chunk_state = CHUNK_TRAILER_LINE;
        }
        return 0;
    default:
        if (c == '\n') {
            r->chunk_state = CHUNK_TRAILER;
        }
        return 0;
    }
}

static int decode_chunked(struct gw_response *r, char *bytes, size_t length, struct gw_response_step *step)
{
    while (step->consumed < length && !step->is_complete) {
        if (r->chunk_state != CHUNK_DATA) {
            if (feed_framing(r, bytes[step->consumed++], &step->is_complete) != 0) {
                return -1;
            }
            continue;
        }
        size_t take = length - step->consumed < r->remaining ? length - step->consumed : (size_t)r->remaining;
        if (step->produced != step->consumed) {
            memmove(bytes + step->produced, bytes + step->consumed, take);
        }
        step->produced += take;
        step->consumed += take;
        r->remaining -= take;
        if (r->remaining == 0) {
            r->chunk_state = CHUNK_DATA_END;
        }
    }
    return 0;
}

int gw_response_decode(struct gw_response *r, char *bytes, size_t length, struct gw_response_step *step)
{
    *step = (struct gw_response_step){0};
    switch (r->framing) {
    case GW_RESPONSE_CHUNKED:
        return decode_chunked(r, bytes, length, step);
    case GW_RESPONSE_LENGTH:
        step->consumed = step->produced = length < r->remaining ? length : (size_t)r->remaining;
        r->remaining -= step->consumed;
        step->is_complete = r->remaining == 0;
        return 0;
    case GW_RESPONSE_UNTIL_CLOSE:
        step->consumed = step->produced = length;
        return 0;
    case GW_RESPONSE_EMPTY:
        step->is_complete = true;
        return 0;
    }
    return -1;
}
