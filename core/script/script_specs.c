#include "script/script_specs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "script/generation.h"
#include "script/script_folder.h"
#include "script/script_tenants.h"
#include "script/sources.h"

#define PATH_BYTES 4096
#define PREFIX     "spec"
/* Specs may work for longer than what serves: they make up worlds. */
#define SPEC_FACTOR 20

/* What busted makes global, on the first line so that all others keep their numbers. */
static const char opening[] = "return function(describe, it, before_each, after_each, assert) ";
static const char closing[] = "\nend\n";

/* value: one folder of specs over one generation */
struct work {
    const struct gw_scripts_opts *opts;
    struct gw_script_specs *specs;
    const struct gw_generation *generation;
};

static void tell(const struct work *work, const struct gw_script_test *test)
{
    work->specs->good_count += test->is_good;
    work->specs->failed_count += !test->is_good;
    work->specs->ran(work->specs->arg, test);
}

static void tell_failure(const struct work *work, const char *file, const char *name, const struct gw_error *err)
{
    char message[sizeof err->message + sizeof err->path + 2];
    snprintf(message, sizeof message, "%s%s%s", err->path, err->path[0] ? ": " : "", err->message);
    tell(work, &(struct gw_script_test){.file = file, .name = name, .message = message});
}

/* ---- one file ------------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *call(struct gw_sandbox *sandbox, const char *function, const char *module, size_t index, struct gw_error *err)
{
    struct gw_json *args[2] = {gw_json_new_text(module, strlen(module)), gw_json_new_int((int64_t)index)}, *result = NULL;
    struct gw_sandbox_call call = {
        .module = "atoms.spec", .function = function, .args = args, .arg_count = index ? 2 : 1, .result_count = 1};
    struct gw_sandbox_cost cost;
    int status = args[0] && args[1] ? gw_sandbox_call(sandbox, &call, &result, &cost, err)
                                    : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a spec");
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    return status ? NULL : result;
}

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static void run_test(const struct work *work, struct gw_sandbox *sandbox, const struct gw_source *source, const char *name, size_t index)
{
    struct gw_error err;
    struct gw_json *result = call(sandbox, "run", source->module, index, &err);
    if (!result) {
        tell_failure(work, source->path, name, &err);
        return;
    }
    const struct gw_json *is_good = gw_json_get(result, "is_good");
    tell(work, &(struct gw_script_test){.file = source->path,
                                        .name = name,
                                        .is_good = gw_json_is_bool(is_good) && gw_json_bool(is_good),
                                        .message = text_of(result, "message")});
    gw_json_unref(result);
}

static void run_file(const struct work *work, struct gw_sources *sources, const struct gw_source *source)
{
    struct gw_sandbox_opts opts = {.sources = sources, .clock = work->opts->budget_clock, .limits = work->generation->limits.call};
    struct gw_sandbox *sandbox;
    struct gw_error err;
    opts.limits.call_instructions *= SPEC_FACTOR;
    opts.limits.call_ms *= SPEC_FACTOR;
    work->specs->file_count++;
    if (gw_sandbox_create(&opts, &sandbox, &err)) {
        tell_failure(work, source->path, "", &err);
        return;
    }
    struct gw_json *names = call(sandbox, "names", source->module, 0, &err);
    if (!names)
        tell_failure(work, source->path, "", &err);
    for (size_t i = 0; i < gw_json_count(names); i++)
        run_test(work, sandbox, source, gw_json_text(gw_json_at(names, i), NULL), i + 1);
    gw_json_unref(names);
    gw_sandbox_destroy(sandbox);
}

/* ---- folders -------------------------------------------------------------------------------------------------------------------------------- */

static bool is_spec(const struct gw_source *source)
{
    size_t length = strlen(source->module);
    return length > 5 && strcmp(source->module + length - 5, "_spec") == 0;
}

