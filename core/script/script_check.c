#include "script/script_check.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/overlay_port.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"
#include "script/generation.h"
#include "script/overlay.h"
#include "script/script_tenants.h"
#include "script/source_line.h"
#include "script/sources.h"
#include "script/transforms.h"

#define LENS "policy.token_lens"

/* Roles and kinds for which lenses are asked: those that ship. Another role's plan is seen when it is asked for. */
static const char *const roles[] = {"owner", "editor", "viewer", "planner", "director", "service"};
static const char *const kinds[] = {"user", "user", "user", "agent", "agent", "service"};

/* The commands that every run takes. */
static const char *const built_in[] = {"run.start",      "canvas.mount",   "canvas.commit", "canvas.restore", "undo",
                                       "token.set",      "block.insert",   "block.update",  "block.move",     "block.remove",
                                       "block.splice",   "chat_send",      "chat.append",   "chat.cancel",    "log.write",
                                       "graph.node.set", "graph.edge.set", "run.set_state"};

/* value: one generation being looked through */
struct look {
    struct gw_script_check *check;
    const struct gw_scripts_opts *opts;
    const struct gw_generation *generation;
    const char *tenant_id;
};

static void report(const struct look *look, bool is_warning, const struct gw_error *err, const char *hint)
{
    struct gw_script_finding finding = {.tenant_id = look->tenant_id, .is_warning = is_warning, .err = err, .hint = hint};
    look->check->error_count += !is_warning;
    look->check->warning_count += is_warning;
    look->check->found(look->check->arg, &finding);
}

static const char *hint_for(const struct gw_error *err)
{
    static const struct {
        const char *id, *hint;
    } hints[] = {
        {"script_syntax", "the line, or the one before it, is no Lua"},
        {"script_missing", "docs/scripting.md lists what each file returns"},
        {"script_api", "write api = 1 beside name and version"},
        {"plan_bad_shape", "docs/scripting.md, \"Plans\", has the shape"},
        {"script_budget", "the file works too long while it loads; do less, or do it in the function"},
        {"script_memory", "the file needs too much memory while it loads"},
        {"ceiling_bad_limit", "only these numbers can be lowered there"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(err->id, hints[i].id) == 0)
            return hints[i].hint;
    return "";
}

static void on_fault(void *arg, const struct gw_error *err) { report(arg, false, err, hint_for(err)); }

/* ---- plans ---------------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static struct gw_json *make_actor(const char *id, size_t role)
{
    struct gw_json *actor = gw_json_new_object();
    if (actor && !gw_json_set(actor, "id", text(id)) && !gw_json_set(actor, "kind", text(kinds[role])) &&
        !gw_json_set(actor, "role", text(roles[role])) && !gw_json_set(actor, "claims", gw_json_new_object()))
        return actor;
    gw_json_unref(actor);
    return NULL;
}

static struct gw_json *make_scope(const char *tenant_id)
{
    struct gw_json *scope = gw_json_new_object();
    if (scope && !gw_json_set(scope, "tenant_id", text(tenant_id[0] ? tenant_id : "acme")) && !gw_json_set(scope, "mode", text("dev")) &&
        !gw_json_set(scope, "project_id", text("p1")) && !gw_json_set(scope, "surface_id", text("web")) &&
        !gw_json_set(scope, "app_id", text("demo")))
        return scope;
    gw_json_unref(scope);
    return NULL;
}

/* What the lens answers; NULL: nothing, or a fault in *err with an id. */
static struct gw_json *ask(struct gw_sandbox *sandbox, const char *tenant_id, const char *id, size_t role, struct gw_error *err)
{
    static const char *const lists[] = {"read",     "write", "redact", "kinds",    "vis", "authors",
                                        "canvases", "props", "events", "commands", NULL};
    struct gw_json *args[2] = {make_actor(id, role), make_scope(tenant_id)}, *plan = NULL;
    struct gw_sandbox_call call = {
        .module = LENS, .function = "lens", .args = args, .arg_count = 2, .result_count = 1, .list_names = lists};
    struct gw_sandbox_cost cost;
    err->id[0] = '\0';
    if (args[0] && args[1])
        (void)gw_sandbox_call(sandbox, &call, &plan, &cost, err);
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    if (!gw_json_is_null(plan))
        return plan;
    gw_json_unref(plan);
    return NULL;
}

/* The line of the lens that says `text`, else that of the lens itself. */
static void place(const struct look *look, const char *text, struct gw_error *err)
{
    const struct gw_source *source = gw_sources_find(look->generation->sources, LENS);
    unsigned line = text ? gw_source_line_of(source, text, 1) : 0;
    if (!line)
        line = gw_source_line_of_function(source, "lens");
    snprintf(err->path, sizeof err->path, "%s:%u", source->path, line ? line : 1);
}

/* Could the glob mean this word? What stands before its first star must begin it; without a star it must be it. */
static bool may_mean(const char *glob, const char *word)
{
    size_t length = strcspn(glob, "*");
    return glob[length] ? strncmp(glob, word, length) == 0 : strcmp(glob, word) == 0;
}

static bool is_event(const char *glob)
{
    for (int type = 0; type < GW_EVENT_VOID; type++)
        if (may_mean(glob, gw_event_type_name((enum gw_event_type)type)))
            return true;
    return may_mean(glob, "gesture") || may_mean(glob, "presence");
}

static bool is_own_command(const struct gw_manifests *manifests, const char *glob)
{
    for (size_t i = 0; i < gw_manifests_count(manifests); i++) {
        void *iterator = NULL;
        const char *name;
        struct gw_json *value;
        while (gw_json_next(gw_manifest_member(gw_manifests_at(manifests, i), "commands"), &iterator, &name, &value))
            if (may_mean(glob, name))
                return true;
    }
    return false;
}

static bool is_command(const struct look *look, const char *glob)
{
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (may_mean(glob, built_in[i]))
            return true;
    return is_own_command(look->generation->manifests, glob);
}

static void check_words(const struct look *look, const struct gw_json *plan, const char *member)
{
    const struct gw_json *list = gw_json_get(plan, member);
    bool is_events = strcmp(member, "events") == 0;
    for (size_t i = 0; gw_json_is_array(list) && i < gw_json_count(list); i++) {
        const struct gw_json *entry = gw_json_at(list, i);
        const char *glob = gw_json_is_string(entry) ? gw_json_text(entry, NULL) : "*";
        glob += glob[0] == '!';
        if (is_events ? is_event(glob) : is_command(look, glob))
            continue;
        struct gw_error err;
        gw_error_set(&err, GW_EINVAL, is_events ? "unknown_event" : "unknown_command", "\"%.64s\" in %s means nothing that there is", glob,
                     member);
        place(look, gw_json_is_string(entry) ? gw_json_text(entry, NULL) : NULL, &err);
        report(look, true, &err, is_events ? "docs/contract.md lists the events" : "is it a slip, or a canvas that is not here?");
    }
}

/* The transform that it names is there; what is wrong with the file's transforms was told before. */
static bool finds_transform(const struct look *look, struct gw_sandbox *sandbox, const struct gw_json *plan)
{
    const struct gw_json *name = gw_json_get(plan, "transform");
    struct gw_found_transform found;
    struct gw_error err;
    if (!gw_json_is_string(name) || !gw_transforms_find(sandbox, look->generation->sources, gw_json_text(name, NULL), &found, &err))
        return true;
    report(look, false, &err, "export it as transforms.NAME, a table of functions block, token or message");
    return false;
}

static bool compiles(const struct look *look, const struct gw_json *plan)
{
    static const uint8_t some_hash[32];
    struct gw_plan_opts opts = {.tenant_id = look->tenant_id,
                                .source = plan,
                                .ceiling = look->generation->ceiling,
                                .actor_id = "ann",
                                .transform_hash = gw_json_get(plan, "transform") ? some_hash : NULL};
    struct gw_plan *compiled;
    struct gw_error err;
    if (!gw_plan_compile(&opts, &compiled, &err)) {
        gw_plan_unref(compiled);
        return true;
    }
    place(look, strrchr(err.path, '/') ? strrchr(err.path, '/') + 1 : NULL, &err);
    report(look, false, &err, hint_for(&err));
    return false;
}

static void warn_per_actor(const struct look *look, const char *role)
{
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "plan_per_actor", "the plan of role %s depends on who exactly asks", role);
    place(look, NULL, &err);
    report(look, true, &err,
           "each actor gets a class of its own, and so its own projection of every event; use `authors = { \"self\" }` or roles");
}

