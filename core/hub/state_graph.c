#include "hub/state_graph.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/lens.h"
#include "hub/ports.h"
#include "hub/state_internal.h"

/* ---- folding ------------------------------------------------------------------------------------------------------------------------- */

/* A new object with the members of `op` but those that name the operation and its target. NULL when memory is gone. */
static struct gw_json *data_of(const struct gw_json *op)
{
    struct gw_json *data = gw_json_new_object();
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (data && gw_json_next(op, &iterator, &key, &value)) {
        if (strcmp(key, "op") == 0 || strcmp(key, "id") == 0)
            continue;
        if (gw_json_set(data, key, gw_json_ref(value))) {
            gw_json_unref(data);
            data = NULL;
        }
    }
    return data;
}

static int fold_node_set(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    const char *id = gw_state_text_member(op, "id");
    if (!id || !gw_id_is_valid(id, strlen(id)))
        return GW_EINVAL;
    struct gw_json *data = data_of(op);
    int status = data ? gw_graph_set_node(graph, id, author, data) : GW_ENOMEM;
    gw_json_unref(data);
    return status;
}

static int fold_edge_set(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    (void)author;
    const char *id = gw_state_text_member(op, "id");
    if (!id || !gw_id_is_valid(id, strlen(id)))
        return GW_EINVAL;
    struct gw_json *data = data_of(op);
    int status = data ? gw_graph_set_edge(graph, id, data) : GW_ENOMEM;
    gw_json_unref(data);
    return status;
}

static int fold_node_remove(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    (void)author;
    const char *id = gw_state_text_member(op, "id");
    struct gw_graph_node *node = id ? gw_graph_node(graph, id) : NULL;
    return node ? gw_graph_remove_node(graph, node) : GW_EINVAL;
}

static int fold_edge_remove(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    (void)author;
    const char *id = gw_state_text_member(op, "id");
    struct gw_graph_edge *edge = id ? gw_graph_edge(graph, id) : NULL;
    return edge ? gw_graph_remove_edge(graph, edge) : GW_EINVAL;
}

static int fold_run(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    (void)author;
    const struct gw_json *before = gw_graph_run(graph);
    struct gw_json *flow_id = before ? gw_json_get(before, "flow_id") : NULL, *data = data_of(op);
    int status = !data ? GW_ENOMEM : gw_state_text_member(op, "state") ? GW_OK : GW_EINVAL;
    if (!status && flow_id && !gw_json_get(data, "flow_id"))
        status = gw_json_set(data, "flow_id", gw_json_ref(flow_id));
    if (!status)
        status = gw_graph_set_run(graph, data);
    gw_json_unref(data);
    return status;
}

static int fold_op(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op)
{
    static const struct {
        const char *name;
        int (*fold)(struct gw_graph *graph, const struct gw_actor *author, const struct gw_json *op);
    } ops[] = {{"node.set", fold_node_set},
               {"edge.set", fold_edge_set},
               {"run.set_state", fold_run},
               {"node.remove", fold_node_remove},
               {"edge.remove", fold_edge_remove}};
    const char *name = gw_state_text_member(op, "op");
    for (size_t i = 0; name && i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(name, ops[i].name) == 0)
            return ops[i].fold(graph, author, op);
    return GW_EINVAL;
}

