#include "app/bench_order.h"

enum { WINDOW_BITS = 64 };

static void note_ahead(struct gw_bench_order *order, uint64_t seq, struct gw_bench_order_counts *counts)
{
    uint64_t skipped = seq - order->next_seq;
    counts->missing += skipped;
    order->seen = skipped + 1 < WINDOW_BITS ? order->seen << (skipped + 1) | 1 : 1;
    order->next_seq = seq + 1;
}

static void note_behind(struct gw_bench_order *order, uint64_t seq, struct gw_bench_order_counts *counts)
{
    uint64_t age = order->next_seq - 1 - seq;
    if (age >= WINDOW_BITS || (order->seen >> age & 1) != 0) {
        counts->duplicates++;
        return;
    }
    order->seen |= UINT64_C(1) << age;
    counts->reordered++;
    counts->missing--;
}

void gw_bench_order_note(struct gw_bench_order *order, uint64_t seq, struct gw_bench_order_counts *counts)
{
    if (seq >= order->next_seq) {
        note_ahead(order, seq, counts);
    } else {
        note_behind(order, seq, counts);
    }
}
