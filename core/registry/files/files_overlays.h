/* files_overlays.h — the overlay port over a folder: <data_dir>/overlays/<tenant>/<version>/<file>, embedded, mode dev only. A version is written beside the others under a
 * name that nobody reads, synced, and renamed to its number: it is there whole or not at all, also after a crash, and nothing changes it afterwards; one that is removed goes the same way back. Writers of
 * one tenant, of any process, take turns by a lock on its folder. Any thread. Owns nothing on the disk but what lies below that root, made on the first write. */
#ifndef GW_REGISTRY_FILES_FILES_OVERLAYS_H
#define GW_REGISTRY_FILES_FILES_OVERLAYS_H

#include "hub/overlay_port.h"

struct gw_files_overlays;

/* The folder need not be there. GW_EINVAL overlay_bad_root: its path is too long. */
int gw_files_overlays_create(const char *data_dir, struct gw_files_overlays **out, struct gw_error *err);
void gw_files_overlays_destroy(struct gw_files_overlays *overlays); /* NULL is fine */
/* Lives as long as it. */
const char *gw_files_overlays_root(const struct gw_files_overlays *overlays); /* "<data_dir>/overlays" */
const struct gw_overlays *gw_files_overlays_port(const struct gw_files_overlays *overlays);

#endif
