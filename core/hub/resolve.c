#include "hub/resolve.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/origins.h"
#include "hub/plan.h"
#include "hub/reduce.h"
#include "hub/refuse_bytes.h"

static const struct handler {
    const char *type;
    int (*resolve)(const struct gw_resolve *r);
    bool is_about_canvas;                          /* which must be mounted */
    bool judges_bytes;                             /* itself: its text is only a part of the value */
    bool (*may_write)(const struct gw_plan *plan); /* the part of the run that it is about, whatever is in it; NULL: it asks itself */
} handlers[] = {
    {"block.splice", gw_resolve_block_splice, true, true, NULL},
    {"block.insert", gw_resolve_block_insert, true, false, NULL},
    {"block.update", gw_resolve_block_update, true, false, NULL},
    {"block.move", gw_resolve_block_move, true, false, NULL},
    {"block.remove", gw_resolve_block_remove, true, false, NULL},
    {"token.set", gw_resolve_token_set, false, false, NULL},
    {"canvas.mount", gw_resolve_canvas_mount, false, false, NULL},
    {"canvas.commit", gw_resolve_canvas_commit, true, false, NULL},
    {"chat_send", gw_resolve_chat_send, false, false, gw_plan_writes_chat},
    {"chat.append", gw_resolve_chat_append, false, true, gw_plan_writes_chat},
    {"chat.cancel", gw_resolve_chat_cancel, false, false, gw_plan_writes_chat},
    {"log.write", gw_resolve_log_write, false, false, gw_plan_writes_logs},
    {"graph.node.set", gw_resolve_node_set, false, false, gw_plan_writes_graph},
    {"graph.edge.set", gw_resolve_edge_set, false, false, gw_plan_writes_graph},
    {"run.set_state", gw_resolve_run_state, false, false, gw_plan_writes_graph},
    {"run.start", gw_resolve_run_start, false, false, NULL},
    {"undo", gw_resolve_undo, false, false, NULL},
    {"canvas.restore", gw_resolve_restore, true, false, NULL},
};

int gw_resolve_at(const struct gw_resolve *r, const char *path)
{
    gw_error_prefix(r->err, path);
    return r->err->code;
}

int gw_resolve_no_memory(const struct gw_resolve *r)
{
    return gw_error_set(r->err, GW_ENOMEM, "out_of_memory", "no memory for the command");
}

static const struct handler *find_handler(const char *type)
{
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (strcmp(type, handlers[i].type) == 0)
            return &handlers[i];
    return NULL;
}

static int find_canvas(struct gw_resolve *r)
{
    const char *id = r->command->canvas_id;
    if (!id[0])
        gw_error_set(r->err, GW_EINVAL, "missing_id", "canvas_id is required");
    else if (!(r->canvas = gw_state_canvas(r->state, id)))
        gw_error_set(r->err, GW_ENOTFOUND, "canvas_not_mounted", "no canvas %s is mounted in this run", id);
    return r->canvas ? GW_OK : gw_resolve_at(r, "/canvas_id");
}

static int check_order(const struct gw_resolve *r)
{
    char origin[GW_ORIGIN_NAME_MAX + 1];
    if (!gw_resolve_origin(r, origin))
        return GW_OK;
    int64_t expected = gw_origins_last(r->state->origins, origin) + 1;
    if (r->command->n == expected)
        return GW_OK;
    gw_error_set(r->err, GW_ECONFLICT, "out_of_order", "the next command of this origin is n = %lld", (long long)expected);
    r->err->is_retryable = r->command->n > expected;
    return gw_resolve_at(r, "/n");
}

static int judge_bytes(const struct gw_resolve *r)
{
    int status = gw_refuse_bytes_json(r->command->args, r->state->limits.max_base64_run, r->err);
    return status ? gw_resolve_at(r, "/args") : GW_OK;
}

const char *gw_command_builtin(size_t index) { return index < sizeof handlers / sizeof handlers[0] ? handlers[index].type : NULL; }

bool gw_command_is_for(const char *type, const char *author_kind)
{
    static const char *const not_for_users[] = {"graph.node.set", "graph.edge.set", "run.set_state"};
    for (size_t i = 0; strcmp(author_kind, "user") == 0 && i < sizeof not_for_users / sizeof not_for_users[0]; i++)
        if (strcmp(type, not_for_users[i]) == 0)
            return false;
    return true;
}

bool gw_command_may_write(const char *type, const struct gw_plan *plan)
{
    const struct handler *handler = find_handler(type);
    return !handler || !handler->may_write || handler->may_write(plan);
}

static int check_author(const struct gw_resolve *r)
{
    const char *type = r->command->type;
    bool is_admitted = r->context->is_step || gw_plan_admits_command(r->context->plan, type);
    if (is_admitted && gw_command_is_for(type, r->context->author_kind))
        return GW_OK;
    if (is_admitted)
        gw_error_set(r->err, GW_EDENIED, "not_allowed", "%s is for agents and services", type);
    else
        gw_error_set(r->err, GW_EDENIED, "not_allowed", "your lens does not admit this command");
    return gw_resolve_at(r, "/type");
}

static int resolve(struct gw_resolve *r)
{
    static const struct handler own = {.type = "", .resolve = gw_resolve_own, .is_about_canvas = true};
    const struct handler *handler = find_handler(r->command->type);
    int status = check_author(r);
    if (!status && handler && handler->may_write && !handler->may_write(r->context->plan))
        status = gw_resolve_refuse_write(r, "/type");
    if (status)
        return status;
    if (!handler && gw_reduce_handles(r->context->manifests, r->command->type))
        handler = &own;
    if (!handler) {
        gw_error_set(r->err, GW_EINVAL, "unknown_command", "%s is no command", r->command->type);
        return gw_resolve_at(r, "/type");
    }
    if (handler->is_about_canvas)
        status = find_canvas(r);
    if (!status)
        status = check_order(r);
    if (!status)
        status = gw_resolve_conditions(r);
    if (!status && !handler->judges_bytes)
        status = judge_bytes(r);
    return status ? status : handler->resolve(r);
}

int gw_state_resolve(const struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                     struct gw_event_list *out, struct gw_error *err)
{
    struct gw_resolve r = {state, command, context, NULL, out, err};
    size_t count = out->count;
    int status = resolve(&r);
    if (status)
        gw_event_list_truncate(out, count);
    return status;
}
