#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/removed.h"
#include "hub/resolve.h"

static int refuse(const struct gw_resolve *r, const char *id, const char *path, const char *name, const char *why)
{
    gw_error_set(r->err, GW_EINVAL, id, "%s %s", name, why);
    gw_pointer_prefix(r->err, name);
    return gw_resolve_at(r, path);
}

struct gw_resolve_in gw_resolve_args(const struct gw_resolve *r) { return (struct gw_resolve_in){r->command->args, "/args"}; }

int gw_resolve_members(const struct gw_resolve *r, struct gw_resolve_in in, const char *const *names)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(in.object, &iterator, &key, &value)) {
        const char *const *name = names;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            return refuse(r, "unknown_member", in.path, key, "is no argument of this command");
    }
    return GW_OK;
}

int gw_resolve_id(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, bool is_required, const char **out)
{
    const struct gw_json *value = gw_json_get(in.object, name);
    *out = NULL;
    if (!value || gw_json_is_null(value))
        return is_required ? refuse(r, "missing_arg", in.path, name, "is required") : GW_OK;
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    if (!gw_id_is_valid(text, length))
        return refuse(r, "bad_id", in.path, name, "must be an id");
    *out = text;
    return GW_OK;
}

int gw_resolve_typed(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, bool (*is_type)(const struct gw_json *value),
                     struct gw_json **out)
{
    *out = gw_json_get(in.object, name);
    if (!*out || is_type(*out))
        return GW_OK;
    return refuse(r, "bad_shape", in.path, name, "is of another JSON type");
}

int gw_resolve_count(const struct gw_resolve *r, const char *name, uint32_t *out)
{
    const struct gw_json *value = gw_json_get(r->command->args, name);
    if (!value)
        return refuse(r, "missing_arg", "/args", name, "is required");
    if (!gw_json_is_int(value))
        return refuse(r, "bad_shape", "/args", name, "must be an integer");
    if (gw_json_int(value) < 0 || gw_json_int(value) > INT32_MAX)
        return refuse(r, "out_of_range", "/args", name, "must lie from 0 to 2147483647");
    *out = (uint32_t)gw_json_int(value);
    return GW_OK;
}

int gw_resolve_block(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, struct gw_block **out)
{
    const char *id;
    int status = gw_resolve_id(r, in, name, true, &id);
    if (status)
        return status;
    *out = gw_blocks_find(r->canvas->blocks, id);
    if (*out && (r->context->is_revision || gw_canvas_shows(r->canvas, r->context->plan, *out)))
        return GW_OK;
    if (!*out && gw_resolve_was_removed(r, id))
        gw_error_set(r->err, GW_ECONFLICT, "block_removed", "the block %s was removed", id);
    else
        gw_error_set(r->err, GW_ENOTFOUND, "unknown_block", "no block %s stands on this canvas", id);
    gw_pointer_prefix(r->err, name);
    return gw_resolve_at(r, in.path);
}

bool gw_resolve_was_removed(const struct gw_resolve *r, const char *id)
{
    const struct gw_removed_block *removed = gw_blocks_removed(r->canvas->blocks, id, r->state->seq);
    if (!removed)
        return false;
    struct gw_plan_thing thing = {.kind = removed->kind,
                                  .vis = removed->vis,
                                  .author_kind = removed->author,
                                  .author_id = removed->by,
                                  .canvas_type = r->canvas->type};
    return gw_plan_reads_block(r->context->plan, &thing);
}

int gw_resolve_refuse_write(const struct gw_resolve *r, const char *path)
{
    gw_error_set(r->err, GW_EDENIED, "not_allowed", "your lens does not let you write this");
    return gw_resolve_at(r, path);
}

int gw_resolve_writable(const struct gw_resolve *r, const struct gw_block *block, const char *path)
{
    if (r->context->plan->writes_all)
        return GW_OK;
    struct gw_plan_thing thing = gw_canvas_thing(r->canvas, block);
    return gw_plan_writes_block(r->context->plan, &thing) ? GW_OK : gw_resolve_refuse_write(r, path);
}
