#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"
#include "script/scripts_support.h"

#define MASKING(mark)                                                                                                                      \
    "return { name = 't', version = 1, api = 1, lens = function() return { tokens = { read = { '*' } }, transform = 'mask' } end,"         \
    " transforms = { mask = { token = function(key, value) if key == 'gone' then return nil end"                                           \
    " if key == 'bad' then error('no') end return key .. '" mark "' .. value end } } }"

/* What the plan's transform makes of the text "v" as the Token `key`: the beginning of its text, "null", or the error's id. */
static const char *masked(struct gw_script_host *host, struct gw_plan *plan, enum gw_transform_what what, const char *key)
{
    static char said[64];
    const struct gw_policy *policy = gw_script_host_port(host);
    struct gw_json *value = gw_json_new_text("v", 1), *out = NULL;
    struct gw_error err;
    struct gw_transform_call call = {.plan = plan, .what = what, .key = key, .value = value};
    const char *text = "null";
    if (policy->transform(policy->self, &call, &out, &err))
        text = err.id;
    else if (gw_json_is_string(out))
        text = gw_json_text(out, NULL);
    snprintf(said, sizeof said, "%s", text);
    gw_json_unref(out);
    gw_json_unref(value);
    return said;
}

static struct gw_plan *plan_of(struct script_world *world, const char *tenant_id)
{
    struct gw_plan *plan = NULL;
    assert_string_equal(world_lens(world, tenant_id, "owner", &plan), "");
    return plan;
}

static void a_class_is_transformed_on_every_worker(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_script_host *owner = gw_script_host_create(world->scripts);
    struct gw_plan *plan = plan_of(world, "acme");
    assert_string_equal(masked(owner, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    gw_plan_unref(plan);
    gw_script_host_destroy(owner);
}

static void what_has_no_function_stays_as_it_is(void **state)
{
    world_write(*state, "policies/token_lens.lua", MASKING("="));
    world_open(*state);
    struct gw_plan *plan = plan_of(*state, "acme");
    assert_string_equal(masked(((struct script_world *)*state)->host, plan, GW_TRANSFORM_MESSAGE, NULL), "v");
    gw_plan_unref(plan);
}

static void nothing_is_shown_of_what_fails_or_is_dropped(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "gone"), "null");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "bad"), "policy_failed");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    gw_plan_unref(plan);
}

static void a_class_keeps_its_own_scripts_after_a_swap(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_plan *old = plan_of(world, "acme");
    world_write(world, "policies/token_lens.lua", MASKING("#"));
    assert_string_equal(world_reload(world, ""), "");
    struct gw_plan *new = plan_of(world, "acme");
    assert_int_not_equal(old->class_id, new->class_id);
    assert_string_equal(masked(world->host, old, GW_TRANSFORM_TOKEN, "k"), "k=v");
    assert_string_equal(masked(world->host, new, GW_TRANSFORM_TOKEN, "k"), "k#v");
    gw_plan_unref(old);
    gw_plan_unref(new);
}

/* Workers hear of new defaults a little later, and until then show their streams what the old ones make of it. */
static void a_tenant_s_class_outlives_a_change_of_the_defaults(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme");
    world_write(world, "policies/token_lens.lua", LENS("return { history = true }"));
    assert_string_equal(world_reload(world, ""), "");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    world_write(world, "policies/token_lens.lua", LENS("return { history = false }"));
    assert_string_equal(world_reload(world, ""), "");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "policy_failed");
    gw_plan_unref(plan);
}

static void who_has_transforms_is_known_without_a_plan(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/tenants/acme/token_lens.lua", MASKING("="));
    world_open(world);
    const struct gw_policy *policy = gw_script_host_port(world->host);
    assert_true(policy->has_transforms(policy->self, "acme"));
    assert_false(policy->has_transforms(policy->self, "other"));
}

/* ---- what a plan names must be there -------------------------------------------------------------------------------------------------- */

#define EXPORTING(transforms)                                                                                                              \
    "return { name = 't', version = 1, api = 1, lens = function() return { tokens = { read = { '*' } }, transform = 'mask' } end,"         \
    " transforms = " transforms " }"

static void a_plan_whose_transform_is_not_there_denies(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", EXPORTING("{ other = { token = function(key, value) return value end } }"));
    world_open(world);
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_listed(world, "tenants/0/error/where", "\"policies/token_lens.lua:1\"");
}

