/* bench_order.h — exactness of one numbered sequence as a receiver sees it: gaps, duplicates and late arrivals, judged with a sliding
 * window as replay protection does (RFC 4303 section 3.4.3). What is older than the window counts as a duplicate. Pure values; one thread.
 */
#ifndef GW_APP_BENCH_ORDER_H
#define GW_APP_BENCH_ORDER_H

#include <stdint.h>

/* value: set `next_seq` to the first number expected, the rest to zero */
struct gw_bench_order {
    uint64_t next_seq;
    uint64_t seen; /* bit k: next_seq - 1 - k has arrived */
};

/* value */
struct gw_bench_order_counts {
    uint64_t missing; /* skipped over and not arrived since */
    uint64_t duplicates;
    uint64_t reordered; /* arrived after a later one */
};

void gw_bench_order_note(struct gw_bench_order *order, uint64_t seq, struct gw_bench_order_counts *counts);

#endif
