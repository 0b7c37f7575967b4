#include "hub/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"

/* A record holds at most what one group commit was let to gather; the reader is generous and still bounded. */
static const struct gw_json_limits record_limits = {.max_bytes = 8u << 20, .max_depth = 64, .max_nodes = 4000000};

void gw_record_writer_init(struct gw_record_writer *writer)
{
    memset(writer, 0, sizeof *writer);
    gw_buffer_init(&writer->events, 0); /* one command's events are bounded by its run's limits; more is taken back by the mark */
    gw_buffer_init(&writer->keys, 0);
}

void gw_record_writer_fini(struct gw_record_writer *writer)
{
    gw_buffer_fini(&writer->events);
    gw_buffer_fini(&writer->keys);
}

static void write_member(struct gw_buffer *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    gw_buffer_append_text(out, name);
    gw_buffer_append_json_string(out, text, strlen(text));
}

static void write_tree(struct gw_buffer *out, const char *name, const struct gw_json *value)
{
    if (!value)
        return;
    gw_buffer_append_text(out, name);
    gw_json_write(value, out);
}

void gw_record_write_event(struct gw_record_writer *writer, const struct gw_event *event)
{
    struct gw_buffer *out = &writer->events;
    gw_buffer_append_text(out, writer->event_count ? ",\n{\"t\":\"" : "{\"t\":\"");
    gw_buffer_append_text(out, gw_event_type_name(event->type));
    gw_buffer_append_text(out, "\",\"at\":");
    gw_buffer_append_i64(out, event->ts_ms);
    write_member(out, ",\"a\":", event->actor.id);
    write_member(out, ",\"k\":", gw_actor_kind_name(event->actor.kind));
    write_member(out, ",\"c\":", event->canvas_id);
    write_member(out, ",\"s\":", event->surface_id);
    write_member(out, ",\"p\":", event->app_id);
    write_member(out, ",\"u\":", event->cause);
    write_tree(out, ",\"d\":", event->data);
    write_tree(out, ",\"f\":", event->facets);
    write_tree(out, ",\"x\":", event->context);
    gw_buffer_append_char(out, '}');
    writer->event_count++;
}

static void append_base64(struct gw_buffer *out, const uint8_t *bytes, size_t length)
{
    char text[GW_BASE64URL_LENGTH(GW_SHA256_BYTES) + 1];
    gw_buffer_append(out, text, gw_base64url_encode(bytes, length, text));
}

void gw_record_write_key(struct gw_record_writer *writer, const struct gw_record_key *key)
{
    struct gw_buffer *out = &writer->keys;
    gw_buffer_append_text(out, writer->key_count ? ",\n[\"" : "[\"");
    append_base64(out, key->key, sizeof key->key);
    gw_buffer_append_text(out, "\",\"");
    append_base64(out, key->body, sizeof key->body);
    gw_buffer_append_text(out, "\",");
    gw_buffer_append_json_string(out, key->answer, key->answer_length);
    gw_buffer_append_char(out, ']');
    writer->key_count++;
}

size_t gw_record_writer_bytes(const struct gw_record_writer *writer) { return writer->events.length + writer->keys.length; }

struct gw_record_mark gw_record_writer_mark(const struct gw_record_writer *writer)
{
    return (struct gw_record_mark){writer->events.length, writer->keys.length, writer->event_count, writer->key_count};
}

void gw_record_writer_rewind(struct gw_record_writer *writer, const struct gw_record_mark *mark)
{
    gw_buffer_truncate(&writer->events, mark->event_bytes);
    gw_buffer_truncate(&writer->keys, mark->key_bytes);
    writer->event_count = mark->event_count;
    writer->key_count = mark->key_count;
}

bool gw_record_writer_has_failed(const struct gw_record_writer *writer) { return writer->events.has_failed || writer->keys.has_failed; }

