/* bench_subscriber.h — one subscriber: what it asks for and what it notes of its stream in the counters of its loop. Lives on its loop's
 * thread, in memory of the fleet. Internal to the fleet. */
#ifndef GW_APP_BENCH_SUBSCRIBER_H
#define GW_APP_BENCH_SUBSCRIBER_H

#include "app/bench_loop.h"

/* value, embedded in the fleet's array */
struct gw_bench_subscriber {
    struct gw_client_stream stream; /* first: callbacks get it */
    uint32_t index, channel;
    bool is_done;
    struct gw_bench_order *orders; /* one for each publisher of the channel; the fleet's */
    uint64_t received, order_hash, connect_ns;
};

/* Sets the callbacks of the loop's host. */
void gw_bench_subscriber_host(struct gw_bench_loop *loop);
void gw_bench_subscriber_open(struct gw_bench_loop *loop, struct gw_bench_subscriber *sub);

#endif
