#include "hub/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/journal.h"

/* One end of an edge, in the list of its node. */
struct end {
    struct gw_graph_edge *edge;
    struct gw_graph_node *node;
    struct end *next, *previous;
};

/* What is removed while the journal is open stays in its map, marked, so that its revert needs no memory: only the last removal's end takes
 * it out. */
struct item {
    char id[GW_ID_MAX + 1];
    bool is_gone;
    unsigned removals; /* undo steps that hold it */
};

struct gw_graph_node {
    struct item item; /* first */
    struct gw_actor author;
    struct gw_json *data;
    struct end *ends;
    size_t edge_count;
};

struct gw_graph_edge {
    struct item item; /* first */
    struct gw_json *data;
    struct end from, to;
};

struct gw_graph {
    struct gw_map *nodes, *edges;
    size_t node_count, edge_count; /* without what is gone */
    struct gw_json *run;
    struct gw_journal *journal;
};

/* One undo step serves every change; each uses what it needs. */
struct graph_undo {
    struct gw_undo undo;
    struct gw_graph *graph;
    struct gw_graph_node *node;
    struct gw_graph_edge *edge;
    struct gw_json *data; /* owned; what stood before, NULL: nothing */
    struct gw_graph_node *from, *to;
    struct gw_actor author;
    bool was_gone;
};

struct gw_graph *gw_graph_create(const uint8_t seed[16], struct gw_journal *journal)
{
    struct gw_graph *graph = gw_alloc(sizeof *graph);
    graph->nodes = gw_map_create(seed);
    graph->edges = gw_map_create(seed);
    graph->journal = journal;
    return graph;
}

static void free_node(struct gw_graph_node *node)
{
    gw_json_unref(node->data);
    gw_free(node);
}

static void free_edge(struct gw_graph_edge *edge)
{
    gw_json_unref(edge->data);
    gw_free(edge);
}

