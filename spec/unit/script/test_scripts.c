#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hub/manifest.h"
#include "hub/plan.h"
#include "script/scripts_support.h"

#define READS(glob) LENS("return { tokens = { read = { '" glob "' } } }")

static void assert_reads(struct script_world *world, const char *tenant_id, const char *key, bool expected)
{
    struct gw_plan *plan;
    assert_string_equal(world_lens(world, tenant_id, "owner", &plan), "");
    assert_int_equal(gw_plan_reads_token(plan, key), expected);
    gw_plan_unref(plan);
}

static void refused(struct script_world *world, const char *id, const char *where)
{
    struct gw_error err;
    world->opts.limits.max_states = 0;
    char policies[96], canvases[96];
    snprintf(policies, sizeof policies, "%s/policies", world->root);
    snprintf(canvases, sizeof canvases, "%s/canvases", world->root);
    gw_script_limits_default(&world->opts.limits);
    world->opts.policies_dir = policies;
    world->opts.canvases_dir = canvases;
    world->opts.lua_dir = "lua";
    world->opts.clock = world->opts.budget_clock = &world->clock;
    world->opts.metrics = world->metrics;
    assert_int_not_equal(gw_scripts_create(&world->opts, &world->scripts, &err), 0);
    assert_string_equal(err.id, id);
    if (where && strcmp(err.path, where) != 0)
        fail_msg("%s is not %s (%s)", err.path, where, err.message);
}

static void a_fault_at_the_start_is_told_with_its_place(void **state)
{
    world_write(*state, "policies/token_lens.lua", "return {\n  lens = = 1,\n}");
    refused(*state, "script_syntax", "policies/token_lens.lua:2");
    world_write(*state, "policies/token_lens.lua", "return { api = 1 }");
    refused(*state, "script_missing", "policies/token_lens.lua:1");
    world_write(*state, "policies/token_lens.lua", "return { api = 2, lens = function() end }");
    refused(*state, "script_api", "policies/token_lens.lua:1");
    world_write(*state, "policies/token_lens.lua", NULL);
    refused(*state, "script_missing", NULL);
}

static void a_faulty_ceiling_stops_the_start(void **state)
{
    world_write(*state, "policies/ceiling.lua", "return {\n  plan = {\n    vision = 'no' } }");
    refused(*state, "plan_bad_shape", "policies/ceiling.lua:3");
    world_write(*state, "policies/ceiling.lua", "return {\n  limits = { patience = 3 } }");
    refused(*state, "ceiling_bad_limit", "policies/ceiling.lua:2");
}

static void a_faulty_validator_stops_the_start(void **state)
{
    world_write(*state, "policies/commands/a.lua", "return { api = 1, validate = function() end }");
    refused(*state, "script_bad_shape", "policies/commands/a.lua:1");
    world_write(*state, "policies/commands/a.lua",
                "local list = {} for i = 1, 65 do list[i] = 'chat.' .. i end return { api = 1, commands = list, rate = { per_s = 1, burst = 1 } }");
    refused(*state, "script_bad_shape", "policies/commands/a.lua:1");
    world_write(*state, "policies/commands/a.lua", "return { api = 1, commands = { '*' } }");
    refused(*state, "script_missing", "policies/commands/a.lua:1");
    world_write(*state, "policies/commands/a.lua", "return { api = 1, commands = { '*' }, rate = { per_s = 0, burst = 1 } }");
    refused(*state, "script_bad_shape", "policies/commands/a.lua:1");
    world_write(*state, "policies/commands/a.lua", NULL);
    world_write(*state, "policies/commands/not-a-name.lua", "return {}");
    refused(*state, "script_bad_name", "policies/commands/not-a-name.lua");
}

static void commands_of_a_canvas_are_those_of_its_manifest(void **state)
{
    world_write(
        *state, "canvases/pad/manifest.lua",
        "return { name = 'pad', version = '1', api = 1, title = 'Pad', harness = 'w', kinds = {}, commands = { ['pad.go'] = {} } }");
    world_write(*state, "canvases/pad/commands.lua", "return { api = 1, commands = { ['pad.no'] = { reduce = function() end } } }");
    refused(*state, "script_bad_shape", "canvases/pad/commands.lua:1");
    world_write(*state, "canvases/pad/commands.lua", "return { api = 1, commands = { ['pad.go'] = {} } }");
    refused(*state, "script_missing", "canvases/pad/commands.lua:1");
    world_write(*state, "canvases/pad/commands.lua", "return { api = 1, commands = { ['pad.go'] = { reduce = function() end } } }");
    world_open(*state);
    struct gw_manifests *manifests = gw_scripts_manifests(((struct script_world *)*state)->scripts);
    assert_non_null(gw_manifests_get(manifests, "pad"));
    gw_manifests_unref(manifests);
}