int gw_graph_fold(struct gw_graph *graph, const struct gw_event *event, struct gw_error *err)
{
    const struct gw_json *ops = gw_json_get(event->data, "ops");
    int status = gw_json_is_array(ops) ? GW_OK : GW_EINVAL;
    for (size_t i = 0; !status && i < gw_json_count(ops); i++)
        status = fold_op(graph, &event->actor, gw_json_at(ops, i));
    if (status == GW_ENOMEM)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to fold an event");
    if (status)
        return gw_error_set(err, GW_EINVAL, "bad_event", "event %llu does not fit the graph", (unsigned long long)event->seq);
    return GW_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------- */

bool gw_graph_shows_node(const struct gw_lens *lens, const struct gw_graph_node *node)
{
    const struct gw_actor *author = gw_graph_node_author(node);
    const struct gw_json *data = gw_graph_node_data(node);
    if (gw_lens_is_clear(lens))
        return true;
    struct gw_plan_thing thing = {.kind = gw_state_text_member(data, "kind"),
                                  .vis = gw_state_text_member(data, "vis"),
                                  .author_kind = gw_actor_kind_name(author->kind),
                                  .author_id = author->id};
    return gw_plan_reads_node(lens->plan, &thing);
}

bool gw_graph_shows_edge(const struct gw_lens *lens, const struct gw_graph_edge *edge)
{
    return gw_graph_shows_node(lens, gw_graph_edge_from(edge)) && gw_graph_shows_node(lens, gw_graph_edge_to(edge));
}

struct gw_json *gw_graph_shown_run(const struct gw_lens *lens, const struct gw_graph *graph)
{
    return gw_lens_is_clear(lens) || gw_plan_reads_graph(lens->plan) ? gw_graph_run(graph) : NULL;
}

static void write_member(struct gw_buffer *out, size_t index, const char *id, const struct gw_json *data)
{
    if (index)
        gw_buffer_append_char(out, ',');
    gw_buffer_append_json_string(out, id, strlen(id));
    gw_buffer_append_char(out, ':');
    gw_json_write_canonical(data, out);
}

static void write_nodes(const struct gw_graph *graph, const struct gw_lens *lens, struct gw_buffer *out)
{
    struct gw_graph_node **nodes = gw_graph_sort_nodes(graph);
    size_t written = 0;
    out->has_failed |= !nodes;
    for (size_t i = 0; nodes && i < gw_graph_node_count(graph); i++)
        if (gw_graph_shows_node(lens, nodes[i]))
            write_member(out, written++, gw_graph_node_id(nodes[i]), gw_graph_node_data(nodes[i]));
    gw_free(nodes);
}

static void write_edges(const struct gw_graph *graph, const struct gw_lens *lens, struct gw_buffer *out)
{
    struct gw_graph_edge **edges = gw_graph_sort_edges(graph);
    size_t written = 0;
    out->has_failed |= !edges;
    for (size_t i = 0; edges && i < gw_graph_edge_count(graph); i++)
        if (gw_graph_shows_edge(lens, edges[i]))
            write_member(out, written++, gw_graph_edge_id(edges[i]), gw_graph_edge_data(edges[i]));
    gw_free(edges);
}

static void write_text(struct gw_buffer *out, const char *name, const char *text)
{
    if (!text)
        return;
    gw_buffer_appendf(out, "\"%s\":", name);
    gw_buffer_append_json_string(out, text, strlen(text));
    gw_buffer_append_char(out, ',');
}

void gw_graph_write(const struct gw_graph *graph, const struct gw_lens *lens, struct gw_buffer *out)
{
    const struct gw_json *run = gw_graph_shown_run(lens, graph);
    gw_buffer_append_char(out, '{');
    write_text(out, "detail", gw_state_text_member(run, "detail"));
    gw_buffer_append_text(out, "\"edges\":{");
    write_edges(graph, lens, out);
    gw_buffer_append_text(out, "},");
    write_text(out, "flow_id", gw_state_text_member(run, "flow_id"));
    gw_buffer_append_text(out, "\"nodes\":{");
    write_nodes(graph, lens, out);
    gw_buffer_append_text(out, "},\"state\":");
    if (run)
        gw_json_write_canonical(gw_json_get(run, "state"), out);
    else
        gw_buffer_append_text(out, "null");
    gw_buffer_append_char(out, '}');
}

/* ---- as the ops that make it --------------------------------------------------------------------------------------------------------- */

#define FRAME_BYTES (256u << 10)

/* Says where an op is to be appended, and that it has been. */
struct op_sink {
    struct gw_buffer *(*begin)(struct op_sink *sink);
    void (*end)(struct op_sink *sink, const struct gw_actor *author);
};

static void write_op(struct op_sink *sink, const char *name, const char *id, const struct gw_json *data, const struct gw_actor *author)
{
    struct gw_buffer *out = sink->begin(sink);
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    gw_buffer_appendf(out, "{\"op\":\"%s\"", name);
    if (id)
        gw_buffer_appendf(out, ",\"id\":\"%s\"", id);
    while (gw_json_next(data, &iterator, &key, &value)) {
        gw_buffer_append_char(out, ',');
        gw_buffer_append_json_string(out, key, strlen(key));
        gw_buffer_append_char(out, ':');
        gw_json_write(value, out);
    }
    gw_buffer_append_char(out, '}');
    sink->end(sink, author);
}

static int write_ops(const struct gw_graph *graph, const struct gw_lens *lens, struct op_sink *sink)
{
    static const struct gw_actor nobody = {.kind = GW_ACTOR_SERVICE};
    struct gw_graph_node **nodes = gw_graph_sort_nodes(graph);
    struct gw_graph_edge **edges = gw_graph_sort_edges(graph);
    int status = nodes && edges ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_graph_node_count(graph); i++)
        if (gw_graph_shows_node(lens, nodes[i]))
            write_op(sink, "node.set", gw_graph_node_id(nodes[i]), gw_graph_node_data(nodes[i]), gw_graph_node_author(nodes[i]));
    for (size_t i = 0; !status && i < gw_graph_edge_count(graph); i++)
        if (gw_graph_shows_edge(lens, edges[i]))
            write_op(sink, "edge.set", gw_graph_edge_id(edges[i]), gw_graph_edge_data(edges[i]), &nobody);
    if (!status && gw_graph_shown_run(lens, graph))
        write_op(sink, "run.set_state", NULL, gw_graph_run(graph), &nobody);
    gw_free(nodes);
    gw_free(edges);
    return status;
}

