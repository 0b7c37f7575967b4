#include "transport/context_view.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_slice.h"

#define VIEW_DEPTH  56     /* with what scripts get around it, at most what they can be given */
#define VIEW_NODES  524288 /* more than so many bytes can hold */
#define MARK        "\xE2\x80\xA6"
#define ENTRY_EXTRA 32 /* what a cut text says of itself */

/* value: what may still be taken */
struct share {
    size_t bytes, count;
};

/* value: how much is not as it is in the state */
struct left_out {
    size_t blocks, edges, messages, nodes, tokens;
    size_t texts; /* that were cut, of those that are there */
};

/* value: one view being made; after a failure it is only torn down */
struct maker {
    struct left_out left;
    struct share share;
    bool has_failed; /* memory */
};

/* value: a block or a message in the text */
struct entry {
    struct gw_json_slice key, value, parent, place;
};

struct entries {
    struct entry *items; /* owned */
    size_t count, capacity;
};

/* ---- one entry ---------------------------------------------------------------------------------------------------------------------------- */

/* NULL: deeper than scripts can be given, or no memory, which is noted. */
static struct gw_json *parse(struct maker *maker, const char *text, size_t length)
{
    const struct gw_json_limits limits = {.max_bytes = SIZE_MAX, .max_depth = VIEW_DEPTH - 4, .max_nodes = VIEW_NODES};
    struct gw_json *value = NULL;
    struct gw_error err;
    maker->has_failed |= gw_json_parse(text, length, &limits, &value, &err) == GW_ENOMEM;
    return value;
}

/* value: a text of an entry that is too long */
struct long_text {
    struct gw_json_slice text;
    struct gw_json_cut cut;
};

static bool find_long_text(struct gw_json_slice value, struct long_text *out)
{
    if (!gw_json_slice_member(value, "text", &out->text) || out->text.length <= GW_CONTEXT_TEXT_BYTES + 2)
        return false;
    out->cut = gw_json_slice_cut(out->text, GW_CONTEXT_TEXT_BYTES);
    return true;
}

static struct gw_json *parse_cut(struct maker *maker, struct gw_json_slice value, const struct long_text *text)
{
    struct gw_buffer out;
    const char *rest = text->text.at + text->text.length;
    gw_buffer_init(&out, 0);
    gw_buffer_append(&out, value.at, (size_t)(text->text.at - value.at) + 1 + text->cut.length);
    gw_buffer_appendf(&out, MARK "\",\"text_bytes\":%zu", text->cut.bytes);
    gw_buffer_append(&out, rest, (size_t)(value.at + value.length - rest));
    maker->has_failed |= out.has_failed;
    struct gw_json *entry = out.has_failed ? NULL : parse(maker, out.data, out.length);
    gw_buffer_fini(&out);
    return entry;
}

enum taken { TAKEN, TAKEN_NOT, TAKEN_NO_MORE };

/* Into `out`, when it fits what is left of the share. */
static enum taken take(struct maker *maker, struct gw_json_slice key, struct gw_json_slice value, struct gw_json *out)
{
    struct long_text text;
    bool is_cut = find_long_text(value, &text);
    size_t bytes = key.length + value.length;
    if (is_cut)
        bytes += text.cut.length + ENTRY_EXTRA - text.text.length;
    if (bytes > GW_CONTEXT_ENTRY_BYTES)
        return TAKEN_NOT;
    if (bytes > maker->share.bytes || maker->share.count == 0)
        return TAKEN_NO_MORE;
    struct gw_json *entry = is_cut ? parse_cut(maker, value, &text) : parse(maker, value.at, value.length);
    if (!entry)
        return TAKEN_NOT;
    maker->has_failed |= gw_json_setn(out, key.at, key.length, entry) != 0;
    maker->share.bytes -= bytes;
    maker->share.count--;
    maker->left.texts += is_cut;
    return TAKEN;
}

/* Each that fits, in the order of the text; how many did not. */
static size_t take_each(struct maker *maker, struct gw_json_slice from, struct gw_json *out)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct gw_json_slice key = {NULL, 0}, value;
    size_t left = 0;
    while (!maker->has_failed && gw_json_walk_next(&walk, &key, &value))
        left += take(maker, key, value, out) != TAKEN;
    return left;
}

