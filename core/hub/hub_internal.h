/* hub_internal.h — what the files of the hub share: the hub's own struct and the messages between hubs. Not for other folders.
 *
 * Messages between a run's owner and the workers that follow it are tasks sent with gw_hub_send; to oneself they go through a local queue that
 * gw_hub_work drains, so there is one path for both. */
#ifndef GW_HUB_HUB_INTERNAL_H
#define GW_HUB_HUB_INTERNAL_H

#include "base/buffer.h"
#include "hub/feed.h"
#include "hub/hub.h"
#include "hub/view.h"

struct gw_map;
struct gw_metric;
struct gw_run;

#define GW_BLOCK_SEQS 256 /* replay block n holds the seqs (n*256, (n+1)*256] */

struct gw_hub_metrics {
    struct gw_metric *verdicts[4];
    struct gw_metric *commands_committed, *commands_refused, *commands_repeated;
    struct gw_metric *events, *appends_failed, *append_seconds, *replay_blocks, *block_cache_hits;
    struct gw_metric *runs, *feeds, *views, *subscribers, *run_loads, *checkpoints, *chat_aborted, *gestures, *ephemeral_frames;
};

struct gw_hub {
    struct gw_hub_opts opts;
    uint8_t seed[16];
    struct gw_map *runs;                           /* owned here: run key → struct gw_run */
    struct gw_map *views;                          /* followed here: view name → struct gw_view */
    struct gw_view *dirty_views, *last_dirty_view; /* in the order in which they are pumped */
    struct gw_run *dirty_runs, *napping_runs;
    uint64_t wake_at_ms; /* 0: wake_in has nothing under way */
    struct gw_task *local_first, **local_last;
    struct gw_block_cache *blocks;
    struct gw_buffer whole; /* of the event that is being published, for gw_channel_encode */
    size_t in_flight;       /* requests to the spine or to other workers that will come back */
    bool is_draining;
    struct gw_hub_metrics metrics;
};

/* Sends a task to the hub of `worker`, itself included. Never refused: for messages whose number is bounded by their senders. */
void gw_hub_send(struct gw_hub *hub, size_t worker, struct gw_task *task);
/* Hands a finished request back: at once when its home is this worker, so that answers go out before the fan-out that follows; else by its executor. */
void gw_hub_complete(struct gw_hub *hub, struct gw_executor *home, struct gw_task *task);
size_t gw_hub_owner_of(const struct gw_hub *hub, const struct gw_run_key *run);
struct gw_hub *gw_hub_owner(const struct gw_hub *hub, const struct gw_scope *scope); /* the hub of that worker */
/* This worker's executor: where port requests complete. */
struct gw_executor *gw_hub_home(struct gw_hub *hub);
/* The run, loaded or being loaded; NULL at max_runs or without memory. Owner only. */
struct gw_run *gw_hub_run(struct gw_hub *hub, const struct gw_scope *scope);
/* The same for one who can be told why not: GW_EBUSY draining, too_many_runs; retryable. */
struct gw_run *gw_hub_open_run(struct gw_hub *hub, const struct gw_scope *scope, struct gw_error *err);
void gw_hub_mark_run(struct gw_hub *hub, struct gw_run *run);
/* Marks it after delay_ms; wake_in is there. */
void gw_hub_nap(struct gw_hub *hub, struct gw_run *run, uint32_t delay_ms);

/* ---- from a view to the run's owner, and back -------------------------------------------------------------------------------------------- */

/* A subscription on its way to the owner, who decides the verdict, and back. */
struct gw_attach {
    struct gw_task task;
    struct gw_hub *hub; /* of the subscriber */
    struct gw_view *view;
    struct gw_subscriber *subscriber; /* NULL when it went away meanwhile */
    enum gw_start start;
    uint64_t number;
    char *cursor;           /* owned; NULL when there is none */
    struct gw_attach *next; /* the run's list */
    struct gw_feed_waiter waiter;
    struct gw_feed *feed;         /* the owner's */
    char actor_id[GW_ID_MAX + 1]; /* whose stream it is; "": nobody's */
    uint64_t scan_seen;           /* GW_START_LAST: how many events it has found */
    bool has_seq;                 /* `number` is the seq behind which it goes on */
    bool is_again;                /* a live stream that has fallen behind */
    bool is_switch;               /* a live stream whose lens is another now */
    bool has_refreshed;
    struct gw_arrival *arrival; /* who is to be counted among those who are there; owned; NULL: nobody */
    /* the answer */
    bool has_joined;
    enum gw_verdict_status status;
    const char *reason;
    uint64_t seq;               /* where it starts */
    struct gw_span *checkpoint; /* owned reference, or NULL */
    struct gw_outlet *outlet;
    uint64_t head_seq;
    char head[GW_CURSOR_MAX];
};
void gw_attach_answered(struct gw_attach *attach); /* on the subscriber's worker; frees it */
void gw_attach_destroy(struct gw_attach *attach);

/* A view asks for a replay block. */
void gw_hub_ask_block(struct gw_hub *hub, struct gw_view *view, uint64_t number);
struct gw_view_close {
    struct gw_task task;
    struct gw_view *view;
    struct gw_outlet *outlet;
};
/* A view with no subscriber tells the owner to forget it; it is destroyed when the owner has. */
void gw_hub_close_view(struct gw_hub *hub, struct gw_view *view);

/* view_show.c: puts what it has not been told beside the events into its control text, which is empty. 1; 0: there is nothing; GW_ENOMEM. */
int gw_view_show(struct gw_view *view, struct gw_subscriber *subscriber);

/* subscriber.c */
/* It has fallen too far behind: the owner decides from where it goes on. Between two frames only. */
void gw_subscriber_attach_again(struct gw_subscriber *subscriber);
/* Has one that flows say that the past is gone, and end; at once when it stands within a frame, the rest of which is gone too. */
void gw_subscriber_purge(struct gw_subscriber *subscriber);
/* Detaches and reports ended(reason). */
void gw_subscriber_fail(struct gw_subscriber *subscriber, const char *reason);

#endif
