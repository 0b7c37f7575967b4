/* state.h — the folded state of one run: canvases with their block trees, Tokens, the graph, commits, and the edit contexts of
 * open origins. A pure fold over events: same events, same state, on any node. No I/O, no Lua, no clock. Lives on the run's owner.
 *
 * There is one way to change it: gw_state_fold. A command is first *resolved* against the state into events, which are then folded. A
 * journal makes a group of folds undoable (atomic batches, dry runs). */
#ifndef GW_HUB_STATE_H
#define GW_HUB_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_told_frame;
struct gw_command;
struct gw_chat;
struct gw_error;
struct gw_event;
struct gw_event_list;
struct gw_json;
struct gw_manifest;
struct gw_manifests;
struct gw_lens;
struct gw_plan;
struct gw_policy;
struct gw_state;

/* value: limits of one run's state, all inclusive maxima */
struct gw_state_limits {
    size_t max_canvases;      /* 32 */
    size_t max_blocks;        /* per canvas: 200000 */
    size_t max_text_bytes;    /* per block: 1 MiB */
    size_t max_props_bytes;   /* per block, canonical JSON: 64 KiB */
    size_t max_depth;         /* of the block tree: 64 */
    size_t max_token_bytes;   /* one Token value, canonical JSON: 16 KiB */
    size_t max_base64_run;    /* rule 3: unbroken base64 or hex characters: 1024 */
    size_t edit_window;       /* seqs back that a base may lie: 65536 */
    size_t max_context_ops;   /* concurrent splices kept per origin and block: 16384 */
    size_t max_message_bytes; /* text of one chat message: 1 MiB */
    size_t max_open_messages; /* streamed messages that have not ended: 1000 */
    size_t max_open_bytes;    /* text of all of them: 16 MiB */
    size_t max_nodes;         /* of the graph: 10000 */
    size_t max_edges;         /* 50000 */
};
void gw_state_limits_default(struct gw_state_limits *limits);

struct gw_state *gw_state_create(const uint8_t seed[16], const struct gw_state_limits *limits);
void gw_state_destroy(struct gw_state *state);

/* Applies one event (event->seq must be gw_state_seq + 1). GW_EINVAL: the event does not fit, i.e. the spine is damaged; GW_ENOMEM: the
 * state is then unusable and must be destroyed. */
int gw_state_fold(struct gw_state *state, const struct gw_event *event, struct gw_error *err);
uint64_t gw_state_seq(const struct gw_state *state);

/* Journal: between begin and the matching keep or revert all folds are undoable. Not nested. revert restores also gw_state_seq. */
void gw_state_begin(struct gw_state *state);
void gw_state_keep(struct gw_state *state);
void gw_state_revert(struct gw_state *state);

/* value: what resolving needs besides the state. base_seq and origin come with the command. */
struct gw_resolve_context {
    const struct gw_manifests *manifests; /* canvas types that can be mounted */
    const struct gw_plan *plan;           /* the author's lens */
    const struct gw_policy *policy;       /* applies its transform; NULL: none is */
    bool keeps_whole;                     /* lenses of this run may have transforms: events say what a block or message has become, whole */
    const char *author_kind;              /* "user" | "agent" | "service" */
    uint64_t epoch;                       /* of the run */
    int64_t ts_ms;                        /* of the events that it will make */
    const char *author_id;                /* whose origins these are: two actors may use one origin name. NULL: not told apart */
    const char *batch;                    /* an id that the commands of one batch share, so that its splices see each other. NULL: none */
    bool is_revision;                     /* a step of revise.h: a removed block may come back as it was, its author too */
    bool is_step;                         /* of a command that was admitted itself: the plan's list of commands is not asked again */
};

/* Judges `command` against the state and appends the events that it makes (type, canvas_id, data, facets, context set; seq, ts, actor,
 * cause left to the caller) to `out`, which may stay empty for an idempotent no-op. The state is not changed. On refusal `out` is untouched
 * and err->id is one of the stable codes of docs/contract.md with err->path inside the command ("/args/id"). */
int gw_state_resolve(const struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                     struct gw_event_list *out, struct gw_error *err);

/* The run's messages: to be read, and for the owner's leases (hub/chat.h). */
struct gw_chat *gw_state_chat(const struct gw_state *state);

/* Projected JSON, canonical text, appended to `out`.
 * state: the members tokens, canvases, graph, chat of GET /v1/state, without braces: `"canvases":{…},"tokens":{…}`; only the canvases
 * listed when count > 0. */
void gw_state_write(const struct gw_state *state, const struct gw_lens *lens, const char *const *canvas_ids, size_t count,
                    struct gw_buffer *out);
/* The `data` of a CANVAS_READY checkpoint for one mounted canvas: canvas type, tools, TokenCatalog, Tokens, state, projected. */
void gw_state_write_canvas(const struct gw_state *state, const struct gw_lens *lens, const char *canvas_id, struct gw_buffer *out);
/* What a checkpoint tells of the run as a whole, projected: run-wide events that a reader folds into an empty run, in order. None for a run
 * without graph. `emit` borrows the frame for the call. GW_ENOMEM: not all of it was told. */
int gw_state_write_run(const struct gw_state *state, const struct gw_lens *lens, void (*emit)(void *arg, const struct gw_told_frame *frame),
                       void *arg);
/* Likewise the visible Tokens, for a checkpoint with no CANVAS_READY to carry them; nothing when there are none. */
int gw_state_write_tokens(const struct gw_state *state, const struct gw_lens *lens,
                          void (*emit)(void *arg, const struct gw_told_frame *frame), void *arg);
/* Ids of mounted canvases in mount order; borrowed until the next fold. */
size_t gw_state_canvases(const struct gw_state *state, const char *const **ids);
/* The type of a mounted canvas, and the hash of the manifest that it was last made ready by; borrowed, NULL for an unknown canvas. */
const char *gw_state_canvas_type(const struct gw_state *state, const char *canvas_id);
const char *gw_state_manifest_hash(const struct gw_state *state, const char *canvas_id);
/* The CANVAS_READY that makes a mounted canvas one by this manifest, its blocks and Tokens as they are; appended to `out`. GW_ENOMEM. */
int gw_state_resolve_ready(const struct gw_state *state, const char *canvas_id, const struct gw_manifest *manifest,
                           struct gw_event_list *out, struct gw_error *err);
/* seq of the canvas_commit with revision `rev` of any canvas listed (count 0 = all), 0 when there is none. */
uint64_t gw_state_commit_seq(const struct gw_state *state, const char *canvas_id, uint64_t rev);
/* How many revisions a canvas has, and how many events that count (growth.h) have changed its blocks since the last of them; 0 for an unknown canvas. */
uint64_t gw_state_revision_count(const struct gw_state *state, const char *canvas_id);
uint64_t gw_state_uncommitted(const struct gw_state *state, const char *canvas_id);
/* seq of the last such event on any canvas, or of one taken back; 0: none since it was loaded. */
uint64_t gw_state_grown_seq(const struct gw_state *state);

/* Checkpoint: the whole state as self-contained chunks of at most `chunk_bytes` (a chunk may exceed it by one block). `emit` copies. Load
 * builds a state equal to the saved one: the same folds give the same bytes. */
int gw_state_save(const struct gw_state *state, size_t chunk_bytes, int (*emit)(void *arg, const char *bytes, size_t length), void *arg,
                  struct gw_error *err);
int gw_state_load(struct gw_state *empty, const char *const *chunks, const size_t *lengths, size_t count, struct gw_error *err);

#endif
