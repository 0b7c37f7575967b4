#include "app/registry_file.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "registry/files/files_registry.h"
#include "script/data_file.h"

#define EMPTY "return { tenants = {} }"

static bool knows_canvas(void *self, const char *canvas_type) { return gw_manifests_get(self, canvas_type) != NULL; }

static int read_data(const char *path, struct gw_data_file **out, struct gw_error *err)
{
    static const char *const lists[] = {"flows", "nodes", "edges", "canvases", NULL};
    struct gw_data_opts opts = {.list_names = lists, .name = "registry"};
    return path[0] ? gw_data_file_load(path, &opts, out, err) : gw_data_file_parse(EMPTY, strlen(EMPTY), &opts, out, err);
}

/* *registry is replaced where there is one, else created. */
static int load(const char *path, const struct gw_manifests *manifests, struct gw_files_registry **registry, struct gw_error *err)
{
    struct gw_data_file *file;
    int status = read_data(path, &file, err);
    if (status)
        return status;
    struct gw_files_registry_opts opts = {.document = gw_data_file_value(file), .self = (void *)manifests, .knows_canvas = knows_canvas};
    status = *registry ? gw_files_registry_replace(*registry, &opts, err) : gw_files_registry_create(&opts, registry, err);
    if (status) {
        char where[sizeof err->path];
        gw_data_file_where(file, err->path, where, sizeof where);
        memcpy(err->path, where, sizeof where);
    }
    gw_data_file_destroy(file);
    return status;
}

int gw_registry_file_open(const char *path, const struct gw_manifests *manifests, struct gw_files_registry **out, struct gw_error *err)
{
    *out = NULL;
    return load(path, manifests, out, err);
}

int gw_registry_file_reload(const char *path, const struct gw_manifests *manifests, struct gw_files_registry *registry,
                            struct gw_error *err)
{
    return load(path, manifests, &registry, err);
}
