#include "hub/refuse_bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/json.h"
#include "base/plain.h"
#include "hub/pointer.h"

/* value: bytes that are read, not owned */
struct span {
    const char *text;
    size_t length;
};

static bool is_run_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '_' || c == '-';
}

static int refuse_run(size_t max_run, struct gw_error *err)
{
    gw_error_limit(err, "bytes_refused", "max_base64_run", (int64_t)max_run,
                   "an unbroken run of more than %zu base64 or hex characters is refused as bytes", max_run);
    err->code = GW_EINVAL;
    return GW_EINVAL;
}

/* The longest unbroken run, where `before` run bytes precede the text and `after` follow it. */
static size_t longest_run(struct span s, size_t before, size_t after)
{
    size_t longest = 0, run = before;
    for (size_t i = 0; i < s.length; i++) {
        if (is_run_byte(s.text[i])) {
            run++;
            continue;
        }
        longest = run > longest ? run : longest;
        run = 0;
    }
    run += after;
    return run > longest ? run : longest;
}

static size_t run_at_end(struct span s)
{
    size_t run = 0;
    while (run < s.length && is_run_byte(s.text[s.length - 1 - run]))
        run++;
    return run;
}

static size_t run_at_start(struct span s)
{
    size_t run = 0;
    while (run < s.length && is_run_byte(s.text[run]))
        run++;
    return run;
}

/* C0 but \t \n \r, DEL, and C1, which UTF-8 writes as C2 80 … C2 9F. */
static bool is_control_at(struct span s, size_t i)
{
    unsigned char c = (unsigned char)s.text[i];
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    if (c != 0xC2)
        return c == 0x7F;
    return i + 1 < s.length && (unsigned char)s.text[i + 1] < 0xA0;
}

static int refuse_controls(struct span s, struct gw_error *err)
{
    for (size_t i = 0; (i += gw_plain_of_controls(s.text + i, s.length - i)) < s.length; i++) {
        if (!is_control_at(s, i))
            continue;
        unsigned char c = (unsigned char)s.text[i];
        unsigned code = c == 0xC2 ? (unsigned char)s.text[i + 1] : c;
        return gw_error_set(err, GW_EINVAL, "bytes_refused", "the control character U+%04X is refused", code);
    }
    return GW_OK;
}

/* RFC 6838 section 4.2: top-level types of media that are not text. */
static bool is_media_type(struct span header)
{
    static const char *const types[] = {"application/", "audio/",   "chemical/", "example/",   "font/", "haptics/",
                                        "image/",       "message/", "model/",    "multipart/", "video/"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t length = strlen(types[i]);
        if (header.length > length && strncasecmp(header.text, types[i], length) == 0)
            return true;
    }
    return false;
}

/* WHATWG Fetch, "data: URL processor", step 11: the header ends in ";", spaces, "base64", compared without case. */
static bool ends_in_base64(struct span header)
{
    static const char word[] = "base64";
    size_t length = header.length;
    while (length && header.text[length - 1] == ' ')
        length--;
    if (length < sizeof word || strncasecmp(header.text + length - (sizeof word - 1), word, sizeof word - 1) != 0)
        return false;
    length -= sizeof word - 1;
    while (length && header.text[length - 1] == ' ')
        length--;
    return length && header.text[length - 1] == ';';
}

static bool is_word_byte(char c) { return is_run_byte(c) && c != '+' && c != '/'; }

/* A data: header is what stands between "data:" and the first comma; no line break or tag can be in one that a browser would read. A media
 * type counts only where a URI could begin ("metadata:image/png," is code), the base64 mark counts everywhere. */
static bool is_refused_uri(struct span after_colon, bool may_begin)
{
    size_t reach = after_colon.length < GW_REFUSE_HEADER_MAX ? after_colon.length : GW_REFUSE_HEADER_MAX;
    const char *comma = memchr(after_colon.text, ',', reach);
    if (!comma)
        return false;
    struct span header = {after_colon.text, (size_t)(comma - after_colon.text)};
    if (memchr(header.text, '\n', header.length) || memchr(header.text, '<', header.length))
        return false;
    return ends_in_base64(header) || (may_begin && is_media_type(header) && !memchr(header.text, ' ', header.length));
}

