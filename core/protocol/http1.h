/* http1.h — HTTP/1.1 and 1.0 requests, server side (RFC 9110, RFC 9112): bytes in, one request at a time out. Two parsers must agree: a
 * scan of the raw head, which alone can see folded lines, and llhttp in strict mode. Owns the bytes of the present head. Sans-I/O; one
 * thread.
 *
 * Refused beyond what the RFCs demand: bare LF, empty or duplicate Host, any duplicate of a header that may come once, Transfer-Encoding
 * other than `chunked`, trailer fields, CONNECT, control and non-ASCII characters in the target, wrong percent-encoding in the path.
 * Timeouts are the caller's (gw_http1_phase tells what is awaited). Not for answers: http1_reply.h. */
#ifndef GW_PROTOCOL_HTTP1_H
#define GW_PROTOCOL_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_http1;

/* value: inclusive maxima */
struct gw_http1_limits {
    size_t max_target_bytes; /* 8,192 */
    size_t max_header_bytes; /* all header lines with their line ends: 16,384 */
    size_t max_header_count; /* 64 */
    size_t max_body_bytes;   /* 262,144; a handler may change it per request */
};
void gw_http1_limits_default(struct gw_http1_limits *limits);

/* value; text is not NUL-terminated */
struct gw_http1_header {
    const char *name, *value; /* value without the white space around it */
    size_t name_length, value_length;
};

/* value: all pointers are valid until gw_http1_resume after on_end, or gw_http1_destroy */
struct gw_http1_request {
    const char *method, *path, *query; /* method NUL-terminated, upper case; path raw, begins with '/' or is "*" (OPTIONS only); query
                                          without '?', length 0 = none */
    size_t path_length, query_length;
    const char *host; /* authority of an absolute target, else the Host header; length 0 only on 1.0 */
    size_t host_length;
    const struct gw_http1_header *headers; /* in order of arrival */
    size_t header_count;
    int version_minor; /* 0 or 1 */
    bool keep_alive;
    bool is_chunked;
    bool has_content_length;
    uint64_t content_length;
    bool expects_continue; /* answer 100 before reading the body, or a final status instead */
    bool is_upgrade;       /* Upgrade and Connection: upgrade were sent; bytes after on_end belong to the new protocol if it is granted */
};

/* Called from inside gw_http1_feed, which they may not call; they may call pause, set_max_body and phase, and not destroy. */
struct gw_http1_events {
    void (*on_head)(void *user, const struct gw_http1_request *request);
    void (*on_body)(void *user, const char *bytes, size_t length); /* length > 0; bytes are the feeder's */
    void (*on_end)(void *user);
};

enum gw_http1_phase {
    GW_HTTP1_IDLE, /* nothing of the next request has come */
    GW_HTTP1_HEAD,
    GW_HTTP1_BODY,
    GW_HTTP1_ENDED, /* on_end was called; waits for gw_http1_resume */
    GW_HTTP1_FAILED
};

/* NULL when memory is gone. `events` must outlive the parser. */
struct gw_http1 *gw_http1_create(const struct gw_http1_limits *limits, const struct gw_http1_events *events, void *user);
void gw_http1_destroy(struct gw_http1 *parser);

/* Pushes bytes. *consumed bytes are used up; the rest, which is none unless the parser is paused, stays with the caller for the next call.
 * The parser pauses itself after on_end, so that pipelined requests are taken one at a time. After a failure the connection can only be
 * answered with gw_http1_status() and closed; further calls give GW_ESTATE. Errors (err->id, status): bad_request_line 400 · bad_target 400
 * · target_too_long 414 · version_not_supported 505 · method_not_supported 501 · bad_header 400 · folded_header 400 · bare_line_feed 400 ·
 * control_character 400 · duplicate_header 400 · headers_too_large 431 · too_many_headers 431 · missing_host 400 · bad_host 400 ·
 * bad_content_length 400 · bad_transfer_encoding 400 · transfer_coding_not_supported 501 · expectation_failed 417 · body_too_large 413 ·
 * bad_chunk 400 · trailers_refused 400 · out_of_memory 503. */
int gw_http1_feed(struct gw_http1 *parser, const char *bytes, size_t length, size_t *consumed, struct gw_error *err);
/* HTTP status of the failure; 0 when there was none. */
int gw_http1_status(const struct gw_http1 *parser);

/* Stops after the present event. Idempotent. */
void gw_http1_pause(struct gw_http1 *parser);
/* Goes on: with the body, or after on_end with the next request, which needs the last one's keep_alive (asserted). Events come out of the
 * next feed: feed what was left, even if that is nothing. */
void gw_http1_resume(struct gw_http1 *parser);
bool gw_http1_is_paused(const struct gw_http1 *parser);
enum gw_http1_phase gw_http1_phase(const struct gw_http1 *parser);
/* The largest body of the present request; effective from on_head on, where a larger Content-Length is refused before any byte of it is
 * read. The refusal names the limit by `limit_name`, a literal. */
void gw_http1_set_max_body(struct gw_http1 *parser, size_t max_bytes, const char *limit_name);

/* The first header of that name (ASCII case-insensitive), or NULL. */
const struct gw_http1_header *gw_http1_find(const struct gw_http1_request *request, const char *name);
/* The value of `header` is `text`, ASCII case-insensitive; false for NULL. */
bool gw_http1_header_is(const struct gw_http1_header *header, const char *text);

#endif
