#include "hub/catalog.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/ephemera.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/project.h"
#include "hub/tokens.h"
#include "hub/value_type.h"

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static int add_bool(struct gw_json *object, const char *name, bool value) { return gw_json_set(object, name, gw_json_new_bool(value)); }

/* Of a finished object: itself, or NULL when something did not fit into memory. */
static struct gw_json *finish(struct gw_json *object, int status)
{
    if (!status)
        return object;
    gw_json_unref(object);
    return NULL;
}

static const char *right(bool is_written) { return is_written ? "write" : "read"; }

/* ---- rights ----------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *both(bool reads, bool writes)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? add_bool(out, "read", reads) : GW_ENOMEM;
    if (!status)
        status = add_bool(out, "write", writes);
    return finish(out, status);
}

static bool reaches(const struct gw_plan *plan, enum gw_event_type type)
{
    if (!gw_plan_admits_event(plan, gw_event_type_name(type)))
        return false;
    if (type == GW_EVENT_SNAPSHOT_CREATED)
        return plan->sees_sidecars;
    if (type == GW_EVENT_CHAT_MESSAGE || type == GW_EVENT_CHAT_TOKEN)
        return gw_plan_reads_chat(plan);
    return type != GW_EVENT_LOG_LINE || gw_plan_reads_logs(plan);
}

/* void, which nobody is told of, is the last of the durable ones. */
static struct gw_json *events(const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_array();
    int status = out ? GW_OK : GW_ENOMEM;
    for (int type = 0; !status && type < GW_EVENT_VOID; type++)
        if (reaches(plan, (enum gw_event_type)type))
            status = gw_json_append(out, text(gw_event_type_name((enum gw_event_type)type)));
    static const enum gw_ephemeral_kind kinds[] = {GW_EPHEMERAL_GESTURE, GW_EPHEMERAL_PRESENCE};
    for (size_t i = 0; !status && plan->sees_presence && i < 2; i++)
        if (gw_plan_admits_event(plan, gw_ephemeral_name(kinds[i])))
            status = gw_json_append(out, text(gw_ephemeral_name(kinds[i])));
    return finish(out, status);
}

static int add_own_commands(struct gw_json *out, const struct gw_manifest *manifest, const struct gw_plan *plan)
{
    struct gw_json *seen =
        gw_project_manifest((struct gw_json *)(uintptr_t)gw_manifest_document(manifest), gw_manifest_type(manifest), plan);
    struct gw_json *commands = seen ? gw_json_get(seen, "commands") : NULL, *command;
    void *iterator = NULL;
    const char *type;
    int status = seen ? GW_OK : GW_ENOMEM;
    while (!status && gw_json_is_object(commands) && gw_json_next(commands, &iterator, &type, &command))
        if (gw_plan_admits_command(plan, type))
            status = gw_json_append(out, text(type));
    gw_json_unref(seen);
    return status;
}

static struct gw_json *commands(const struct gw_manifests *manifests, const struct gw_plan *plan, const char *author_kind)
{
    struct gw_json *out = gw_json_new_array();
    int status = out ? GW_OK : GW_ENOMEM;
    const char *type;
    for (size_t i = 0; !status && (type = gw_command_builtin(i)); i++)
        if (gw_plan_admits_command(plan, type) && gw_command_is_for(type, author_kind) && gw_command_may_write(type, plan))
            status = gw_json_append(out, text(type));
    for (size_t i = 0; !status && i < gw_manifests_count(manifests); i++)
        status = add_own_commands(out, gw_manifests_at(manifests, i), plan);
    return finish(out, status);
}

static struct gw_json *tokens(const struct gw_manifests *manifests, const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_object(), *declaration;
    int status = out ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_manifests_count(manifests); i++) {
        const struct gw_json *declared = gw_manifest_member(gw_manifests_at(manifests, i), "tokens");
        void *iterator = NULL;
        const char *key;
        while (!status && gw_json_next(declared, &iterator, &key, &declaration))
            if (gw_tokens_shows(plan, key, declaration))
                status = gw_json_set(out, key, text(right(gw_plan_writes_token(plan, key))));
    }
    return finish(out, status);
}

/* A block of that kind can be made by whoever may set each property that it must have. */
static bool sets_required(const struct gw_plan *plan, const struct gw_plan_thing *thing, const struct gw_json *declared)
{
    const struct gw_json *props = gw_json_get(declared, "props");
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (gw_json_is_object(props) && gw_json_next(props, &iterator, &name, &declaration)) {
        const struct gw_json *required = gw_json_get(declaration, "required");
        bool must_be_given = required && gw_json_bool(required) && !gw_json_get(declaration, "default");
        bool is_hidden = (gw_value_type_is_sidecar(declaration) && !plan->sees_sidecars) || !gw_plan_shows_prop(plan, thing, name);
        if (must_be_given && is_hidden)
            return false;
    }
    return true;
}

