#include "app/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/config.h"
#include "app/process_internal.h"
#include "app/registry_file.h"
#include "app/reload.h"
#include "app/script_swap.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/manifest.h"
#include "identity/verifier.h"
#include "io/http_client.h"
#include "io/tls.h"
#include "protocol/cursor.h"
#include "registry/files/files_overlays.h"
#include "registry/files/files_registry.h"
#include "script/script.h"
#include "sink/stdout_sink.h"
#include "sink/webhook_sink.h"
#include "spine/memory/memory_spine.h"
#include "spine/sqlite/sqlite_spine.h"

#define SINK_DRAIN_STEPS 100 /* of 10 ms */

/* ---- parts ------------------------------------------------------------------------------------------------------------------------------ */

static int open_scripts(struct gw_process *process, struct gw_error *err)
{
    const struct gw_config *config = process->config;
    struct gw_scripts_opts opts = {.policies_dir = config->policies_dir,
                                   .canvases_dir = config->canvases_dir,
                                   .lua_dir = config->lua_dir,
                                   .overlays = gw_files_overlays_port(process->overlays),
                                   .clock = process->clock,
                                   .budget_clock = gw_clock_system(),
                                   .log = process->log,
                                   .metrics = process->metrics,
                                   .keeps_failed = strcmp(config->scripts.overlay_on_failure, "keep_old") == 0};
    gw_script_limits_default(&opts.limits);
    opts.limits.call.call_instructions = (uint64_t)config->scripts.call_instructions;
    opts.limits.call.call_ms = (uint32_t)config->scripts.call_ms;
    opts.limits.call.memory_bytes = (size_t)config->scripts.memory_bytes;
    opts.limits.tenant_ms_per_s = (uint32_t)config->scripts.tenant_ms_per_s;
    opts.limits.max_states = (size_t)config->scripts.max_states;
    opts.limits.max_overlays = (size_t)config->scripts.max_overlays;
    opts.limits.keep_versions = (size_t)config->scripts.keep_versions;
    int status = gw_scripts_create(&opts, &process->scripts, err);
    if (!status)
        process->manifests = gw_scripts_manifests(process->scripts);
    return status;
}

static int open_swap(struct gw_process *process, struct gw_error *err)
{
    const struct gw_config *config = process->config;
    bool is_watching = strcmp(config->scripts.watch, "on") == 0 && !gw_config_has_real_mode(config);
    process->watched[0] = config->policies_dir;
    process->watched[1] = config->canvases_dir;
    process->watched[2] = config->lua_dir;
    process->watched[3] = gw_files_overlays_root(process->overlays);
    struct gw_script_swap_opts opts = {.scripts = process->scripts,
                                       .clock = process->clock,
                                       .log = process->log,
                                       .worker_count = process->worker_count,
                                       .executors = process->executors,
                                       .hubs = process->hubs,
                                       .servers = process->servers,
                                       .hosts = process->hosts,
                                       .watched = process->watched,
                                       .watched_count = is_watching ? 4 : 0};
    return gw_script_swap_create(&opts, &process->swap, err);
}

static int open_spine(struct gw_process *process, struct gw_error *err)
{
    if (strcmp(process->config->spine, "memory") == 0) {
        process->memory = gw_memory_spine_create(process->clock, 0);
        process->spine = gw_memory_spine_port(process->memory);
        return GW_OK;
    }
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/spine.db", process->config->data_dir);
    if (length < 0 || (size_t)length >= sizeof path)
        return gw_error_set(err, GW_EINVAL, "config_value", "data_dir is too long");
    struct gw_sqlite_spine_opts opts = {.path = path, .clock = process->clock, .metrics = process->metrics, .log = process->log};
    int status = gw_sqlite_spine_create(&opts, &process->sqlite, err);
    if (!status)
        process->spine = gw_sqlite_spine_port(process->sqlite);
    return status;
}

static int open_outgoing(struct gw_process *process, struct gw_error *err)
{
    if (!process->config->jwt.jwks_url[0] && strcmp(process->config->sink, "webhook") != 0)
        return GW_OK;
    struct gw_loop_opts loop = {.name = "outgoing", .clock = process->clock};
    struct gw_http_client_opts client = {0};
    int status = gw_loop_create(&loop, &process->outgoing, err);
    if (!status)
        status = gw_http_client_create(process->outgoing, &client, &process->http, err);
    return status;
}

static void open_webhook(struct gw_process *process)
{
    struct gw_webhook_sink_opts opts = {.loop = process->outgoing,
                                        .client = process->http,
                                        .url = process->config->sink_url,
                                        .token = process->config->sink_token,
                                        .is_https_only = gw_config_has_real_mode(process->config),
                                        .clock = process->clock,
                                        .log = process->log,
                                        .metrics = process->metrics};
    process->webhook = gw_webhook_sink_create(&opts);
    process->sink = gw_webhook_sink_port(process->webhook);
}

