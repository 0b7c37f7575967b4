/* CANVAS_READY: what a canvas is, as far as a class may use it. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project.h"
#include "hub/project_internal.h"
#include "hub/tokens.h"
#include "hub/value_type.h"

/* value: one manifest on its way */
struct view {
    const struct gw_json *manifest;
    const char *canvas_type;
    const struct gw_plan *plan;
};

/* A new object with the members that `make` answers; it answers NULL for what is left out, and sets *has_failed when memory is gone. */
static struct gw_json *filter_object(const struct view *view, const struct gw_json *given,
                                     struct gw_json *(*make)(const struct view *, const char *, struct gw_json *, bool *))
{
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (out && gw_json_is_object(given) && gw_json_next(given, &iterator, &name, &value)) {
        bool has_failed = false;
        struct gw_json *made = make(view, name, value, &has_failed);
        if (has_failed || (made && gw_json_set(out, name, made))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *filter_list(const struct view *view, const struct gw_json *given,
                                   bool (*admits)(const struct view *, const struct gw_json *))
{
    struct gw_json *out = gw_json_new_array();
    for (size_t i = 0; out && gw_json_is_array(given) && i < gw_json_count(given); i++) {
        struct gw_json *item = gw_json_at(given, i);
        if (admits(view, item) && gw_json_append(out, gw_json_ref(item))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

/* ---- kinds ---- */

/* value: a kind within its view */
struct kind_view {
    struct view view; /* first */
    struct gw_plan_thing thing;
};

static struct gw_json *keep_prop(const struct view *view, const char *name, struct gw_json *declaration, bool *has_failed)
{
    const struct kind_view *kind = (const struct kind_view *)(const void *)view;
    (void)has_failed;
    if (!view->plan->sees_sidecars && gw_value_type_is_sidecar(declaration))
        return NULL;
    return gw_plan_shows_prop(view->plan, &kind->thing, name) ? gw_json_ref(declaration) : NULL;
}

static bool keep_child(const struct view *view, const struct gw_json *child)
{
    return gw_plan_reads_kind(view->plan, gw_json_text(child, NULL), view->canvas_type);
}

static struct gw_json *keep_kind(const struct view *view, const char *name, struct gw_json *declared, bool *has_failed)
{
    struct kind_view kind = {*view, {.kind = name, .canvas_type = view->canvas_type}};
    const struct gw_json *props = gw_json_get(declared, "props"), *children = gw_json_get(declared, "children");
    if (!gw_plan_reads_kind(view->plan, name, view->canvas_type))
        return NULL;
    struct gw_json *out = gw_project_copy(declared);
    int status = out ? GW_OK : GW_ENOMEM;
    if (!status && props)
        status = gw_json_set(out, "props", filter_object(&kind.view, props, keep_prop));
    if (!status && children)
        status = gw_json_set(out, "children", filter_list(view, children, keep_child));
    *has_failed = status != GW_OK;
    if (status)
        gw_json_unref(out);
    return status ? NULL : out;
}

/* ---- commands, tools, the CanvasLens rule ---- */

static bool names_sidecar(const struct gw_json *command) { return command && gw_value_type_has_sidecar(gw_json_get(command, "args")); }

static bool admits_command(const struct view *view, const char *type)
{
    const struct gw_json *commands = gw_json_get(view->manifest, "commands");
    const struct gw_json *command = gw_json_is_object(commands) ? gw_json_get(commands, type) : NULL;
    return gw_plan_admits_command(view->plan, type) && (view->plan->sees_sidecars || !names_sidecar(command));
}

static struct gw_json *keep_command(const struct view *view, const char *type, struct gw_json *command, bool *has_failed)
{
    (void)has_failed;
    return admits_command(view, type) ? gw_json_ref(command) : NULL;
}

static bool keep_tool(const struct view *view, const struct gw_json *tool)
{
    const char *command = gw_project_text(tool, "command");
    return !command || admits_command(view, command);
}

static bool keep_condition(const struct view *view, const struct gw_json *condition)
{
    const char *token = gw_project_text(condition, "token");
    return !token || gw_plan_reads_token(view->plan, token);
}

static struct gw_json *keep_lens(const struct view *view, struct gw_json *rule)
{
    struct gw_json *out = gw_json_is_object(rule) ? gw_project_copy(rule) : NULL, *when = out ? gw_json_get(rule, "when") : NULL;
    if (!out)
        return gw_json_is_object(rule) ? NULL : gw_json_ref(rule);
    if (!when || !gw_json_set(out, "when", filter_list(view, when, keep_condition)))
        return out;
    gw_json_unref(out);
    return NULL;
}

/* ---- the manifest ---- */

static bool is_whole(const struct gw_plan *plan) { return plan->sees_all && plan->writes_all; }

struct gw_json *gw_project_manifest(struct gw_json *manifest, const char *canvas_type, const struct gw_plan *plan)
{
    struct view view = {manifest, canvas_type, plan};
    if (is_whole(plan))
        return gw_json_ref(manifest);
    struct gw_json *out = gw_project_copy(manifest), *tools = gw_json_get(manifest, "tools"), *lens = gw_json_get(manifest, "lens");
    struct gw_json *commands = gw_json_get(manifest, "commands"), *kinds = gw_json_get(manifest, "kinds");
    int status = out ? GW_OK : GW_ENOMEM;
    if (!status && kinds)
        status = gw_json_set(out, "kinds", filter_object(&view, kinds, keep_kind));
    if (!status && gw_json_is_array(tools))
        status = gw_json_set(out, "tools", filter_list(&view, tools, keep_tool));
    if (!status && gw_json_is_object(commands))
        status = gw_json_set(out, "commands", filter_object(&view, commands, keep_command));
    if (!status && lens)
        status = gw_json_set(out, "lens", keep_lens(&view, lens));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* ---- the event ---- */

/* The Tokens of the canvas that is mounted are in its own catalog. */
static int set_tokens(const struct gw_event *event, const struct gw_lens *lens, struct gw_json *out)
{
    struct gw_json *catalog = gw_json_get(event->data, "TokenCatalog"), *values = gw_json_get(event->data, "tokens");
    struct gw_json *seen_catalog = gw_json_new_object(), *seen_values = gw_json_new_object(), *declaration;
    int status = seen_catalog && seen_values ? GW_OK : GW_ENOMEM;
    void *iterator = NULL;
    const char *key;
    while (!status && catalog && gw_json_next(catalog, &iterator, &key, &declaration)) {
        struct gw_json *value = values ? gw_json_get(values, key) : NULL, *seen = NULL;
        if (!gw_tokens_shows(lens->plan, key, declaration))
            continue;
        status = gw_json_set(seen_catalog, key, gw_json_ref(declaration));
        if (!status && value)
            status = (seen = gw_lens_token(lens, key, value)) ? GW_OK : GW_ENOMEM;
        if (!status && seen && (seen == value || !gw_json_is_null(seen)))
            status = gw_json_set(seen_values, key, gw_json_ref(seen));
        gw_json_unref(seen);
    }
    if (!status)
        status = gw_json_set(out, "TokenCatalog", gw_json_ref(seen_catalog));
    if (!status)
        status = gw_json_set(out, "tokens", gw_json_ref(seen_values));
    gw_json_unref(seen_catalog);
    gw_json_unref(seen_values);
    return status;
}

int gw_project_ready(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    const char *canvas_type = gw_project_text(event->data, "canvas_type");
    struct gw_json *manifest = gw_json_get(event->data, "manifest"), *out = gw_project_copy(event->data);
    int status = out ? GW_OK : GW_ENOMEM;
    if (!status && manifest)
        status = gw_json_set(out, "manifest", gw_project_manifest(manifest, canvas_type ? canvas_type : "", lens->plan));
    if (!status)
        status = set_tokens(event, lens, out);
    if (status)
        gw_json_unref(out);
    else
        *data = out;
    return status ? status : 1;
}