static void a_file_counts_once_though_it_has_two_names(void **state)
{
    char name[64];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "policies/f%03d.lua", i);
        world_write(*state, name, "return {}");
    }
    world_write(*state, "policies/tenants/acme/token_lens.lua", LENS("return require('policy.f007') and require('defaults.f007')"));
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "");
}

static void an_overlay_replaces_and_extends(void **state)
{
    world_write(*state, "policies/helper.lua", "return { glob = 'a.*' }");
    world_write(*state, "policies/token_lens.lua", LENS("return { tokens = { read = { require('policy.helper').glob } } }"));
    world_write(*state, "policies/tenants/acme/token_lens.lua",
                LENS("local plan = require('defaults.token_lens').lens(actor, scope)"
                     "return { tokens = { read = { plan.tokens.read[1], 'b' } } }"));
    world_write(*state, "policies/tenants/beta/helper.lua", "return { glob = 'c.*' }");
    world_open(*state);
    assert_reads(*state, "none", "a.x", true);
    assert_reads(*state, "none", "b", false);
    assert_reads(*state, "acme", "a.x", true);
    assert_reads(*state, "acme", "b", true);
    assert_reads(*state, "beta", "c.x", true);
    assert_reads(*state, "beta", "a.x", false);
}

static void the_ceiling_binds_an_overlay(void **state)
{
    world_write(*state, "policies/ceiling.lua", "return { plan = { tokens = { read = { '*', '!b' } } } }");
    world_write(*state, "policies/tenants/acme/token_lens.lua", READS("*"));
    world_open(*state);
    assert_reads(*state, "acme", "a", true);
    assert_reads(*state, "acme", "b", false);
}

static void a_broken_overlay_denies_its_tenant_alone(void **state)
{
    world_write(*state, "policies/tenants/acme/token_lens.lua", "return {");
    world_write(*state, "policies/tenants/beta/ceiling.lua", "return { limits = { call_ms = 0 } }");
    world_open(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "policy_failed");
    assert_string_equal(world_lens(*state, "beta", "owner", NULL), "policy_failed");
    assert_reads(*state, "none", "a", true);
    assert_listed(*state, "defaults/status", "\"active\"");
    assert_listed(*state, "tenants/0/tenant_id", "\"acme\"");
    assert_listed(*state, "tenants/0/status", "\"failed\"");
    assert_listed(*state, "tenants/0/error/code", "\"script_syntax\"");
    assert_listed(*state, "tenants/1/error/where", "\"policies/tenants/beta/ceiling.lua:1\"");
}

/* ---- swaps -------------------------------------------------------------------------------------------------------------------------------- */

static void a_swap_decides_the_next_question(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    uint64_t epoch = gw_scripts_epoch(world->scripts);
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/token_lens.lua", READS("b"));
    assert_reads(world, "acme", "a", true);
    assert_string_equal(world_reload(world, ""), "");
    assert_true(gw_scripts_epoch(world->scripts) > epoch);
    assert_reads(world, "acme", "a", false);
    assert_reads(world, "acme", "b", true);
}

static void a_failed_check_changes_nothing_and_is_told(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    uint64_t epoch = gw_scripts_epoch(world->scripts);
    world_write(world, "policies/token_lens.lua", "return nil +");
    assert_string_equal(world_reload(world, ""), "script_syntax");
    assert_int_equal(gw_scripts_epoch(world->scripts), epoch);
    assert_reads(world, "acme", "a", true);
    assert_listed(world, "defaults/status", "\"failed\"");
    assert_listed(world, "defaults/error/where", "\"policies/token_lens.lua:1\"");
    world_write(world, "policies/token_lens.lua", READS("*"));
    assert_string_equal(world_reload(world, ""), "");
    assert_listed(world, "defaults/status", "\"active\"");
}