/* ---- frames -------------------------------------------------------------------------------------------------------------------------- */

struct frames {
    struct op_sink sink; /* first */
    struct gw_buffer data;
    void (*emit)(void *arg, const struct gw_told_frame *frame);
    void *arg;
};

static struct gw_buffer *begin_framed(struct op_sink *sink)
{
    struct frames *frames = (struct frames *)(void *)sink;
    gw_buffer_append_text(&frames->data, frames->data.length ? "," : "{\"ops\":[");
    return &frames->data;
}

static void emit_frame(struct frames *frames)
{
    if (!frames->data.length)
        return;
    gw_buffer_append_text(&frames->data, "]}");
    struct gw_told_frame frame = {
        .type = gw_event_type_name(GW_EVENT_STATE_PATCH), .data = frames->data.data, .data_length = frames->data.length};
    if (frames->data.has_failed)
        return;
    frames->emit(frames->arg, &frame);
    gw_buffer_reset(&frames->data);
}

static void end_framed(struct op_sink *sink, const struct gw_actor *author)
{
    (void)author;
    struct frames *frames = (struct frames *)(void *)sink;
    if (frames->data.length >= FRAME_BYTES)
        emit_frame(frames);
}

int gw_graph_write_frames(const struct gw_graph *graph, const struct gw_lens *lens,
                          void (*emit)(void *arg, const struct gw_told_frame *frame), void *arg)
{
    struct frames frames = {.sink = {begin_framed, end_framed}, .emit = emit, .arg = arg};
    gw_buffer_init(&frames.data, 0);
    int status = write_ops(graph, lens, &frames.sink);
    if (!status)
        emit_frame(&frames);
    if (frames.data.has_failed)
        status = GW_ENOMEM;
    gw_buffer_fini(&frames.data);
    return status;
}

/* ---- checkpoint rows ----------------------------------------------------------------------------------------------------------------- */

struct rows {
    struct op_sink sink; /* first */
    struct gw_buffer *(*begin_row)(void *arg, const char *part);
    struct gw_buffer *row;
    void *arg;
};

static struct gw_buffer *begin_saved(struct op_sink *sink)
{
    struct rows *rows = (struct rows *)(void *)sink;
    rows->row = rows->begin_row(rows->arg, "graph");
    gw_buffer_append_text(rows->row, "{\"op\":");
    return rows->row;
}

static void end_saved(struct op_sink *sink, const struct gw_actor *author)
{
    struct rows *rows = (struct rows *)(void *)sink;
    gw_buffer_appendf(rows->row, ",\"author\":\"%s\",\"by\":\"%s\"}", gw_actor_kind_name(author->kind), author->id);
}

int gw_graph_save(const struct gw_graph *graph, struct gw_buffer *(*begin_row)(void *arg, const char *part), void *arg)
{
    struct rows rows = {.sink = {begin_saved, end_saved}, .begin_row = begin_row, .arg = arg};
    return write_ops(graph, NULL, &rows.sink);
}

int gw_graph_load(struct gw_graph *graph, const struct gw_json *row)
{
    const struct gw_json *op = gw_json_get(row, "op");
    const char *kind = gw_state_text_member(row, "author"), *by = gw_state_text_member(row, "by");
    struct gw_actor author = {.id = ""};
    if (!gw_json_is_object(op) || !kind || gw_actor_kind_parse(kind, &author.kind) || !by || strlen(by) > GW_ID_MAX)
        return GW_EINVAL;
    memcpy(author.id, by, strlen(by) + 1);
    return fold_op(graph, &author, op);
}
