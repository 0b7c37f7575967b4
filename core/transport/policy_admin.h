/* policy_admin.h — the port through which operators change which policies are in force. Whoever owns them stands behind it; the transport only carries the
 * question and the answer. */
#ifndef GW_TRANSPORT_POLICY_ADMIN_H
#define GW_TRANSPORT_POLICY_ADMIN_H

#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/task.h"

struct gw_json;

enum gw_policy_change_kind { GW_POLICY_RELOAD, GW_POLICY_ROLLBACK, GW_POLICY_RELEASE /* of a tenant from quarantine */ };

/* A change. The caller owns it again when `done` runs on `home`: by then every worker decides, and shows, by what is now in force. */
struct gw_policy_change {
    enum gw_policy_change_kind kind;
    char tenant_id[GW_ID_MAX + 1]; /* "": the defaults; a reload then reads the overlays in use again, too */
    uint64_t number;               /* ROLLBACK: the generation to go back to; 0: the one before */
    struct gw_executor *home;
    void (*done)(struct gw_policy_change *change);
    void *arg;  /* the caller's */
    int status; /* not 0: nothing was changed */
    struct gw_error err;
    struct gw_json *
        result; /* [{tenant_id, status: "switched", "released", "unchanged" or "failed", code?, message?, where?}]; owned; NULL with a status */
    struct gw_task task; /* the owner's, as all below */
    void *owner;
    void (*answer)(struct gw_policy_change *change);
};

struct gw_policy_admin {
    void *self;
    void (*change)(void *self, struct gw_policy_change *change);
    /* What is in force for whom, and how it fares; one new reference, NULL when memory is gone. Any thread. */
    struct gw_json *(*list)(void *self);
};

#endif
