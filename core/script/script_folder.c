#include "script/script_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "script/sources.h"

#define SUFFIX     ".lua"
#define PATH_BYTES 4096
#define NAMES_MAX  1024 /* entries of one folder */

/* value: where a walk stands */
struct walk {
    struct gw_sources *sources;
    const struct gw_script_folder *folder;
    char below[GW_MODULE_NAME_MAX]; /* "commands/", "" at the top */
    unsigned depth;
    struct gw_error *err;
};

static int refuse(const struct walk *walk, const char *name)
{
    char path[sizeof walk->err->path];
    int length = snprintf(path, sizeof path, "%s/%s%s", walk->folder->shown, walk->below, name);
    if (length > 1 && (size_t)length < sizeof path && path[length - 1] == '/')
        path[length - 1] = '\0';
    memcpy(walk->err->path, path, sizeof path);
    return walk->err->code;
}

int gw_script_faults_tell(const struct gw_script_faults *faults, int status, const struct gw_error *err)
{
    if (!status || !faults || status == GW_ENOMEM)
        return status;
    faults->found(faults->arg, err);
    return GW_OK;
}

int gw_script_folder_holds(const char *folder, const char *path, struct gw_error *err)
{
    char root[PATH_MAX], real[PATH_MAX];
    bool is_there = realpath(folder, root) != NULL, leads_somewhere = is_there && realpath(path, real) != NULL;
    bool leads_nowhere = is_there && !leads_somewhere && errno == ENOENT;
    size_t length = is_there ? strlen(root) : 0;
    bool is_inside = leads_somewhere && strncmp(root, real, length) == 0 && (real[length] == '/' || (length == 1 && root[0] == '/'));
    if (is_inside)
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "script_link", "%s",
                        leads_nowhere ? "a link that leads nowhere" : "a link that leads out of the folder");
}

static int refuse_length(const struct walk *walk, const char *name)
{
    gw_error_set(walk->err, GW_EINVAL, "script_bad_name", "the path is too long");
    return refuse(walk, name);
}

static bool is_module_name(const char *name, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return length > 0 && strspn(name, letters) >= length && !(name[0] >= '0' && name[0] <= '9');
}

static int name_module(const struct walk *walk, const char *prefix, const char *name, char module[GW_MODULE_NAME_MAX + 1])
{
    int length = snprintf(module, GW_MODULE_NAME_MAX + 1, "%s%s%.*s", prefix, walk->below, (int)(strlen(name) - strlen(SUFFIX)), name);
    if (length < 0 || length > GW_MODULE_NAME_MAX)
        return refuse_length(walk, name);
    for (char *slash = module + strlen(prefix); (slash = strchr(slash, '/'));)
        *slash = '.';
    return GW_OK;
}

static int add_module(const struct walk *walk, const char *module, const char *name, const struct gw_buffer *text)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s%s", walk->folder->shown, walk->below, name);
    struct gw_source source = {.module = module, .path = path, .text = text->data ? text->data : "", .length = text->length};
    int status = gw_sources_add(walk->sources, &source, walk->err);
    return status ? refuse(walk, name) : GW_OK;
}

static int add_aliases(const struct walk *walk, const char *module, const char *name)
{
    char alias[GW_MODULE_NAME_MAX + 1];
    int status = GW_OK;
    for (const char *const *prefix = walk->folder->prefixes + 1; !status && *prefix; prefix++) {
        status = name_module(walk, *prefix, name, alias);
        if (!status && (status = gw_sources_alias(walk->sources, module, alias, walk->err)))
            status = refuse(walk, name);
    }
    return status;
}

