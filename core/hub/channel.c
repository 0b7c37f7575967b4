#include "hub/channel.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/project.h"

void gw_channel_fini(struct gw_channel *channel)
{
    gw_plan_unref(channel->plan);
    channel->plan = NULL;
}

struct gw_lens gw_channel_lens(const struct gw_channel *channel) { return (struct gw_lens){channel->plan, channel->policy}; }

bool gw_canvas_set_contains(const struct gw_canvas_set *set, const char *canvas_id)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->ids[i], canvas_id) == 0)
            return true;
    return false;
}

void gw_channel_seal(const struct gw_channel *channel, uint64_t seq, char out[GW_CURSOR_MAX])
{
    struct gw_position position = {.epoch = channel->epoch, .seq = seq, .class_id = channel->plan->class_id};
    channel->wire->seal(channel->wire->self, &channel->run, &channel->set, &position, out);
}

static bool is_in_set(const struct gw_channel *channel, const struct gw_event *event)
{
    return channel->set.count == 0 || event->canvas_id[0] == '\0' || gw_canvas_set_contains(&channel->set, event->canvas_id);
}

static int seal_member(const struct gw_channel *channel, struct gw_json *data, const char *name)
{
    const struct gw_json *seq = gw_json_get(data, name);
    char cursor[GW_CURSOR_MAX];
    if (!gw_json_is_int(seq))
        return GW_OK;
    gw_channel_seal(channel, (uint64_t)gw_json_int(seq), cursor);
    return gw_json_set(data, name, gw_json_new_text(cursor, strlen(cursor)));
}

/* The log holds a commit's bounds as seqs; outside they are cursors, since a seq would count what is hidden. */
static int seal_commit(const struct gw_channel *channel, struct gw_json **data)
{
    struct gw_json *copy = gw_json_copy_deep(*data);
    gw_json_unref(*data);
    *data = copy;
    if (!copy || seal_member(channel, copy, "from") || seal_member(channel, copy, "to")) {
        gw_json_unref(copy);
        *data = NULL;
        return GW_ENOMEM;
    }
    return 1;
}

int gw_channel_project(const struct gw_channel *channel, const struct gw_event *event, struct gw_json **data)
{
    struct gw_lens lens = gw_channel_lens(channel);
    *data = NULL;
    int visible = is_in_set(channel, event) ? gw_project_event(event, &lens, data) : 0;
    return visible > 0 && event->type == GW_EVENT_CANVAS_COMMIT ? seal_commit(channel, data) : visible;
}

/* Where the data are the event's own, nothing in the envelope depends on the channel: of the scope it names what is the run's. */
static void append_event(const struct gw_channel *channel, struct gw_event_frame *frame, struct gw_buffer *whole, struct gw_buffer *out)
{
    const struct gw_wire *wire = channel->wire;
    bool is_shared = whole && frame->data == frame->event->data;
    if (is_shared && whole->length == 0)
        wire->envelope(wire->self, frame, whole);
    if (is_shared && !whole->has_failed) {
        frame->envelope = whole->data;
        frame->envelope_length = whole->length;
    }
    wire->event(wire->self, frame, out);
}

int gw_channel_encode(const struct gw_channel *channel, const struct gw_event *event, struct gw_buffer *whole, struct gw_buffer *out,
                      bool *is_event)
{
    struct gw_json *data = NULL;
    int visible = gw_channel_project(channel, event, &data);
    if (visible < 0)
        return visible;
    *is_event = visible > 0;
    if (!*is_event && event->seq % GW_ID_ONLY_EVERY != 0)
        return 0;
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(channel, event->seq, cursor);
    if (*is_event)
        append_event(channel, &(struct gw_event_frame){.scope = &channel->scope, .event = event, .data = data, .cursor = cursor}, whole,
                     out);
    else
        channel->wire->id_only(channel->wire->self, cursor, out);
    gw_json_unref(data);
    return out->has_failed ? GW_ENOMEM : 1;
}
