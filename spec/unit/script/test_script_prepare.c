/* test_script_prepare.c — lenses asked ahead of a swap: what they will say is known when it comes, and nothing of it counts before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/metrics.h"
#include "hub/plan.h"
#include "script/scripts_support.h"

static int64_t calls(const struct script_world *world)
{
    return gw_metric_value(gw_metrics_counter(world->metrics, "atoms_script_calls_total", "hook=\"lens\"", "Calls of scripts, by hook."));
}

static int64_t failures(const struct script_world *world)
{
    return gw_metric_value(
        gw_metrics_counter(world->metrics, "atoms_script_failures_total", "hook=\"lens\"", "Calls of scripts that failed and so denied."));
}

static struct gw_script_stage *stage(struct script_world *world, const char *tenant_id)
{
    struct gw_script_stage *out;
    struct gw_error err;
    assert_int_equal(gw_scripts_stage(world->scripts, tenant_id, &out, &err), 0);
    gw_script_host_prepare(world->host, out);
    return out;
}

static void commit(struct script_world *world, struct gw_script_stage *staged)
{
    struct gw_error err;
    gw_script_host_prepare(world->host, NULL);
    assert_int_equal(gw_scripts_commit(world->scripts, staged, &err), 0);
}

/* Asks ahead for the actor that world_lens asks for. */
static void prepare(struct script_world *world, const char *tenant_id, const char *role)
{
    struct gw_actor actor = {.id = "ann", .kind = GW_ACTOR_USER};
    struct gw_scope scope = {.mode = "dev", .project_id = "p1", .surface_id = "web", .app_id = "demo", .run_id = "r1"};
    struct gw_policy_subject subject = {.actor = &actor, .role = role, .scope = &scope};
    const struct gw_policy *policy = gw_script_host_port(world->host);
    snprintf(scope.tenant_id, sizeof scope.tenant_id, "%s", tenant_id);
    policy->prepare(policy->self, &subject);
}

static void assert_history(struct script_world *world, const char *tenant_id, bool expected)
{
    struct gw_plan *plan;
    assert_string_equal(world_lens(world, tenant_id, "owner", &plan), "");
    assert_int_equal(plan->sees_history, expected);
    gw_plan_unref(plan);
}

static void what_is_about_to_come_is_asked_once_and_decides_when_it_has_come(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("return { history = false }"));
    world_open(world);
    assert_history(world, "acme", false);
    world_write(world, "policies/token_lens.lua", LENS("return { history = true }"));
    struct gw_script_stage *staged = stage(world, "");
    prepare(world, "acme", "owner");
    prepare(world, "acme", "owner");
    assert_int_equal(calls(world), 2);
    assert_history(world, "acme", false);
    assert_int_equal(calls(world), 2);
    commit(world, staged);
    assert_history(world, "acme", true);
    assert_int_equal(calls(world), 2);
}

static void an_overlay_is_asked_as_it_will_be_over_the_new_defaults(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("return { history = false }"));
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("return require('defaults.token_lens').lens(actor, scope)"));
    world_open(world);
    assert_history(world, "acme", false);
    world_write(world, "policies/token_lens.lua", LENS("return { history = true }"));
    struct gw_script_stage *staged = stage(world, "");
    prepare(world, "acme", "owner");
    int64_t before = calls(world);
    assert_history(world, "acme", false);
    commit(world, staged);
    assert_history(world, "acme", true);
    assert_int_equal(calls(world), before);
}

static void a_tenant_is_asked_as_it_will_be_with_and_without_its_overlay(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("return { history = false }"));
    world_open(world);
    assert_history(world, "acme", false);
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("return { history = true }"));
    struct gw_script_stage *staged = stage(world, "acme");
    prepare(world, "acme", "owner");
    commit(world, staged);
    assert_history(world, "acme", true);
    assert_int_equal(calls(world), 2);
    world_write(world, "policies/tenants/acme", NULL);
    staged = stage(world, "acme");
    prepare(world, "acme", "editor");
    assert_int_equal(calls(world), 3);
    commit(world, staged);
    assert_string_equal(world_lens(world, "acme", "editor", NULL), "");
    assert_int_equal(calls(world), 3);
}

static void a_lens_that_fails_ahead_fails_nobody_before_it_counts(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("return {}"));
    world_open(world);
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "");
    assert_string_equal(world_lens(world, "beta", "owner", NULL), "");
    world_write(world, "policies/token_lens.lua", LENS("if scope.tenant_id == 'acme' then error('no') end return {}"));
    struct gw_script_stage *staged = stage(world, "");
    for (int i = 0; i < 30; i++)
        prepare(world, "acme", "owner");
    assert_int_equal(calls(world), 3);
    prepare(world, "beta", "owner");
    assert_int_equal(calls(world), 4);
    assert_int_equal(failures(world), 0);
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "");
    commit(world, staged);
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_string_equal(world_lens(world, "beta", "owner", NULL), "");
    assert_int_equal(calls(world), 5);
    assert_int_equal(failures(world), 1);
    assert_listed(world, "tenants/0/status", "\"failed\"");
}

static void nothing_that_is_known_is_forgotten_for_what_is_asked_ahead(void **state)
{
    struct script_world *world = *state;
    gw_script_limits_default(&world->opts.limits);
    world->opts.limits.max_states = 1;
    world_write(world, "policies/token_lens.lua", LENS("return { history = false }"));
    world_open(world);
    assert_history(world, "acme", false);
    world_write(world, "policies/token_lens.lua", LENS("return { history = true }"));
    struct gw_script_stage *staged = stage(world, "");
    prepare(world, "acme", "owner");
    assert_history(world, "acme", false);
    assert_int_equal(calls(world), 1);
    commit(world, staged);
    assert_history(world, "acme", true);
    assert_int_equal(calls(world), 2);
}

static void no_more_actors_are_asked_ahead_than_are_remembered(void **state)
{
    struct script_world *world = *state;
    gw_script_limits_default(&world->opts.limits);
    world->opts.limits.max_plans = 4;
    world_open(world);
    world_write(world, "policies/token_lens.lua", LENS("return { history = true }"));
    struct gw_script_stage *staged = stage(world, "");
    const char *const roles[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        prepare(world, "acme", roles[i]);
    assert_int_equal(calls(world), 4);
    commit(world, staged);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        assert_string_equal(world_lens(world, "acme", roles[i], NULL), "");
    assert_int_equal(calls(world), 6);
}

static void nothing_is_asked_ahead_when_nothing_is_about_to_come(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    prepare(world, "acme", "owner");
    assert_int_equal(calls(world), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_world_setup, script_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_about_to_come_is_asked_once_and_decides_when_it_has_come),
        TEST(an_overlay_is_asked_as_it_will_be_over_the_new_defaults),
        TEST(a_tenant_is_asked_as_it_will_be_with_and_without_its_overlay),
        TEST(a_lens_that_fails_ahead_fails_nobody_before_it_counts),
        TEST(nothing_that_is_known_is_forgotten_for_what_is_asked_ahead),
        TEST(no_more_actors_are_asked_ahead_than_are_remembered),
        TEST(nothing_is_asked_ahead_when_nothing_is_about_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
