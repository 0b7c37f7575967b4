#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

static int fail(struct gw_error *err, const char *path, int code, const char *id, const char *what)
{
    int saved = errno;
    gw_error_set(err, code, id, "%s: %s", what, strerror(saved));
    gw_error_prefix(err, path);
    return code;
}

static int read_all(int fd, size_t max_bytes, struct gw_buffer *out, const char *path, struct gw_error *err)
{
    size_t total = 0;
    for (;;) {
        char *room = gw_buffer_reserve(out, 16384);
        if (room == NULL)
            return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to read a file");
        ssize_t n = read(fd, room, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, path, GW_EIO, "file_unreadable", "cannot read");
        if (n == 0)
            return 0;
        total += (size_t)n;
        if (total > max_bytes) {
            gw_error_limit(err, "file_too_large", "max_file_bytes", (int64_t)max_bytes, "longer than %zu bytes", max_bytes);
            gw_error_prefix(err, path);
            return GW_ELIMIT;
        }
        gw_buffer_commit(out, (size_t)n);
    }
}

static int read_file(const char *path, size_t max_bytes, mode_t forbidden, struct gw_buffer *out, struct gw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return fail(err, path, GW_ENOTFOUND, "file_not_found", "cannot open");
    if (fd < 0)
        return fail(err, path, GW_EIO, "file_unreadable", "cannot open");
    struct stat st;
    int rc;
    if (fstat(fd, &st) != 0) {
        rc = fail(err, path, GW_EIO, "file_unreadable", "cannot stat");
    } else if (!S_ISREG(st.st_mode)) {
        rc = gw_error_set(err, GW_EIO, "file_unreadable", "not a regular file");
        gw_error_prefix(err, path);
    } else if ((st.st_mode & forbidden) != 0) {
        rc = gw_error_set(err, GW_EDENIED, "file_too_open", "others may read or write it: chmod 600");
        gw_error_prefix(err, path);
    } else {
        rc = read_all(fd, max_bytes, out, path, err);
    }
    close(fd);
    return rc;
}

int gw_file_read(const char *path, size_t max_bytes, struct gw_buffer *out, struct gw_error *err)
{
    return read_file(path, max_bytes, 0, out, err);
}

int gw_file_read_private(const char *path, size_t max_bytes, struct gw_buffer *out, struct gw_error *err)
{
    return read_file(path, max_bytes, S_IRWXG | S_IRWXO, out, err);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
    return fsync(fd);
}

static int sync_parent(const char *path)
{
    struct gw_buffer parent;
    gw_buffer_init(&parent, 0);
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        gw_buffer_append_text(&parent, ".");
    else
        gw_buffer_append(&parent, path, slash == path ? 1 : (size_t)(slash - path));
    gw_buffer_append_char(&parent, '\0');
    int fd = parent.has_failed ? -1 : open(parent.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gw_buffer_fini(&parent);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

int gw_file_create_private(const char *path, const void *bytes, size_t length, struct gw_error *err)
{
    struct gw_buffer temporary;
    gw_buffer_init(&temporary, 0);
    gw_buffer_appendf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    gw_buffer_append_char(&temporary, '\0');
    if (temporary.has_failed) {
        gw_buffer_fini(&temporary);
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a file name");
    }
    int rc = 0;
    unlink(temporary.data); /* what a crashed process of the same id may have left */
    int fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        rc = fail(err, path, GW_EIO, "file_unwritable", "cannot create");
        goto out;
    }
    if (write_all(fd, bytes, length) != 0)
        rc = fail(err, path, GW_EIO, "file_unwritable", "cannot write");
    close(fd);
    /* link(2), not rename(2): it refuses an existing name, so of two processes that start at once one wins and the other reads. */
    if (rc == 0 && link(temporary.data, path) != 0)
        rc = fail(err, path, errno == EEXIST ? GW_ECONFLICT : GW_EIO, "file_unwritable", "cannot create");
    if (rc == 0 && sync_parent(path) != 0)
        rc = fail(err, path, GW_EIO, "file_unwritable", "cannot sync the folder");
    unlink(temporary.data);
out:
    gw_buffer_fini(&temporary);
    return rc;
}

int gw_file_make_folder(const char *path, struct gw_error *err)
{
    char *partial = gw_strdup(path);
    int rc = 0;
    for (char *p = partial + (partial[0] == '/'); rc == 0; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char saved = *p;
        *p = '\0';
        if (partial[0] != '\0' && mkdir(partial, 0700) != 0 && errno != EEXIST)
            rc = fail(err, path, GW_EIO, "folder_unwritable", "cannot make the folder");
        *p = saved;
        if (saved == '\0')
            break;
    }
    gw_free(partial);
    if (rc == 0 && !gw_file_is_folder(path)) {
        rc = gw_error_set(err, GW_EIO, "folder_unwritable", "exists and is no folder");
        gw_error_prefix(err, path);
    }
    return rc;
}

bool gw_file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