static bool says_self(const struct gw_json *value)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *member;
    if (gw_json_is_string(value))
        return strcmp(gw_json_text(value, NULL), "self") == 0;
    for (size_t i = 0; gw_json_is_array(value) && i < gw_json_count(value); i++)
        if (says_self(gw_json_at(value, i)))
            return true;
    while (gw_json_is_object(value) && gw_json_next(value, &iterator, &name, &member))
        if (says_self(member))
            return true;
    return false;
}

static void check_role(const struct look *look, struct gw_sandbox *sandbox, size_t role)
{
    struct gw_error err;
    struct gw_json *plan = ask(sandbox, look->tenant_id, "ann", role, &err);
    if (!plan && err.id[0]) {
        report(look, false, &err, hint_for(&err));
        return;
    }
    if (plan && finds_transform(look, sandbox, plan) && compiles(look, plan)) {
        struct gw_json *other = ask(sandbox, look->tenant_id, "bob", role, &err);
        if (!other || !gw_json_equal(plan, other) || says_self(gw_json_get(plan, "blocks")) || says_self(gw_json_get(plan, "chat")))
            warn_per_actor(look, roles[role]);
        check_words(look, plan, "events");
        check_words(look, plan, "commands");
        gw_json_unref(other);
    }
    gw_json_unref(plan);
}

