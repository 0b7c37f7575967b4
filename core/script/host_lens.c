/* Who sees what: the token lens, asked once for each actor and scope. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"
#include "script/sources.h"
#include "script/transforms.h"

#define LENS_MODULE "policy.token_lens"
#define ENTRY_BYTES 160 /* of a map, but for its key */

static const char *const list_names[] = {"read",     "write", "redact", "kinds",    "vis", "authors",
                                         "canvases", "props", "events", "commands", NULL};

/* Stands for "admits nobody": remembered like a plan. */
static const struct gw_plan nobody;
#define NOBODY ((struct gw_plan *)(uintptr_t)&nobody)

/* Everything that the answer may depend on; texts hold no NUL. */
static void name_subject(const struct gw_policy_subject *subject, struct gw_buffer *out)
{
    const struct gw_scope *scope = subject->scope;
    const char *const texts[] = {subject->actor->id, subject->role, gw_actor_kind_name(subject->actor->kind),
                                 scope->tenant_id,   scope->mode,   scope->project_id,
                                 scope->surface_id,  scope->app_id, subject->token_globs ? "tokens" : "all"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        gw_buffer_append(out, texts[i], strlen(texts[i]) + 1);
    for (size_t i = 0; i < subject->token_glob_count; i++)
        gw_buffer_append(out, subject->token_globs[i], strlen(subject->token_globs[i]) + 1);
}

/* ---- remembering ------------------------------------------------------------------------------------------------------------------------ */

static void empty(struct gw_map *plans)
{
    size_t cursor = 0, length;
    const void *key;
    void *plan;
    while (gw_map_next(plans, &cursor, &key, &length, &plan)) {
        gw_map_remove(plans, key, length);
        if (plan != NOBODY)
            gw_plan_unref(plan);
    }
}

void gw_host_forget_plans(struct gw_script_state *state)
{
    empty(state->plans);
    empty(state->classes);
    empty(state->constants);
    state->plan_bytes = 0;
}

/* Without memory it is not remembered, and asked again. */
static bool put(struct gw_map *map, const void *key, size_t length, struct gw_plan *plan /* taken */)
{
    bool is_put = !gw_map_put(map, key, length, plan, NULL);
    if (!is_put && plan != NOBODY)
        gw_plan_unref(plan);
    return is_put;
}

/* Takes the plan and answers the one that stands for its class. */
static struct gw_plan *share(struct gw_script_state *state, struct gw_plan *plan)
{
    struct gw_plan *known = gw_map_get(state->classes, &plan->class_id, sizeof plan->class_id);
    if (known) {
        gw_plan_unref(plan);
        return gw_plan_ref(known);
    }
    if (put(state->classes, &plan->class_id, sizeof plan->class_id, gw_plan_ref(plan)))
        state->plan_bytes += ENTRY_BYTES + plan->bytes;
    return plan;
}

/* As much as the scripts themselves may have: who answers each asker with another plan has that in its memory, too. */
static bool is_full(const struct gw_script_state *state)
{
    const struct gw_script_limits *limits = &state->generation->limits;
    return gw_map_count(state->plans) >= limits->max_plans || state->plan_bytes > limits->call.memory_bytes;
}

static void remember(struct gw_script_state *state, const struct gw_buffer *name, struct gw_plan *plan)
{
    if (is_full(state))
        gw_host_forget_plans(state);
    if (put(state->plans, name->data, name->length, plan ? gw_plan_ref(plan) : NOBODY))
        state->plan_bytes += ENTRY_BYTES + name->length;
}

/* ---- asking ----------------------------------------------------------------------------------------------------------------------------- */

/* value: one question */
struct question {
    struct gw_script_host *host;
    struct gw_host_call call;
    const struct gw_policy_subject *subject;
    struct gw_buffer name;
    uint32_t constant;     /* number of the table that the lens answered; 0: it made one */
    struct gw_plan *known; /* what that table is, borrowed; NULL: it comes for the first time */
    struct gw_error *err;
};

static int say_nobody(const struct question *q)
{
    return gw_error_set(q->err, GW_EDENIED, "not_allowed", "the policies of this tenant admit you to nothing here");
}

static int no_memory(const struct question *q) { return gw_error_set(q->err, GW_ENOMEM, "out_of_memory", "no memory for a lens plan"); }

/* What a plan names must be there before it counts: values are never shown as they are for want of it. */
static int check_transform(const struct question *q, const struct gw_json *source)
{
    const struct gw_json *name = gw_json_get(source, "transform");
    const struct gw_found_transform *found;
    struct gw_error failure;
    if (!gw_json_is_string(name))
        return GW_OK; /* a plan without one, or one that does not compile */
    int status = gw_host_find_transform(q->host, q->call.state, gw_json_text(name, NULL), &found, &failure);
    if (status == GW_ENOMEM)
        return no_memory(q);
    return status ? gw_host_fail(q->host, &q->call, &failure, q->err) : GW_OK;
}

static int compile(const struct question *q, const struct gw_json *source, struct gw_plan **out)
{
    const struct gw_generation *generation = q->call.state->generation;
    struct gw_plan_opts opts = {.tenant_id = q->subject->scope->tenant_id,
                                .source = source,
                                .ceiling = generation->ceiling,
                                .actor_id = q->subject->actor->id,
                                .token_globs = q->subject->token_globs,
                                .token_glob_count = q->subject->token_glob_count,
                                .transform_hash = gw_json_get(source, "transform") ? generation->runs : NULL};
    struct gw_error failure;
    int status = check_transform(q, source);
    if (status)
        return status;
    status = gw_plan_compile(&opts, out, &failure);
    if (status == GW_ENOMEM)
        return no_memory(q);
    if (!status)
        return GW_OK;
    gw_error_prefix(&failure, ": ");
    gw_error_prefix(&failure, gw_sources_find(generation->sources, LENS_MODULE)->path);
    return gw_host_fail(q->host, &q->call, &failure, q->err);
}

/* ---- tables that were compiled before -------------------------------------------------------------------------------------------------- */

/* value: tenant and number, since a generation may serve many tenants, and a class is one tenant's */
struct constant_key {
    char bytes[GW_ID_MAX + 1 + sizeof(uint32_t)];
};

static struct constant_key name_constant(const struct question *q)
{
    struct constant_key key = {{0}};
    const char *tenant_id = q->call.tenant->tenant_id;
    memcpy(key.bytes, tenant_id, strlen(tenant_id));
    memcpy(key.bytes + GW_ID_MAX + 1, &q->constant, sizeof q->constant);
    return key;
}

static bool knows_constant(void *self, uint32_t constant)
{
    struct question *q = self;
    q->constant = constant;
    struct constant_key key = name_constant(q);
    q->known = gw_map_get(q->call.state->constants, key.bytes, sizeof key.bytes);
    return q->known != NULL;
}

/* A plan that says "self" is another one for each actor. */
static void keep_constant(const struct question *q, struct gw_plan *plan)
{
    struct constant_key key = name_constant(q);
    bool is_one = q->constant && !plan->actor_id[0];
    if (is_one && put(q->call.state->constants, key.bytes, sizeof key.bytes, gw_plan_ref(plan)))
        q->call.state->plan_bytes += ENTRY_BYTES + plan->bytes;
}

/* ---- asking the script ------------------------------------------------------------------------------------------------------------------ */

static int make_plan(struct question *q, const struct gw_json *source, struct gw_plan **out)
{
    if (q->known) {
        *out = gw_plan_ref(q->known);
        return GW_OK;
    }
    int status = gw_json_is_null(source) ? GW_OK : compile(q, source, out);
    if (!status && *out)
        keep_constant(q, *out);
    return status;
}

/* *out is NULL when the lens admits nobody. */
static int ask(struct question *q, struct gw_plan **out)
{
    struct gw_json *args[2] = {gw_host_actor(q->subject, true), gw_host_scope(q->subject->scope, false)}, *result = NULL;
    q->call.call = (struct gw_sandbox_call){
        .module = LENS_MODULE, .function = "lens", .args = args, .arg_count = 2, .result_count = 1, .list_names = list_names};
    if (!q->subject->token_globs) {
        q->call.call.knows = knows_constant;
        q->call.call.knows_self = q;
    }
    *out = NULL;
    int status = args[0] && args[1] ? gw_host_call(q->host, &q->call, &result, q->err) : no_memory(q);
    if (!status)
        status = make_plan(q, result, out);
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    gw_json_unref(result);
    return status;
}

/* Whoever owns a run must find the transform of a class that another worker was asked about. */
static void announce(const struct question *q, const struct gw_plan *plan)
{
    if (plan->transform)
        gw_scripts_put_class(q->host->scripts, plan->class_id, q->call.tenant->tenant_id, q->call.state->generation);
}

/* What is remembered, or the script says, which then is remembered; one new reference, NULL when the lens admits nobody. */
static int find_plan(struct question *q, struct gw_plan **out)
{
    struct gw_plan *known = gw_map_get(q->call.state->plans, q->name.data, q->name.length);
    if (known) {
        *out = known == NOBODY ? NULL : gw_plan_ref(known);
        return GW_OK;
    }
    int status = ask(q, out);
    if (status)
        return status;
    if (*out)
        *out = share(q->call.state, *out);
    remember(q->call.state, &q->name, *out);
    return GW_OK;
}

static int look_up(struct question *q, struct gw_plan **out)
{
    gw_buffer_init(&q->name, 64u << 10);
    name_subject(q->subject, &q->name);
    int status = q->name.has_failed ? no_memory(q) : find_plan(q, out);
    gw_buffer_fini(&q->name);
    return status;
}

int gw_host_lens(void *self, const struct gw_policy_subject *subject, struct gw_plan **out, struct gw_error *err)
{
    struct question q = {.host = self, .call = {.hook = GW_HOOK_LENS}, .subject = subject, .err = err};
    int status = gw_host_tenant(q.host, subject->scope->tenant_id, &q.call.tenant, err);
    if (status)
        return status;
    q.call.state = gw_host_state(q.host, q.call.tenant->generation);
    status = q.call.state ? look_up(&q, out) : no_memory(&q);
    if (status)
        return status;
    if (!*out)
        return say_nobody(&q);
    announce(&q, *out);
    return GW_OK;
}

/* What decides now is not forgotten for what will: neither its state, nor, among many actors, what was asked ahead before. */
static struct gw_script_state *state_ahead(struct gw_script_host *host, struct gw_generation *next)
{
    bool is_there = gw_map_get(host->states, &next, sizeof next) != NULL;
    if (!is_there && gw_map_count(host->states) >= host->scripts->opts.limits.max_states)
        return NULL;
    struct gw_script_state *state = gw_host_state(host, next);
    return state && !is_full(state) ? state : NULL;
}

void gw_host_prepare(void *self, const struct gw_policy_subject *subject)
{
    struct gw_error err; /* who is refused is told when it counts */
    struct gw_plan *plan = NULL;
    struct question q = {.host = self, .call = {.hook = GW_HOOK_LENS, .is_ahead = true}, .subject = subject, .err = &err};
    if (!q.host->stage || gw_host_tenant(q.host, subject->scope->tenant_id, &q.call.tenant, &err))
        return;
    if (q.call.tenant->failed_ahead == q.call.tenant->epoch)
        return;
    struct gw_generation *next = gw_script_stage_next(q.host->stage, q.call.tenant->generation);
    q.call.state = next ? state_ahead(q.host, next) : NULL;
    if (q.call.state && !look_up(&q, &plan))
        gw_plan_unref(plan);
}
