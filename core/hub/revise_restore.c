/* canvas.restore: first every block of that time is put where it stood, in tree order, so that a parent is in place before its children
 * and no move can close a circle; then what was not there goes; then fields and texts. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/resolve_was.h"
#include "hub/revise_steps.h"

/* value: the canvas then and now */
struct restore {
    struct gw_revise *v;
    const struct gw_canvas *canvas_then, *canvas_now;
    const struct gw_blocks *then;
    const struct gw_blocks *now;
    const char *canvas_id;
};

static int no_memory(const struct restore *s) { return gw_error_set(s->v->err, GW_ENOMEM, "out_of_memory", "no memory for the command"); }

static int step(const struct restore *s, const char *type, struct gw_json *args /* taken */, const char *id)
{
    char path[3 * GW_ID_MAX];
    snprintf(path, sizeof path, "/canvases/%s/blocks/%s", s->canvas_id, id);
    return gw_revise_step(s->v, type, s->canvas_id, args, path);
}

/* ---- places ---- */

static const char *id_of(const struct gw_block *block) { return block ? gw_block_id(block) : ""; }

static bool stands_below(const struct gw_block *block, const struct gw_block *like)
{
    return strcmp(id_of(gw_block_parent(block)), id_of(gw_block_parent(like))) == 0;
}

/* The left neighbour now among those that will stay there: siblings of then. */
static const struct gw_block *stays_before(const struct restore *s, const struct gw_block *block)
{
    const struct gw_block *left = block;
    while ((left = gw_block_previous_sibling(left))) {
        const struct gw_block *same = gw_blocks_find(s->then, gw_block_id(left));
        if (same && stands_below(same, left))
            return left;
    }
    return NULL;
}

/* The left neighbour that it gets: the nearest of then that stands in its place now. NULL: first. */
static const struct gw_block *left_of(const struct restore *s, const struct gw_block *then)
{
    const struct gw_block *left = then;
    while ((left = gw_block_previous_sibling(left))) {
        const struct gw_block *now = gw_blocks_find(s->now, gw_block_id(left));
        if (now && stands_below(now, left))
            return left;
    }
    return NULL;
}

