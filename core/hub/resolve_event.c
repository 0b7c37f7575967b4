#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/resolve.h"

bool gw_resolve_origin(const struct gw_resolve *r, char out[GW_ORIGIN_NAME_MAX + 1])
{
    const char *author = r->context->author_id ? r->context->author_id : "";
    if (!r->command->origin[0])
        return false;
    snprintf(out, GW_ORIGIN_NAME_MAX + 1, "%s %s", author, r->command->origin);
    return true;
}

struct gw_json *gw_resolve_text(const char *text) { return text ? gw_json_new_text(text, strlen(text)) : NULL; }

struct gw_json *gw_resolve_parent(const struct gw_block *parent)
{
    return parent ? gw_resolve_text(gw_block_id(parent)) : gw_json_new_null();
}

struct gw_json *gw_resolve_op(const char *name, const char *id)
{
    struct gw_json *op = gw_json_new_object();
    if (!op || (!gw_json_set(op, "op", gw_resolve_text(name)) && !gw_json_set(op, "id", gw_resolve_text(id))))
        return op;
    gw_json_unref(op);
    return NULL;
}

struct gw_json *gw_resolve_ops(struct gw_json *ops)
{
    struct gw_json *data = gw_json_new_object();
    if (!data) {
        gw_json_unref(ops);
        return NULL;
    }
    if (!gw_json_set(data, "ops", ops))
        return data;
    gw_json_unref(data);
    return NULL;
}

/* Joins {origin, n} to *context, making it when there is none. */
static int join_origin(const struct gw_resolve *r, struct gw_json **context)
{
    char origin[GW_ORIGIN_NAME_MAX + 1];
    if (!gw_resolve_origin(r, origin))
        return GW_OK;
    if (!*context && !(*context = gw_json_new_object()))
        return GW_ENOMEM;
    int status = gw_json_set(*context, "origin", gw_resolve_text(origin));
    return status ? status : gw_json_set(*context, "n", gw_json_new_int(r->command->n));
}

static bool is_run_wide(enum gw_event_type type)
{
    return type == GW_EVENT_TOKEN_PATCH || type == GW_EVENT_CHAT_MESSAGE || type == GW_EVENT_CHAT_TOKEN || type == GW_EVENT_LOG_LINE;
}

int gw_resolve_emit(const struct gw_resolve *r, enum gw_event_type type, struct gw_json *data, struct gw_json *facets,
                    struct gw_json *context)
{
    struct gw_event *event = gw_event_create();
    int status = join_origin(r, &context);
    if (!event || status || (!data && type != GW_EVENT_VOID)) {
        gw_json_unref(data);
        gw_json_unref(facets);
        gw_json_unref(context);
        gw_event_unref(event);
        return gw_resolve_no_memory(r);
    }
    event->type = type;
    event->data = data;
    event->facets = facets;
    event->context = context;
    if (!is_run_wide(type))
        memcpy(event->canvas_id, r->command->canvas_id, sizeof event->canvas_id);
    return gw_event_list_add(r->out, event) ? gw_resolve_no_memory(r) : GW_OK;
}

int gw_resolve_redirect(const struct gw_resolve *r, const char *canvas_id)
{
    struct gw_event *event = r->out->items[r->out->count - 1];
    memcpy(event->canvas_id, canvas_id, strlen(canvas_id) + 1);
    return GW_OK;
}

int gw_resolve_emit_nothing(const struct gw_resolve *r, struct gw_json *context)
{
    if (r->command->origin[0] || context)
        return gw_resolve_emit(r, GW_EVENT_VOID, NULL, NULL, context);
    return GW_OK;
}

/* ---- facets ---- */

struct gw_json *gw_facets_create(const struct gw_resolve *r)
{
    struct gw_json *facets = gw_json_new_object();
    if (!facets)
        return NULL;
    if (!gw_json_set(facets, "canvas_type", gw_resolve_text(r->canvas->type)) && !gw_json_set(facets, "blocks", gw_json_new_object()))
        return facets;
    gw_json_unref(facets);
    return NULL;
}

/* A lens without vision hides these properties of every block of the kind; what it hides must not depend on a manifest that may change. */
static int note_sidecars(const struct gw_resolve *r, struct gw_json *facets, const char *kind)
{
    struct gw_json *names = gw_canvas_sidecars(r->canvas, kind);
    if (!names)
        return GW_OK;
    if (!gw_json_get(facets, "sidecars") && gw_json_set(facets, "sidecars", gw_json_new_object()))
        return GW_ENOMEM;
    return gw_json_set(gw_json_get(facets, "sidecars"), kind, gw_json_ref(names));
}

/* Whose block it is need not be said of the event's own actor. */
static bool is_by_another(const struct gw_resolve *r, const char *by)
{
    return strcmp(by, r->context->author_id ? r->context->author_id : "") != 0;
}

static int fill_facets(const struct gw_resolve *r, struct gw_json *entry, const struct gw_facet_block *block)
{
    int status = gw_json_set(entry, "kind", gw_resolve_text(block->kind));
    if (!status)
        status = gw_json_set(entry, "author", gw_resolve_text(block->author));
    if (!status && is_by_another(r, block->by))
        status = gw_json_set(entry, "by", gw_resolve_text(block->by));
    if (!status && block->vis[0])
        status = gw_json_set(entry, "vis", gw_resolve_text(block->vis));
    return status;
}

struct gw_json *gw_facets_add(const struct gw_resolve *r, struct gw_json *facets, const struct gw_facet_block *block)
{
    struct gw_json *blocks = gw_json_get(facets, "blocks"), *entry = gw_json_get(blocks, block->id);
    if (entry)
        return entry;
    if (gw_json_set(blocks, block->id, gw_json_new_object()))
        return NULL;
    entry = gw_json_get(blocks, block->id);
    return fill_facets(r, entry, block) || note_sidecars(r, facets, block->kind) ? NULL : entry;
}

struct gw_json *gw_facets_touch(const struct gw_resolve *r, struct gw_json *facets, const struct gw_block *block)
{
    struct gw_facet_block facet = {.id = gw_block_id(block),
                                   .kind = gw_block_kind(block),
                                   .author = gw_block_author(block),
                                   .by = gw_block_by(block),
                                   .vis = gw_block_vis(block)};
    return gw_facets_add(r, facets, &facet);
}
