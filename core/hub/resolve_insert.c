#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/resolve_place.h"

#define PATH "/args/block"

/* value: the block that is to be */
struct insert {
    const char *id, *kind, *vis;
    const char *author, *by; /* kind and id of the actor; borrowed */
    struct gw_resolve_kind of;
    struct gw_json *props; /* owned; given ones and defaults */
    struct gw_json *text;  /* borrowed, or NULL */
    struct gw_resolve_place place;
};

static int refuse(const struct gw_resolve *r, int code, const char *id, const char *member, const char *why)
{
    gw_error_set(r->err, code, id, "%s", why);
    gw_pointer_prefix(r->err, member);
    return gw_resolve_at(r, PATH);
}

static int check_id_is_free(const struct gw_resolve *r, const char *id)
{
    if (gw_blocks_find(r->canvas->blocks, id))
        return refuse(r, GW_ECONFLICT, "block_exists", "id", "a block of this id stands on this canvas");
    /* Commands written before the removal may still be on their way; they must not reach another block. */
    if (!r->context->is_revision && gw_blocks_removed_seq(r->canvas->blocks, id, r->state->seq))
        return refuse(r, GW_ECONFLICT, "block_removed", "id", "a block of this id was removed lately: choose another");
    size_t max_blocks = r->state->limits.max_blocks;
    if (gw_blocks_count(r->canvas->blocks) < max_blocks)
        return GW_OK;
    gw_error_limit(r->err, "limit_blocks", "max_blocks", (int64_t)max_blocks, "a canvas may hold %zu blocks", max_blocks);
    return gw_resolve_at(r, PATH);
}

static struct gw_resolve_in in_block(const struct gw_json *block) { return (struct gw_resolve_in){block, PATH}; }

static int read_names(const struct gw_resolve *r, const struct gw_json *block, struct insert *insert)
{
    static const char *const names[] = {"author", "by", "id", "kind", "parent", "after", "props", "text", "vis", NULL};
    const char *author = r->context->is_revision ? gw_state_text_member(block, "author") : NULL;
    const char *by = r->context->is_revision ? gw_state_text_member(block, "by") : NULL;
    insert->author = author ? author : r->context->author_kind;
    insert->by = by ? by : r->context->author_id ? r->context->author_id : "";
    int status = gw_resolve_members(r, in_block(block), r->context->is_revision ? names : names + 2);
    if (!status)
        status = gw_resolve_id(r, in_block(block), "id", true, &insert->id);
    if (!status)
        status = gw_resolve_id(r, in_block(block), "kind", true, &insert->kind);
    if (!status)
        status = gw_resolve_id(r, in_block(block), "vis", false, &insert->vis);
    if (status)
        return status;
    bool is_known = gw_plan_reads_kind(r->context->plan, insert->kind, r->canvas->type);
    insert->of.schema = is_known ? gw_canvas_kind(r->canvas, insert->kind) : NULL;
    if (!insert->of.schema)
        return refuse(r, GW_ENOTFOUND, "unknown_kind", "kind", "this canvas has no such kind");
    insert->of.thing = (struct gw_plan_thing){.kind = insert->kind,
                                              .vis = insert->vis,
                                              .author_kind = insert->author,
                                              .author_id = insert->by,
                                              .canvas_type = r->canvas->type,
                                              .sidecars = gw_canvas_sidecars(r->canvas, insert->kind)};
    return gw_plan_writes_block(r->context->plan, &insert->of.thing) ? GW_OK : gw_resolve_refuse_write(r, PATH);
}

static int read_text(const struct gw_resolve *r, const struct gw_json *block, struct insert *insert)
{
    int status = gw_resolve_typed(r, in_block(block), "text", gw_json_is_string, &insert->text);
    if (status || !insert->text)
        return status;
    size_t length, max_bytes = r->state->limits.max_text_bytes;
    gw_json_text(insert->text, &length);
    if (length > 0 && !r->context->is_revision && !gw_plan_shows_text(r->context->plan, &insert->of.thing))
        return gw_resolve_refuse_write(r, PATH "/text");
    if (length > 0 && !gw_json_bool(gw_json_get(insert->of.schema, "text")))
        return refuse(r, GW_EINVAL, "no_text", "text", "this kind carries no text");
    if (length <= max_bytes)
        return GW_OK;
    gw_error_limit(r->err, "limit_text_bytes", "max_text_bytes", (int64_t)max_bytes, "the text of a block may hold %zu bytes", max_bytes);
    return gw_resolve_at(r, PATH "/text");
}

