/* manifest_check.h — the strict schema of a canvas manifest document (its members are listed in manifest.h). Pure; any thread. For
 * manifest.c alone. */
#ifndef GW_HUB_MANIFEST_CHECK_H
#define GW_HUB_MANIFEST_CHECK_H

struct gw_error;
struct gw_json;

/* GW_EINVAL with err->path inside the document; ids as gw_manifest_parse. An empty object passes for an empty list: Lua cannot tell them
 * apart. */
int gw_manifest_check(const struct gw_json *document, struct gw_error *err);

#endif
