/* bench_loop.h — one reading thread of the generator: its epoll set and its counters. The thread alone writes all of
 * it; the fields marked live are read by others while it runs, the rest only after it has been joined. Internal to the fleet and its
 * subscribers. */
#ifndef GW_APP_BENCH_LOOP_H
#define GW_APP_BENCH_LOOP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "app/bench_fleet.h"
#include "app/bench_histogram.h"
#include "app/bench_order.h"
#include "app/client_stream.h"

/* value: live counters, each written by one thread */
struct gw_bench_live {
    char apart[64];                 /* keeps one thread's counters off the cache line of another's */
    atomic_uint_fast64_t delivered; /* frames that carried a marker */
    atomic_uint_fast64_t bytes, reads;
    atomic_uint_fast64_t opened, refused, lost, done;
    atomic_uint_fast64_t frame_bytes; /* of the last marked frame */
};

static inline void gw_bench_live_add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount, memory_order_relaxed);
}

struct gw_bench_loop {
    struct gw_bench_live live;
    const struct gw_bench_fleet_spec *spec;
    const atomic_uint_fast64_t *measure_from_ns, *measure_until_ns; /* the fleet's */
    struct gw_client_stream_host host;
    size_t marker_hint;
    unsigned connects_in_flight;
    struct gw_bench_counts counts;
    struct gw_bench_histogram delay, connect, catch_up;
    uint64_t last_done_ns;
};

#endif
