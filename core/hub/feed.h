/* feed.h — the live end of one channel of one run: a bounded ring of spans that grows as events become durable, and the outlets through which workers follow
 * it. Lives on the run's owner. What has left the ring is made again from the spine (run.h), byte for byte. */
#ifndef GW_HUB_FEED_H
#define GW_HUB_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/task.h"
#include "hub/channel.h"
#include "hub/ephemera.h"
#include "hub/view.h"

struct gw_feed;
struct gw_hub;
struct gw_run;

/* A worker's interest in a feed. One growth message travels to and fro, so however slow the worker, the owner holds one message for it. */
struct gw_outlet {
    struct gw_task task;
    struct gw_feed *feed;
    struct gw_view *view; /* opaque here: it belongs to another worker */
    size_t worker;
    struct gw_outlet *next;
    struct gw_published *items; /* what the message carries */
    size_t item_count;
    uint64_t start_seq, head_seq;
    uint64_t last_span; /* after_seq of the span up to which it has been told; UINT64_MAX at first */
    uint32_t last_length;
    uint64_t last_head;
    uint64_t told;                /* up to which version of the ephemeral table */
    struct gw_ephemera_news news; /* of it, in the message; version 0: none */
    struct gw_view_close *close;  /* set once its view wants to go */
    bool is_away, is_stale;
    bool has_lost_news; /* the view could not take them */
};

/* One who waits until the feed's last visible frame is known; not known: the spine failed. */
struct gw_feed_waiter {
    struct gw_feed_waiter *next;
    void (*primed)(struct gw_feed_waiter *waiter, bool is_known);
};

struct gw_feed {
    struct gw_run *run;
    char first_actor_id[GW_ID_MAX + 1]; /* whose stream was the first to follow it; "": none has, or nobody's */
    struct gw_channel channel;
    struct gw_span **ring;
    size_t ring_first, ring_count, ring_capacity, ring_bytes;
    uint64_t start_seq, head_seq;
    uint64_t last_visible; /* seq of the last frame that carries an id; valid when is_primed */
    bool is_primed;
    unsigned doubts;            /* how often it lost track of what is visible */
    struct gw_span *checkpoint; /* as of checkpoint_seq, shared by all who arrive before the next event; or NULL */
    uint64_t checkpoint_seq;
    struct gw_outlet *outlets;
    struct gw_ephemera ephemera; /* empty for a class that does not see who is there */
    unsigned holds;              /* others that need it: attachments on hold, replay blocks under way */
    struct gw_feed_waiter *unprimed;
    bool is_priming;
    struct gw_buffer scratch;
    struct gw_feed *next;
};

struct gw_feed *gw_feed_create(struct gw_run *run, const struct gw_channel *channel /* taken */, uint64_t head_seq);
void gw_feed_destroy(struct gw_feed *feed);
/* A durable event, in order. GW_ENOMEM leaves the ring empty but the feed usable: readers fall back to the spine. */
int gw_feed_publish(struct gw_feed *feed, const struct gw_event *event);
/* Events up to `seq` became durable without having been seen here: readers fall back to the spine. */
void gw_feed_skip(struct gw_feed *feed, uint64_t seq);
/* Forgets what it was; goes on from `seq`, and has those who follow it ended, reason purged. */
void gw_feed_purge(struct gw_feed *feed, uint64_t seq);
/* Tells every outlet what is new. */
void gw_feed_announce(struct gw_feed *feed);
struct gw_outlet *gw_feed_outlet(struct gw_feed *feed, struct gw_view *view, size_t worker);
/* Called when the growth message of an outlet came home, or its view closes; the feed may be destroyed inside. */
void gw_outlet_returned(struct gw_outlet *outlet);

#endif
