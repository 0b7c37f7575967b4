#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/resolve_was.h"

/* value: what of the block changes; the objects are owned and hold only what differs from what stands */
struct update {
    struct gw_block *block;
    struct gw_resolve_kind kind;
    struct gw_json *set, *unset;
    struct gw_json *merged; /* the properties afterwards */
    bool changes_vis;
    const char *vis; /* NULL: none */
};

static int judge_set(const struct gw_resolve *r, const struct gw_json *given, struct update *update)
{
    const struct gw_json *present = gw_block_props(update->block);
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = gw_resolve_props(r, &update->kind, given, "/args/set");
    while (!status && gw_json_next(given, &iterator, &name, &value)) {
        const struct gw_json *old = gw_json_get(present, name);
        if (old && gw_json_equal(old, value))
            continue;
        if (gw_json_set(update->set, name, gw_json_ref(value)))
            status = gw_resolve_no_memory(r);
    }
    return status;
}

static int refuse_unset(const struct gw_resolve *r, size_t index, const char *id, const char *why)
{
    gw_error_set(r->err, GW_EINVAL, id, "%s", why);
    gw_pointer_prefix_index(r->err, index);
    return gw_resolve_at(r, "/args/unset");
}

static bool is_listed(const struct gw_json *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(gw_json_text(gw_json_at(names, i), NULL), name) == 0)
            return true;
    return false;
}

static int judge_unset_one(const struct gw_resolve *r, const struct gw_json *set, const struct gw_json *names, size_t index,
                           struct update *update)
{
    struct gw_json *item = gw_json_at(names, index);
    if (!gw_json_is_string(item))
        return refuse_unset(r, index, "bad_shape", "unset is a list of property names");
    const char *name = gw_json_text(item, NULL);
    const struct gw_json *declaration = gw_resolve_declaration(r, &update->kind, name);
    const struct gw_json *required = declaration ? gw_json_get(declaration, "required") : NULL;
    bool is_shown = r->context->is_revision || gw_plan_shows_prop(r->context->plan, &update->kind.thing, name);
    bool is_present = is_shown && gw_json_get(gw_block_props(update->block), name);
    if (!declaration && !is_present)
        return refuse_unset(r, index, "unknown_prop", "this kind has no such property");
    if (required && gw_json_bool(required))
        return refuse_unset(r, index, "missing_prop", "this property is required of the kind");
    if (is_listed(names, index, name) || (set && gw_json_get(set, name)))
        return refuse_unset(r, index, "named_twice", "this property is named twice");
    return is_present && gw_json_append(update->unset, gw_json_ref(item)) ? gw_resolve_no_memory(r) : GW_OK;
}

static int judge_vis(const struct gw_resolve *r, struct update *update)
{
    const char *present = gw_block_vis(update->block);
    int status = gw_resolve_id(r, gw_resolve_args(r), "vis", false, &update->vis);
    update->changes_vis = !status && gw_json_get(r->command->args, "vis") && strcmp(update->vis ? update->vis : "", present) != 0;
    struct gw_plan_thing after = update->kind.thing;
    after.vis = update->vis;
    if (update->changes_vis && !gw_plan_writes_block(r->context->plan, &after))
        return gw_resolve_refuse_write(r, "/args/vis");
    size_t children = update->changes_vis ? gw_blocks_child_count(r->canvas->blocks, update->block) : 0;
    if (status || children <= GW_SHOWN_CHILDREN_MAX)
        return status;
    gw_error_limit(r->err, "limit_shown_children", "max_shown_children", GW_SHOWN_CHILDREN_MAX,
                   "the visibility of a block with more than %d children cannot change", GW_SHOWN_CHILDREN_MAX);
    return gw_resolve_at(r, "/args/vis");
}

static int judge_members(const struct gw_resolve *r, struct update *update)
{
    struct gw_json *set, *unset;
    int status = gw_resolve_typed(r, gw_resolve_args(r), "set", gw_json_is_object, &set);
    if (!status)
        status = gw_resolve_typed(r, gw_resolve_args(r), "unset", gw_json_is_array, &unset);
    if (!status)
        status = judge_set(r, set, update);
    for (size_t i = 0; !status && i < gw_json_count(unset); i++)
        status = judge_unset_one(r, set, unset, i, update);
    if (!status)
        status = judge_vis(r, update);
    if (status)
        return status;
    update->merged = gw_resolve_props_merge(gw_block_props(update->block), update->set, update->unset);
    return update->merged ? gw_resolve_props_size(r, update->merged, "/args/set") : gw_resolve_no_memory(r);
}

/* ---- the event --------------------------------------------------------------------------------------------------------------------------
 */

