/* reload.h — what the gateway reads again while it runs, when it is told to: the TLS certificate, the registry file, the keys of bearers. What is faulty
 * keeps the old in use; the log says where, and a metric that it is stale. The main thread; keys are read by the workers, each its own. */
#ifndef GW_APP_RELOAD_H
#define GW_APP_RELOAD_H

struct gw_metric;
struct gw_process;

/* value: the metric atoms_stale, a series each */
struct gw_reload {
    struct gw_metric *stale_tls, *stale_registry, *stale_keys;
};

/* The process's metrics are there. */
void gw_reload_init(struct gw_process *process);

#endif
