#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/plan.h"
#include "script/scripts_support.h"

static uint64_t now_ms(void *self) { return ((struct script_world *)self)->now_ms; }

static uint64_t now_ns(void *self) { return now_ms(self) * 1000000; }

static int64_t wall_ms(void *self) { return 1790000000000 + (int64_t)now_ms(self); }

static void no_random(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

int script_world_setup(void **state)
{
    static struct script_world world;
    world = (struct script_world){.root = "/tmp/atoms-scripts-XXXXXX", .now_ms = 1000000};
    if (!mkdtemp(world.root))
        return -1;
    world.clock =
        (struct gw_clock){.self = &world, .monotonic_ms = now_ms, .monotonic_ns = now_ns, .wall_ms = wall_ms, .random = no_random};
    world.metrics = gw_metrics_create();
    world_write(&world, "policies/token_lens.lua", LENS("return { tokens = { read = { '*' } } }"));
    world_write(&world, "canvases/README.md", "none");
    *state = &world;
    return 0;
}

static void run(const char *format, const char *root, const char *name)
{
    char command[256];
    snprintf(command, sizeof command, format, root, name);
    assert_int_equal(system(command), 0);
}

int script_world_teardown(void **state)
{
    struct script_world *world = *state;
    gw_script_host_destroy(world->host);
    gw_scripts_destroy(world->scripts);
    gw_metrics_destroy(world->metrics);
    run("rm -rf '%s'%s", world->root, "");
    return 0;
}

void world_write(const struct script_world *world, const char *name, const char *text)
{
    char path[192];
    if (!text) {
        run("rm -r '%s/%s'", world->root, name);
        return;
    }
    run("mkdir -p \"$(dirname '%s/%s')\"", world->root, name);
    snprintf(path, sizeof path, "%s/%s", world->root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

void world_open(struct script_world *world)
{
    static char policies[96], canvases[96];
    struct gw_error err;
    snprintf(policies, sizeof policies, "%s/policies", world->root);
    snprintf(canvases, sizeof canvases, "%s/canvases", world->root);
    struct gw_scripts_opts *opts = &world->opts;
    opts->policies_dir = policies;
    opts->canvases_dir = canvases;
    opts->lua_dir = "lua";
    opts->clock = opts->budget_clock = &world->clock;
    opts->metrics = world->metrics;
    if (opts->limits.max_states == 0)
        gw_script_limits_default(&opts->limits);
    if (gw_scripts_create(opts, &world->scripts, &err))
        fail_msg("%s: %s (%s)", err.path, err.message, err.id);
    world->host = gw_script_host_create(world->scripts);
}

const char *world_reload(struct script_world *world, const char *tenant_id)
{
    static struct gw_error err;
    struct gw_script_stage *stage;
    err = (struct gw_error){0};
    if (!gw_scripts_stage(world->scripts, tenant_id, &stage, &err))
        (void)gw_scripts_commit(world->scripts, stage, &err);
    return err.id;
}

const char *world_lens(struct script_world *world, const char *tenant_id, const char *role, struct gw_plan **plan)
{
    static struct gw_error err;
    struct gw_actor actor = {.id = "ann", .kind = GW_ACTOR_USER};
    struct gw_scope scope = {.mode = "dev", .project_id = "p1", .surface_id = "web", .app_id = "demo", .run_id = "r1"};
    struct gw_policy_subject subject = {.actor = &actor, .role = role, .scope = &scope};
    const struct gw_policy *policy = gw_script_host_port(world->host);
    struct gw_plan *answer;
    snprintf(scope.tenant_id, sizeof scope.tenant_id, "%s", tenant_id);
    err = (struct gw_error){0};
    if (policy->lens(policy->self, &subject, &answer, &err))
        return err.id;
    if (plan)
        *plan = answer;
    else
        gw_plan_unref(answer);
    return "";
}

void assert_listed(struct script_world *world, const char *path, const char *json)
{
    struct gw_json *list = gw_scripts_list(world->scripts), *at = list;
    char name[64];
    for (size_t length; at && *path; path += length + (path[length] == '/')) {
        length = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        at = gw_json_is_array(at) ? gw_json_at(at, strtoul(name, NULL, 10)) : gw_json_get(at, name);
    }
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    if (at)
        gw_json_write_canonical(at, &text);
    gw_buffer_append_char(&text, '\0');
    assert_string_equal(text.data, json);
    gw_buffer_fini(&text);
    gw_json_unref(list);
}
