/* Value by value: the transforms that plans name. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/plan.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"
#include "script/transforms.h"

#define FUNCTION_BYTES 160

/* ---- which one ------------------------------------------------------------------------------------------------------------------------- */

void gw_host_forget_transforms(struct gw_script_state *state)
{
    size_t cursor = 0, length;
    const void *key;
    void *found;
    while (gw_map_next(state->transforms, &cursor, &key, &length, &found)) {
        gw_map_remove(state->transforms, key, length);
        gw_free(found);
    }
}

int gw_host_find_transform(struct gw_script_host *host, struct gw_script_state *state, const char *name,
                           const struct gw_found_transform **out, struct gw_error *err)
{
    struct gw_sandbox *sandbox;
    struct gw_found_transform *found = gw_map_get(state->transforms, name, strlen(name));
    if (found) {
        *out = found;
        return GW_OK;
    }
    found = gw_alloc(sizeof *found);
    int status = gw_host_sandbox(host, state, &sandbox, err);
    if (!status)
        status = gw_transforms_find(sandbox, state->generation->sources, name, found, err);
    if (!status && gw_map_put(state->transforms, name, strlen(name), found, NULL))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a transform");
    if (status)
        gw_free(found);
    *out = status ? NULL : found;
    return status;
}

/* ---- using it -------------------------------------------------------------------------------------------------------------------------- */

/* Budgets of the tenant are charged and not asked: what a class sees must not depend on how busy its tenant was. Commands are refused instead. */
static int call_script(struct gw_script_host *host, struct gw_host_call *call, const struct gw_transform_call *asked, struct gw_json **out)
{
    char function[FUNCTION_BYTES];
    struct gw_json *args[2] = {asked->value, NULL};
    struct gw_error failure, ignored;
    const struct gw_found_transform *found;
    bool is_token = asked->what == GW_TRANSFORM_TOKEN;
    int status = gw_host_find_transform(host, call->state, asked->plan->transform, &found, &failure);
    if (status)
        return gw_host_fail(host, call, &failure, &ignored);
    if (!found->has[asked->what]) {
        *out = gw_json_ref(asked->value);
        return GW_OK;
    }
    snprintf(function, sizeof function, "/transforms/%.96s/%s", asked->plan->transform, gw_transform_what_name(asked->what));
    if (is_token) {
        args[0] = gw_host_text(asked->key);
        args[1] = asked->value;
    }
    call->call = (struct gw_sandbox_call){
        .module = found->module, .function = function, .args = args, .arg_count = is_token ? 2 : 1, .result_count = 1};
    status = gw_host_run(host, call, out, &ignored);
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
    int answer = gw_host_sandbox(host, state, &sandbox, &err);
    if (!answer)
        answer = gw_transforms_exist(sandbox, state->generation->sources, &err);
    if (answer < 0)
        return false; /* a lens that does not load makes no plan */
    state->has_transforms = answer;
    state->knows_transforms = true;
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
