/* files_registry.h — the registry port over one document, read from a file by the wiring: for laptops and tests, embedded, mode dev only. Owns
 * a copy of the document. Any thread may ask, also while another one replaces the document. Fails while it is built, with err->path as a pointer into
 * the document. Not for reading files.
 *
 *   {tenants: {<tenant id>: {title?, projects?: {<project id>: {title?, flows?: [flow]}}, apps?: {<app id>: {title?}},
 *                            surfaces?: {<surface id>: {title?}}, flows?: [flow]}}}
 *
 * "*" instead of a tenant id or project id is for those that are not named. A tenant without `projects` has whatever project is asked for.
 * The flows of a project come before those of its tenant. A flow is as hub/graph_schema.h has it. */
#ifndef GW_REGISTRY_FILES_FILES_REGISTRY_H
#define GW_REGISTRY_FILES_FILES_REGISTRY_H

#include <stdbool.h>

struct gw_error;
struct gw_files_registry;
struct gw_json;
struct gw_registry;

/* value; borrowed for the call of create or replace */
struct gw_files_registry_opts {
    const struct gw_json *document;
    void *self;
    bool (*knows_canvas)(void *self, const char *canvas_type); /* of every canvas that a flow mounts; NULL: not asked */
};

/* GW_EINVAL: bad_shape, bad_id, missing_member, unknown_member, unknown_canvas, and the ids of gw_flow_check. */
int gw_files_registry_create(const struct gw_files_registry_opts *opts, struct gw_files_registry **out, struct gw_error *err);
/* Another document in the place of the present one; on failure that one stays. Errors as create. */
int gw_files_registry_replace(struct gw_files_registry *registry, const struct gw_files_registry_opts *opts, struct gw_error *err);
/* Nobody waits for an answer. */
void gw_files_registry_destroy(struct gw_files_registry *registry);
const struct gw_registry *gw_files_registry_port(const struct gw_files_registry *registry);

#endif
