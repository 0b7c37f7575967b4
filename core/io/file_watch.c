#include "io/file_watch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/loop_inside.h"

#define SETTLE_DEFAULT_MS 200
#define MAX_SETTLES       10 /* a file that never comes to rest is reported all the same */

/* value: what tells two contents of one path apart without reading them */
struct signature {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct gw_file_watch {
    uv_fs_event_t events;
    uv_timer_t settle;
    char *path;
    bool is_directory, is_changing, is_closing;
    uint8_t open_handle_count;
    unsigned settle_ms;
    uint64_t deadline_ms; /* of the loop's clock, while is_changing */
    struct signature last;
    void (*on_change)(void *arg, const char *path);
    void *arg;
};

static bool read_signature(const char *path, struct signature *out)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return false;
    *out = (struct signature){found.st_dev, found.st_ino, found.st_size, found.st_mtim};
    return true;
}

static bool is_same(const struct signature *a, const struct signature *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

/* The directory's events tell of its other entries too, and a file that is being replaced is absent for a moment: both are not changes. */
static bool has_changed(struct gw_file_watch *watch)
{
    struct signature now;
    if (watch->is_directory)
        return true;
    if (!read_signature(watch->path, &now) || is_same(&now, &watch->last))
        return false;
    watch->last = now;
    return true;
}

static void on_settled(uv_timer_t *handle)
{
    struct gw_file_watch *watch = handle->data;
    watch->is_changing = false;
    if (has_changed(watch))
        watch->on_change(watch->arg, watch->path);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct gw_file_watch *watch = handle->data;
    uint64_t now_ms = gw_loop_now_ms(gw_loop_of((uv_handle_t *)handle));
    (void)name;
    (void)events;
    if (status < 0)
        return;
    if (!watch->is_changing) {
        watch->is_changing = true;
        watch->deadline_ms = now_ms + (uint64_t)watch->settle_ms * MAX_SETTLES;
    }
    uint64_t left_ms = watch->deadline_ms > now_ms ? watch->deadline_ms - now_ms : 0;
    uv_timer_start(&watch->settle, on_settled, left_ms < watch->settle_ms ? left_ms : watch->settle_ms, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct gw_file_watch *watch = handle->data;
    if (--watch->open_handle_count > 0)
        return;
    gw_free(watch->path);
    gw_free(watch);
}

/* The directory that holds `path`, in newly allocated text. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return gw_strdup(".");
    char *directory = gw_strdup(path);
    directory[slash == path ? 1 : slash - path] = '\0';
    return directory;
}

static int start(struct gw_file_watch *watch)
{
    char *directory = watch->is_directory ? gw_strdup(watch->path) : directory_of(watch->path);
    int failure = uv_fs_event_start(&watch->events, on_event, directory, 0);
    gw_free(directory);
    return failure;
}

int gw_file_watch_open(struct gw_loop *loop, const struct gw_file_watch_opts *opts, struct gw_file_watch **out, struct gw_error *err)
{
    struct stat found;
    if (stat(opts->path, &found) != 0)
        return gw_error_set(err, GW_ENOTFOUND, "file_not_found", "cannot watch %.120s: %s", opts->path, strerrordesc_np(errno));
    struct gw_file_watch *watch = gw_alloc(sizeof *watch);
    watch->path = gw_strdup(opts->path);
    watch->settle_ms = opts->settle_ms ? opts->settle_ms : SETTLE_DEFAULT_MS;
    watch->on_change = opts->on_change;
    watch->arg = opts->arg;
    watch->is_directory = S_ISDIR(found.st_mode);
    watch->last = (struct signature){found.st_dev, found.st_ino, found.st_size, found.st_mtim};
    uv_fs_event_init(gw_loop_uv(loop), &watch->events);
    uv_timer_init(gw_loop_uv(loop), &watch->settle);
    watch->events.data = watch->settle.data = watch;
    watch->open_handle_count = 2;
    int failure = start(watch);
    if (failure) {
        gw_file_watch_close(watch);
        return gw_loop_set_error(err, "watch_failed", opts->path, failure);
    }
    *out = watch;
    return 0;
}

void gw_file_watch_close(struct gw_file_watch *watch)
{
    if (!watch || watch->is_closing)
        return;
    watch->is_closing = true;
    uv_close((uv_handle_t *)&watch->events, on_handle_closed);
    uv_close((uv_handle_t *)&watch->settle, on_handle_closed);
}
