/* Operations: liveness, readiness, metrics, and which stream is the slow one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/task.h"
#include "hub/view.h"
#include "identity/identity.h"
#include "io/address.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"
#include "transport/stream.h"

void gw_handle_healthz(struct gw_exchange *exchange) { gw_exchange_reply(exchange, 200, "application/json", "{\"status\":\"alive\"}", 18); }

/* What is in use though what was read last is faulty: for operators, since it says something about them. */
static void write_stale(const struct gw_server *server, struct gw_buffer *body)
{
    const char *comma = "";
    gw_buffer_append_text(body, ",\"stale\":[");
    for (size_t i = 0; i < GW_STALE_COUNT; i++) {
        if (gw_metric_value(server->metrics.stale[i]) <= 0)
            continue;
        gw_buffer_appendf(body, "%s\"%s\"", comma, gw_server_stale_name(i));
        comma = ",";
    }
    gw_buffer_append_char(body, ']');
}

void gw_handle_readyz(struct gw_exchange *exchange)
{
    const struct gw_server *server = exchange->server;
    bool is_ready = atomic_load(&server->opts.shared->is_ready) && !server->is_draining;
    bool is_operator = exchange->connection && exchange->connection->surface == GW_SURFACE_ADMIN;
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    gw_buffer_append_text(&body, is_ready ? "{\"status\":\"ready\"" : "{\"status\":\"not_ready\"");
    if (is_operator)
        write_stale(server, &body);
    gw_buffer_append_char(&body, '}');
    gw_exchange_reply(exchange, is_ready ? 200 : 503, "application/json", body.data ? body.data : "", body.length);
    gw_buffer_fini(&body);
}

void gw_handle_metrics(struct gw_exchange *exchange)
{
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    gw_metrics_render(exchange->server->opts.metrics, &body);
    gw_exchange_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", body.data ? body.data : "", body.length);
    gw_buffer_fini(&body);
}

/* ---- GET /admin/streams: the furthest behind, over all workers ---------------------------------------------------------------------------- */

#define LISTED 20

/* value */
struct listed {
    uint64_t lag;
    ssize_t unsent_bytes;
    uint64_t connection;
    char id[GW_STREAM_ID_MAX];
    char peer[GW_ADDRESS_TEXT_MAX];
    char run[GW_RUN_KEY_MAX + 1];
    char actor[GW_ID_MAX + 1];
    bool is_blocked;
};

/* Travels from worker to worker and keeps the furthest behind. */
struct survey {
    struct gw_task task; /* first */
    struct gw_exchange *exchange;
    struct gw_server *home;
    size_t worker, count, total;
    struct listed rows[LISTED];
};

static void fill(struct listed *row, const struct gw_stream *stream, uint64_t lag)
{
    struct gw_address peer;
    memset(row, 0, sizeof *row);
    row->lag = lag;
    row->unsent_bytes = gw_socket_unsent_bytes(&stream->connection->socket);
    row->connection = stream->connection->number;
    row->is_blocked = stream->subscriber.is_blocked;
    memcpy(row->id, stream->id, sizeof row->id);
    memcpy(row->actor, stream->identity->actor.id, sizeof row->actor);
    if (stream->subscriber.view)
        memcpy(row->run, stream->subscriber.view->run.text, sizeof row->run);
    if (gw_socket_peer(&stream->connection->socket, &peer) == GW_OK)
        gw_address_format(&peer, row->peer);
}

/* Keeps the rows sorted, the furthest behind first. */
static void offer(struct survey *survey, const struct gw_stream *stream)
{
    uint64_t lag = gw_subscriber_lag(&stream->subscriber);
    size_t at = survey->count;
    while (at > 0 && survey->rows[at - 1].lag < lag)
        at--;
    if (at == LISTED)
        return;
    size_t moved = survey->count < LISTED ? survey->count - at : LISTED - 1 - at;
    memmove(&survey->rows[at + 1], &survey->rows[at], moved * sizeof survey->rows[0]);
    fill(&survey->rows[at], stream, lag);
    if (survey->count < LISTED)
        survey->count++;
}

static void write_row(const struct listed *row, struct gw_buffer *out)
{
    gw_buffer_append_text(out, "{\"stream_id\":");
    gw_buffer_append_json_string(out, row->id, strlen(row->id));
    gw_buffer_append_text(out, ",\"peer\":");
    gw_buffer_append_json_string(out, row->peer, strlen(row->peer));
    gw_buffer_append_text(out, ",\"actor\":");
    gw_buffer_append_json_string(out, row->actor, strlen(row->actor));
    gw_buffer_append_text(out, ",\"run\":");
    gw_buffer_append_json_string(out, row->run, strlen(row->run));
    gw_buffer_appendf(out, ",\"connection\":%llu,\"lag_seqs\":%llu,\"unsent_bytes\":%lld,\"is_blocked\":%s}",
                      (unsigned long long)row->connection, (unsigned long long)row->lag, (long long)row->unsent_bytes,
                      row->is_blocked ? "true" : "false");
}

static void on_survey_home(struct gw_task *task)
{
    struct survey *survey = (struct survey *)(void *)task;
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    gw_buffer_appendf(&body, "{\"streams\":%zu,\"slowest\":[", survey->total);
    for (size_t i = 0; i < survey->count; i++) {
        if (i)
            gw_buffer_append_char(&body, ',');
        write_row(&survey->rows[i], &body);
    }
    gw_buffer_append_text(&body, "]}");
    gw_exchange_reply(survey->exchange, 200, "application/json", body.data, body.length);
    gw_buffer_fini(&body);
    gw_free(survey);
}

static void on_survey(struct gw_task *task)
{
    struct survey *survey = (struct survey *)(void *)task;
    struct gw_server *here = survey->home->opts.servers[survey->worker];
    size_t cursor = 0, length;
    const void *key;
    void *stream;
    while (gw_map_next(here->streams, &cursor, &key, &length, &stream)) {
        survey->total++;
        offer(survey, stream);
    }
    bool is_last = ++survey->worker == here->opts.worker_count;
    size_t next = is_last ? survey->home->opts.worker : survey->worker;
    survey->task.run = is_last ? on_survey_home : on_survey;
    here->opts.executors[next].post(here->opts.executors[next].self, &survey->task);
}

void gw_handle_admin_streams(struct gw_exchange *exchange)
{
    struct survey *survey = gw_alloc(sizeof *survey);
    struct gw_server *server = exchange->server;
    survey->exchange = exchange;
    survey->home = server;
    survey->task.run = on_survey;
    server->opts.executors[0].post(server->opts.executors[0].self, &survey->task);
}
