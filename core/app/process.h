/* process.h — the running gateway: everything wired together in order and torn down in reverse. Built and destroyed by the main thread; the loops run on
 * threads of their own in between. */
#ifndef GW_APP_PROCESS_H
#define GW_APP_PROCESS_H

#include <stdbool.h>

struct gw_config;
struct gw_error;
struct gw_process;

/* Builds and starts it; `config` is borrowed. On failure everything is torn down again. */
int gw_process_start(const struct gw_config *config, struct gw_process **out, struct gw_error *err);
/* The ports that it listens on. */
unsigned gw_process_port(const struct gw_process *process, bool is_admin);
/* Reads again what files hold: the certificate, the registry, the keys (app/reload.h). */
void gw_process_reload(struct gw_process *process);
/* Drains: streams are told to go, what was admitted becomes durable and is answered. True when all of it was done within shutdown_ms. */
bool gw_process_drain(struct gw_process *process);
/* After a drain that answered true. */
void gw_process_destroy(struct gw_process *process);

#endif
