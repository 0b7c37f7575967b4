#include "transport/server.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/hub.h"
#include "io/listener.h"
#include "io/loop.h"
#include "protocol/problem.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/server_internal.h"
#include "transport/stream.h"

#define GOAWAY_SPREAD_MS 2000
/* Of a turn: other streams wait meanwhile. A stream that goes over to another lens costs more later in the turn than here. */
#define SLICE_NS           2000000
#define SWITCHED_PER_SLICE 64

#define STALE_HELP "Above 0: what was read last is faulty or not to be had, and what was read before is in use"

const char *gw_server_stale_name(size_t i)
{
    static const char *const names[GW_STALE_COUNT] = {"policies", "tls", "registry", "keys"};
    return names[i];
}

static void register_metrics(struct gw_server *server)
{
    struct gw_metrics *m = server->opts.metrics;
    char label[32], what[32];
    snprintf(label, sizeof label, "worker=\"%zu\"", server->opts.worker);
    server->metrics.connections = gw_metrics_gauge(m, "atoms_connections", "", "Open connections.");
    server->metrics.refused_connections = gw_metrics_counter(m, "atoms_connections_refused_total", "", "Connections over max_connections.");
    server->metrics.requests = gw_metrics_counter(m, "atoms_requests_total", "", "Requests whose head was read.");
    server->metrics.refusals = gw_metrics_counter(m, "atoms_refusals_total", "", "Requests answered with a problem document.");
    server->metrics.timeouts = gw_metrics_counter(m, "atoms_timeouts_total", "", "Connections ended for being slow or idle.");
    for (size_t i = 0; i < GW_STALE_COUNT; i++) {
        snprintf(what, sizeof what, "what=\"%s\"", gw_server_stale_name(i));
        server->metrics.stale[i] = gw_metrics_gauge(m, "atoms_stale", what, STALE_HELP);
    }
    server->metrics.slowest_lag =
        gw_metrics_gauge(m, "atoms_slowest_stream_lag_seqs", label, "Seqs that the slowest stream lies behind its feed.");
}

struct gw_server *gw_server_create(const struct gw_server_opts *opts)
{
    struct gw_server *server = gw_alloc(sizeof *server);
    uint8_t seed[16];
    server->opts = *opts;
    opts->clock->random(opts->clock->self, seed, sizeof seed);
    server->streams = gw_map_create(seed);
    server->actor_streams = gw_map_create(seed);
    server->wheel = gw_timer_wheel_create(opts->loop, 0);
    register_metrics(server);
    return server;
}

static void close_listeners(struct gw_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        gw_listener_close(server->listeners[i].listener);
        server->listeners[i].listener = NULL;
    }
    server->listener_count = 0;
}

void gw_server_destroy(struct gw_server *server)
{
    if (!server)
        return;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    close_listeners(server);
    gw_timer_wheel_close(server->wheel);
    while (gw_map_next(server->actor_streams, &cursor, &key, &length, &value))
        gw_free(value);
    while (server->spare_exchanges) {
        struct gw_exchange *exchange = server->spare_exchanges;
        server->spare_exchanges = exchange->next;
        gw_free(exchange);
    }
    gw_map_destroy(server->streams);
    gw_map_destroy(server->actor_streams);
    gw_free(server);
}

/* ---- listening -------------------------------------------------------------------------------------------------------------------------- */

/* Refused without a parse: over the limit, a connection costs one accept, one send and one close. */
static void turn_away(struct gw_server *server, int fd)
{
    char body[256], reply[512];
    int length = snprintf(body, sizeof body,
                          "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"too_many_connections\","
                          "\"detail\":\"The gateway has all the connections that it may have\","
                          "\"limit\":{\"name\":\"max_connections\",\"value\":%zu,\"unit\":\"count\"},\"retry\":\"later\"}",
                          server->opts.config->max_connections);
    length =
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " GW_PROBLEM_MEDIA_TYPE "\r\nRetry-After: 1\r\nConnection: close\r\n"
                 "Content-Length: %d\r\n\r\n%s",
                 length, body);
    (void)send(fd, reply, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL); /* it is closed either way */
    (void)shutdown(fd, SHUT_WR);
    close(fd);
    gw_metric_add(server->metrics.refused_connections, 1);
}

/* The workers accept at once, so looking and counting are one step. Operators get in when nobody else does. */
static bool count_in(struct gw_server *server, enum gw_surface surface)
{
    atomic_size_t *count = &server->opts.shared->connection_count;
    size_t present = atomic_load(count);
    do {
        if (surface == GW_SURFACE_PUBLIC && present >= server->opts.config->max_connections)
            return false;
    } while (!atomic_compare_exchange_weak(count, &present, present + 1));
    return true;
}

static void on_accept(void *arg, int fd, const struct gw_address *peer)
{
    struct gw_server_listener *listener = arg;
    struct gw_server *server = listener->server;
    (void)peer;
    if (count_in(server, listener->surface))
        gw_connection_open(server, listener->surface, fd);
    else
        turn_away(server, fd);
}

int gw_server_listen(struct gw_server *server, enum gw_surface surface, const struct gw_address *address, struct gw_error *err)
{
    if (server->listener_count == GW_SERVER_LISTENERS)
        return gw_error_limit(err, "too_many_listeners", "max_listeners", GW_SERVER_LISTENERS, "too many listeners");
    struct gw_server_listener *slot = &server->listeners[server->listener_count];
    *slot = (struct gw_server_listener){.server = server, .surface = surface};
    struct gw_listener_opts opts = {.address = address,
                                    .reuse_port = surface == GW_SURFACE_PUBLIC,
                                    .is_first = server->opts.worker == 0,
                                    .on_accept = on_accept,
                                    .arg = slot};
    int status = gw_listener_open(server->opts.loop, &opts, &slot->listener, err);
    if (!status)
        server->listener_count++;
    return status;
}

