/* The one way into scripts: who may, what it costs, what becomes of a failure. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"

static const char *const hook_names[GW_HOOK_COUNT] = {"lens", "transform", "validate", "reduce", "sanitize", "context"};

const char *gw_hook_name(enum gw_hook hook) { return hook_names[hook]; }

/* ---- what scripts get ------------------------------------------------------------------------------------------------------------------- */

struct gw_json *gw_host_text(const char *text) { return gw_json_new_text(text, strlen(text)); }

static struct gw_json *make_claims(const struct gw_policy_subject *subject)
{
    struct gw_json *claims = gw_json_new_object(), *tokens = NULL;
    int status = claims ? 0 : GW_ENOMEM;
    if (!status && subject->token_globs) {
        tokens = gw_json_new_array();
        for (size_t i = 0; tokens && !status && i < subject->token_glob_count; i++)
            status = gw_json_append(tokens, gw_host_text(subject->token_globs[i]));
        status |= gw_json_set(claims, "tokens", tokens);
    }
    if (!status)
        return claims;
    gw_json_unref(claims);
    return NULL;
}

struct gw_json *gw_host_actor(const struct gw_policy_subject *subject, bool has_claims)
{
    struct gw_json *actor = gw_json_new_object();
    if (!actor)
        return NULL;
    int status = gw_json_set(actor, "id", gw_host_text(subject->actor->id));
    status |= gw_json_set(actor, "kind", gw_host_text(gw_actor_kind_name(subject->actor->kind)));
    status |= gw_json_set(actor, "role", gw_host_text(subject->role));
    if (has_claims)
        status |= gw_json_set(actor, "claims", make_claims(subject));
    if (!status)
        return actor;
    gw_json_unref(actor);
    return NULL;
}