static int refuse_uris(struct span s, struct gw_error *err)
{
    static const char scheme[] = "data:";
    size_t length = sizeof scheme - 1;
    const char *at = s.text, *end = s.text + s.length;
    while (at < end && (at = memchr(at, ':', (size_t)(end - at)))) {
        at++;
        if ((size_t)(at - s.text) < length || strncasecmp(at - length, scheme, length) != 0)
            continue;
        bool may_begin = at - length == s.text || !is_word_byte(at[-(ptrdiff_t)length - 1]);
        if (is_refused_uri((struct span){at, (size_t)(end - at)}, may_begin))
            return gw_error_set(err, GW_EINVAL, "bytes_refused",
                                "a data: URI that carries bytes is refused: store an artifact and refer to it");
    }
    return GW_OK;
}

static int judge(struct span s, size_t max_run, struct gw_error *err)
{
    int status = refuse_controls(s, err);
    if (!status)
        status = refuse_uris(s, err);
    if (!status && s.length > max_run && longest_run(s, 0, 0) > max_run)
        status = refuse_run(max_run, err);
    return status;
}

int gw_refuse_bytes_text(const char *text, size_t length, size_t max_run, struct gw_error *err)
{
    return judge((struct span){text, length}, max_run, err);
}

static int judge_array(const struct gw_json *value, size_t max_run, struct gw_error *err)
{
    for (size_t i = 0; i < gw_json_count(value); i++) {
        int status = gw_refuse_bytes_json(gw_json_at(value, i), max_run, err);
        if (!status)
            continue;
        gw_pointer_prefix_index(err, i);
        return status;
    }
    return GW_OK;
}

static int judge_object(const struct gw_json *value, size_t max_run, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    while (gw_json_next(value, &iterator, &key, &member)) {
        int status = gw_refuse_bytes_text(key, strlen(key), max_run, err);
        if (!status)
            status = gw_refuse_bytes_json(member, max_run, err);
        if (!status)
            continue;
        gw_pointer_prefix(err, key);
        return status;
    }
    return GW_OK;
}

/* Recurses as deep as the parser let the document be. */
int gw_refuse_bytes_json(const struct gw_json *value, size_t max_run, struct gw_error *err)
{
    if (gw_json_is_object(value))
        return judge_object(value, max_run, err);
    if (gw_json_is_array(value))
        return judge_array(value, max_run, err);
    if (!gw_json_is_string(value))
        return GW_OK;
    size_t length;
    const char *text = gw_json_text(value, &length);
    return gw_refuse_bytes_text(text, length, max_run, err);
}

static struct span head_of(struct span s, size_t length) { return (struct span){s.text, s.length < length ? s.length : length}; }

static struct span tail_of(struct span s, size_t length)
{
    return s.length < length ? s : (struct span){s.text + s.length - length, length};
}

static size_t put(char *window, size_t at, struct span s)
{
    if (s.length)
        memcpy(window + at, s.text, s.length);
    return at + s.length;
}

/* A data: header may begin left of the change, end right of it, or both. When the insertion is longer than a header, its two edges are
 * judged apart. */
static int judge_edges(struct span left, struct span ins, struct span right, struct gw_error *err)
{
    char window[3 * (GW_REFUSE_HEADER_MAX + 8)];
    const size_t reach = GW_REFUSE_HEADER_MAX + 8;
    bool is_short = ins.length <= reach;
    size_t length = put(window, 0, tail_of(left, reach));
    length = put(window, length, head_of(ins, reach));
    if (is_short)
        length = put(window, length, head_of(right, reach));
    int status = refuse_uris((struct span){window, length}, err);
    if (status || is_short)
        return status;
    length = put(window, 0, tail_of(ins, reach));
    length = put(window, length, head_of(right, reach));
    return refuse_uris((struct span){window, length}, err);
}

bool gw_refuse_bytes_has_break(const char *text, size_t length)
{
    struct span s = {text, length};
    return run_at_end(s) < length;
}

int gw_refuse_bytes_change(const struct gw_refuse_change *change, size_t max_run, struct gw_error *err)
{
    struct span left = {change->left, change->left_length}, ins = {change->ins, change->ins_length},
                right = {change->right, change->right_length};
    int status = refuse_controls(ins, err);
    if (!status && ins.length > GW_REFUSE_HEADER_MAX)
        status = refuse_uris(ins, err);
    if (!status)
        status = judge_edges(left, ins, right, err);
    if (!status && longest_run(ins, run_at_end(left), run_at_start(right)) > max_run)
        status = refuse_run(max_run, err);
    return status;
}
