#include "sink/sink_record.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "hub/ports.h"

static void write_member(struct gw_buffer *out, const char *before, const char *value)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, value, strlen(value));
}

void gw_sink_record_write(const struct gw_sink_record *record, struct gw_buffer *out)
{
    const struct gw_event *event = record->event;
    char ts[25];
    gw_clock_format_rfc3339(event->ts_ms, ts);
    write_member(out, "{\"type\":", gw_event_type_name(event->type));
    write_member(out, ",\"ts\":", ts);
    write_member(out, ",\"tenant_id\":", record->scope.tenant_id);
    write_member(out, ",\"mode\":", record->scope.mode);
    write_member(out, ",\"project_id\":", record->scope.project_id);
    write_member(out, ",\"surface_id\":", record->scope.surface_id);
    write_member(out, ",\"app_id\":", record->scope.app_id);
    write_member(out, ",\"run_id\":", record->scope.run_id);
    gw_buffer_append_text(out, ",\"seq\":");
    gw_buffer_append_u64(out, event->seq);
    write_member(out, ",\"actor\":{\"id\":", event->actor.id);
    write_member(out, ",\"kind\":", gw_actor_kind_name(event->actor.kind));
    gw_buffer_append_char(out, '}');
    if (event->cause[0])
        write_member(out, ",\"cause\":", event->cause);
    gw_buffer_append_text(out, ",\"data\":");
    gw_json_write(event->data, out);
    gw_buffer_append_text(out, "}\n");
}
