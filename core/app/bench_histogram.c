#include "app/bench_histogram.h"

#include <math.h>

enum { BITS = GW_BENCH_HISTOGRAM_BITS, STEPS = 1 << GW_BENCH_HISTOGRAM_BITS };

/* Below STEPS a slot is one nanosecond. Above, `shift` low bits are dropped so that BITS + 1 significant ones remain. */
static unsigned slot_of(uint64_t ns)
{
    if (ns < STEPS) {
        return (unsigned)ns;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - BITS;
    return ((shift + 1) << BITS) + (unsigned)(ns >> shift) - STEPS;
}

/* The middle of what falls into the slot. */
static uint64_t value_of(unsigned slot)
{
    if (slot < STEPS) {
        return slot;
    }
    unsigned shift = (slot >> BITS) - 1;
    uint64_t low = (uint64_t)((slot & (STEPS - 1)) + STEPS) << shift;
    return low + ((UINT64_C(1) << shift) >> 1);
}

void gw_bench_histogram_note(struct gw_bench_histogram *h, uint64_t ns)
{
    h->slots[slot_of(ns)]++;
    h->count++;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
}

void gw_bench_histogram_merge(struct gw_bench_histogram *into, const struct gw_bench_histogram *from)
{
    for (unsigned i = 0; i < GW_BENCH_HISTOGRAM_SLOTS; i++) {
        into->slots[i] += from->slots[i];
    }
    into->count += from->count;
    into->max_ns = from->max_ns > into->max_ns ? from->max_ns : into->max_ns;
}

double gw_bench_histogram_quantile_ms(const struct gw_bench_histogram *h, double q)
{
    uint64_t wanted = (uint64_t)ceil(q * (double)h->count);
    uint64_t passed = 0;
    for (unsigned i = 0; i < GW_BENCH_HISTOGRAM_SLOTS && h->count > 0; i++) {
        passed += h->slots[i];
        if (passed >= wanted && passed > 0) {
            uint64_t value = value_of(i);
            return (double)(value < h->max_ns ? value : h->max_ns) / 1e6;
        }
    }
    return 0;
}
