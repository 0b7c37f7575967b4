#include "script/overlay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "hub/overlay_port.h"
#include "script/script.h"
#include "script/script_folder.h"
#include "script/sources.h"

#define PATH_BYTES 4096
#define PREFIX     "policy."
#define SUFFIX     ".lua"

void gw_overlay_fini(struct gw_overlay *overlay)
{
    gw_sources_unref(overlay->files);
    overlay->files = NULL;
}

static void begin(struct gw_overlay *out, const char *tenant_id)
{
    *out = (struct gw_overlay){0};
    snprintf(out->tenant_id, sizeof out->tenant_id, "%s", tenant_id);
}

/* ---- the folder --------------------------------------------------------------------------------------------------------------------------- */

static int path_of(const struct gw_scripts_opts *opts, const char *tenant_id, char out[PATH_BYTES], struct gw_error *err)
{
    int length = snprintf(out, PATH_BYTES, "%s/tenants/%s", opts->policies_dir, tenant_id);
    if (length < 0 || length >= PATH_BYTES)
        return gw_error_set(err, GW_EINVAL, "script_bad_name", "policies_dir is too long");
    return GW_OK;
}

static int add_folder(struct gw_overlay *out, const struct gw_scripts_opts *opts, const char *path, const char *shown, struct gw_error *err)
{
    static const char *const prefixes[] = {PREFIX, NULL};
    struct gw_script_folder folder = {.path = path, .shown = shown, .prefixes = prefixes, .faults = opts ? opts->faults : NULL};
    out->files = gw_sources_create();
    int status = gw_script_folder_add(out->files, &folder, err);
    if (status)
        gw_overlay_fini(out);
    return status;
}

bool gw_overlay_has_folder(const struct gw_scripts_opts *opts, const char *tenant_id)
{
    char path[PATH_BYTES];
    struct gw_error ignored; /* a path that is too long is no folder */
    return !path_of(opts, tenant_id, path, &ignored) && gw_file_is_folder(path);
}

int gw_overlay_read_folder(const char *path, const char *tenant_id, struct gw_overlay *out, struct gw_error *err)
{
    char shown[PATH_BYTES];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    snprintf(shown, sizeof shown, "%.*s", (int)(length < sizeof shown ? length : sizeof shown - 1), path);
    begin(out, tenant_id);
    return add_folder(out, NULL, path, shown, err);
}

/* ---- the registry ------------------------------------------------------------------------------------------------------------------------- */

/* value: a version being read */
struct reading {
    struct gw_overlay *out;
    const struct gw_overlay_read *read;
};

static bool is_left_out(const char *name) { return strncmp(name, "spec/", 5) == 0 || strncmp(name, "tenants/", 8) == 0; }

static int add_file(void *arg, const struct gw_overlay_file *file, struct gw_error *err)
{
    const struct reading *reading = arg;
    char module[GW_OVERLAY_NAME_MAX + sizeof PREFIX], path[GW_OVERLAY_NAME_MAX + GW_ID_MAX + 48];
    if (!gw_overlay_name_is_valid(file->name))
        return gw_error_set(err, GW_EINVAL, "script_bad_name", "\"%.130s\" is no name of a module's file", file->name);
    if (is_left_out(file->name))
        return GW_OK;
    snprintf(module, sizeof module, PREFIX "%.*s", (int)(strlen(file->name) - strlen(SUFFIX)), file->name);
    for (char *slash = module; (slash = strchr(slash, '/'));)
        *slash = '.';
    snprintf(path, sizeof path, "overlays/%s/%" PRIu64 "/%s", reading->out->tenant_id, reading->read->version, file->name);
    struct gw_source source = {.module = module, .path = path, .text = file->text, .length = file->length};
    int status = gw_sources_add(reading->out->files, &source, err);
    if (status)
        gw_error_prefix(err, path);
    return status;
}

static int read_registry(const struct gw_overlays *overlays, struct gw_overlay *out, struct gw_error *err)
{
    struct gw_overlay_read read = {.tenant_id = out->tenant_id, .file = add_file};
    struct reading reading = {out, &read};
    read.arg = &reading;
    out->files = gw_sources_create();
    int status = overlays->read(overlays->self, &read, err);
    out->version = read.version;
    if (status || read.version == 0)
        gw_overlay_fini(out);
    return status;
}

int gw_overlay_read(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_overlay *out, struct gw_error *err)
{
    char path[PATH_BYTES], shown[PATH_BYTES];
    begin(out, tenant_id);
    if (!gw_id_is_valid(tenant_id, strlen(tenant_id)))
        return GW_OK;
    int status = path_of(opts, tenant_id, path, err);
    if (status)
        return status;
    if (!gw_file_is_folder(path))
        return opts->overlays ? read_registry(opts->overlays, out, err) : GW_OK;
    snprintf(shown, sizeof shown, "%s/tenants/%s", opts->policies_shown ? opts->policies_shown : "policies", tenant_id);
    return add_folder(out, opts, path, shown, err);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------------ */

/* "policy.commands.chat" → "commands/chat.lua" */
static void name_of(const char *module, char out[GW_OVERLAY_NAME_MAX + 1])
{
    snprintf(out, GW_OVERLAY_NAME_MAX + 1, "%s", module + strlen(PREFIX));
    for (char *dot = out; (dot = strchr(dot, '.'));)
        *dot = '/';
    size_t length = strlen(out);
    snprintf(out + length, GW_OVERLAY_NAME_MAX + 1 - length, SUFFIX);
}

int gw_overlay_write(const struct gw_scripts_opts *opts, const struct gw_overlay *overlay, uint64_t *version, struct gw_error *err)
{
    size_t count = gw_sources_count(overlay->files);
    if (!opts->overlays)
        return gw_error_set(err, GW_ENOTFOUND, "no_registry", "there is no registry to write to");
    struct gw_overlay_file *files = gw_alloc_array(count + 1, sizeof *files);
    char(*names)[GW_OVERLAY_NAME_MAX + 1] = gw_alloc_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const struct gw_source *source = gw_sources_at(overlay->files, i);
        name_of(source->module, names[i]);
        files[i] = (struct gw_overlay_file){.name = names[i], .text = source->text, .length = source->length};
    }
    struct gw_overlay_write write = {.tenant_id = overlay->tenant_id, .files = files, .count = count};
    int status = opts->overlays->write(opts->overlays->self, &write, err);
    *version = write.version;
    gw_free(names);
    gw_free(files);
    return status;
}
