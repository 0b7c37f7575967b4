#include "app/worker.h"

#include "app/config.h"
#include "app/process.h"
#include "app/process_internal.h"
#include "app/script_swap.h"
#include "base/error.h"
#include "base/metrics.h"
#include "identity/jwks_fetch.h"
#include "identity/verifier.h"
#include "io/timer.h"
#include "protocol/cursor.h"
#include "registry/files/files_registry.h"
#include "script/script.h"
#include "transport/wire.h"

#define TICK_MS       1000
#define DRAIN_TICK_MS 20

/* ---- the loop's callbacks ---------------------------------------------------------------------------------------------------------------- */

static void on_turn_end(struct gw_turn_hook *hook)
{
    struct gw_worker *worker = (struct gw_worker *)(void *)hook;
    gw_hub_work(worker->hub);
    gw_server_turn_end(worker->server);
    if (gw_hub_pump(worker->hub))
        gw_loop_request_turn(worker->loop);
}

static bool is_phase_done(const struct gw_worker *worker)
{
    if (worker->phase == GW_WORKER_LEAVING)
        return gw_server_is_drained(worker->server);
    return worker->phase == GW_WORKER_SETTLING && gw_hub_is_quiet(worker->hub);
}

static void tell_stale_keys(struct gw_worker *worker)
{
    bool is_stale = gw_verifier_is_stale(worker->verifier);
    gw_metric_add(worker->process->reload.stale_keys, (int)is_stale - (int)worker->has_stale_keys);
    worker->has_stale_keys = is_stale;
}

static void on_tick(void *arg)
{
    struct gw_worker *worker = arg;
    if (worker->phase == GW_WORKER_SETTLING && worker->has_reported)
        return; /* what has settled stays so: a checkpoint that began now would outlive its run */
    gw_hub_tick(worker->hub);
    gw_server_tick(worker->server);
    gw_verifier_tick(worker->verifier);
    gw_script_host_tick(worker->scripts);
    tell_stale_keys(worker);
    if (worker->index == 0 && worker->phase == GW_WORKER_SERVING)
        atomic_store(&worker->process->shared.is_ready, gw_verifier_is_ready(worker->verifier));
    if (worker->has_reported || !is_phase_done(worker))
        return;
    worker->has_reported = true;
    sem_post(&worker->process->reports);
}

static void on_reload(struct gw_task *task)
{
    struct gw_worker *worker = (struct gw_worker *)(void *)((char *)task - offsetof(struct gw_worker, reload));
    atomic_store(&worker->is_reload_due, false);
    gw_verifier_reload(worker->verifier);
}

static void enter(struct gw_worker *worker, enum gw_worker_phase phase)
{
    worker->phase = phase;
    worker->has_reported = false;
    gw_alarm_start(worker->alarm, 0, DRAIN_TICK_MS);
}

static void on_leave(struct gw_task *task)
{
    struct gw_worker *worker = (struct gw_worker *)(void *)((char *)task - offsetof(struct gw_worker, leave));
    atomic_store(&worker->process->shared.is_ready, false);
    gw_server_drain(worker->server);
    enter(worker, GW_WORKER_LEAVING);
}

static void on_settle(struct gw_task *task)
{
    struct gw_worker *worker = (struct gw_worker *)(void *)((char *)task - offsetof(struct gw_worker, settle));
    gw_hub_drain(worker->hub);
    enter(worker, GW_WORKER_SETTLING);
}

static void on_abort(struct gw_task *task)
{
    struct gw_worker *worker = (struct gw_worker *)(void *)((char *)task - offsetof(struct gw_worker, abort));
    gw_server_abort(worker->server);
}

static void post(struct gw_worker *worker, struct gw_task *task, void (*run)(struct gw_task *))
{
    struct gw_executor *executor = gw_loop_executor(worker->loop);
    task->run = run;
    executor->post(executor->self, task);
}

void gw_worker_leave(struct gw_worker *worker) { post(worker, &worker->leave, on_leave); }

void gw_worker_settle(struct gw_worker *worker) { post(worker, &worker->settle, on_settle); }

/* One that is still on its way will read what is there then. */
void gw_worker_reload(struct gw_worker *worker)
{
    if (!atomic_exchange(&worker->is_reload_due, true))
        post(worker, &worker->reload, on_reload);
}

void gw_worker_abort(struct gw_worker *worker) { post(worker, &worker->abort, on_abort); }

/* ---- building ---------------------------------------------------------------------------------------------------------------------------- */

static void on_wake(void *arg) { gw_hub_wake(((struct gw_worker *)arg)->hub); }

static void wake_in(void *arg, uint32_t delay_ms) { gw_alarm_start(((struct gw_worker *)arg)->wake, delay_ms, 0); }