/* Adds the defaults of what is not given, and finds what is required. */
static int complete_props(const struct gw_resolve *r, struct insert *insert)
{
    const struct gw_json *declared = gw_json_get(insert->of.schema, "props");
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (gw_json_is_object(declared) && gw_json_next(declared, &iterator, &name, &declaration)) {
        struct gw_json *value = gw_json_get(declaration, "default"), *required = gw_json_get(declaration, "required");
        if (gw_json_get(insert->props, name))
            continue;
        if (value && gw_json_set(insert->props, name, gw_json_ref(value)))
            return gw_resolve_no_memory(r);
        if (value || !required || !gw_json_bool(required))
            continue;
        if (!gw_resolve_declaration(r, &insert->of, name))
            return gw_resolve_refuse_write(r, PATH "/kind");
        gw_error_set(r->err, GW_EINVAL, "missing_prop", "%s is required of this kind", name);
        gw_pointer_prefix(r->err, name);
        return gw_resolve_at(r, PATH "/props");
    }
    return GW_OK;
}

static int read_props(const struct gw_resolve *r, const struct gw_json *block, struct insert *insert)
{
    struct gw_json *given;
    int status = gw_resolve_typed(r, in_block(block), "props", gw_json_is_object, &given);
    if (!status && given)
        status = gw_resolve_props(r, &insert->of, given, PATH "/props");
    if (status)
        return status;
    insert->props = gw_resolve_props_merge(given, NULL, NULL);
    if (!insert->props)
        return gw_resolve_no_memory(r);
    if (!r->context->is_revision)
        status = complete_props(r, insert);
    return status ? status : gw_resolve_props_size(r, insert->props, PATH "/props");
}

static struct gw_json *make_op(const struct insert *insert, const char *label)
{
    struct gw_json *op = gw_resolve_op("insert", insert->id);
    if (!op)
        return NULL;
    struct gw_json *text = insert->text ? gw_json_ref(insert->text) : gw_resolve_text("");
    int status = gw_json_set(op, "text", text);
    if (!status)
        status = gw_json_set(op, "kind", gw_resolve_text(insert->kind));
    if (!status)
        status = gw_json_set(op, "parent", gw_resolve_parent(insert->place.parent));
    if (!status)
        status = gw_json_set(op, "pos", gw_resolve_text(label));
    if (!status)
        status = gw_json_set(op, "props", gw_json_ref(insert->props));
    if (!status && insert->vis)
        status = gw_json_set(op, "vis", gw_resolve_text(insert->vis));
    if (!status)
        return op;
    gw_json_unref(op);
    return NULL;
}

/* A block that comes back keeps its author, who need not be the event's. */
static int make_context(const struct gw_resolve *r, const struct insert *insert, struct gw_json **context)
{
    *context = gw_json_new_object();
    if (*context && !gw_json_set(*context, "author", gw_resolve_text(insert->author)) &&
        !gw_json_set(*context, "by", gw_resolve_text(insert->by)))
        return GW_OK;
    gw_json_unref(*context);
    return gw_resolve_no_memory(r);
}

static int emit(const struct gw_resolve *r, const struct insert *insert)
{
    struct gw_resolve_placed placed = {0};
    struct gw_json *facets = gw_facets_create(r);
    int status = facets ? gw_resolve_place_ops(r, &insert->place, NULL, facets, &placed) : gw_resolve_no_memory(r);
    struct gw_facet_block facet = {insert->id, insert->kind, insert->author, insert->by, insert->vis ? insert->vis : ""};
    struct gw_json *own = status ? NULL : gw_facets_add(r, facets, &facet);
    if (!status && (!own || gw_json_set(own, "is", gw_resolve_text("new")) || gw_json_append(placed.ops, make_op(insert, placed.label))))
        status = gw_resolve_no_memory(r);
    struct gw_json *context = NULL;
    if (!status && r->context->is_revision)
        status = make_context(r, insert, &context);
    if (!status)
        return gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(placed.ops), facets, context);
    gw_json_unref(placed.ops);
    gw_json_unref(facets);
    return status;
}

static int judge(const struct gw_resolve *r, const struct gw_json *block, struct insert *insert)
{
    int status = read_names(r, block, insert);
    if (!status)
        status = check_id_is_free(r, insert->id);
    if (!status)
        status = gw_resolve_place_read(r, in_block(block), NULL, &insert->place);
    if (!status)
        status = gw_resolve_parent_admits(r, insert->place.parent, insert->kind, PATH "/parent");
    if (!status)
        status = read_text(r, block, insert);
    return status ? status : read_props(r, block, insert);
}

int gw_resolve_block_insert(const struct gw_resolve *r)
{
    static const char *const names[] = {"block", NULL};
    struct gw_json *block;
    struct insert insert = {0};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_typed(r, gw_resolve_args(r), "block", gw_json_is_object, &block);
    if (!status && !block) {
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "block is required");
        return gw_resolve_at(r, PATH);
    }
    if (!status)
        status = judge(r, block, &insert);
    if (!status)
        status = emit(r, &insert);
    gw_json_unref(insert.props);
    return status;
}
