#include "base/buffer.h"
#include "hub/channel.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/state.h"

/* value: a checkpoint being written */
struct writer {
    const struct gw_channel *channel;
    struct gw_lens lens;
    const struct gw_state *state;
    int64_t ts_ms;
    struct gw_buffer *out;
};

static void write_frame(void *arg, const struct gw_told_frame *given)
{
    const struct writer *writer = arg;
    const struct gw_wire *wire = writer->channel->wire;
    struct gw_told_frame frame = *given;
    if (!gw_plan_admits_event(writer->channel->plan, frame.type))
        return;
    if (!frame.ts_ms)
        frame.ts_ms = writer->ts_ms;
    wire->tell(wire->self, &writer->channel->scope, &frame, writer->out);
}

static void write_canvas(struct writer *writer, const char *canvas_id, const char *cursor)
{
    struct gw_buffer data;
    gw_buffer_init(&data, 0);
    gw_state_write_canvas(writer->state, &writer->lens, canvas_id, &data);
    writer->out->has_failed |= data.has_failed;
    if (!writer->out->has_failed)
        write_frame(writer, &(struct gw_told_frame){.type = gw_event_type_name(GW_EVENT_CANVAS_READY),
                                                    .canvas_id = canvas_id,
                                                    .data = data.data,
                                                    .data_length = data.length,
                                                    .cursor = cursor});
    gw_buffer_fini(&data);
}

static bool is_carried(const struct gw_channel *channel, const char *canvas_id)
{
    return channel->set.count == 0 || gw_canvas_set_contains(&channel->set, canvas_id);
}

void gw_channel_checkpoint(const struct gw_channel *channel, const struct gw_state *state, uint64_t seq, int64_t ts_ms,
                           struct gw_buffer *out)
{
    struct writer writer = {channel, gw_channel_lens(channel), state, ts_ms, out};
    const char *const *ids;
    size_t count = gw_state_canvases(state, &ids), left = 0;
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(channel, seq, cursor);
    if (gw_state_write_run(state, &writer.lens, write_frame, &writer))
        out->has_failed = true;
    for (size_t i = 0; i < count && gw_plan_admits_event(channel->plan, gw_event_type_name(GW_EVENT_CANVAS_READY)); i++)
        left += is_carried(channel, ids[i]);
    if (left == 0) {
        out->has_failed |= gw_state_write_tokens(state, &writer.lens, write_frame, &writer) != GW_OK;
        channel->wire->id_only(channel->wire->self, cursor, out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (is_carried(channel, ids[i]))
            write_canvas(&writer, ids[i], --left == 0 ? cursor : NULL);
}