static struct gw_json *place_args(const struct restore *s, const struct gw_block *then)
{
    struct gw_json *args = gw_json_new_object();
    int status = args ? gw_json_set(args, "id", gw_resolve_text(gw_block_id(then))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(args, "parent", gw_resolve_parent(gw_block_parent(then)));
    if (!status)
        status = gw_json_set(args, "after", gw_resolve_parent(left_of(s, then)));
    if (!status)
        return args;
    gw_json_unref(args);
    return NULL;
}

/* Is the block, on that side of time, the author's to see? */
static bool is_shown(const struct restore *s, const struct gw_canvas *canvas, const struct gw_block *block)
{
    return gw_canvas_shows(canvas, s->v->context.plan, block);
}

/* What is hidden, now or then, stays as it is, and its author is not told. */
static bool is_left_alone(const struct restore *s, const struct gw_block *then)
{
    const struct gw_block *now = gw_blocks_find(s->now, gw_block_id(then));
    return !is_shown(s, s->canvas_then, then) || (now && !is_shown(s, s->canvas_now, now));
}

static int insert(const struct restore *s, const struct gw_block *then)
{
    struct gw_json *args = gw_json_new_object(), *block = gw_was_block(then);
    int status = block ? gw_json_set(block, "after", gw_resolve_parent(left_of(s, then))) : GW_ENOMEM;
    if (!args || status || gw_json_set(args, "block", gw_json_ref(block))) {
        gw_json_unref(args);
        args = NULL;
    }
    gw_json_unref(block);
    return step(s, "block.insert", args, gw_block_id(then));
}

static int place(const struct restore *s, const struct gw_block *then)
{
    const struct gw_block *now = gw_blocks_find(s->now, gw_block_id(then));
    if (is_left_alone(s, then))
        return GW_OK;
    if (!now)
        return insert(s, then);
    const struct gw_block *before = left_of(s, then);
    if (stands_below(now, then) && strcmp(id_of(stays_before(s, now)), id_of(before)) == 0)
        return GW_OK;
    return step(s, "block.move", place_args(s, then), gw_block_id(then));
}

static int place_all(const struct restore *s)
{
    int status = GW_OK;
    for (const struct gw_block *then = NULL; !status && (then = gw_blocks_next(s->then, NULL, then));)
        status = place(s, then);
    return status;
}

/* ---- what was not there ---- */

/* The next block from `block` on, in tree order, that was not there; its subtree was not either, since all that was stands in its place. */
static const struct gw_block *find_stranger(const struct restore *s, const struct gw_block *block)
{
    while ((block = gw_blocks_next(s->now, NULL, block)))
        if (!gw_blocks_find(s->then, gw_block_id(block)))
            return block;
    return NULL;
}

static int add_ids(const struct restore *s, struct gw_json *ids)
{
    int status = GW_OK;
    const struct gw_block *top = NULL;
    for (const struct gw_block *block = NULL; !status && (block = find_stranger(s, block));) {
        if ((top && gw_block_is_within(block, top)) || !is_shown(s, s->canvas_now, block))
            continue;
        top = block;
        status = gw_json_append(ids, gw_resolve_text(gw_block_id(block)));
    }
    return status ? no_memory(s) : GW_OK;
}

static int remove_all(const struct restore *s)
{
    struct gw_json *ids = gw_json_new_array();
    int status = ids ? add_ids(s, ids) : no_memory(s);
    for (size_t i = 0; !status && i < gw_json_count(ids); i++) {
        struct gw_json *args = gw_json_new_object();
        if (args && gw_json_set(args, "id", gw_json_ref(gw_json_at(ids, i)))) {
            gw_json_unref(args);
            args = NULL;
        }
        status = step(s, "block.remove", args, gw_json_text(gw_json_at(ids, i), NULL));
    }
    gw_json_unref(ids);
    return status;
}

/* ---- fields ---- */

static int differ(const struct gw_json *then, const struct gw_json *now, struct gw_json *set, struct gw_json *unset)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = GW_OK;
    while (!status && gw_json_next(then, &iterator, &name, &value))
        if (!gw_json_equal(value, gw_json_get(now, name)))
            status = gw_json_set(set, name, gw_json_ref(value));
    iterator = NULL;
    while (!status && gw_json_next(now, &iterator, &name, &value))
        if (!gw_json_get(then, name))
            status = gw_json_append(unset, gw_resolve_text(name));
    return status;
}

static int set_vis(struct gw_json *args, const char *vis)
{
    return gw_json_set(args, "vis", vis[0] ? gw_resolve_text(vis) : gw_json_new_null());
}

static int update(const struct restore *s, const struct gw_block *then, const struct gw_block *now)
{
    struct gw_json *args = gw_json_new_object(), *set = gw_json_new_object(), *unset = gw_json_new_array();
    bool changes_vis = strcmp(gw_block_vis(then), gw_block_vis(now)) != 0;
    struct gw_plan_thing thing = gw_canvas_thing(s->canvas_now, now);
    struct gw_lens lens = {s->v->context.plan, NULL};
    struct gw_json *props_then = gw_lens_props(&lens, &thing, gw_block_props(then));
    struct gw_json *props_now = gw_lens_props(&lens, &thing, gw_block_props(now));
    bool has_memory = args && set && unset && props_then && props_now;
    int status = has_memory ? differ(props_then, props_now, set, unset) : GW_ENOMEM;
    bool is_same = !status && !changes_vis && gw_json_count(set) + gw_json_count(unset) == 0;
    if (!status && changes_vis)
        status = set_vis(args, gw_block_vis(then));
    if (!status)
        status = gw_json_set(args, "id", gw_resolve_text(gw_block_id(then)));
    if (!status)
        status = gw_json_set(args, "set", gw_json_ref(set));
    if (!status)
        status = gw_json_set(args, "unset", gw_json_ref(unset));
    gw_json_unref(set);
    gw_json_unref(unset);
    gw_json_unref(props_then);
    gw_json_unref(props_now);
    if (!status && !is_same)
        return step(s, "block.update", args, gw_block_id(then));
    gw_json_unref(args);
    return status ? no_memory(s) : GW_OK;
}

/* ---- texts ---- */

static bool is_inside(char byte) { return ((unsigned char)byte & 0xC0u) == 0x80u; }