/* A new object as a member of `parent`, which owns it; NULL: no memory. */
static struct gw_json *add_object(struct maker *maker, struct gw_json *parent, const char *name, size_t length)
{
    struct gw_json *object = gw_json_new_object();
    maker->has_failed |= gw_json_setn(parent, name, length, object) != 0;
    return maker->has_failed ? NULL : object;
}

static struct gw_json *add_part(struct maker *maker, struct gw_json *parent, const char *name)
{
    return maker->has_failed ? NULL : add_object(maker, parent, name, strlen(name));
}

static void add_whole(struct maker *maker, struct gw_json_slice from, const char *name, struct gw_json *out)
{
    struct gw_json_slice value;
    if (!maker->has_failed && gw_json_slice_member(from, name, &value))
        maker->has_failed |= gw_json_set(out, name, parse(maker, value.at, value.length)) != 0;
}

/* ---- Tokens, graph ------------------------------------------------------------------------------------------------------------------------ */

static void make_tokens(struct maker *maker, struct gw_json_slice from, struct gw_json *view)
{
    struct gw_json *tokens = add_part(maker, view, "tokens");
    maker->share = (struct share){GW_CONTEXT_TOKEN_SHARE, SIZE_MAX};
    if (tokens)
        maker->left.tokens = take_each(maker, from, tokens);
}

static bool has_node(const struct gw_json *nodes, struct gw_json_slice edge, const char *end)
{
    struct gw_json_slice id;
    return gw_json_slice_member(edge, end, &id) && id.length > 2 && gw_json_getn(nodes, id.at + 1, id.length - 2);
}

static void make_edges(struct maker *maker, struct gw_json_slice from, const struct gw_json *nodes, struct gw_json *edges)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct gw_json_slice key = {NULL, 0}, value;
    while (!maker->has_failed && gw_json_walk_next(&walk, &key, &value))
        if (!has_node(nodes, value, "from") || !has_node(nodes, value, "to") || take(maker, key, value, edges) != TAKEN)
            maker->left.edges++;
}

static void make_graph(struct maker *maker, struct gw_json_slice from, struct gw_json *view)
{
    static const char *const members[] = {"state", "detail", "flow_id"};
    struct gw_json_slice part;
    struct gw_json *graph = add_part(maker, view, "graph");
    struct gw_json *nodes = graph ? add_part(maker, graph, "nodes") : NULL, *edges = graph ? add_part(maker, graph, "edges") : NULL;
    maker->share = (struct share){GW_CONTEXT_GRAPH_SHARE, SIZE_MAX};
    for (size_t i = 0; edges && i < sizeof members / sizeof *members; i++)
        add_whole(maker, from, members[i], graph);
    if (nodes && gw_json_slice_member(from, "nodes", &part))
        maker->left.nodes = take_each(maker, part, nodes);
    if (edges && gw_json_slice_member(from, "edges", &part))
        make_edges(maker, part, nodes, edges);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------------------------- */

static bool add_entry(struct maker *maker, struct entries *entries, const struct entry *entry)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? 2 * entries->capacity : 64;
        struct entry *grown = gw_try_grow(entries->items, capacity, sizeof *grown);
        maker->has_failed |= !grown;
        if (!grown)
            return false;
        entries->items = grown;
        entries->capacity = capacity;
    }
    entries->items[entries->count++] = *entry;
    return true;
}

static int compare_blocks(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = gw_json_slice_compare(x->parent, y->parent);
    if (!order)
        order = gw_json_slice_compare(x->place, y->place);
    return order ? order : gw_json_slice_compare(x->key, y->key);
}

/* By parent, and then as they stand below it. */
static void list_blocks(struct maker *maker, struct gw_json_slice from, struct entries *out)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct entry entry = {.key = {NULL, 0}};
    while (gw_json_walk_next(&walk, &entry.key, &entry.value)) {
        (void)gw_json_slice_member(entry.value, "parent", &entry.parent);
        (void)gw_json_slice_member(entry.value, "pos", &entry.place);
        if (!add_entry(maker, out, &entry))
            return;
    }
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, compare_blocks);
}

/* The first whose parent is not before `parent`, which is as it is written: null or an id in quotes. */
static size_t find_children(const struct entries *entries, struct gw_json_slice parent)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gw_json_slice_compare(entries->items[middle].parent, parent) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A list of siblings, and how far it has been read. */
struct level {
    size_t at;
    struct gw_json_slice parent;
};

static bool is_over(const struct entries *entries, const struct level *level)
{
    return level->at >= entries->count || gw_json_slice_compare(entries->items[level->at].parent, level->parent) != 0;
}

