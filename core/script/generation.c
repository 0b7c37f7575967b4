#include "script/generation.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"
#include "hub/ports.h"
#include "script/data_file.h"
#include "script/manifest_files.h"
#include "script/overlay.h"
#include "script/script_folder.h"
#include "script/sources.h"

#define PATH_BYTES    4096
#define CEILING_SHARE 5 /* of what one call may use */

void gw_script_limits_default(struct gw_script_limits *limits)
{
    *limits = (struct gw_script_limits){
        .tenant_ms_per_s = 100, .max_states = 256, .max_overlays = 1024, .max_plans = 4096, .keep_versions = 16, .max_rates = 65536};
    gw_sandbox_limits_default(&limits->call);
    limits->call.result_bytes = GW_CONTEXT_MAX_BYTES; /* as much as one may ask for */
    limits->call.result_nodes = 65536;
}

struct gw_generation *gw_generation_ref(struct gw_generation *generation)
{
    gw_refs_add(&generation->refs);
    return generation;
}

void gw_generation_unref(struct gw_generation *generation)
{
    if (!generation || !gw_refs_drop(&generation->refs))
        return;
    gw_sources_unref(generation->own);
    gw_sources_unref(generation->sources);
    gw_manifests_unref(generation->manifests);
    gw_plan_unref(generation->ceiling);
    gw_generation_unref(generation->defaults);
    gw_free(generation);
}

static struct gw_generation *create(const struct gw_scripts_opts *opts, const char *tenant_id)
{
    struct gw_generation *generation = gw_alloc(sizeof *generation);
    gw_refs_init(&generation->refs);
    snprintf(generation->tenant_id, sizeof generation->tenant_id, "%s", tenant_id);
    generation->loaded_at_ms = opts->clock->wall_ms(opts->clock->self);
    generation->limits = opts->limits;
    return generation;
}

/* ---- the ceiling ------------------------------------------------------------------------------------------------------------------------ */

/* Where a number of gw_script_limits stands; all are lowered, never raised. */
static int lower_limit(struct gw_script_limits *limits, const char *name, int64_t value)
{
    struct gw_sandbox_limits *call = &limits->call;
    if (value < 1)
        return GW_EINVAL;
    if (strcmp(name, "call_instructions") == 0)
        call->call_instructions = (uint64_t)value < call->call_instructions ? (uint64_t)value : call->call_instructions;
    else if (strcmp(name, "call_ms") == 0)
        call->call_ms = value < (int64_t)call->call_ms ? (uint32_t)value : call->call_ms;
    else if (strcmp(name, "memory_bytes") == 0)
        call->memory_bytes = (uint64_t)value < call->memory_bytes ? (size_t)value : call->memory_bytes;
    else if (strcmp(name, "result_bytes") == 0)
        call->result_bytes = (uint64_t)value < call->result_bytes ? (size_t)value : call->result_bytes;
    else if (strcmp(name, "tenant_ms_per_s") == 0)
        limits->tenant_ms_per_s = value < (int64_t)limits->tenant_ms_per_s ? (uint32_t)value : limits->tenant_ms_per_s;
    else
        return GW_EINVAL;
    return GW_OK;
}

static int read_limits(const struct gw_json *limits, struct gw_script_limits *out, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (limits && !gw_json_is_object(limits)) {
        gw_error_set(err, GW_EINVAL, "ceiling_bad_limit", "must be a table of limits by name");
        snprintf(err->path, sizeof err->path, "/limits");
        return GW_EINVAL;
    }
    while (limits && gw_json_next(limits, &iterator, &name, &value)) {
        if (gw_json_is_int(value) && !lower_limit(out, name, gw_json_int(value)))
            continue;
        gw_error_set(
            err, GW_EINVAL, "ceiling_bad_limit",
            "%s is no limit, or no number above 0; there are call_instructions, call_ms, memory_bytes, result_bytes and tenant_ms_per_s",
            name);
        snprintf(err->path, sizeof err->path, "/limits/%.64s", name);
        return GW_EINVAL;
    }
    return GW_OK;
}

