/* The specs beside policies and canvases, as far as that can be told without running them: are they Lua? */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "hub/manifest.h"
#include "script/check_look.h"
#include "script/global_names.h"
#include "script/script_folder.h"
#include "script/sources.h"

#define PATH_BYTES 4096

static void on_fault(void *arg, const struct gw_error *err)
{
    const struct gw_check_look *look = arg;
    gw_check_tell(look, &(struct gw_check_note){.err = err});
}

static void check_folder(const struct gw_check_look *look, const char *path, const char *shown)
{
    static const char *const prefixes[] = {"spec.", NULL};
    struct gw_script_faults faults = {on_fault, (void *)(uintptr_t)look};
    struct gw_script_folder folder = {.path = path, .shown = shown, .prefixes = prefixes, .faults = &faults};
    struct gw_error err;
    if (!gw_file_is_folder(path))
        return;
    struct gw_sources *specs = gw_sources_create();
    if (gw_script_folder_add(specs, &folder, &err))
        on_fault((void *)(uintptr_t)look, &err);
    for (size_t i = 0; i < gw_sources_count(specs); i++)
        if (gw_global_names(gw_sources_at(specs, i), NULL, NULL, &err))
            on_fault((void *)(uintptr_t)look, &err);
    look->check->file_count += gw_sources_count(specs);
    gw_sources_unref(specs);
}

static void check_below(const struct gw_check_look *look, const char *base, const char *shown, const char *name)
{
    char path[PATH_BYTES], label[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s/spec", base, name);
    snprintf(label, sizeof label, "%s/%s/spec", shown, name);
    if (length > 0 && (size_t)length < sizeof path)
        check_folder(look, path, label);
}

void gw_check_specs(const struct gw_check_look *look)
{
    const struct gw_scripts_opts *opts = look->opts;
    const char *policies = opts->policies_shown ? opts->policies_shown : "policies";
    const char *canvases = opts->canvases_shown ? opts->canvases_shown : "canvases";
    char base[PATH_BYTES], shown[PATH_BYTES];
    if (look->tenant_id[0]) {
        snprintf(base, sizeof base, "%s/tenants", opts->policies_dir);
        snprintf(shown, sizeof shown, "%s/tenants", policies);
        check_below(look, base, shown, look->tenant_id);
        return;
    }
    snprintf(base, sizeof base, "%s/spec", opts->policies_dir);
    snprintf(shown, sizeof shown, "%s/spec", policies);
    check_folder(look, base, shown);
    for (size_t i = 0; i < gw_manifests_count(look->generation->manifests); i++)
        check_below(look, opts->canvases_dir, canvases, gw_manifest_type(gw_manifests_at(look->generation->manifests, i)));
}
