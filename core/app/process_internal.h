/* process_internal.h — what workers read of the process. Immutable while the loops run. */
#ifndef GW_APP_PROCESS_INTERNAL_H
#define GW_APP_PROCESS_INTERNAL_H

#include "app/reload.h"
#include "app/worker.h"

struct gw_file_watch;
struct gw_files_overlays;
struct gw_files_registry;
struct gw_http_client;
struct gw_memory_spine;
struct gw_scripts;
struct gw_sink;
struct gw_sqlite_spine;
struct gw_script_swap;
struct gw_stdout_sink;
struct gw_tls;
struct gw_webhook_sink;

struct gw_process {
    const struct gw_config *config;
    const struct gw_clock *clock;
    struct gw_log *log;
    struct gw_metrics *metrics;
    struct gw_scripts *scripts;
    struct gw_script_swap *swap;
    const char *watched[4]; /* folders of scripts */
    struct gw_files_overlays *overlays;
    struct gw_manifests *manifests; /* those in force at the start */
    struct gw_files_registry *registry;
    struct gw_tls *tls;
    struct gw_sqlite_spine *sqlite;
    struct gw_memory_spine *memory;
    const struct gw_spine *spine;
    struct gw_reload reload;
    struct gw_loop *outgoing;
    struct gw_http_client *http;
    struct gw_stdout_sink *stdout_sink;
    struct gw_webhook_sink *webhook;
    const struct gw_sink *sink; /* NULL: none */
    struct gw_server_config server_config;
    struct gw_server_shared shared;
    struct gw_cursor_ring *ring;
    struct gw_worker *workers;
    size_t worker_count, inited_count, started_count;
    struct gw_executor *executors;
    struct gw_hub **hubs;
    struct gw_server **servers;
    struct gw_script_host **hosts;
    sem_t reports;
};

#endif
