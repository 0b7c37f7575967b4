#include "app/reload.h"

#include "app/config.h"
#include "app/process.h"
#include "app/process_internal.h"
#include "app/registry_file.h"
#include "app/script_swap.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/manifest.h"
#include "io/tls.h"
#include "script/script.h"

#define HELP "Above 0: what was read last is faulty or not to be had, and what was read before is in use"

void gw_reload_init(struct gw_process *process)
{
    process->reload = (struct gw_reload){.stale_tls = gw_metrics_gauge(process->metrics, "atoms_stale", "what=\"tls\"", HELP),
                                         .stale_registry = gw_metrics_gauge(process->metrics, "atoms_stale", "what=\"registry\"", HELP),
                                         .stale_keys = gw_metrics_gauge(process->metrics, "atoms_stale", "what=\"keys\"", HELP)};
}

static void log_failure(const struct gw_process *process, const char *event, const struct gw_error *err)
{
    gw_log_write(
        process->log, GW_LOG_ERROR, event,
        (struct gw_log_field[]){GW_F_TEXT("code", err->id), GW_F_TEXT("where", err->path), GW_F_TEXT("message", err->message), GW_F_END});
}

static void reload_tls(struct gw_process *process)
{
    struct gw_error err;
    if (!process->tls)
        return;
    int status = gw_tls_reload(process->tls, &err);
    gw_metric_set(process->reload.stale_tls, status != 0);
    if (status)
        log_failure(process, "tls_reload_failed", &err);
    else
        gw_log_write(process->log, GW_LOG_INFO, "tls_reloaded",
                     (struct gw_log_field[]){GW_F_INT("not_after_s", gw_tls_not_after_s(process->tls)), GW_F_END});
}

static void reload_registry(struct gw_process *process)
{
    const char *path = process->config->registry_file;
    struct gw_error err;
    if (!path[0])
        return;
    struct gw_manifests *manifests = gw_scripts_manifests(process->scripts);
    int status = gw_registry_file_reload(path, manifests, process->registry, &err);
    gw_manifests_unref(manifests);
    gw_metric_set(process->reload.stale_registry, status != 0);
    if (status)
        log_failure(process, "registry_reload_failed", &err);
    else
        gw_log_write(process->log, GW_LOG_INFO, "registry_reloaded", (struct gw_log_field[]){GW_F_TEXT("file", path), GW_F_END});
}

void gw_process_reload(struct gw_process *process)
{
    reload_tls(process);
    reload_registry(process);
    gw_script_swap_reload(process->swap);
    for (size_t i = 0; i < process->worker_count; i++)
        gw_worker_reload(&process->workers[i]);
}
