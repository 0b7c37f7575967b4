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

static void a_role_that_is_not_known_gets_nothing(void **state)
{
    world_write(*state, "policies/token_lens.lua", LENS("if actor.role == 'owner' then return {} end"));
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "");
    assert_string_equal(world_lens(*state, "acme", "nobody", NULL), "not_allowed");
}

static void who_has_been_asked_about_is_remembered(void **state)
{
    struct script_world *world = *state;
    struct gw_plan *first, *second;
    world_write(*state, "policies/token_lens.lua", LENS("return actor.role ~= 'x' and { history = true } or nil"));
    world_open(*state);
    assert_string_equal(world_lens(world, "acme", "owner", &first), "");
    assert_string_equal(world_lens(world, "acme", "owner", &second), "");
    assert_ptr_equal(first, second);
    gw_plan_unref(second);
    assert_int_equal(calls(world), 1);
    assert_string_equal(world_lens(world, "acme", "editor", &second), "");
    assert_ptr_equal(first, second); /* equal plans are one */
    gw_plan_unref(second);
    assert_string_equal(world_lens(world, "beta", "owner", &second), "");
    assert_int_not_equal(first->class_id, second->class_id);
    gw_plan_unref(first);
    gw_plan_unref(second);
    assert_string_equal(world_lens(world, "acme", "x", NULL), "not_allowed");
    assert_string_equal(world_lens(world, "acme", "x", NULL), "not_allowed");
    assert_int_equal(calls(world), 4);
}

/* The lens answers one of its own tables, made once, so it is compiled once; each tenant has classes of its own all the same. */
static void a_plan_that_the_file_made_is_one_for_all_who_get_it(void **state)
{
    struct script_world *world = *state;
    struct gw_plan *first, *second, *other, *stranger;
    world_write(world, "policies/token_lens.lua",
                "local plans = { owner = { history = true }, editor = { vision = true } } plans.guest = plans.owner\n" LENS(
                    "return plans[actor.role]"));
    world_open(world);
    assert_string_equal(world_lens(world, "acme", "owner", &first), "");
    assert_string_equal(world_lens(world, "acme", "guest", &second), "");
    assert_string_equal(world_lens(world, "acme", "editor", &other), "");
    assert_string_equal(world_lens(world, "beta", "guest", &stranger), "");
    assert_ptr_equal(first, second);
    assert_true(first->sees_history && !other->sees_history && other->sees_sidecars);
    assert_true(stranger->sees_history);
    assert_int_not_equal(first->class_id, stranger->class_id);
    gw_plan_unref(first);
    gw_plan_unref(second);
    gw_plan_unref(other);
    gw_plan_unref(stranger);
    assert_string_equal(world_lens(world, "acme", "nobody", NULL), "not_allowed");
    world_write(world, "policies/token_lens.lua", "local plans = { owner = { vision = true } }\n" LENS("return plans[actor.role]"));
    assert_string_equal(world_reload(world, ""), "");
    assert_string_equal(world_lens(world, "acme", "owner", &first), "");
    assert_true(first->sees_sidecars && !first->sees_history);
    gw_plan_unref(first);
}

static struct gw_plan *lens_of(struct script_world *world, const char *actor_id, const char *token_glob)
{
    struct gw_error err;
    struct gw_actor actor = {.kind = GW_ACTOR_USER};
    struct gw_scope scope = {.tenant_id = "acme", .mode = "dev", .project_id = "p1", .surface_id = "web", .app_id = "demo", .run_id = "r1"};
    struct gw_policy_subject subject = {.actor = &actor, .role = "owner", .scope = &scope};
    const struct gw_policy *policy = gw_script_host_port(world->host);
    struct gw_plan *plan;
    snprintf(actor.id, sizeof actor.id, "%s", actor_id);
    if (token_glob) {
        subject.token_globs = &token_glob;
        subject.token_glob_count = 1;
    }
    assert_int_equal(policy->lens(policy->self, &subject, &plan, &err), 0);
    return plan;
}

