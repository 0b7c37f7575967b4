/* script_swap.h — changes which scripts are in force while streams live: reads and checks them on a thread of its own, switches, and has every worker ask
 * for the lenses of its streams, ahead and again when it has come, before the change is called done. Behind transport/policy_admin.h; also asked by SIGHUP, and by a saved file where
 * files are watched. One change at a time, in the order of their arrival. */
#ifndef GW_APP_SCRIPT_SWAP_H
#define GW_APP_SCRIPT_SWAP_H

#include <stdbool.h>
#include <stddef.h>

struct gw_clock;
struct gw_error;
struct gw_executor;
struct gw_hub;
struct gw_log;
struct gw_policy_admin;
struct gw_script_host;
struct gw_script_swap;
struct gw_scripts;
struct gw_server;

/* value: borrowed for its life */
struct gw_script_swap_opts {
    struct gw_scripts *scripts;
    const struct gw_clock *clock;
    struct gw_log *log;
    size_t worker_count;
    struct gw_executor *executors; /* of the workers */
    struct gw_hub **hubs;
    struct gw_server **servers; /* theirs; filled before the first change */
    struct gw_script_host **hosts;
    const char *const *watched; /* folders whose saved files switch by themselves; NULL: none are watched */
    size_t watched_count;
};

/* GW_EIO, GW_ENOMEM: there is no thread to be had. */
int gw_script_swap_create(const struct gw_script_swap_opts *opts, struct gw_script_swap **out, struct gw_error *err);
int gw_script_swap_start(struct gw_script_swap *swap, struct gw_error *err);
const struct gw_policy_admin *gw_script_swap_port(const struct gw_script_swap *swap);
/* Any thread: reads everything again; the log says what came of it. */
void gw_script_swap_reload(struct gw_script_swap *swap);
/* The workers still run; nothing is changed any more when it returns. */
void gw_script_swap_stop(struct gw_script_swap *swap);
/* The workers do not run. NULL is fine. */
void gw_script_swap_destroy(struct gw_script_swap *swap);

#endif
