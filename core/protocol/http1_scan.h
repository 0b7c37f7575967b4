/* http1_scan.h — the raw scan of a request head that http1.c runs before llhttp: finds the blank line, counts against the limits as bytes
 * arrive, and refuses the line forms that llhttp lets pass (folded lines) or that have no business in a head (bare LF and CR, control
 * characters). Knows lines, not headers. A value in the caller's memory; one thread. Only for http1.c. */
#ifndef GW_PROTOCOL_HTTP1_SCAN_H
#define GW_PROTOCOL_HTTP1_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_http1_limits;

enum gw_http1_scan_state {
    GW_SCAN_LINE_START,
    GW_SCAN_REQUEST_LINE,
    GW_SCAN_HEADER_LINE,
    GW_SCAN_LINE_FEED,       /* the CR of a line was read */
    GW_SCAN_BLANK_LINE_FEED, /* the CR of a blank line was read */
    GW_SCAN_WHOLE
};

/* value; zeroed = before the first byte */
struct gw_http1_scan {
    enum gw_http1_scan_state state;
    bool has_skipped_blank; /* RFC 9112 2.2: one empty line may come before the request line */
    bool has_request_line;
    size_t word;       /* of the request line: method, target, version */
    size_t word_bytes; /* of the present word */
    size_t header_count;
    size_t header_bytes;
};

/* Scans up to the end of the head; *used bytes belong to it. The head is whole when scan->state is GW_SCAN_WHOLE. Errors as in http1.h. */
int gw_http1_scan_feed(struct gw_http1_scan *scan, const struct gw_http1_limits *limits, const char *bytes, size_t length, size_t *used,
                       struct gw_error *err);

#endif