static void an_unchanged_folder_is_the_same(void **state)
{
    struct script_world *world = *state;
    struct gw_script_stage *stage;
    struct gw_error err;
    world_open(world);
    assert_int_equal(gw_scripts_stage(world->scripts, "", &stage, &err), 0);
    assert_true(gw_script_stage_is_same(stage));
    gw_script_stage_drop(stage);
    world_write(world, "policies/other.lua", "return {}");
    assert_int_equal(gw_scripts_stage(world->scripts, "", &stage, &err), 0);
    assert_false(gw_script_stage_is_same(stage));
    gw_script_stage_drop(stage);
}

static void of_two_swaps_at_once_one_wins(void **state)
{
    struct script_world *world = *state;
    struct gw_script_stage *first, *second;
    struct gw_error err;
    world_open(world);
    assert_int_equal(gw_scripts_stage(world->scripts, "", &first, &err), 0);
    assert_int_equal(gw_scripts_stage(world->scripts, "", &second, &err), 0);
    assert_int_equal(gw_scripts_commit(world->scripts, second, &err), 0);
    assert_int_equal(gw_scripts_commit(world->scripts, first, &err), GW_ECONFLICT);
    assert_string_equal(err.id, "swapped_meanwhile");
}

static void tenants_are_swapped_alone(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    assert_string_equal(world_reload(world, "acme"), "no_overlay");
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("b"));
    assert_reads(world, "acme", "a", true);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "a", false);
    assert_reads(world, "none", "a", true);
    world_write(world, "policies/tenants/acme", NULL);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "a", true);
}

static void new_defaults_reach_what_lies_over_them(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", LENS("return require('defaults.token_lens').lens(actor, scope)"));
    world_open(world);
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/token_lens.lua", READS("b"));
    assert_string_equal(world_reload(world, ""), "");
    assert_reads(world, "acme", "a", false);
    assert_reads(world, "acme", "b", true);
}

static void break_under_new_defaults(struct script_world *world)
{
    world_write(world, "policies/helper.lua", "return { glob = '*' }");
    world_write(world, "policies/tenants/acme/token_lens.lua",
                "local helper = require('policy.helper')\n" LENS("return { tokens = { read = { helper.glob } } }"));
    world_open(world);
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/helper.lua", NULL);
    world_write(world, "policies/ceiling.lua", "return { plan = { tokens = { read = { 'a', 'z' } } } }");
    assert_string_equal(world_reload(world, ""), "");
}

static void an_overlay_that_fails_under_new_defaults_is_denied(void **state)
{
    break_under_new_defaults(*state);
    assert_string_equal(world_lens(*state, "acme", "owner", NULL), "policy_failed");
    assert_reads(*state, "none", "z", true);
    assert_listed(*state, "tenants/0/status", "\"denied\"");
}

static void or_keeps_its_old_ones_under_the_new_ceiling(void **state)
{
    ((struct script_world *)*state)->opts.keeps_failed = true;
    break_under_new_defaults(*state);
    assert_reads(*state, "acme", "a", true);
    assert_reads(*state, "acme", "b", false);
    assert_listed(*state, "tenants/0/status", "\"failed\"");
}

static void what_was_in_force_comes_back(void **state)
{
    struct script_world *world = *state;
    struct gw_script_stage *stage;
    struct gw_error err;
    world_open(world);
    assert_int_equal(gw_scripts_stage_old(world->scripts, "", 0, &stage, &err), GW_ENOTFOUND);
    world_write(world, "policies/token_lens.lua", READS("b"));
    assert_string_equal(world_reload(world, ""), "");
    assert_listed(world, "defaults/kept/0/number", "1");
    assert_int_equal(gw_scripts_stage_old(world->scripts, "", 0, &stage, &err), 0);
    assert_int_equal(gw_scripts_commit(world->scripts, stage, &err), 0);
    assert_reads(world, "acme", "a", true);
    assert_listed(world, "defaults/number", "1");
    assert_int_equal(gw_scripts_stage_old(world->scripts, "", 2, &stage, &err), 0);
    assert_int_equal(gw_scripts_commit(world->scripts, stage, &err), 0);
    assert_reads(world, "acme", "a", false);
}

