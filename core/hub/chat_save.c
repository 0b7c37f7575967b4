/* The chat as text: for GET /v1/state, and as rows of a checkpoint. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/lens.h"
#include "hub/ports.h"

static void write_text(struct gw_buffer *out, const char *before, const char *text, size_t length)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, text ? text : "", length);
}

static void write_optional(struct gw_buffer *out, const char *before, const char *text)
{
    if (text[0])
        write_text(out, before, text, strlen(text));
}

static void write_end(struct gw_buffer *out, enum gw_chat_end end)
{
    if (end)
        write_text(out, ",\"end\":", gw_chat_end_name(end), strlen(gw_chat_end_name(end)));
    else
        gw_buffer_append_text(out, ",\"end\":null");
}

/* ---- GET /v1/state --------------------------------------------------------------------------------------------------------------------- */

static struct gw_plan_thing thing_of(const struct gw_chat_message *message)
{
    return (struct gw_plan_thing){
        .vis = message->vis, .author_kind = gw_actor_kind_name(message->author.kind), .author_id = message->author.id};
}

bool gw_chat_shows(const struct gw_lens *lens, const struct gw_chat_message *message)
{
    struct gw_plan_thing thing = thing_of(message);
    return gw_lens_is_clear(lens) || gw_plan_reads_message(lens->plan, &thing);
}

/* A reply to a message that is not shown, or that cannot be judged, is none: it may be forgotten, or have begun after its reply. */
static const char *shown_reply(const struct gw_chat *chat, const struct gw_lens *lens, const struct gw_chat_message *message)
{
    const struct gw_chat_message *other = message->reply_to[0] ? gw_chat_find(chat, message->reply_to) : NULL;
    if (gw_lens_is_clear(lens) || gw_plan_reads_all_messages(lens->plan))
        return message->reply_to;
    return other && other->begin_number <= message->begin_number && gw_chat_shows(lens, other) ? message->reply_to : "";
}

/* As its lens shows it: through a transform, once it is whole. NULL: no memory. */
static struct gw_json *shown_text(const struct gw_lens *lens, const struct gw_chat_message *message)
{
    struct gw_plan_thing thing = thing_of(message);
    if (lens && lens->plan->transform && !message->end)
        return gw_json_new_text("", 0);
    struct gw_json *text = gw_json_new_text(message->text ? message->text : "", message->bytes);
    struct gw_json *shown = text ? gw_lens_message(lens, message->id, &thing, text) : NULL;
    gw_json_unref(text);
    return shown;
}

static void write_shown_text(const struct gw_lens *lens, const struct gw_chat_message *message, struct gw_buffer *out)
{
    if (gw_lens_is_clear(lens) || !lens->plan->transform) {
        write_text(out, ",\"text\":", message->text, message->bytes);
        return;
    }
    struct gw_json *text = shown_text(lens, message);
    gw_buffer_append_text(out, ",\"text\":");
    if (text)
        gw_json_write(text, out);
    else
        out->has_failed = true;
    gw_json_unref(text);
}

static void write_message(const struct gw_chat *chat, const struct gw_lens *lens, const struct gw_chat_message *message,
                          struct gw_buffer *out)
{
    char ts[25];
    const char *kind = gw_actor_kind_name(message->author.kind);
    gw_clock_format_rfc3339(message->ts_ms, ts);
    write_text(out, "{\"author\":{\"id\":", message->author.id, strlen(message->author.id));
    write_text(out, ",\"kind\":", kind, strlen(kind));
    gw_buffer_append_char(out, '}');
    write_end(out, message->end);
    write_optional(out, ",\"reply_to\":", shown_reply(chat, lens, message));
    gw_buffer_append_text(out, message->is_streamed ? ",\"streaming\":true" : ",\"streaming\":false");
    write_shown_text(lens, message, out);
    write_text(out, ",\"ts\":", ts, strlen(ts));
    write_optional(out, ",\"vis\":", message->vis);
    gw_buffer_append_char(out, '}');
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp((*(const struct gw_chat_message *const *)a)->id, (*(const struct gw_chat_message *const *)b)->id);
}

static void write_by_id(const struct gw_chat *chat, const struct gw_lens *lens, size_t count, struct gw_buffer *out)
{
    const struct gw_chat_message **sorted = gw_try_grow(NULL, count + 1, sizeof *sorted);
    size_t i = 0;
    if (!sorted) {
        out->has_failed = true;
        return;
    }
    for (const struct gw_chat_message *message = NULL; (message = gw_chat_next(chat, message));)
        if (gw_chat_shows(lens, message))
            sorted[i++] = message;
    qsort(sorted, count, sizeof *sorted, compare_ids);
    for (i = 0; i < count; i++) {
        write_text(out, i ? "," : "", sorted[i]->id, strlen(sorted[i]->id));
        gw_buffer_append_char(out, ':');
        write_message(chat, lens, sorted[i], out);
    }
    gw_free(sorted);
}

void gw_chat_write(const struct gw_chat *chat, const struct gw_lens *lens, struct gw_buffer *out)
{
    size_t count = 0;
    const char *before = "";
    for (const struct gw_chat_message *message = NULL; (message = gw_chat_next(chat, message));)
        count += gw_chat_shows(lens, message);
    gw_buffer_append_text(out, "{\"messages\":{");
    write_by_id(chat, lens, count, out);
    gw_buffer_append_text(out, "},\"order\":[");
    for (const struct gw_chat_message *message = NULL; (message = gw_chat_next(chat, message));) {
        if (!gw_chat_shows(lens, message))
            continue;
        write_text(out, before, message->id, strlen(message->id));
        before = ",";
    }
    gw_buffer_append_text(out, "]}");
}

/* ---- checkpoints of streams ------------------------------------------------------------------------------------------------------------ */

