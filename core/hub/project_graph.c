/* state_patch of the graph. A lens decides by the event's facets alone; see state_graph.h. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project_internal.h"

/* value: one event on its way */
struct patch {
    const struct gw_event *event;
    const struct gw_lens *lens;
    const struct gw_json *nodes, *edges; /* facets by id */
    struct gw_seen_list ops;
};

static bool has_mark(const struct gw_json *entry, const char *mark)
{
    const char *is = gw_project_text(entry, "is");
    return is && strcmp(is, mark) == 0;
}

/* What is not in the facets cannot be judged, and so is not seen. */
static bool is_node_seen(const struct patch *p, const char *id, bool is_before)
{
    const struct gw_json *entry = id ? gw_json_get(p->nodes, id) : NULL;
    if (!entry || (is_before && has_mark(entry, "new")) || (!is_before && has_mark(entry, "gone")))
        return false;
    struct gw_plan_thing thing = gw_project_thing(p->event, entry, is_before);
    return gw_plan_reads_node(p->lens->plan, &thing);
}

static bool are_ends_seen(const struct patch *p, const struct gw_json *edge, bool is_before)
{
    return is_node_seen(p, gw_project_text(edge, "from"), is_before) && is_node_seen(p, gw_project_text(edge, "to"), is_before);
}

static struct gw_json *new_op(const char *name, const char *id)
{
    struct gw_json *op = gw_json_new_object();
    if (!op || (!gw_json_set(op, "op", gw_json_new_text(name, strlen(name))) && !gw_json_set(op, "id", gw_json_new_text(id, strlen(id)))))
        return op;
    gw_json_unref(op);
    return NULL;
}

/* {op: "edge.set", id} and the members of the edge. */
static struct gw_json *make_edge(const char *id, const struct gw_json *edge)
{
    struct gw_json *op = new_op("edge.set", id), *value;
    void *iterator = NULL;
    const char *key;
    while (op && gw_json_next(edge, &iterator, &key, &value)) {
        if (gw_json_set(op, key, gw_json_ref(value))) {
            gw_json_unref(op);
            op = NULL;
        }
    }
    return op;
}

/* A node appeared: with it the edges that led to it and whose other end is seen. */
static void show_edges(struct patch *p, const char *node)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *entry;
    while (gw_json_next(p->edges, &iterator, &id, &entry)) {
        const struct gw_json *edge = gw_json_get(entry, "edge");
        const char *from = gw_project_text(edge, "from"), *to = gw_project_text(edge, "to");
        bool is_its = from && to && (strcmp(from, node) == 0 || strcmp(to, node) == 0);
        if (is_its && are_ends_seen(p, edge, false))
            gw_seen_list_make(&p->ops, make_edge(id, edge));
    }
}

static void on_node_set(struct patch *p, struct gw_json *op, const char *id)
{
    bool was_seen = is_node_seen(p, id, true);
    if (is_node_seen(p, id, false)) {
        gw_seen_list_keep(&p->ops, op);
        if (!was_seen)
            show_edges(p, id);
    } else if (was_seen) {
        gw_seen_list_make(&p->ops, new_op("node.remove", id));
    } else {
        gw_seen_list_drop(&p->ops);
    }
}

static void on_edge_set(struct patch *p, struct gw_json *op, const char *id)
{
    const struct gw_json *entry = gw_json_get(p->edges, id), *was = entry ? gw_json_get(entry, "was") : NULL;
    bool was_seen = entry && !has_mark(entry, "new") && are_ends_seen(p, was ? was : op, true);
    if (are_ends_seen(p, op, false))
        gw_seen_list_keep(&p->ops, op);
    else if (was_seen)
        gw_seen_list_make(&p->ops, new_op("edge.remove", id));
    else
        gw_seen_list_drop(&p->ops);
}

static bool is_shown_as_it_is(const struct patch *p, const char *name, const char *id)
{
    const struct gw_json *entry = id ? gw_json_get(p->edges, id) : NULL;
    if (strcmp(name, "run.set_state") == 0)
        return gw_plan_reads_graph(p->lens->plan);
    if (strcmp(name, "node.remove") == 0)
        return is_node_seen(p, id, true);
    return strcmp(name, "edge.remove") == 0 && entry && are_ends_seen(p, gw_json_get(entry, "was"), true);
}

static void project_op(struct patch *p, struct gw_json *op)
{
    const char *name = gw_project_text(op, "op"), *id = gw_project_text(op, "id");
    if (name && id && strcmp(name, "node.set") == 0)
        on_node_set(p, op, id);
    else if (name && id && strcmp(name, "edge.set") == 0)
        on_edge_set(p, op, id);
    else if (name && is_shown_as_it_is(p, name, id))
        gw_seen_list_keep(&p->ops, op);
    else
        gw_seen_list_drop(&p->ops);
}

int gw_project_graph(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    const struct gw_json *ops = gw_json_get(event->data, "ops");
    struct patch patch = {.event = event, .lens = lens, .ops = {.given = ops}};
    patch.nodes = event->facets ? gw_json_get(event->facets, "nodes") : NULL;
    patch.edges = event->facets ? gw_json_get(event->facets, "edges") : NULL;
    if (!patch.nodes || !patch.edges)
        return 0;
    for (size_t i = 0; i < gw_json_count(ops); i++)
        project_op(&patch, gw_json_at(ops, i));
    return gw_seen_list_finish(&patch.ops, "ops", event->data, data);
}
