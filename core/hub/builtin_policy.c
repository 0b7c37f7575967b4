#include "hub/builtin_policy.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"

/* Bearers choose their Token globs, so the number of plans is theirs to choose; past this the cache starts anew. */
#define CACHED_PLANS 1024

struct gw_builtin_policy {
    struct gw_policy port;
    struct gw_map *plans;
};

/* value */
struct role {
    const char *name;
    bool can_write;
};

static const struct role roles[] = {
    {"owner", true}, {"editor", true}, {"viewer", false}, {"planner", true}, {"director", true}, {"service", true},
};

static const struct role *find_role(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

static const char reader[] =
    "{\"history\":true,\"vision\":true,\"presence\":true,\"events\":[\"*\"],\"tokens\":{\"read\":[\"*\"]},\"blocks\":{\"read\":true},"
    "\"graph\":{\"read\":true},\"chat\":{\"read\":true},\"logs\":{\"read\":true}}";
static const char writer[] =
    "{\"history\":true,\"vision\":true,\"presence\":true,\"events\":[\"*\"],\"commands\":[\"*\"],"
    "\"tokens\":{\"read\":[\"*\"],\"write\":[\"*\"]},\"blocks\":{\"read\":true,\"write\":true},\"graph\":{\"read\":true,\"write\":true},"
    "\"chat\":{\"read\":true,\"write\":true},\"logs\":{\"read\":true,\"write\":true}}";

/* Under which its plan is cached. The role's name is not in it: owner and editor see the same. */
static void describe(const struct gw_policy_subject *subject, const struct role *role, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "%s/%d/", subject->scope->tenant_id, role->can_write);
    gw_buffer_append_text(out, subject->token_globs ? "tokens" : "all");
    for (size_t i = 0; i < subject->token_glob_count; i++) {
        gw_buffer_append_char(out, '\n');
        gw_buffer_append_text(out, subject->token_globs[i]);
    }
}

static int make_plan(const struct gw_policy_subject *subject, const struct role *role, struct gw_plan **out, struct gw_error *err)
{
    static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 256};
    const char *text = role->can_write ? writer : reader;
    struct gw_json *source;
    int status = gw_json_parse(text, strlen(text), &limits, &source, err);
    if (status)
        return status;
    struct gw_plan_opts opts = {.tenant_id = subject->scope->tenant_id,
                                .source = source,
                                .token_globs = subject->token_globs,
                                .token_glob_count = subject->token_glob_count};
    status = gw_plan_compile(&opts, out, err);
    gw_json_unref(source);
    return status;
}

static void forget_plans(struct gw_builtin_policy *policy)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(policy->plans, &cursor, &key, &length, &value)) {
        struct gw_plan *plan = value;
        gw_map_remove(policy->plans, key, length);
        gw_plan_unref(plan);
    }
}

static void keep(struct gw_builtin_policy *policy, const struct gw_buffer *name, struct gw_plan *plan)
{
    if (gw_map_count(policy->plans) >= CACHED_PLANS)
        forget_plans(policy);
    if (gw_map_put(policy->plans, name->data, name->length, gw_plan_ref(plan), NULL))
        gw_plan_unref(plan); /* not cached; the caller's reference stays */
}

static int lens(void *self, const struct gw_policy_subject *subject, struct gw_plan **out, struct gw_error *err)
{
    struct gw_builtin_policy *policy = self;
    const struct role *role = find_role(subject->role);
    if (!role)
        return gw_error_set(err, GW_EDENIED, "not_allowed", "this role may not do anything here");
    struct gw_buffer text;
    gw_buffer_init(&text, 64u << 10);
    describe(subject, role, &text);
    if (text.has_failed) {
        gw_buffer_fini(&text);
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a lens plan");
    }
    struct gw_plan *plan = gw_map_get(policy->plans, text.data, text.length);
    int status = plan ? GW_OK : make_plan(subject, role, out, err);
    if (plan)
        *out = gw_plan_ref(plan);
    else if (!status)
        keep(policy, &text, *out);
    gw_buffer_fini(&text);
    return status;
}

struct gw_builtin_policy *gw_builtin_policy_create(const uint8_t seed[16])
{
    struct gw_builtin_policy *policy = gw_alloc(sizeof *policy);
    policy->plans = gw_map_create(seed);
    policy->port = (struct gw_policy){.self = policy, .lens = lens};
    return policy;
}

void gw_builtin_policy_destroy(struct gw_builtin_policy *policy)
{
    if (!policy)
        return;
    forget_plans(policy);
    gw_map_destroy(policy->plans);
    gw_free(policy);
}

const struct gw_policy *gw_builtin_policy_port(const struct gw_builtin_policy *policy) { return &policy->port; }
