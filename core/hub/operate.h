/* operate.h — orders of an operator to one run, carried out by its owner between two commands. Called on a worker's own thread, as all of
 * hub.h. Not for who may give them: that is the transport's. */
#ifndef GW_HUB_OPERATE_H
#define GW_HUB_OPERATE_H

#include <stddef.h>

#include "base/error.h"
#include "base/id.h"
#include "base/task.h"

struct gw_executor;
struct gw_hub;

/* DELETE: nothing of the run is left; the next command begins a new one. ERASE: what the actor wrote goes out of the state (erasure.h), and the
 * whole log so far with it; older cursors answer a reset. Streams of the run end either way, reason purged, and commands that come meanwhile
 * are refused, run_being_erased. */
enum gw_order_kind { GW_ORDER_DELETE, GW_ORDER_ERASE };

/* The caller owns it again when `done` runs on `home`; status 0 or GW_E… with err. */
struct gw_order {
    enum gw_order_kind kind;
    struct gw_scope scope;        /* surface and app are not looked at */
    char actor_id[GW_ID_MAX + 1]; /* ERASE */
    struct gw_executor *home;
    void (*done)(struct gw_order *order);
    int status;
    struct gw_error err;
    size_t erased_count; /* ERASE: texts, properties, Tokens and messages changed */
    struct gw_task task; /* the hub's, as all below */
    struct gw_hub *owner;
    struct gw_order *next;
};
void gw_hub_order(struct gw_hub *hub, struct gw_order *order);

#endif
