/* Policies of tenants that come from the registry, through a port that is a table in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hub/overlay_port.h"
#include "hub/plan.h"
#include "script/script_check.h"
#include "script/script_tenants.h"
#include "script/scripts_support.h"

#define READS(glob) LENS("return { tokens = { read = { '" glob "' } } }")

/* value: one tenant's newest version, of one file */
struct table {
    const char *tenant_id, *name;
    char text[512];
    uint64_t version;
    bool is_busy;
    struct gw_overlays port;
};
static struct table table;

static int read_table(void *self, struct gw_overlay_read *read, struct gw_error *err)
{
    const struct table *t = self;
    if (t->is_busy)
        return gw_error_set(err, GW_EBUSY, "registry_pending", "not known yet");
    if (t->version == 0 || strcmp(read->tenant_id, t->tenant_id) != 0)
        return GW_OK;
    struct gw_overlay_file file = {.name = t->name, .text = t->text, .length = strlen(t->text)};
    read->version = t->version;
    return read->file(read->arg, &file, err);
}

static int write_table(void *self, struct gw_overlay_write *write, struct gw_error *err)
{
    struct table *t = self;
    (void)err;
    assert_int_equal(write->count, 1);
    assert_string_equal(write->files[0].name, "token_lens.lua");
    snprintf(t->text, sizeof t->text, "%.*s", (int)write->files[0].length, write->files[0].text);
    write->version = ++t->version;
    return GW_OK;
}

static int list_table(void *self, int (*tenant)(void *arg, const char *tenant_id), void *arg, struct gw_error *err)
{
    const struct table *t = self;
    (void)err;
    return t->version ? tenant(arg, t->tenant_id) : GW_OK;
}

static void store(const char *text)
{
    snprintf(table.text, sizeof table.text, "%s", text);
    table.version++;
}

static int setup(void **state)
{
    int status = script_world_setup(state);
    struct script_world *world = *state;
    table = (struct table){.tenant_id = "acme", .name = "token_lens.lua"};
    table.port = (struct gw_overlays){.self = &table, .read = read_table, .write = write_table, .tenants = list_table};
    world->opts.overlays = &table.port;
    return status;
}

static void assert_reads(struct script_world *world, const char *key, bool expected)
{
    struct gw_plan *plan;
    assert_string_equal(world_lens(world, "acme", "owner", &plan), "");
    assert_int_equal(gw_plan_reads_token(plan, key), expected);
    gw_plan_unref(plan);
}

static void the_newest_version_is_laid_over_the_defaults(void **state)
{
    struct script_world *world = *state;
    store(READS("plan.*"));
    world_open(world);
    assert_reads(world, "plan.title", true);
    assert_reads(world, "ui.zoom", false);
    assert_listed(world, "tenants/0/source", "\"registry\"");
    assert_listed(world, "tenants/0/version", "1");
    store(READS("ui.*"));
    assert_reads(world, "ui.zoom", false);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "ui.zoom", true);
    assert_listed(world, "tenants/0/version", "2");
}

static void the_operators_folder_goes_before_the_registry(void **state)
{
    struct script_world *world = *state;
    store(READS("plan.*"));
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("ui.*"));
    world_open(world);
    assert_reads(world, "ui.zoom", true);
    assert_listed(world, "tenants/0/source", "\"folder\"");
    world_write(world, "policies/tenants/acme", NULL);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "ui.zoom", false);
    assert_listed(world, "tenants/0/source", "\"registry\"");
}

static void a_version_of_the_same_files_is_another_one(void **state)
{
    struct script_world *world = *state;
    store(READS("plan.*"));
    world_open(world);
    assert_reads(world, "plan.title", true);
    table.version++;
    assert_string_equal(world_reload(world, "acme"), "");
    assert_listed(world, "tenants/0/version", "2");
}

static void a_fault_names_tenant_version_and_line(void **state)
{
    struct script_world *world = *state;
    store("return {\n  lens = = 1 }");
    world_open(world);
    assert_string_equal(world_lens(world, "acme", "owner", NULL), "policy_failed");
    assert_listed(world, "tenants/0/error/where", "\"overlays/acme/1/token_lens.lua:2\"");
}

