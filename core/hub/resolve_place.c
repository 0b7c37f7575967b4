#include "hub/resolve_place.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"

static int read_parent(const struct gw_resolve *r, struct gw_resolve_in in, const struct gw_block *moving, struct gw_block **parent)
{
    const struct gw_json *value = gw_json_get(in.object, "parent");
    *parent = NULL;
    if (!value && moving) {
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "parent is required; null is the root");
        gw_error_prefix(r->err, "/parent");
        return gw_resolve_at(r, in.path);
    }
    if (!value || gw_json_is_null(value))
        return GW_OK;
    int status = gw_resolve_block(r, in, "parent", parent);
    if (status || !moving || !gw_block_is_within(*parent, moving))
        return status;
    gw_error_set(r->err, GW_ECONFLICT, "cycle", "%s stands below %s", gw_block_id(*parent), gw_block_id(moving));
    gw_error_prefix(r->err, "/parent");
    return gw_resolve_at(r, in.path);
}

static int read_after(const struct gw_resolve *r, struct gw_resolve_in in, const struct gw_block *moving, struct gw_resolve_place *place)
{
    const struct gw_json *value = gw_json_get(in.object, "after");
    place->after = NULL;
    if (!value || gw_json_is_null(value))
        return GW_OK;
    int status = gw_resolve_block(r, in, "after", &place->after);
    if (status || (gw_block_parent(place->after) == place->parent && place->after != moving))
        return status;
    gw_error_set(r->err, GW_ECONFLICT, "bad_after", "%s is no other child of that parent", gw_block_id(place->after));
    gw_error_prefix(r->err, "/after");
    return gw_resolve_at(r, in.path);
}

static int check_depth(const struct gw_resolve *r, const struct gw_block *parent, const struct gw_block *moving, const char *path)
{
    size_t max_depth = r->state->limits.max_depth, levels = moving ? gw_block_height(moving) : 1;
    if (gw_block_depth(parent) + levels <= max_depth)
        return GW_OK;
    gw_error_limit(r->err, "limit_depth", "max_depth", (int64_t)max_depth, "a block tree may have %zu levels", max_depth);
    gw_error_prefix(r->err, "/parent");
    return gw_resolve_at(r, path);
}

int gw_resolve_place_read(const struct gw_resolve *r, struct gw_resolve_in in, const struct gw_block *moving, struct gw_resolve_place *out)
{
    int status = read_parent(r, in, moving, &out->parent);
    if (!status)
        status = check_depth(r, out->parent, moving, in.path);
    return status ? status : read_after(r, in, moving, out);
}

static int add_relabel(const struct gw_resolve *r, const struct gw_placement *placement, struct gw_json *facets, struct gw_json *ops)
{
    struct gw_json *op = gw_json_new_object(), *labels = gw_json_new_object();
    int status = op && labels ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < placement->relabel_count; i++) {
        const struct gw_relabel *relabel = &placement->relabels[i];
        status = gw_json_set(labels, gw_block_id(relabel->block), gw_resolve_text(relabel->label.text));
        if (!status && !gw_facets_touch(r, facets, relabel->block))
            status = GW_ENOMEM;
    }
    if (!status)
        status = gw_json_set(op, "op", gw_resolve_text("relabel"));
    if (!status)
        status = gw_json_set(op, "pos", gw_json_ref(labels));
    if (!status)
        status = gw_json_append(ops, gw_json_ref(op));
    gw_json_unref(op);
    gw_json_unref(labels);
    return status;
}

int gw_resolve_place_ops(const struct gw_resolve *r, const struct gw_resolve_place *place, const struct gw_block *moving,
                         struct gw_json *facets, struct gw_resolve_placed *out)
{
    struct gw_placement placement;
    if (gw_blocks_place(r->canvas->blocks, place->parent, place->after, moving, &placement, r->err)) {
        gw_error_limit(r->err, "limit_siblings", "max_siblings_here", (int64_t)gw_blocks_child_count(r->canvas->blocks, place->parent),
                       "there is no room between these two siblings");
        return gw_resolve_at(r, "/args");
    }
    memcpy(out->label, placement.label.text, sizeof placement.label.text);
    out->ops = gw_json_new_array();
    int status = out->ops && (!place->parent || gw_facets_touch(r, facets, place->parent)) ? GW_OK : GW_ENOMEM;
    if (!status && placement.relabel_count)
        status = add_relabel(r, &placement, facets, out->ops);
    if (!status)
        return GW_OK;
    gw_json_unref(out->ops);
    out->ops = NULL;
    return gw_resolve_no_memory(r);
}
