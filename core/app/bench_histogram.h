/* bench_histogram.h — delays in nanoseconds, log-linear: 128 steps per power of two, so a quantile is within 0.8 % of the truth at any size
 * (the form of HdrHistogram). Fixed memory, no allocation while recording. One thread each; merge afterwards. */
#ifndef GW_APP_BENCH_HISTOGRAM_H
#define GW_APP_BENCH_HISTOGRAM_H

#include <stdint.h>

#define GW_BENCH_HISTOGRAM_BITS  7
#define GW_BENCH_HISTOGRAM_SLOTS ((64 - GW_BENCH_HISTOGRAM_BITS + 1) << GW_BENCH_HISTOGRAM_BITS)

/* value; starts zeroed */
struct gw_bench_histogram {
    uint64_t count, max_ns;
    uint64_t slots[GW_BENCH_HISTOGRAM_SLOTS];
};

void gw_bench_histogram_note(struct gw_bench_histogram *h, uint64_t ns);
void gw_bench_histogram_merge(struct gw_bench_histogram *into, const struct gw_bench_histogram *from);
/* The delay that the fraction `q` of all did not exceed, in milliseconds; 0 when nothing was recorded. */
double gw_bench_histogram_quantile_ms(const struct gw_bench_histogram *h, double q);

#endif
