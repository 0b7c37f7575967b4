/* view.h — one feed as a worker sees it: the spans that the owner published, and the subscribers that follow it here. Fed by messages from the run's owner (which
 * may be this worker); pumps its subscribers, a slice of them each loop turn. Lives on one worker. */
#ifndef GW_HUB_VIEW_H
#define GW_HUB_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/task.h"
#include "hub/ephemera.h"
#include "hub/ports.h"

struct gw_hub;
struct gw_outlet;
struct gw_plan;
struct gw_span;
struct gw_subscriber;

/* value: a span as far as it was published */
struct gw_published {
    struct gw_span *span; /* owned reference */
    uint32_t length, frame_count;
    uint64_t to_seq;
};

#define GW_VIEW_BLOCKS 8 /* replay blocks kept near, and asked for at a time */

/* value: one replay block, here or on its way */
struct gw_view_block {
    uint64_t number;      /* +1; 0 = empty slot */
    struct gw_span *span; /* NULL while it is on its way */
    uint64_t used_at;
};

struct gw_view {
    struct gw_hub *hub;
    struct gw_scope scope;
    struct gw_run_key run;
    struct gw_plan *plan;
    struct gw_canvas_set set;
    char *name; /* its key in the hub's map, and the key's length */
    size_t name_length;
    struct gw_outlet *outlet; /* the owner's handle, set by the first attachment; opaque here */
    struct gw_published *spans;
    size_t span_count, span_capacity;
    uint64_t start_seq, head_seq; /* the spans hold every visible frame in (start_seq, head_seq] */
    struct gw_subscriber *subscribers;
    size_t subscriber_count, attach_count;
    struct gw_subscriber *next_pumped; /* the pump goes round: here it goes on; NULL: at the first */
    size_t unpumped_count;             /* how many it has to come to before the view is clean */
    size_t round_left;                 /* of a round that a slice has cut short: how many are left; 0: it was not */
    struct gw_ephemera ephemera;       /* what the owner's feed tells beside its events */
    struct gw_view_block blocks[GW_VIEW_BLOCKS];
    uint64_t use_count;
    uint64_t idle_since_ms;
    struct gw_view *next_dirty;
    bool is_dirty;
};

struct gw_view *gw_view_create(struct gw_hub *hub, const struct gw_scope *scope, struct gw_plan *plan, const struct gw_canvas_set *set);
void gw_view_destroy(struct gw_view *view);
/* New bytes from the owner: takes the references of `items`. */
void gw_view_extend(struct gw_view *view, const struct gw_published *items, size_t count, uint64_t start_seq, uint64_t head_seq);
/* What is new beside the events. GW_ENOMEM: it has learnt nothing. */
int gw_view_learn(struct gw_view *view, struct gw_ephemera_news *news /* taken */);
/* The past of the run is no more: drops what it holds of it, and ends its subscribers, reason purged; what the owner says next begins anew. */
void gw_view_purge(struct gw_view *view);
/* A replay block that was asked for; `span` is taken, NULL when it could not be read. */
void gw_view_offer_block(struct gw_view *view, uint64_t number, struct gw_span *span);
/* Writes what its subscribers lack, to `most` of them; answers to how many. The view is dirty again when others are left, or some could take more at once.
 * Slices let a turn end soon: what becomes durable meanwhile goes out to the later ones with the same write. */
size_t gw_view_pump(struct gw_view *view, size_t most);
/* Writes what one subscriber lacks. True when it could take more at once: mark the view. */
bool gw_view_pump_one(struct gw_view *view, struct gw_subscriber *subscriber);
/* All its subscribers are to be pumped. */
void gw_view_mark_dirty(struct gw_view *view);
/* The replay block `number` if it is here; else asks the owner for it (when a slot is free) and answers NULL. */
struct gw_span *gw_view_block(struct gw_view *view, uint64_t number);

#endif
