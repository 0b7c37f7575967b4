#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/resolve_graph.h"

void gw_graph_patch_init(struct gw_graph_patch *patch)
{
    patch->ops = gw_json_new_array();
    patch->facets = gw_json_new_object();
    if (!patch->facets ||
        (!gw_json_set(patch->facets, "nodes", gw_json_new_object()) && !gw_json_set(patch->facets, "edges", gw_json_new_object())))
        return;
    gw_json_unref(patch->facets);
    patch->facets = NULL;
}

void gw_graph_patch_fini(struct gw_graph_patch *patch)
{
    gw_json_unref(patch->ops);
    gw_json_unref(patch->facets);
    patch->ops = patch->facets = NULL;
}

int gw_graph_patch_emit(struct gw_graph_patch *patch, const struct gw_resolve *r)
{
    int status = gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(patch->ops), patch->facets, NULL);
    patch->ops = patch->facets = NULL;
    return status ? status : gw_resolve_redirect(r, "");
}

/* {op, id?} and then the members of `data` (taken, may be NULL for none). */
static int add_op(struct gw_graph_patch *patch, const char *name, const char *id, struct gw_json *data)
{
    struct gw_json *op = gw_json_new_object();
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    int status = op && patch->ops ? gw_json_set(op, "op", gw_resolve_text(name)) : GW_ENOMEM;
    if (!status && id)
        status = gw_json_set(op, "id", gw_resolve_text(id));
    while (!status && data && gw_json_next(data, &iterator, &key, &value))
        status = gw_json_set(op, key, gw_json_ref(value));
    gw_json_unref(data);
    if (!status)
        return gw_json_append(patch->ops, op);
    gw_json_unref(op);
    return status;
}

/* ---- facets -------------------------------------------------------------------------------------------------------------------------- */

/* The entry `id` of the facets' object `kind`, made when it is not there; NULL: no memory. */
static struct gw_json *touch(struct gw_graph_patch *patch, const char *kind, const char *id)
{
    struct gw_json *entries = patch->facets ? gw_json_get(patch->facets, kind) : NULL;
    if (!entries || (!gw_json_get(entries, id) && gw_json_set(entries, id, gw_json_new_object())))
        return NULL;
    return gw_json_get(entries, id);
}

/* Copies the member when there is one. */
static int copy_member(struct gw_json *to, const struct gw_json *from, const char *name)
{
    struct gw_json *value = gw_json_get(from, name);
    return value ? gw_json_set(to, name, gw_json_ref(value)) : GW_OK;
}

static struct gw_json *touch_node(struct gw_graph_patch *patch, const char *id, const char *author, const struct gw_json *data)
{
    struct gw_json *entry = touch(patch, "nodes", id);
    if (!entry || gw_json_set(entry, "author", gw_resolve_text(author)) || copy_member(entry, data, "kind") ||
        copy_member(entry, data, "vis"))
        return NULL;
    return entry;
}

static struct gw_json *touch_standing(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_node *node)
{
    const struct gw_actor *author = gw_graph_node_author(node);
    struct gw_json *entry = touch_node(patch, gw_graph_node_id(node), gw_actor_kind_name(author->kind), gw_graph_node_data(node));
    bool is_by_another = strcmp(author->id, r->context->author_id ? r->context->author_id : "") != 0;
    return entry && is_by_another && gw_json_set(entry, "by", gw_resolve_text(author->id)) ? NULL : entry;
}

/* An end that does not stand yet is new in this patch, and so touched already. */
static int touch_ends(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_json *edge)
{
    static const char *const ends[] = {"from", "to"};
    for (size_t i = 0; i < 2; i++) {
        const struct gw_graph_node *node = gw_graph_node(r->state->graph, gw_json_text(gw_json_get(edge, ends[i]), NULL));
        if (node && !touch_standing(patch, r, node))
            return GW_ENOMEM;
    }
    return GW_OK;
}

static int set_was(struct gw_json *entry, const struct gw_json *before, const char *const *names)
{
    struct gw_json *was = gw_json_new_object();
    int status = was ? GW_OK : GW_ENOMEM;
    for (; !status && *names; names++)
        status = copy_member(was, before, *names);
    if (!status)
        return gw_json_set(entry, "was", was);
    gw_json_unref(was);
    return status;
}

static const char *const ends_of_edge[] = {"from", "to", NULL};

/* ---- nodes --------------------------------------------------------------------------------------------------------------------------- */

