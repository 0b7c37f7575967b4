#include "support/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project.h"
#include "support/state_fixture.h"

void reader_open(struct reader *reader, const struct gw_lens *lens)
{
    *reader = (struct reader){.lens = *lens};
    reader->state = parse_json("{\"canvases\":{},\"chat\":{\"messages\":{},\"order\":[]},\"graph\":{\"edges\":{},\"nodes\":{},\"state\":null},\"tokens\":{}}");
}

void reader_close(struct reader *reader) { gw_json_unref(reader->state); }

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static void put(struct gw_json *object, const char *name, struct gw_json *value) { assert_int_equal(gw_json_set(object, name, value), GW_OK); }

static void put_text(struct gw_json *object, const char *name, const char *text) { put(object, name, gw_json_new_text(text, strlen(text))); }

static void copy_member(struct gw_json *to, const struct gw_json *from, const char *name)
{
    struct gw_json *value = gw_json_get(from, name);
    if (value && !(gw_json_is_null(value) && strcmp(name, "parent") != 0))
        put(to, name, gw_json_copy_deep(value));
    else
        gw_json_remove(to, name);
}

static void set_members(struct gw_json *target, const struct gw_json *set, const struct gw_json *unset)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (set && gw_json_next(set, &iterator, &key, &value))
        put(target, key, gw_json_copy_deep(value));
    for (size_t i = 0; i < gw_json_count(unset); i++)
        gw_json_remove(target, gw_json_text(gw_json_at(unset, i), NULL));
}

/* ---- blocks ---- */

static struct gw_json *make_block(const struct gw_json *source)
{
    static const char *const names[] = {"kind", "parent", "pos", "props", "text", "vis", "orphan"};
    struct gw_json *block = gw_json_new_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        copy_member(block, source, names[i]);
    return block;
}

static void remove_block(struct gw_json *blocks, const char *id)
{
    char children[64][65];
    size_t count = 0;
    void *iterator = NULL;
    const char *key;
    struct gw_json *block;
    while (gw_json_next(blocks, &iterator, &key, &block))
        if (strcmp(text_of(block, "parent"), id) == 0 && count < 64)
            snprintf(children[count++], sizeof children[0], "%s", key);
    gw_json_remove(blocks, id);
    for (size_t i = 0; i < count; i++)
        remove_block(blocks, children[i]);
}

static void splice(struct gw_json *block, const struct gw_json *op)
{
    size_t length, at = (size_t)gw_json_int(gw_json_get(op, "at")), del = (size_t)gw_json_int(gw_json_get(op, "del"));
    const char *text = gw_json_text(gw_json_get(block, "text"), &length);
    size_t start = gw_utf8_offset(text, length, at), end = gw_utf8_offset(text, length, at + del);
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_append(&out, text, start);
    gw_buffer_append_text(&out, text_of(op, "ins"));
    gw_buffer_append(&out, text + end, length - end);
    put(block, "text", gw_json_new_text(out.data ? out.data : "", out.length));
    gw_buffer_fini(&out);
}

static void update(struct gw_json *block, const struct gw_json *op)
{
    set_members(gw_json_get(block, "props"), gw_json_get(op, "set"), gw_json_get(op, "unset"));
    if (gw_json_get(op, "text"))
        copy_member(block, op, "text");
    if (gw_json_get(op, "vis"))
        copy_member(block, op, "vis");
}

static void relabel(struct gw_json *blocks, const struct gw_json *labels)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *pos;
    while (gw_json_next(labels, &iterator, &id, &pos)) {
        assert_non_null(gw_json_get(blocks, id));
        put(gw_json_get(blocks, id), "pos", gw_json_ref(pos));
    }
}

static void check_parent(const struct gw_json *blocks, const struct gw_json *op)
{
    const struct gw_json *parent = gw_json_get(op, "parent");
    if (gw_json_is_string(parent) && !gw_json_get(blocks, gw_json_text(parent, NULL)))
        fail_msg("a parent that was never shown: %s", gw_json_text(parent, NULL));
}

static void fold_block_op(struct gw_json *blocks, const struct gw_json *op)
{
    const char *name = text_of(op, "op"), *id = text_of(op, "id");
    struct gw_json *block = gw_json_get(blocks, id);
    if (strcmp(name, "relabel") == 0) {
        relabel(blocks, gw_json_get(op, "pos"));
        return;
    }
    if ((block != NULL) == (strcmp(name, "insert") == 0))
        fail_msg("%s of %s", name, id);
    check_parent(blocks, op);
    if (strcmp(name, "insert") == 0) {
        put(blocks, id, make_block(op));
    } else if (strcmp(name, "update") == 0) {
        update(block, op);
    } else if (strcmp(name, "move") == 0) {
        copy_member(block, op, "parent");
        copy_member(block, op, "pos");
        copy_member(block, op, "orphan");
    } else if (strcmp(name, "remove") == 0) {
        remove_block(blocks, id);
    } else {
        assert_string_equal(name, "splice");
        splice(block, op);
    }
}

/* ---- the graph ---- */

static void remove_edges_of(struct gw_json *edges, const char *node)
{
    char doomed[64][65];
    size_t count = 0;
    void *iterator = NULL;
    const char *id;
    struct gw_json *edge;
    while (gw_json_next(edges, &iterator, &id, &edge))
        if ((strcmp(text_of(edge, "from"), node) == 0 || strcmp(text_of(edge, "to"), node) == 0) && count < 64)
            snprintf(doomed[count++], sizeof doomed[0], "%s", id);
    for (size_t i = 0; i < count; i++)
        gw_json_remove(edges, doomed[i]);
}

