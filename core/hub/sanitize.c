#include "hub/sanitize.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/json.h"

#define HEX_MIN      32 /* an MD5, a key of 128 bits */
#define RANDOM_MIN   40
#define LUHN_MIN     13
#define LUHN_MAX     19
#define LOCAL_MAX    64 /* RFC 5321 section 4.5.3.1.1 */
#define KEY_HEAD_MAX 64

/* value: bytes that are read, not owned */
struct span {
    const char *text;
    size_t length;
};

/* ---- letters --------------------------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

static bool is_alnum(char c) { return is_digit(c) || is_upper(c) || is_lower(c); }

static bool is_upper_digit(char c) { return is_upper(c) || is_digit(c); }

static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static bool is_key_char(char c) { return is_alnum(c) || c == '_' || c == '-'; }

/* RFC 6750 section 2.1: b64token. */
static bool is_bearer_char(char c) { return is_alnum(c) || (c && strchr("-._~+/=", c)); }

static bool is_run_char(char c) { return is_alnum(c) || (c && strchr("+/_-", c)); }

static bool is_local_char(char c) { return is_alnum(c) || (c && strchr("._%+-", c)); }

static bool is_domain_char(char c) { return is_alnum(c) || c == '.' || c == '-'; }

static bool is_value_char(char c) { return (unsigned char)c > 0x20 && !strchr("\"'`,;&<>()[]{}", c); }

static size_t run_length(struct span s, size_t at, bool (*belongs)(char c))
{
    size_t end = at;
    while (end < s.length && belongs(s.text[end]))
        end++;
    return end - at;
}

static bool begins(struct span s, size_t at, const char *prefix, bool ignores_case)
{
    size_t length = strlen(prefix);
    if (s.length - at < length)
        return false;
    return (ignores_case ? strncasecmp(s.text + at, prefix, length) : strncmp(s.text + at, prefix, length)) == 0;
}

/* ---- rules ----------------------------------------------------------------------------------------------------------------------------- */

/* A known beginning, then at least `min` characters of one alphabet. What stands in the first `keep` bytes is no secret and stays. */
struct prefix_rule {
    const char *kind, *prefix;
    bool (*alphabet)(char c);
    size_t min, keep;
    bool ignores_case;
};

static const struct prefix_rule prefix_rules[] = {
    {"bearer", "bearer ", is_bearer_char, 8, 7, true}, {"basic", "basic ", is_bearer_char, 8, 6, true},
    {"key", "sk-", is_key_char, 16, 0, false},         {"key", "sk_live_", is_key_char, 10, 0, false},
    {"key", "sk_test_", is_key_char, 10, 0, false},    {"key", "rk_live_", is_key_char, 10, 0, false},
    {"key", "AKIA", is_upper_digit, 16, 0, false},     {"key", "ASIA", is_upper_digit, 16, 0, false},
    {"key", "ghp_", is_key_char, 20, 0, false},        {"key", "gho_", is_key_char, 20, 0, false},
    {"key", "ghu_", is_key_char, 20, 0, false},        {"key", "ghs_", is_key_char, 20, 0, false},
    {"key", "ghr_", is_key_char, 20, 0, false},        {"key", "github_pat_", is_key_char, 20, 0, false},
    {"key", "glpat-", is_key_char, 16, 0, false},      {"key", "xoxb-", is_key_char, 10, 0, false},
    {"key", "xoxp-", is_key_char, 10, 0, false},       {"key", "xoxa-", is_key_char, 10, 0, false},
    {"key", "AIza", is_key_char, 30, 0, false},        {"key", "npm_", is_key_char, 30, 0, false},
    {"key", "hf_", is_key_char, 30, 0, false},
};

/* Names whose values are secrets, in "name=value", "name: value" and as keys of fields; compared without case and without - and _. */
static const char *const secret_names[] = {"password",  "passwd",      "passphrase",    "pwd",         "secret",       "clientsecret",
                                           "secretkey", "apikey",      "accesskey",     "accesstoken", "authtoken",    "refreshtoken",
                                           "idtoken",   "bearertoken", "authorization", "privatekey",  "sessiontoken", "credentials",
                                           "cookie",    "setcookie",   "xapikey",       "signingkey",  "encryptionkey"};

static bool is_secret_name(const char *name, size_t length)
{
    char plain[24];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (c == '-' || c == '_')
            continue;
        if (used + 1 == sizeof plain)
            return false;
        plain[used++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
    }
    plain[used] = '\0';
    for (size_t i = 0; i < sizeof secret_names / sizeof secret_names[0]; i++)
        if (strcmp(plain, secret_names[i]) == 0)
            return true;
    return false;
}

/* value: what a rule found at a place: bytes [keep, length) from there are the secret */
struct found {
    const char *kind;
    size_t keep, length;
};

