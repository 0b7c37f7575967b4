/* replay.h — what the run's owner does for readers: streams that attach, replay blocks made from the spine, reads. For the files of the hub alone. */
#ifndef GW_HUB_REPLAY_H
#define GW_HUB_REPLAY_H

#include <stddef.h>
#include <stdint.h>

struct gw_attach;
struct gw_block_cache;
struct gw_canvas_set;
struct gw_error;
struct gw_feed;
struct gw_feed_waiter;
struct gw_hub;
struct gw_plan;
struct gw_read;
struct gw_run;
struct gw_span;

/* run_attach.c: on the owner */
void gw_run_attach(struct gw_attach *attach);
void gw_run_serve_attaches(struct gw_run *run);
void gw_run_refuse_attaches(struct gw_run *run, const char *reason);
/* The feed of a class and set, made if need be; NULL at max_feeds_per_run. */
struct gw_feed *gw_run_feed(struct gw_run *run, struct gw_plan *plan, const struct gw_canvas_set *set);
/* The feed goes when nobody follows or holds it. */
void gw_run_release_feed(struct gw_feed *feed);
/* It is decided, or decided again, when the run is settled. */
void gw_run_put_attach(struct gw_run *run, struct gw_attach *attach);
void gw_attach_refuse(struct gw_attach *attach, struct gw_hub *hub, const char *reason);
/* The reason when a block did not come: it could not be read, or a transform not run. */
const char *gw_attach_unreadable(const struct gw_hub *hub);

/* run_lookback.c */
/* Finds the feed's last visible frame and tells the waiter, perhaps inside the call. It may be in doubt again by then. The caller holds the feed. */
void gw_feed_prime(struct gw_feed *feed, struct gw_feed_waiter *waiter);
/* Finds where GW_START_LAST begins, then puts the attachment back; or refuses it. */
void gw_attach_look_back(struct gw_attach *attach);

/* run_blocks.c */
/* Makes replay block `number` of `feed` (or takes it from the cache) and calls `ready` with a new reference, or NULL when the spine failed; later or inside the call.
 * The caller keeps the feed alive. */
struct gw_block_want {
    struct gw_feed *feed;
    uint64_t number;
    void (*ready)(struct gw_block_want *want, struct gw_span *span);
    struct gw_block_want *next;
};
void gw_run_want_block(struct gw_run *run, struct gw_block_want *want);
struct gw_block_cache *gw_block_cache_create(const uint8_t seed[16], size_t max_bytes);
void gw_block_cache_destroy(struct gw_block_cache *cache);
void gw_block_cache_forget(struct gw_block_cache *cache, const struct gw_feed *feed);

/* run_read.c */
/* On the owner's worker. */
void gw_run_read_arrived(struct gw_hub *hub, struct gw_read *request);
void gw_run_serve_reads(struct gw_run *run);
void gw_run_refuse_reads(struct gw_run *run, const struct gw_error *err);

#endif
