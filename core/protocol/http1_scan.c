#include "protocol/http1_scan.h"

#include <stdint.h>

#include "base/error.h"
#include "base/plain.h"
#include "protocol/http1.h"

enum { METHOD_MAX_BYTES = 32, VERSION_MAX_BYTES = 16 };

static bool is_control(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }

static int refuse_control(unsigned char c, struct gw_error *err)
{
    if (c == '\n')
        return gw_error_set(err, GW_EINVAL, "bare_line_feed", "A line of the request ends with LF alone; CR LF is needed");
    return gw_error_set(err, GW_EINVAL, "control_character", "The request head holds the control character 0x%02x", c);
}

/* RFC 9112 section 3: three words, single spaces. Longer words than these can be no request, so they are refused before they are gathered.
 */
static int count_word(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    if (c == ' ' && scan->word < 2) {
        scan->word++;
        scan->word_bytes = 0;
        return 0;
    }
    scan->word_bytes++;
    if (scan->word == 1 && scan->word_bytes > limits->max_target_bytes)
        return gw_error_limit(err, "target_too_long", "max_target_bytes", (int64_t)limits->max_target_bytes,
                              "The request target is longer than %zu bytes", limits->max_target_bytes);
    if ((scan->word == 0 && scan->word_bytes > METHOD_MAX_BYTES) || (scan->word == 2 && scan->word_bytes > VERSION_MAX_BYTES))
        return gw_error_set(err, GW_EINVAL, "bad_request_line", "This is not an HTTP request line");
    return 0;
}

static int count_header_byte(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, struct gw_error *err)
{
    scan->header_bytes++;
    if (scan->header_bytes <= limits->max_header_bytes)
        return 0;
    return gw_error_limit(err, "headers_too_large", "max_header_bytes", (int64_t)limits->max_header_bytes,
                          "The header lines are longer than %zu bytes together", limits->max_header_bytes);
}

static int begin_header(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    if (c == ' ' || c == '\t')
        return gw_error_set(err, GW_EINVAL, "folded_header", "A header line begins with white space (RFC 9112 section 5.2)");
    scan->state = GW_SCAN_HEADER_LINE;
    scan->header_count++;
    if (scan->header_count > limits->max_header_count)
        return gw_error_limit(err, "too_many_headers", "max_header_count", (int64_t)limits->max_header_count, "More than %zu header lines",
                              limits->max_header_count);
    return count_header_byte(scan, limits, err);
}

static int begin_line(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    if (c == '\r') {
        scan->state = GW_SCAN_BLANK_LINE_FEED;
        return 0;
    }
    if (is_control(c))
        return refuse_control(c, err);
    if (scan->has_request_line)
        return begin_header(scan, limits, c, err);
    scan->has_request_line = true;
    scan->state = GW_SCAN_REQUEST_LINE;
    return count_word(scan, limits, c, err);
}

static int continue_line(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    bool is_header = scan->state == GW_SCAN_HEADER_LINE;
    if (is_control(c) && c != '\r')
        return refuse_control(c, err);
    if (c == '\r')
        scan->state = GW_SCAN_LINE_FEED;
    else if (!is_header)
        return count_word(scan, limits, c, err);
    return is_header ? count_header_byte(scan, limits, err) : 0;
}

static int end_line(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    bool is_blank = scan->state == GW_SCAN_BLANK_LINE_FEED;
    if (c != '\n')
        return refuse_control('\r', err);
    scan->state = is_blank && scan->has_request_line ? GW_SCAN_WHOLE : GW_SCAN_LINE_START;
    if (!is_blank && scan->header_count > 0)
        return count_header_byte(scan, limits, err);
    if (!is_blank || scan->has_request_line)
        return 0;
    if (scan->has_skipped_blank)
        return gw_error_set(err, GW_EINVAL, "bad_request_line", "More than one empty line before the request line");
    scan->has_skipped_blank = true;
    return 0;
}

static int scan_byte(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, unsigned char c, struct gw_error *err)
{
    switch (scan->state) {
    case GW_SCAN_LINE_START:
        return begin_line(scan, limits, c, err);
    case GW_SCAN_REQUEST_LINE:
    case GW_SCAN_HEADER_LINE:
        return continue_line(scan, limits, c, err);
    default:
        return end_line(scan, limits, c, err);
    }
}

/* The bytes of a header line that need no judgement, at once, as far as the limit leaves room: the refusal stays in one place. */
static size_t skip_plain(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, const char *bytes, size_t length)
{
    size_t count = 0, room = limits->max_header_bytes - scan->header_bytes;
    if (scan->state != GW_SCAN_HEADER_LINE)
        return 0;
    if (length > room)
        length = room;
    while ((count += gw_plain_of_controls(bytes + count, length - count)) < length && !is_control((unsigned char)bytes[count]))
        count++;
    scan->header_bytes += count;
    return count;
}

int gw_http1_scan_feed(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, const char *bytes, size_t length, size_t *used,
                       struct gw_error *err)
{
    int rc = 0;
    *used = 0;
    while (*used < length && scan->state != GW_SCAN_WHOLE && rc == 0) {
        *used += skip_plain(scan, limits, bytes + *used, length - *used);
        if (*used < length)
            rc = scan_byte(scan, limits, (unsigned char)bytes[(*used)++], err);
    }
    return rc;
}
