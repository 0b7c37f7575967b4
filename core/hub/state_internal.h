/* state_internal.h — the insides of a run's state, for state_*.c and resolve*.c alone. state.h is the contract.
 *
 * What events look like here (`data` is what an unrestricted lens sees; `facets` and `context` never leave the process):
 *
 * CANVAS_READY   data     {canvas_type, manifest: {version, title, harness, tools, kinds, commands, lens}, TokenCatalog: {key: declaration},
 *                          tokens: {key: value}, rev, state: {blocks: {id: {kind, parent, pos, props, text, vis?}}}}
 *                context  {manifest_hash}
 *   A reader merges TokenCatalog and tokens into the run's and replaces the canvas; without `state` it keeps the blocks that it has.
 * token_patch    data     {set: {key: value}, unset: [key]}
 *                facets   {sidecars: [key]}, when some of them are
 * state_patch    data     {ops: [{op: "insert", id, kind, parent, pos, props, text, vis?} | {op: "update", id, set, unset, vis?} | {op: "move", id, parent, pos}
 *                          | {op: "remove", id} | {op: "splice", id, at, del, ins} | {op: "relabel", pos: {id: label}}]}; an update's vis null = none;
 *                          several splice ops of one event are one edit of one block, applied one after the other
 *                facets   {canvas_type, blocks: {id: {kind, author, by?, vis?, is: "new"|"gone"?, parent?, was?: {vis?}, block?: {…}, children?: {id: pos}}},
 *                          sidecars?: {kind: [prop]}}: every block touched, new parents and the children of one whose vis changes too. `author` is the
 *                          kind of who inserted it, `by` the id of that actor where it is not the event's own. `block` is the whole block after a change
 *                          of vis, and {props, text} at least after any update or splice where lenses may have transforms; `parent` that of a block which goes with one above it
 *                context  a splice: {block, base, written: [at, del, ins], by?}: `by` names the origin of one that has none of its own; an insert that
 *                          brings a block back: {author, by}; what stood before: {was} (resolve_was.h), also of a token_patch;
 *                          a step of an undo: {undoes}: its arguments; of a restore: {restores}
 * canvas_commit  data     {rev, from, to, message?, state_hash?}: seqs here, sealed into cursors by the encoder
 * void           as state_patch, for a command that changes nothing that anybody sees but whose place in its origin's order counts
 * any of them    context  {origin, n}: the name of the origin, as resolving made it */
#ifndef GW_HUB_STATE_INTERNAL_H
#define GW_HUB_STATE_INTERNAL_H

#include "base/digest.h"
#include "base/id.h"
#include "hub/blocks.h"
#include "hub/event.h"
#include "hub/journal.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/state.h"

struct gw_graph;
struct gw_chat;
struct gw_origins;
struct gw_tokens;

/* "<actor> <origin>", or "<actor> batch <id>": a space is in no id. */
#define GW_ORIGIN_NAME_MAX (3 * (GW_ID_MAX + 1) + 8)

/* value */
struct gw_revision {
    uint64_t seq;    /* of its canvas_commit */
    uint64_t to_seq; /* the last seq that it covers */
};

struct gw_canvas {
    char id[GW_ID_MAX + 1];
    char type[GW_ID_MAX + 1];
    char manifest_hash[2 * GW_SHA256_BYTES + 1];
    uint64_t mounted_seq;
    struct gw_canvas *next_dead; /* see gw_state.dead */
    struct gw_json *manifest;    /* the event's member; owned */
    struct gw_json *sidecars;    /* {kind: [prop]} of it; owned */
    struct gw_blocks *blocks;
    struct gw_revision *revisions; /* [rev - 1] */
    size_t revision_count, revision_capacity;
    uint64_t uncommitted; /* events that count (growth.h) since the last canvas_commit, or since the mount */
};

struct gw_state {
    struct gw_state_limits limits;
    struct gw_splice_limits splice_limits;
    uint8_t seed[16];
    uint64_t seq, begin_seq;
    uint64_t grown_seq; /* of the last event folded here that counts (growth.h), or of one taken back */
    struct gw_journal journal;
    struct gw_canvas **canvases; /* in mount order; max_canvases entries */
    const char **canvas_ids;
    size_t canvas_count;
    struct gw_canvas *dead; /* mounts undone; destroyed once the journal has closed */
    struct gw_tokens *tokens;
    struct gw_origins *origins;
    struct gw_chat *chat;
    struct gw_graph *graph; /* its events: state_graph.h */
};

/* value: a canvas through a lens; NULL: everything */
struct gw_sight {
    const struct gw_canvas *canvas;
    const struct gw_lens *lens;
};

/* A canvas of the run, or NULL. */
struct gw_canvas *gw_state_canvas(const struct gw_state *state, const char *canvas_id);
/* The schema of a kind as it was mounted, or NULL. */
const struct gw_json *gw_canvas_kind(const struct gw_canvas *canvas, const char *kind);
/* What a rule may ask about a block of the canvas; borrowed from it. */
struct gw_plan_thing gw_canvas_thing(const struct gw_canvas *canvas, const struct gw_block *block);
/* Is the block read? NULL, the root, is. */
bool gw_canvas_shows(const struct gw_canvas *canvas, const struct gw_plan *plan, const struct gw_block *block);
/* Names of the kind's properties that are sidecars, borrowed; NULL when it has none. */
struct gw_json *gw_canvas_sidecars(const struct gw_canvas *canvas, const char *kind);
struct gw_canvas *gw_canvas_create(struct gw_state *state, const char *id); /* not mounted yet; NULL when memory is gone */
void gw_canvas_destroy(struct gw_canvas *canvas);                           /* not while the journal is open */
/* Destroys a canvas that never stood, or no longer stands, among the mounted ones: now, or once the journal has closed. */
void gw_state_bury(struct gw_state *state, struct gw_canvas *canvas);
void gw_state_destroy_dead(struct gw_state *state);
/* Appends to the mount order; room was checked. Undone by the journal, which then destroys the canvas. GW_ENOMEM: still the caller's. */
int gw_state_mount(struct gw_state *state, struct gw_canvas *canvas /* taken on success */);
/* Replaces the manifest of a mounted canvas. Undone by the journal. */
int gw_state_set_manifest(struct gw_state *state, struct gw_canvas *canvas, struct gw_json *manifest, const char *hash);
/* Sets the count of events since the last canvas_commit. Undone by the journal. */
int gw_state_set_uncommitted(struct gw_state *state, struct gw_canvas *canvas, uint64_t count);
/* Adds a revision. Undone by the journal. */
int gw_state_add_revision(struct gw_state *state, struct gw_canvas *canvas, const struct gw_revision *revision);

/* The members of one block as the lens (NULL: everything) shows it, canonical, with braces. `scratch` is reused for texts. */
void gw_state_write_block(const struct gw_sight *sight, const struct gw_block *block, struct gw_buffer *scratch, struct gw_buffer *out);
/* Borrowed text of a string member, or NULL when it is absent or no string. */
const char *gw_state_text_member(const struct gw_json *object, const char *name);

#endif
