/* registry_file.h — the registry file of the configuration, read as data and made a registry: where the script layer, which reads it, and the
 * driver, which knows what it means, meet. Blocking; the main thread. */
#ifndef GW_APP_REGISTRY_FILE_H
#define GW_APP_REGISTRY_FILE_H

struct gw_error;
struct gw_files_registry;
struct gw_manifests;

/* `path` "": a registry without tenants. Flows may mount the canvases of `manifests`. Errors as gw_data_file_load and
 * gw_files_registry_create; err->path is file:line. */
int gw_registry_file_open(const char *path, const struct gw_manifests *manifests, struct gw_files_registry **out, struct gw_error *err);
/* Reads it again into `registry`, which keeps what it has when the file is faulty. Errors as open. */
int gw_registry_file_reload(const char *path, const struct gw_manifests *manifests, struct gw_files_registry *registry,
                            struct gw_error *err);

#endif
