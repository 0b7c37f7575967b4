#include "base/json_slice.h"

#include <string.h>

static bool is_escaped(const char *from, const char *quote)
{
    const char *at = quote;
    while (at > from && at[-1] == '\\')
        at--;
    return (quote - at) % 2 != 0;
}

/* Behind the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    const char *from = at + 1, *quote = at;
    do {
        quote = quote + 1 < end ? memchr(quote + 1, '"', (size_t)(end - quote - 1)) : NULL;
    } while (quote && is_escaped(from, quote));
    return quote ? quote + 1 : end;
}

static bool ends_value(char c) { return c == ',' || c == '}' || c == ']'; }

static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    do {
        char c = at < end ? *at : '\0';
        if (c == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
    } while (at < end && (depth > 0 || !ends_value(*at)));
    return at < end ? at : end;
}

struct gw_json_walk gw_json_walk_begin(struct gw_json_slice container)
{
    bool is_object = container.length > 1 && container.at[0] == '{', is_list = container.length > 1 && container.at[0] == '[';
    if (!is_object && !is_list)
        return (struct gw_json_walk){0};
    return (struct gw_json_walk){container.at + 1, container.at + container.length - 1, is_object};
}

bool gw_json_walk_next(struct gw_json_walk *walk, struct gw_json_slice *key, struct gw_json_slice *value)
{
    if (walk->at >= walk->end)
        return false;
    if (walk->has_keys) {
        const char *stop = skip_string(walk->at, walk->end);
        if (stop + 1 >= walk->end)
            return false;
        if (key)
            *key = (struct gw_json_slice){walk->at + 1, (size_t)(stop - walk->at) - 2};
        walk->at = stop + 1; /* the colon */
    }
    const char *stop = skip_value(walk->at, walk->end);
    *value = (struct gw_json_slice){walk->at, (size_t)(stop - walk->at)};
    walk->at = stop < walk->end ? stop + 1 : walk->end; /* the comma */
    return true;
}

bool gw_json_slice_member(struct gw_json_slice object, const char *name, struct gw_json_slice *out)
{
    struct gw_json_walk walk = gw_json_walk_begin(object);
    struct gw_json_slice key = {NULL, 0};
    while (walk.has_keys && gw_json_walk_next(&walk, &key, out))
        if (key.length == strlen(name) && memcmp(key.at, name, key.length) == 0)
            return true;
    *out = (struct gw_json_slice){NULL, 0};
    return false;
}

int gw_json_slice_compare(struct gw_json_slice a, struct gw_json_slice b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Bytes of the code point or escape at `at`, which the writer made. */
static size_t unit_length(const char *at, size_t left)
{
    unsigned char first = (unsigned char)at[0];
    size_t length = 1;
    if (first == '\\')
        length = left > 1 && at[1] == 'u' ? 6 : 2;
    else if (first >= 0xC0)
        length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    return length < left ? length : left;
}

/* Of the text as it is read: an escape stands for one ASCII character. */
static size_t count_bytes(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    size_t bytes = length;
    while ((at = at < end ? memchr(at, '\\', (size_t)(end - at)) : NULL)) {
        size_t unit = unit_length(at, (size_t)(end - at));
        bytes -= unit - 1;
        at += unit;
    }
    return bytes;
}

struct gw_json_cut gw_json_slice_cut(struct gw_json_slice string, size_t max)
{
    const char *text = string.at + 1;
    size_t length = string.length > 2 ? string.length - 2 : 0, at = 0;
    while (at < length && at + unit_length(text + at, length - at) <= max)
        at += unit_length(text + at, length - at);
    return (struct gw_json_cut){at, length ? count_bytes(text, length) : 0};
}
