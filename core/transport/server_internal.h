/* server_internal.h — what the files of the transport share about one worker's server. Not for other folders. */
#ifndef GW_TRANSPORT_SERVER_INTERNAL_H
#define GW_TRANSPORT_SERVER_INTERNAL_H

#include "hub/ports.h"
#include "io/timer.h"
#include "transport/server.h"

struct gw_connection;
struct gw_error;
struct gw_exchange;
struct gw_identity;
struct gw_listener;
struct gw_map;
struct gw_metric;
struct gw_plan;

#define GW_SERVER_LISTENERS 4

/* value */
struct gw_server_listener {
    struct gw_listener *listener;
    struct gw_server *server;
    enum gw_surface surface;
};

#define GW_STALE_COUNT 4
/* What may be stale, as the label of atoms_stale. */
const char *gw_server_stale_name(size_t i);

struct gw_server_metrics {
    struct gw_metric *connections, *refused_connections, *requests, *refusals, *slowest_lag, *timeouts;
    struct gw_metric *stale[GW_STALE_COUNT]; /* read only: others set them */
};

struct gw_server {
    struct gw_server_opts opts;
    struct gw_server_listener listeners[GW_SERVER_LISTENERS];
    size_t listener_count;
    struct gw_timer_wheel *wheel;
    struct gw_connection *connections;
    size_t connection_count;
    struct gw_map *streams;       /* stream id → struct gw_stream */
    struct gw_map *actor_streams; /* tenant/actor → count, in struct gw_actor_count */
    uint64_t next_number;
    struct gw_connection *dirty_connections; /* have answers to send at the end of the turn */
    struct gw_exchange *spare_exchanges;
    size_t spare_count;
    size_t exchange_count; /* also those whose connection is gone */
    bool is_draining;
    bool is_asking; /* for lenses, slice by slice */
    struct gw_server_metrics metrics;
};

/* A stream of this actor begins or ends; begin is refused (false) over max_streams_per_actor. */
bool gw_server_count_stream(struct gw_server *server, const char *tenant_id, const char *actor_id, int delta);

/* Who asks for what is shown in this scope, as policies see it; borrowed from both. */
struct gw_policy_subject gw_server_subject(const struct gw_identity *identity, const struct gw_scope *scope);
/* What the lens shows this identity in this scope; one new reference. */
int gw_server_plan(const struct gw_server *server, const struct gw_identity *identity, const struct gw_scope *scope, struct gw_plan **plan,
                   struct gw_error *err);
/* Asks ahead what that will be under the scripts that are about to come. */
void gw_server_prepare_plan(const struct gw_server *server, const struct gw_identity *identity, const struct gw_scope *scope);

#endif