static void check_plans(const struct look *look)
{
    struct gw_sandbox_opts opts = {.sources = look->generation->sources,
                                   .clock = look->opts->budget_clock,
                                   .limits = look->generation->limits.call,
                                   .is_entry = gw_generation_is_entry};
    struct gw_sandbox *sandbox;
    struct gw_error err;
    size_t before = look->check->error_count + look->check->warning_count;
    if (gw_sandbox_create(&opts, &sandbox, &err)) {
        report(look, false, &err, hint_for(&err));
        return;
    }
    /* What is wrong with one role's plan mostly is so with the next one's as well. */
    for (size_t i = 0; look->check->error_count + look->check->warning_count == before && i < sizeof roles / sizeof *roles; i++)
        check_role(look, sandbox, i);
    gw_sandbox_destroy(sandbox);
}

/* ---- generations ---------------------------------------------------------------------------------------------------------------------------- */

static void look_through(const struct look *look)
{
    look->check->file_count += gw_sources_file_count(look->generation->own);
    if (gw_generation_check_each(look->generation, look->opts->budget_clock, on_fault, (void *)(uintptr_t)look) == 0)
        check_plans(look);
}

/* Lays the overlay, whose files it takes, over `defaults` and looks it through; false when it has a fault. */
static bool try_overlay(struct look *look, struct gw_overlay *overlay, struct gw_generation *defaults)
{
    struct gw_generation *generation = NULL;
    struct gw_error err;
    size_t before = look->check->error_count;
    if (gw_generation_lay(look->opts, overlay, defaults, &generation, &err)) {
        on_fault(look, &err);
        return false;
    }
    look->generation = generation;
    look_through(look);
    gw_generation_unref(generation);
    return look->check->error_count == before;
}

static void look_at_tenant(struct gw_script_check *check, const struct gw_scripts_opts *opts, struct gw_generation *defaults,
                           const char *tenant_id)
{
    struct look look = {.check = check, .opts = opts, .tenant_id = tenant_id};
    struct gw_overlay overlay;
    struct gw_error err;
    check->tenant_count++;
    if (gw_overlay_read(opts, tenant_id, &overlay, &err))
        on_fault(&look, &err);
    else if (overlay.files)
        (void)try_overlay(&look, &overlay, defaults);
}

void gw_scripts_check(const struct gw_scripts_opts *opts, struct gw_script_check *check)
{
    struct look look = {.check = check, .opts = opts, .tenant_id = ""};
    struct gw_generation *defaults;
    struct gw_error err;
    char **tenants;
    if (gw_generation_read(opts, &defaults, &err)) {
        on_fault(&look, &err);
        return;
    }
    look.generation = defaults;
    look_through(&look);
    size_t count = gw_script_tenants(opts->policies_dir, opts->overlays, &tenants);
    for (size_t i = 0; i < count; i++)
        look_at_tenant(check, opts, defaults, tenants[i]);
    gw_script_tenants_free(tenants, count);
    gw_generation_unref(defaults);
}

/* ---- writing to the registry ---------------------------------------------------------------------------------------------------------------- */

static int refuse_shadowed(const char *tenant_id, struct gw_error *err)
{
    return gw_error_set(err, GW_ECONFLICT, "overlay_shadowed",
                        "policies_dir/tenants/%s is there and goes before the registry: remove it, or change the files there", tenant_id);
}

/* What is written is what was looked at, whatever becomes of the folder meanwhile. */
static int try_and_write(const struct gw_scripts_opts *opts, struct gw_script_put *put, struct gw_generation *defaults,
                         struct gw_error *err)
{
    struct look look = {.check = &put->check, .opts = opts, .tenant_id = put->tenant_id};
    struct gw_overlay overlay, tried;
    int status = gw_overlay_read_folder(put->folder, put->tenant_id, &overlay, err);
    if (status)
        return status;
    put->check.tenant_count = 1;
    tried = overlay;
    tried.files = gw_sources_ref(overlay.files);
    if (gw_sources_count(overlay.files) == 0)
        status = gw_error_set(err, GW_EINVAL, "overlay_empty", "%.200s holds no policies", put->folder);
    else if (!try_overlay(&look, &tried, defaults))
        status = gw_error_set(err, GW_EINVAL, "overlay_faulty",
                              "over the defaults in %.150s the policies have faults, told above; nothing was written", opts->policies_dir);
    else
        status = gw_overlay_write(opts, &overlay, &put->version, err);
    gw_overlay_fini(&tried);
    gw_overlay_fini(&overlay);
    return status;
}

int gw_scripts_put(const struct gw_scripts_opts *opts, struct gw_script_put *put, struct gw_error *err)
{
    struct gw_generation *defaults;
    if (!gw_id_is_valid(put->tenant_id, strlen(put->tenant_id)))
        return gw_error_set(err, GW_EINVAL, "bad_id", "no tenant has such an id");
    if (gw_overlay_has_folder(opts, put->tenant_id))
        return refuse_shadowed(put->tenant_id, err);
    int status = gw_generation_read(opts, &defaults, err);
    if (status)
        return status;
    status = try_and_write(opts, put, defaults, err);
    gw_generation_unref(defaults);
    return status;
}

int gw_scripts_take_back(const struct gw_scripts_opts *opts, const struct gw_script_put *put, struct gw_error *err)
{
    return opts->overlays->withdraw(opts->overlays->self, put->tenant_id, put->version, err);
}
