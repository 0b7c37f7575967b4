#include "protocol/query.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes and adds a NUL; `out` may be where the text stood: it never grows. -1 for wrong encoding, NUL or bad UTF-8. */
static ptrdiff_t decode(const char *text, size_t length, bool plus_is_space, char *out)
{
    size_t count = 0, bad_at;
    for (size_t i = 0; i < length; i++) {
        char c = plus_is_space && text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = length - i > 2 ? hex_value(text[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text[i + 2]) : -1;
            if (low < 0)
                return -1;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return -1;
        out[count++] = c;
    }
    out[count] = '\0';
    return gw_utf8_count(out, count, &bad_at) < 0 ? -1 : (ptrdiff_t)count;
}

ptrdiff_t gw_percent_decode(const char *text, size_t length, char *out) { return decode(text, length, false, out); }

void gw_query_init(struct gw_query *query, const char *raw, size_t length, char *scratch)
{
    *query = (struct gw_query){.at = raw, .left = length, .scratch = scratch};
}

/* Cuts the next piece off, up to '&'; empty pieces are passed over (WHATWG URL 5.1). */
static size_t cut(struct gw_query *query, const char **piece)
{
    while (query->left && *query->at == '&') {
        query->at++;
        query->left--;
    }
    const char *end = query->left ? memchr(query->at, '&', query->left) : NULL;
    size_t length = end ? (size_t)(end - query->at) : query->left;
    *piece = query->at;
    query->at += length;
    query->left -= length;
    return length;
}

static int refuse(const char *name, struct gw_error *err)
{
    int rc = gw_error_set(err, GW_EINVAL, "bad_query", "The query has wrong percent-encoding, a NUL, bad UTF-8 or an empty name");
    gw_error_prefix(err, name);
    return rc;
}

int gw_query_next(struct gw_query *query, struct gw_query_pair *pair, struct gw_error *err)
{
    const char *piece;
    size_t length = cut(query, &piece);
    if (length == 0)
        return 0;
    const char *equals = memchr(piece, '=', length);
    size_t raw_length = equals ? (size_t)(equals - piece) : length;
    ptrdiff_t name_length = decode(piece, raw_length, true, query->scratch);
    if (name_length <= 0)
        return refuse("", err);
    pair->name = query->scratch;
    pair->name_length = (size_t)name_length;
    query->scratch += name_length + 1;
    pair->value = pair->name + name_length;
    pair->value_length = 0;
    if (!equals)
        return 1;
    ptrdiff_t value_length = decode(equals + 1, length - raw_length - 1, true, query->scratch);
    if (value_length < 0)
        return refuse(pair->name, err);
    pair->value = query->scratch;
    pair->value_length = (size_t)value_length;
    query->scratch += value_length + 1;
    return 1;
}
