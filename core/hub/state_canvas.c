#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/state_internal.h"

/* One undo step serves every change of the canvas list and of what a canvas holds beside its blocks. */
struct canvas_undo {
    struct gw_undo undo;
    struct gw_state *state;
    struct gw_canvas *canvas;
    struct gw_json *manifest; /* owned; the former one, when it was replaced */
    char hash[2 * GW_SHA256_BYTES + 1];
    uint64_t uncommitted;
};

struct gw_canvas *gw_canvas_create(struct gw_state *state, const char *id)
{
    struct gw_canvas *canvas = gw_try_alloc(sizeof *canvas);
    if (!canvas)
        return NULL;
    memset(canvas, 0, sizeof *canvas);
    memcpy(canvas->id, id, strlen(id) + 1);
    canvas->blocks = gw_blocks_create(state->seed, &state->splice_limits, &state->journal);
    if (canvas->blocks)
        return canvas;
    gw_free(canvas);
    return NULL;
}

void gw_canvas_destroy(struct gw_canvas *canvas)
{
    if (!canvas)
        return;
    gw_blocks_destroy(canvas->blocks);
    gw_json_unref(canvas->manifest);
    gw_free(canvas->revisions);
    gw_free(canvas);
}

const struct gw_json *gw_canvas_kind(const struct gw_canvas *canvas, const char *kind)
{
    const struct gw_json *kinds = gw_json_get(canvas->manifest, "kinds");
    return gw_json_is_object(kinds) ? gw_json_get(kinds, kind) : NULL;
}

void gw_state_bury(struct gw_state *state, struct gw_canvas *canvas)
{
    canvas->next_dead = state->dead;
    state->dead = canvas;
    if (!state->journal.is_open)
        gw_state_destroy_dead(state);
}

void gw_state_destroy_dead(struct gw_state *state)
{
    while (state->dead) {
        struct gw_canvas *canvas = state->dead;
        state->dead = canvas->next_dead;
        gw_canvas_destroy(canvas);
    }
}

static void forget(struct gw_undo *step)
{
    struct canvas_undo *undo = (struct canvas_undo *)step;
    gw_json_unref(undo->manifest);
    gw_free(undo);
}

static void revert_mount(struct gw_undo *step)
{
    struct canvas_undo *undo = (struct canvas_undo *)step;
    undo->state->canvas_count--;
    gw_state_bury(undo->state, undo->canvas);
    gw_free(undo);
}

static void revert_manifest(struct gw_undo *step)
{
    struct canvas_undo *undo = (struct canvas_undo *)step;
    gw_json_unref(undo->canvas->manifest);
    undo->canvas->manifest = undo->manifest;
    memcpy(undo->canvas->manifest_hash, undo->hash, sizeof undo->hash);
    gw_free(undo);
}

static void revert_revision(struct gw_undo *step)
{
    struct canvas_undo *undo = (struct canvas_undo *)step;
    undo->canvas->revision_count--;
    gw_free(undo);
}

static void revert_uncommitted(struct gw_undo *step)
{
    struct canvas_undo *undo = (struct canvas_undo *)step;
    undo->canvas->uncommitted = undo->uncommitted;
    gw_free(undo);
}

static struct canvas_undo *create_undo(struct gw_state *state, struct gw_canvas *canvas, void (*revert)(struct gw_undo *step))
{
    struct canvas_undo *undo = gw_try_alloc(sizeof *undo);
    if (undo)
        *undo = (struct canvas_undo){.undo = {NULL, revert, forget}, .state = state, .canvas = canvas};
    return undo;
}

int gw_state_mount(struct gw_state *state, struct gw_canvas *canvas)
{
    struct canvas_undo *undo = create_undo(state, canvas, revert_mount);
    if (!undo)
        return GW_ENOMEM;
    state->canvases[state->canvas_count] = canvas;
    state->canvas_ids[state->canvas_count++] = canvas->id;
    gw_journal_push(&state->journal, &undo->undo);
    return GW_OK;
}

int gw_state_set_manifest(struct gw_state *state, struct gw_canvas *canvas, struct gw_json *manifest, const char *hash)
{
    struct canvas_undo *undo = create_undo(state, canvas, revert_manifest);
    if (!undo)
        return GW_ENOMEM;
    undo->manifest = canvas->manifest;
    memcpy(undo->hash, canvas->manifest_hash, sizeof undo->hash);
    canvas->manifest = gw_json_ref(manifest);
    memcpy(canvas->manifest_hash, hash, strlen(hash) + 1);
    gw_journal_push(&state->journal, &undo->undo);
    return GW_OK;
}

int gw_state_set_uncommitted(struct gw_state *state, struct gw_canvas *canvas, uint64_t count)
{
    struct canvas_undo *undo = state->journal.is_open ? create_undo(state, canvas, revert_uncommitted) : NULL;
    if (state->journal.is_open && !undo)
        return GW_ENOMEM;
    if (undo) {
        undo->uncommitted = canvas->uncommitted;
        gw_journal_push(&state->journal, &undo->undo);
    }
    canvas->uncommitted = count;
    return GW_OK;
}

int gw_state_add_revision(struct gw_state *state, struct gw_canvas *canvas, const struct gw_revision *revision)
{
    if (canvas->revision_count == canvas->revision_capacity) {
        size_t capacity = canvas->revision_capacity ? canvas->revision_capacity * 2 : 8;
        struct gw_revision *grown = gw_try_grow(canvas->revisions, capacity, sizeof *grown);
        if (!grown)
            return GW_ENOMEM;
        canvas->revisions = grown;
        canvas->revision_capacity = capacity;
    }
    struct canvas_undo *undo = create_undo(state, canvas, revert_revision);
    if (!undo)
        return GW_ENOMEM;
    canvas->revisions[canvas->revision_count++] = *revision;
    gw_journal_push(&state->journal, &undo->undo);
    return GW_OK;
}
