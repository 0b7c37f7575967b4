/* run.h — one run on its owner: the sequencer. Judges commands in order, gathers their events into one record at a time, and makes them visible when the
 * spine holds them. State may be ahead of what is durable; nothing that leaves the process is. A run whose append failed is dropped and folded again:
 * there is no second copy of state. Split by concern: run.c life and loading, run_submit.c judging, run_commit.c durability,
 * run_attach.c streams, run_blocks.c replay, run_read.c reads. */
#ifndef GW_HUB_RUN_H
#define GW_HUB_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "hub/feed.h"
#include "hub/hub.h"
#include "hub/hub_internal.h"
#include "hub/keys.h"
#include "hub/loader.h"
#include "hub/record.h"

/* value: a command whose answer waits for durability */
struct gw_pending {
    struct gw_submission *submission;
    size_t index;
    uint8_t key[GW_KEY_BYTES], body[GW_KEY_BYTES];
    char *answer; /* owned */
    size_t answer_length;
};

/* One record on its way to the spine. */
struct gw_commit {
    struct gw_spine_append append; /* first: the port hands it back */
    struct gw_run *run;
    struct gw_record_writer writer;
    struct gw_buffer payload;
    struct gw_event_list events;
    struct gw_pending *pending;
    size_t pending_count, pending_capacity;
    uint64_t first_seq, nonce, started_ns;
    unsigned attempts;
};

enum gw_run_phase { GW_RUN_LOADING, GW_RUN_READY, GW_RUN_DOWN };

struct gw_run {
    struct gw_hub *hub;
    struct gw_scope scope; /* surface and app left empty: they partition nothing */
    struct gw_run_key key;
    enum gw_run_phase phase;
    uint64_t epoch, floor_seq;
    struct gw_state *state;
    struct gw_keys *keys;
    struct gw_loader *loader; /* while LOADING */
    uint64_t durable_seq;
    uint64_t published_seq; /* feeds have seen everything up to here */
    int64_t last_ts_ms;
    struct gw_commit *gathering, *appending;
    struct gw_submission *inbox_first, **inbox_last;
    size_t inbox_count;
    bool inbox_waits, fetches_page; /* for a page of the key index, or for a pending twin to become durable */
    struct gw_read *reads;     /* wait until the state is exactly what is durable */
    struct gw_attach *attaches;   /* likewise */
    size_t readers;               /* reads and replay reads that still hold the run */
    struct gw_feed *feeds;
    size_t feed_count;
    struct gw_block_read *block_reads;
    uint64_t checkpoint_seq, bytes_since_checkpoint, checkpoint_bytes;
    struct gw_checkpoint *checkpoint; /* being stored */
    uint64_t used_at_ms, retry_at_ms;
    struct gw_run *next_dirty;
    bool is_dirty, reloads_after_append;
};

struct gw_run *gw_run_create(struct gw_hub *hub, const struct gw_scope *scope);
void gw_run_destroy(struct gw_run *run);
/* Nothing refers to it and nothing is on its way. */
bool gw_run_is_idle(const struct gw_run *run);
/* One turn's work: judge what waits, start an append, serve reads when settled, announce what grew. */
void gw_run_turn(struct gw_run *run);
/* The state holds nothing that is not durable. */
bool gw_run_is_settled(const struct gw_run *run);
/* Throws the state away and folds it again from the spine. */
void gw_run_reload(struct gw_run *run);
/* The spine failed: everybody who waits is told, and new work is refused for a moment. */
void gw_run_down(struct gw_run *run, const struct gw_error *err);

/* Its state cannot be trusted or stored: what was gathered is refused, and the run folded again. */
void gw_run_abandon(struct gw_run *run);
/* Frees state, keys and the gathering record. */
void gw_run_forget(struct gw_run *run);

/* run_keys.c: reads that the idempotency index asks for */
void gw_run_fetch_page(struct gw_run *run, uint64_t page_seq);
void gw_run_fetch_answer(struct gw_run *run, struct gw_submission *submission, size_t index, uint64_t record_seq, const uint8_t key[GW_KEY_BYTES]);

/* run_submit.c */
void gw_run_submit(struct gw_run *run, struct gw_submission *submission);
void gw_run_judge(struct gw_run *run);
void gw_run_refuse_first(struct gw_run *run, const struct gw_error *err);
void gw_submission_settle(struct gw_submission *submission, size_t index, const char *answer, size_t length);
void gw_submission_refuse(struct gw_submission *submission, size_t index, const struct gw_error *err);
void gw_submission_refuse_all(struct gw_submission *submission, const struct gw_error *err);

/* run_commit.c */
struct gw_commit *gw_run_gathering(struct gw_run *run);
int gw_commit_add(struct gw_commit *commit, struct gw_event_list *events /* emptied */, const struct gw_pending *pending /* taken */);
void gw_run_flush(struct gw_run *run);
void gw_commit_destroy(struct gw_commit *commit);
/* Feeds see an event that has become durable. */
void gw_run_publish(struct gw_run *run, const struct gw_event *event);

/* run_checkpoint.c */
bool gw_run_checkpoint_is_due(const struct gw_run *run, bool is_leaving);
void gw_run_checkpoint_if_due(struct gw_run *run, bool is_leaving);

/* run_attach.c: on the owner */
void gw_run_attach(struct gw_attach *attach);
void gw_run_serve_attaches(struct gw_run *run);
void gw_run_refuse_attaches(struct gw_run *run, const char *reason);
/* The feed goes when nobody follows or holds it. */
void gw_run_release_feed(struct gw_feed *feed);

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
