/* catalog.h — what an actor may do and which canvases there are, as far as its lens admits them: for programs that show people what they can do. Names only what
 * there is and the lens shows; never a rule, which could name what must not be known. Pure; any thread. Not permission: that is asked again at each command. */
#ifndef GW_HUB_CATALOG_H
#define GW_HUB_CATALOG_H

struct gw_json;
struct gw_manifests;
struct gw_plan;

/* {history, vision, presence, graph, chat, logs: {read, write}, events: [type], commands: [type], tokens: {key: "read"|"write"},
 * canvases: {type: {kind: "read"|"write"}}}: Tokens and kinds are those that the manifests declare, commands also the built-in ones. Whether each single block may be
 * written can depend on more than its kind. NULL: no memory. */
struct gw_json *gw_catalog_rights(const struct gw_manifests *manifests, const struct gw_plan *plan, const char *author_kind);
/* [{canvas_type, manifest, TokenCatalog}] in order of their types, as a CANVAS_READY has them; those whose kinds are not all hidden. NULL: no memory. */
struct gw_json *gw_catalog_canvases(const struct gw_manifests *manifests, const struct gw_plan *plan);

#endif
