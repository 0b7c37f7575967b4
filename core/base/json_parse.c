#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_node.h"
#include "base/json_scan.h"
#include "base/plain.h"
#include "base/utf8.h"

/* The text has passed gw_json_scan: every token is whole, so nothing below looks for errors in it. jansson's own parser took three times as
 * long and reported lost memory as bad syntax. */
struct build {
    const char *at;
    const char *end;
    struct gw_buffer scratch; /* the last string that had escapes */
    int failure;              /* GW_ENOMEM or GW_ECONFLICT; sticky */
};

static struct gw_json *build_value(struct build *b);

static void skip_spaces(struct build *b)
{
    while (b->at < b->end && (*b->at == ' ' || *b->at == '\n' || *b->at == '\t' || *b->at == '\r'))
        b->at++;
}

/* Consumes `c` when it comes next. */
static bool accepts(struct build *b, char c)
{
    skip_spaces(b);
    if (*b->at != c)
        return false;
    b->at++;
    return true;
}

static struct gw_json *checked(struct build *b, struct gw_json *value)
{
    if (!value && !b->failure)
        b->failure = GW_ENOMEM;
    return value;
}

static unsigned read_hex4(const char *at)
{
    char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
    return (unsigned)strtoul(digits, NULL, 16);
}

/* After "\u". */
static void unescape_unicode(struct build *b)
{
    uint32_t code = read_hex4(b->at);
    b->at += 4;
    if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (read_hex4(b->at + 2) - 0xDC00);
        b->at += 6;
    }
    char bytes[4];
    gw_buffer_append(&b->scratch, bytes, gw_utf8_encode(code, bytes));
}

/* At a backslash. */
static void unescape(struct build *b)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    char c = b->at[1];
    b->at += 2;
    if (c == 'u') {
        unescape_unicode(b);
        return;
    }
    const char *known = strchr(from, c);
    gw_buffer_append_char(&b->scratch, known ? to[known - from] : c);
}

/* The next quote or backslash: there is one, and nothing else that JSON escapes. */
static const char *find_special(const struct build *b, const char *at) { return at + gw_plain_in_json(at, (size_t)(b->end - at)); }

/* At the opening quote. The bytes are in the input when nothing was escaped, else in `scratch`. */
static const char *read_string(struct build *b, size_t *length)
{
    const char *start = ++b->at;
    b->at = find_special(b, start);
    if (*b->at == '"') {
        *length = (size_t)(b->at++ - start);
        return start;
    }
    gw_buffer_reset(&b->scratch);
    while (*b->at != '"') {
        gw_buffer_append(&b->scratch, start, (size_t)(b->at - start));
        unescape(b);
        start = b->at;
        b->at = find_special(b, start);
    }
    gw_buffer_append(&b->scratch, start, (size_t)(b->at++ - start));
    *length = b->scratch.length;
    if (!b->scratch.has_failed)
        return b->scratch.data;
    b->failure = GW_ENOMEM;
    return NULL;
}

static struct gw_json *build_string(struct build *b)
{
    size_t length;
    const char *text = read_string(b, &length);
    return text ? checked(b, gw_json_node_text(text, length)) : NULL;
}

static struct gw_json *build_real(struct build *b, const char *start)
{
    char text[GW_JSON_NUMBER_MAX_BYTES + 1];
    size_t length = 0;
    while (start + length < b->end && strchr("0123456789+-.eE", start[length]))
        length++;
    assert(length < sizeof text);
    memcpy(text, start, length);
    text[length] = '\0';
    b->at = start + length;
    return checked(b, gw_json_new_real(strtod(text, NULL)));
}

static struct gw_json *build_number(struct build *b)
{
    const char *start = b->at;
    int64_t value = 0;
    b->at += *start == '-';
    /* Sixteen digits are the most that an admitted integer has; a longer one has a fraction or an exponent. */
    for (; b->at < b->end && *b->at >= '0' && *b->at <= '9' && b->at - start < 18; b->at++)
        value = value * 10 + (*b->at - '0');
    if (b->at < b->end && strchr("0123456789.eE", *b->at))
        return build_real(b, start);
    return checked(b, gw_json_new_int(*start == '-' ? -value : value));
}

static void fail(struct build *b, int code)
{
    if (!b->failure)
        b->failure = code;
}

static struct gw_json *build_array(struct build *b)
{
    struct gw_json *array = checked(b, gw_json_new_array());
    b->at++;
    if (!array || accepts(b, ']'))
        return array;
    do {
        if (gw_json_append(array, build_value(b)))
            fail(b, GW_ENOMEM);
    } while (!b->failure && accepts(b, ','));
    if (!b->failure)
        accepts(b, ']');
    return array;
}

static void build_member(struct build *b, struct gw_json *object)
{
    size_t length;
    skip_spaces(b);
    const char *start = b->at;
    const char *key = read_string(b, &length);
    char *kept = NULL;
    if (key && key == b->scratch.data) /* the value's strings will write there too */
        key = kept = gw_try_strndup(key, length);
    if (!key) {
        fail(b, GW_ENOMEM);
        return;
    }
    accepts(b, ':');
    int rc = gw_json_node_add(object, key, length, build_value(b));
    gw_free(kept);
    if (rc)
        fail(b, rc);
    if (rc == GW_ECONFLICT)
        b->at = start;
}

static struct gw_json *build_object(struct build *b)
{
    struct gw_json *object = checked(b, gw_json_new_object());
    b->at++;
    if (!object || accepts(b, '}'))
        return object;
    do {
        build_member(b, object);
    } while (!b->failure && accepts(b, ','));
    if (!b->failure)
        accepts(b, '}');
    return object;
}

static struct gw_json *build_word(struct build *b)
{
    char first = *b->at;
    b->at += first == 'f' ? strlen("false") : strlen("true");
    return first == 'n' ? gw_json_new_null() : gw_json_new_bool(first == 't');
}

static struct gw_json *build_value(struct build *b)
{
    skip_spaces(b);
    switch (*b->at) {
    case '"':
        return build_string(b);
    case '{':
        return build_object(b);
    case '[':
        return build_array(b);
    case 't':
    case 'f':
    case 'n':
        return build_word(b);
    default:
        return build_number(b);
    }
}

int gw_json_parse(const char *text, size_t length, const struct gw_json_limits *limits, struct gw_json **out, struct gw_error *err)
{
    *out = NULL;
    int rc = gw_json_scan(text, length, limits, err);
    if (rc)
        return rc;
    struct build b = {.at = text, .end = text + length};
    gw_buffer_init(&b.scratch, 0);
    struct gw_json *value = build_value(&b);
    gw_buffer_fini(&b.scratch);
    if (!b.failure) {
        *out = value;
        return 0;
    }
    gw_json_unref(value);
    if (b.failure == GW_ECONFLICT)
        rc = gw_error_set(err, GW_EINVAL, "json_duplicate_key", "An object names a key twice.");
    else
        rc = gw_error_set(err, GW_ENOMEM, "out_of_memory", "There is no memory to parse the JSON.");
    snprintf(err->path, sizeof err->path, "byte %zu", (size_t)(b.at - text));
    return rc;
}