/* Lua has no name for such a beginning in its messages. */
static int check_encoding(const struct gw_buffer *text, struct gw_error *err)
{
    static const struct {
        const char *bytes, *what;
    } marks[] = {{"\xEF\xBB\xBF", "begins with a byte order mark"}, {"\xFF\xFE", "is UTF-16"}, {"\xFE\xFF", "is UTF-16"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text->length >= strlen(marks[i].bytes) && memcmp(text->data, marks[i].bytes, strlen(marks[i].bytes)) == 0)
            return gw_error_set(err, GW_EINVAL, "script_encoding", "the file %s", marks[i].what);
    return GW_OK;
}

static int add_file(const struct walk *walk, const char *path, const char *name)
{
    char module[GW_MODULE_NAME_MAX + 1];
    struct gw_buffer text;
    if (!is_module_name(name, strlen(name) - strlen(SUFFIX))) {
        gw_error_set(walk->err, GW_EINVAL, "script_bad_name", "a module is named by letters, digits and '_', and begins with no digit");
        return refuse(walk, name);
    }
    gw_buffer_init(&text, 0);
    int status = gw_script_folder_holds(walk->folder->path, path, walk->err);
    if (!status)
        status = gw_file_read(path, GW_SOURCES_MAX_FILE_BYTES, &text, walk->err);
    if (!status)
        status = check_encoding(&text, walk->err);
    if (status)
        refuse(walk, name);
    else
        status = name_module(walk, walk->folder->prefixes[0], name, module);
    if (!status)
        status = add_module(walk, module, name, &text);
    gw_buffer_fini(&text);
    return status ? status : add_aliases(walk, module, name);
}

static int walk_folder(const struct walk *walk);

static int go_below(const struct walk *walk, const char *name)
{
    struct walk next = *walk;
    size_t length_of_name = strlen(name), suffix = strlen(SUFFIX);
    if (length_of_name > suffix && strcmp(name + length_of_name - suffix, SUFFIX) == 0) {
        gw_error_set(walk->err, GW_EINVAL, "script_bad_name", "a folder with the name of a file");
        return refuse(walk, name);
    }
    if (!is_module_name(name, strlen(name)) || strcmp(name, "spec") == 0 || strcmp(name, "tenants") == 0)
        return GW_OK;
    int length = snprintf(next.below, sizeof next.below, "%s%s/", walk->below, name);
    if (length < 0 || (size_t)length >= sizeof next.below || ++next.depth > GW_SCRIPT_FOLDER_DEPTH)
        return refuse_length(walk, name);
    return walk_folder(&next);
}

static int add_entry(const struct walk *walk, const char *name)
{
    char path[PATH_BYTES];
    size_t length = strlen(name), suffix = strlen(SUFFIX);
    int path_length = snprintf(path, sizeof path, "%s/%s%s", walk->folder->path, walk->below, name);
    if (path_length < 0 || (size_t)path_length >= sizeof path)
        return refuse_length(walk, name);
    if (gw_file_is_folder(path))
        return go_below(walk, name);
    bool is_left_out = walk->depth == 0 && walk->folder->except && strcmp(name, walk->folder->except) == 0;
    if (length <= suffix || strcmp(name + length - suffix, SUFFIX) != 0 || is_left_out)
        return GW_OK;
    return add_file(walk, path, name);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted, so that which of two mistakes is told does not depend on the file system. */
static int read_names(const struct walk *walk, DIR *stream, char **names, size_t *count)
{
    const struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
            continue;
        if (*count == NAMES_MAX) {
            gw_error_limit(walk->err, "sources_too_many", "max_folder_entries", NAMES_MAX, "a folder of scripts holds at most %d entries",
                           NAMES_MAX);
            return refuse(walk, "");
        }
        names[(*count)++] = gw_strdup(entry->d_name);
    }
    qsort(names, *count, sizeof *names, by_name);
    return GW_OK;
}

static int walk_folder(const struct walk *walk)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s", walk->folder->path, walk->below);
    DIR *stream = length > 0 && (size_t)length < sizeof path ? opendir(path) : NULL;
    if (!stream) {
        gw_error_set(walk->err, GW_EIO, "folder_unreadable", "cannot read the folder: %s", strerror(errno));
        return refuse(walk, "");
    }
    char **names = gw_alloc_array(NAMES_MAX, sizeof *names);
    size_t count = 0;
    int status = read_names(walk, stream, names, &count);
    closedir(stream);
    for (size_t i = 0; !status && i < count; i++)
        status = gw_script_faults_tell(walk->folder->faults, add_entry(walk, names[i]), walk->err);
    for (size_t i = 0; i < count; i++)
        gw_free(names[i]);
    gw_free(names);
    return status;
}

int gw_script_folder_add(struct gw_sources *sources, const struct gw_script_folder *folder, struct gw_error *err)
{
    struct walk walk = {.sources = sources, .folder = folder, .err = err};
    return walk_folder(&walk);
}
