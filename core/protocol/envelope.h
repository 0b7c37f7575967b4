/* envelope.h — the event envelope as one line of JSON: the `data:` of every SSE frame and an item of /v1/events. The order of members is
 * part of the wire format: equal events give equal bytes. Pure; any thread. */
#ifndef GW_PROTOCOL_ENVELOPE_H
#define GW_PROTOCOL_ENVELOPE_H

#include <stddef.h>

struct gw_buffer;

/* value; text is valid UTF-8, borrowed for the call */
struct gw_envelope {
    const char *type, *ts; /* "state_patch"; RFC 3339 UTC with milliseconds */
    const char *tenant_id, *mode, *project_id, *surface_id, *app_id, *run_id;
    const char *canvas_id; /* NULL or "" = run-wide: the member is absent */
    const char *actor_id, *actor_kind;
    const char *cause; /* NULL or "" = absent */
};

/* Appends the envelope; `data` is JSON text without line breaks (asserted), copied as it is. */
void gw_envelope_write(const struct gw_envelope *envelope, const char *data, size_t length, struct gw_buffer *out);

#endif
