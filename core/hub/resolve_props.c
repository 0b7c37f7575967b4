#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/value_type.h"

const struct gw_json *gw_resolve_declaration(const struct gw_resolve *r, const struct gw_resolve_kind *kind, const char *name)
{
    const struct gw_json *declared = gw_json_get(kind->schema, "props");
    const struct gw_json *declaration = gw_json_is_object(declared) ? gw_json_get(declared, name) : NULL;
    bool may_name = r->context->is_revision || gw_plan_shows_prop(r->context->plan, &kind->thing, name);
    return may_name ? declaration : NULL;
}

int gw_resolve_props(const struct gw_resolve *r, const struct gw_resolve_kind *kind, const struct gw_json *props, const char *path)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(props, &iterator, &name, &value)) {
        const struct gw_json *declaration = gw_resolve_declaration(r, kind, name);
        int status = GW_OK;
        if (!declaration)
            status = gw_error_set(r->err, GW_EINVAL, "unknown_prop", "this kind has no property %s", name);
        else
            status = gw_value_fits(declaration, value, r->err);
        if (!status)
            continue;
        gw_pointer_prefix(r->err, name);
        return gw_resolve_at(r, path);
    }
    return GW_OK;
}

static int merge(struct gw_json *out, const struct gw_json *members)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = GW_OK;
    while (!status && gw_json_next(members, &iterator, &name, &value))
        status = gw_json_set(out, name, gw_json_ref(value));
    return status;
}

struct gw_json *gw_resolve_props_merge(const struct gw_json *props, const struct gw_json *set, const struct gw_json *unset)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    if (merge(out, props) || (set && merge(out, set))) {
        gw_json_unref(out);
        return NULL;
    }
    for (size_t i = 0; i < gw_json_count(unset); i++)
        gw_json_remove(out, gw_json_text(gw_json_at(unset, i), NULL));
    return out;
}

int gw_resolve_props_size(const struct gw_resolve *r, const struct gw_json *props, const char *path)
{
    size_t max_bytes = r->state->limits.max_props_bytes;
    ptrdiff_t length = gw_json_canonical_length(props);
    if (length < 0)
        return gw_resolve_no_memory(r);
    if ((size_t)length <= max_bytes)
        return GW_OK;
    gw_error_limit(r->err, "limit_props_bytes", "max_props_bytes", (int64_t)max_bytes, "the properties of a block may hold %zu bytes",
                   max_bytes);
    return gw_resolve_at(r, path);
}

int gw_resolve_parent_admits(const struct gw_resolve *r, const struct gw_block *parent, const char *kind, const char *path)
{
    const struct gw_json *schema = parent ? gw_canvas_kind(r->canvas, gw_block_kind(parent)) : NULL;
    const struct gw_json *children = schema ? gw_json_get(schema, "children") : NULL;
    if (!children)
        return GW_OK;
    for (size_t i = 0; gw_json_is_array(children) && i < gw_json_count(children); i++)
        if (strcmp(gw_json_text(gw_json_at(children, i), NULL), kind) == 0)
            return GW_OK;
    gw_error_set(r->err, GW_EINVAL, "bad_parent", "a %s may not stand below a %s", kind, gw_block_kind(parent));
    return gw_resolve_at(r, path);
}