int gw_record_write_end(struct gw_record_writer *writer, uint64_t epoch, uint64_t nonce, uint64_t first_seq, struct gw_buffer *out)
{
    gw_buffer_appendf(
        out, "{\"v\":1,\"epoch\":\"%016" PRIx64 "\",\"nonce\":\"%016" PRIx64 "\",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\n\"events\":[",
        epoch, nonce, first_seq, first_seq + writer->event_count - 1);
    gw_buffer_append(out, writer->events.data, writer->events.length);
    gw_buffer_append_text(out, "],\n\"keys\":[");
    gw_buffer_append(out, writer->keys.data, writer->keys.length);
    gw_buffer_append_text(out, "]}");
    return gw_record_writer_has_failed(writer) || out->has_failed ? GW_ENOMEM : GW_OK;
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to read a record"); }

static int damaged(struct gw_error *err, const char *what)
{
    return gw_error_set(err, GW_EINVAL, "record_damaged", "a stored record is not readable: %s", what);
}

static int read_hex(const struct gw_json *document, const char *name, uint64_t *out)
{
    const struct gw_json *value = gw_json_get(document, name);
    if (!gw_json_is_string(value))
        return GW_EINVAL;
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (length != 16 || strspn(text, "0123456789abcdef") != 16)
        return GW_EINVAL;
    *out = strtoull(text, NULL, 16);
    return GW_OK;
}

static int read_text(const struct gw_json *object, const char *name, char out[GW_ID_MAX + 1])
{
    const struct gw_json *value = gw_json_get(object, name);
    out[0] = '\0';
    if (!value)
        return GW_OK;
    if (!gw_json_is_string(value))
        return GW_EINVAL;
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (length > GW_ID_MAX)
        return GW_EINVAL;
    memcpy(out, text, length);
    out[length] = '\0';
    return GW_OK;
}

static int read_head(const struct gw_json *object, struct gw_event *event)
{
    char name[GW_ID_MAX + 1], kind[GW_ID_MAX + 1];
    if (read_text(object, "t", name) || read_text(object, "k", kind) || gw_actor_kind_parse(kind, &event->actor.kind))
        return GW_EINVAL;
    event->type = gw_event_type_parse(name);
    const struct gw_json *at = gw_json_get(object, "at");
    if (event->type == GW_EVENT_TYPE_COUNT || !gw_json_is_int(at))
        return GW_EINVAL;
    event->ts_ms = gw_json_int(at);
    return read_text(object, "a", event->actor.id) || read_text(object, "c", event->canvas_id) ||
                   read_text(object, "s", event->surface_id) || read_text(object, "p", event->app_id) ||
                   read_text(object, "u", event->cause)
               ? GW_EINVAL
               : GW_OK;
}

static struct gw_json *ref_member(const struct gw_json *object, const char *name)
{
    struct gw_json *value = gw_json_get(object, name);
    return value ? gw_json_ref(value) : NULL;
}

static int read_event(const struct gw_json *object, uint64_t seq, struct gw_record *record)
{
    struct gw_event *event = gw_event_create();
    if (!event)
        return GW_ENOMEM;
    event->seq = seq;
    if (read_head(object, event)) {
        gw_event_unref(event);
        return GW_EINVAL;
    }
    event->data = ref_member(object, "d");
    event->facets = ref_member(object, "f");
    event->context = ref_member(object, "x");
    return gw_event_list_add(&record->events, event);
}

static int read_digest(const struct gw_json *value, uint8_t out[GW_KEY_BYTES])
{
    if (!gw_json_is_string(value))
        return GW_EINVAL;
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (length != GW_BASE64URL_LENGTH(GW_KEY_BYTES))
        return GW_EINVAL;
    return gw_base64url_decode(text, length, out) == GW_KEY_BYTES ? GW_OK : GW_EINVAL;
}

static int read_key(const struct gw_json *row, struct gw_record_key *key)
{
    if (gw_json_count(row) != 3 || read_digest(gw_json_at(row, 0), key->key) || read_digest(gw_json_at(row, 1), key->body) ||
        !gw_json_is_string(gw_json_at(row, 2)))
        return GW_EINVAL;
    key->answer = gw_json_text(gw_json_at(row, 2), &key->answer_length);
    return GW_OK;
}

static int read_keys(const struct gw_json *rows, struct gw_record *record)
{
    size_t count = gw_json_count(rows);
    if (!gw_json_is_array(rows))
        return GW_EINVAL;
    if (count == 0)
        return GW_OK;
    record->keys = gw_try_grow(NULL, count, sizeof *record->keys);
    if (!record->keys)
        return GW_ENOMEM;
    for (; record->key_count < count; record->key_count++)
        if (read_key(gw_json_at(rows, record->key_count), &record->keys[record->key_count]))
            return GW_EINVAL;
    return GW_OK;
}

static int read_events(const struct gw_json *rows, struct gw_record *record)
{
    size_t count = gw_json_count(rows);
    if (!gw_json_is_array(rows) || count == 0)
        return GW_EINVAL;
    for (size_t i = 0; i < count; i++) {
        int status = read_event(gw_json_at(rows, i), record->first_seq + i, record);
        if (status)
            return status;
    }
    return GW_OK;
}

static int read_document(struct gw_record *record)
{
    const struct gw_json *document = record->document, *first = gw_json_get(document, "first"), *last = gw_json_get(document, "last");
    if (read_hex(document, "epoch", &record->epoch) || read_hex(document, "nonce", &record->nonce) || !gw_json_is_int(first) ||
        !gw_json_is_int(last) || gw_json_int(first) < 1)
        return GW_EINVAL;
    record->first_seq = (uint64_t)gw_json_int(first);
    int status = read_events(gw_json_get(document, "events"), record);
    if (!status && (uint64_t)gw_json_int(last) != record->first_seq + record->events.count - 1)
        status = GW_EINVAL;
    return status ? status : read_keys(gw_json_get(document, "keys"), record);
}

int gw_record_parse(const char *text, size_t length, struct gw_record *out, struct gw_error *err)
{
    struct gw_error cause;
    memset(out, 0, sizeof *out);
    int status = gw_json_parse(text, length, &record_limits, &out->document, &cause);
    if (status)
        return status == GW_ENOMEM ? no_memory(err) : damaged(err, cause.message);
    if (!gw_json_is_object(out->document))
        status = GW_EINVAL;
    else
        status = read_document(out);
    if (status == GW_ENOMEM)
        status = no_memory(err);
    else if (status)
        status = damaged(err, "unexpected shape");
    if (status)
        gw_record_fini(out);
    return status;
}

void gw_record_fini(struct gw_record *record)
{
    gw_event_list_fini(&record->events);
    gw_free(record->keys);
    gw_json_unref(record->document);
    memset(record, 0, sizeof *record);
}
