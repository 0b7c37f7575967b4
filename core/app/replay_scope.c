#include "app/replay_scope.h"

#include <string.h>

#include "base/buffer.h"

void gw_replay_scope_write_json(const struct gw_replay_scope *s, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "\"tenant_id\":\"%s\",\"mode\":\"%s\",\"project_id\":\"%s\",\"surface_id\":\"%s\",", s->tenant, s->mode,
                      s->project, s->surface);
    gw_buffer_appendf(out, "\"app_id\":\"%s\",\"run_id\":\"%s\",\"canvas_id\":\"%s\"", s->app, s->run, s->canvas);
}

void gw_replay_scope_write_query(const struct gw_replay_scope *s, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "tenant_id=%s&mode=%s&project_id=%s&surface_id=%s&", s->tenant, s->mode, s->project, s->surface);
    gw_buffer_appendf(out, "app_id=%s&run_id=%s&canvas_id=%s", s->app, s->run, s->canvas);
}