static struct gw_json *make_block(const struct update *update)
{
    const struct gw_block *block = update->block;
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    int status = gw_json_set(out, "kind", gw_resolve_text(gw_block_kind(block)));
    if (!status)
        status = gw_json_set(out, "parent", gw_resolve_parent(gw_block_parent(block)));
    if (!status)
        status = gw_json_set(out, "pos", gw_resolve_text(gw_block_label(block)));
    if (!status)
        status = gw_json_set(out, "props", gw_json_ref(update->merged));
    if (!status)
        status = gw_json_set(out, "text", gw_was_text(block));
    if (!status && update->vis)
        status = gw_json_set(out, "vis", gw_resolve_text(update->vis));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* What stands below it hangs elsewhere for a class for which it appears or goes. */
static int add_children(const struct gw_resolve *r, const struct gw_block *block, struct gw_json *facets, struct gw_json *own)
{
    if (!gw_blocks_first_child(r->canvas->blocks, block))
        return GW_OK;
    struct gw_json *children = gw_json_new_object();
    int status = children ? GW_OK : GW_ENOMEM;
    for (const struct gw_block *child = gw_blocks_first_child(r->canvas->blocks, block); !status && child;
         child = gw_block_next_sibling(child)) {
        status = gw_json_set(children, gw_block_id(child), gw_resolve_text(gw_block_label(child)));
        if (!status && !gw_facets_touch(r, facets, child))
            status = GW_ENOMEM;
    }
    if (!status)
        return gw_json_set(own, "children", children);
    gw_json_unref(children);
    return status;
}

/* A class for which the block appears needs the whole of it; the parent says where it hangs for that class. */
static int add_appearance(const struct gw_resolve *r, const struct update *update, struct gw_json *facets, struct gw_json *own)
{
    const struct gw_block *parent = gw_block_parent(update->block);
    const char *old = gw_block_vis(update->block);
    struct gw_json *was = gw_json_new_object();
    int status = was && old[0] ? gw_json_set(was, "vis", gw_resolve_text(old)) : was ? GW_OK : GW_ENOMEM;
    if (status) {
        gw_json_unref(was);
        return status;
    }
    status = gw_json_set(own, "was", was);
    gw_json_remove(own, "vis");
    if (!status && update->vis)
        status = gw_json_set(own, "vis", gw_resolve_text(update->vis));
    if (!status)
        status = gw_json_set(own, "block", make_block(update));
    if (!status)
        status = add_children(r, update->block, facets, own);
    return status || (parent && !gw_facets_touch(r, facets, parent)) ? GW_ENOMEM : GW_OK;
}

static struct gw_json *make_op(const struct update *update)
{
    struct gw_json *op = gw_resolve_op("update", gw_block_id(update->block));
    if (!op)
        return NULL;
    int status = gw_json_set(op, "set", gw_json_ref(update->set));
    if (!status)
        status = gw_json_set(op, "unset", gw_json_ref(update->unset));
    if (!status && update->changes_vis)
        status = gw_json_set(op, "vis", update->vis ? gw_resolve_text(update->vis) : gw_json_new_null());
    if (!status)
        return op;
    gw_json_unref(op);
    return NULL;
}

static int emit(const struct gw_resolve *r, const struct update *update)
{
    struct gw_json *facets = gw_facets_create(r), *ops = gw_json_new_array();
    struct gw_json *own = facets && ops ? gw_facets_touch(r, facets, update->block) : NULL;
    struct gw_json *context = own ? gw_was_update(update->block, update->set, update->unset, update->changes_vis) : NULL;
    int status = context ? GW_OK : GW_ENOMEM;
    if (!status && r->context->keeps_whole && !update->changes_vis)
        status = gw_json_set(own, "block", make_block(update));
    if (!status && update->changes_vis)
        status = add_appearance(r, update, facets, own);
    if (!status)
        status = gw_json_append(ops, make_op(update));
    if (!status)
        return gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(ops), facets, context);
    gw_json_unref(context);
    gw_json_unref(facets);
    gw_json_unref(ops);
    return gw_resolve_no_memory(r);
}

static int judge(const struct gw_resolve *r, struct update *update)
{
    static const char *const names[] = {"id", "set", "unset", "vis", NULL};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_block(r, gw_resolve_args(r), "id", &update->block);
    if (status)
        return status;
    status = gw_resolve_writable(r, update->block, "/args/id");
    if (status)
        return status;
    update->kind.schema = gw_canvas_kind(r->canvas, gw_block_kind(update->block));
    update->kind.thing = gw_canvas_thing(r->canvas, update->block);
    if (update->kind.schema)
        return judge_members(r, update);
    gw_error_set(r->err, GW_ENOTFOUND, "unknown_kind", "this canvas no longer has the kind of that block");
    return gw_resolve_at(r, "/args/id");
}

int gw_resolve_block_update(const struct gw_resolve *r)
{
    struct update update = {.set = gw_json_new_object(), .unset = gw_json_new_array()};
    int status = update.set && update.unset ? judge(r, &update) : gw_resolve_no_memory(r);
    bool is_visible = update.changes_vis || gw_json_count(update.set) + gw_json_count(update.unset) > 0;
    if (!status)
        status = is_visible ? emit(r, &update) : gw_resolve_emit_nothing(r, NULL);
    gw_json_unref(update.set);
    gw_json_unref(update.unset);
    gw_json_unref(update.merged);
    return status;
}
