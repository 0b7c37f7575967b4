/* run.h — one run on its owner: the sequencer. Judges commands in order, gathers their events into one record at a time, and makes them visible when the
 * spine holds them. State may be ahead of what is durable; nothing that leaves the process is. A run whose append failed is dropped and folded again:
 * there is no second copy of state. Split by concern: run.c life and loading, run_submit.c the inbox, run_judge.c one submission, run_execute.c one command,
 * run_keys.c what took effect before, run_commit.c durability, run_checkpoint.c checkpoints, run_attach.c and run_last.c streams, run_blocks.c replay,
 * run_read.c reads, run_flow.c flows, run_changes.c what changed before a conflict, run_past.c what an undo or a restore needs,
 * run_presence.c who is there, run_revisions.c revisions that nobody asked for, run_manifests.c canvases whose manifests changed, run_order.c and run_erase.c orders of an operator. */
#ifndef GW_HUB_RUN_H
#define GW_HUB_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/commit.h"
#include "hub/feed.h"
#include "hub/hub.h"
#include "hub/hub_internal.h"
#include "hub/judge.h"
#include "hub/keys.h"
#include "hub/loader.h"
#include "hub/presence.h"
#include "hub/replay.h"
#include "hub/run_chat.h"
#include "hub/run_order.h"
#include "hub/run_past.h"

enum gw_run_phase { GW_RUN_LOADING, GW_RUN_READY, GW_RUN_DOWN };

struct gw_run {
    struct gw_hub *hub;
    struct gw_scope scope; /* surface and app left empty: they partition nothing */
    struct gw_run_key key;
    enum gw_run_phase phase;
    uint64_t epoch; /* chosen before the first append: gw_run_epoch is what others may be told */
    uint64_t floor_seq;
    unsigned load_number;
    struct gw_state *state;
    struct gw_keys *keys;
    struct gw_loader *loader; /* while LOADING */
    uint64_t durable_seq;
    uint64_t published_seq; /* feeds have seen everything up to here */
    int64_t last_ts_ms;
    struct gw_commit *gathering, *appending;
    struct gw_submission *inbox_first, **inbox_last;
    size_t inbox_count; /* with what waits in `chat` */
    struct gw_run_chat chat;
    bool inbox_waits, fetches_page;   /* for a part of the key index, for a pending twin to become durable, or for an empty record */
    struct gw_flow_fetch *flow_fetch; /* a flow being asked for, or NULL */
    struct gw_run_past *past;         /* what the first command of the inbox takes back, or NULL */
    struct gw_run_refresh *refresh;   /* a look at the log's tail under way, or NULL: meanwhile nothing is judged or served */
    struct gw_read *reads;            /* wait until the state is exactly what is durable */
    struct gw_attach *attaches;       /* likewise */
    size_t readers;                   /* reads and replay reads that still hold the run */
    struct gw_order *orders;          /* of an operator, that wait */
    struct gw_run_order *order;       /* the one being carried out, or NULL: meanwhile nothing is judged or served */
    struct gw_changes *changes;       /* refusals that wait for what they were judged by to be durable */
    struct gw_feed *feeds;
    size_t feed_count;
    struct gw_block_read *block_reads;
    struct gw_presence *presence; /* NULL: nobody has come yet */
    uint64_t presence_told_at_ms, presence_seq;
    uint64_t checkpoint_seq, bytes_since_checkpoint, checkpoint_bytes;
    struct gw_checkpoint *checkpoint;                   /* being stored */
    uint64_t used_at_ms, retry_at_ms, checkpoint_at_ms; /* not before these */
    uint64_t grown_at_ms;                               /* the last append with an event that counts (growth.h) began, or it was loaded */
    struct gw_run *next_dirty;
    bool is_dirty, reloads_after_append;
    bool is_unsure;           /* an append's outcome is unknown until the next load */
    bool needs_filters;       /* the newest ones of the key index cannot be read: each load looks for readable ones */
    bool has_other_manifests; /* its canvases have not been held against those in force */
};

/* Not loaded yet: gw_run_reload begins that. */
struct gw_run *gw_run_create(struct gw_hub *hub, const struct gw_scope *scope);
void gw_run_destroy(struct gw_run *run);
/* Nothing refers to it and nothing is on its way. */
bool gw_run_is_idle(const struct gw_run *run);
/* One turn's work: judge what waits, start an append, serve reads when settled, announce what grew. */
void gw_run_turn(struct gw_run *run);
/* The state holds nothing that is not durable. */
bool gw_run_is_settled(const struct gw_run *run);
/* The epoch that cursors carry: 0 until the run has a durable event. */
uint64_t gw_run_epoch(const struct gw_run *run);
/* Throws the state away and folds it again from the spine. */
void gw_run_reload(struct gw_run *run);
/* The spine failed: everybody who waits is told, and new work is refused for a moment. */
void gw_run_down(struct gw_run *run, const struct gw_error *err);
/* Its state cannot be trusted or stored: what was gathered is refused, and the run folded again. */
void gw_run_abandon(struct gw_run *run);
/* Asks where the log ends and begins now, and folds the run again when another writer has gone on. */
void gw_run_refresh(struct gw_run *run);
/* Frees state, keys and the gathering record. */
void gw_run_forget(struct gw_run *run);

/* run_submit.c: the inbox */
void gw_run_submit(struct gw_run *run, struct gw_submission *submission);
void gw_run_judge(struct gw_run *run);
void gw_run_put_back(struct gw_run *run, struct gw_submission *submission); /* as its first */
void gw_run_refuse_first(struct gw_run *run, const struct gw_error *err);
void gw_run_refuse_inbox(struct gw_run *run, const struct gw_error *err);

/* run_revisions.c: the gateway's own canvas_commits: of canvases that have grown by commit_events; and of all once the run is silent */
void gw_run_commit_grown(struct gw_run *run);
void gw_run_commit_tick(struct gw_run *run);

/* run_keys.c: the filters that the key index expects, when they are what `get` asked for. Not GW_OK: it has none; GW_EINVAL: the run is being folded again. */
int gw_run_take_filters(struct gw_run *run, const struct gw_spine_get *get);

/* Adds one event of the gateway's own to the gathering record, and folds it: written first, so that what lacks memory has changed nothing. GW_ENOMEM; GW_EINVAL: the
 * state can no longer be trusted. */
int gw_run_add_own(struct gw_run *run, const struct gw_event_list *events);

/* run_manifests.c: canvases mounted by a manifest that is another one now get a CANVAS_READY by it */
void gw_run_renew_canvases(struct gw_run *run);

/* run_checkpoint.c */
bool gw_run_checkpoint_is_due(const struct gw_run *run, bool is_leaving);
void gw_run_checkpoint_if_due(struct gw_run *run, bool is_leaving);

#endif
