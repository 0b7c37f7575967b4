/* client_wire.h — one connection that sends requests and takes their answers in order, several in flight (RFC 9112 section 9.3.2): bytes
 * out, answers in, a note for each request under way. Knows nothing of what is asked. Lives on the thread that polls it; owns its
 * descriptor. A connection that breaks is reported once and stays closed until opened again. */
#ifndef GW_APP_CLIENT_WIRE_H
#define GW_APP_CLIENT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/client.h"
#include "app/client_response.h"
#include "base/buffer.h"

struct gw_client_wire;

/* value: a request under way; both members are the owner's */
struct gw_client_flight {
    uint64_t started_ns;
    uint64_t tag;
};

/* value: an answer, borrowed during the callback. `status` is 0 when the connection was lost; of a long body only the beginning is kept. */
struct gw_client_answer {
    int status;
    const char *body;
    size_t body_length;
};

/* value */
struct gw_client_wire_owner {
    void *self;
    void (*on_answer)(void *self, struct gw_client_wire *wire, const struct gw_client_flight *flight,
                      const struct gw_client_answer *answer);
    void (*on_lost)(void *self, struct gw_client_wire *wire, const char *why); /* after an on_answer for each request under way */
};

struct gw_client_wire {
    struct gw_client_conn conn; /* first: epoll points at it */
    const struct gw_client_wire_owner *owner;
    size_t index;  /* the owner's */
    int epoll;     /* set before opening */
    bool is_open;  /* connected */
    bool is_armed; /* waits for room to write */
    bool has_head;
    struct gw_buffer out, in, body;
    struct gw_response response;
    struct gw_client_flight *flights; /* a ring of `depth` */
    size_t depth, first, in_flight;
};

void gw_client_wire_init(struct gw_client_wire *wire, const struct gw_client_wire_owner *owner, size_t depth);
void gw_client_wire_fini(struct gw_client_wire *wire);
int gw_client_wire_open(struct gw_client_wire *wire, const struct gw_client_url *url, struct gw_error *err);
/* Silently: what is under way is forgotten. */
void gw_client_wire_close(struct gw_client_wire *wire);
/* Notes a request whose bytes the caller has appended to wire->out. There must be room: in_flight < depth. */
void gw_client_wire_note(struct gw_client_wire *wire, const struct gw_client_flight *flight);
void gw_client_wire_flush(struct gw_client_wire *wire);
void gw_client_wire_on_event(struct gw_client_wire *wire, uint32_t events);

#endif