static bool writes(const struct gw_plan *plan, const char *kind, const char *canvas_type, const struct gw_json *declared)
{
    struct gw_plan_thing thing = {.kind = kind, .canvas_type = canvas_type};
    return gw_plan_writes_kind(plan, kind, canvas_type) && sets_required(plan, &thing, declared);
}

static struct gw_json *kinds(const struct gw_manifest *manifest, const struct gw_plan *plan)
{
    const char *canvas_type = gw_manifest_type(manifest), *kind;
    struct gw_json *out = gw_json_new_object(), *declared;
    int status = out ? GW_OK : GW_ENOMEM;
    void *iterator = NULL;
    while (!status && gw_json_next(gw_manifest_member(manifest, "kinds"), &iterator, &kind, &declared))
        if (gw_plan_reads_kind(plan, kind, canvas_type))
            status = gw_json_set(out, kind, text(right(writes(plan, kind, canvas_type, declared))));
    return finish(out, status);
}

static bool shows(const struct gw_manifest *manifest, const struct gw_plan *plan)
{
    const struct gw_json *declared = gw_manifest_member(manifest, "kinds");
    void *iterator = NULL;
    const char *kind;
    struct gw_json *value;
    while (gw_json_next(declared, &iterator, &kind, &value))
        if (gw_plan_reads_kind(plan, kind, gw_manifest_type(manifest)))
            return true;
    return gw_json_count(declared) == 0;
}

static struct gw_json *canvases(const struct gw_manifests *manifests, const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_manifests_count(manifests); i++) {
        const struct gw_manifest *manifest = gw_manifests_at(manifests, i);
        if (shows(manifest, plan))
            status = gw_json_set(out, gw_manifest_type(manifest), kinds(manifest, plan));
    }
    return finish(out, status);
}

static int add_flags(struct gw_json *out, const struct gw_plan *plan, const char *author_kind)
{
    bool writes_graph = gw_plan_writes_graph(plan) && gw_command_is_for("graph.node.set", author_kind);
    int status = add_bool(out, "history", plan->sees_history);
    if (!status)
        status = add_bool(out, "vision", plan->sees_sidecars);
    if (!status)
        status = add_bool(out, "presence", plan->sees_presence);
    if (!status)
        status = gw_json_set(out, "graph", both(gw_plan_reads_graph(plan), writes_graph));
    if (!status)
        status = gw_json_set(out, "chat", both(gw_plan_reads_chat(plan), gw_plan_writes_chat(plan)));
    if (!status)
        status = gw_json_set(out, "logs", both(gw_plan_reads_logs(plan), gw_plan_writes_logs(plan)));
    return status;
}

struct gw_json *gw_catalog_rights(const struct gw_manifests *manifests, const struct gw_plan *plan, const char *author_kind)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? add_flags(out, plan, author_kind) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "events", events(plan));
    if (!status)
        status = gw_json_set(out, "commands", commands(manifests, plan, author_kind));
    if (!status)
        status = gw_json_set(out, "tokens", tokens(manifests, plan));
    if (!status)
        status = gw_json_set(out, "canvases", canvases(manifests, plan));
    return finish(out, status);
}

/* ---- canvases --------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *catalog(const struct gw_manifest *manifest, const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_object(), *declaration;
    int status = out ? GW_OK : GW_ENOMEM;
    void *iterator = NULL;
    const char *key;
    while (!status && gw_json_next(gw_manifest_member(manifest, "tokens"), &iterator, &key, &declaration))
        if (gw_tokens_shows(plan, key, declaration))
            status = gw_json_set(out, key, gw_json_ref(declaration));
    return finish(out, status);
}

static struct gw_json *describe(const struct gw_manifest *manifest, const struct gw_plan *plan)
{
    struct gw_json *travels = gw_manifest_travels(manifest), *out = gw_json_new_object();
    int status = travels && out ? GW_OK : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "canvas_type", text(gw_manifest_type(manifest)));
    if (!status)
        status = gw_json_set(out, "manifest", gw_project_manifest(travels, gw_manifest_type(manifest), plan));
    if (!status)
        status = gw_json_set(out, "TokenCatalog", catalog(manifest, plan));
    gw_json_unref(travels);
    return finish(out, status);
}

struct gw_json *gw_catalog_canvases(const struct gw_manifests *manifests, const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_array();
    int status = out ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_manifests_count(manifests); i++)
        if (shows(gw_manifests_at(manifests, i), plan))
            status = gw_json_append(out, describe(gw_manifests_at(manifests, i), plan));
    return finish(out, status);
}