struct gw_json *gw_host_scope(const struct gw_scope *scope, bool has_run)
{
    const struct {
        const char *name, *value;
    } members[] = {{"tenant_id", scope->tenant_id},   {"mode", scope->mode},     {"project_id", scope->project_id},
                   {"surface_id", scope->surface_id}, {"app_id", scope->app_id}, {"run_id", scope->run_id}};
    struct gw_json *out = gw_json_new_object();
    size_t count = sizeof members / sizeof *members - !has_run;
    int status = out ? 0 : GW_ENOMEM;
    for (size_t i = 0; !status && i < count; i++)
        status = gw_json_set(out, members[i].name, gw_host_text(members[i].value));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* ---- who may ---------------------------------------------------------------------------------------------------------------------------- */

static int say_failed(struct gw_error *err)
{
    return gw_error_set(err, GW_EDENIED, "policy_failed", "the policies of this tenant could not decide");
}

/* For a while: who asks later may be answered. */
static int say_quarantined(struct gw_error *err)
{
    return gw_error_set(err, GW_EBUSY, "policy_quarantined", "the policies of this tenant kept failing, and are not asked for a while");
}

/* What is asked about each value of a run comes in great numbers and at once: it leaves half to what lets people in and judges what they do. */
static uint32_t reserve(enum gw_hook hook, uint32_t ms_per_s) { return hook == GW_HOOK_TRANSFORM ? ms_per_s / 2 : 0; }

int gw_host_admit(struct gw_script_host *host, struct gw_script_tenant *tenant, enum gw_hook hook, struct gw_error *err)
{
    uint64_t now_ms = gw_host_now_ms(host);
    uint32_t ms_per_s = tenant->generation->limits.tenant_ms_per_s;
    if (host->scripts->opts.has_no_meter)
        return GW_OK;
    if (gw_script_meter_is_denied(&tenant->meter, now_ms))
        return say_quarantined(err);
    if (gw_script_meter_may_run(&tenant->meter, ms_per_s, reserve(hook, ms_per_s), now_ms))
        return GW_OK;
    gw_metric_add(host->refused_budget, 1);
    gw_error_limit(err, "script_budget", "tenant_ms_per_s", ms_per_s, "this tenant's policies have used their time of this second");
    err->is_retryable = true;
    return GW_ELIMIT;
}

/* ---- failure ---------------------------------------------------------------------------------------------------------------------------- */

static void log_failure(const struct gw_script_host *host, const struct gw_host_call *call, const struct gw_error *failure)
{
    const char *traceback = call->state && call->state->sandbox ? gw_sandbox_traceback(call->state->sandbox) : "";
    if (host->scripts->opts.log)
        gw_log_write(host->scripts->opts.log, GW_LOG_WARN, "script_failed",
                     (struct gw_log_field[]){GW_F_TEXT("hook", hook_names[call->hook]), GW_F_TEXT("tenant", call->tenant->tenant_id),
                                             GW_F_UINT("generation", call->tenant->generation->number), GW_F_TEXT("code", failure->id),
                                             GW_F_TEXT("where", failure->path), GW_F_TEXT("message", failure->message),
                                             GW_F_TEXT("traceback", traceback), GW_F_END});
}

static int64_t begin_quarantine(struct gw_script_host *host, const struct gw_script_tenant *tenant)
{
    gw_metric_add(host->quarantines, 1);
    if (host->scripts->opts.log)
        gw_log_write(
            host->scripts->opts.log, GW_LOG_ERROR, "tenant_quarantined",
            (struct gw_log_field[]){GW_F_TEXT("tenant", tenant->tenant_id), GW_F_UINT("for_ms", tenant->meter.denied_ms), GW_F_END});
    return host->clock->wall_ms(host->clock->self) + tenant->meter.denied_ms;
}

int gw_host_fail(struct gw_script_host *host, const struct gw_host_call *call, const struct gw_error *failure, struct gw_error *err)
{
    struct gw_error cause = *failure; /* may be *err itself */
    if (call->is_ahead) {
        call->tenant->failed_ahead = call->tenant->epoch;
        return say_failed(err);
    }
    gw_metric_add(host->failures[call->hook], 1);
    log_failure(host, call, &cause);
    bool is_quarantined = gw_script_meter_fail(&call->tenant->meter, gw_host_now_ms(host));
    struct gw_script_failure noted = {call->hook, &cause, is_quarantined ? begin_quarantine(host, call->tenant) : 0};
    gw_scripts_note(host->scripts, call->tenant->tenant_id, &noted);
    return say_failed(err);
}

/* ---- calling ---------------------------------------------------------------------------------------------------------------------------- */

int gw_host_sandbox(struct gw_script_host *host, struct gw_script_state *state, struct gw_sandbox **out, struct gw_error *err)
{
    struct gw_sandbox_opts opts = {.sources = state->generation->sources,
                                   .clock = host->scripts->opts.budget_clock,
                                   .limits = state->generation->limits.call,
                                   .is_entry = gw_generation_is_entry};
    int status = state->sandbox ? GW_OK : gw_sandbox_create(&opts, &state->sandbox, err);
    *out = state->sandbox;
    return status;
}

/* Making a state is part of what its first call costs. */
static int open_sandbox(struct gw_script_host *host, const struct gw_host_call *call, uint64_t *ns, struct gw_error *failure)
{
    const struct gw_clock *clock = host->scripts->opts.budget_clock;
    struct gw_sandbox *sandbox;
    uint64_t began_ns = clock->monotonic_ns(clock->self);
    int status = gw_host_sandbox(host, call->state, &sandbox, failure);
    *ns = clock->monotonic_ns(clock->self) - began_ns;
    return status;
}

static int run(struct gw_script_host *host, const struct gw_host_call *call, struct gw_json **results, struct gw_error *failure)
{
    struct gw_sandbox_cost cost = {0};
    uint64_t opening_ns = 0;
    int status = call->state->sandbox ? GW_OK : open_sandbox(host, call, &opening_ns, failure);
    if (!status)
        status = gw_sandbox_call(call->state->sandbox, &call->call, results, &cost, failure);
    gw_metric_add(host->calls[call->hook], 1);
    gw_metric_add(host->nanoseconds[call->hook], (int64_t)(opening_ns + cost.ns));
    gw_script_meter_spend(&call->tenant->meter, opening_ns + cost.ns);
    return status;
}

/* A state that has run out of memory while it loaded is of no use any more. */
static void close_if_full(struct gw_script_state *state, const struct gw_error *failure)
{
    if (strcmp(failure->id, "script_memory") != 0)
        return;
    gw_host_forget_plans(state); /* the next one numbers its constants anew */
    gw_sandbox_destroy(state->sandbox);
    state->sandbox = NULL;
}

int gw_host_run(struct gw_script_host *host, const struct gw_host_call *call, struct gw_json **results, struct gw_error *failure,
                struct gw_error *err)
{
    int status = run(host, call, results, failure);
    if (!status)
        return GW_OK;
    status = gw_host_fail(host, call, failure, err);
    close_if_full(call->state, failure);
    return status;
}

int gw_host_call(struct gw_script_host *host, const struct gw_host_call *call, struct gw_json **results, struct gw_error *err)
{
    struct gw_error failure;
    int status = gw_host_admit(host, call->tenant, call->hook, err);
    return status ? status : gw_host_run(host, call, results, &failure, err);
}