static void a_malformed_transform_does_not_load(void **state)
{
    static const char *const lenses[] = {
        EXPORTING("{ mask = { blok = function(block) return nil end } }"),
        EXPORTING("{ mask = { block = 5 } }"),
        EXPORTING("{ mask = { block = true } }"),
        EXPORTING("{ mask = 'x' }"),
        EXPORTING("{ mask = {} }"),
        EXPORTING("'x'"),
    };
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    for (size_t i = 0; i < sizeof lenses / sizeof *lenses; i++) {
        world_write(world, "policies/token_lens.lua", lenses[i]);
        assert_string_equal(world_reload(world, ""), "script_bad_shape");
        assert_listed(world, "defaults/error/where", "\"policies/token_lens.lua:1\"");
    }
}

#define EXTENDING(transforms)                                                                                                              \
    "local default = require('defaults.token_lens') return { name = 'o', version = 1, api = 1, lens = function(actor, scope) return "      \
    "default.lens(actor, scope) end" transforms " }"

/* What a tenant's lens takes from the default keeps what the default does to it. */
static void the_default_s_transform_is_used_where_the_tenant_has_none(void **state)
{
    struct script_world *world = *state;
    const struct gw_policy *policy;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_write(world, "policies/tenants/acme/token_lens.lua", EXTENDING(""));
    world_write(world, "policies/tenants/own/token_lens.lua",
                EXTENDING(", transforms = { mask = { token = function(key, value) return 'own' end } }"));
    world_open(world);
    policy = gw_script_host_port(world->host);
    struct gw_plan *plan = plan_of(world, "acme"), *own = plan_of(world, "own");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    assert_string_equal(masked(world->host, own, GW_TRANSFORM_TOKEN, "k"), "own");
    assert_true(policy->has_transforms(policy->self, "acme"));
    gw_plan_unref(plan);
    gw_plan_unref(own);
}

/* ---- what has been asked, and what may not be ------------------------------------------------------------------------------------------ */

#define ANSWERING(answer)                                                                                                                  \
    "return { name = 't', version = 1, api = 1, lens = function() return { tokens = { read = { '*' } }, transform = 'mask' } end,"         \
    " transforms = { mask = { block = function(block) return " answer " end, token = function(key, value) return " answer " end } } }"

/* What the transform makes of a block: canonical JSON of what is shown of props and text. */
static void assert_block(struct script_world *world, const char *given, const char *shown)
{
    static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 100};
    struct gw_plan *plan = plan_of(world, "acme");
    struct gw_lens lens = {plan, gw_script_host_port(world->host)};
    struct gw_plan_thing thing = {.kind = "task"};
    struct gw_seen_block block = {.text = gw_json_new_text("t", 1)}, seen;
    struct gw_error err;
    struct gw_buffer text;
    assert_int_equal(gw_json_parse(given, strlen(given), &limits, &block.props, &err), 0);
    assert_int_equal(gw_lens_block(&lens, "b", &thing, &block, &seen), 0);
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(seen.props, &text);
    gw_json_write_canonical(seen.text, &text);
    gw_buffer_append_char(&text, '\0');
    assert_string_equal(text.data, shown);
    gw_buffer_fini(&text);
    gw_seen_block_fini(&block);
    gw_seen_block_fini(&seen);
    gw_plan_unref(plan);
}

static int64_t calls(const struct script_world *world)
{
    return gw_metric_value(
        gw_metrics_counter(world->metrics, "atoms_script_calls_total", "hook=\"transform\"", "Calls of scripts, by hook."));
}

static int64_t failures(const struct script_world *world)
{
    return gw_metric_value(gw_metrics_counter(world->metrics, "atoms_script_failures_total", "hook=\"transform\"",
                                              "Calls of scripts that failed and so denied."));
}

static void a_value_is_asked_about_once(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme"), *other = plan_of(world, "beta");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
        assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "gone"), "null");
        assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "bad"), "policy_failed");
    }
    assert_int_equal(calls(world), 3);
    assert_int_equal(failures(world), 1);
    assert_string_equal(masked(world->host, other, GW_TRANSFORM_TOKEN, "k"), "k=v");
    assert_int_equal(calls(world), 4);
    gw_plan_unref(plan);
    gw_plan_unref(other);
}

