/* routes.h — the table of resources: which method and path reaches which handler, and what it needs first. */
#ifndef GW_TRANSPORT_ROUTES_H
#define GW_TRANSPORT_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/server.h"

struct gw_exchange;

struct gw_route {
    const char *method; /* GET answers HEAD too */
    const char *path;   /* "/v1/streams/{}/renew": {} is one segment that is an id */
    unsigned surfaces;  /* bits: 1 << enum gw_surface */
    bool needs_bearer, needs_admin, is_stream;
    /* STREAM: SMALL, but as NDJSON it is taken as it arrives */
    enum { GW_BODY_NONE, GW_BODY_SMALL, GW_BODY_BATCH, GW_BODY_STREAM } body;
    void (*handle)(struct gw_exchange *exchange);
};

/* value: what was found at a path */
struct gw_route_match {
    const struct gw_route *route; /* NULL: nothing for this method */
    const char *id;               /* the variable segment, in the path; "" without one */
    size_t id_length;
    char allow[64]; /* the methods that there are ("GET, POST, OPTIONS"), when route is NULL; "" = no such path */
};
void gw_routes_find(enum gw_surface surface, const char *method, const char *path, size_t length, struct gw_route_match *match);

/* stream.c */
void gw_handle_stream(struct gw_exchange *exchange);
/* renew.c */
void gw_handle_renew(struct gw_exchange *exchange);
/* commands.c */
void gw_handle_commands(struct gw_exchange *exchange);
/* chat.c */
void gw_handle_chat(struct gw_exchange *exchange);
void gw_handle_chat_tokens(struct gw_exchange *exchange);
/* logs.c */
void gw_handle_logs(struct gw_exchange *exchange);
/* reads.c */
void gw_handle_state(struct gw_exchange *exchange);
void gw_handle_events(struct gw_exchange *exchange);
void gw_handle_history(struct gw_exchange *exchange);
void gw_handle_diff(struct gw_exchange *exchange);
void gw_handle_presence(struct gw_exchange *exchange);
/* gestures.c */
void gw_handle_gestures(struct gw_exchange *exchange);
/* me.c */
void gw_handle_me(struct gw_exchange *exchange);
void gw_handle_canvases(struct gw_exchange *exchange);
/* context.c */
void gw_handle_context(struct gw_exchange *exchange);
/* admin.c */
void gw_handle_healthz(struct gw_exchange *exchange);
void gw_handle_readyz(struct gw_exchange *exchange);
void gw_handle_metrics(struct gw_exchange *exchange);
void gw_handle_admin_streams(struct gw_exchange *exchange);
/* admin_orders.c */
void gw_handle_admin_delete_run(struct gw_exchange *exchange);
void gw_handle_admin_erase_actor(struct gw_exchange *exchange);
/* admin_policies.c */
void gw_handle_admin_policies(struct gw_exchange *exchange);
void gw_handle_admin_reload(struct gw_exchange *exchange);
void gw_handle_admin_release(struct gw_exchange *exchange);
void gw_handle_admin_rollback(struct gw_exchange *exchange);

#endif
