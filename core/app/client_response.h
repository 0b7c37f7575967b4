/* client_response.h — reads an HTTP/1.1 response (RFC 9112): head, then a body framed by length, by chunks or by the end of the connection.
 * Sans-I/O: bytes in, body bytes out, decoded in place. Trusts its peer more than a server may (it is for measuring tools); broken framing
 * is still an error and never a guess. One connection's thread. */
#ifndef GW_APP_CLIENT_RESPONSE_H
#define GW_APP_CLIENT_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gw_response_framing { GW_RESPONSE_EMPTY, GW_RESPONSE_LENGTH, GW_RESPONSE_CHUNKED, GW_RESPONSE_UNTIL_CLOSE };

/* value; zero it before each response */
struct gw_response {
    int status;
    enum gw_response_framing framing;
    bool closes_after;  /* "Connection: close" */
    uint64_t remaining; /* of the body, or of the present chunk */
    uint8_t chunk_state;
};

/* Reads the head once it is complete. Bytes consumed; 0 when more are needed; -1 when they are no response. An interim 1xx head is reported
 * like any other, with an empty body: skip it. */
ptrdiff_t gw_response_feed_head(struct gw_response *response, const char *bytes, size_t length);

/* value: what one call of gw_response_decode did */
struct gw_response_step {
    size_t consumed;  /* of the input */
    size_t produced;  /* body bytes, now at the front of `bytes` */
    bool is_complete; /* the body has ended; the rest of the input belongs to the next response */
};

/* Strips the framing from `bytes` in place. 0, or -1 when the framing is broken. */
int gw_response_decode(struct gw_response *response, char *bytes, size_t length, struct gw_response_step *step);

#endif
