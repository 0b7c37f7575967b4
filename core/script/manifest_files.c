#include "script/manifest_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "script/data_file.h"

#define MANIFEST_NAME "manifest.lua"

static char *join_path(const char *dir, const char *name, const char *file)
{
    struct gw_buffer path;
    gw_buffer_init(&path, 0);
    gw_buffer_appendf(&path, "%s/%s%s%s", dir, name, file ? "/" : "", file ? file : "");
    size_t length;
    return gw_buffer_take(&path, &length);
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to read the manifests"); }

/* 1: a canvas folder, 0: something else */
static int is_canvas_folder(const char *dir, const char *name, struct gw_error *err)
{
    if (name[0] == '.' || name[0] == '_')
        return 0;
    char *path = join_path(dir, name, NULL);
    if (path == NULL)
        return no_memory(err);
    int answer = gw_file_is_folder(path);
    if (answer && !gw_id_is_valid(name, strlen(name))) {
        answer = gw_error_set(err, GW_EINVAL, "manifest_bad_name",
                              "a canvas type is named by its folder: letters, digits, '.', '_' and '-', at most %d", GW_ID_MAX);
        gw_error_prefix(err, path);
    }
    gw_free(path);
    return answer;
}

static int add_name(struct gw_manifest_files *files, const char *dir, const char *name, struct gw_error *err)
{
    if (files->count == GW_MANIFEST_FILES_MAX) {
        gw_error_limit(err, "manifest_too_many", "max_manifests", GW_MANIFEST_FILES_MAX, "more than %d canvas folders",
                       GW_MANIFEST_FILES_MAX);
        gw_error_prefix(err, dir);
        return GW_ELIMIT;
    }
    struct gw_manifest_file *item = &files->items[files->count++];
    memcpy(item->canvas_type, name, strlen(name) + 1);
    item->file = NULL;
    return 0;
}

static int list_folders(const char *dir, struct gw_manifest_files *files, struct gw_error *err)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        gw_error_set(err, GW_EIO, "canvases_unreadable", "cannot read the canvases folder: %s", strerror(errno));
        gw_error_prefix(err, dir);
        return GW_EIO;
    }
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(stream)) != NULL) {
        rc = is_canvas_folder(dir, entry->d_name, err);
        if (rc == 1)
            rc = add_name(files, dir, entry->d_name, err);
    }
    closedir(stream);
    return rc;
}

static int compare_types(const void *a, const void *b)
{
    const struct gw_manifest_file *x = a, *y = b;
    return strcmp(x->canvas_type, y->canvas_type);
}

static int load_one(const char *dir, struct gw_manifest_file *item, struct gw_error *err)
{
    char *path = join_path(dir, item->canvas_type, MANIFEST_NAME);
    if (path == NULL)
        return no_memory(err);
    static const char *const lists[] = {"tools", "children", "when", NULL};
    int rc = gw_data_file_load(path, &(struct gw_data_opts){.list_names = lists}, &item->file, err);
    if (rc == GW_ENOTFOUND) {
        rc = gw_error_set(err, GW_ENOTFOUND, "manifest_missing", "a canvas folder needs a " MANIFEST_NAME);
        gw_error_prefix(err, path);
    }
    gw_free(path);
    return rc;
}

int gw_script_load_manifests(const char *dir, struct gw_manifest_files *out, struct gw_error *err)
{
    struct gw_manifest_files files = {gw_alloc_array(GW_MANIFEST_FILES_MAX, sizeof *files.items), 0};
    int rc = list_folders(dir, &files, err);
    qsort(files.items, files.count, sizeof *files.items, compare_types);
    for (size_t i = 0; rc == 0 && i < files.count; i++)
        rc = load_one(dir, &files.items[i], err);
    if (rc == 0)
        *out = files;
    else
        gw_manifest_files_fini(&files);
    return rc;
}

void gw_manifest_files_fini(struct gw_manifest_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        gw_data_file_destroy(files->items[i].file);
    gw_free(files->items);
    *files = (struct gw_manifest_files){NULL, 0};
}