/* The member that the pointer names is told beside its line. */
static int place(const struct gw_data_file *file, struct gw_error *err)
{
    char pointer[sizeof err->path], message[sizeof err->message];
    memcpy(pointer, err->path, sizeof pointer);
    memcpy(message, err->message, sizeof message);
    if (pointer[0] == '/')
        snprintf(err->message, sizeof err->message, "%.90s: %.140s", pointer, message);
    gw_data_file_where(file, pointer, err->path, sizeof err->path);
    return err->code;
}

/* A member that means nothing is a limit that does not hold. */
static int check_members(const struct gw_json *value, struct gw_error *err)
{
    static const char *const known[] = {"name", "version", "api", "plan", "limits"};
    void *iterator = NULL;
    const char *name;
    struct gw_json *member;
    while (gw_json_next(value, &iterator, &name, &member)) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known |= strcmp(name, known[i]) == 0;
        if (is_known)
            continue;
        gw_error_set(err, GW_EINVAL, "ceiling_bad_member", "there is no such member; there are name, version, api, plan and limits");
        snprintf(err->path, sizeof err->path, "/%.64s", name);
        return GW_EINVAL;
    }
    return GW_OK;
}

static int read_ceiling(struct gw_generation *generation, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *plan = gw_json_get(value, "plan");
    int status = gw_json_is_object(value) ? check_members(value, err)
                                          : gw_error_set(err, GW_EINVAL, "ceiling_bad_member", "a ceiling is a table with plan and limits");
    if (!status)
        status = read_limits(gw_json_get(value, "limits"), &generation->limits, err);
    if (status || !plan)
        return status;
    struct gw_plan_opts opts = {.tenant_id = "", .source = plan, .actor_id = ""};
    if (generation->tenant_id[0])
        status = gw_error_set(err, GW_EINVAL, "ceiling_bad_plan",
                              "the ceiling of one tenant has limits alone: what its plans grant, its token_lens says");
    else
        status = gw_plan_compile(&opts, &generation->ceiling, err);
    if (status)
        gw_error_prefix(err, "/plan");
    return status;
}

/* A tenant's is read by the worker that first meets the tenant, which then makes its first call. */
static struct gw_data_limits ceiling_limits(const struct gw_sandbox_limits *call)
{
    struct gw_data_limits limits;
    gw_data_limits_default(&limits);
    limits.max_instructions /= CEILING_SHARE;
    limits.max_ms = call->call_ms / CEILING_SHARE + 1;
    limits.max_memory_bytes = call->memory_bytes;
    return limits;
}

/* Its own file only: that of the defaults binds through `ceiling` and `limits`, which it begins with. */
static int load_ceiling(struct gw_generation *generation, struct gw_error *err)
{
    static const char *const lists[] = {"read", "write", "events", "commands", NULL};
    const struct gw_source *source = gw_sources_find(generation->own, "policy.ceiling");
    struct gw_data_file *file;
    if (!source)
        return GW_OK;
    struct gw_data_limits limits = ceiling_limits(&generation->limits.call);
    struct gw_data_opts opts = {.list_names = lists, .name = source->path, .limits = &limits};
    int status = gw_data_file_parse(source->text, source->length, &opts, &file, err);
    if (status)
        return status;
    err->path[0] = '\0';
    status = read_ceiling(generation, gw_data_file_value(file), err);
    if (status)
        status = place(file, err);
    gw_data_file_destroy(file);
    return status;
}

/* ---- the defaults ----------------------------------------------------------------------------------------------------------------------- */

