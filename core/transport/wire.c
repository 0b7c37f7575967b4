#include "transport/wire.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "protocol/cursor.h"
#include "protocol/envelope.h"
#include "protocol/sse.h"

#define ENCODER_VERSION 1

struct gw_wire_codec {
    struct gw_wire port;
    struct gw_cursor_ring *ring;
    struct gw_buffer scratch; /* an event's data as text */
};

static void fill_scope(struct gw_envelope *envelope, const struct gw_scope *scope)
{
    envelope->tenant_id = scope->tenant_id;
    envelope->mode = scope->mode;
    envelope->project_id = scope->project_id;
    envelope->run_id = scope->run_id;
}

static void on_envelope(void *self, const struct gw_event_frame *frame, struct gw_buffer *out)
{
    struct gw_wire_codec *codec = self;
    const struct gw_event *event = frame->event;
    char ts[25];
    gw_clock_format_rfc3339(event->ts_ms, ts);
    struct gw_envelope envelope = {.type = gw_event_type_name(event->type),
                                   .ts = ts,
                                   .surface_id = event->surface_id,
                                   .app_id = event->app_id,
                                   .canvas_id = event->canvas_id,
                                   .actor_id = event->actor.id,
                                   .actor_kind = gw_actor_kind_name(event->actor.kind),
                                   .cause = event->cause};
    fill_scope(&envelope, frame->scope);
    gw_buffer_reset(&codec->scratch);
    gw_json_write(frame->data, &codec->scratch);
    out->has_failed |= codec->scratch.has_failed;
    if (!out->has_failed)
        gw_envelope_write(&envelope, codec->scratch.data, codec->scratch.length, out);
}

static void on_event(void *self, const struct gw_event_frame *frame, struct gw_buffer *out)
{
    gw_sse_begin(out, gw_event_type_name(frame->event->type), frame->cursor);
    if (frame->envelope)
        gw_buffer_append(out, frame->envelope, frame->envelope_length);
    else
        on_envelope(self, frame, out);
    gw_sse_end(out);
}

static void on_id_only(void *self, const char *cursor, struct gw_buffer *out)
{
    (void)self;
    gw_sse_write_id(out, cursor);
}

/* What a checkpoint folds together is nobody's doing: its actor is the gateway itself. */
static void on_tell(void *self, const struct gw_scope *scope, const struct gw_told_frame *frame, struct gw_buffer *out)
{
    (void)self;
    char ts[25];
    gw_clock_format_rfc3339(frame->ts_ms, ts);
    struct gw_envelope envelope = {.type = frame->type,
                                   .ts = ts,
                                   .surface_id = frame->surface_id ? frame->surface_id : "gateway",
                                   .app_id = frame->app_id ? frame->app_id : "gateway",
                                   .canvas_id = frame->canvas_id,
                                   .actor_id = frame->actor ? frame->actor->id : "gateway",
                                   .actor_kind = frame->actor ? gw_actor_kind_name(frame->actor->kind) : "service",
                                   .cause = frame->cause};
    fill_scope(&envelope, scope);
    gw_sse_begin(out, frame->type, frame->cursor);
    gw_envelope_write(&envelope, frame->data, frame->data_length, out);
    gw_sse_end(out);
}

static void set_canvases(struct gw_cursor *cursor, const struct gw_canvas_set *set)
{
    const char *ids[GW_CANVAS_SET_MAX];
    for (size_t i = 0; i < set->count; i++)
        ids[i] = set->ids[i];
    gw_cursor_set_canvases(cursor, ids, set->count);
}

static void on_seal(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position,
                    char out[GW_CURSOR_MAX])
{
    struct gw_wire_codec *codec = self;
    struct gw_cursor cursor = {
        .epoch = position->epoch, .class_id = position->class_id, .seq = position->seq, .encoder_version = ENCODER_VERSION};
    set_canvases(&cursor, set);
    gw_cursor_seal(codec->ring, run, &cursor, out);
}

static int on_open(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *text, struct gw_opened *out)
{
    struct gw_wire_codec *codec = self;
    struct gw_cursor cursor, wanted = {0};
    int status = gw_cursor_open(codec->ring, run, text, strlen(text), &cursor);
    if (status)
        return status;
    set_canvases(&wanted, set);
    out->position = (struct gw_position){.epoch = cursor.epoch, .seq = cursor.seq, .class_id = cursor.class_id};
    if (cursor.encoder_version != ENCODER_VERSION)
        out->position.class_id = 0; /* no class has it: the cursor is good, its bytes are not what would follow */
    out->covers = gw_cursor_covers(&cursor, &wanted);
    return GW_OK;
}

struct gw_wire_codec *gw_wire_codec_create(struct gw_cursor_ring *ring)
{
    struct gw_wire_codec *codec = gw_alloc(sizeof *codec);
    codec->ring = ring;
    gw_buffer_init(&codec->scratch, 0);
    codec->port = (struct gw_wire){.self = codec,
                                   .event = on_event,
                                   .id_only = on_id_only,
                                   .tell = on_tell,
                                   .envelope = on_envelope,
                                   .seal = on_seal,
                                   .open = on_open};
    return codec;
}

void gw_wire_codec_destroy(struct gw_wire_codec *codec)
{
    if (!codec)
        return;
    gw_cursor_ring_destroy(codec->ring);
    gw_buffer_fini(&codec->scratch);
    gw_free(codec);
}

const struct gw_wire *gw_wire_codec_port(const struct gw_wire_codec *codec) { return &codec->port; }
