/* manifest.h — what a canvas is, as pure data: a checked manifest document, and the immutable set of them from which canvases are mounted.
 * Reference-counted; crosses threads once built. Fails with the path of the offending member and the rule. Never read by the fold: a mount
 * copies what it needs into its event.
 *
 * A manifest document is an object; unknown members are refused:
 *   name      the canvas type: an id
 *   version   text, 1 to 64 bytes         api      1
 *   title     text                        harness  the template's name: an id
 *   tools     [{name, title, surface, command?}]: surface is one of ChatRail, TopPill, ToolPop, TokenPanel, ContextPanel
 *   tokens    {key: declaration}          (value_type.h)
 *   kinds     {kind: {text: boolean, props?: {name: declaration}, children?: [kind]}}: no children member = any kind may stand below
 *   commands  {type: {title?, args?: {name: declaration}}}: the canvas's own commands; types start with "<name>."
 *   lens      {when: [{state?, token?, equals?}], priority?}: when CanvasLens picks this canvas */
#ifndef GW_HUB_MANIFEST_H
#define GW_HUB_MANIFEST_H

#include <stddef.h>

struct gw_error;
struct gw_json;
struct gw_manifest;
struct gw_manifests;

/* Checks `document` and makes a manifest of it. Takes a reference on the document, which must not change afterwards. GW_EINVAL: err->id is
 * one of value_type.h's or bad_id, unknown_kind, unknown_surface, bad_command; GW_ELIMIT limit_manifest_bytes (256 KiB canonical). */
int gw_manifest_parse(struct gw_json *document, struct gw_manifest **out, struct gw_error *err);
struct gw_manifest *gw_manifest_ref(struct gw_manifest *manifest);
void gw_manifest_unref(struct gw_manifest *manifest);

const char *gw_manifest_type(const struct gw_manifest *manifest); /* its name */
const char *gw_manifest_hash(const struct gw_manifest *manifest); /* SHA-256 of the canonical document, 64 hex digits */
const struct gw_json *gw_manifest_document(const struct gw_manifest *manifest);
/* Members of the document, borrowed; an empty object or array where the document has none. */
struct gw_json *gw_manifest_member(const struct gw_manifest *manifest, const char *name);

/* What of it travels in a CANVAS_READY beside its name and its Tokens: a new object with members of the document. NULL when memory is gone. */
struct gw_json *gw_manifest_travels(const struct gw_manifest *manifest);

/* A set by type. Add before sharing it; GW_ECONFLICT canvas_type_exists when the type is there. Takes a reference of the manifest. */
struct gw_manifests *gw_manifests_create(void);
int gw_manifests_add(struct gw_manifests *set, struct gw_manifest *manifest, struct gw_error *err);
struct gw_manifests *gw_manifests_ref(struct gw_manifests *set);
void gw_manifests_unref(struct gw_manifests *set);
const struct gw_manifest *gw_manifests_get(const struct gw_manifests *set, const char *type); /* borrowed, or NULL */
size_t gw_manifests_count(const struct gw_manifests *set);
const struct gw_manifest *gw_manifests_at(const struct gw_manifests *set, size_t index); /* sorted by type */

#endif