static void fold_graph_op(struct gw_json *graph, const struct gw_json *op)
{
    const char *name = text_of(op, "op"), *id = text_of(op, "id");
    struct gw_json *nodes = gw_json_get(graph, "nodes"), *edges = gw_json_get(graph, "edges"), *data = gw_json_copy_deep(op);
    gw_json_remove(data, "op");
    gw_json_remove(data, "id");
    if (strcmp(name, "node.set") == 0) {
        put(nodes, id, gw_json_ref(data));
    } else if (strcmp(name, "edge.set") == 0) {
        assert_true(gw_json_get(nodes, text_of(op, "from")) && gw_json_get(nodes, text_of(op, "to")));
        put(edges, id, gw_json_ref(data));
    } else if (strcmp(name, "edge.remove") == 0) {
        assert_non_null(gw_json_get(edges, id));
        gw_json_remove(edges, id);
    } else if (strcmp(name, "node.remove") == 0) {
        assert_non_null(gw_json_get(nodes, id));
        gw_json_remove(nodes, id);
        remove_edges_of(edges, id);
    } else {
        copy_member(graph, op, "state");
        copy_member(graph, op, "detail");
    }
    gw_json_unref(data);
}

/* ---- chat ---- */

static void fold_message(struct gw_json *chat, const struct gw_event *event, const struct gw_json *data)
{
    static const char *const names[] = {"text", "streaming", "reply_to", "vis"};
    char ts[25];
    struct gw_json *message = gw_json_new_object(), *author = gw_json_new_object();
    gw_clock_format_rfc3339(event->ts_ms, ts);
    put_text(author, "id", event->actor.id);
    put_text(author, "kind", gw_actor_kind_name(event->actor.kind));
    put(message, "author", author);
    put_text(message, "ts", ts);
    put(message, "end", gw_json_new_null());
    if (!gw_json_bool(gw_json_get(data, "streaming")))
        put_text(message, "end", "done");
    for (size_t i = 0; i < 4; i++)
        copy_member(message, data, names[i]);
    put(gw_json_get(chat, "messages"), text_of(data, "message_id"), message);
    assert_int_equal(gw_json_append(gw_json_get(chat, "order"), gw_json_ref(gw_json_get(data, "message_id"))), GW_OK);
}

static void fold_parts(struct gw_json *chat, const struct gw_json *parts)
{
    for (size_t i = 0; i < gw_json_count(parts); i++) {
        const struct gw_json *part = gw_json_at(parts, i);
        struct gw_json *message = gw_json_get(gw_json_get(chat, "messages"), text_of(part, "message_id"));
        assert_non_null(message);
        if (gw_json_get(part, "end")) {
            put(message, "end", gw_json_ref(gw_json_get(part, "end")));
            continue;
        }
        size_t length;
        const char *text = gw_json_text(gw_json_get(message, "text"), &length);
        assert_int_equal(gw_json_int(gw_json_get(part, "offset")), gw_utf8_count(text, length, NULL));
        struct gw_buffer joined;
        gw_buffer_init(&joined, 0);
        gw_buffer_append(&joined, text, length);
        gw_buffer_append_text(&joined, text_of(part, "text"));
        put(message, "text", gw_json_new_text(joined.data ? joined.data : "", joined.length));
        gw_buffer_fini(&joined);
    }
}

/* ---- events ---- */

static void fold_ready(struct gw_json *state, const struct gw_event *event, const struct gw_json *data)
{
    struct gw_json *canvas = gw_json_new_object();
    put(canvas, "type", gw_json_ref(gw_json_get(data, "canvas_type")));
    put(canvas, "blocks", gw_json_copy_deep(gw_json_get(gw_json_get(data, "state"), "blocks")));
    put(gw_json_get(state, "canvases"), event->canvas_id, canvas);
    set_members(gw_json_get(state, "tokens"), gw_json_get(data, "tokens"), NULL);
}

static void fold_ops(struct gw_json *state, const struct gw_event *event, const struct gw_json *ops)
{
    struct gw_json *canvas = event->canvas_id[0] ? gw_json_get(gw_json_get(state, "canvases"), event->canvas_id) : NULL;
    for (size_t i = 0; i < gw_json_count(ops); i++) {
        if (canvas)
            fold_block_op(gw_json_get(canvas, "blocks"), gw_json_at(ops, i));
        else
            fold_graph_op(gw_json_get(state, "graph"), gw_json_at(ops, i));
    }
}

void reader_take(struct reader *reader, const struct gw_event *event)
{
    struct gw_json *data;
    int visible = gw_project_event(event, &reader->lens, &data);
    assert_in_range(visible, 0, 1);
    if (!visible)
        return;
    reader->seen++;
    if (event->type == GW_EVENT_CANVAS_READY)
        fold_ready(reader->state, event, data);
    else if (event->type == GW_EVENT_TOKEN_PATCH)
        set_members(gw_json_get(reader->state, "tokens"), gw_json_get(data, "set"), gw_json_get(data, "unset"));
    else if (event->type == GW_EVENT_STATE_PATCH)
        fold_ops(reader->state, event, gw_json_get(data, "ops"));
    else if (event->type == GW_EVENT_CHAT_MESSAGE)
        fold_message(gw_json_get(reader->state, "chat"), event, data);
    else if (event->type == GW_EVENT_CHAT_TOKEN)
        fold_parts(gw_json_get(reader->state, "chat"), gw_json_get(data, "parts"));
    gw_json_unref(data);
}
