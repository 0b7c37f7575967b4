/* state_graph.h — the graph as part of a run's state: its fold, what is written of it, its rows in a checkpoint. For state_*.c alone.
 *
 * Its events are state_patches without canvas, with data {ops: […]}: {op: "node.set", id, kind?, label?, state?, started_at?, ended_at?,
 * props?, vis?} and {op: "edge.set", id, from, to, label?, state?} carry the whole node or edge as it then is; {op: "node.remove", id}
 * takes the node's edges with it; {op: "edge.remove", id}; {op: "run.set_state", state, detail?, flow_id?}, where an absent flow_id stays.
 * facets  {nodes: {id: {kind?, author, by?, vis?, is?: "new"|"gone", was?: {kind?, vis?}}}, edges: {id: {is?: "new"|"gone", was?: {from, to}, edge?: {…}}}}:
 * every node touched, the ends of every edge touched, too; `edge` is the whole edge after a change of an end's vis
 * or kind; `by` the id of who made the node where that is not the event's own actor. */
#ifndef GW_HUB_STATE_GRAPH_H
#define GW_HUB_STATE_GRAPH_H

#include <stdbool.h>

struct gw_buffer;
struct gw_told_frame;
struct gw_error;
struct gw_event;
struct gw_graph;
struct gw_graph_edge;
struct gw_graph_node;
struct gw_json;
struct gw_lens;

/* GW_EINVAL bad_event: the ops do not fit the graph; GW_ENOMEM. */
int gw_graph_fold(struct gw_graph *graph, const struct gw_event *event, struct gw_error *err);

/* Is it shown through the lens (NULL: everything)? An edge is when both of its ends are; the run's state, borrowed, or NULL, to those who may see any node. */
bool gw_graph_shows_node(const struct gw_lens *lens, const struct gw_graph_node *node);
bool gw_graph_shows_edge(const struct gw_lens *lens, const struct gw_graph_edge *edge);
struct gw_json *gw_graph_shown_run(const struct gw_lens *lens, const struct gw_graph *graph);

/* The member `graph` of GET /v1/state, canonical: {"edges":{…},"nodes":{…},"state":…}, with detail and flow_id where there are any. */
void gw_graph_write(const struct gw_graph *graph, const struct gw_lens *lens, struct gw_buffer *out);

/* The graph as state_patch frames that a reader folds into an empty one; none when it is empty. GW_ENOMEM. */
int gw_graph_write_frames(const struct gw_graph *graph, const struct gw_lens *lens,
                          void (*emit)(void *arg, const struct gw_told_frame *frame), void *arg);

/* Checkpoint rows of the part "graph", each appended where `begin_row` says: the ops that make the graph. GW_ENOMEM; a load
 * answers GW_EINVAL for a row that is none. */
int gw_graph_save(const struct gw_graph *graph, struct gw_buffer *(*begin_row)(void *arg, const char *part), void *arg);
int gw_graph_load(struct gw_graph *graph, const struct gw_json *row);

#endif
