#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/metrics.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"
#include "script/sources.h"

#define TENANTS_MAX 65536
#define IDLE_MS     60000 /* then a state closes, and a tenant that owes nothing is forgotten */

uint64_t gw_host_now_ms(const struct gw_script_host *host) { return host->clock->monotonic_ms(host->clock->self); }

/* ---- states ----------------------------------------------------------------------------------------------------------------------------- */

static void drop_state(struct gw_script_host *host, struct gw_script_state *state)
{
    gw_map_remove(host->states, &state->generation, sizeof(struct gw_generation *));
    gw_host_forget_plans(state);
    gw_map_destroy(state->plans);
    gw_map_destroy(state->classes);
    gw_map_destroy(state->constants);
    gw_sandbox_destroy(state->sandbox);
    gw_host_forget_validators(state);
    gw_host_forget_transforms(state);
    gw_map_destroy(state->transforms);
    gw_generation_unref(state->generation);
    gw_free(state);
    gw_metric_add(host->state_count, -1);
}

static void drop_oldest_state(struct gw_script_host *host)
{
    struct gw_script_state *oldest = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(host->states, &cursor, &key, &length, &value)) {
        struct gw_script_state *state = value;
        if (!oldest || state->used < oldest->used)
            oldest = state;
    }
    if (oldest)
        drop_state(host, oldest);
}

static struct gw_script_state *make_state(struct gw_script_host *host, struct gw_generation *generation)
{
    if (gw_map_count(host->states) >= host->scripts->opts.limits.max_states)
        drop_oldest_state(host);
    struct gw_script_state *state = gw_alloc(sizeof *state);
    state->generation = gw_generation_ref(generation);
    state->plans = gw_map_create(host->seed);
    state->classes = gw_map_create(host->seed);
    state->constants = gw_map_create(host->seed);
    state->transforms = gw_map_create(host->seed);
    gw_metric_add(host->state_count, 1);
    if (!gw_map_put(host->states, &state->generation, sizeof(struct gw_generation *), state, NULL))
        return state;
    drop_state(host, state);
    return NULL;
}

struct gw_script_state *gw_host_state(struct gw_script_host *host, struct gw_generation *generation)
{
    struct gw_script_state *state = gw_map_get(host->states, &generation, sizeof(struct gw_generation *));
    if (!state)
        state = make_state(host, generation);
    if (!state)
        return NULL;
    state->used = ++host->used;
    state->used_ms = gw_host_now_ms(host);
    return state;
}

bool gw_host_has(const struct gw_script_state *state, const char *module)
{
    return gw_sources_find(state->generation->sources, module) != NULL;
}

/* ---- tenants ---------------------------------------------------------------------------------------------------------------------------- */

static void drop_tenant(struct gw_script_host *host, struct gw_script_tenant *tenant)
{
    gw_map_remove(host->tenants, tenant->tenant_id, strlen(tenant->tenant_id));
    gw_generation_unref(tenant->generation);
    gw_host_forget_answers(host, tenant);
    gw_free(tenant);
}

/* What it spent and how often it failed must outlive its silence, or both could be shed by waiting a little. */
static bool is_forgettable(const struct gw_script_tenant *tenant, uint64_t now_ms)
{
    return now_ms - tenant->used_ms >= IDLE_MS && now_ms >= tenant->meter.denied_until_ms + GW_QUARANTINE_LAST_MS;
}

static void forget_tenants(struct gw_script_host *host, bool forgets_all)
{
    uint64_t now_ms = gw_host_now_ms(host);
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(host->tenants, &cursor, &key, &length, &value))
        if (forgets_all || is_forgettable(value, now_ms))
            drop_tenant(host, value);
}

static struct gw_script_tenant *make_tenant(struct gw_script_host *host, const char *tenant_id)
{
    struct gw_script_tenant *tenant = gw_alloc(sizeof *tenant);
    snprintf(tenant->tenant_id, sizeof tenant->tenant_id, "%s", tenant_id);
    if (!gw_map_put(host->tenants, tenant_id, strlen(tenant_id), tenant, NULL))
        return tenant;
    gw_free(tenant);
    return NULL;
}

static void refresh(struct gw_script_host *host, struct gw_script_tenant *tenant, uint64_t epoch)
{
    struct gw_generation *generation = NULL;
    int status =
        gw_scripts_get(host->scripts, tenant->tenant_id, &generation, &tenant->refusal); /* what was refused is told by the caller */
    uint64_t releases = gw_scripts_releases(host->scripts, tenant->tenant_id);
    if (generation != tenant->generation || releases != tenant->releases)
        gw_script_meter_forgive(&tenant->meter);
    tenant->releases = releases;
    gw_generation_unref(tenant->generation);
    tenant->generation = generation;
    tenant->epoch = status == GW_EBUSY ? 0 : epoch; /* no epoch is 0: then the next call asks again */
}