static int add_manifest(struct gw_manifests *set, const struct gw_manifest_file *file, struct gw_error *err)
{
    struct gw_manifest *manifest = NULL;
    const struct gw_json *document = gw_data_file_value(file->file), *name = gw_json_get(document, "name");
    int status = GW_OK;
    if (gw_json_is_string(name) && strcmp(gw_json_text(name, NULL), file->canvas_type) != 0) {
        status = gw_error_set(err, GW_EINVAL, "manifest_bad_name", "its folder is called %s, and it calls itself %.64s", file->canvas_type,
                              gw_json_text(name, NULL));
        snprintf(err->path, sizeof err->path, "/name");
    }
    if (!status)
        status = gw_manifest_parse((struct gw_json *)(uintptr_t)document, &manifest, err);
    if (!status)
        status = gw_manifests_add(set, manifest, err);
    if (status)
        status = place(file->file, err);
    gw_manifest_unref(manifest);
    return status;
}

static const char *canvases_shown(const struct gw_scripts_opts *opts) { return opts->canvases_shown ? opts->canvases_shown : "canvases"; }

static int add_canvas_scripts(struct gw_sources *sources, const struct gw_scripts_opts *opts, const char *type, struct gw_error *err)
{
    char path[PATH_BYTES], shown[PATH_BYTES], prefix[GW_ID_MAX + 16];
    int length = snprintf(path, sizeof path, "%s/%s", opts->canvases_dir, type);
    if (length < 0 || (size_t)length >= sizeof path)
        return gw_error_set(err, GW_EINVAL, "script_bad_name", "canvases_dir is too long");
    snprintf(shown, sizeof shown, "%s/%s", canvases_shown(opts), type);
    snprintf(prefix, sizeof prefix, "canvas.%s.", type);
    const char *const prefixes[] = {prefix, NULL};
    struct gw_script_folder folder = {.path = path, .shown = shown, .prefixes = prefixes, .except = "manifest.lua", .faults = opts->faults};
    return gw_script_folder_add(sources, &folder, err);
}

static int read_canvases(const struct gw_scripts_opts *opts, struct gw_generation *generation, struct gw_error *err)
{
    struct gw_manifest_files files = {0};
    generation->manifests = gw_manifests_create();
    if (!generation->manifests)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for canvas manifests");
    int status = gw_script_load_each_manifest(opts->canvases_dir, opts->canvases_shown, opts->faults, &files, err);
    status = gw_script_faults_tell(opts->faults, status, err);
    for (size_t i = 0; !status && i < files.count; i++) {
        status = gw_script_faults_tell(opts->faults, add_manifest(generation->manifests, &files.items[i], err), err);
        if (!status)
            status = add_canvas_scripts(generation->own, opts, files.items[i].canvas_type, err);
    }
    gw_manifest_files_fini(&files);
    return status;
}

/* Of the scripts and the manifests: the digest of the former, and then with each of the latter's. */
static void digest_all(struct gw_generation *generation)
{
    uint8_t both[2 * GW_SHA256_BYTES];
    gw_sources_digest(generation->own, generation->digest);
    for (size_t i = 0; i < gw_manifests_count(generation->manifests); i++) {
        const char *hash = gw_manifest_hash(gw_manifests_at(generation->manifests, i));
        memcpy(both, generation->digest, GW_SHA256_BYTES);
        gw_sha256(hash, strlen(hash), both + GW_SHA256_BYTES);
        gw_sha256(both, sizeof both, generation->digest);
    }
    memcpy(generation->runs, generation->digest, sizeof generation->runs);
}

int gw_generation_read(const struct gw_scripts_opts *opts, struct gw_generation **out, struct gw_error *err)
{
    static const char *const policy[] = {"policy.", "defaults.", NULL}, *const plain[] = {"", NULL};
    const char *shown = opts->policies_shown ? opts->policies_shown : "policies";
    struct gw_script_folder policies = {.path = opts->policies_dir, .shown = shown, .prefixes = policy, .faults = opts->faults};
    struct gw_script_folder library = {.path = opts->lua_dir, .shown = "lua", .prefixes = plain};
    struct gw_generation *generation = create(opts, "");
    generation->own = gw_sources_create();
    int status = gw_script_folder_add(generation->own, &library, err);
    if (!status)
        status = gw_script_faults_tell(opts->faults, gw_script_folder_add(generation->own, &policies, err), err);
    if (!status)
        status = read_canvases(opts, generation, err);
    if (!status)
        status = gw_script_faults_tell(opts->faults, load_ceiling(generation, err), err);
    if (status) {
        gw_generation_unref(generation);
        return status;
    }
    generation->sources = gw_sources_ref(generation->own);
    digest_all(generation);
    *out = generation;
    return GW_OK;
}