static int open_sink(struct gw_process *process, struct gw_error *err)
{
    struct gw_stdout_sink_opts opts = {.fd = STDOUT_FILENO, .metrics = process->metrics};
    int status = GW_OK;
    if (strcmp(process->config->sink, "webhook") == 0)
        open_webhook(process);
    if (strcmp(process->config->sink, "stdout") == 0)
        status = gw_stdout_sink_create(&opts, &process->stdout_sink, err);
    if (process->stdout_sink)
        process->sink = gw_stdout_sink_port(process->stdout_sink);
    return status;
}

static int read_keys(struct gw_process *process, struct gw_error *err)
{
    const struct gw_config *config = process->config;
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    for (size_t i = 0; i < config->seal_keys.count; i++) {
        if (i)
            gw_buffer_append_char(&text, ',');
        gw_buffer_append_text(&text, config->seal_keys.items[i]);
    }
    gw_buffer_append_char(&text, '\0');
    int status = gw_cursor_ring_parse(text.data, &process->ring, err);
    gw_zero_secret(text.data, text.length);
    gw_buffer_fini(&text);
    return status;
}

static int open_tls(struct gw_process *process, struct gw_error *err)
{
    const struct gw_config *config = process->config;
    if (!config->tls.cert[0])
        return GW_OK;
    struct gw_tls_opts opts = {.certificate_file = config->tls.cert, .key_file = config->tls.key};
    return gw_tls_create(&opts, &process->tls, err);
}

static const char *const *texts(const struct gw_text_list *list) { return (const char *const *)list->items; }

static void fill_server_config(struct gw_process *process)
{
    const struct gw_config *config = process->config;
    const struct gw_config_limits *limits = &config->limits;
    struct gw_server_config *to = &process->server_config;
    *to = (struct gw_server_config){.modes = texts(&config->modes),
                                    .mode_count = config->modes.count,
                                    .cors_origins = texts(&config->cors.origins),
                                    .cors_origin_count = config->cors.origins.count,
                                    .cors_max_age_s = config->cors.max_age_s,
                                    .admin_hosts = texts(&config->admin.allowed_hosts),
                                    .admin_host_count = config->admin.allowed_hosts.count,
                                    .admin_token = config->admin.token,
                                    .max_batch_bytes = (size_t)limits->max_batch_bytes,
                                    .max_batch_commands = (size_t)limits->max_batch_commands,
                                    .max_connections = (size_t)limits->max_connections,
                                    .max_streams_per_actor = (size_t)limits->max_streams_per_actor,
                                    .max_pipelined = (size_t)limits->max_pipelined_requests,
                                    .header_timeout_ms = (uint32_t)limits->header_timeout_ms,
                                    .body_timeout_ms = (uint32_t)limits->body_timeout_ms,
                                    .chat_lease_ms = (uint32_t)limits->chat_lease_ms,
                                    .max_base64_run = (size_t)limits->max_base64_run,
                                    .idle_timeout_ms = (uint32_t)limits->idle_timeout_ms,
                                    .heartbeat_ms = (uint32_t)limits->heartbeat_ms};
    gw_http1_limits_default(&to->http);
    to->http.max_header_bytes = (size_t)limits->max_header_bytes;
    to->http.max_body_bytes = (size_t)limits->max_body_bytes;
    to->json = (struct gw_json_limits){.max_bytes = to->http.max_body_bytes,
                                       .bytes_name = "max_body_bytes",
                                       .max_depth = (unsigned)limits->max_json_depth,
                                       .max_nodes = (unsigned)limits->max_json_nodes};
}

/* ---- starting ---------------------------------------------------------------------------------------------------------------------------- */

static int make_workers(struct gw_process *process, struct gw_error *err)
{
    size_t count = process->worker_count = (size_t)process->config->workers;
    process->workers = gw_alloc_array(count, sizeof *process->workers);
    process->executors = gw_alloc_array(count, sizeof *process->executors);
    process->hubs = gw_alloc_array(count, sizeof(struct gw_hub *));
    process->servers = gw_alloc_array(count, sizeof(struct gw_server *));
    process->hosts = gw_alloc_array(count, sizeof(struct gw_script_host *));
    int status = open_swap(process, err);
    for (size_t i = 0; !status && i < count; i++)
        status = gw_worker_init(&process->workers[process->inited_count++], process, i, err);
    for (size_t i = 0; !status && i < count; i++)
        status = gw_worker_listen(&process->workers[i], err);
    return status;
}

static int start_threads(struct gw_process *process, struct gw_error *err)
{
    int status = process->outgoing ? gw_loop_start(process->outgoing, err) : GW_OK;
    for (size_t i = 0; !status && i < process->worker_count; i++) {
        status = gw_worker_start(&process->workers[i], err);
        process->started_count += !status;
    }
    return status ? status : gw_script_swap_start(process->swap, err);
}