int gw_host_tenant(struct gw_script_host *host, const char *tenant_id, struct gw_script_tenant **out, struct gw_error *err)
{
    uint64_t epoch = gw_scripts_epoch(host->scripts);
    struct gw_script_tenant *tenant = gw_map_get(host->tenants, tenant_id, strlen(tenant_id));
    if (!tenant && gw_map_count(host->tenants) >= TENANTS_MAX)
        forget_tenants(host, true);
    if (!tenant)
        tenant = make_tenant(host, tenant_id);
    if (!tenant)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the tenant's policies");
    if (tenant->epoch != epoch)
        refresh(host, tenant, epoch);
    tenant->used_ms = gw_host_now_ms(host);
    *out = tenant;
    if (tenant->generation)
        return GW_OK;
    *err = tenant->refusal;
    return err->code;
}

/* ---- what is told of the scripts themselves --------------------------------------------------------------------------------------------- */

static uint64_t generation_number(void *self, const char *tenant_id)
{
    struct gw_script_tenant *tenant;
    struct gw_error err;
    return gw_host_tenant(self, tenant_id, &tenant, &err) ? 0 : tenant->generation->number;
}

static const struct gw_manifests *manifests(void *self, const char *tenant_id)
{
    struct gw_script_tenant *tenant;
    struct gw_error err;
    if (gw_host_tenant(self, tenant_id, &tenant, &err))
        return NULL;
    const struct gw_generation *generation = tenant->generation;
    return generation->defaults ? generation->defaults->manifests : generation->manifests;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------- */

static void register_metrics(struct gw_script_host *host, struct gw_metrics *m)
{
    static const char *const labels[GW_HOOK_COUNT] = {"hook=\"lens\"",   "hook=\"transform\"", "hook=\"validate\"",
                                                      "hook=\"reduce\"", "hook=\"sanitize\"",  "hook=\"context\""};
    for (size_t i = 0; i < GW_HOOK_COUNT; i++) {
        host->calls[i] = gw_metrics_counter(m, "atoms_script_calls_total", labels[i], "Calls of scripts, by hook.");
        host->failures[i] = gw_metrics_counter(m, "atoms_script_failures_total", labels[i], "Calls of scripts that failed and so denied.");
        host->nanoseconds[i] = gw_metrics_counter(m, "atoms_script_nanoseconds_total", labels[i], "Time spent in scripts, by hook.");
    }
    host->state_count = gw_metrics_gauge(m, "atoms_script_states", "", "Lua states of generations, in all workers.");
    host->refused_budget = gw_metrics_counter(m, "atoms_script_budget_refusals_total", "", "Calls not made: the tenant has used its time.");
    host->quarantines = gw_metrics_counter(m, "atoms_script_quarantines_total", "", "Tenants denied because their scripts kept failing.");
}

struct gw_script_host *gw_script_host_create(struct gw_scripts *scripts)
{
    struct gw_script_host *host = gw_alloc(sizeof *host);
    host->scripts = scripts;
    host->clock = scripts->opts.clock;
    host->clock->random(host->clock->self, host->seed, sizeof host->seed);
    host->tenants = gw_map_create(host->seed);
    host->states = gw_map_create(host->seed);
    gw_buffer_init(&host->scratch, 0);
    host->port = (struct gw_policy){.self = host,
                                    .lens = gw_host_lens,
                                    .prepare = gw_host_prepare,
                                    .transform = gw_host_transform,
                                    .why_not = &host->why_not,
                                    .has_validators = gw_host_has_validators,
                                    .validate = gw_host_validate,
                                    .reduce = gw_host_reduce,
                                    .sanitize = gw_host_sanitize,
                                    .context = gw_host_context,
                                    .generation = generation_number,
                                    .manifests = manifests,
                                    .has_transforms = gw_host_has_transforms};
    register_metrics(host, scripts->opts.metrics);
    return host;
}

void gw_script_host_destroy(struct gw_script_host *host)
{
    if (!host)
        return;
    while (gw_map_count(host->states) > 0)
        drop_oldest_state(host);
    forget_tenants(host, true);
    gw_map_destroy(host->tenants);
    gw_map_destroy(host->states);
    gw_buffer_fini(&host->scratch);
    gw_free(host);
}

const struct gw_policy *gw_script_host_port(const struct gw_script_host *host) { return &host->port; }

void gw_script_host_prepare(struct gw_script_host *host, const struct gw_script_stage *stage) { host->stage = stage; }

/* No longer in force: nobody else holds the generation but the list of kept ones, which runs nothing. */
static bool is_idle(const struct gw_script_state *state, uint64_t now_ms) { return now_ms - state->used_ms >= IDLE_MS; }

void gw_script_host_tick(struct gw_script_host *host)
{
    uint64_t now_ms = gw_host_now_ms(host);
    size_t cursor = 0, length;
    const void *key;
    void *value;
    forget_tenants(host, false);
    while (gw_map_next(host->states, &cursor, &key, &length, &value))
        if (is_idle(value, now_ms))
            drop_state(host, value);
}
