/* file_watch.h — tells that a file or a directory's entries have changed: certificates, policies. Lives on its loop's thread. A file is
 * watched through its directory, so replacing it by rename or by switching a symbolic link in that directory is seen; the directory itself
 * must stay. Changes are gathered: one call after `settle_ms` of quiet, at the latest after ten times that. Says that something changed,
 * not what. Not recursive. */
#ifndef GW_IO_FILE_WATCH_H
#define GW_IO_FILE_WATCH_H

#include <stdint.h>

struct gw_error;
struct gw_file_watch;
struct gw_loop;

/* value */
struct gw_file_watch_opts {
    const char *path;   /* copied */
    unsigned settle_ms; /* 0 = 200 */
    void (*on_change)(void *arg, const char *path);
    void *arg;
};

/* GW_ENOTFOUND file_not_found; GW_EIO watch_failed. */
int gw_file_watch_open(struct gw_loop *loop, const struct gw_file_watch_opts *opts, struct gw_file_watch **out, struct gw_error *err);
/* on_change is not called again; frees itself with the next turn of the loop, or its destroy. NULL is fine. */
void gw_file_watch_close(struct gw_file_watch *watch);

#endif
