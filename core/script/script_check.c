#include "script/script_check.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/map.h"
#include "hub/manifest.h"
#include "hub/overlay_port.h"
#include "script/check_look.h"
#include "script/overlay.h"
#include "script/script_folder.h"
#include "script/script_tenants.h"
#include "script/sources.h"

static const uint8_t seed[16] = "what was found"; /* an operator's files */

static void on_fault(void *arg, const struct gw_error *err)
{
    const struct gw_check_look *look = arg;
    gw_check_tell(look, &(struct gw_check_note){.err = err});
}

/* A file counts once, under whatever names it can be required, and the library is nobody's policy. */
static size_t count_files(const struct gw_generation *generation)
{
    size_t count = generation->defaults ? 0 : gw_manifests_count(generation->manifests);
    for (size_t i = 0; i < gw_sources_count(generation->own); i++) {
        const char *module = gw_sources_at(generation->own, i)->module;
        count += strncmp(module, "policy.", 7) == 0 || strncmp(module, "canvas.", 7) == 0;
    }
    return count;
}

static void look_through(const struct gw_check_look *look)
{
    look->check->file_count += count_files(look->generation);
    (void)gw_generation_check_each(look->generation, look->opts->budget_clock, on_fault, (void *)(uintptr_t)look);
    gw_check_plans(look);
    gw_check_calls(look);
    gw_check_files(look);
}

/* Lays the overlay, whose files it takes, over `defaults` and looks it through; false when it has a fault. */
static bool try_overlay(struct gw_check_look *look, struct gw_overlay *overlay, struct gw_generation *defaults)
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

/* ---- all there are --------------------------------------------------------------------------------------------------------------------- */

static void look_at_tenant(struct gw_check_look *look, struct gw_generation *defaults)
{
    struct gw_overlay overlay;
    struct gw_error err;
    look->check->tenant_count++;
    if (gw_overlay_read(look->opts, look->tenant_id, &overlay, &err))
        on_fault(look, &err);
    else if (overlay.files)
        (void)try_overlay(look, &overlay, defaults);
    gw_check_entries(look);
    gw_check_specs(look);
}

static void look_at_all(struct gw_check_look *look)
{
    struct gw_generation *defaults;
    struct gw_error err;
    char **tenants;
    if (gw_generation_read(look->opts, &defaults, &err)) {
        on_fault(look, &err);
        return;
    }
    look->generation = defaults;
    look_through(look);
    gw_check_entries(look);
    gw_check_specs(look);
    size_t count = gw_script_tenants(look->opts->policies_dir, look->opts->overlays, &tenants);
    for (size_t i = 0; i < count; i++) {
        look->tenant_id = tenants[i];
        look_at_tenant(look, defaults);
    }
    gw_script_tenants_free(tenants, count);
    gw_generation_unref(defaults);
}

void gw_scripts_check(const struct gw_scripts_opts *opts, struct gw_script_check *check)
{
    struct gw_check_look look = {.check = check, .tenant_id = "", .told = gw_map_create(seed)};
    struct gw_script_faults faults = {on_fault, &look};
    struct gw_scripts_opts tolerant = *opts;
    tolerant.faults = &faults;
    look.opts = &tolerant;
    look_at_all(&look);
    gw_map_destroy(look.told);
}

/* ---- writing to the registry ----------------------------------------------------------------------------------------------------------- */

static int refuse_shadowed(const char *tenant_id, struct gw_error *err)
{
    return gw_error_set(err, GW_ECONFLICT, "overlay_shadowed",
                        "policies_dir/tenants/%s is there and goes before the registry: remove it, or change the files there", tenant_id);
}

/* What is written is what was looked at, whatever becomes of the folder meanwhile. */
static int try_and_write(const struct gw_scripts_opts *opts, struct gw_script_put *put, struct gw_generation *defaults,
                         struct gw_error *err)
{
    struct gw_check_look look = {.check = &put->check, .opts = opts, .tenant_id = put->tenant_id, .told = gw_map_create(seed)};
    struct gw_overlay overlay, tried;
    int status = gw_overlay_read_folder(put->folder, put->tenant_id, &overlay, err);
    if (status) {
        gw_map_destroy(look.told);
        return status;
    }
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
    gw_map_destroy(look.told);
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
