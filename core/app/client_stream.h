/* client_stream.h — one stream of Server-Sent Events as a client reads it: connect, ask, then frames until it ends. Many streams share a
 * host, which belongs to one thread and holds the epoll set, the memory to read into and the callbacks. Owns its descriptor. It never
 * reconnects: a stream that has ended may be opened again by its owner. */
#ifndef GW_APP_CLIENT_STREAM_H
#define GW_APP_CLIENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/client.h"
#include "app/client_response.h"
#include "app/client_sse.h"
#include "base/buffer.h"

struct gw_client_stream;
struct gw_error;

enum gw_client_stream_state { GW_STREAM_CLOSED, GW_STREAM_CONNECTING, GW_STREAM_HEAD, GW_STREAM_OPEN };

/* value; zero it, set the callbacks and `epoll` */
struct gw_client_stream_host {
    void *self;
    int epoll;
    /* Appends the whole request: called once connected. */
    void (*on_connected)(void *self, struct gw_client_stream *stream, struct gw_buffer *request);
    void (*on_open)(void *self, struct gw_client_stream *stream); /* 200 came */
    void (*on_read)(void *self, size_t bytes);                    /* after each read; may be NULL */
    /* May close the stream: then the frames left are not delivered. */
    void (*on_frame)(void *self, struct gw_client_stream *stream, const struct gw_sse_frame *frame);
    /* It has ended, whatever the reason, and is closed. `was_open`: after the 200. Not called for gw_client_stream_close. */
    void (*on_end)(void *self, struct gw_client_stream *stream, bool was_open, const char *why);
    uint64_t now_ns; /* time of the read that the present callback comes from */
    char *scratch;   /* the host's own; release with gw_client_stream_host_fini */
    size_t scratch_capacity;
};

struct gw_client_stream {
    struct gw_client_conn conn; /* first: epoll points at it */
    enum gw_client_stream_state state;
    struct gw_response response;
    struct gw_buffer carry; /* bytes of an unfinished head or frame */
};

void gw_client_stream_host_fini(struct gw_client_stream_host *host);
void gw_client_stream_init(struct gw_client_stream *stream);
/* Begins to connect; when that fails at once no callback fires. `source`: see gw_client_connect. */
int gw_client_stream_open(struct gw_client_stream_host *host, struct gw_client_stream *stream, const struct gw_client_url *url,
                          unsigned source, struct gw_error *err);
/* Closes without a callback; also from within one. */
void gw_client_stream_close(struct gw_client_stream *stream);
void gw_client_stream_on_event(struct gw_client_stream_host *host, struct gw_client_stream *stream, uint32_t events);

#endif
