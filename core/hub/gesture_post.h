/* gesture_post.h — a gesture on its way to the run's owner, who shows it. Part of the hub's face (hub.h): called on the worker's own thread. */
#ifndef GW_HUB_GESTURE_POST_H
#define GW_HUB_GESTURE_POST_H

#include "base/error.h"
#include "base/task.h"
#include "hub/presence.h"

struct gw_executor;
struct gw_hub;

/* The caller owns it again when `done` runs on `home`. status 0; or GW_E… with err: canvas_not_mounted, too_many_actors, too_many_runs, draining, out_of_memory. */
struct gw_gesture_post {
    struct gw_scope scope;
    struct gw_arrival who;
    struct gw_gesture gesture; /* checked; its author's plan shows who is there */
    struct gw_executor *home;
    void (*done)(struct gw_gesture_post *post);
    int status;
    struct gw_error err;
    struct gw_task task; /* the hub's, as below */
    struct gw_hub *owner;
};
/* Its newest gesture is this one, for everybody who may see it, until there is another, the lease of limits.gesture_lease_ms has ended, or its author is gone. */
void gw_hub_show(struct gw_hub *hub, struct gw_gesture_post *post);
void gw_gesture_post_fini(struct gw_gesture_post *post);

#endif