static void a_plan_that_the_file_made_differs_where_the_actor_or_the_bearer_count(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua",
                "local plan = { tokens = { read = { '*' } }, chat = { read = { { authors = { 'self' } } } } }\n" LENS("return plan"));
    world_open(world);
    struct gw_plan *ann = lens_of(world, "ann", NULL), *bob = lens_of(world, "bob", NULL), *narrow = lens_of(world, "ann", "plan.*"),
                   *again = lens_of(world, "ann", NULL);
    assert_string_equal(ann->actor_id, "ann");
    assert_string_equal(bob->actor_id, "bob");
    assert_ptr_equal(ann, again);
    assert_true(gw_plan_reads_token(ann, "secret") && !gw_plan_reads_token(narrow, "secret") && gw_plan_reads_token(narrow, "plan.x"));
    gw_plan_unref(ann);
    gw_plan_unref(bob);
    gw_plan_unref(narrow);
    gw_plan_unref(again);
}

static void a_plan_that_the_file_made_is_narrowed_by_each_bearer_anew(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", "local plan = { tokens = { read = { '*' } } }\n" LENS("return plan"));
    world_open(world);
    struct gw_plan *wide = lens_of(world, "ann", NULL), *narrow = lens_of(world, "bob", "plan.*"), *other = lens_of(world, "cid", "chat.*");
    assert_true(gw_plan_reads_token(wide, "secret"));
    assert_true(gw_plan_reads_token(narrow, "plan.x") && !gw_plan_reads_token(narrow, "chat.x"));
    assert_true(gw_plan_reads_token(other, "chat.x") && !gw_plan_reads_token(other, "plan.x"));
    gw_plan_unref(wide);
    gw_plan_unref(narrow);
    gw_plan_unref(other);
}

static void no_more_is_remembered_than_there_may_be(void **state)
{
    struct script_world *world = *state;
    char role[16];
    gw_script_limits_default(&world->opts.limits);
    world->opts.limits.max_plans = 8;
    world_open(world);
    for (int i = 0; i < 100; i++) {
        snprintf(role, sizeof role, "role%d", i);
        assert_string_equal(world_lens(world, "acme", role, NULL), "");
    }
}

/* What they take counts, however few they are. */
static void plans_take_no_more_memory_than_scripts_may(void **state)
{
    static const char lens[] = LENS("local list = {} for i = 1, 64 do list[i] = actor.role .. i .. ('x'):rep(100) end "
                                    "return { tokens = { read = list, write = list }, events = list }");
    struct script_world *world = *state;
    char role[16];
    gw_script_limits_default(&world->opts.limits);
    world->opts.limits.call.memory_bytes = 1 << 20;
    world_write(*state, "policies/token_lens.lua", lens);
    world_open(world);
    for (int i = 0; i < 100; i++) {
        snprintf(role, sizeof role, "role%d", i);
        assert_string_equal(world_lens(world, "acme", role, NULL), "");
    }
    assert_string_equal(world_lens(world, "acme", "role99", NULL), "");
    assert_int_equal(calls(world), 100);
    assert_string_equal(world_lens(world, "acme", "role0", NULL), "");
    assert_int_equal(calls(world), 101);
}

static void an_error_denies(void **state)
{
    world_write(*state, "policies/token_lens.lua", LENS("return actor.role.x.y"));
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "policy_failed");
    assert_listed(*state, "tenants/0/error/code", "\"script_failed\"");
    assert_listed(*state, "tenants/0/error/where", "\"policies/token_lens.lua:1\"");
}

static void a_malformed_answer_denies(void **state)
{
    world_write(*state, "policies/token_lens.lua", LENS("return { tokens = { read = 'all' } }"));
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "policy_failed");
    assert_listed(*state, "tenants/0/error/code", "\"plan_bad_shape\"");
}

static void a_loop_denies_and_its_neighbour_is_unharmed(void **state)
{
    world_write(*state, "policies/tenants/acme/token_lens.lua", LENS("while true do end"));
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "policy_failed");
    assert_string_equal(world_lens(*state, "beta", "owner", NULL), "");
    assert_listed(*state, "tenants/0/error/code", "\"script_budget\"");
}

