/* run.start: a run is opened from a flow, by the events that its nodes, edges and canvases would have made one by one. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/graph_schema.h"
#include "hub/manifest.h"
#include "hub/refuse_bytes.h"
#include "hub/resolve_graph.h"

#define PATH "/args/flow_id"

static int refuse(const struct gw_resolve *r, int code, const char *id, const char *message)
{
    gw_error_set(r->err, code, id, "%s", message);
    return gw_resolve_at(r, PATH);
}

/* ---- may it be? ---------------------------------------------------------------------------------------------------------------------- */

static const struct gw_manifest *manifest_of(const struct gw_resolve *r, size_t index)
{
    const struct gw_json *canvas = gw_json_at(gw_json_get(r->command->flow, "canvases"), index);
    return gw_manifests_get(r->context->manifests, gw_json_text(gw_json_get(canvas, "canvas_type"), NULL));
}

static bool agree(const struct gw_manifest *a, const struct gw_manifest *b)
{
    const struct gw_json *mine = gw_manifest_member(a, "tokens"), *others = gw_manifest_member(b, "tokens");
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    while (gw_json_next(mine, &iterator, &key, &declaration)) {
        const struct gw_json *other = gw_json_get(others, key);
        if (other && !gw_json_equal(other, declaration))
            return false;
    }
    return true;
}

static int check_canvases(const struct gw_resolve *r)
{
    size_t count = gw_json_count(gw_json_get(r->command->flow, "canvases")), max = r->state->limits.max_canvases;
    if (count > max) {
        gw_error_limit(r->err, "limit_canvases", "max_canvases", (int64_t)max, "a run may hold %zu canvases", max);
        return gw_resolve_at(r, PATH);
    }
    for (size_t i = 0; i < count; i++) {
        if (!manifest_of(r, i))
            return refuse(r, GW_ENOTFOUND, "unknown_canvas", "the flow mounts a canvas of a type that is not known");
        for (size_t j = 0; j < i; j++)
            if (!agree(manifest_of(r, i), manifest_of(r, j)))
                return refuse(r, GW_ECONFLICT, "token_conflict", "two canvases of the flow declare a Token differently");
    }
    return GW_OK;
}

static int check_flow(const struct gw_resolve *r)
{
    if (!r->command->flow)
        return refuse(r, GW_ENOTFOUND, "unknown_flow", "there is no such flow for this tenant and project");
    if (gw_refuse_bytes_json(r->command->flow, r->state->limits.max_base64_run, r->err))
        return gw_resolve_at(r, PATH);
    return check_canvases(r);
}

/* ---- its events ---------------------------------------------------------------------------------------------------------------------- */

static int add_nodes(const struct gw_resolve *r, struct gw_graph_patch *patch)
{
    const struct gw_json *nodes = gw_json_get(r->command->flow, "nodes");
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(nodes); i++) {
        const struct gw_json *node = gw_json_at(nodes, i);
        struct gw_json *data = NULL, *pending = gw_json_new_object();
        status = pending ? gw_json_set(pending, "state", gw_resolve_text("pending")) : GW_ENOMEM;
        status = status ? gw_resolve_no_memory(r) : gw_resolve_node_data(r, pending, node, PATH, &data);
        gw_json_unref(pending);
        if (!status)
            status = gw_graph_patch_set_node(patch, r, gw_json_text(gw_json_get(node, "id"), NULL), data);
    }
    return status;
}

static struct gw_json *make_edge(const struct gw_json *edge)
{
    static const char *const names[] = {"from", "to", "label", "state"};
    struct gw_json *data = gw_json_new_object();
    for (size_t i = 0; data && i < sizeof names / sizeof names[0]; i++) {
        struct gw_json *value = gw_json_get(edge, names[i]);
        if (value && gw_json_set(data, names[i], gw_json_ref(value))) {
            gw_json_unref(data);
            data = NULL;
        }
    }
    return data;
}

static int add_edges(const struct gw_resolve *r, struct gw_graph_patch *patch)
{
    const struct gw_json *edges = gw_json_get(r->command->flow, "edges");
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(edges); i++) {
        const struct gw_json *edge = gw_json_at(edges, i);
        status = gw_graph_patch_set_edge(patch, r, gw_json_text(gw_json_get(edge, "id"), NULL), make_edge(edge));
    }
    return status;
}

static int emit_graph(const struct gw_resolve *r)
{
    struct gw_graph_patch patch;
    if (gw_json_count(gw_json_get(r->command->flow, "nodes")) == 0)
        return GW_OK; /* and so no edges */
    gw_graph_patch_init(&patch);
    int status = add_nodes(r, &patch);
    if (!status)
        status = add_edges(r, &patch);
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

static int emit_canvases(const struct gw_resolve *r)
{
    const struct gw_json *canvases = gw_json_get(r->command->flow, "canvases");
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(canvases); i++)
        status = gw_resolve_ready(r, gw_json_text(gw_json_get(gw_json_at(canvases, i), "canvas_id"), NULL), manifest_of(r, i));
    return status;
}

static struct gw_json *make_run(const char *flow_id)
{
    struct gw_json *data = gw_json_new_object();
    if (!data || (!gw_json_set(data, "state", gw_resolve_text("running")) && !gw_json_set(data, "flow_id", gw_resolve_text(flow_id))))
        return data;
    gw_json_unref(data);
    return NULL;
}

/* Last, so that who sees the run running finds its canvases. */
static int emit_running(const struct gw_resolve *r, const char *flow_id)
{
    struct gw_graph_patch patch;
    gw_graph_patch_init(&patch);
    int status = gw_graph_patch_set_run(&patch, r, make_run(flow_id));
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

int gw_resolve_run_start(const struct gw_resolve *r)
{
    static const char *const names[] = {"flow_id", NULL};
    const char *flow_id, *started = gw_state_text_member(gw_graph_run(r->state->graph), "flow_id");
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "flow_id", true, &flow_id);
    if (status)
        return status;
    if (started && strcmp(started, flow_id) == 0)
        return gw_resolve_emit_nothing(r, NULL);
    if (r->state->seq > 0)
        return refuse(r, GW_ECONFLICT, "run_exists", started ? "the run was opened from another flow" : "the run began without a flow");
    status = check_flow(r);
    if (!status)
        status = emit_graph(r);
    if (!status)
        status = emit_canvases(r);
    return status ? status : emit_running(r, flow_id);
}
