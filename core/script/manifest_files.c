#include "script/manifest_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "script/data_file.h"
#include "script/script_folder.h"

#define MANIFEST_NAME  "manifest.lua"
#define MANIFEST_BYTES (1u << 20)

static char *join_path(const char *dir, const char *name, const char *file)
{
    struct gw_buffer path;
    gw_buffer_init(&path, 0);
    gw_buffer_appendf(&path, "%s/%s%s%s", dir, name, file ? "/" : "", file ? file : "");
    size_t length;
    return gw_buffer_take(&path, &length);
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to read the manifests"); }

/* value: the folders being found */
struct listing {
    const char *dir, *shown;
    const struct gw_script_faults *faults;
    struct gw_manifest_files *files;
};

static int refuse_name(const struct listing *listing, const char *name, struct gw_error *err)
{
    gw_error_set(err, GW_EINVAL, "manifest_bad_name", "a canvas type is named by its folder: letters, digits, '.', '_' and '-', at most %d",
                 GW_ID_MAX);
    snprintf(err->path, sizeof err->path, "%.90s/%.68s", listing->shown, name);
    return GW_EINVAL;
}

static int add_name(const struct listing *listing, const char *name, struct gw_error *err)
{
    struct gw_manifest_files *files = listing->files;
    if (!gw_id_is_valid(name, strlen(name)))
        return refuse_name(listing, name, err);
    if (files->count == GW_MANIFEST_FILES_MAX) {
        gw_error_limit(err, "manifest_too_many", "max_manifests", GW_MANIFEST_FILES_MAX, "more than %d canvas folders",
                       GW_MANIFEST_FILES_MAX);
        gw_error_prefix(err, listing->shown);
        return GW_ELIMIT;
    }
    struct gw_manifest_file *item = &files->items[files->count++];
    memcpy(item->canvas_type, name, strlen(name) + 1);
    item->file = NULL;
    return 0;
}

static int add_folder(const struct listing *listing, const char *name, struct gw_error *err)
{
    if (name[0] == '.' || name[0] == '_')
        return 0;
    char *path = join_path(listing->dir, name, NULL);
    if (path == NULL)
        return no_memory(err);
    int rc = gw_file_is_folder(path) ? add_name(listing, name, err) : 0;
    gw_free(path);
    return rc;
}

static int list_folders(const struct listing *listing, struct gw_error *err)
{
    DIR *stream = opendir(listing->dir);
    if (stream == NULL) {
        gw_error_set(err, GW_EIO, "canvases_unreadable", "cannot read the canvases folder: %s", strerror(errno));
        gw_error_prefix(err, listing->shown);
        return GW_EIO;
    }
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(stream)) != NULL)
        rc = gw_script_faults_tell(listing->faults, add_folder(listing, entry->d_name, err), err);
    closedir(stream);
    return rc;
}

static int compare_types(const void *a, const void *b)
{
    const struct gw_manifest_file *x = a, *y = b;
    return strcmp(x->canvas_type, y->canvas_type);
}

static int read_manifest(const char *dir, const char *path, const char *shown, struct gw_data_file **out, struct gw_error *err)
{
    static const char *const lists[] = {"tools", "children", "when", NULL};
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    int rc = gw_file_read(path, MANIFEST_BYTES, &text, err);
    if (rc == 0)
        rc = gw_script_folder_holds(dir, path, err);
    if (rc == GW_ENOTFOUND)
        rc = gw_error_set(err, GW_ENOTFOUND, "manifest_missing", "a canvas folder needs a " MANIFEST_NAME);
    if (rc != 0)
        snprintf(err->path, sizeof err->path, "%.159s", shown);
    else
        rc = gw_data_file_parse(text.data ? text.data : "", text.length, &(struct gw_data_opts){.list_names = lists, .name = shown}, out,
                                err);
    gw_buffer_fini(&text);
    return rc;
}

static int load_one(const char *dir, const char *shown, struct gw_manifest_file *item, struct gw_error *err)
{
    char *folder = join_path(dir, item->canvas_type, NULL);
    char *path = join_path(dir, item->canvas_type, MANIFEST_NAME), *name = join_path(shown, item->canvas_type, MANIFEST_NAME);
    int rc = folder && path && name ? read_manifest(folder, path, name, &item->file, err) : no_memory(err);
    gw_free(folder);
    gw_free(path);
    gw_free(name);
    return rc;
}

/* Leaves out those that were refused. */
static void drop_missing(struct gw_manifest_files *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].file)
            files->items[kept++] = files->items[i];
    files->count = kept;
}

int gw_script_load_each_manifest(const char *dir, const char *shown, const struct gw_script_faults *faults, struct gw_manifest_files *out,
                                 struct gw_error *err)
{
    struct gw_manifest_files files = {gw_alloc_array(GW_MANIFEST_FILES_MAX, sizeof *files.items), 0};
    struct listing listing = {dir, shown ? shown : dir, faults, &files};
    int rc = list_folders(&listing, err);
    qsort(files.items, files.count, sizeof *files.items, compare_types);
    for (size_t i = 0; rc == 0 && i < files.count; i++)
        rc = gw_script_faults_tell(faults, load_one(dir, listing.shown, &files.items[i], err), err);
    drop_missing(&files);
    if (rc == 0)
        *out = files;
    else
        gw_manifest_files_fini(&files);
    return rc;
}

int gw_script_load_manifests(const char *dir, struct gw_manifest_files *out, struct gw_error *err)
{
    return gw_script_load_each_manifest(dir, NULL, NULL, out, err);
}

void gw_manifest_files_fini(struct gw_manifest_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        gw_data_file_destroy(files->items[i].file);
    gw_free(files->items);
    *files = (struct gw_manifest_files){NULL, 0};
}
