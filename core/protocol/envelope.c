#include "protocol/envelope.h"

#include <assert.h>
#include <string.h>

#include "base/buffer.h"

/* `before` is what stands between the value and the one before it. */
static void write_member(struct gw_buffer *out, const char *before, const char *value)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, value, strlen(value));
}

static void write_optional(struct gw_buffer *out, const char *before, const char *value)
{
    if (value && *value)
        write_member(out, before, value);
}

void gw_envelope_write(const struct gw_envelope *envelope, const char *data, size_t length, struct gw_buffer *out)
{
    assert(length > 0 && !memchr(data, '\n', length) && !memchr(data, '\r', length));
    write_member(out, "{\"type\":", envelope->type);
    write_member(out, ",\"ts\":", envelope->ts);
    write_member(out, ",\"tenant_id\":", envelope->tenant_id);
    write_member(out, ",\"mode\":", envelope->mode);
    write_member(out, ",\"project_id\":", envelope->project_id);
    write_member(out, ",\"surface_id\":", envelope->surface_id);
    write_member(out, ",\"app_id\":", envelope->app_id);
    write_member(out, ",\"run_id\":", envelope->run_id);
    write_optional(out, ",\"canvas_id\":", envelope->canvas_id);
    write_member(out, ",\"actor\":{\"id\":", envelope->actor_id);
    write_member(out, ",\"kind\":", envelope->actor_kind);
    gw_buffer_append_char(out, '}');
    write_optional(out, ",\"cause\":", envelope->cause);
    gw_buffer_append_text(out, ",\"data\":");
    gw_buffer_append(out, data, length);
    gw_buffer_append_char(out, '}');
}