static void what_is_of_another_type_is_left_out_and_counts_once(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua", ANSWERING("{ props = { a = '7x', b = 1.5, c = 2, d = { x = 1 } }, text = 'shown' }"));
    world_open(world);
    assert_block(world, "{\"a\":1,\"b\":2,\"c\":2.5,\"d\":{}}", "{\"c\":2,\"d\":{\"x\":1}}\"shown\"");
    assert_int_equal(failures(world), 1);
    assert_block(world, "{\"a\":1,\"b\":2,\"c\":2.5,\"d\":{}}", "{\"c\":2,\"d\":{\"x\":1}}\"shown\"");
    assert_int_equal(failures(world), 1);
    assert_listed(world, "tenants/0/error/code", "\"script_bad_result\"");
    struct gw_plan *plan = plan_of(world, "acme");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "null");
    assert_int_equal(failures(world), 2);
    gw_plan_unref(plan);
    world_write(world, "policies/token_lens.lua", ANSWERING("{ props = 5, text = 7 }"));
    assert_string_equal(world_reload(world, ""), "");
    assert_block(world, "{\"a\":1}", "{}\"\"");
    assert_int_equal(failures(world), 3);
    world_write(world, "policies/token_lens.lua", ANSWERING("'text'"));
    assert_string_equal(world_reload(world, ""), "");
    assert_block(world, "{\"a\":1}", "{}\"\"");
    assert_int_equal(failures(world), 4);
}

static void what_nobody_looks_at_is_not_kept(void **state)
{
    struct script_world *world = *state;
    world_write(world, "policies/token_lens.lua",
                ANSWERING("{ props = { a = 2, more = ('x'):rep(100000) }, text = 'shown', more = ('x'):rep(100000) }"));
    world_open(world);
    assert_block(world, "{\"a\":1}", "{\"a\":2}\"shown\"");
    assert_in_range(world->host->answer_bytes, 1, 1000);
}

/* Megabytes of them, again and again. */
static void answers_of_one_tenant_push_out_no_other_s(void **state)
{
    struct script_world *world = *state;
    char key[16];
    world_write(world, "policies/token_lens.lua",
                "return { name = 't', version = 1, api = 1, lens = function() return { tokens = { read = { '*' } }, transform = 'mask' } end,"
                " transforms = { mask = { token = function(key, value) return key == 'small' and value or ('x'):rep(100000) end } } }");
    world->opts.limits.tenant_ms_per_s = 1000000;
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme"), *other = plan_of(world, "beta");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "small"), "v");
    int64_t before = calls(world);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key%d", i);
        (void)masked(world->host, other, GW_TRANSFORM_TOKEN, key);
        assert_true(world->host->answer_bytes <= (size_t)8 << 20);
    }
    assert_int_equal(calls(world), before + 200);
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "small"), "v");
    assert_string_equal(masked(world->host, other, GW_TRANSFORM_TOKEN, "small"), "v");
    assert_int_equal(calls(world), before + 201);
    gw_plan_unref(plan);
    gw_plan_unref(other);
}

/* Whoever has the most gives way, its oldest first; but for what is in use. */
static void classes_of_one_tenant_push_out_no_other_s(void **state)
{
    struct script_world *world = *state;
    struct gw_generation *generation;
    char tenant_id[GW_ID_MAX + 1];
    struct gw_error err;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme");
    assert_int_equal(gw_scripts_get(world->scripts, "beta", &generation, &err), 0);
    for (uint64_t class = 1; class <= 2 * GW_SCRIPTS_CLASSES_MAX; class++) {
        struct gw_generation *found;
        gw_scripts_put_class(world->scripts, class, "beta", generation);
        assert_true(gw_scripts_find_class(world->scripts, 1, tenant_id, &found));
        gw_generation_unref(found);
    }
    struct gw_generation *found;
    assert_string_equal(tenant_id, "beta");
    assert_false(gw_scripts_find_class(world->scripts, 2, tenant_id, &found));
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    gw_generation_unref(generation);
    gw_plan_unref(plan);
}

/* Every look at this clock takes time. */
static uint64_t slow_ns(void *self)
{
    static uint64_t now;
    (void)self;
    return now += 2 * UINT64_C(1000000);
}

/* Opens the world anew, its scripts' time measured by that clock. */
static void open_slow(struct script_world *world, const struct gw_clock *slow, uint32_t call_ms)
{
    struct gw_error err;
    world_open(world);
    gw_script_host_destroy(world->host);
    gw_scripts_destroy(world->scripts);
    world->opts.budget_clock = slow;
    world->opts.limits.call.call_ms = call_ms;
    assert_int_equal(gw_scripts_create(&world->opts, &world->scripts, &err), 0);
    world->host = gw_script_host_create(world->scripts);
}

