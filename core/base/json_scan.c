#include "base/json_scan.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/plain.h"
#include "base/utf8.h"

struct scan {
    const char *text;
    size_t length;
    size_t at;
    unsigned depth;
    unsigned nodes;
    const struct gw_json_limits *limits;
    struct gw_error *err;
};

static int refuse(struct scan *s, const char *id, const char *why)
{
    gw_error_set(s->err, GW_EINVAL, id, "%s", why);
    snprintf(s->err->path, sizeof s->err->path, "byte %zu", s->at);
    return GW_EINVAL;
}

static int refuse_limit(struct scan *s, const char *id, const char *name, int64_t limit, const char *what)
{
    gw_error_limit(s->err, id, name, limit, "JSON has more than %lld %s.", (long long)limit, what);
    snprintf(s->err->path, sizeof s->err->path, "byte %zu", s->at);
    return GW_ELIMIT;
}

/* Four hex digits at `at`, or -1. */
static int hex4(const struct scan *s, size_t at)
{
    int value = 0;
    if (s->length - at < 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s->text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At "\uXXXX". */
static int scan_unicode_escape(struct scan *s)
{
    int unit = hex4(s, s->at + 2);
    if (unit < 0)
        return refuse(s, "json_malformed", "A \\u escape needs four hex digits.");
    if (unit == 0)
        return refuse(s, "json_malformed", "The character NUL (\\u0000) is not accepted.");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return refuse(s, "json_bad_utf8", "An escaped low surrogate stands alone.");
    size_t size = 6;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        bool has_next = s->length - s->at >= 12 && s->text[s->at + 6] == '\\' && s->text[s->at + 7] == 'u';
        int next = has_next ? hex4(s, s->at + 8) : -1;
        if (next < 0xDC00 || next > 0xDFFF)
            return refuse(s, "json_bad_utf8", "An escaped high surrogate stands alone.");
        size = 12;
    }
    s->at += size;
    return 0;
}

/* At a backslash. */
static int scan_escape(struct scan *s)
{
    char c = s->length - s->at >= 2 ? s->text[s->at + 1] : '\0';
    if (c == 'u')
        return scan_unicode_escape(s);
    if (c == '\0' || !strchr("\"\\/bfnrt", c))
        return refuse(s, "json_malformed", "A backslash begins no known escape.");
    s->at += 2;
    return 0;
}

static int scan_character(struct scan *s)
{
    unsigned char c = (unsigned char)s->text[s->at];
    if (c == '\\')
        return scan_escape(s);
    if (c < 0x20)
        return refuse(s, "json_malformed", "A control character stands unescaped in a string.");
    size_t step = gw_utf8_step(s->text + s->at, s->length - s->at);
    if (step == 0)
        return refuse(s, "json_bad_utf8", "The bytes are not UTF-8.");
    s->at += step;
    return 0;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_spaces(struct scan *s)
{
    while (s->at < s->length && is_space(s->text[s->at]))
        s->at++;
}

static int scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        s->at += gw_plain_ascii_in_json(s->text + s->at, s->length - s->at);
        if (s->at == s->length)
            return refuse(s, "json_malformed", "A string does not end.");
        if (s->text[s->at] == '"')
            break;
        int rc = scan_character(s);
        if (rc)
            return rc;
    }
    s->at++;
    return 0;
}

bool gw_json_is_valid_number(double value)
{
    /* From 1e21 on ECMAScript writes an exponent, so the text is read as a double again. */
    return isfinite(value) && (value != trunc(value) || fabs(value) <= (double)GW_JSON_MAX_INT || fabs(value) >= 1e21);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* RFC 8259 section 6. `text` ends with a NUL. */
static bool is_number(const char *text)
{
    const char *at = text + (*text == '-');
    if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1])))
        return false;
    at += strspn(at, "0123456789");
    if (*at == '.' && !is_digit(*++at))
        return false;
    at += strspn(at, "0123456789");
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        if (!is_digit(*at))
            return false;
        at += strspn(at, "0123456789");
    }
    return *at == '\0';
}

static bool is_safe_integer(const char *text)
{
    /* What overflows becomes LLONG_MAX or LLONG_MIN, which are out of range as well. */
    long long value = strtoll(text, NULL, 10);
    return value >= -GW_JSON_MAX_INT && value <= GW_JSON_MAX_INT;
}

