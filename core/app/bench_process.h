/* bench_process.h — what a server costs, read from /proc: memory and processor time of some processes and all below them. Linux only. A
 * process that has gone counts nothing. */
#ifndef GW_APP_BENCH_PROCESS_H
#define GW_APP_BENCH_PROCESS_H

#include <stdint.h>

#include "app/client_options.h"

/* value */
struct gw_bench_usage {
    uint64_t rss_bytes;
    double cpu_s;
    unsigned process_count;
};

void gw_bench_usage_read(const struct gw_client_list *pids, struct gw_bench_usage *out);
/* Processor seconds of this process so far. */
double gw_bench_own_cpu_s(void);

#endif