static void a_registry_that_does_not_know_yet_denies_and_is_asked_again(void **state)
{
    struct script_world *world = *state;
    store(READS("plan.*"));
    table.is_busy = true;
    world_open(world);
    assert_string_not_equal(world_lens(world, "acme", "owner", NULL), "");
    table.is_busy = false;
    assert_reads(world, "plan.title", true);
}

static void a_tenant_that_had_none_is_found_when_it_has_one(void **state)
{
    struct script_world *world = *state;
    char **tenants;
    world_open(world);
    assert_reads(world, "ui.zoom", true);
    size_t count = gw_scripts_newcomers(world->scripts, &tenants);
    gw_script_tenants_free(tenants, count);
    assert_int_equal(count, 0);
    store(READS("plan.*"));
    count = gw_scripts_newcomers(world->scripts, &tenants);
    assert_int_equal(count, 1);
    assert_string_equal(tenants[0], "acme");
    gw_script_tenants_free(tenants, count);
    assert_string_equal(world_reload(world, "acme"), "");
    assert_reads(world, "ui.zoom", false);
    count = gw_scripts_newcomers(world->scripts, &tenants);
    gw_script_tenants_free(tenants, count);
    assert_int_equal(count, 0);
}

/* ---- putting ---------------------------------------------------------------------------------------------------------------------------- */

static void note(void *arg, const struct gw_script_finding *finding) { snprintf(arg, 160, "%s", finding->err->path); }

static const char *put(const struct script_world *world, const char *tenant_id, char where[160])
{
    static struct gw_error err;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/given/", world->root);
    struct gw_script_put put = {.tenant_id = tenant_id, .folder = folder, .check = {.found = note, .arg = where}};
    where[0] = '\0';
    return gw_scripts_put(&world->opts, &put, &err) ? err.id : "";
}

static void a_folder_without_faults_becomes_a_version(void **state)
{
    struct script_world *world = *state;
    char where[160];
    world_open(world);
    world_write(world, "given/token_lens.lua", READS("plan.*"));
    world_write(world, "given/spec/lens_spec.lua", "not even Lua");
    assert_string_equal(put(world, "acme", where), "");
    assert_int_equal(table.version, 1);
    assert_string_equal(table.text, READS("plan.*"));
}

static void a_faulty_folder_is_not_written_and_its_line_is_told(void **state)
{
    struct script_world *world = *state;
    char where[160], expected[160];
    world_open(world);
    world_write(world, "given/token_lens.lua", "return {\n  lens = = 1 }");
    assert_string_equal(put(world, "acme", where), "overlay_faulty");
    snprintf(expected, sizeof expected, "%s/given/token_lens.lua:2", world->root);
    assert_string_equal(where, expected);
    world_write(world, "given/token_lens.lua", LENS("return { tokens = { reed = { '*' } } }"));
    assert_string_equal(put(world, "acme", where), "overlay_faulty");
    assert_int_equal(table.version, 0);
}

static void nothing_is_written_where_it_would_not_count(void **state)
{
    struct script_world *world = *state;
    char where[160];
    world_open(world);
    world_write(world, "given/token_lens.lua", READS("plan.*"));
    world_write(world, "policies/tenants/acme/token_lens.lua", READS("ui.*"));
    assert_string_equal(put(world, "acme", where), "overlay_shadowed");
    assert_string_equal(put(world, "../acme", where), "bad_id");
    world_write(world, "given/token_lens.lua", NULL);
    assert_string_equal(put(world, "other", where), "overlay_empty");
    assert_int_equal(table.version, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, script_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_version_is_laid_over_the_defaults),
        TEST(the_operators_folder_goes_before_the_registry),
        TEST(a_version_of_the_same_files_is_another_one),
        TEST(a_fault_names_tenant_version_and_line),
        TEST(a_registry_that_does_not_know_yet_denies_and_is_asked_again),
        TEST(a_tenant_that_had_none_is_found_when_it_has_one),
        TEST(a_folder_without_faults_becomes_a_version),
        TEST(a_faulty_folder_is_not_written_and_its_line_is_told),
        TEST(nothing_is_written_where_it_would_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