static struct found find_prefix(struct span s, size_t at)
{
    for (size_t i = 0; i < sizeof prefix_rules / sizeof prefix_rules[0]; i++) {
        const struct prefix_rule *rule = &prefix_rules[i];
        if (!begins(s, at, rule->prefix, rule->ignores_case))
            continue;
        size_t length = strlen(rule->prefix), tail = run_length(s, at + length, rule->alphabet);
        if (tail >= rule->min)
            return (struct found){rule->kind, rule->keep, length + tail};
    }
    return (struct found){0};
}

/* RFC 7515 section 3.1; the header is a JSON object, so it begins with eyJ. */
static struct found find_jwt(struct span s, size_t at)
{
    size_t end = at, dots = 0;
    if (!begins(s, at, "eyJ", false))
        return (struct found){0};
    for (;;) {
        size_t part = run_length(s, end, is_key_char);
        if (part < 4 && dots < 2)
            return (struct found){0};
        end += part;
        if (end == s.length || s.text[end] != '.' || dots == 4)
            break;
        dots++;
        end++;
    }
    return dots >= 2 ? (struct found){"jwt", 0, end - at} : (struct found){0};
}

/* RFC 7468 section 2; some label stands before PRIVATE KEY. */
static const char key_begin[] = "-----BEGIN ";

static struct found find_private_key(struct span s, size_t at)
{
    static const char mark[] = "PRIVATE KEY-----", end[] = "-----END ";
    if (!begins(s, at, key_begin, false))
        return (struct found){0};
    const char *head = memmem(s.text + at, s.length - at < KEY_HEAD_MAX ? s.length - at : KEY_HEAD_MAX, mark, sizeof mark - 1);
    if (!head)
        return (struct found){0};
    const char *foot = memmem(head, (size_t)(s.text + s.length - head), end, sizeof end - 1);
    const char *stop = foot ? memmem(foot, (size_t)(s.text + s.length - foot), mark, sizeof mark - 1) : NULL;
    size_t length = stop ? (size_t)(stop - (s.text + at)) + sizeof mark - 1 : s.length - at;
    return (struct found){"private_key", 0, length};
}

/* name = value, "name": "value" */
static struct found find_assignment(struct span s, size_t at)
{
    size_t length = run_length(s, at, is_key_char), i = at + length;
    if (length < 3 || length > 24 || !is_secret_name(s.text + at, length))
        return (struct found){0};
    while (i < s.length && (s.text[i] == '"' || s.text[i] == '\''))
        i++;
    while (i < s.length && s.text[i] == ' ')
        i++;
    if (i == s.length || (s.text[i] != '=' && s.text[i] != ':'))
        return (struct found){0};
    i++;
    while (i < s.length && s.text[i] && strchr(" \"'", s.text[i]))
        i++;
    if (begins(s, i, "bearer ", true) || begins(s, i, "basic ", true))
        i += s.text[i + 1] == 'e' || s.text[i + 1] == 'E' ? 7 : 6;
    size_t value = run_length(s, i, is_value_char);
    return value ? (struct found){"secret", i - at, i - at + value} : (struct found){0};
}

