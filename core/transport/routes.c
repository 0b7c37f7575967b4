#include "transport/routes.h"

#include <stdio.h>
#include <string.h>

#define PUBLIC (1u << GW_SURFACE_PUBLIC)
#define ADMIN  (1u << GW_SURFACE_ADMIN)

static const struct gw_route routes[] = {
    {"GET", "/v1/stream", PUBLIC, true, false, true, GW_BODY_NONE, gw_handle_stream},
    {"POST", "/v1/streams/{}/renew", PUBLIC, true, false, false, GW_BODY_SMALL, gw_handle_renew},
    {"POST", "/v1/commands", PUBLIC, true, false, false, GW_BODY_BATCH, gw_handle_commands},
    {"POST", "/v1/chat", PUBLIC, true, false, false, GW_BODY_SMALL, gw_handle_chat},
    {"POST", "/v1/chat/{}/tokens", PUBLIC, true, false, false, GW_BODY_STREAM, gw_handle_chat_tokens},
    {"POST", "/v1/logs", PUBLIC, true, false, false, GW_BODY_BATCH, gw_handle_logs},
    {"GET", "/v1/state", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_state},
    {"GET", "/v1/events", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_events},
    {"GET", "/v1/history", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_history},
    {"GET", "/v1/diff", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_diff},
    {"GET", "/v1/presence", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_presence},
    {"POST", "/v1/gestures", PUBLIC, true, false, false, GW_BODY_SMALL, gw_handle_gestures},
    {"GET", "/v1/me", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_me},
    {"GET", "/v1/context", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_context},
    {"GET", "/v1/canvases", PUBLIC, true, false, false, GW_BODY_NONE, gw_handle_canvases},
    {"GET", "/healthz", PUBLIC | ADMIN, false, false, false, GW_BODY_NONE, gw_handle_healthz},
    {"GET", "/readyz", PUBLIC | ADMIN, false, false, false, GW_BODY_NONE, gw_handle_readyz},
    {"GET", "/metrics", ADMIN, false, true, false, GW_BODY_NONE, gw_handle_metrics},
    {"POST", "/admin/runs/delete", ADMIN, false, true, false, GW_BODY_SMALL, gw_handle_admin_delete_run},
    {"POST", "/admin/actors/erase", ADMIN, false, true, false, GW_BODY_SMALL, gw_handle_admin_erase_actor},
    {"GET", "/admin/streams", ADMIN, false, true, false, GW_BODY_NONE, gw_handle_admin_streams},
    {"GET", "/admin/policies", ADMIN, false, true, false, GW_BODY_NONE, gw_handle_admin_policies},
    {"POST", "/admin/policies/reload", ADMIN, false, true, false, GW_BODY_SMALL, gw_handle_admin_reload},
    {"POST", "/admin/policies/release", ADMIN, false, true, false, GW_BODY_SMALL, gw_handle_admin_release},
    {"POST", "/admin/policies/rollback", ADMIN, false, true, false, GW_BODY_SMALL, gw_handle_admin_rollback},
};

/* Matches segment by segment; {} takes one that is not empty. */
static bool matches(const char *pattern, const char *path, size_t length, const char **id, size_t *id_length)
{
    const char *end = path + length;
    *id = "";
    *id_length = 0;
    while (*pattern) {
        if (pattern[0] == '{') {
            const char *slash = memchr(path, '/', (size_t)(end - path));
            *id = path;
            *id_length = (size_t)((slash ? slash : end) - path);
            if (*id_length == 0)
                return false;
            path += *id_length;
            pattern += 2;
        } else if (path == end || *path++ != *pattern++) {
            return false;
        }
    }
    return path == end;
}

static bool has_method(const struct gw_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0 && !route->is_stream);
}

void gw_routes_find(enum gw_surface surface, const char *method, const char *path, size_t length, struct gw_route_match *match)
{
    size_t used = 0;
    *match = (struct gw_route_match){.id = ""};
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!(routes[i].surfaces & 1u << surface) || !matches(routes[i].path, path, length, &match->id, &match->id_length))
            continue;
        if (has_method(&routes[i], method)) {
            match->route = &routes[i];
            return;
        }
        used += (size_t)snprintf(match->allow + used, sizeof match->allow - used, "%s, ", routes[i].method);
    }
    if (used)
        snprintf(match->allow + used, sizeof match->allow - used, "OPTIONS");
}
