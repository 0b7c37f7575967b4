/* bench_publisher.h — publishes messages over keep-alive connections with several requests in flight: in a closed loop as fast as answers
 * and deliveries allow, or in an open loop at a rate. Runs on the fleet's first thread between attach and detach; it is steered from the
 * main thread by start and halt, and read through the counters. A connection that breaks is opened again; what was in flight on it counts
 * as refused. */
#ifndef GW_APP_BENCH_PUBLISHER_H
#define GW_APP_BENCH_PUBLISHER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "app/bench_fleet.h"

struct gw_client_conn;
struct gw_bench_publisher;

/* value; everything in it outlives the publisher */
struct gw_bench_publisher_spec {
    const struct gw_bench_options *options;
    const struct gw_bench_request *publish;
    const struct gw_bench_request *setup; /* one request per channel beforehand; NULL: none */
    const struct gw_bench_fleet_spec *fleet;
    const char *tag;
};

enum gw_bench_job {
    GW_BENCH_JOB_NONE,
    GW_BENCH_JOB_SETUP, /* one setup request per channel */
    GW_BENCH_JOB_LOAD   /* messages, until the limit or the halt */
};

/* value */
struct gw_bench_publisher_progress {
    uint64_t setup_answered;
    uint64_t issued, answered, refused, reconnects; /* refused: not 2xx, or lost with its connection; is part of answered */
    uint64_t expected_deliveries;
};

struct gw_bench_publisher *gw_bench_publisher_create(const struct gw_bench_publisher_spec *spec);
void gw_bench_publisher_destroy(struct gw_bench_publisher *publisher);

/* Main thread. `limit` counts messages in all since creation; 0 is no limit. A job goes on until halted. */
void gw_bench_publisher_start(struct gw_bench_publisher *publisher, enum gw_bench_job job, uint64_t limit);
void gw_bench_publisher_halt(struct gw_bench_publisher *publisher);
void gw_bench_publisher_set_size(struct gw_bench_publisher *publisher, size_t payload_bytes);
/* Answers to requests of [from, until) go into the delay histogram. */
void gw_bench_publisher_measure(struct gw_bench_publisher *publisher, uint64_t from_ns, uint64_t until_ns);
void gw_bench_publisher_progress(const struct gw_bench_publisher *publisher, struct gw_bench_publisher_progress *out);

/* The fleet's first thread. */
void gw_bench_publisher_attach(struct gw_bench_publisher *publisher, const struct gw_bench_fleet *fleet, int epoll);
void gw_bench_publisher_detach(struct gw_bench_publisher *publisher);
void gw_bench_publisher_on_event(struct gw_bench_publisher *publisher, struct gw_client_conn *conn, uint32_t events);
/* Sends what is due; nanoseconds until it wants to be called again, also without an event. */
uint64_t gw_bench_publisher_pump(struct gw_bench_publisher *publisher);

/* After the detach. */
const struct gw_bench_histogram *gw_bench_publisher_acks(const struct gw_bench_publisher *publisher);
const char *gw_bench_publisher_first_error(const struct gw_bench_publisher *publisher);
/* Number of the last message on `channel` by its `track`-th connection. */
uint64_t gw_bench_publisher_last_seq(const struct gw_bench_publisher *publisher, size_t channel, size_t track);

#endif
