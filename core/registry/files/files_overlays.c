#include "registry/files/files_overlays.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

#define ROOT_MAX    3072
#define PATH_BYTES  4096 /* a root, a tenant, a number and a name fit */
#define UNFINISHED  ".new"
#define DIGITS_MAX  18 /* of a version */
#define FOLDER_FDS  8
#define ENTRIES_MAX 4096 /* of one folder of a version */

struct gw_files_overlays {
    struct gw_overlays port;
    char *root;
};

static int fail(struct gw_error *err, const char *path, const char *what)
{
    gw_error_set(err, GW_EIO, "overlay_io", "%s: %s", what, strerror(errno));
    gw_error_prefix(err, path);
    return GW_EIO;
}

static int join(const char *folder, const char *name, size_t length, char out[PATH_BYTES], struct gw_error *err)
{
    int written = snprintf(out, PATH_BYTES, "%s/%.*s", folder, (int)length, name);
    if (written >= 0 && written < PATH_BYTES)
        return GW_OK;
    return gw_error_set(err, GW_EIO, "overlay_io", "a path is too long");
}

static void tenant_path(const struct gw_files_overlays *overlays, const char *tenant_id, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", overlays->root, tenant_id);
}

/* ---- versions ---------------------------------------------------------------------------------------------------------------------------- */

/* 0: not the name of one. */
static uint64_t version_of(const char *name)
{
    uint64_t version = 0;
    size_t length = strspn(name, "0123456789");
    if (length == 0 || length > DIGITS_MAX || name[length] || name[0] == '0')
        return 0;
    for (const char *p = name; *p; p++)
        version = version * 10 + (uint64_t)(*p - '0');
    return version;
}

/* 0 when the folder is not there or holds none. */
static int find_newest(const char *folder, uint64_t *newest, struct gw_error *err)
{
    const struct dirent *entry;
    DIR *stream = opendir(folder);
    *newest = 0;
    if (!stream)
        return errno == ENOENT ? GW_OK : fail(err, folder, "cannot read the folder");
    while ((entry = readdir(stream))) {
        uint64_t version = version_of(entry->d_name);
        *newest = version > *newest ? version : *newest;
    }
    closedir(stream);
    return GW_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------------------ */

/* value: where a walk through a version stands */
struct walk {
    const struct gw_overlay_read *read;
    const char *folder;                  /* of the version */
    char below[GW_OVERLAY_NAME_MAX + 2]; /* "commands/", "" at the top */
    unsigned depth;
    struct gw_error *err;
};

static int read_file(const struct walk *walk, const char *path, const char *name)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    int status = gw_file_read(path, GW_OVERLAY_MAX_FILE_BYTES, &text, walk->err);
    struct gw_overlay_file file = {.name = name, .text = text.data ? text.data : "", .length = text.length};
    if (!status)
        status = walk->read->file(walk->read->arg, &file, walk->err);
    gw_buffer_fini(&text);
    return status;
}

static int read_folder(const struct walk *walk);

/* What is neither a folder nor named like a module was not written by this driver. */
static int read_entry(const struct walk *walk, const char *entry)
{
    struct walk next = *walk;
    char name[GW_OVERLAY_NAME_MAX + 1], path[PATH_BYTES];
    int length = snprintf(name, sizeof name, "%s%s", walk->below, entry);
    if (entry[0] == '.' || length < 0 || (size_t)length >= sizeof name)
        return GW_OK;
    if (join(walk->folder, name, (size_t)length, path, walk->err))
        return walk->err->code;
    if (!gw_file_is_folder(path))
        return gw_overlay_name_is_valid(name) ? read_file(walk, path, name) : GW_OK;
    snprintf(next.below, sizeof next.below, "%s/", name);
    return ++next.depth < FOLDER_FDS ? read_folder(&next) : GW_OK;
}