static void who_keeps_failing_is_denied_without_being_asked(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("error('no')"));
    world_open(world);
    for (int i = 0; i < 25; i++)
        assert_string_equal(world_lens(world, "acme", "owner", NULL), i < 20 ? "policy_failed" : "policy_quarantined");
    assert_int_equal(calls(world), 20);
    assert_listed(world, "tenants/0/status", "\"quarantined\"");
    assert_listed(world, "tenants/0/quarantined_until", "\"2026-09-21T14:30:10.000Z\"");
    assert_string_equal(world_lens(world, "beta", "owner", NULL), "");
    world->now_ms += 10001;
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_int_equal(calls(world), 22);
    assert_listed(world, "tenants/0/status", "\"failed\"");
}

static void a_new_generation_ends_the_quarantine(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("error('no')"));
    world_open(world);
    for (int i = 0; i < 20; i++)
        assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("return {}"));
    assert_string_equal(world_reload(world, "acme"), "");
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "");
    assert_listed(world, "tenants/0/status", "\"active\"");
}

static void new_defaults_end_the_quarantine_of_who_was_decided_by_the_old_ones(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("if scope.tenant_id == 'acme' then error('no') end return {}"));
    world_open(world);
    for (int i = 0; i < 20; i++)
        assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_listed(world, "tenants/0/status", "\"quarantined\"");
    world_write(world, "policies/token_lens.lua", LENS("return {}"));
    assert_string_equal(world_reload(world, ""), "");
    assert_listed(world, "tenants", "[]");
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "");
}

static void an_operator_ends_a_quarantine(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", LENS("if actor.role == 'owner' then error('no') end return {}"));
    world_open(world);
    assert_false(gw_scripts_release(world->scripts, "acme"));
    for (int i = 0; i < 20; i++)
        assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_string_equal(world_lens(world, "acme", "viewer", NULL), "policy_quarantined");
    assert_true(gw_scripts_release(world->scripts, "acme"));
    assert_false(gw_scripts_release(world->scripts, "acme"));
    assert_string_equal(world_lens(world, "acme", "viewer", NULL), "");
    assert_listed(world, "tenants/0/status", "\"failed\"");
}

/* Every look at this clock takes time. */
static uint64_t slow_ns(void *self)
{
    static uint64_t now;
    (void)self;
    return now += 7 * UINT64_C(1000000);
}

static void a_tenant_has_so_much_time_and_no_more(void **state)
{
    struct script_world *world = *state;
    struct gw_clock slow = world->clock;
    char role[16];
    int answered = 0;
    slow.monotonic_ns = slow_ns;
    world_open(world);
    gw_script_host_destroy(world->host);
    gw_scripts_destroy(world->scripts);
    struct gw_error err;
    world->opts.budget_clock = &slow;
    world->opts.limits.call.call_ms = 5000;
    assert_int_equal(gw_scripts_create(&world->opts, &world->scripts, &err), 0);
    world->host = gw_script_host_create(world->scripts);
    for (int i = 0; i < 100; i++) {
        snprintf(role, sizeof role, "role%d", i);
        answered += world_lens(world, "acme", role, NULL)[0] == '\0';
    }
    assert_in_range(answered, 1, 14);
    assert_string_equal(world_lens(world, "acme", "another", NULL), "script_budget");
    assert_string_equal(world_lens(world, "beta", "another", NULL), "");
    world->now_ms += 2000;
    assert_string_equal(world_lens(world, "acme", "another", NULL), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_world_setup, script_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_role_that_is_not_known_gets_nothing),
        TEST(who_has_been_asked_about_is_remembered),
        TEST(a_plan_that_the_file_made_is_one_for_all_who_get_it),
        TEST(a_plan_that_the_file_made_differs_where_the_actor_or_the_bearer_count),
        TEST(a_plan_that_the_file_made_is_narrowed_by_each_bearer_anew),
        TEST(no_more_is_remembered_than_there_may_be),
        TEST(plans_take_no_more_memory_than_scripts_may),
        TEST(an_error_denies),
        TEST(a_malformed_answer_denies),
        TEST(a_loop_denies_and_its_neighbour_is_unharmed),
        TEST(who_keeps_failing_is_denied_without_being_asked),
        TEST(a_new_generation_ends_the_quarantine),
        TEST(new_defaults_end_the_quarantine_of_who_was_decided_by_the_old_ones),
        TEST(an_operator_ends_a_quarantine),
        TEST(a_tenant_has_so_much_time_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
