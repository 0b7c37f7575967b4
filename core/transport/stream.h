/* stream.h — one event stream: a subscriber of the hub on a connection. Adds what the hub does not know: the first frame, heartbeats, the bearer's end and its
 * renewal, goaway. Small, because there are very many. Lives on its worker. */
#ifndef GW_TRANSPORT_STREAM_H
#define GW_TRANSPORT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/id.h"
#include "hub/subscriber.h"
#include "io/timer.h"

struct gw_arrival;
struct gw_connection;
struct gw_identity;
struct gw_server;

/* "w1.", 22 characters of base64url, NUL */
#define GW_STREAM_ID_MAX 40

struct gw_stream {
    struct gw_subscriber subscriber; /* first */
    struct gw_connection *connection;
    struct gw_identity *identity;
    char *from;            /* surface id and app id, each with its NUL; the rest of the scope is the view's */
    struct gw_timer timer; /* heartbeat and the bearer's end, whichever is next */
    int64_t expires_at_ms;
    uint64_t written_at_ms;
    char *head; /* the response's head, until it is sent */
    uint32_t head_length, head_sent;
    bool was_warned, is_leaving, is_counted;
    bool has_new_lens; /* to be told with the next verdict */
    char id[GW_STREAM_ID_MAX];
};

/* The connection closes: nothing is sent any more. */
void gw_stream_stop(struct gw_stream *stream);
void gw_stream_destroy(struct gw_stream *stream);
void gw_stream_writable(struct gw_stream *stream);
/* Tells the peer to reconnect elsewhere, and ends. */
void gw_stream_goaway(struct gw_stream *stream, const char *reason, uint32_t after_ms);
/* A frame of the stream's own, in the scope that it was opened with; `data` is JSON text. */
void gw_stream_write_frame(const struct gw_stream *stream, const char *type, const char *data, struct gw_buffer *out);
/* Ends with such a frame. */
void gw_stream_finish(struct gw_stream *stream, const char *type, const char *data);

/* Its actor, as it is seen to come. */
struct gw_arrival gw_stream_arrival(const struct gw_stream *stream);

/* stream_lens.c */
/* Asks ahead for the lens that the policies which are about to come give its actor. Nothing else changes. */
void gw_stream_prepare_lens(const struct gw_stream *stream);
/* The policies are other ones: shows nothing until it has been asked under which lens it goes on. */
void gw_stream_hold_lens(struct gw_stream *stream);
/* Goes on under the lens that the policies give its actor now, or ends. True: it is another lens. The stream may be gone afterwards. */
bool gw_stream_ask_lens(struct gw_stream *stream);
/* This identity's lens is the one that the stream shows. GW_EDENIED not_covered. */
int gw_stream_check_lens(const struct gw_stream *stream, const struct gw_identity *identity, struct gw_error *err);

/* A fresh bearer of the same actor. GW_EDENIED otherwise, or when it does not cover the stream. */
int gw_stream_renew(struct gw_stream *stream, struct gw_identity *identity, struct gw_error *err);

#endif
