/* overlay.h — what one tenant lays over the defaults, as source texts. It comes from the operator's folder policies_dir/tenants/<tenant> where there is one, and
 * otherwise from the newest version in the registry (hub/overlay_port.h): who has the machine has the last word. Blocking. For script*.c and
 * generation.c alone. */
#ifndef GW_SCRIPT_OVERLAY_H
#define GW_SCRIPT_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

struct gw_error;
struct gw_scripts_opts;
struct gw_sources;

/* value */
struct gw_overlay {
    char tenant_id[GW_ID_MAX + 1];
    struct gw_sources *files; /* policy.X; owned; NULL: there is none */
    uint64_t version;         /* of the registry; 0: its folder's */
};
void gw_overlay_fini(struct gw_overlay *overlay);

/* Errors as gw_script_folder_add and of the port; err->path is the file as it is shown. */
int gw_overlay_read(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_overlay *out, struct gw_error *err);
/* A folder from elsewhere as if it were the tenant's; it is shown by its path. */
int gw_overlay_read_folder(const char *path, const char *tenant_id, struct gw_overlay *out, struct gw_error *err);
/* The operator has a folder for the tenant. */
bool gw_overlay_has_folder(const struct gw_scripts_opts *opts, const char *tenant_id);
/* Writes it to the registry; *version is its number. GW_ENOTFOUND no_registry: there is none; else as the port. */
int gw_overlay_write(const struct gw_scripts_opts *opts, const struct gw_overlay *overlay, uint64_t *version, struct gw_error *err);

#endif
