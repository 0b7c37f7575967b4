/* What a view tells a subscriber beside the events: the newest of each actor, and only what it has not been told. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "hub/hub_internal.h"
#include "hub/subscriber.h"

/* At a time, so that a reader who has stopped holds no more than that. */
#define SHOWN_BYTES 16384

static bool is_for(const struct gw_subscriber *subscriber, const struct gw_ephemeral *frame)
{
    bool is_its_own = subscriber->actor && strcmp(subscriber->actor->id, frame->actor_id) == 0;
    return !is_its_own && !(frame->is_end && subscriber->told == 0);
}

static int take(struct gw_subscriber *subscriber, struct gw_buffer *text, uint64_t told)
{
    size_t length = 0;
    char *control = text->has_failed || text->length == 0 ? NULL : gw_buffer_take(text, &length);
    bool has_failed = text->has_failed;
    gw_buffer_fini(text);
    if (has_failed)
        return GW_ENOMEM;
    subscriber->told = told;
    if (!control)
        return 0;
    subscriber->control = control;
    subscriber->control_length = (uint32_t)length;
    subscriber->control_sent = 0;
    subscriber->shows_control = true;
    return 1;
}

/* It was told of somebody whose end is forgotten by now. */
static int begin_anew(const struct gw_view *view, struct gw_subscriber *subscriber)
{
    static const char data[] = "{\"status\":\"reset\"}";
    const struct gw_wire *wire = view->hub->opts.wire;
    const struct gw_clock *clock = view->hub->opts.clock;
    struct gw_told_frame frame = {.type = gw_ephemeral_name(GW_EPHEMERAL_PRESENCE),
                                  .ts_ms = clock->wall_ms(clock->self),
                                  .data = data,
                                  .data_length = sizeof data - 1};
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    wire->tell(wire->self, &view->scope, &frame, &text);
    return take(subscriber, &text, 0);
}

int gw_view_show(struct gw_view *view, struct gw_subscriber *subscriber)
{
    const struct gw_ephemera *table = &view->ephemera;
    if (subscriber->told >= table->version)
        return 0;
    if (gw_ephemera_has_forgotten(table, subscriber->told))
        return begin_anew(view, subscriber);
    struct gw_buffer text;
    uint64_t told = subscriber->told;
    gw_buffer_init(&text, 0);
    size_t i = gw_ephemera_after(table, told);
    for (; i < table->slot_count && text.length < SHOWN_BYTES; i++) {
        const struct gw_ephemera_slot *slot = &table->slots[i];
        if (slot->frame && is_for(subscriber, slot->frame))
            gw_buffer_append(&text, slot->frame->bytes, slot->frame->length);
        told = slot->version;
    }
    return take(subscriber, &text, i == table->slot_count ? table->version : told);
}
