#include "hub/resolve_graph.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/graph_schema.h"
#include "hub/lens.h"
#include "hub/pointer.h"
#include "hub/state_graph.h"

static int at_member(const struct gw_resolve *r, const char *path, const char *name)
{
    gw_pointer_prefix(r->err, name);
    return gw_resolve_at(r, path);
}

static int read_remove(const struct gw_resolve *r, bool *out)
{
    struct gw_json *remove;
    int status = gw_resolve_typed(r, gw_resolve_args(r), "remove", gw_json_is_bool, &remove);
    *out = !status && remove && gw_json_bool(remove);
    return status;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------------------------- */

/* value: a node's members as they will be; each an owned reference or NULL */
struct members {
    struct gw_json *items[GW_NODE_MEMBERS];
};

static void members_fini(struct members *members)
{
    for (size_t i = 0; i < GW_NODE_MEMBERS; i++)
        gw_json_unref(members->items[i]);
}

static int read_members(const struct gw_resolve *r, const struct gw_json *before, const struct gw_json *object, const char *path,
                        struct members *out)
{
    for (enum gw_node_member member = 0; member < GW_NODE_MEMBERS; member++) {
        const char *name = gw_node_member_name(member);
        struct gw_json *given = gw_json_get(object, name), *present = before ? gw_json_get(before, name) : NULL;
        if (given && !gw_json_is_null(given) && gw_node_member_read(member, given, &out->items[member], r->err))
            return at_member(r, path, name);
        if (!given && present)
            out->items[member] = gw_json_ref(present);
    }
    return GW_OK;
}

/* States that end a node; any other word may stand between. */
static bool is_end(const char *state)
{
    static const char *const ends[] = {"done", "failed", "cancelled", "skipped"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(state, ends[i]) == 0)
            return true;
    return false;
}

static void take_away(struct members *members, enum gw_node_member member)
{
    gw_json_unref(members->items[member]);
    members->items[member] = NULL;
}

static int stamp(const struct gw_resolve *r, struct members *members, enum gw_node_member member)
{
    char now[25];
    gw_clock_format_rfc3339(r->context->ts_ms, now);
    take_away(members, member);
    members->items[member] = gw_json_new_text(now, strlen(now));
    return members->items[member] ? GW_OK : gw_resolve_no_memory(r);
}

/* A timing that the command names stands as it is. */
static int follow_state(const struct gw_resolve *r, const struct gw_json *before, const struct gw_json *object, struct members *members)
{
    const char *was = gw_state_text_member(before, "state"), *now = gw_state_text_member(object, "state");
    bool names_start = gw_json_get(object, "started_at"), names_end = gw_json_get(object, "ended_at");
    if (!now || (was && strcmp(was, now) == 0))
        return GW_OK;
    if (is_end(now))
        return names_end ? GW_OK : stamp(r, members, GW_NODE_ENDED_AT);
    bool begins_anew = !members->items[GW_NODE_STARTED_AT] || (was && is_end(was));
    if (!names_end)
        take_away(members, GW_NODE_ENDED_AT);
    if (strcmp(now, "running") == 0 && !names_start && begins_anew)
        return stamp(r, members, GW_NODE_STARTED_AT);
    return GW_OK;
}

static int join_members(const struct gw_resolve *r, const struct members *members, struct gw_json **out)
{
    struct gw_json *data = gw_json_new_object();
    int status = data ? GW_OK : GW_ENOMEM;
    for (enum gw_node_member member = 0; !status && member < GW_NODE_MEMBERS; member++)
        if (members->items[member])
            status = gw_json_set(data, gw_node_member_name(member), gw_json_ref(members->items[member]));
    if (!status) {
        *out = data;
        return GW_OK;
    }
    gw_json_unref(data);
    return gw_resolve_no_memory(r);
}

int gw_resolve_node_data(const struct gw_resolve *r, const struct gw_json *before, const struct gw_json *object, const char *path,
                         struct gw_json **out)
{
    struct members members = {{NULL}};
    int status = read_members(r, before, object, path, &members);
    if (!status)
        status = follow_state(r, before, object, &members);
    if (!status)
        status = join_members(r, &members, out);
    members_fini(&members);
    return status;
}

/* Of what it does not see an author learns no more than that it may not write it. */
static int check_node(const struct gw_resolve *r, const struct gw_graph_node *node)
{
    struct gw_lens lens = {r->context->plan, NULL};
    return !node || gw_graph_shows_node(&lens, node) ? GW_OK : gw_resolve_refuse_write(r, "/args/id");
}

static int check_edge(const struct gw_resolve *r, const struct gw_graph_edge *edge)
{
    struct gw_lens lens = {r->context->plan, NULL};
    return !edge || gw_graph_shows_edge(&lens, edge) ? GW_OK : gw_resolve_refuse_write(r, "/args/id");
}

/* A node may not be set out of its author's own sight. */
static int check_node_after(const struct gw_resolve *r, const struct gw_graph_node *node, const struct gw_json *data)
{
    const char *own_id = r->context->author_id ? r->context->author_id : "";
    struct gw_plan_thing thing = {.kind = gw_state_text_member(data, "kind"),
                                  .vis = gw_state_text_member(data, "vis"),
                                  .author_kind = node ? gw_actor_kind_name(gw_graph_node_author(node)->kind) : r->context->author_kind,
                                  .author_id = node ? gw_graph_node_author(node)->id : own_id};
    if (gw_plan_reads_node(r->context->plan, &thing))
        return GW_OK;
    return gw_resolve_refuse_write(r, gw_json_get(r->command->args, "vis") ? "/args/vis" : "/args/kind");
}

static int emit_node(const struct gw_resolve *r, const char *id, struct gw_json *data)
{
    struct gw_graph_patch patch;
    gw_graph_patch_init(&patch);
    int status = gw_graph_patch_set_node(&patch, r, id, data);
    if (status == GW_ELIMIT)
        gw_resolve_at(r, "/args/vis");
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

static int set_node(const struct gw_resolve *r, const char *id)
{
    const struct gw_graph_node *node = gw_graph_node(r->state->graph, id);
    const struct gw_json *before = node ? gw_graph_node_data(node) : NULL;
    struct gw_json *data;
    size_t max = r->state->limits.max_nodes;
    if (!node && gw_graph_node_count(r->state->graph) >= max) {
        gw_error_limit(r->err, "limit_nodes", "max_nodes", (int64_t)max, "a graph may hold %zu nodes", max);
        return gw_resolve_at(r, "/args/id");
    }
    int status = check_node(r, node);
    if (!status)
        status = gw_resolve_node_data(r, before, r->command->args, "/args", &data);
    if (status)
        return status;
    status = check_node_after(r, node, data);
    if (status) {
        gw_json_unref(data);
        return status;
    }
    if (!before || !gw_json_equal(before, data))
        return emit_node(r, id, data);
    gw_json_unref(data);
    return gw_resolve_emit_nothing(r, NULL);
}

static int remove_node(const struct gw_resolve *r, const char *id)
{
    const struct gw_graph_node *node = gw_graph_node(r->state->graph, id);
    struct gw_graph_patch patch;
    struct gw_lens lens = {r->context->plan, NULL};
    if (!node || !gw_graph_shows_node(&lens, node))
        return gw_resolve_emit_nothing(r, NULL);
    gw_graph_patch_init(&patch);
    int status = gw_graph_patch_remove_node(&patch, r, node);
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

int gw_resolve_node_set(const struct gw_resolve *r)
{
    static const char *const names[] = {"id", "kind", "label", "state", "started_at", "ended_at", "props", "vis", "remove", NULL};
    const char *id;
    bool removes;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "id", true, &id);
    if (!status)
        status = read_remove(r, &removes);
    if (status)
        return status;
    return removes ? remove_node(r, id) : set_node(r, id);
}

/* ---- edges --------------------------------------------------------------------------------------------------------------------------- */

/* The end that the command names, or the one that the edge has. */
static int read_end(const struct gw_resolve *r, const struct gw_json *before, const char *name, struct gw_json *data)
{
    const char *id;
    int status = gw_resolve_id(r, gw_resolve_args(r), name, !before, &id);
    if (status)
        return status;
    if (!id)
        id = gw_json_text(gw_json_get(before, name), NULL);
    const struct gw_graph_node *node = gw_graph_node(r->state->graph, id);
    if (!node || check_node(r, node)) {
        gw_error_set(r->err, GW_ENOTFOUND, "unknown_node", "no node %s is in this graph", id);
        return at_member(r, "/args", name);
    }
    return gw_json_set(data, name, gw_resolve_text(id)) ? gw_resolve_no_memory(r) : GW_OK;
}

static int read_optional(const struct gw_resolve *r, const struct gw_json *before, enum gw_node_member member, struct gw_json *data)
{
    const char *name = gw_node_member_name(member);
    struct gw_json *given = gw_json_get(r->command->args, name), *value = before ? gw_json_get(before, name) : NULL;
    if (given && gw_json_is_null(given))
        return GW_OK;
    if (given && gw_node_member_read(member, given, &value, r->err))
        return at_member(r, "/args", name);
    if (!value)
        return GW_OK;
    return gw_json_set(data, name, given ? value : gw_json_ref(value)) ? gw_resolve_no_memory(r) : GW_OK;
}

static int read_edge(const struct gw_resolve *r, const struct gw_json *before, struct gw_json *data)
{
    int status = read_end(r, before, "from", data);
    if (!status)
        status = read_end(r, before, "to", data);
    if (!status)
        status = read_optional(r, before, GW_NODE_LABEL, data);
    return status ? status : read_optional(r, before, GW_NODE_STATE, data);
}

static int emit_edge(const struct gw_resolve *r, const char *id, struct gw_json *data)
{
    struct gw_graph_patch patch;
    gw_graph_patch_init(&patch);
    int status = gw_graph_patch_set_edge(&patch, r, id, gw_json_ref(data));
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

static int set_edge(const struct gw_resolve *r, const char *id)
{
    const struct gw_graph_edge *edge = gw_graph_edge(r->state->graph, id);
    const struct gw_json *before = edge ? gw_graph_edge_data(edge) : NULL;
    size_t max = r->state->limits.max_edges;
    if (!edge && gw_graph_edge_count(r->state->graph) >= max) {
        gw_error_limit(r->err, "limit_edges", "max_edges", (int64_t)max, "a graph may hold %zu edges", max);
        return gw_resolve_at(r, "/args/id");
    }
    struct gw_json *data = gw_json_new_object();
    int status = data ? check_edge(r, edge) : gw_resolve_no_memory(r);
    if (!status)
        status = read_edge(r, before, data);
    if (!status && before && gw_json_equal(before, data))
        status = gw_resolve_emit_nothing(r, NULL);
    else if (!status)
        status = emit_edge(r, id, data);
    gw_json_unref(data);
    return status;
}

static int remove_edge(const struct gw_resolve *r, const char *id)
{
    const struct gw_graph_edge *edge = gw_graph_edge(r->state->graph, id);
    struct gw_graph_patch patch;
    struct gw_lens lens = {r->context->plan, NULL};
    if (!edge || !gw_graph_shows_edge(&lens, edge))
        return gw_resolve_emit_nothing(r, NULL);
    gw_graph_patch_init(&patch);
    int status = gw_graph_patch_remove_edge(&patch, r, edge);
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}

int gw_resolve_edge_set(const struct gw_resolve *r)
{
    static const char *const names[] = {"id", "from", "to", "label", "state", "remove", NULL};
    const char *id;
    bool removes;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "id", true, &id);
    if (!status)
        status = read_remove(r, &removes);
    if (status)
        return status;
    return removes ? remove_edge(r, id) : set_edge(r, id);
}

/* ---- the run's state ----------------------------------------------------------------------------------------------------------------- */

static int read_run_state(const struct gw_resolve *r, const char **state, struct gw_json **detail)
{
    static const char *const names[] = {"state", "detail", NULL};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "state", true, state);
    if (status)
        return status;
    *detail = gw_json_get(r->command->args, "detail");
    if (*detail && gw_json_is_null(*detail))
        *detail = NULL;
    return *detail && gw_graph_text_check(*detail, GW_RUN_DETAIL_MAX, r->err) ? gw_resolve_at(r, "/args/detail") : GW_OK;
}

static bool is_as_before(const struct gw_resolve *r, const char *state, const struct gw_json *detail)
{
    const struct gw_json *run = gw_graph_run(r->state->graph), *present = run ? gw_json_get(run, "detail") : NULL;
    if (!run || strcmp(gw_json_text(gw_json_get(run, "state"), NULL), state) != 0)
        return false;
    return detail && present ? gw_json_equal(detail, present) : detail == present;
}

static struct gw_json *make_run_state(const char *state, struct gw_json *detail)
{
    struct gw_json *data = gw_json_new_object();
    if (!data || (!gw_json_set(data, "state", gw_resolve_text(state)) && (!detail || !gw_json_set(data, "detail", gw_json_ref(detail)))))
        return data;
    gw_json_unref(data);
    return NULL;
}

int gw_resolve_run_state(const struct gw_resolve *r)
{
    const char *state;
    struct gw_json *detail;
    struct gw_graph_patch patch;
    int status = read_run_state(r, &state, &detail);
    if (status)
        return status;
    if (is_as_before(r, state, detail))
        return gw_resolve_emit_nothing(r, NULL);
    gw_graph_patch_init(&patch);
    status = gw_graph_patch_set_run(&patch, r, make_run_state(state, detail));
    if (!status)
        status = gw_graph_patch_emit(&patch, r);
    gw_graph_patch_fini(&patch);
    return status;
}