/* A class for which the node appears needs its edges too. */
static int show_edges(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_node *node)
{
    size_t count = gw_graph_node_edge_count(node);
    if (count > GW_SHOWN_EDGES_MAX)
        return gw_error_limit(r->err, "limit_shown_edges", "max_shown_edges", GW_SHOWN_EDGES_MAX,
                              "the visibility of a node with more than %d edges cannot change", GW_SHOWN_EDGES_MAX);
    const struct gw_graph_edge **edges = gw_try_grow(NULL, count + 1, sizeof(const struct gw_graph_edge *));
    int status = edges ? GW_OK : GW_ENOMEM;
    for (size_t i = 0, found = edges ? gw_graph_node_edges(node, edges, count) : 0; !status && i < found; i++) {
        struct gw_json *entry = touch(patch, "edges", gw_graph_edge_id(edges[i]));
        status = entry ? gw_json_set(entry, "edge", gw_json_ref(gw_graph_edge_data(edges[i]))) : GW_ENOMEM;
        if (!status)
            status = touch_ends(patch, r, gw_graph_edge_data(edges[i]));
    }
    gw_free(edges);
    return status ? gw_resolve_no_memory(r) : GW_OK;
}

static bool has_other(const struct gw_json *a, const struct gw_json *b, const char *name)
{
    const struct gw_json *x = gw_json_get(a, name), *y = gw_json_get(b, name);
    return x && y ? !gw_json_equal(x, y) : x != y;
}

static bool changes_facets(const struct gw_json *before, const struct gw_json *after)
{
    return has_other(before, after, "vis") || has_other(before, after, "kind");
}

static int note_node(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, const struct gw_json *data)
{
    static const char *const names[] = {"kind", "vis", NULL};
    const struct gw_graph_node *node = gw_graph_node(r->state->graph, id);
    bool changes = node && changes_facets(gw_graph_node_data(node), data);
    if (changes && show_edges(patch, r, node))
        return r->err->code;
    struct gw_json *entry = node ? touch_standing(patch, r, node) : touch_node(patch, id, r->context->author_kind, data);
    for (const char *const *name = names; entry && *name; name++)
        gw_json_remove(entry, *name); /* as it stood so far */
    int status = entry && !copy_member(entry, data, "kind") ? copy_member(entry, data, "vis") : GW_ENOMEM;
    if (!status && changes)
        status = set_was(entry, gw_graph_node_data(node), names);
    if (!status && !node)
        status = gw_json_set(entry, "is", gw_resolve_text("new"));
    return status ? gw_resolve_no_memory(r) : GW_OK;
}

int gw_graph_patch_set_node(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, struct gw_json *data)
{
    int status = data ? note_node(patch, r, id, data) : gw_resolve_no_memory(r);
    if (!status)
        return add_op(patch, "node.set", id, data) ? gw_resolve_no_memory(r) : GW_OK;
    gw_json_unref(data);
    return status;
}

int gw_graph_patch_remove_node(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_node *node)
{
    struct gw_json *entry = touch_standing(patch, r, node);
    if (!entry || gw_json_set(entry, "is", gw_resolve_text("gone")) || add_op(patch, "node.remove", gw_graph_node_id(node), NULL))
        return gw_resolve_no_memory(r);
    return GW_OK;
}

/* ---- edges, the run ------------------------------------------------------------------------------------------------------------------ */

static int note_edge(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, const struct gw_json *data)
{
    const struct gw_graph_edge *edge = gw_graph_edge(r->state->graph, id);
    const struct gw_json *before = edge ? gw_graph_edge_data(edge) : NULL;
    struct gw_json *entry = touch(patch, "edges", id);
    if (!entry || touch_ends(patch, r, data))
        return GW_ENOMEM;
    if (!edge)
        return gw_json_set(entry, "is", gw_resolve_text("new"));
    if (gw_json_equal(gw_json_get(before, "from"), gw_json_get(data, "from")) &&
        gw_json_equal(gw_json_get(before, "to"), gw_json_get(data, "to")))
        return GW_OK;
    int status = touch_ends(patch, r, before);
    return status ? status : set_was(entry, before, ends_of_edge);
}

int gw_graph_patch_set_edge(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, struct gw_json *data)
{
    if (data && !note_edge(patch, r, id, data))
        return add_op(patch, "edge.set", id, data) ? gw_resolve_no_memory(r) : GW_OK;
    gw_json_unref(data);
    return gw_resolve_no_memory(r);
}

int gw_graph_patch_remove_edge(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_edge *edge)
{
    const char *id = gw_graph_edge_id(edge);
    struct gw_json *entry = touch(patch, "edges", id);
    if (!entry || gw_json_set(entry, "is", gw_resolve_text("gone")) || set_was(entry, gw_graph_edge_data(edge), ends_of_edge) ||
        touch_ends(patch, r, gw_graph_edge_data(edge)) || add_op(patch, "edge.remove", id, NULL))
        return gw_resolve_no_memory(r);
    return GW_OK;
}

int gw_graph_patch_set_run(struct gw_graph_patch *patch, const struct gw_resolve *r, struct gw_json *data)
{
    return !data || add_op(patch, "run.set_state", NULL, data) ? gw_resolve_no_memory(r) : GW_OK;
}