void gw_graph_destroy(struct gw_graph *graph)
{
    size_t cursor = 0, length;
    const void *key;
    void *item;
    if (!graph)
        return;
    while (gw_map_next(graph->edges, &cursor, &key, &length, &item))
        free_edge(item);
    for (cursor = 0; gw_map_next(graph->nodes, &cursor, &key, &length, &item);)
        free_node(item);
    gw_map_destroy(graph->nodes);
    gw_map_destroy(graph->edges);
    gw_json_unref(graph->run);
    gw_free(graph);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------------- */

static void *find(const struct gw_map *map, const char *id)
{
    struct item *item = gw_map_get(map, id, strlen(id));
    return item && !item->is_gone ? item : NULL;
}

size_t gw_graph_node_count(const struct gw_graph *graph) { return graph->node_count; }
size_t gw_graph_edge_count(const struct gw_graph *graph) { return graph->edge_count; }
struct gw_graph_node *gw_graph_node(const struct gw_graph *graph, const char *id) { return find(graph->nodes, id); }
struct gw_graph_edge *gw_graph_edge(const struct gw_graph *graph, const char *id) { return find(graph->edges, id); }
const char *gw_graph_node_id(const struct gw_graph_node *node) { return node->item.id; }
const struct gw_actor *gw_graph_node_author(const struct gw_graph_node *node) { return &node->author; }
struct gw_json *gw_graph_node_data(const struct gw_graph_node *node) { return node->data; }
size_t gw_graph_node_edge_count(const struct gw_graph_node *node) { return node->edge_count; }
const char *gw_graph_edge_id(const struct gw_graph_edge *edge) { return edge->item.id; }
struct gw_json *gw_graph_edge_data(const struct gw_graph_edge *edge) { return edge->data; }
struct gw_graph_node *gw_graph_edge_from(const struct gw_graph_edge *edge) { return edge->from.node; }
struct gw_graph_node *gw_graph_edge_to(const struct gw_graph_edge *edge) { return edge->to.node; }
struct gw_json *gw_graph_run(const struct gw_graph *graph) { return graph->run; }

size_t gw_graph_node_edges(const struct gw_graph_node *node, const struct gw_graph_edge **out, size_t max)
{
    size_t count = 0;
    for (const struct end *end = node->ends; end && count < max; end = end->next)
        out[count++] = end->edge;
    return count;
}

/* ---- undoing ------------------------------------------------------------------------------------------------------------------------- */

static void link_end(struct end *end, struct gw_graph_edge *edge, struct gw_graph_node *node)
{
    *end = (struct end){.edge = edge, .node = node, .next = node->ends};
    if (node->ends)
        node->ends->previous = end;
    node->ends = end;
    node->edge_count++;
}

static void unlink_end(struct end *end)
{
    if (end->next)
        end->next->previous = end->previous;
    if (end->previous)
        end->previous->next = end->next;
    else
        end->node->ends = end->next;
    end->node->edge_count--;
}

static void link_edge(struct gw_graph_edge *edge, struct gw_graph_node *from, struct gw_graph_node *to)
{
    link_end(&edge->from, edge, from);
    link_end(&edge->to, edge, to);
}

static void unlink_edge(struct gw_graph_edge *edge)
{
    unlink_end(&edge->from);
    unlink_end(&edge->to);
}

static struct graph_undo *create_undo(struct gw_graph *graph, void (*revert)(struct gw_undo *), void (*forget)(struct gw_undo *))
{
    struct graph_undo *undo = gw_try_alloc(sizeof *undo);
    if (undo)
        *undo = (struct graph_undo){.undo = {NULL, revert, forget}, .graph = graph};
    return undo;
}

static void forget_data(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    gw_json_unref(undo->data);
    gw_free(undo);
}

static void take_out(struct gw_map *map, const struct item *item) { gw_map_remove(map, item->id, strlen(item->id)); }

/* ---- nodes --------------------------------------------------------------------------------------------------------------------------- */

static void revert_set_node(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    struct gw_graph_node *node = undo->node;
    gw_json_unref(node->data);
    node->data = undo->data;
    node->author = undo->author;
    node->item.is_gone = undo->was_gone;
    if (undo->was_gone || !undo->data)
        undo->graph->node_count--;
    if (!undo->data) {
        take_out(undo->graph->nodes, &node->item);
        free_node(node);
    }
    gw_free(undo);
}

static struct gw_graph_node *add_node(struct gw_graph *graph, const char *id)
{
    struct gw_graph_node *node = gw_try_alloc(sizeof *node);
    if (!node)
        return NULL;
    *node = (struct gw_graph_node){.data = NULL};
    memcpy(node->item.id, id, strlen(id) + 1);
    if (!gw_map_put(graph->nodes, id, strlen(id), node, NULL))
        return node;
    gw_free(node);
    return NULL;
}

int gw_graph_set_node(struct gw_graph *graph, const char *id, const struct gw_actor *author, struct gw_json *data)
{
    struct gw_graph_node *node = gw_map_get(graph->nodes, id, strlen(id));
    struct graph_undo *undo = create_undo(graph, revert_set_node, forget_data);
    if (undo && !node)
        node = add_node(graph, id);
    if (!undo || !node) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    undo->node = node;
    undo->data = node->data;
    undo->author = node->author;
    undo->was_gone = node->item.is_gone;
    if (!node->data || node->item.is_gone) {
        node->author = *author;
        graph->node_count++;
    }
    node->data = gw_json_ref(data);
    node->item.is_gone = false;
    gw_journal_push(graph->journal, &undo->undo);
    return GW_OK;
}

static void revert_remove_node(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    undo->node->item.is_gone = false;
    undo->node->item.removals--;
    undo->graph->node_count++;
    gw_free(undo);
}

static void forget_remove_node(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    struct gw_graph_node *node = undo->node;
    if (--node->item.removals == 0 && node->item.is_gone) {
        take_out(undo->graph->nodes, &node->item);
        free_node(node);
    }
    gw_free(undo);
}

int gw_graph_remove_node(struct gw_graph *graph, struct gw_graph_node *node)
{
    while (node->ends) {
        int status = gw_graph_remove_edge(graph, node->ends->edge);
        if (status)
            return status;
    }
    struct graph_undo *undo = create_undo(graph, revert_remove_node, forget_remove_node);
    if (!undo)
        return GW_ENOMEM;
    undo->node = node;
    node->item.is_gone = true;
    node->item.removals++;
    graph->node_count--;
    gw_journal_push(graph->journal, &undo->undo);
    return GW_OK;
}

/* ---- edges --------------------------------------------------------------------------------------------------------------------------- */

static void revert_set_edge(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    struct gw_graph_edge *edge = undo->edge;
    unlink_edge(edge);
    gw_json_unref(edge->data);
    edge->data = undo->data;
    edge->item.is_gone = undo->was_gone;
    if (undo->was_gone || !undo->data)
        undo->graph->edge_count--;
    else
        link_edge(edge, undo->from, undo->to);
    if (!undo->data) {
        take_out(undo->graph->edges, &edge->item);
        free_edge(edge);
    }
    gw_free(undo);
}

static struct gw_graph_edge *add_edge(struct gw_graph *graph, const char *id)
{
    struct gw_graph_edge *edge = gw_try_alloc(sizeof *edge);
    if (!edge)
        return NULL;
    *edge = (struct gw_graph_edge){.data = NULL};
    memcpy(edge->item.id, id, strlen(id) + 1);
    if (!gw_map_put(graph->edges, id, strlen(id), edge, NULL))
        return edge;
    gw_free(edge);
    return NULL;
}

static struct gw_graph_node *end_of(const struct gw_graph *graph, const struct gw_json *data, const char *name)
{
    const struct gw_json *id = gw_json_get(data, name);
    return gw_json_is_string(id) ? gw_graph_node(graph, gw_json_text(id, NULL)) : NULL;
}

/* Gives the edge its new data and ends; the former ones go to `undo`. */
static void change_edge(struct gw_graph_edge *edge, struct graph_undo *undo, struct gw_json *data)
{
    bool is_linked = edge->data && !edge->item.is_gone;
    struct gw_graph_node *from = undo->from, *to = undo->to;
    undo->edge = edge;
    undo->data = edge->data;
    undo->was_gone = edge->item.is_gone;
    if (is_linked) {
        undo->from = edge->from.node;
        undo->to = edge->to.node;
        unlink_edge(edge);
    } else {
        undo->graph->edge_count++;
    }
    link_edge(edge, from, to);
    edge->data = gw_json_ref(data);
    edge->item.is_gone = false;
}

int gw_graph_set_edge(struct gw_graph *graph, const char *id, struct gw_json *data)
{
    struct gw_graph_node *from = end_of(graph, data, "from"), *to = end_of(graph, data, "to");
    if (!from || !to)
        return GW_EINVAL;
    struct gw_graph_edge *edge = gw_map_get(graph->edges, id, strlen(id));
    struct graph_undo *undo = create_undo(graph, revert_set_edge, forget_data);
    if (undo && !edge)
        edge = add_edge(graph, id);
    if (!undo || !edge) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    undo->from = from;
    undo->to = to;
    change_edge(edge, undo, data);
    gw_journal_push(graph->journal, &undo->undo);
    return GW_OK;
}

static void revert_remove_edge(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    undo->edge->item.is_gone = false;
    undo->edge->item.removals--;
    undo->graph->edge_count++;
    link_edge(undo->edge, undo->from, undo->to);
    gw_free(undo);
}

static void forget_remove_edge(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    struct gw_graph_edge *edge = undo->edge;
    if (--edge->item.removals == 0 && edge->item.is_gone) {
        take_out(undo->graph->edges, &edge->item);
        free_edge(edge);
    }
    gw_free(undo);
}

int gw_graph_remove_edge(struct gw_graph *graph, struct gw_graph_edge *edge)
{
    struct graph_undo *undo = create_undo(graph, revert_remove_edge, forget_remove_edge);
    if (!undo)
        return GW_ENOMEM;
    undo->edge = edge;
    undo->from = edge->from.node;
    undo->to = edge->to.node;
    unlink_edge(edge);
    edge->item.is_gone = true;
    edge->item.removals++;
    graph->edge_count--;
    gw_journal_push(graph->journal, &undo->undo);
    return GW_OK;
}

/* ---- the run ------------------------------------------------------------------------------------------------------------------------- */

static void revert_set_run(struct gw_undo *step)
{
    struct graph_undo *undo = (struct graph_undo *)step;
    gw_json_unref(undo->graph->run);
    undo->graph->run = undo->data;
    gw_free(undo);
}

int gw_graph_set_run(struct gw_graph *graph, struct gw_json *data)
{
    struct graph_undo *undo = create_undo(graph, revert_set_run, forget_data);
    if (!undo)
        return GW_ENOMEM;
    undo->data = graph->run;
    graph->run = gw_json_ref(data);
    gw_journal_push(graph->journal, &undo->undo);
    return GW_OK;
}

/* ---- all, in order ------------------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp((*(const struct item *const *)a)->id, (*(const struct item *const *)b)->id);
}

static void *sort(const struct gw_map *map, size_t count)
{
    struct item **sorted = gw_try_grow(NULL, count + 1, sizeof(struct item *));
    size_t cursor = 0, length, found = 0;
    const void *key;
    void *item;
    if (!sorted)
        return NULL;
    while (gw_map_next(map, &cursor, &key, &length, &item))
        if (!((struct item *)item)->is_gone)
            sorted[found++] = item;
    assert(found == count);
    qsort(sorted, count, sizeof(struct item *), compare);
    return sorted;
}

struct gw_graph_node **gw_graph_sort_nodes(const struct gw_graph *graph) { return sort(graph->nodes, graph->node_count); }
struct gw_graph_edge **gw_graph_sort_edges(const struct gw_graph *graph) { return sort(graph->edges, graph->edge_count); }
