/* script_folder.h — the Lua files below a folder, as source texts by module name. Blocking. Skips what begins with a dot or an underscore, and the folders `spec` and
 * `tenants`; any other name but [A-Za-z_][A-Za-z0-9_]* is refused, since `require` could not tell it. Not for manifests: those are data (manifest_files.h). */
#ifndef GW_SCRIPT_SCRIPT_FOLDER_H
#define GW_SCRIPT_SCRIPT_FOLDER_H

#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_sources;

#define GW_SCRIPT_FOLDER_DEPTH 3 /* folders below each other */

/* value: who is told of what cannot be read */
struct gw_script_faults {
    void (*found)(void *arg, const struct gw_error *err);
    void *arg;
};
/* With `faults`, tells them of a failure and answers GW_OK; without, answers `status`. */
int gw_script_faults_tell(const struct gw_script_faults *faults, int status, const struct gw_error *err);

/* value; borrowed for the call */
struct gw_script_folder {
    const char *path;
    const char *shown; /* what errors call it: "policies" */
    const char *const
        *prefixes; /* of its modules, ended by NULL: commands/chat.lua is "policy.commands.chat"; each file is added under all of them */
    const char *except;                    /* a file left out: "manifest.lua"; NULL: none */
    const struct gw_script_faults *faults; /* each entry that is refused is told and passed over; NULL: the first one ends it */
};

/* Errors: those of gw_sources_add and gw_file_read, folder_unreadable, script_bad_name (also a folder with the name of a file), script_encoding (a byte order mark,
 * UTF-16), script_link (a link that leads out of the folder, or nowhere); err->path is the file as it is shown. */
int gw_script_folder_add(struct gw_sources *sources, const struct gw_script_folder *folder, struct gw_error *err);
/* GW_EINVAL script_link: `path` is a link, or lies below one, and is not in `folder`. */
int gw_script_folder_holds(const char *folder, const char *path, struct gw_error *err);

#endif