/* As one reads them, from the top; false when the share is used up. `levels` has room for all. */
static bool take_blocks(struct maker *maker, const struct entries *entries, struct level *levels, struct gw_json *out)
{
    const struct gw_json_slice top = {"null", 4};
    size_t depth = 1;
    levels[0] = (struct level){find_children(entries, top), top};
    while (depth > 0 && !maker->has_failed) {
        struct level *level = &levels[depth - 1];
        if (is_over(entries, level)) {
            depth--;
            continue;
        }
        const struct entry *entry = &entries->items[level->at++];
        enum taken taken = take(maker, entry->key, entry->value, out);
        if (taken == TAKEN_NO_MORE)
            return false;
        if (taken == TAKEN_NOT)
            continue;
        struct gw_json_slice id = {entry->key.at - 1, entry->key.length + 2};
        levels[depth++] = (struct level){find_children(entries, id), id};
    }
    return true;
}

static void make_canvas(struct maker *maker, struct gw_json_slice key, struct gw_json_slice from, struct gw_json *canvases)
{
    struct gw_json_slice part;
    struct entries entries = {0};
    struct gw_json *canvas = maker->has_failed ? NULL : add_object(maker, canvases, key.at, key.length);
    struct gw_json *blocks = canvas ? add_part(maker, canvas, "blocks") : NULL;
    if (!blocks)
        return;
    add_whole(maker, from, "type", canvas);
    if (gw_json_slice_member(from, "blocks", &part))
        list_blocks(maker, part, &entries);
    struct level *levels = gw_try_grow(NULL, entries.count + 1, sizeof *levels);
    maker->has_failed |= !levels;
    if (!maker->has_failed && !take_blocks(maker, &entries, levels, blocks))
        maker->share.count = 0;
    maker->left.blocks += entries.count - gw_json_count(blocks);
    gw_free(levels);
    gw_free(entries.items);
}

static void make_canvases(struct maker *maker, struct gw_json_slice from, const char *focus, struct gw_json *view)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct gw_json_slice key = {NULL, 0}, value;
    struct gw_json *canvases = add_part(maker, view, "canvases");
    maker->share = (struct share){GW_CONTEXT_BLOCK_SHARE, GW_CONTEXT_BLOCKS};
    if (canvases && focus && gw_json_slice_member(from, focus, &value))
        make_canvas(maker, (struct gw_json_slice){focus, strlen(focus)}, value, canvases);
    while (canvases && !maker->has_failed && gw_json_walk_next(&walk, &key, &value))
        if (!gw_json_getn(canvases, key.at, key.length))
            make_canvas(maker, key, value, canvases);
}

/* ---- chat --------------------------------------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return gw_json_slice_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void list_messages(struct maker *maker, struct gw_json_slice from, struct entries *out)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct entry entry = {.key = {NULL, 0}};
    while (gw_json_walk_next(&walk, &entry.key, &entry.value) && add_entry(maker, out, &entry))
        ;
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_key);
}

/* The ids, oldest first, as keys. */
static void list_order(struct maker *maker, struct gw_json_slice from, struct entries *out)
{
    struct gw_json_walk walk = gw_json_walk_begin(from);
    struct entry entry = {.key = {NULL, 0}};
    while (gw_json_walk_next(&walk, NULL, &entry.value)) {
        entry.key = (struct gw_json_slice){entry.value.at + 1, entry.value.length - 2};
        if (!add_entry(maker, out, &entry))
            return;
    }
}

/* From the newest on; `first` is the oldest that was looked at. */
static size_t take_messages(struct maker *maker, const struct entries *order, const struct entries *messages, struct gw_json *out)
{
    size_t first = order->count;
    while (first > 0 && !maker->has_failed) {
        const struct entry *entry = bsearch(&order->items[first - 1], messages->items, messages->count, sizeof *entry, by_key);
        if (entry && take(maker, entry->key, entry->value, out) == TAKEN_NO_MORE)
            break;
        first--;
    }
    return first;
}

