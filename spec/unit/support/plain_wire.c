#include "support/plain_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/event.h"

static uint64_t hash_of(const void *bytes, size_t length)
{
    static const uint8_t seed[16] = "plain wire";
    return gw_siphash(seed, bytes, length);
}

static void write_data(const struct gw_json *data, struct gw_buffer *out)
{
    if (data)
        gw_json_write(data, out);
}

static void on_event(void *self, const struct gw_event_frame *frame, struct gw_buffer *out)
{
    const struct gw_event *event = frame->event;
    (void)self;
    gw_buffer_appendf(out, "E|%" PRIu64 "|%s|%s|%s|%s|", event->seq, frame->cursor, gw_event_type_name(event->type), event->canvas_id,
                      event->cause);
    write_data(frame->data, out);
    gw_buffer_append_char(out, '\n');
}

static void on_id_only(void *self, const char *cursor, struct gw_buffer *out)
{
    struct gw_position position;
    (void)self;
    plain_wire_read(cursor, strlen(cursor), &position);
    gw_buffer_appendf(out, "I|%" PRIu64 "|%s\n", position.seq, cursor);
}

static void on_tell(void *self, const struct gw_scope *scope, const struct gw_told_frame *frame, struct gw_buffer *out)
{
    (void)self;
    (void)scope;
    const char *canvas = frame->canvas_id ? frame->canvas_id : "", *cursor = frame->cursor ? frame->cursor : "-";
    if (strcmp(frame->type, "presence") == 0 || strcmp(frame->type, "gesture") == 0)
        gw_buffer_appendf(out, "P|%s|%s|%s|", frame->type, frame->actor ? frame->actor->id : "", canvas);
    else
        gw_buffer_appendf(out, "C|%s %s|%s|", frame->type, canvas, cursor);
    gw_buffer_append(out, frame->data, frame->data_length);
    gw_buffer_append_char(out, '\n');
}

static void on_envelope(void *self, const struct gw_event_frame *frame, struct gw_buffer *out)
{
    const struct gw_event *event = frame->event;
    (void)self;
    gw_buffer_appendf(out, "{\"seq\":%" PRIu64 ",\"type\":\"%s\",\"data\":", event->seq, gw_event_type_name(event->type));
    write_data(frame->data, out);
    gw_buffer_append_char(out, '}');
}

/* <epoch>.<seq>.<class>.<hash of the run>.<canvas ids, joined> */
static void on_seal(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position,
                    char out[GW_CURSOR_MAX])
{
    (void)self;
    size_t length = (size_t)snprintf(out, GW_CURSOR_MAX, "%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".", position->epoch, position->seq,
                                     position->class_id, hash_of(run->text, strlen(run->text)));
    for (size_t i = 0; i < set->count; i++)
        length += (size_t)snprintf(out + length, GW_CURSOR_MAX - length, "%s+", set->ids[i]);
}

static bool read_number(const char **at, uint64_t *out)
{
    char *end;
    *out = strtoull(*at, &end, 16);
    bool is_good = end != *at && *end == '.';
    *at = end + 1;
    return is_good;
}

static bool read_all(const char *text, struct gw_position *position, uint64_t *run_hash, const char **ids)
{
    *ids = text;
    return read_number(ids, &position->epoch) && read_number(ids, &position->seq) && read_number(ids, &position->class_id) &&
           read_number(ids, run_hash);
}

static bool copy_text(const char *text, size_t length, char out[GW_CURSOR_MAX])
{
    if (length >= GW_CURSOR_MAX)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

bool plain_wire_read(const char *cursor, size_t length, struct gw_position *out)
{
    char text[GW_CURSOR_MAX];
    const char *ids;
    uint64_t run_hash;
    return copy_text(cursor, length, text) && read_all(text, out, &run_hash, &ids);
}

static bool has_id(const char *ids, const char *id)
{
    char name[GW_ID_MAX + 2];
    snprintf(name, sizeof name, "%s+", id);
    for (const char *at = ids; (at = strstr(at, name)); at++)
        if (at == ids || at[-1] == '+')
            return true;
    return false;
}

static int on_open(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *cursor, struct gw_opened *out)
{
    char text[GW_CURSOR_MAX];
    const char *ids;
    uint64_t run_hash;
    (void)self;
    if (!copy_text(cursor, strlen(cursor), text) || !read_all(text, &out->position, &run_hash, &ids) ||
        run_hash != hash_of(run->text, strlen(run->text)))
        return GW_EINVAL;
    out->covers = ids[0] == '\0' || set->count > 0;
    for (size_t i = 0; ids[0] && i < set->count; i++)
        out->covers = out->covers && has_id(ids, set->ids[i]);
    return GW_OK;
}

const struct gw_wire *plain_wire(void)
{
    static const struct gw_wire wire = {
        .event = on_event, .id_only = on_id_only, .tell = on_tell, .envelope = on_envelope, .seal = on_seal, .open = on_open};
    return &wire;
}