static int read_folder(const struct walk *walk)
{
    char path[PATH_BYTES];
    const struct dirent *entry;
    int status = join(walk->folder, walk->below, strlen(walk->below), path, walk->err);
    if (status)
        return status;
    DIR *stream = opendir(path);
    if (!stream)
        return fail(walk->err, path, "cannot read the folder");
    for (int left = ENTRIES_MAX; !status && left > 0 && (entry = readdir(stream)); left--)
        status = read_entry(walk, entry->d_name);
    closedir(stream);
    return status;
}

static int read_newest(void *self, struct gw_overlay_read *read, struct gw_error *err)
{
    char tenant[PATH_BYTES], folder[PATH_BYTES], number[DIGITS_MAX + 3];
    tenant_path(self, read->tenant_id, tenant);
    int status = find_newest(tenant, &read->version, err);
    if (status || read->version == 0)
        return status;
    snprintf(number, sizeof number, "%" PRIu64, read->version);
    if (join(tenant, number, strlen(number), folder, err))
        return err->code;
    struct walk walk = {.read = read, .folder = folder, .err = err};
    status = read_folder(&walk);
    if (gw_file_is_folder(folder))
        return status;
    /* Withdrawn meanwhile: what was found of it may have been less than the whole. */
    gw_error_set(err, GW_EBUSY, "registry_unavailable", "the newest version of these policies changes: read again");
    err->is_retryable = true;
    return GW_EBUSY;
}