/* Nothing is shown in the place of what there is no time for: it is not known. */
static void what_there_is_no_time_for_is_neither_shown_nor_left_out(void **state)
{
    struct script_world *world = *state;
    const struct gw_policy *policy;
    struct gw_clock slow = world->clock;
    struct gw_error why;
    char key[16];
    int answered = 0;
    slow.monotonic_ns = slow_ns;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    open_slow(world, &slow, 5000);
    policy = gw_script_host_port(world->host);
    struct gw_plan *plan = plan_of(world, "acme");
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        answered += strcmp(masked(world->host, plan, GW_TRANSFORM_TOKEN, key), "script_budget") != 0;
    }
    assert_in_range(answered, 1, 25);
    assert_string_equal(world_lens(world, "acme", "another", NULL), ""); /* half is left for other hooks */
    assert_int_equal(gw_lens_why(policy, &why), GW_ELIMIT);
    assert_string_equal(why.id, "script_budget");
    assert_true(why.is_retryable);
    assert_int_equal(gw_lens_why(policy, &why), GW_ENOMEM);
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "key0"), "key0=v");
    world->now_ms += 2000;
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "key99"), "key99=v");
    gw_plan_unref(plan);
}

static int64_t script_ns(const struct script_world *world)
{
    return gw_metric_value(
        gw_metrics_counter(world->metrics, "atoms_script_nanoseconds_total", "hook=\"transform\"", "Time spent in scripts, by hook."));
}

static void what_an_answer_costs_after_the_script_is_the_tenant_s_too(void **state)
{
    struct script_world *world = *state;
    struct gw_script_tenant *tenant;
    struct gw_clock slow = world->clock;
    struct gw_error err;
    slow.monotonic_ns = slow_ns;
    world_write(world, "policies/token_lens.lua", MASKING("="));
    open_slow(world, &slow, 5000);
    struct gw_plan *plan = plan_of(world, "acme");
    assert_int_equal(gw_host_tenant(world->host, "acme", &tenant, &err), 0);
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "k=v");
    int64_t spent = tenant->meter.spent_ns, script = script_ns(world);
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "l"), "l=v");
    assert_true(tenant->meter.spent_ns - spent > script_ns(world) - script);
    gw_plan_unref(plan);
}

static void what_took_too_long_is_not_known_either(void **state)
{
    struct script_world *world = *state;
    struct gw_clock slow = world->clock;
    struct gw_error why;
    world_write(world, "policies/token_lens.lua",
                "return { name = 't', version = 1, api = 1, lens = function() return { transform = 'mask' } end,"
                " transforms = { mask = { token = function() while true do end end } } }");
    world_open(world);
    struct gw_plan *plan = plan_of(world, "acme");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "policy_failed"); /* by instructions: it always is */
    assert_int_equal(gw_lens_why(gw_script_host_port(world->host), &why), GW_ENOMEM);
    gw_plan_unref(plan);
    gw_script_host_destroy(world->host);
    gw_scripts_destroy(world->scripts);
    slow.monotonic_ns = slow_ns;
    open_slow(world, &slow, 50);
    plan = plan_of(world, "acme");
    assert_string_equal(masked(world->host, plan, GW_TRANSFORM_TOKEN, "k"), "policy_failed"); /* by the clock */
    assert_int_equal(gw_lens_why(gw_script_host_port(world->host), &why), GW_EDENIED);
    gw_plan_unref(plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_world_setup, script_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_class_is_transformed_on_every_worker),
        TEST(what_has_no_function_stays_as_it_is),
        TEST(nothing_is_shown_of_what_fails_or_is_dropped),
        TEST(a_class_keeps_its_own_scripts_after_a_swap),
        TEST(who_has_transforms_is_known_without_a_plan),
        TEST(a_plan_whose_transform_is_not_there_denies),
        TEST(a_value_is_asked_about_once),
        TEST(a_tenant_s_class_outlives_a_change_of_the_defaults),
        TEST(what_is_of_another_type_is_left_out_and_counts_once),
        TEST(what_there_is_no_time_for_is_neither_shown_nor_left_out),
        TEST(what_took_too_long_is_not_known_either),
        TEST(what_an_answer_costs_after_the_script_is_the_tenant_s_too),
        TEST(what_nobody_looks_at_is_not_kept),
        TEST(answers_of_one_tenant_push_out_no_other_s),
        TEST(classes_of_one_tenant_push_out_no_other_s),
        TEST(a_malformed_transform_does_not_load),
        TEST(the_default_s_transform_is_used_where_the_tenant_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
