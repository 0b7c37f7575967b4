#include "hub/builtin_policy.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/map.h"
#include "hub/plan.h"

/* Part of every class id: a change of what events look like on the wire makes new classes, so that no cursor crosses it. */
#define ENCODER_VERSION 1
/* Bearers choose their Token globs, so the number of plans is theirs to choose; past this the cache starts anew. */
#define CACHED_PLANS 1024

struct gw_builtin_policy {
    struct gw_policy port;
    struct gw_map *plans;
};

/* value */
struct role {
    const char *name;
    bool can_write, sees_history;
};

static const struct role roles[] = {
    {"owner", true, true},   {"editor", true, true},   {"viewer", false, true},
    {"planner", true, true}, {"director", true, true}, {"service", true, true},
};

static const struct role *find_role(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

/* The plan's canonical text: equal text, equal plan, one class. The role's name is not in it: owner and editor see the same. */
static void describe(const struct gw_policy_subject *subject, const struct role *role, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "%d/%s/%d%d/", ENCODER_VERSION, subject->scope->tenant_id, role->can_write, role->sees_history);
    gw_buffer_append_text(out, subject->token_globs ? "tokens" : "all");
    for (size_t i = 0; i < subject->token_glob_count; i++) {
        gw_buffer_append_char(out, '\n');
        gw_buffer_append_text(out, subject->token_globs[i]);
    }
}

static uint64_t class_of(const struct gw_buffer *text)
{
    uint8_t digest[GW_SHA256_BYTES];
    uint64_t class_id;
    gw_sha256(text->data, text->length, digest);
    memcpy(&class_id, digest, sizeof class_id);
    return class_id ? class_id : 1;
}

static struct gw_plan *make_plan(const struct gw_policy_subject *subject, const struct role *role, uint64_t class_id)
{
    struct gw_plan *plan = gw_alloc(sizeof *plan);
    gw_refs_init(&plan->refs);
    plan->class_id = class_id;
    plan->can_write = role->can_write;
    plan->sees_history = role->sees_history;
    plan->sees_all = !subject->token_globs;
    if (plan->sees_all || subject->token_glob_count == 0)
        return plan;
    plan->token_globs = gw_alloc_array(subject->token_glob_count, sizeof *plan->token_globs);
    for (; plan->token_glob_count < subject->token_glob_count; plan->token_glob_count++)
        plan->token_globs[plan->token_glob_count] = gw_strdup(subject->token_globs[plan->token_glob_count]);
    return plan;
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
    if (!plan) {
        if (gw_map_count(policy->plans) >= CACHED_PLANS)
            forget_plans(policy);
        plan = make_plan(subject, role, class_of(&text));
        if (gw_map_put(policy->plans, text.data, text.length, gw_plan_ref(plan), NULL))
            gw_plan_unref(plan); /* not cached; the caller's reference stays */
        *out = plan;
    } else {
        *out = gw_plan_ref(plan);
    }
    gw_buffer_fini(&text);
    return GW_OK;
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