static int judge_number(struct scan *s, const char *text)
{
    bool is_real = strpbrk(text, ".eE") != NULL;
    double value = is_real ? strtod(text, NULL) : 0;
    if (!is_number(text))
        return refuse(s, "json_malformed", "A number is not written as JSON writes it.");
    if (!is_real && !is_safe_integer(text))
        return refuse(s, "json_bad_number", "An integer must lie within plus or minus 2^53-1.");
    if (!gw_json_is_valid_number(value))
        return refuse(s, "json_bad_number", "A number must be finite, and within plus or minus 2^53-1 when it is integral below 1e21.");
    return 0;
}

static int scan_number(struct scan *s)
{
    char text[GW_JSON_NUMBER_MAX_BYTES + 1];
    size_t length = 0;
    while (s->at + length < s->length && s->text[s->at + length] && strchr("0123456789+-.eE", s->text[s->at + length])) {
        if (length == GW_JSON_NUMBER_MAX_BYTES)
            return refuse(s, "json_bad_number", "A number is written with more than 128 characters.");
        text[length] = s->text[s->at + length];
        length++;
    }
    text[length] = '\0';
    int rc = judge_number(s, text);
    s->at += length;
    return rc;
}

static int scan_word(struct scan *s, const char *word)
{
    size_t length = strlen(word);
    if (s->length - s->at < length || memcmp(s->text + s->at, word, length) != 0)
        return refuse(s, "json_malformed", "A word is none of true, false and null.");
    s->at += length;
    return 0;
}

static bool accepts(struct scan *s, char c)
{
    skip_spaces(s);
    if (s->at == s->length || s->text[s->at] != c)
        return false;
    s->at++;
    return true;
}

static int scan_value(struct scan *s);

static int scan_member(struct scan *s)
{
    skip_spaces(s);
    if (s->at == s->length || s->text[s->at] != '"')
        return refuse(s, "json_malformed", "A member needs a key in quotes.");
    int rc = scan_string(s);
    if (rc)
        return rc;
    if (!accepts(s, ':'))
        return refuse(s, "json_malformed", "A colon must follow the key.");
    return scan_value(s);
}

/* At the opening bracket. Recursion is as deep as max_depth. */
static int scan_container(struct scan *s, char close, int (*scan_item)(struct scan *s))
{
    if (++s->depth > s->limits->max_depth)
        return refuse_limit(s, "json_too_deep", "max_json_depth", s->limits->max_depth, "levels of nesting");
    s->at++;
    bool is_done = accepts(s, close);
    while (!is_done) {
        int rc = scan_item(s);
        if (rc)
            return rc;
        is_done = accepts(s, close);
        if (!is_done && !accepts(s, ','))
            return refuse(s, "json_malformed", "A comma or the closing bracket must follow the value.");
    }
    s->depth--;
    return 0;
}

static int scan_value(struct scan *s)
{
    skip_spaces(s);
    if (s->at == s->length)
        return refuse(s, "json_malformed", "A value is missing at the end.");
    if (++s->nodes > s->limits->max_nodes)
        return refuse_limit(s, "json_too_many_nodes", "max_json_nodes", s->limits->max_nodes, "values");
    switch (s->text[s->at]) {
    case '"':
        return scan_string(s);
    case '{':
        return scan_container(s, '}', scan_member);
    case '[':
        return scan_container(s, ']', scan_value);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        if (s->text[s->at] == '-' || is_digit(s->text[s->at]))
            return scan_number(s);
        return refuse(s, "json_malformed", "A character begins no JSON value.");
    }
}

int gw_json_scan(const char *text, size_t length, const struct gw_json_limits *limits, struct gw_error *err)
{
    struct scan s = {.text = text, .length = length, .limits = limits, .err = err};
    if (length > limits->max_bytes)
        return refuse_limit(&s, "json_too_large", limits->bytes_name ? limits->bytes_name : "max_bytes", (int64_t)limits->max_bytes,
                            "bytes");
    int rc = scan_value(&s);
    skip_spaces(&s);
    if (rc == 0 && s.at < length)
        rc = refuse(&s, "json_malformed", "Something follows the value.");
    return rc;
}
