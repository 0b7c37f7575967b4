/* manifest_files.h — the canvas manifests of a folder: <dir>/<canvas type>/manifest.lua, read as pure data. Owns the loaded files until
 * fini. Blocking; at start and on reload. What a manifest means is not known here: the domain's manifest model reads the trees. */
#ifndef GW_SCRIPT_MANIFEST_FILES_H
#define GW_SCRIPT_MANIFEST_FILES_H

#include <stddef.h>

#include "base/id.h"

struct gw_data_file;
struct gw_error;
struct gw_script_faults;

#define GW_MANIFEST_FILES_MAX 256

/* value: one canvas folder */
struct gw_manifest_file {
    char canvas_type[GW_ID_MAX + 1]; /* the folder's name */
    struct gw_data_file *file;       /* gw_data_file_value is the manifest; gw_data_file_where says file:line of a pointer into it */
};

/* value: in byte order of canvas_type */
struct gw_manifest_files {
    struct gw_manifest_file *items;
    size_t count;
};

/* Reads every folder of `dir` whose name does not begin with '.' or '_'. A folder whose name is no id, or that has no manifest.lua, is an
 * error, and so is any manifest that is not data: one bad canvas stops the load with its file:line. Errors as gw_data_file_load, and
 * manifest_bad_name, manifest_missing, manifest_too_many, canvases_unreadable, script_link. */
int gw_script_load_manifests(const char *dir, struct gw_manifest_files *out, struct gw_error *err);
/* The same, with the folder's name in messages and who is told of each canvas that is refused, which is then passed over; either may be NULL. */
int gw_script_load_each_manifest(const char *dir, const char *shown, const struct gw_script_faults *faults, struct gw_manifest_files *out,
                                 struct gw_error *err);
void gw_manifest_files_fini(struct gw_manifest_files *files);

#endif
