/* graph_schema.h — what nodes, edges and flows are made of, as types: for commands that set them and for registries that hold flows. Owns
 * nothing; pure; any thread. Fails with err->path inside the value and one of bad_shape, bad_id, too_long, bad_time, limit_node_bytes.
 *
 * A flow is a document {flow_id, title?, nodes?: [{id, kind?, label?, state?, props?, vis?}], edges?: [{id, from, to, label?, state?}],
 * canvases?: [{canvas_id, canvas_type}]}: at most GW_FLOW_NODES_MAX nodes, GW_FLOW_EDGES_MAX edges and GW_FLOW_BYTES_MAX bytes of canonical
 * JSON, so that what it makes fits into one record. */
#ifndef GW_HUB_GRAPH_SCHEMA_H
#define GW_HUB_GRAPH_SCHEMA_H

struct gw_error;
struct gw_json;

#define GW_LABEL_MAX         200        /* code points */
#define GW_RUN_DETAIL_MAX    1000       /* code points */
#define GW_NODE_BYTES_MAX    (8u << 10) /* of a node's props, canonical JSON */
#define GW_FLOW_NODES_MAX    1000
#define GW_FLOW_EDGES_MAX    4000
#define GW_FLOW_CANVASES_MAX 32
#define GW_FLOW_BYTES_MAX    (256u << 10)

/* In the order in which they are written. */
enum gw_node_member {
    GW_NODE_KIND,
    GW_NODE_LABEL,
    GW_NODE_STATE,
    GW_NODE_STARTED_AT,
    GW_NODE_ENDED_AT,
    GW_NODE_PROPS,
    GW_NODE_VIS,
    GW_NODE_MEMBERS
};
const char *gw_node_member_name(enum gw_node_member member);
/* One new reference: the value, or its normal form: a time (RFC 3339, from 1970 on) becomes UTC with milliseconds. */
int gw_node_member_read(enum gw_node_member member, struct gw_json *value, struct gw_json **out, struct gw_error *err);

/* Text of at most `max` code points. */
int gw_graph_text_check(const struct gw_json *value, int max, struct gw_error *err);

/* Is `document` a flow? Also: unknown_member, missing_member, named_twice, unknown_node (an edge's end), limit_flow. An empty object passes
 * for an empty list: Lua cannot tell them apart. */
int gw_flow_check(const struct gw_json *document, struct gw_error *err);

#endif
