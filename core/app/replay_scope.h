/* replay_scope.h — where a replay takes place: the gateway, the bearer, the scope ids, canvas and block. Borrowed from the command line;
 * immutable. */
#ifndef GW_APP_REPLAY_SCOPE_H
#define GW_APP_REPLAY_SCOPE_H

#include "app/client.h"

struct gw_buffer;

/* value */
struct gw_replay_scope {
    struct gw_client_url url; /* its path is not used */
    const char *bearer;
    const char *tenant, *mode, *project, *surface, *app, *run, *canvas, *block;
};

/* Appends `"tenant_id":…,"mode":…, … "canvas_id":…` without braces. */
void gw_replay_scope_write_json(const struct gw_replay_scope *scope, struct gw_buffer *out);
/* Appends `tenant_id=…&mode=…& … &canvas_id=…`. Ids need no escaping. */
void gw_replay_scope_write_query(const struct gw_replay_scope *scope, struct gw_buffer *out);

#endif
