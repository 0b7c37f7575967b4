/* block.move and block.remove. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/resolve.h"
#include "hub/resolve_place.h"
#include "hub/resolve_was.h"

/* ---- block.move -------------------------------------------------------------------------------------------------------------------------
 */

static struct gw_json *make_move(const struct gw_block *block, const struct gw_block *parent, const char *label)
{
    struct gw_json *op = gw_resolve_op("move", gw_block_id(block));
    if (!op || (!gw_json_set(op, "parent", gw_resolve_parent(parent)) && !gw_json_set(op, "pos", gw_resolve_text(label))))
        return op;
    gw_json_unref(op);
    return NULL;
}

static int emit_move(const struct gw_resolve *r, const struct gw_block *block, const struct gw_resolve_place *place)
{
    struct gw_resolve_placed placed = {0};
    struct gw_json *facets = gw_facets_create(r), *context = gw_was_place(block);
    bool has_memory = facets && context && gw_facets_touch(r, facets, block);
    int status = has_memory ? gw_resolve_place_ops(r, place, block, facets, &placed) : gw_resolve_no_memory(r);
    if (!status && gw_json_append(placed.ops, make_move(block, place->parent, placed.label)))
        status = gw_resolve_no_memory(r);
    if (!status)
        return gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(placed.ops), facets, context);
    gw_json_unref(placed.ops);
    gw_json_unref(facets);
    gw_json_unref(context);
    return status;
}

int gw_resolve_block_move(const struct gw_resolve *r)
{
    static const char *const names[] = {"id", "parent", "after", NULL};
    struct gw_block *block;
    struct gw_resolve_place place;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_block(r, gw_resolve_args(r), "id", &block);
    if (!status)
        status = gw_resolve_writable(r, block, "/args/id");
    if (!status)
        status = gw_resolve_place_read(r, gw_resolve_args(r), block, &place);
    if (!status)
        status = gw_resolve_parent_admits(r, place.parent, gw_block_kind(block), "/args/parent");
    if (status)
        return status;
    bool stands_there = gw_block_parent(block) == place.parent && gw_block_previous_sibling(block) == place.after;
    return stands_there ? gw_resolve_emit_nothing(r, NULL) : emit_move(r, block, &place);
}

/* ---- block.remove
 * ------------------------------------------------------------------------------------------------------------------------- */

/* Names the whole subtree as gone: a class that sees a child and not its parent must be told. */
static int add_gone(const struct gw_resolve *r, const struct gw_block *top, struct gw_json *facets)
{
    size_t count = 0;
    for (const struct gw_block *block = NULL; (block = gw_blocks_next(r->canvas->blocks, top, block));) {
        if (++count > GW_REMOVE_MAX) {
            gw_error_limit(r->err, "limit_remove", "max_removed_blocks", GW_REMOVE_MAX, "one command may remove %d blocks", GW_REMOVE_MAX);
            return gw_resolve_at(r, "/args/id");
        }
        if (gw_resolve_writable(r, block, "/args/id"))
            return r->err->code;
        struct gw_json *own = gw_facets_touch(r, facets, block);
        if (!own || gw_json_set(own, "is", gw_resolve_text("gone")) ||
            (block != top && gw_json_set(own, "parent", gw_resolve_parent(gw_block_parent(block)))))
            return gw_resolve_no_memory(r);
    }
    return GW_OK;
}

static int emit_remove(const struct gw_resolve *r, const struct gw_block *block)
{
    struct gw_json *facets = gw_facets_create(r), *ops = gw_json_new_array();
    int status = facets && ops ? add_gone(r, block, facets) : gw_resolve_no_memory(r);
    struct gw_json *context = status ? NULL : gw_was_removed(r->canvas->blocks, block);
    if (!status && (!context || gw_json_append(ops, gw_resolve_op("remove", gw_block_id(block)))))
        status = gw_resolve_no_memory(r);
    if (!status)
        return gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(ops), facets, context);
    gw_json_unref(context);
    gw_json_unref(facets);
    gw_json_unref(ops);
    return status;
}

int gw_resolve_block_remove(const struct gw_resolve *r)
{
    static const char *const names[] = {"id", NULL};
    const char *id;
    struct gw_block *block;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "id", true, &id);
    if (status)
        return status;
    if (gw_resolve_was_removed(r, id))
        return gw_resolve_emit_nothing(r, NULL);
    status = gw_resolve_block(r, gw_resolve_args(r), "id", &block);
    return status ? status : emit_remove(r, block);
}
