/* http1_reply.h — the head of an HTTP/1.1 answer and chunk framing (RFC 9112 sections 4, 6, 7.1), appended to a buffer. Pure; any thread.
 */
#ifndef GW_PROTOCOL_HTTP1_REPLY_H
#define GW_PROTOCOL_HTTP1_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/http1.h"

struct gw_buffer;
struct gw_error;

enum gw_http1_framing {
    GW_HTTP1_LENGTH,      /* Content-Length: content_length */
    GW_HTTP1_CHUNKED,     /* Transfer-Encoding: chunked */
    GW_HTTP1_UNTIL_CLOSE, /* the end of the connection ends the body; implies Connection: close */
    GW_HTTP1_NO_BODY      /* 1xx, 204, 304: no framing header */
};

/* value */
struct gw_http1_reply {
    int status;
    enum gw_http1_framing framing;
    uint64_t content_length;
    bool closes; /* Connection: close */
    const struct gw_http1_header *headers;
    size_t header_count;
};
/* A header from text; for arrays of headers. */
#define GW_HTTP1_HEADER(n, v) ((struct gw_http1_header){(n), (v), strlen(n), strlen(v)})

/* Appends status line, headers and blank line. GW_EINVAL (bad_header), with nothing appended: a name that is no token, or a value with a
 * control character (it would split the answer). Lack of memory shows as out->has_failed. */
int gw_http1_write_head(const struct gw_http1_reply *reply, struct gw_buffer *out, struct gw_error *err);

/* "OK", "Not Found" …; "" for a status without a registered reason. */
const char *gw_http1_reason(int status);

#define GW_HTTP1_CHUNK_PREFIX_MAX 18
#define GW_HTTP1_CHUNK_SUFFIX     "\r\n"
#define GW_HTTP1_CHUNK_LAST       "0\r\n\r\n"
/* Writes "1f4\r\n" (no NUL) for a chunk of `length` > 0 bytes and returns the number of characters. */
size_t gw_http1_chunk_prefix(size_t length, char out[GW_HTTP1_CHUNK_PREFIX_MAX]);

#endif