/* ---- overlays --------------------------------------------------------------------------------------------------------------------------- */

bool gw_generation_is_entry(const char *module)
{
    bool is_policy = strncmp(module, "policy.", strlen("policy.")) == 0, is_canvas = strncmp(module, "canvas.", strlen("canvas.")) == 0;
    return is_canvas || (is_policy && strcmp(module, "policy.ceiling") != 0);
}

/* Everything of the defaults, but for what the tenant has a file of its own for. */
static int lay_over(struct gw_generation *generation, struct gw_error *err)
{
    const struct gw_sources *below = generation->defaults->sources;
    uint8_t both[2 * GW_SHA256_BYTES];
    memcpy(both, generation->digest, GW_SHA256_BYTES);
    memcpy(both + GW_SHA256_BYTES, generation->defaults->runs, GW_SHA256_BYTES);
    gw_sha256(both, sizeof both, generation->runs);
    generation->sources = gw_sources_create();
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_sources_count(generation->own); i++)
        status = gw_sources_share(generation->sources, generation->own, i, err);
    for (size_t i = 0; !status && i < gw_sources_count(below); i++) {
        if (!gw_sources_find(generation->own, gw_sources_at(below, i)->module))
            status = gw_sources_share(generation->sources, below, i, err);
    }
    return status;
}

static int stand_on(const struct gw_scripts_opts *opts, struct gw_generation *generation, struct gw_generation *defaults,
                    struct gw_error *err)
{
    generation->defaults = gw_generation_ref(defaults);
    generation->limits = defaults->limits;
    generation->ceiling = defaults->ceiling ? gw_plan_ref(defaults->ceiling) : NULL;
    gw_sources_digest(generation->own, generation->digest);
    return gw_script_faults_tell(opts->faults, load_ceiling(generation, err), err);
}

int gw_generation_lay(const struct gw_scripts_opts *opts, struct gw_overlay *overlay, struct gw_generation *defaults,
                      struct gw_generation **out, struct gw_error *err)
{
    struct gw_generation *generation = create(opts, overlay->tenant_id);
    generation->own = overlay->files;
    generation->version = overlay->version;
    overlay->files = NULL;
    int status = stand_on(opts, generation, defaults, err);
    if (!status)
        status = lay_over(generation, err);
    if (status)
        gw_generation_unref(generation);
    else
        *out = generation;
    return status;
}

int gw_generation_read_overlay(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_generation *defaults,
                               struct gw_generation **out, struct gw_error *err)
{
    struct gw_overlay overlay;
    int status = gw_overlay_read(opts, tenant_id, &overlay, err);
    *out = NULL;
    return status || !overlay.files ? status : gw_generation_lay(opts, &overlay, defaults, out, err);
}

struct gw_generation *gw_generation_rebase(const struct gw_scripts_opts *opts, const struct gw_generation *overlay,
                                           struct gw_generation *defaults, bool keeps_sources, struct gw_error *err)
{
    struct gw_generation *generation = create(opts, overlay->tenant_id);
    generation->loaded_at_ms = overlay->loaded_at_ms;
    generation->version = overlay->version;
    generation->own = gw_sources_ref(overlay->own);
    int status = stand_on(opts, generation, defaults, err);
    if (!status && keeps_sources) {
        generation->sources = gw_sources_ref(overlay->sources);
        memcpy(generation->runs, overlay->runs, sizeof generation->runs);
    } else if (!status) {
        status = lay_over(generation, err);
    }
    if (!status)
        return generation;
    gw_generation_unref(generation);
    return NULL;
}
