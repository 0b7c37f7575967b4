/* run_order.h — an operator's order to a run, on its owner: to delete it, or to erase what an actor wrote. One at a time, between commands:
 * from its beginning to its end nothing is judged or served, and commands are refused. For the run_*.c files alone. */
#ifndef GW_HUB_RUN_ORDER_H
#define GW_HUB_RUN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "hub/checkpoint.h"
#include "hub/ports.h"

struct gw_authors;
struct gw_error;
struct gw_hub;
struct gw_order;
struct gw_run;

/* Deleting: ERASES. Erasing: READS the log, STORES an event of nobody's so that every cursor given so far lies below the new floor, ERASES:
 * in one step of the spine the log goes and the state stands without what the actor wrote. So a crash leaves it as it was or done. */
enum gw_order_step { GW_ORDER_READS, GW_ORDER_STORES, GW_ORDER_ERASES };

/* One being carried out. */
struct gw_run_order {
    struct gw_run *run;
    struct gw_order *order; /* NULL once it was refused */
    enum gw_order_step step;
    struct gw_authors *authors;
    struct gw_spine_get get;
    struct gw_spine_read read;
    uint64_t next_seq;
    size_t erased_count;
    struct gw_spine_erase erase;
    struct gw_spine_kept kept[4];
    struct gw_checkpoint_chunks state_chunks, author_chunks;
    struct gw_buffer page, filters;
    const char *page_chunk, *filters_chunk;
};

/* On the owner's worker. */
void gw_run_order_arrived(struct gw_hub *hub, struct gw_order *order);
/* Goes one step on; the run is settled. */
void gw_run_serve_orders(struct gw_run *run);
bool gw_run_has_orders(const struct gw_run *run);
/* What commands are told meanwhile. */
void gw_run_say_ordered(struct gw_error *err);
/* The state is gone: what is under way comes to nothing, and is refused. */
void gw_run_drop_order(struct gw_run *run);
/* The run is down: what waits is refused. */
void gw_run_refuse_orders(struct gw_run *run);
/* Ends one with GW_OK, or as something that may be tried again. */
void gw_run_order_end(struct gw_run_order *work);
void gw_run_order_fail(struct gw_run_order *work);
/* Its request was out and its run was folded again meanwhile. */
bool gw_run_order_is_lost(const struct gw_run_order *work);
/* Has the spine erase below the floor (0: all), and ends. */
void gw_run_order_erase(struct gw_run_order *work, uint64_t floor_seq);

/* run_erase.c: what the actor wrote */
void gw_run_erase_begin(struct gw_run_order *work);
void gw_run_erase_stored(struct gw_run_order *work);

/* run_blocks.c: likewise, of what is being read. */
void gw_run_drop_blocks(struct gw_run *run);

#endif