static const char *roll_back(struct script_world *world, const char *tenant_id, uint64_t number)
{
    static struct gw_error err;
    struct gw_script_stage *stage;
    if (gw_scripts_stage_old(world->scripts, tenant_id, number, &stage, &err) || gw_scripts_commit(world->scripts, stage, &err))
        return err.id;
    return "";
}

static void a_tenant_comes_back_to_having_no_overlay(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("b"));
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "a", false);
    assert_listed(world, "tenants/0/kept/0", "{\"number\":2,\"source\":\"defaults\"}");
    assert_string_equal(roll_back(world, "acme", 0), "");
    assert_reads(world, "acme", "a", true);
    assert_listed(world, "tenants/0/is_rolled_back", "true");
    assert_listed(world, "tenants/0/source", "\"defaults\"");
    assert_listed(world, "tenants/0/status", "\"active\"");
    assert_string_equal(roll_back(world, "acme", 0), "no_generation");
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "a", false);
    assert_string_equal(roll_back(world, "acme", 99), "no_generation");
}

static void by_its_number_too_and_until_its_files_are_read_again(void **state)
{
    struct script_world *world = *state;
    world_open(world);
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("b"));
    assert_string_equal(world_reload(world, "acme"), "");
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("c"));
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "c", true);
    assert_string_equal(roll_back(world, "acme", 2), "");
    assert_reads(world, "acme", "a", true);
    world_write(world, "policies/token_lens.lua", READS("d"));
    assert_string_equal(world_reload(world, ""), "");
    assert_reads(world, "acme", "d", true);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "acme", "c", true);
}

static void what_was_there_before_the_tenant_came_is_not_forgotten_for_that(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("b"));
    world_open(world);
    assert_string_equal(world_reload(world, "acme"), ""); /* nobody has asked yet */
    assert_string_equal(roll_back(world, "acme", 0), "no_generation");
    assert_reads(world, "acme", "b", true);
}

static void an_overlay_that_failed_before_its_tenant_came_denies_it(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", "return {");
    world_open(world);
    assert_string_equal(world_reload(world, "acme"), "script_syntax");
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
}

static void no_more_overlays_than_there_may_be_stay_in_memory(void **state)
{
    struct script_world *world = *state;
    char name[64], tenant[65] = "";
    gw_script_limits_default(&world->opts.limits);
    world->opts.limits.max_overlays = 4;
    world->opts.limits.max_states = 2;
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "policies/tenants/t%02d/token_lens.lua", i);
        world_write(world, name, READS("b"));
    }
    world_open(world);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "t%02d", i % 20);
        assert_reads(world, name, "b", true);
        assert_reads(world, name, "a", false);
        world->now_ms += 400000; /* long enough for a worker to forget who is silent */
        gw_script_host_tick(world->host);
    }
    int count = 0;
    while (gw_scripts_next_tenant(world->scripts, tenant))
        count++;
    assert_in_range(count, 1, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_world_setup, script_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fault_at_the_start_is_told_with_its_place),
        TEST(a_faulty_ceiling_stops_the_start),
        TEST(a_faulty_validator_stops_the_start),
        TEST(commands_of_a_canvas_are_those_of_its_manifest),
        TEST(a_file_counts_once_though_it_has_two_names),
        TEST(an_overlay_replaces_and_extends),
        TEST(the_ceiling_binds_an_overlay),
        TEST(a_broken_overlay_denies_its_tenant_alone),
        TEST(a_swap_decides_the_next_question),
        TEST(a_failed_check_changes_nothing_and_is_told),
        TEST(an_unchanged_folder_is_the_same),
        TEST(of_two_swaps_at_once_one_wins),
        TEST(tenants_are_swapped_alone),
        TEST(new_defaults_reach_what_lies_over_them),
        TEST(an_overlay_that_fails_under_new_defaults_is_denied),
        TEST(or_keeps_its_old_ones_under_the_new_ceiling),
        TEST(what_was_in_force_comes_back),
        TEST(a_tenant_comes_back_to_having_no_overlay),
        TEST(by_its_number_too_and_until_its_files_are_read_again),
        TEST(what_was_there_before_the_tenant_came_is_not_forgotten_for_that),
        TEST(an_overlay_that_failed_before_its_tenant_came_denies_it),
        TEST(no_more_overlays_than_there_may_be_stay_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