/* Its data as its lens shows it. NULL: no memory. */
static struct gw_json *shown_data(const struct gw_chat *chat, const struct gw_lens *lens, const struct gw_chat_message *message)
{
    struct gw_json *data = gw_chat_message_data(message);
    if (!data || gw_lens_is_clear(lens))
        return data;
    if (!shown_reply(chat, lens, message)[0])
        gw_json_remove(data, "reply_to");
    if (!gw_json_set(data, "text", shown_text(lens, message)))
        return data;
    gw_json_unref(data);
    return NULL;
}

int gw_chat_write_frames(const struct gw_chat *chat, const struct gw_lens *lens, void (*emit)(void *arg, const struct gw_told_frame *frame),
                         void *arg)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    for (const struct gw_chat_message *message = NULL; !text.has_failed && (message = gw_chat_next(chat, message));) {
        if (!gw_chat_shows(lens, message))
            continue;
        struct gw_json *data = shown_data(chat, lens, message);
        gw_buffer_reset(&text);
        if (data)
            gw_json_write(data, &text);
        else
            text.has_failed = true;
        gw_json_unref(data);
        if (!text.has_failed)
            emit(arg, &(struct gw_told_frame){.type = gw_event_type_name(GW_EVENT_CHAT_MESSAGE),
                                              .ts_ms = message->ts_ms,
                                              .data = text.data,
                                              .data_length = text.length,
                                              .actor = &message->author,
                                              .surface_id = message->surface_id,
                                              .app_id = message->app_id,
                                              .cause = message->cause});
    }
    int status = text.has_failed ? GW_ENOMEM : GW_OK;
    gw_buffer_fini(&text);
    return status;
}

/* ---- checkpoints of the state ----------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} ids[] = {
    {"id", offsetof(struct gw_chat_message, id)},
    {"actor", offsetof(struct gw_chat_message, author.id)},
    {"surface", offsetof(struct gw_chat_message, surface_id)},
    {"app", offsetof(struct gw_chat_message, app_id)},
    {"cause", offsetof(struct gw_chat_message, cause)},
    {"reply_to", offsetof(struct gw_chat_message, reply_to)},
    {"vis", offsetof(struct gw_chat_message, vis)},
};
#define ID_COUNT (sizeof ids / sizeof ids[0])

void gw_chat_write_row(const struct gw_chat_message *message, struct gw_buffer *out)
{
    const char *kind = gw_actor_kind_name(message->author.kind);
    for (size_t i = 0; i < ID_COUNT; i++) {
        const char *id = (const char *)message + ids[i].offset;
        gw_buffer_append_text(out, i ? ",\"" : "{\"");
        gw_buffer_append_text(out, ids[i].name);
        write_text(out, "\":", id, strlen(id));
    }
    write_text(out, ",\"kind\":", kind, strlen(kind));
    write_end(out, message->end);
    gw_buffer_append_text(out, ",\"end_number\":");
    gw_buffer_append_u64(out, message->end_number);
    gw_buffer_append_text(out, message->is_streamed ? ",\"streaming\":true" : ",\"streaming\":false");
    write_text(out, ",\"text\":", message->text, message->bytes);
    gw_buffer_append_text(out, ",\"ts\":");
    gw_buffer_append_i64(out, message->ts_ms);
    gw_buffer_append_char(out, '}');
}

static bool read_ids(const struct gw_json *row, struct gw_chat_message *message)
{
    for (size_t i = 0; i < ID_COUNT; i++) {
        const struct gw_json *value = gw_json_get(row, ids[i].name);
        size_t length;
        const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
        if (!text || length > GW_ID_MAX)
            return false;
        memcpy((char *)message + ids[i].offset, text, length + 1);
    }
    return message->id[0] != '\0';
}

static bool read_end(const struct gw_json *row, enum gw_chat_end *end, uint64_t *number)
{
    const struct gw_json *word = gw_json_get(row, "end"), *count = gw_json_get(row, "end_number");
    *end = GW_CHAT_OPEN;
    if (!gw_json_is_int(count) || gw_json_int(count) < 0)
        return false;
    *number = (uint64_t)gw_json_int(count);
    if (gw_json_is_null(word))
        return *number == 0;
    return gw_json_is_string(word) && *number > 0 && !gw_chat_end_parse(gw_json_text(word, NULL), end);
}

static bool read_rest(const struct gw_json *row, struct gw_chat_message *message)
{
    const struct gw_json *streaming = gw_json_get(row, "streaming"), *ts = gw_json_get(row, "ts"), *kind = gw_json_get(row, "kind");
    if (!gw_json_is_bool(streaming) || !gw_json_is_int(ts) || !gw_json_is_string(kind) ||
        gw_actor_kind_parse(gw_json_text(kind, NULL), &message->author.kind) || !gw_json_is_string(gw_json_get(row, "text")))
        return false;
    message->is_streamed = gw_json_bool(streaming);
    message->ts_ms = gw_json_int(ts);
    return true;
}

int gw_chat_load_row(struct gw_chat *chat, const struct gw_json *row)
{
    struct gw_chat_message *message = gw_try_alloc(sizeof *message);
    enum gw_chat_end end;
    size_t length = 0;
    if (!message)
        return GW_ENOMEM;
    memset(message, 0, sizeof *message);
    bool is_good = read_ids(row, message) && read_rest(row, message) && read_end(row, &end, &message->end_number);
    int status = is_good ? gw_chat_add(chat, message) : GW_EINVAL;
    if (status) {
        gw_free(message);
        return status;
    }
    const char *text = gw_json_text(gw_json_get(row, "text"), &length);
    status = gw_chat_append(chat, message, text, length);
    return status || !end ? status : gw_chat_end(chat, message, end);
}
