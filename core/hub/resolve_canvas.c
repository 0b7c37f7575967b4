#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/tokens.h"

/* ---- canvas.mount -----------------------------------------------------------------------------------------------------------------------
 */

/* The value that a declared key has once the canvas is mounted: what stands, or the default of a key that is new. Borrowed; NULL: none. */
static struct gw_json *value_after(const struct gw_state *state, const char *key, const struct gw_json *declaration)
{
    bool is_declared = gw_tokens_declaration(state->tokens, key);
    return is_declared ? gw_tokens_value(state->tokens, key) : gw_json_get(declaration, "default");
}

static struct gw_json *make_values(const struct gw_state *state, const struct gw_json *catalog)
{
    struct gw_json *values = gw_json_new_object();
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    while (values && gw_json_next(catalog, &iterator, &key, &declaration)) {
        struct gw_json *value = value_after(state, key, declaration);
        if (value && gw_json_set(values, key, gw_json_ref(value))) {
            gw_json_unref(values);
            values = NULL;
        }
    }
    return values;
}

static struct gw_json *make_empty_state(void)
{
    struct gw_json *state = gw_json_new_object();
    if (!state || !gw_json_set(state, "blocks", gw_json_new_object()))
        return state;
    gw_json_unref(state);
    return NULL;
}

/* A canvas that stands keeps its blocks: a reader who is told no state does so, too. */
static int set_state(struct gw_json *data, const struct gw_canvas *mounted)
{
    int status = gw_json_set(data, "rev", gw_json_new_int(mounted ? (int64_t)mounted->revision_count : 0));
    return status || mounted ? status : gw_json_set(data, "state", make_empty_state());
}

static struct gw_json *make_ready(const struct gw_resolve *r, const char *canvas_id, const struct gw_manifest *manifest)
{
    struct gw_json *data = gw_json_new_object(), *catalog = gw_manifest_member(manifest, "tokens");
    if (!data)
        return NULL;
    if (!gw_json_set(data, "canvas_type", gw_resolve_text(gw_manifest_type(manifest))) &&
        !gw_json_set(data, "manifest", gw_manifest_travels(manifest)) && !gw_json_set(data, "TokenCatalog", gw_json_ref(catalog)) &&
        !gw_json_set(data, "tokens", make_values(r->state, catalog)) && !set_state(data, gw_state_canvas(r->state, canvas_id)))
        return data;
    gw_json_unref(data);
    return NULL;
}

/* Manifests are shared by all workers and JSON trees are one thread's at a time, so the event gets a copy of its own. */
static struct gw_json *copy_ready(const struct gw_resolve *r, const char *canvas_id, const struct gw_manifest *manifest)
{
    struct gw_json *shared = make_ready(r, canvas_id, manifest);
    struct gw_json *own = shared ? gw_json_copy_deep(shared) : NULL;
    gw_json_unref(shared);
    return own;
}

int gw_resolve_ready(const struct gw_resolve *r, const char *canvas_id, const struct gw_manifest *manifest)
{
    struct gw_json *context = gw_json_new_object();
    if (!context || gw_json_set(context, "manifest_hash", gw_resolve_text(gw_manifest_hash(manifest)))) {
        gw_json_unref(context);
        return gw_resolve_no_memory(r);
    }
    int status = gw_resolve_emit(r, GW_EVENT_CANVAS_READY, copy_ready(r, canvas_id, manifest), NULL, context);
    return status ? status : gw_resolve_redirect(r, canvas_id);
}

int gw_state_resolve_ready(const struct gw_state *state, const char *canvas_id, const struct gw_manifest *manifest,
                           struct gw_event_list *out, struct gw_error *err)
{
    const struct gw_command command = {0};
    const struct gw_resolve_context context = {0};
    struct gw_resolve r = {.state = state, .command = &command, .context = &context, .out = out, .err = err};
    return gw_resolve_ready(&r, canvas_id, manifest);
}

static int mount(const struct gw_resolve *r, const struct gw_manifest *manifest)
{
    const struct gw_state_limits *limits = &r->state->limits;
    if (r->state->canvas_count >= limits->max_canvases) {
        gw_error_limit(r->err, "limit_canvases", "max_canvases", (int64_t)limits->max_canvases, "a run may hold %zu canvases",
                       limits->max_canvases);
        return gw_resolve_at(r, "/canvas_id");
    }
    int status = gw_tokens_check_catalog(r->state->tokens, r->context->plan, gw_manifest_member(manifest, "tokens"), r->err);
    return status ? gw_resolve_at(r, "/args/canvas_type") : gw_resolve_ready(r, r->command->canvas_id, manifest);
}

int gw_resolve_canvas_mount(const struct gw_resolve *r)
{
    static const char *const names[] = {"canvas_type", NULL};
    const char *type, *id = r->command->canvas_id;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "canvas_type", true, &type);
    if (status)
        return status;
    if (!id[0]) {
        gw_error_set(r->err, GW_EINVAL, "missing_id", "canvas_id is required");
        return gw_resolve_at(r, "/canvas_id");
    }
    const struct gw_canvas *mounted = gw_state_canvas(r->state, id);
    if (mounted && strcmp(mounted->type, type) == 0)
        return gw_resolve_emit_nothing(r, NULL);
    if (mounted) {
        gw_error_set(r->err, GW_ECONFLICT, "canvas_exists", "the canvas %s is mounted with another type", id);
        return gw_resolve_at(r, "/args/canvas_type");
    }
    const struct gw_manifest *manifest = gw_manifests_get(r->context->manifests, type);
    if (manifest)
        return mount(r, manifest);
    gw_error_set(r->err, GW_ENOTFOUND, "unknown_canvas", "no canvas type %s is known", type);
    return gw_resolve_at(r, "/args/canvas_type");
}
