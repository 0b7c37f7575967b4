/* sse.h — Server-Sent Events (WHATWG HTML 9.2): frames appended to a buffer, and an incremental parser for clients and tests. Every frame
 * ends with a blank line, so frames can be concatenated and cut apart. Sans-I/O; one thread at a time. Holds no reconnect logic. */
#ifndef GW_PROTOCOL_SSE_H
#define GW_PROTOCOL_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_error;
struct gw_sse_parser;

/* Begins a frame, up to and with "data: "; append the data (one line: no CR, no LF), then end it. `event` and `id` are one line each
 * (asserted); NULL = absent. */
void gw_sse_begin(struct gw_buffer *out, const char *event, const char *id);
void gw_sse_end(struct gw_buffer *out);
/* A whole frame; the data is asserted to be one line. */
void gw_sse_write(struct gw_buffer *out, const char *event, const char *id, const char *data, size_t length);
/* "id: …": moves the reader's cursor and dispatches nothing. */
void gw_sse_write_id(struct gw_buffer *out, const char *id);
/* ": text": no event; keeps proxies and readers awake. `text` is one line (asserted). */
void gw_sse_write_comment(struct gw_buffer *out, const char *text);
/* "retry: ms": the reader's reconnection time. */
void gw_sse_write_retry(struct gw_buffer *out, uint64_t ms);

/* value: one block of the stream; text is NUL-terminated, borrowed during the callback and passed on as it came (UTF-8 is not checked) */
struct gw_sse_event {
    const char *type; /* "message" when the field is absent */
    const char *data; /* lines joined by LF; NULL: an id-only block, which an EventSource does not dispatch */
    size_t data_length;
    const char *last_event_id; /* "" until one came */
    bool has_id;               /* the block itself carried a valid id */
};
/* value */
struct gw_sse_events {
    void (*on_event)(void *user, const struct gw_sse_event *event);
    void (*on_retry)(void *user, uint64_t ms); /* may be NULL */
};

/* NULL when memory is gone. `events` must outlive the parser. `max_block_bytes` bounds one line, and all data of one block. */
struct gw_sse_parser *gw_sse_parser_create(const struct gw_sse_events *events, void *user, size_t max_block_bytes);
void gw_sse_parser_destroy(struct gw_sse_parser *parser);
/* Pushes bytes; all are consumed. GW_ELIMIT (sse_block_too_large) and GW_ENOMEM end the parser's use. A block that the end of the stream
 * cuts off is, rightly, never delivered. */
int gw_sse_parser_feed(struct gw_sse_parser *parser, const char *bytes, size_t length, struct gw_error *err);

#endif
