/* client_sse.h — splits a stream of Server-Sent Events (WHATWG HTML 9.2.6) into frames without copying them: what a reader of millions of
 * frames a second needs. Sans-I/O. Frames borrow the caller's bytes; those of whole frames may be rearranged. Line ends are LF or CRLF; a
 * bare CR is not taken for one. Holds no reconnect logic. */
#ifndef GW_APP_CLIENT_SSE_H
#define GW_APP_CLIENT_SSE_H

#include <stdbool.h>
#include <stddef.h>

/* value: one frame; pointers are valid during the callback, NULL when the field is absent */
struct gw_sse_frame {
    const char *event, *id, *data;
    size_t event_length, id_length, data_length;
    size_t byte_count; /* of the frame on the wire, with its blank line and any comments before it */
};

typedef void (*gw_sse_on_frame)(void *arg, const struct gw_sse_frame *frame);

/* Calls `on_frame` for each complete frame that carries a field (comments alone call nothing) and returns how many bytes belong to
 * complete frames. The caller keeps the rest and puts it before the next bytes. */
size_t gw_sse_split(char *bytes, size_t length, gw_sse_on_frame on_frame, void *arg);
/* True when the frame's event field is `name`; an absent field is "message". */
bool gw_sse_frame_is(const struct gw_sse_frame *frame, const char *name);

#endif