static int list_tenants(void *self, int (*tenant)(void *arg, const char *tenant_id), void *arg, struct gw_error *err)
{
    const struct gw_files_overlays *overlays = self;
    const struct dirent *entry;
    char path[PATH_BYTES];
    uint64_t newest;
    int status = GW_OK;
    DIR *stream = opendir(overlays->root);
    if (!stream)
        return errno == ENOENT ? GW_OK : fail(err, overlays->root, "cannot read the folder");
    while (!status && (entry = readdir(stream))) {
        if (!gw_id_is_valid(entry->d_name, strlen(entry->d_name)))
            continue;
        tenant_path(overlays, entry->d_name, path);
        status = find_newest(path, &newest, err);
        if (!status && newest)
            status = tenant(arg, entry->d_name);
    }
    closedir(stream);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------------ */

static int sync_folder(const char *path, struct gw_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd < 0 || fsync(fd) ? fail(err, path, "cannot sync the folder") : GW_OK;
    if (fd >= 0)
        close(fd);
    return status;
}

static int write_bytes(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return -1;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

/* Makes the folders of base/name, each one synced into the one above it by its own sync later: see sync_parents. */
static int make_parents(const char *base, const char *name, struct gw_error *err)
{
    char path[PATH_BYTES];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (join(base, name, (size_t)(slash - name), path, err))
            return err->code;
        if (mkdir(path, 0700) && errno != EEXIST)
            return fail(err, path, "cannot make the folder");
    }
    return GW_OK;
}

static int sync_parents(const char *base, const char *name, struct gw_error *err)
{
    char path[PATH_BYTES];
    int status = GW_OK;
    for (const char *slash = strchr(name, '/'); !status && slash; slash = strchr(slash + 1, '/')) {
        status = join(base, name, (size_t)(slash - name), path, err);
        if (!status)
            status = sync_folder(path, err);
    }
    return status;
}

static int write_file(const char *base, const struct gw_overlay_file *file, struct gw_error *err)
{
    char path[PATH_BYTES];
    int status = join(base, file->name, strlen(file->name), path, err);
    if (!status)
        status = make_parents(base, file->name, err);
    if (status)
        return status;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(err, path, "cannot create the file");
    if (write_bytes(fd, file->text, file->length))
        status = fail(err, path, "cannot write the file");
    if (close(fd) && !status)
        status = fail(err, path, "cannot write the file");
    return status ? status : sync_parents(base, file->name, err);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

/* What a crash may have left, of writing or of removing, too. */
static int remove_unfinished(const char *path, struct gw_error *err)
{
    if (nftw(path, remove_one, FOLDER_FDS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return GW_OK;
    return fail(err, path, "cannot remove what was not finished");
}

static int fill(const char *folder, const struct gw_overlay_write *write, struct gw_error *err)
{
    if (mkdir(folder, 0700))
        return fail(err, folder, "cannot make the folder");
    int status = GW_OK;
    for (size_t i = 0; !status && i < write->count; i++)
        status = write_file(folder, &write->files[i], err);
    return status ? status : sync_folder(folder, err);
}

/* Under the tenant's lock. */
static int write_next(const char *tenant, struct gw_overlay_write *write, struct gw_error *err)
{
    char unfinished[PATH_BYTES], folder[PATH_BYTES], number[DIGITS_MAX + 3];
    struct gw_error ignored; /* the next writer removes it */
    uint64_t newest;
    if (join(tenant, UNFINISHED, strlen(UNFINISHED), unfinished, err))
        return err->code;
    int status = remove_unfinished(unfinished, err);
    if (!status)
        status = find_newest(tenant, &newest, err);
    if (!status)
        status = fill(unfinished, write, err);
    if (!status) {
        snprintf(number, sizeof number, "%" PRIu64, newest + 1);
        status = join(tenant, number, strlen(number), folder, err);
    }
    if (!status)
        status = rename(unfinished, folder) ? fail(err, folder, "cannot name the version") : sync_folder(tenant, err);
    if (status)
        (void)remove_unfinished(unfinished, &ignored);
    else
        write->version = newest + 1;
    return status;
}

static int check_files(const struct gw_overlay_write *write, struct gw_error *err)
{
    if (!gw_id_is_valid(write->tenant_id, strlen(write->tenant_id)))
        return gw_error_set(err, GW_EINVAL, "bad_id", "no tenant has such an id");
    if (write->count > GW_OVERLAY_MAX_FILES)
        return gw_error_limit(err, "sources_too_many", "max_files", GW_OVERLAY_MAX_FILES, "more than %d script files",
                              GW_OVERLAY_MAX_FILES);
    for (size_t i = 0; i < write->count; i++) {
        const struct gw_overlay_file *file = &write->files[i];
        if (!gw_overlay_name_is_valid(file->name))
            return gw_error_set(err, GW_EINVAL, "overlay_bad_name", "\"%.130s\" is no name of a module's file", file->name);
        if (file->length > GW_OVERLAY_MAX_FILE_BYTES)
            return gw_error_limit(err, "source_too_large", "max_file_bytes", GW_OVERLAY_MAX_FILE_BYTES, "a script file of %zu bytes",
                                  file->length);
    }
    return GW_OK;
}

/* *fd is closed to unlock, also after a failure unless it is negative. */
static int lock(const char *tenant, int *fd, struct gw_error *err)
{
    *fd = open(tenant, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 || flock(*fd, LOCK_EX) ? fail(err, tenant, "cannot lock the folder") : GW_OK;
}

static int write_version(void *self, struct gw_overlay_write *write, struct gw_error *err)
{
    const struct gw_files_overlays *overlays = self;
    char tenant[PATH_BYTES];
    int fd, status = check_files(write, err);
    if (status)
        return status;
    tenant_path(overlays, write->tenant_id, tenant);
    status = gw_file_make_folder(tenant, err);
    if (!status)
        status = sync_folder(overlays->root, err);
    if (status)
        return status;
    status = lock(tenant, &fd, err);
    if (!status)
        status = write_next(tenant, write, err);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- removing ----------------------------------------------------------------------------------------------------------------------------- */

/* Under the tenant's lock, as all below. Out of sight first, so that nobody reads the half of it. */
static int remove_version(const char *tenant, uint64_t version, struct gw_error *err)
{
    char unfinished[PATH_BYTES], folder[PATH_BYTES], number[DIGITS_MAX + 3];
    snprintf(number, sizeof number, "%" PRIu64, version);
    int status = join(tenant, UNFINISHED, strlen(UNFINISHED), unfinished, err);
    if (!status)
        status = join(tenant, number, strlen(number), folder, err);
    if (!status)
        status = remove_unfinished(unfinished, err);
    if (!status && rename(folder, unfinished))
        status = fail(err, folder, "cannot remove the version");
    if (!status)
        status = sync_folder(tenant, err);
    return status ? status : remove_unfinished(unfinished, err);
}

/* value: those of a tenant */
struct versions {
    uint64_t *items; /* owned */
    size_t count, capacity;
};

static void add_version(struct versions *versions, uint64_t version)
{
    if (versions->count == versions->capacity) {
        size_t capacity = versions->capacity ? 2 * versions->capacity : 64;
        uint64_t *grown = gw_alloc_array(capacity, sizeof *grown);
        for (size_t i = 0; i < versions->count; i++)
            grown[i] = versions->items[i];
        gw_free(versions->items);
        versions->items = grown;
        versions->capacity = capacity;
    }
    versions->items[versions->count++] = version;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static int list_versions(const char *tenant, struct versions *out, struct gw_error *err)
{
    const struct dirent *entry;
    DIR *stream = opendir(tenant);
    if (!stream)
        return fail(err, tenant, "cannot read the folder");
    while ((entry = readdir(stream)))
        if (version_of(entry->d_name))
            add_version(out, version_of(entry->d_name));
    closedir(stream);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, newest_first);
    return GW_OK;
}

static int remove_old(const char *tenant, struct gw_overlay_prune *prune, struct gw_error *err)
{
    struct versions versions = {0};
    int status = list_versions(tenant, &versions, err);
    for (size_t i = prune->keep ? prune->keep : 1; !status && i < versions.count; i++) {
        if (versions.items[i] == prune->in_force)
            continue;
        status = remove_version(tenant, versions.items[i], err);
        prune->removed += !status;
    }
    gw_free(versions.items);
    return status;
}

static int prune_versions(void *self, struct gw_overlay_prune *prune, struct gw_error *err)
{
    char tenant[PATH_BYTES];
    int fd;
    tenant_path(self, prune->tenant_id, tenant);
    prune->removed = 0;
    int status = lock(tenant, &fd, err);
    if (!status)
        status = remove_old(tenant, prune, err);
    if (fd >= 0)
        close(fd);
    return status;
}

static int withdraw(void *self, const char *tenant_id, uint64_t version, struct gw_error *err)
{
    char tenant[PATH_BYTES];
    uint64_t newest;
    int fd;
    tenant_path(self, tenant_id, tenant);
    int status = lock(tenant, &fd, err);
    if (!status)
        status = find_newest(tenant, &newest, err);
    if (!status && newest != version)
        status = gw_error_set(err, GW_ECONFLICT, "overlay_not_newest", "a newer version was written meanwhile");
    if (!status)
        status = remove_version(tenant, version, err);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- life --------------------------------------------------------------------------------------------------------------------------------- */

int gw_files_overlays_create(const char *data_dir, struct gw_files_overlays **out, struct gw_error *err)
{
    char root[ROOT_MAX];
    int length = snprintf(root, sizeof root, "%s/overlays", data_dir);
    if (length < 0 || (size_t)length >= sizeof root)
        return gw_error_set(err, GW_EINVAL, "overlay_bad_root", "the folder's path is too long");
    struct gw_files_overlays *overlays = gw_alloc(sizeof *overlays);
    overlays->port = (struct gw_overlays){.self = overlays,
                                          .read = read_newest,
                                          .write = write_version,
                                          .prune = prune_versions,
                                          .withdraw = withdraw,
                                          .tenants = list_tenants};
    overlays->root = gw_strdup(root);
    *out = overlays;
    return GW_OK;
}

void gw_files_overlays_destroy(struct gw_files_overlays *overlays)
{
    if (!overlays)
        return;
    gw_free(overlays->root);
    gw_free(overlays);
}

const char *gw_files_overlays_root(const struct gw_files_overlays *overlays) { return overlays->root; }

const struct gw_overlays *gw_files_overlays_port(const struct gw_files_overlays *overlays) { return &overlays->port; }
