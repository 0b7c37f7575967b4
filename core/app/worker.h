/* worker.h — one worker: an event loop with its share of runs, its listener and its connections. Built and torn down by the main thread while the loop does
 * not run; everything else happens on the loop's thread. */
#ifndef GW_APP_WORKER_H
#define GW_APP_WORKER_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/task.h"
#include "hub/hub.h"
#include "io/loop.h"
#include "transport/server.h"

struct gw_alarm;
struct gw_config;
struct gw_cursor_ring;
struct gw_error;
struct gw_jwks_fetch;
struct gw_process;
struct gw_script_host;
struct gw_verifier;
struct gw_wire_codec;

enum gw_worker_phase { GW_WORKER_SERVING, GW_WORKER_LEAVING, GW_WORKER_SETTLING };

struct gw_worker {
    struct gw_turn_hook hook; /* first */
    struct gw_process *process;
    size_t index;
    struct gw_loop *loop;
    struct gw_cursor_ring *ring; /* until the codec takes it */
    struct gw_wire_codec *codec;
    struct gw_script_host *scripts;
    struct gw_hub *hub;
    struct gw_jwks_fetch *fetch;
    struct gw_verifier *verifier;
    struct gw_server *server;
    struct gw_alarm *alarm, *wake; /* the tick; what the hub asks for */
    enum gw_worker_phase phase;
    bool has_reported;
    bool has_stale_keys; /* as told to the metric */
    atomic_bool is_reload_due;
    struct gw_task leave, settle, abort, reload;
};

int gw_worker_init(struct gw_worker *worker, struct gw_process *process, size_t index, struct gw_error *err);
int gw_worker_listen(struct gw_worker *worker, struct gw_error *err);
int gw_worker_start(struct gw_worker *worker, struct gw_error *err);
/* Any thread: begins a phase of the shutdown; the process's semaphore is posted when it is done. */
void gw_worker_leave(struct gw_worker *worker);
void gw_worker_settle(struct gw_worker *worker);
/* Any thread: its keys are read again. */
void gw_worker_reload(struct gw_worker *worker);
/* Any thread: ends the connections that are left. */
void gw_worker_abort(struct gw_worker *worker);
/* The loop does not run. */
void gw_worker_fini(struct gw_worker *worker);

#endif
