/* POST /v1/streams/{stream_id}/renew: a fresh bearer carries an open stream past the end of the old one. The stream may live on another worker: its id
 * names the worker, and the request travels there and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/task.h"
#include "identity/identity.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"
#include "transport/stream.h"

struct renewal {
    struct gw_task task; /* first */
    struct gw_exchange *exchange;
    struct gw_server *home, *away;
    struct gw_identity *identity;
    char id[GW_STREAM_ID_MAX];
    int status;
    struct gw_error err;
};

static void on_back_home(struct gw_task *task)
{
    struct renewal *renewal = (struct renewal *)(void *)task;
    struct gw_exchange *exchange = renewal->exchange;
    if (renewal->status) {
        gw_exchange_refuse(exchange, &renewal->err);
    } else {
        char body[160], expires[25];
        gw_clock_format_rfc3339(renewal->identity->expires_at_ms, expires);
        int length = snprintf(body, sizeof body, "{\"stream_id\":\"%s\",\"expires_at\":\"%s\"}", renewal->id, expires);
        gw_exchange_reply(exchange, 200, "application/json", body, (size_t)length);
    }
    gw_identity_unref(renewal->identity);
    gw_free(renewal);
}

static void on_away(struct gw_task *task)
{
    struct renewal *renewal = (struct renewal *)(void *)task;
    struct gw_stream *stream = gw_map_get(renewal->away->streams, renewal->id, strlen(renewal->id));
    if (stream)
        renewal->status = gw_stream_renew(stream, renewal->identity, &renewal->err);
    else
        renewal->status = gw_error_set(&renewal->err, GW_ENOTFOUND, "no_such_stream", "this stream is not open");
    renewal->task.run = on_back_home;
    struct gw_executor *home = &renewal->home->opts.executors[renewal->home->opts.worker];
    home->post(home->self, &renewal->task);
}

/* The worker in "w<number>.<random>", or a number out of range. */
static size_t worker_of(const char *id)
{
    char *end;
    if (id[0] != 'w' || id[1] < '0' || id[1] > '9')
        return SIZE_MAX;
    unsigned long worker = strtoul(id + 1, &end, 10);
    return *end == '.' ? worker : SIZE_MAX;
}

void gw_handle_renew(struct gw_exchange *exchange)
{
    struct gw_server *server = exchange->server;
    struct gw_error err;
    size_t worker = worker_of(exchange->path_id);
    if (worker >= server->opts.worker_count || strlen(exchange->path_id) >= GW_STREAM_ID_MAX) {
        gw_error_set(&err, GW_ENOTFOUND, "no_such_stream", "this stream is not open");
        gw_exchange_refuse(exchange, &err);
        return;
    }
    struct renewal *renewal = gw_alloc(sizeof *renewal);
    renewal->task.run = on_away;
    renewal->exchange = exchange;
    renewal->home = server;
    renewal->away = server->opts.servers[worker];
    renewal->identity = gw_identity_ref(exchange->identity);
    memcpy(renewal->id, exchange->path_id, strlen(exchange->path_id) + 1);
    struct gw_executor *away = &server->opts.executors[worker];
    away->post(away->self, &renewal->task);
}