static void make_hub(struct gw_worker *worker)
{
    struct gw_process *process = worker->process;
    const struct gw_config_limits *limits = &process->config->limits;
    struct gw_hub_opts opts = {.worker = worker->index,
                               .worker_count = process->worker_count,
                               .executors = process->executors,
                               .hubs = process->hubs,
                               .spine = process->spine,
                               .wire = gw_wire_codec_port(worker->codec),
                               .clock = process->clock,
                               .manifests = process->manifests,
                               .registry = gw_files_registry_port(process->registry),
                               .policy = gw_script_host_port(worker->scripts),
                               .log = process->log,
                               .metrics = process->metrics,
                               .sink = process->sink,
                               .wake_in = wake_in,
                               .wake_arg = worker};
    gw_hub_limits_default(&opts.limits);
    gw_state_limits_default(&opts.state_limits);
    opts.limits.max_runs = (size_t)limits->max_runs;
    opts.limits.max_feeds_per_run = (size_t)limits->max_feeds_per_run;
    opts.limits.max_feeds_per_actor = (size_t)limits->max_feeds_per_actor;
    opts.limits.max_waiting = (size_t)limits->max_waiting_commands;
    opts.limits.ring_bytes = (size_t)limits->ring_bytes;
    opts.limits.block_cache_bytes = (size_t)limits->block_cache_bytes;
    opts.limits.record_bytes = (size_t)limits->record_bytes;
    opts.limits.max_replay_events = (uint64_t)limits->max_replay_events;
    opts.limits.checkpoint_events = (uint64_t)limits->checkpoint_events;
    opts.limits.run_idle_ms = (uint32_t)limits->run_idle_ms;
    opts.limits.view_idle_ms = (uint32_t)limits->view_idle_ms;
    opts.limits.chat_lease_ms = (uint32_t)limits->chat_lease_ms;
    opts.limits.max_present_actors = (size_t)limits->max_present_actors;
    opts.limits.gesture_lease_ms = (uint32_t)limits->gesture_lease_ms;
    opts.limits.commit_events = (uint64_t)limits->commit_events;
    opts.limits.commit_idle_ms = (uint32_t)limits->commit_idle_ms;
    opts.state_limits.max_base64_run = (size_t)limits->max_base64_run;
    worker->hub = gw_hub_create(&opts);
}

static int make_verifier(struct gw_worker *worker, struct gw_error *err)
{
    struct gw_process *process = worker->process;
    const struct gw_config *config = process->config;
    struct gw_verifier_opts opts = {.secret = config->jwt.secret,
                                    .jwks_file = config->jwt.jwks_file,
                                    .jwks_url = config->jwt.jwks_url,
                                    .issuer = config->jwt.issuer,
                                    .audience = config->jwt.audience,
                                    .leeway_s = config->jwt.leeway_s,
                                    .clock = process->clock,
                                    .log = process->log};
    if (config->jwt.jwks_url[0]) {
        struct gw_jwks_fetch_opts fetch = {.client = process->http,
                                           .client_home = gw_loop_executor(process->outgoing),
                                           .home = &process->executors[worker->index],
                                           .is_https_only = gw_config_has_real_mode(config)};
        worker->fetch = gw_jwks_fetch_create(&fetch);
        opts.fetch = gw_jwks_fetch_port(worker->fetch);
    }
    return gw_verifier_create(&opts, &worker->verifier, err);
}

static void make_server(struct gw_worker *worker)
{
    struct gw_process *process = worker->process;
    struct gw_server_opts opts = {.loop = worker->loop,
                                  .hub = worker->hub,
                                  .verifier = worker->verifier,
                                  .policy_admin = gw_script_swap_port(process->swap),
                                  .policy = gw_script_host_port(worker->scripts),
                                  .clock = process->clock,
                                  .log = process->log,
                                  .metrics = process->metrics,
                                  .tls = process->tls,
                                  .config = &process->server_config,
                                  .shared = &process->shared,
                                  .worker = worker->index,
                                  .worker_count = process->worker_count,
                                  .executors = process->executors,
                                  .servers = process->servers};
    worker->server = gw_server_create(&opts);
}

int gw_worker_init(struct gw_worker *worker, struct gw_process *process, size_t index, struct gw_error *err)
{
    struct gw_loop_opts loop = {.name = "worker", .clock = process->clock, .max_inbox = (size_t)process->config->limits.mailbox_messages};
    worker->process = process;
    worker->index = index;
    int status = gw_loop_create(&loop, &worker->loop, err);
    if (status)
        return status;
    process->executors[index] = *gw_loop_executor(worker->loop);
    worker->ring = gw_cursor_ring_dup(process->ring);
    if (!worker->ring)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the seal keys");
    worker->codec = gw_wire_codec_create(worker->ring);
    worker->scripts = gw_script_host_create(process->scripts);
    make_hub(worker);
    status = make_verifier(worker, err);
    if (status)
        return status;
    make_server(worker);
    process->hubs[index] = worker->hub;
    process->servers[index] = worker->server;
    process->hosts[index] = worker->scripts;
    worker->hook.run = on_turn_end;
    gw_loop_on_turn_end(worker->loop, &worker->hook);
    worker->alarm = gw_alarm_create(worker->loop, on_tick, worker);
    worker->wake = gw_alarm_create(worker->loop, on_wake, worker);
    gw_alarm_start(worker->alarm, 0, TICK_MS);
    return GW_OK;
}

int gw_worker_listen(struct gw_worker *worker, struct gw_error *err)
{
    const struct gw_config *config = worker->process->config;
    struct gw_address listen = config->listen;
    /* Where the kernel chose the port, it did so for the first worker; the others share it. */
    if (worker->index > 0)
        gw_address_set_port(&listen, (uint16_t)gw_process_port(worker->process, false));
    int status = gw_server_listen(worker->server, GW_SURFACE_PUBLIC, &listen, err);
    if (!status && worker->index == 0)
        status = gw_server_listen(worker->server, GW_SURFACE_ADMIN, &config->admin_listen, err);
    return status;
}

int gw_worker_start(struct gw_worker *worker, struct gw_error *err) { return gw_loop_start(worker->loop, err); }

void gw_worker_fini(struct gw_worker *worker)
{
    if (!worker->loop)
        return;
    if (worker->alarm) {
        gw_alarm_close(worker->alarm);
        gw_alarm_close(worker->wake);
        gw_loop_remove_turn_hook(worker->loop, &worker->hook);
    }
    gw_server_destroy(worker->server);
    gw_verifier_destroy(worker->verifier);
    gw_hub_destroy(worker->hub);
    gw_loop_destroy(worker->loop);
    gw_jwks_fetch_destroy(worker->fetch);
    gw_script_host_destroy(worker->scripts);
    gw_wire_codec_destroy(worker->codec);
}