static bool passes_luhn(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0');
        if (i % 2 == 1)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* Card numbers begin with 3 to 6 (ISO/IEC 7812 major industries 3 to 6), which leaves out timestamps. */
static bool is_card(const char *digits, size_t count)
{
    return count >= LUHN_MIN && count <= LUHN_MAX && digits[0] >= '3' && digits[0] <= '6' && passes_luhn(digits, count);
}

static struct found find_card(struct span s, size_t at)
{
    char digits[LUHN_MAX + 1];
    size_t count = 0, i = at, end = at;
    while (i < s.length && count <= LUHN_MAX) {
        if (is_digit(s.text[i])) {
            if (count < LUHN_MAX)
                digits[count] = s.text[i];
            count++;
            end = ++i;
        } else if ((s.text[i] == ' ' || s.text[i] == '-') && i + 1 < s.length && is_digit(s.text[i + 1])) {
            i++;
        } else {
            break;
        }
    }
    return is_card(digits, count) ? (struct found){"card", 0, end - at} : (struct found){0};
}

static struct found find_email(struct span s, size_t at)
{
    struct span near = {s.text, s.length - at > LOCAL_MAX + 1 ? at + LOCAL_MAX + 1 : s.length};
    size_t local = run_length(near, at, is_local_char), domain_at = at + local + 1;
    if (local == 0 || local > LOCAL_MAX || domain_at >= s.length || s.text[at + local] != '@')
        return (struct found){0};
    size_t domain = run_length(s, domain_at, is_domain_char);
    while (domain && !is_alnum(s.text[domain_at + domain - 1]))
        domain--;
    const char *dot = domain ? memchr(s.text + domain_at, '.', domain) : NULL;
    return dot && dot != s.text + domain_at ? (struct found){"email", 0, local + 1 + domain} : (struct found){0};
}

/* Random text mixes all three kinds of characters and has few separators; paths and identifiers have many. */
static bool looks_random(const char *text, size_t length)
{
    size_t uppers = 0, lowers = 0, digits = 0;
    for (size_t i = 0; i < length; i++) {
        uppers += is_upper(text[i]);
        lowers += is_lower(text[i]);
        digits += is_digit(text[i]);
    }
    size_t others = length - uppers - lowers - digits;
    return uppers >= 3 && lowers >= 3 && digits >= 3 && others * 12 <= length;
}

static struct found find_run(struct span s, size_t at)
{
    size_t hex = run_length(s, at, is_hex), length = run_length(s, at, is_run_char);
    if (hex >= HEX_MIN && (at + hex == s.length || !is_alnum(s.text[at + hex])))
        return (struct found){"hex", 0, hex};
    return length >= RANDOM_MIN && looks_random(s.text + at, length) ? (struct found){"secret", 0, length} : (struct found){0};
}

/* In order: the first that finds something wins, so the better name comes first. */
static struct found find(struct span s, size_t at)
{
    static struct found (*const rules[])(struct span s, size_t at) = {find_private_key, find_assignment, find_prefix, find_jwt,
                                                                      find_email,       find_card,       find_run};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct found found = rules[i](s, at);
        if (found.kind)
            return found;
    }
    return (struct found){0};
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------------ */

/* Rules look where a word begins: "task-force" holds no key. No alphabet that a rule runs over without bound holds a character behind which it looks again,
 * so the whole costs O(length). */
static bool may_begin(struct span s, size_t at)
{
    char c = s.text[at];
    if (c == '-')
        return begins(s, at, key_begin, false);
    return is_alnum(c) && (at == 0 || !is_local_char(s.text[at - 1]) || s.text[at - 1] == '.' || s.text[at - 1] == '%');
}

bool gw_sanitize_text(const char *text, size_t length, struct gw_buffer *out)
{
    struct span s = {text, length};
    size_t copied = 0;
    bool has_found = false;
    for (size_t at = 0; at < length;) {
        struct found found = may_begin(s, at) ? find(s, at) : (struct found){0};
        if (!found.kind) {
            at++;
            continue;
        }
        has_found = true;
        gw_buffer_append(out, text + copied, at + found.keep - copied);
        gw_buffer_append_text(out, "[redacted:");
        gw_buffer_append_text(out, found.kind);
        gw_buffer_append_char(out, ']');
        copied = at += found.length;
    }
    gw_buffer_append(out, text + copied, length - copied);
    return has_found;
}

/* ---- trees ----------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *redact(const char *kind)
{
    char text[32];
    int length = snprintf(text, sizeof text, "[redacted:%s]", kind);
    return gw_json_new_text(text, (size_t)length);
}

static struct gw_json *sanitize_text(const struct gw_json *value)
{
    struct gw_buffer text;
    size_t length;
    const char *given = gw_json_text(value, &length);
    gw_buffer_init(&text, 0);
    (void)gw_sanitize_text(given, length, &text);
    struct gw_json *out = text.has_failed ? NULL : gw_json_new_text(text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    return out;
}

static struct gw_json *sanitize_array(const struct gw_json *value)
{
    struct gw_json *out = gw_json_new_array();
    for (size_t i = 0; out && i < gw_json_count(value); i++) {
        if (!gw_json_append(out, gw_sanitize_json(gw_json_at(value, i))))
            continue;
        gw_json_unref(out);
        out = NULL;
    }
    return out;
}

static struct gw_json *sanitize_member(const char *key, const struct gw_json *value)
{
    bool is_plain = gw_json_is_string(value) || gw_json_is_number(value);
    return is_plain && is_secret_name(key, strlen(key)) ? redact("secret") : gw_sanitize_json(value);
}

static struct gw_json *sanitize_object(const struct gw_json *value)
{
    struct gw_json *out = gw_json_new_object(), *member;
    void *iterator = NULL;
    const char *key;
    while (out && gw_json_next(value, &iterator, &key, &member)) {
        if (!gw_json_set(out, key, sanitize_member(key, member)))
            continue;
        gw_json_unref(out);
        out = NULL;
    }
    return out;
}

static struct gw_json *sanitize_int(const struct gw_json *value)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)gw_json_int(value));
    return is_card(digits, (size_t)length) ? redact("card") : gw_json_copy_deep(value);
}

struct gw_json *gw_sanitize_json(const struct gw_json *value)
{
    switch (gw_json_type(value)) {
    case GW_JSON_STRING:
        return sanitize_text(value);
    case GW_JSON_ARRAY:
        return sanitize_array(value);
    case GW_JSON_OBJECT:
        return sanitize_object(value);
    case GW_JSON_INT:
        return sanitize_int(value);
    default:
        return gw_json_copy_deep(value);
    }
}