static void make_chat(struct maker *maker, struct gw_json_slice from, struct gw_json *view)
{
    struct gw_json_slice part;
    struct entries messages = {0}, order = {0};
    struct gw_json *chat = add_part(maker, view, "chat"), *kept = chat ? add_part(maker, chat, "messages") : NULL;
    struct gw_json *ids = gw_json_new_array();
    maker->has_failed |= !chat || gw_json_set(chat, "order", ids ? gw_json_ref(ids) : NULL);
    maker->share = (struct share){GW_CONTEXT_CHAT_SHARE, SIZE_MAX};
    if (gw_json_slice_member(from, "messages", &part))
        list_messages(maker, part, &messages);
    if (gw_json_slice_member(from, "order", &part))
        list_order(maker, part, &order);
    size_t first = maker->has_failed || !messages.count ? order.count : take_messages(maker, &order, &messages, kept);
    for (size_t i = first; i < order.count && !maker->has_failed; i++)
        if (gw_json_getn(kept, order.items[i].key.at, order.items[i].key.length))
            maker->has_failed |= gw_json_append(ids, gw_json_new_text(order.items[i].key.at, order.items[i].key.length)) != 0;
    maker->left.messages = messages.count - gw_json_count(kept);
    gw_json_unref(ids);
    gw_free(messages.items);
    gw_free(order.items);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------------------- */

static size_t count_blocks(const struct gw_json *view)
{
    const struct gw_json *canvases = gw_json_get(view, "canvases");
    void *iterator = NULL;
    const char *id;
    struct gw_json *canvas;
    size_t count = 0;
    while (gw_json_is_object(canvases) && gw_json_next(canvases, &iterator, &id, &canvas))
        count += gw_json_count(gw_json_get(canvas, "blocks"));
    return count;
}

/* NULL: it does not fit, or there is no memory. */
static struct gw_json *make_whole(struct maker *maker, const char *body, size_t length)
{
    const struct gw_json_limits limits = {.max_bytes = GW_CONTEXT_VIEW_BYTES, .max_depth = VIEW_DEPTH, .max_nodes = VIEW_NODES};
    struct gw_json *view = NULL;
    struct gw_error err;
    if (length > GW_CONTEXT_VIEW_BYTES)
        return NULL;
    maker->has_failed = gw_json_parse(body, length, &limits, &view, &err) == GW_ENOMEM;
    if (!view || count_blocks(view) <= GW_CONTEXT_BLOCKS)
        return view;
    gw_json_unref(view);
    return NULL;
}

static bool is_named(struct gw_json_slice key, const char *name)
{
    return key.length == strlen(name) && memcmp(key.at, name, key.length) == 0;
}

/* One walk: the text may be long. */
static struct gw_json *make_bounded(struct maker *maker, struct gw_json_slice state, const char *focus)
{
    struct gw_json_walk walk = gw_json_walk_begin(state);
    struct gw_json_slice key = {NULL, 0}, value;
    struct gw_json *view = gw_json_new_object();
    maker->has_failed |= !view;
    while (!maker->has_failed && gw_json_walk_next(&walk, &key, &value)) {
        if (is_named(key, "cursor"))
            maker->has_failed |= gw_json_set(view, "cursor", parse(maker, value.at, value.length)) != 0;
        else if (is_named(key, "tokens"))
            make_tokens(maker, value, view);
        else if (is_named(key, "graph"))
            make_graph(maker, value, view);
        else if (is_named(key, "canvases"))
            make_canvases(maker, value, focus, view);
        else if (is_named(key, "chat"))
            make_chat(maker, value, view);
    }
    return view;
}

static struct gw_json *describe(const struct left_out *left)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    int status = gw_json_set(out, "blocks", gw_json_new_int((int64_t)left->blocks));
    status |= gw_json_set(out, "edges", gw_json_new_int((int64_t)left->edges));
    status |= gw_json_set(out, "messages", gw_json_new_int((int64_t)left->messages));
    status |= gw_json_set(out, "nodes", gw_json_new_int((int64_t)left->nodes));
    status |= gw_json_set(out, "texts", gw_json_new_int((int64_t)left->texts));
    status |= gw_json_set(out, "tokens", gw_json_new_int((int64_t)left->tokens));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

int gw_context_view(const char *body, size_t length, const char *focus, struct gw_json **view, struct gw_error *err)
{
    struct maker maker = {.has_failed = false};
    *view = make_whole(&maker, body, length);
    if (!*view && !maker.has_failed)
        *view = make_bounded(&maker, (struct gw_json_slice){body, length}, focus);
    if (!maker.has_failed && !gw_json_set(*view, "left_out", describe(&maker.left)))
        return GW_OK;
    gw_json_unref(*view);
    *view = NULL;
    return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the context");
}
