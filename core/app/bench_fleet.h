/* bench_fleet.h — many subscribers on a few threads: connects them at a given pace, reads their streams and counts. The first thread also
 * drives the publisher, so that a generator bound to one core needs no locks and no wake-ups. Owns threads and sockets. The functions below
 * are called from the thread that created it. A subscriber that is refused or cut is counted, not reconnected. */
#ifndef GW_APP_BENCH_FLEET_H
#define GW_APP_BENCH_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/bench_histogram.h"
#include "app/bench_lines.h"
#include "app/bench_options.h"
#include "app/bench_order.h"
#include "app/bench_request.h"

struct gw_bench_fleet;
struct gw_bench_publisher;

/* value; everything in it outlives the fleet */
struct gw_bench_fleet_spec {
    const struct gw_bench_options *options;
    const struct gw_bench_request *subscribe; /* may be NULL when there are no subscribers */
    const struct gw_bench_lines *bearers;
    const char *tag;
    size_t subscriber_count;
    size_t publishers_per_channel;        /* sequences to follow on each stream */
    struct gw_bench_publisher *publisher; /* or NULL */
    const struct gw_bench_lines *cursors; /* one a channel, sent as Last-Event-ID; or NULL */
    uint64_t first_seq;                   /* that each stream ought to see */
    uint64_t last_seq;                    /* a stream that has it is done; 0: none */
    char **id_log;                        /* id of event `seq` of channel c at c * (last_seq + 1) + seq, when not NULL */
};

enum gw_bench_verdict { GW_BENCH_EXACT, GW_BENCH_RESET, GW_BENCH_FRESH, GW_BENCH_RETRY, GW_BENCH_VERDICT_COUNT };

/* value: what only the end tells */
struct gw_bench_counts {
    struct gw_bench_order_counts order;
    uint64_t missing_tail; /* ends of sequences that never came */
    uint64_t foreign;      /* marked frames of another channel */
    uint64_t divergent;    /* streams whose order or content differs from that of the channel's first */
    uint64_t other_frames; /* without a marker, or of another type than is counted */
    uint64_t verdicts[GW_BENCH_VERDICT_COUNT];
    char first_error[160];
};

/* value: running sums over all threads */
struct gw_bench_progress {
    uint64_t delivered, bytes, reads, opened, refused, lost, done, frame_bytes;
};

/* value: read after the stop */
struct gw_bench_fleet_result {
    struct gw_bench_progress progress;
    struct gw_bench_counts counts;
    struct gw_bench_histogram delay, connect, catch_up;
    uint64_t first_connect_ns, last_done_ns;
    uint64_t exact_streams; /* that got first_seq … last_seq, all and once */
};

struct gw_bench_fleet *gw_bench_fleet_create(const struct gw_bench_fleet_spec *spec, struct gw_error *err);
/* Begins to connect. */
void gw_bench_fleet_connect(struct gw_bench_fleet *fleet);
void gw_bench_fleet_progress(const struct gw_bench_fleet *fleet, struct gw_bench_progress *out);
/* Delays are recorded for messages whose time lies in [from, until). */
void gw_bench_fleet_measure(struct gw_bench_fleet *fleet, uint64_t from_ns, uint64_t until_ns);
/* Ends the threads, closes the streams and fills in the result; `fleet` lives on until destroyed. */
void gw_bench_fleet_stop(struct gw_bench_fleet *fleet, struct gw_bench_fleet_result *out);
void gw_bench_fleet_destroy(struct gw_bench_fleet *fleet);

/* Deliveries seen by all threads so far; any thread. */
uint64_t gw_bench_fleet_delivered(const struct gw_bench_fleet *fleet);
/* Subscribers of `channel`. */
uint64_t gw_bench_fleet_fan(const struct gw_bench_fleet_spec *spec, size_t channel);

#endif
