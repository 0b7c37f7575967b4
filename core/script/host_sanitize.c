/* What a log line may contain: the tenant's own file first, then the one for all, in a state that no tenant's scripts share. */
#include "base/json.h"
#include "script/host_internal.h"
#include "script/sanitized_line.h"
#include "script/sources.h"

#define MODULE "policy.sanitize"

/* value: one line on its way */
struct passage {
    struct gw_script_host *host;
    struct gw_host_call call;
    struct gw_json *scope; /* owned */
    struct gw_json *line;  /* owned; NULL: dropped */
    struct gw_error *err;
};

static int no_memory(const struct passage *p) { return gw_error_set(p->err, GW_ENOMEM, "out_of_memory", "no memory for a log line"); }

static int say_bad_answer(struct passage *p, struct gw_error *failure)
{
    gw_error_prefix(failure, gw_sources_find(p->call.state->generation->sources, MODULE)->path);
    return gw_host_fail(p->host, &p->call, failure, p->err);
}

static int pass(struct passage *p, struct gw_generation *generation)
{
    struct gw_json *args[2] = {p->line, p->scope}, *result = NULL;
    struct gw_error failure;
    p->call.state = gw_host_state(p->host, generation);
    if (!p->call.state)
        return no_memory(p);
    p->call.call = (struct gw_sandbox_call){.module = MODULE, .function = "sanitize", .args = args, .arg_count = 2, .result_count = 1};
    int status = gw_host_call(p->host, &p->call, &result, p->err);
    if (status)
        return status;
    if (gw_sanitized_line_check(result, &failure)) {
        gw_json_unref(result);
        return say_bad_answer(p, &failure);
    }
    gw_json_unref(p->line);
    p->line = gw_json_is_null(result) ? NULL : gw_json_ref(result);
    gw_json_unref(result);
    return GW_OK;
}

static int pass_both(struct passage *p)
{
    struct gw_generation *generation = p->call.tenant->generation;
    struct gw_generation *defaults = generation->defaults ? generation->defaults : generation;
    int status = GW_OK;
    if (generation != defaults && gw_sources_find(generation->own, MODULE))
        status = pass(p, generation);
    if (!status && p->line && gw_sources_find(defaults->sources, MODULE))
        status = pass(p, defaults);
    return status;
}

int gw_host_sanitize(void *self, const struct gw_scope *scope, struct gw_json *line, struct gw_json **out, struct gw_error *err)
{
    struct passage p = {.host = self, .call = {.hook = GW_HOOK_SANITIZE}, .err = err};
    int status = gw_host_tenant(p.host, scope->tenant_id, &p.call.tenant, err);
    if (status)
        return status;
    p.scope = gw_host_scope(scope, true);
    p.line = gw_json_ref(line);
    status = p.scope ? pass_both(&p) : no_memory(&p);
    gw_json_unref(p.scope);
    if (status)
        gw_json_unref(p.line);
    else
        *out = p.line;
    return status;
}
