/* bench_subscriber.h — one subscriber: connects, asks for its stream, reads frames and notes what it sees in the counters of its loop.
 * Lives on its loop's thread, in memory of the fleet. Internal to the fleet. */
#ifndef GW_APP_BENCH_SUBSCRIBER_H
#define GW_APP_BENCH_SUBSCRIBER_H

#include "app/bench_loop.h"
#include "app/client_response.h"
#include "base/buffer.h"

enum gw_bench_subscriber_state { GW_BENCH_SUB_NEW, GW_BENCH_SUB_CONNECTING, GW_BENCH_SUB_HEAD, GW_BENCH_SUB_STREAM, GW_BENCH_SUB_CLOSED };

/* value, embedded in the fleet's array */
struct gw_bench_subscriber {
    struct gw_bench_conn conn; /* first: epoll points at it */
    enum gw_bench_subscriber_state state;
    uint32_t index, channel;
    bool is_done;
    struct gw_response response;
    struct gw_buffer carry;        /* bytes of an unfinished head or frame */
    struct gw_bench_order *orders; /* one for each publisher of the channel; the fleet's */
    uint64_t received, order_hash, connect_ns;
};

void gw_bench_subscriber_open(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub);
void gw_bench_subscriber_on_event(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub, uint32_t events);
void gw_bench_subscriber_fini(struct gw_bench_subscriber *sub);

#endif
