/* overlay_port.h — the registry's half that keeps what tenants have laid over the policies of all: versions of a few Lua files each, numbered from 1, never changed
 * once written, of which the newest counts and some older ones stay. Drivers stand in registry/; who reads and checks the files is the script layer. Not for the operator's
 * own folder, which is no registry.
 *
 * Any thread; calls block, and `read` also stands in the way of a tenant's first request. So it waits for a disk at most: the driver of a remote store
 * answers from a copy that it holds, and GW_EBUSY as long as it has none, which denies now and is asked again. */
#ifndef GW_HUB_OVERLAY_PORT_H
#define GW_HUB_OVERLAY_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;

#define GW_OVERLAY_MAX_FILES      256
#define GW_OVERLAY_MAX_FILE_BYTES (256u << 10)
#define GW_OVERLAY_NAME_MAX       128

/* value: one file; borrowed for the call */
struct gw_overlay_file {
    const char *name; /* "commands/chat.lua" */
    const char *text;
    size_t length;
};

/* Folders and a file of letters, digits and '_', the file with ".lua", joined by '/', at most GW_OVERLAY_NAME_MAX bytes: what a module can be called. */
bool gw_overlay_name_is_valid(const char *name);

/* value: reading the newest version of a tenant */
struct gw_overlay_read {
    const char *tenant_id;
    /* Each file, in any order; not 0 ends the reading with that status. `version` is set before the first. */
    int (*file)(void *arg, const struct gw_overlay_file *file, struct gw_error *err);
    void *arg;
    uint64_t version; /* the answer; 0: the tenant has none */
};

/* value: writing one more */
struct gw_overlay_write {
    const char *tenant_id;
    const struct gw_overlay_file *files;
    size_t count;
    uint64_t version; /* the answer */
};

/* value: forgetting old ones */
struct gw_overlay_prune {
    const char *tenant_id;
    size_t keep;       /* so many of the newest stay; at least 1 */
    uint64_t in_force; /* stays too; 0: none */
    size_t removed;    /* the answer */
};

struct gw_overlays {
    void *self;
    /* GW_EIO, GW_EBUSY; or what `file` answered. */
    int (*read)(void *self, struct gw_overlay_read *read, struct gw_error *err);
    /* Durable and whole when it returns 0, and otherwise not there at all. GW_EINVAL overlay_bad_name, GW_ELIMIT, GW_EIO, GW_EBUSY. */
    int (*write)(void *self, struct gw_overlay_write *write, struct gw_error *err);
    /* Removes the versions that need not stay. GW_EIO, GW_EBUSY. */
    int (*prune)(void *self, struct gw_overlay_prune *prune, struct gw_error *err);
    /* Removes a version that nobody uses: it was written and then refused. GW_ECONFLICT overlay_not_newest: there is a newer one by now; GW_EIO, GW_EBUSY. */
    int (*withdraw)(void *self, const char *tenant_id, uint64_t version, struct gw_error *err);
    /* Each tenant that has a version, in any order; not 0 ends it with that status. GW_EIO, GW_EBUSY. */
    int (*tenants)(void *self, int (*tenant)(void *arg, const char *tenant_id), void *arg, struct gw_error *err);
};

#endif
