/* What an agent gets as context. */
#include <string.h>

#include "base/json.h"
#include "script/context_items.h"
#include "script/host_internal.h"
#include "script/sources.h"

#define MODULE "policy.context_lens"

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the context"); }

static struct gw_json *describe(const struct gw_context_request *request)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? gw_json_set(out, "actor", gw_host_actor(request->subject, true)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "scope", gw_host_scope(request->subject->scope, true));
    if (!status)
        status = gw_json_set(out, "max_bytes", gw_json_new_int(request->max_bytes));
    if (!status && request->focus)
        status = gw_json_set(out, "focus", gw_host_text(request->focus));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static void drop_null(struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_is_object(object) ? gw_json_get(object, name) : NULL;
    if (value && gw_json_is_null(value))
        gw_json_remove(object, name);
}

static void drop_parents(struct gw_json *canvas)
{
    struct gw_json *blocks = gw_json_get(canvas, "blocks"), *block;
    void *iterator = NULL;
    const char *id;
    while (blocks && gw_json_next(blocks, &iterator, &id, &block))
        drop_null(block, "parent");
}

/* To a script what is not there is nil, and null is something. */
static void drop_nulls(struct gw_json *view)
{
    struct gw_json *canvases = gw_json_get(view, "canvases"), *canvas;
    void *iterator = NULL;
    const char *id;
    drop_null(gw_json_get(view, "graph"), "state");
    while (canvases && gw_json_next(canvases, &iterator, &id, &canvas))
        drop_parents(canvas);
}

static int ask(struct gw_script_host *host, struct gw_host_call *call, const struct gw_context_request *request, struct gw_json **items,
               struct gw_error *err)
{
    struct gw_json *args[2] = {describe(request), request->view}, *result = NULL;
    struct gw_error failure;
    call->call = (struct gw_sandbox_call){.module = MODULE, .function = "context", .args = args, .arg_count = 2, .result_count = 1};
    int status = args[0] ? gw_host_call(host, call, &result, err) : no_memory(err);
    gw_json_unref(args[0]);
    if (!status && gw_context_items_check(result, &failure)) {
        gw_error_prefix(&failure, gw_sources_find(call->state->generation->sources, MODULE)->path);
        status = gw_host_fail(host, call, &failure, err);
    }
    if (status)
        gw_json_unref(result);
    else
        *items = result;
    return status;
}

int gw_host_context(void *self, const struct gw_context_request *request, struct gw_json **items, struct gw_error *err)
{
    struct gw_script_host *host = self;
    struct gw_host_call call = {.hook = GW_HOOK_CONTEXT};
    int status = gw_host_tenant(host, request->subject->scope->tenant_id, &call.tenant, err);
    if (status)
        return status;
    call.state = gw_host_state(host, call.tenant->generation);
    if (!call.state)
        return no_memory(err);
    if (!gw_host_has(call.state, MODULE))
        return gw_error_set(err, GW_EDENIED, "not_allowed", "the policies of this tenant give no context");
    drop_nulls(request->view);
    return ask(host, &call, request, items, err);
}
