/* graph.h — the graph of one run: nodes and edges by id, the run's state, the flow that it was opened from. Owned by the run's state; one
 * thread. Judging (resolve_graph.c) and changing are apart: what is changed here was resolved. Changes are undone by the journal when that
 * is open; one that failed (GW_ENOMEM) leaves a graph to be destroyed. Not for layout, and not for who sees what: an event's facets say
 * that.
 *
 * A node's data is {kind?, label?, state?, started_at?, ended_at?, props?, vis?}, an edge's {from, to, label?, state?}, the run's {state,
 * detail?, flow_id?}. Immutable once set. */
#ifndef GW_HUB_GRAPH_H
#define GW_HUB_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "hub/event.h"

struct gw_graph;
struct gw_graph_edge;
struct gw_graph_node;
struct gw_journal;
struct gw_json;

/* `seed` is for hashing only. `journal` is the state's, borrowed. */
struct gw_graph *gw_graph_create(const uint8_t seed[16], struct gw_journal *journal);
void gw_graph_destroy(struct gw_graph *graph); /* not while the journal is open */

size_t gw_graph_node_count(const struct gw_graph *graph);
size_t gw_graph_edge_count(const struct gw_graph *graph);
struct gw_graph_node *gw_graph_node(const struct gw_graph *graph, const char *id); /* NULL: none */
struct gw_graph_edge *gw_graph_edge(const struct gw_graph *graph, const char *id);
const char *gw_graph_node_id(const struct gw_graph_node *node);
const struct gw_actor *gw_graph_node_author(const struct gw_graph_node *node); /* who made it */
struct gw_json *gw_graph_node_data(const struct gw_graph_node *node);
size_t gw_graph_node_edge_count(const struct gw_graph_node *node); /* an edge from the node to itself counts twice */
/* Up to `max` edges of a node into `out`; answers how many. */
size_t gw_graph_node_edges(const struct gw_graph_node *node, const struct gw_graph_edge **out, size_t max);
const char *gw_graph_edge_id(const struct gw_graph_edge *edge);
struct gw_json *gw_graph_edge_data(const struct gw_graph_edge *edge);
struct gw_graph_node *gw_graph_edge_from(const struct gw_graph_edge *edge);
struct gw_graph_node *gw_graph_edge_to(const struct gw_graph_edge *edge);
struct gw_json *gw_graph_run(const struct gw_graph *graph); /* borrowed; NULL: nothing is known of the run */

/* Adds the node, or gives it other data (its author stays). Takes a reference. */
int gw_graph_set_node(struct gw_graph *graph, const char *id, const struct gw_actor *author, struct gw_json *data);
/* With all of its edges. */
int gw_graph_remove_node(struct gw_graph *graph, struct gw_graph_node *node);
/* Adds the edge, or gives it other data and ends. Takes a reference. GW_EINVAL: an end names no node. */
int gw_graph_set_edge(struct gw_graph *graph, const char *id, struct gw_json *data);
int gw_graph_remove_edge(struct gw_graph *graph, struct gw_graph_edge *edge);
int gw_graph_set_run(struct gw_graph *graph, struct gw_json *data); /* takes a reference */

/* Ids in byte order, each with its node or edge. The array is the caller's (gw_free); NULL when memory is gone. */
struct gw_graph_node **gw_graph_sort_nodes(const struct gw_graph *graph);
struct gw_graph_edge **gw_graph_sort_edges(const struct gw_graph *graph);

#endif