/* Bytes that both begin, and then end, with; whole code points. */
static size_t common_prefix(const struct gw_buffer *a, const struct gw_buffer *b)
{
    size_t n = 0, most = a->length < b->length ? a->length : b->length;
    while (n < most && a->data[n] == b->data[n])
        n++;
    while (n > 0 && ((n < a->length && is_inside(a->data[n])) || (n < b->length && is_inside(b->data[n]))))
        n--;
    return n;
}

static size_t common_suffix(const struct gw_buffer *a, const struct gw_buffer *b, size_t prefix)
{
    size_t n = 0, most = (a->length < b->length ? a->length : b->length) - prefix;
    while (n < most && a->data[a->length - 1 - n] == b->data[b->length - 1 - n])
        n++;
    while (n > 0 && is_inside(a->data[a->length - n]))
        n--;
    return n;
}

static size_t points(const char *text, size_t length)
{
    ptrdiff_t count = gw_utf8_count(text, length, NULL);
    return count > 0 ? (size_t)count : 0;
}

/* The one splice between two texts: what they do not share at their ends. */
static struct gw_json *splice_args(const char *id, const struct gw_buffer *then, const struct gw_buffer *now)
{
    size_t prefix = common_prefix(then, now), suffix = common_suffix(then, now, prefix);
    const char *text = now->data ? now->data : "";
    struct gw_json *args = gw_json_new_object();
    int status = args ? gw_json_set(args, "id", gw_resolve_text(id)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(args, "at", gw_json_new_int((int64_t)points(text, prefix)));
    if (!status)
        status = gw_json_set(args, "del", gw_json_new_int((int64_t)points(text + prefix, now->length - prefix - suffix)));
    if (!status)
        status = gw_json_set(args, "ins", gw_json_new_text(then->length ? then->data + prefix : "", then->length - prefix - suffix));
    if (!status)
        return args;
    gw_json_unref(args);
    return NULL;
}

static int splice(const struct restore *s, const struct gw_block *then, const struct gw_block *now)
{
    struct gw_plan_thing thing = gw_canvas_thing(s->canvas_now, now);
    if (s->v->context.plan->transform || !gw_plan_shows_text(s->v->context.plan, &thing))
        return GW_OK;
    struct gw_buffer before, after;
    gw_buffer_init(&before, 0);
    gw_buffer_init(&after, 0);
    gw_text_write(gw_block_text(then), &before);
    gw_text_write(gw_block_text(now), &after);
    int status = before.has_failed || after.has_failed ? no_memory(s) : GW_OK;
    bool is_same = before.length == after.length && (before.length == 0 || memcmp(before.data, after.data, before.length) == 0);
    if (!status && !is_same)
        status = step(s, "block.splice", splice_args(gw_block_id(then), &before, &after), gw_block_id(then));
    gw_buffer_fini(&before);
    gw_buffer_fini(&after);
    return status;
}

static int mend(const struct restore *s, const struct gw_block *then)
{
    const struct gw_block *now = gw_blocks_find(s->now, gw_block_id(then));
    char path[3 * GW_ID_MAX];
    if (!now || is_left_alone(s, then)) /* its place was refused, and that was told; or it is hidden */
        return GW_OK;
    if (strcmp(gw_block_kind(now), gw_block_kind(then)) != 0) {
        snprintf(path, sizeof path, "/canvases/%s/blocks/%s/kind", s->canvas_id, gw_block_id(then));
        return gw_revise_skip(s->v, path, "kind_changed");
    }
    int status = update(s, then, now);
    now = status ? NULL : gw_blocks_find(s->now, gw_block_id(then));
    return now ? splice(s, then, now) : status;
}

static int mend_all(const struct restore *s)
{
    int status = GW_OK;
    for (const struct gw_block *then = NULL; !status && (then = gw_blocks_next(s->then, NULL, then));)
        status = mend(s, then);
    return status;
}

int gw_revise_restore(struct gw_revise *v, const struct gw_state *old)
{
    const struct gw_canvas *then = gw_state_canvas(old, v->command->canvas_id);
    const struct gw_canvas *now = gw_state_canvas(v->state, v->command->canvas_id);
    if (!then || !now)
        return gw_error_set(v->err, GW_ECONFLICT, "not_fetched", "what stood before could not be read");
    struct restore s = {v, then, now, then->blocks, now->blocks, v->command->canvas_id};
    int status = place_all(&s);
    if (!status)
        status = remove_all(&s);
    return status ? status : mend_all(&s);
}
