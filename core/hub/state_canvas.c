#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/state_internal.h"
#include "hub/value_type.h"

/* One undo step serves every change of the canvas list and of what a canvas holds beside its blocks. */
struct canvas_undo {
    struct gw_undo undo;
    struct gw_state *state;
    struct gw_canvas *canvas;
    struct gw_json *manifest; /* owned; the former one, when it was replaced */
    struct gw_json *sidecars; /* likewise */
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
    gw_json_unref(canvas->sidecars);
    gw_free(canvas->revisions);
    gw_free(canvas);
}

const struct gw_json *gw_canvas_kind(const struct gw_canvas *canvas, const char *kind)
{
    const struct gw_json *kinds = gw_json_get(canvas->manifest, "kinds");
    return gw_json_is_object(kinds) ? gw_json_get(kinds, kind) : NULL;
}

struct gw_json *gw_canvas_sidecars(const struct gw_canvas *canvas, const char *kind) { return gw_json_get(canvas->sidecars, kind); }

/* Names of the kind's properties that are sidecars; NULL: no memory. */
static struct gw_json *sidecars_of(const struct gw_json *kind)
{
    struct gw_json *out = gw_json_new_array(), *props = gw_json_is_object(kind) ? gw_json_get(kind, "props") : NULL;
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (out && gw_json_is_object(props) && gw_json_next(props, &iterator, &name, &declaration)) {
        bool is_one = gw_json_is_object(declaration) && gw_value_type_is_sidecar(declaration);
        if (is_one && gw_json_append(out, gw_json_new_text(name, strlen(name)))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *find_sidecars(const struct gw_json *manifest)
{
    struct gw_json *out = gw_json_new_object(), *kinds = gw_json_get(manifest, "kinds");
    void *iterator = NULL;
    const char *kind;
    struct gw_json *declared;
    while (out && gw_json_is_object(kinds) && gw_json_next(kinds, &iterator, &kind, &declared)) {
        struct gw_json *names = sidecars_of(declared);
        bool has_failed = !names || (gw_json_count(names) && gw_json_set(out, kind, gw_json_ref(names)));
        gw_json_unref(names);
        if (has_failed) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

struct gw_plan_thing gw_canvas_thing(const struct gw_canvas *canvas, const struct gw_block *block)
{
    return (struct gw_plan_thing){.kind = gw_block_kind(block),
                                  .vis = gw_block_vis(block),
                                  .author_kind = gw_block_author(block),
                                  .author_id = gw_block_by(block),
                                  .canvas_type = canvas->type,
                                  .sidecars = gw_canvas_sidecars(canvas, gw_block_kind(block))};
}

bool gw_canvas_shows(const struct gw_canvas *canvas, const struct gw_plan *plan, const struct gw_block *block)
{
    if (plan->sees_all || !block)
        return true;
    struct gw_plan_thing thing = gw_canvas_thing(canvas, block);
    return gw_plan_reads_block(plan, &thing);
}

const char *gw_state_canvas_type(const struct gw_state *state, const char *canvas_id)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    return canvas ? canvas->type : NULL;
}

const char *gw_state_manifest_hash(const struct gw_state *state, const char *canvas_id)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    return canvas ? canvas->manifest_hash : NULL;
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
    gw_json_unref(undo->sidecars);
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
    gw_json_unref(undo->canvas->sidecars);
    undo->canvas->manifest = undo->manifest;
    undo->canvas->sidecars = undo->sidecars;
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
    struct gw_json *sidecars = find_sidecars(manifest);
    struct canvas_undo *undo = sidecars ? create_undo(state, canvas, revert_manifest) : NULL;
    if (!undo) {
        gw_json_unref(sidecars);
        return GW_ENOMEM;
    }
    undo->manifest = canvas->manifest;
    undo->sidecars = canvas->sidecars;
    canvas->sidecars = sidecars;
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
