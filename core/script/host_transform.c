/* Value by value: the transforms that plans name. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "hub/plan.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"

#define LENS_MODULE    "policy.token_lens"
#define FUNCTION_BYTES 160

static const char *const what_names[] = {
    [GW_TRANSFORM_BLOCK] = "block", [GW_TRANSFORM_TOKEN] = "token", [GW_TRANSFORM_MESSAGE] = "message"};

/* Budgets of the tenant are charged and not asked: what a class sees must not depend on how busy its tenant was. Commands are refused instead. */
static int call_script(struct gw_script_host *host, struct gw_host_call *call, const struct gw_transform_call *asked, struct gw_json **out)
{
    char function[FUNCTION_BYTES];
    struct gw_json *args[2] = {asked->value, NULL};
    struct gw_error failure, ignored;
    struct gw_sandbox *sandbox;
    bool is_token = asked->what == GW_TRANSFORM_TOKEN;
    snprintf(function, sizeof function, "/transforms/%.96s/%s", asked->plan->transform, what_names[asked->what]);
    int status = gw_host_sandbox(host, call->state, &sandbox, &failure);
    int has = status ? status : gw_sandbox_has(sandbox, LENS_MODULE, function, &failure);
    if (has == 0) {
        *out = gw_json_ref(asked->value);
        return GW_OK;
    }
    if (is_token) {
        args[0] = gw_host_text(asked->key);
        args[1] = asked->value;
    }
    call->call = (struct gw_sandbox_call){
        .module = LENS_MODULE, .function = function, .args = args, .arg_count = is_token ? 2 : 1, .result_count = 1};
    status = has < 0 ? gw_host_fail(host, call, &failure, &ignored) : gw_host_run(host, call, out, &ignored);
    if (is_token)
        gw_json_unref(args[0]);
    return status;
}

int gw_host_transform(void *self, const struct gw_transform_call *asked, struct gw_json **out, struct gw_error *err)
{
    struct gw_script_host *host = self;
    struct gw_host_call call = {.hook = GW_HOOK_TRANSFORM};
    struct gw_generation *generation;
    char tenant_id[GW_ID_MAX + 1];
    *out = NULL;
    if (!gw_scripts_find_class(host->scripts, asked->plan->class_id, tenant_id, &generation))
        return gw_error_set(err, GW_EDENIED, "policy_failed", "the scripts of this plan are gone");
    int status = gw_host_tenant(host, tenant_id, &call.tenant, err);
    if (!status) {
        call.state = gw_host_state(host, generation);
        status = call.state ? call_script(host, &call, asked, out) : GW_ENOMEM;
    }
    gw_generation_unref(generation);
    if (status && status != GW_ENOMEM)
        return gw_error_set(err, GW_EDENIED, "policy_failed", "the policies of this tenant could not decide");
    return status ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a transform") : GW_OK;
}

static bool read_transforms(struct gw_script_host *host, struct gw_script_state *state)
{
    struct gw_sandbox *sandbox;
    struct gw_error err;
    struct gw_json *data = NULL;
    if (gw_host_sandbox(host, state, &sandbox, &err) || gw_sandbox_data(sandbox, LENS_MODULE, &data, &err))
        return false; /* a lens that does not load makes no plan */
    const struct gw_json *transforms = gw_json_get(data, "transforms");
    state->has_transforms = gw_json_is_object(transforms) && gw_json_count(transforms) > 0;
    state->knows_transforms = true;
    gw_json_unref(data);
    return state->has_transforms;
}

bool gw_host_has_transforms(void *self, const char *tenant_id)
{
    struct gw_script_host *host = self;
    struct gw_script_tenant *tenant;
    struct gw_error err;
    if (gw_host_tenant(host, tenant_id, &tenant, &err))
        return false;
    struct gw_script_state *state = gw_host_state(host, tenant->generation);
    if (!state)
        return false;
    return state->knows_transforms ? state->has_transforms : read_transforms(host, state);
}