/* As a module that returns a function. */
static int add_wrapped(struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    struct gw_source wrapped = *source;
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_append(&text, opening, sizeof opening - 1);
    gw_buffer_append(&text, source->text, source->length);
    gw_buffer_append(&text, closing, sizeof closing - 1);
    wrapped.text = text.data;
    wrapped.length = text.length;
    int status =
        text.has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a spec") : gw_sources_add(sources, &wrapped, err);
    gw_buffer_fini(&text);
    return status;
}

static int add_all(struct gw_sources *to, const struct gw_sources *from, bool is_wrapping, struct gw_error *err)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_sources_count(from); i++) {
        const struct gw_source *source = gw_sources_at(from, i);
        status = is_wrapping && is_spec(source) ? add_wrapped(to, source, err) : gw_sources_share(to, from, i, err);
    }
    return status;
}

static void run_folder(const struct work *work, const char *path, const char *shown)
{
    static const char *const prefixes[] = {PREFIX, NULL};
    struct gw_script_folder folder = {.path = path, .shown = shown, .prefixes = prefixes};
    struct gw_sources *specs, *sources;
    struct gw_error err;
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return;
    specs = gw_sources_create();
    sources = gw_sources_create();
    int status = gw_script_folder_add(specs, &folder, &err);
    if (!status)
        status = add_all(sources, work->generation->sources, false, &err);
    if (!status)
        status = add_all(sources, specs, true, &err);
    if (status)
        tell_failure(work, shown, "", &err);
    for (size_t i = 0; !status && i < gw_sources_count(specs); i++)
        if (is_spec(gw_sources_at(specs, i)))
            run_file(work, sources, gw_sources_at(specs, i));
    gw_sources_unref(specs);
    gw_sources_unref(sources);
}

static void run_below(const struct work *work, const char *base, const char *shown, const char *name)
{
    char path[PATH_BYTES], label[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s%sspec", base, name, name[0] ? "/" : "") >= (int)sizeof path)
        return;
    snprintf(label, sizeof label, "%s/%s%sspec", shown, name, name[0] ? "/" : "");
    run_folder(work, path, label);
}

static void run_defaults(const struct work *work)
{
    struct gw_manifests *manifests = work->generation->manifests;
    const char *policies = work->opts->policies_shown, *canvases = work->opts->canvases_shown;
    run_below(work, work->opts->policies_dir, policies ? policies : "policies", "");
    for (size_t i = 0; i < gw_manifests_count(manifests); i++)
        run_below(work, work->opts->canvases_dir, canvases ? canvases : "canvases", gw_manifest_type(gw_manifests_at(manifests, i)));
}

static void run_tenant(const struct work *defaults, const char *tenant_id)
{
    char base[PATH_BYTES], shown[PATH_BYTES];
    struct gw_generation *overlay = NULL;
    struct gw_error err;
    if (gw_generation_read_overlay(defaults->opts, tenant_id, (struct gw_generation *)(uintptr_t)defaults->generation, &overlay, &err)) {
        tell_failure(defaults, tenant_id, "", &err);
        return;
    }
    struct work work = {.opts = defaults->opts, .specs = defaults->specs, .generation = overlay};
    snprintf(base, sizeof base, "%s/tenants", defaults->opts->policies_dir);
    snprintf(shown, sizeof shown, "%s/tenants", defaults->opts->policies_shown ? defaults->opts->policies_shown : "policies");
    if (overlay)
        run_below(&work, base, shown, tenant_id);
    gw_generation_unref(overlay);
}

int gw_scripts_run_specs(const struct gw_scripts_opts *opts, struct gw_script_specs *specs, struct gw_error *err)
{
    struct gw_generation *defaults;
    char **tenants;
    int status = gw_generation_read(opts, &defaults, err);
    if (status)
        return status;
    struct work work = {.opts = opts, .specs = specs, .generation = defaults};
    run_defaults(&work);
    size_t count = gw_script_tenants(opts->policies_dir, NULL, &tenants);
    for (size_t i = 0; i < count; i++)
        run_tenant(&work, tenants[i]);
    gw_script_tenants_free(tenants, count);
    gw_generation_unref(defaults);
    return GW_OK;
}
