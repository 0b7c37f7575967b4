/* Checking a generation before it is in force: what can be told without anybody asking. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "hub/plan_layer.h"
#include "script/generation.h"
#include "script/rule_file.h"
#include "script/source_line.h"
#include "script/sources.h"
#include "script/transforms.h"

#define FUNCTION_BYTES 192

/* value */
struct check {
    const struct gw_generation *generation;
    struct gw_sandbox *sandbox;
    const struct gw_source *source;
    struct gw_error *err;
};

/* The files that are asked something by their name, and by which function. */
static const struct hook {
    const char *module, *function;
} hooks[] = {{"policy.token_lens", "lens"}, {"policy.context_lens", "context"}, {"policy.sanitize", "sanitize"}};

/* At the line that says `about`, a name or a text of the file; NULL, or where none does: at the first. */
static int refuse(const struct check *check, const char *id, const char *about, const char *what)
{
    unsigned line = about ? gw_source_line_of(check->source, about, 1) : 0;
    gw_error_set(check->err, GW_EINVAL, id, "%s", what);
    snprintf(check->err->path, sizeof check->err->path, "%.145s:%u", check->source->path, line ? line : 1);
    return GW_EINVAL;
}

static int need(const struct check *check, const char *function, const char *about)
{
    char what[FUNCTION_BYTES + 64];
    int answer = gw_sandbox_has(check->sandbox, check->source->module, function, check->err);
    if (answer)
        return answer < 0 ? answer : GW_OK;
    snprintf(what, sizeof what, "the file returns no function %s", function);
    return refuse(check, "script_missing", about, what);
}

static int check_api(const struct check *check, const struct gw_json *data)
{
    const struct gw_json *api = gw_json_get(data, "api");
    if (gw_json_is_int(api) && gw_json_int(api) == GW_SCRIPT_API)
        return GW_OK;
    return refuse(check, "script_api", "api", "the file must say api = 1");
}

/* ---- policies/commands ------------------------------------------------------------------------------------------------------------------ */

static int check_validator(const struct check *check, const struct gw_json *data)
{
    int has_validate = gw_sandbox_has(check->sandbox, check->source->module, "validate", check->err);
    if (has_validate < 0)
        return has_validate;
    struct gw_rule_fault fault = gw_rule_fault(data, has_validate == 1);
    return fault.id ? refuse(check, fault.id, fault.about, fault.message) : GW_OK;
}

/* ---- canvases --------------------------------------------------------------------------------------------------------------------------- */

/* "canvas.planning.commands" → the manifest of planning; NULL for other files of its folder. */
static const struct gw_manifest *manifest_of(const struct check *check)
{
    static const char before[] = "canvas.", after[] = ".commands";
    const char *module = check->source->module;
    size_t length = strlen(module), edges = strlen(before) + strlen(after);
    char type[GW_ID_MAX + 1];
    if (length <= edges || strcmp(module + length - strlen(after), after) != 0)
        return NULL;
    snprintf(type, sizeof type, "%.*s", (int)(length - edges), module + strlen(before));
    return gw_manifests_get(check->generation->manifests, type);
}

static int check_command(const struct check *check, const struct gw_manifest *manifest, const char *name)
{
    char function[FUNCTION_BYTES];
    if (!gw_json_get(gw_manifest_member(manifest, "commands"), name)) {
        snprintf(function, sizeof function, "the manifest declares no command %.64s", name);
        return refuse(check, "script_bad_shape", name, function);
    }
    snprintf(function, sizeof function, "/commands/%.64s/reduce", name);
    return need(check, function, name);
}

static int check_canvas(const struct check *check, const struct gw_json *data)
{
    const struct gw_manifest *manifest = manifest_of(check);
    const struct gw_json *commands = gw_json_get(data, "commands");
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = GW_OK;
    if (!manifest)
        return GW_OK;
    if (!gw_json_is_object(commands))
        return refuse(check, "script_bad_shape", "commands", "commands must be a table of commands");
    while (!status && gw_json_next(commands, &iterator, &name, &value))
        status = check_command(check, manifest, name);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------------ */

static bool begins_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

static int check_data(const struct check *check, const struct gw_json *data)
{
    const char *module = check->source->module;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        if (strcmp(module, hooks[i].module) != 0)
            continue;
        int status = check_api(check, data);
        if (!status)
            status = need(check, hooks[i].function, NULL);
        return status || i > 0 ? status : gw_transforms_check(check->sandbox, check->source, check->err);
    }
    if (begins_with(module, "policy.commands."))
        return check_validator(check, data);
    if (manifest_of(check)) {
        int status = check_api(check, data);
        return status ? status : check_canvas(check, data);
    }
    return GW_OK;
}

static int check_file(const struct check *check)
{
    struct gw_json *data = NULL;
    const char *module = check->source->module;
    if (strcmp(module, "policy.ceiling") == 0 || !(begins_with(module, "policy.") || begins_with(module, "canvas.")))
        return GW_OK;
    int status = gw_sandbox_data(check->sandbox, module, &data, check->err);
    if (!status)
        status = check_data(check, data);
    gw_json_unref(data);
    return status;
}

/* Ends with the first fault unless `found` is told of it. */
static int check_files(const struct gw_generation *generation, const struct gw_clock *clock, struct check *check,
                       void (*found)(void *arg, const struct gw_error *err), void *arg)
{
    struct gw_sandbox_opts opts = {
        .sources = generation->sources, .clock = clock, .limits = generation->limits.call, .is_entry = gw_generation_is_entry};
    int count = 0, status = gw_sandbox_create(&opts, &check->sandbox, check->err);
    for (size_t i = 0; !status && i < gw_sources_count(generation->own); i++) {
        check->source = gw_sources_at(generation->own, i);
        status = check_file(check);
        if (!status || !found)
            continue;
        found(arg, check->err);
        count++;
        status = GW_OK;
    }
    gw_sandbox_destroy(check->sandbox);
    return status ? status : count;
}

static const struct gw_generation *base_of(const struct gw_generation *generation)
{
    return generation->defaults ? generation->defaults : generation;
}

static int say_no_lens(struct gw_error *err)
{
    return gw_error_set(err, GW_ENOTFOUND, "script_missing", "policies_dir holds no token_lens.lua");
}

int gw_generation_check(const struct gw_generation *generation, const struct gw_clock *clock, struct gw_error *err)
{
    struct check check = {.generation = base_of(generation), .err = err};
    if (!gw_sources_find(generation->sources, "policy.token_lens"))
        return say_no_lens(err);
    return check_files(generation, clock, &check, NULL, NULL);
}

size_t gw_generation_check_each(const struct gw_generation *generation, const struct gw_clock *clock,
                                void (*found)(void *arg, const struct gw_error *err), void *arg)
{
    struct gw_error err;
    struct check check = {.generation = base_of(generation), .err = &err};
    if (gw_sources_find(generation->sources, "policy.token_lens")) {
        int count = check_files(generation, clock, &check, found, arg);
        if (count >= 0)
            return (size_t)count;
    } else {
        say_no_lens(&err);
    }
    found(arg, &err);
    return 1;
}