static int build(struct gw_process *process, struct gw_error *err)
{
    enum gw_log_level level = GW_LOG_INFO;
    (void)gw_log_level_parse(process->config->log_level, &level); /* the configuration's schema admits only levels */
    process->clock = gw_clock_system();
    process->log = gw_log_create(2, level);
    process->metrics = gw_metrics_create();
    gw_reload_init(process);
    fill_server_config(process);
    int status = gw_files_overlays_create(process->config->data_dir, &process->overlays, err);
    if (!status)
        status = open_scripts(process, err);
    if (!status)
        status = gw_registry_file_open(process->config->registry_file, process->manifests, &process->registry, err);
    if (!status)
        status = read_keys(process, err);
    if (!status)
        status = open_tls(process, err);
    if (!status)
        status = open_spine(process, err);
    if (!status)
        status = open_outgoing(process, err);
    if (!status)
        status = open_sink(process, err);
    if (!status)
        status = make_workers(process, err);
    return status ? status : start_threads(process, err);
}

int gw_process_start(const struct gw_config *config, struct gw_process **out, struct gw_error *err)
{
    struct gw_process *process = gw_alloc(sizeof *process);
    process->config = config;
    sem_init(&process->reports, 0, 0);
    int status = build(process, err);
    if (status)
        gw_process_destroy(process);
    else
        *out = process;
    return status;
}

unsigned gw_process_port(const struct gw_process *process, bool is_admin)
{
    return gw_server_port(process->workers[0].server, is_admin ? GW_SURFACE_ADMIN : GW_SURFACE_PUBLIC);
}

/* ---- ending ------------------------------------------------------------------------------------------------------------------------------ */

static void add_ms(struct timespec *time, int64_t ms)
{
    time->tv_sec += ms / 1000;
    time->tv_nsec += (ms % 1000) * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000;
    }
}

/* One report from each worker before the deadline. *missing counts down, so that a wait can be taken up again. */
static bool await_reports(struct gw_process *process, size_t *missing, const struct timespec *deadline)
{
    while (*missing > 0) {
        if (sem_timedwait(&process->reports, deadline) == 0)
            --*missing;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* What the sink still holds has a moment to go: the runs hold it anyway. */
static void drain_sink(const struct gw_process *process)
{
    static const struct timespec step = {.tv_nsec = 10000000};
    for (int left = SINK_DRAIN_STEPS; left > 0; left--) {
        bool is_idle = !process->stdout_sink || gw_stdout_sink_is_idle(process->stdout_sink);
        if (is_idle && (!process->webhook || gw_webhook_sink_is_idle(process->webhook)))
            return;
        nanosleep(&step, NULL);
    }
}

bool gw_process_drain(struct gw_process *process)
{
    struct timespec deadline, extended;
    clock_gettime(CLOCK_REALTIME, &deadline);
    add_ms(&deadline, process->config->shutdown_ms);
    size_t missing = process->worker_count;
    gw_script_swap_stop(process->swap);
    for (size_t i = 0; i < process->worker_count; i++)
        gw_worker_leave(&process->workers[i]);
    if (!await_reports(process, &missing, &deadline)) {
        gw_log_write(process->log, GW_LOG_WARN, "drain_cut_short", NULL);
        for (size_t i = 0; i < process->worker_count; i++)
            gw_worker_abort(&process->workers[i]);
    }
    /* What was admitted becomes durable even when its sender is gone; a spine that answers needs far less than this. */
    clock_gettime(CLOCK_REALTIME, &extended);
    add_ms(&extended, 5000);
    if (!await_reports(process, &missing, &extended))
        return false;
    missing = process->worker_count;
    for (size_t i = 0; i < process->worker_count; i++)
        gw_worker_settle(&process->workers[i]);
    bool is_settled = await_reports(process, &missing, &extended);
    drain_sink(process);
    return is_settled;
}

static void stop_threads(struct gw_process *process)
{
    for (size_t i = 0; i < process->started_count; i++)
        gw_loop_stop(process->workers[i].loop);
    for (size_t i = 0; i < process->started_count; i++)
        gw_loop_join(process->workers[i].loop);
    if (!process->outgoing)
        return;
    gw_loop_stop(process->outgoing);
    gw_loop_join(process->outgoing);
    gw_webhook_sink_close(process->webhook);
    gw_http_client_close(process->http);
    gw_loop_destroy(process->outgoing); /* its last answers go to the workers' inboxes */
}

void gw_process_destroy(struct gw_process *process)
{
    gw_script_swap_stop(process->swap);
    stop_threads(process);
    gw_sqlite_spine_destroy(process->sqlite);
    for (size_t i = 0; i < process->inited_count; i++)
        gw_worker_fini(&process->workers[i]);
    gw_memory_spine_destroy(process->memory);
    gw_stdout_sink_destroy(process->stdout_sink);
    gw_webhook_sink_destroy(process->webhook);
    gw_tls_destroy(process->tls);
    gw_cursor_ring_destroy(process->ring);
    gw_files_registry_destroy(process->registry);
    gw_manifests_unref(process->manifests);
    gw_script_swap_destroy(process->swap);
    gw_scripts_destroy(process->scripts);
    gw_files_overlays_destroy(process->overlays);
    gw_metrics_destroy(process->metrics);
    gw_log_destroy(process->log);
    gw_free(process->workers);
    gw_free(process->executors);
    gw_free(process->hubs);
    gw_free(process->servers);
    gw_free(process->hosts);
    sem_destroy(&process->reports);
    gw_free(process);
}
