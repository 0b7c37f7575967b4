/* server.h — the HTTP surface of one worker: its listeners, connections and streams, over the worker's loop, hub, verifier and policy. Created
 * by the wiring on the worker's thread's behalf before the loop runs; from then on everything happens on that thread. Shares with other
 * workers only what is named shared here. Not for what an answer says: one file per resource does that. */
#ifndef GW_TRANSPORT_SERVER_H
#define GW_TRANSPORT_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "protocol/http1.h"

struct gw_address;
struct gw_clock;
struct gw_error;
struct gw_executor;
struct gw_hub;
struct gw_log;
struct gw_loop;
struct gw_manifests;
struct gw_metrics;
struct gw_policy;
struct gw_policy_admin;
struct gw_server;
struct gw_tls;
struct gw_verifier;

/* value: settings of the HTTP surface; borrowed for the server's life, immutable */
struct gw_server_config {
    const char *const *modes; /* that this process serves */
    size_t mode_count;
    const char *const *cors_origins; /* exact, or "*" */
    size_t cors_origin_count;
    int64_t cors_max_age_s;
    const char *const *admin_hosts; /* names without port */
    size_t admin_host_count;
    const char *admin_token; /* "" = the custom header suffices */
    struct gw_http1_limits http;
    struct gw_json_limits json;
    size_t max_batch_bytes, max_batch_commands, max_base64_run;
    size_t max_connections; /* of the process */
    size_t max_streams_per_actor;
    size_t max_pipelined;
    uint32_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, heartbeat_ms, chat_lease_ms;
};

/* Shared by all workers of a process. */
struct gw_server_shared {
    atomic_size_t connection_count;
    atomic_bool is_ready; /* every worker listens, and the spine answers */
};

/* value: what a server is made of; borrowed for its life */
struct gw_server_opts {
    struct gw_loop *loop;
    struct gw_hub *hub;
    struct gw_verifier *verifier;
    const struct gw_policy *policy;
    const struct gw_policy_admin *policy_admin;
    const struct gw_clock *clock;
    struct gw_log *log;
    struct gw_metrics *metrics;
    struct gw_tls *tls; /* NULL: plaintext */
    const struct gw_server_config *config;
    struct gw_server_shared *shared;
    size_t worker, worker_count;
    struct gw_executor *executors; /* one per worker */
    struct gw_server **servers;    /* one per worker; filled by the wiring before the loops run */
};

enum gw_surface { GW_SURFACE_PUBLIC, GW_SURFACE_ADMIN };

struct gw_server *gw_server_create(const struct gw_server_opts *opts);
/* Listens; several calls for several addresses. */
int gw_server_listen(struct gw_server *server, enum gw_surface surface, const struct gw_address *address, struct gw_error *err);
/* The port of the first listener of that surface: the kernel's choice when 0 was asked for. */
unsigned gw_server_port(const struct gw_server *server, enum gw_surface surface);
/* At the end of each loop turn: sends the answers that it brought. */
void gw_server_turn_end(struct gw_server *server);
/* Once a second. */
void gw_server_tick(struct gw_server *server);
/* Policies of a tenant (NULL: of all) are about to come: asks ahead for the lenses of the open streams, for some milliseconds; *cursor is 0 at first. False once all have
 * been asked, so that what follows costs the worker little. Streams that come meanwhile may be left out. */
bool gw_server_prepare_lenses(struct gw_server *server, const char *tenant_id, size_t *cursor);
/* The policies of a tenant (NULL: of all) are other ones: when it returns, no byte of another lens than the new one will be written any more. Answers that are not all
 * out end with their connection unless their lens stayed the same; streams wait to be asked for. */
void gw_server_hold_lenses(struct gw_server *server, const char *tenant_id);
/* Asks anew for the lenses of those streams, from *cursor on, 0 at first: a slice, as above. True: there are more. Those that the policies leave as they were have not
 * noticed anything. */
bool gw_server_ask_lenses(struct gw_server *server, const char *tenant_id, size_t *cursor);
/* Stops listening, tells streams to go, closes idle connections; what was admitted is answered. */
void gw_server_drain(struct gw_server *server);
/* No connection is left. */
bool gw_server_is_drained(const struct gw_server *server);
/* Ends all connections now. */
void gw_server_abort(struct gw_server *server);
/* Every connection is gone and the loop does not run. */
void gw_server_destroy(struct gw_server *server);

#endif