unsigned gw_server_port(const struct gw_server *server, enum gw_surface surface)
{
    for (size_t i = 0; i < server->listener_count; i++)
        if (server->listeners[i].surface == surface)
            return gw_listener_port(server->listeners[i].listener);
    return 0;
}

/* ---- limits ----------------------------------------------------------------------------------------------------------------------------- */

struct gw_actor_count {
    size_t streams;
};

bool gw_server_count_stream(struct gw_server *server, const char *tenant_id, const char *actor_id, int delta)
{
    char key[2 * GW_ID_MAX + 2];
    int length = snprintf(key, sizeof key, "%s/%s", tenant_id, actor_id);
    struct gw_actor_count *count = gw_map_get(server->actor_streams, key, (size_t)length);
    if (delta < 0) {
        if (count && --count->streams == 0) {
            gw_map_remove(server->actor_streams, key, (size_t)length);
            gw_free(count);
        }
        return true;
    }
    if (count && count->streams >= server->opts.config->max_streams_per_actor)
        return false;
    if (!count) {
        count = gw_alloc(sizeof *count);
        if (gw_map_put(server->actor_streams, key, (size_t)length, count, NULL)) {
            gw_free(count);
            return false;
        }
    }
    count->streams++;
    return true;
}

/* ---- time and the end --------------------------------------------------------------------------------------------------------------------- */

void gw_server_turn_end(struct gw_server *server)
{
    while (server->dirty_connections) {
        struct gw_connection *connection = server->dirty_connections;
        server->dirty_connections = connection->talk->next_dirty;
        connection->talk->is_dirty = false;
        gw_connection_settle(connection);
    }
}

void gw_server_tick(struct gw_server *server)
{
    uint64_t slowest = 0;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(server->streams, &cursor, &key, &length, &value)) {
        struct gw_stream *stream = value;
        uint64_t lag = gw_subscriber_lag(&stream->subscriber);
        if (lag > slowest)
            slowest = lag;
        if (stream->subscriber.is_held && !server->is_asking)
            (void)gw_stream_ask_lens(stream);
    }
    gw_metric_set(server->metrics.slowest_lag, (int64_t)slowest);
}

static bool is_of_tenant(const struct gw_stream *stream, const char *tenant_id)
{
    return !tenant_id || strcmp(stream->identity->tenant_id, tenant_id) == 0;
}

bool gw_server_prepare_lenses(struct gw_server *server, const char *tenant_id, size_t *cursor)
{
    const struct gw_clock *clock = server->opts.clock;
    uint64_t until_ns = clock->monotonic_ns(clock->self) + SLICE_NS;
    size_t length;
    const void *key;
    void *value;
    do {
        if (!gw_map_next(server->streams, cursor, &key, &length, &value))
            return false;
        if (is_of_tenant(value, tenant_id))
            gw_stream_prepare_lens(value);
    } while (clock->monotonic_ns(clock->self) < until_ns);
    return true;
}

void gw_server_hold_lenses(struct gw_server *server, const char *tenant_id)
{
    struct gw_connection *next;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    gw_server_turn_end(server); /* what the sockets take was answered before */
    for (struct gw_connection *connection = server->connections; connection; connection = next) {
        next = connection->next;
        gw_connection_ask_lenses(connection, tenant_id);
    }
    while (gw_map_next(server->streams, &cursor, &key, &length, &value))
        if (is_of_tenant(value, tenant_id))
            gw_stream_hold_lens(value);
    server->is_asking = true;
}

bool gw_server_ask_lenses(struct gw_server *server, const char *tenant_id, size_t *cursor)
{
    const struct gw_clock *clock = server->opts.clock;
    uint64_t until_ns = clock->monotonic_ns(clock->self) + SLICE_NS;
    unsigned switched = 0;
    size_t length;
    const void *key;
    void *value;
    do {
        server->is_asking = gw_map_next(server->streams, cursor, &key, &length, &value);
        if (server->is_asking && is_of_tenant(value, tenant_id))
            switched += gw_stream_ask_lens(value);
    } while (server->is_asking && switched < SWITCHED_PER_SLICE && clock->monotonic_ns(clock->self) < until_ns);
    return server->is_asking;
}

/* Each stream is sent back at a moment of its own, so that the next server is not met by all of them at once. */
static uint32_t spread_ms(const struct gw_server *server)
{
    uint32_t random;
    server->opts.clock->random(server->opts.clock->self, &random, sizeof random);
    return random % GOAWAY_SPREAD_MS;
}

void gw_server_drain(struct gw_server *server)
{
    server->is_draining = true;
    close_listeners(server);
    struct gw_connection *next;
    struct gw_error err;
    gw_error_set(&err, GW_ECLOSED, "draining", "this server is shutting down");
    for (struct gw_connection *connection = server->connections; connection; connection = next) {
        next = connection->next;
        if (connection->stream)
            gw_stream_goaway(connection->stream, "draining", spread_ms(server));
        else if (gw_connection_is_idle(connection))
            gw_connection_close(connection);
        else
            gw_connection_cut_body(connection, 503, &err);
    }
}

bool gw_server_is_drained(const struct gw_server *server) { return server->connection_count == 0 && server->exchange_count == 0; }

void gw_server_abort(struct gw_server *server)
{
    struct gw_connection *next;
    for (struct gw_connection *connection = server->connections; connection; connection = next) {
        next = connection->next;
        gw_connection_close(connection);
    }
}
