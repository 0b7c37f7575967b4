/* bench_wire.h — one publishing connection: bytes out, answers in, the start times of what is in flight. Knows nothing of channels or jobs.
 * Lives on the thread that polls it; owns its descriptor. A broken connection is reported once and stays closed until opened again. */
#ifndef GW_APP_BENCH_WIRE_H
#define GW_APP_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/bench_loop.h"
#include "app/client.h"
#include "app/client_response.h"
#include "base/buffer.h"

/* value: a request in flight */
struct gw_bench_flight {
    uint64_t started_ns; /* the intended time in an open loop */
    uint32_t fan;        /* deliveries that it ought to cause */
    bool is_setup;
};

struct gw_bench_wire;

/* value: what the owner wants to know. `status` is 0 when the connection was lost; `body` is the beginning of an answer that is not 2xx. */
struct gw_bench_wire_owner {
    void *self;
    void (*on_answer)(void *self, struct gw_bench_wire *wire, const struct gw_bench_flight *flight, int status);
    void (*on_lost)(void *self, struct gw_bench_wire *wire, const char *why);
};

struct gw_bench_wire {
    struct gw_bench_conn conn; /* first: epoll points at it */
    const struct gw_bench_wire_owner *owner;
    size_t index;
    int epoll;
    bool is_open, is_armed; /* connected · waits for room to write */
    struct gw_buffer out, in;
    struct gw_response response;
    bool has_head;
    char refusal[160];               /* status line or body of the last answer that was not 2xx */
    struct gw_bench_flight *flights; /* a ring of `depth` */
    size_t depth, first, in_flight;
};

void gw_bench_wire_init(struct gw_bench_wire *wire, const struct gw_bench_wire_owner *owner, size_t depth);
void gw_bench_wire_fini(struct gw_bench_wire *wire);
int gw_bench_wire_open(struct gw_bench_wire *wire, const struct gw_client_url *url, struct gw_error *err);
void gw_bench_wire_close(struct gw_bench_wire *wire);
/* Notes a request whose bytes the caller has appended to wire->out. There must be room: in_flight < depth. */
void gw_bench_wire_note(struct gw_bench_wire *wire, const struct gw_bench_flight *flight);
void gw_bench_wire_flush(struct gw_bench_wire *wire);
void gw_bench_wire_on_event(struct gw_bench_wire *wire, uint32_t events);

#endif
