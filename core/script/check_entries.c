/* What lies in the folders beside what is read: a file that is no script, a tenant that is no folder. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "script/check_look.h"

#define PATH_BYTES 4096

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Files for people, and what other programs leave. */
static bool is_no_business(const char *name)
{
    return name[0] == '.' || name[0] == '_' || ends_with(name, ".md") || ends_with(name, ".txt") || strcmp(name, "LICENSE") == 0;
}

static void warn(const struct gw_check_look *look, const char *shown, const char *name, const char *message, const char *hint)
{
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "unused_file", "%s", message);
    snprintf(err.path, sizeof err.path, "%.90s/%.68s", shown, name);
    gw_check_tell(look, &(struct gw_check_note){.is_warning = true, .err = &err, .hint = hint});
}

static void check_file(const struct gw_check_look *look, const char *shown, const char *name)
{
    if (!ends_with(name, ".lua"))
        warn(look, shown, name, "nobody asks for this file: scripts end with .lua", "rename it, or put it elsewhere");
}

static void check_tenant(const struct gw_check_look *look, const char *shown, const char *name, bool is_folder)
{
    if (!is_folder)
        warn(look, shown, name, "nobody asks for this file: a tenant is a folder", "move it into the folder of its tenant");
    else if (!gw_id_is_valid(name, strlen(name)))
        warn(look, shown, name, "no tenant has such an id", "a tenant's folder is called by its id");
}

static void walk(const struct gw_check_look *look, const char *path, const char *shown, bool are_tenants)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    char below[PATH_BYTES];
    while (stream && (entry = readdir(stream))) {
        const char *name = entry->d_name;
        if (is_no_business(name) || snprintf(below, sizeof below, "%s/%s", path, name) >= (int)sizeof below)
            continue;
        bool is_folder = gw_file_is_folder(below);
        if (are_tenants)
            check_tenant(look, shown, name, is_folder);
        else if (!is_folder)
            check_file(look, shown, name);
    }
    if (stream)
        closedir(stream);
}

void gw_check_entries(const struct gw_check_look *look)
{
    static const char *const folders[] = {"", "/commands", "/tenants"};
    const char *base = look->opts->policies_dir, *base_shown = look->opts->policies_shown ? look->opts->policies_shown : "policies";
    char path[PATH_BYTES], shown[PATH_BYTES], tenant[GW_ID_MAX + 16] = "";
    if (look->tenant_id[0])
        snprintf(tenant, sizeof tenant, "/tenants/%.64s", look->tenant_id);
    for (size_t i = 0; i < sizeof folders / sizeof *folders - (look->tenant_id[0] != '\0'); i++) {
        int length = snprintf(path, sizeof path, "%s%s%s", base, tenant, folders[i]);
        snprintf(shown, sizeof shown, "%s%s%s", base_shown, tenant, folders[i]);
        if (length > 0 && (size_t)length < sizeof path)
            walk(look, path, shown, strcmp(folders[i], "/tenants") == 0);
    }
}
