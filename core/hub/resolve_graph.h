/* resolve_graph.h — graph operations being made, from commands and from flows. For resolve_graph.c, graph_patch.c and resolve_flow.c alone;
 * nothing here changes the state. Functions answer 0 or a negative GW_E… with err->id set. */
#ifndef GW_HUB_RESOLVE_GRAPH_H
#define GW_HUB_RESOLVE_GRAPH_H

#include "hub/resolve.h"

struct gw_graph_edge;
struct gw_graph_node;

#define GW_SHOWN_EDGES_MAX 4096 /* edges of a node whose vis changes: all of them are named in its event's facets */

/* value: the operations of one graph event (state_graph.h), and its facets */
struct gw_graph_patch {
    struct gw_json *ops, *facets; /* owned; NULL: no memory, which shows when something is added */
};
void gw_graph_patch_init(struct gw_graph_patch *patch);
void gw_graph_patch_fini(struct gw_graph_patch *patch);
/* Emits it as one run-wide state_patch, and leaves it empty. */
int gw_graph_patch_emit(struct gw_graph_patch *patch, const struct gw_resolve *r);

/* Each appends one operation with what its facets need. `data` is taken, NULL: no memory. The ends of an edge are nodes of the state or of
 * this patch. limit_shown_edges. */
int gw_graph_patch_set_node(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, struct gw_json *data);
int gw_graph_patch_set_edge(struct gw_graph_patch *patch, const struct gw_resolve *r, const char *id, struct gw_json *data);
int gw_graph_patch_set_run(struct gw_graph_patch *patch, const struct gw_resolve *r, struct gw_json *data);
int gw_graph_patch_remove_node(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_node *node);
int gw_graph_patch_remove_edge(struct gw_graph_patch *patch, const struct gw_resolve *r, const struct gw_graph_edge *edge);

/* The data of a node as it will be, a new reference: `before` (NULL: none) with the members of `object` instead of its own, of which null
 * takes one away; from a change of state the timings follow. `path` is the pointer of `object`. */
int gw_resolve_node_data(const struct gw_resolve *r, const struct gw_json *before, const struct gw_json *object, const char *path,
                         struct gw_json **out);

#endif
