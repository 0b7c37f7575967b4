/* Messages from events, and what events say of messages. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"

/* ---- from events ----------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct gw_json *object, const char *name, size_t *length)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, length) : NULL;
}

static bool copy_id(char out[GW_ID_MAX + 1], const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length > GW_ID_MAX)
        return false;
    if (length)
        memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static void free_new(struct gw_chat_message *message)
{
    gw_free(message->text);
    gw_free(message);
}

static int fill(struct gw_chat_message *message, const struct gw_event *event)
{
    size_t length = 0;
    const char *text = text_of(event->data, "text", &length);
    const struct gw_json *streaming = gw_json_get(event->data, "streaming");
    if (!copy_id(message->id, text_of(event->data, "message_id", NULL)) || !message->id[0] || !text || !gw_json_is_bool(streaming) ||
        !copy_id(message->reply_to, text_of(event->data, "reply_to", NULL)) || !copy_id(message->vis, text_of(event->data, "vis", NULL)))
        return GW_EINVAL;
    message->author = event->actor;
    message->ts_ms = event->ts_ms;
    message->is_streamed = gw_json_bool(streaming);
    memcpy(message->surface_id, event->surface_id, sizeof message->surface_id);
    memcpy(message->app_id, event->app_id, sizeof message->app_id);
    memcpy(message->cause, event->cause, sizeof message->cause);
    if (length && !(message->text = gw_try_strndup(text, length)))
        return GW_ENOMEM;
    message->bytes = message->capacity = length;
    message->points = (size_t)gw_utf8_count(text, length, NULL);
    return GW_OK;
}

int gw_chat_fold_message(struct gw_chat *chat, const struct gw_event *event)
{
    struct gw_chat_message *message = gw_try_alloc(sizeof *message);
    if (!message)
        return GW_ENOMEM;
    memset(message, 0, sizeof *message);
    int status = fill(message, event);
    if (!status)
        status = gw_chat_add(chat, message);
    if (status) {
        free_new(message);
        return status;
    }
    if (!message->is_streamed)
        status = gw_chat_end(chat, message, GW_CHAT_DONE);
    gw_chat_trim(chat);
    return status;
}

static int fold_part(struct gw_chat *chat, const struct gw_json *part)
{
    size_t length = 0;
    enum gw_chat_end end;
    const char *id = gw_json_is_object(part) ? text_of(part, "message_id", NULL) : NULL, *text, *word;
    struct gw_chat_message *message = id ? gw_chat_find(chat, id) : NULL;
    if (!message)
        return GW_EINVAL;
    word = text_of(part, "end", NULL);
    if (word)
        return gw_chat_end_parse(word, &end) ? GW_EINVAL : gw_chat_end(chat, message, end);
    const struct gw_json *offset = gw_json_get(part, "offset");
    text = text_of(part, "text", &length);
    if (!text || !gw_json_is_int(offset) || gw_json_int(offset) != (int64_t)message->points)
        return GW_EINVAL;
    return gw_chat_append(chat, message, text, length);
}

int gw_chat_fold_tokens(struct gw_chat *chat, const struct gw_event *event)
{
    const struct gw_json *parts = gw_json_get(event->data, "parts");
    int status = gw_json_is_array(parts) ? GW_OK : GW_EINVAL;
    for (size_t i = 0; !status && i < gw_json_count(parts); i++)
        status = fold_part(chat, gw_json_at(parts, i));
    gw_chat_trim(chat);
    return status;
}

/* ---- to events ------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *make_text(const char *text) { return gw_json_new_text(text, strlen(text)); }

struct gw_json *gw_chat_message_data(const struct gw_chat_message *message)
{
    struct gw_json *data = gw_json_new_object();
    if (!data)
        return NULL;
    int status = gw_json_set(data, "message_id", make_text(message->id));
    if (!status)
        status = gw_json_set(data, "text", gw_json_new_text(message->text ? message->text : "", message->bytes));
    if (!status)
        status = gw_json_set(data, "streaming", gw_json_new_bool(message->is_streamed));
    if (!status)
        status = gw_json_set(data, "end", message->end ? make_text(gw_chat_end_name(message->end)) : gw_json_new_null());
    if (!status && message->reply_to[0])
        status = gw_json_set(data, "reply_to", make_text(message->reply_to));
    if (!status && message->vis[0])
        status = gw_json_set(data, "vis", make_text(message->vis));
    if (!status)
        return data;
    gw_json_unref(data);
    return NULL;
}

struct gw_json *gw_chat_facets_create(void)
{
    struct gw_json *facets = gw_json_new_object();
    if (!facets || !gw_json_set(facets, "messages", gw_json_new_object()))
        return facets;
    gw_json_unref(facets);
    return NULL;
}

int gw_chat_facets_add(struct gw_json *facets, const char *id, const struct gw_actor *author, const char *vis)
{
    struct gw_json *messages = gw_json_get(facets, "messages");
    if (gw_json_get(messages, id))
        return GW_OK;
    struct gw_json *entry = gw_json_new_object();
    int status = entry ? gw_json_set(entry, "author", make_text(gw_actor_kind_name(author->kind))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(entry, "actor", make_text(author->id));
    if (!status && vis[0])
        status = gw_json_set(entry, "vis", make_text(vis));
    if (!status)
        return gw_json_set(messages, id, entry);
    gw_json_unref(entry);
    return status;
}

int gw_chat_facets_keep(struct gw_json *facets, const struct gw_chat_message *message)
{
    struct gw_json *entry = gw_json_get(gw_json_get(facets, "messages"), message->id);
    return gw_json_set(entry, "text", gw_json_new_text(message->text ? message->text : "", message->bytes));
}

static int add_part(struct gw_json *parts, const char *id, struct gw_json **part)
{
    *part = gw_json_new_object();
    if (!*part)
        return GW_ENOMEM;
    int status = gw_json_set(*part, "message_id", make_text(id));
    if (!status)
        return gw_json_append(parts, gw_json_ref(*part));
    return status;
}

int gw_chat_part_text(struct gw_json *parts, const char *id, size_t offset, const char *text, size_t length)
{
    struct gw_json *part;
    int status = add_part(parts, id, &part);
    if (!status)
        status = gw_json_set(part, "offset", gw_json_new_int((int64_t)offset));
    if (!status)
        status = gw_json_set(part, "text", gw_json_new_text(text, length));
    gw_json_unref(part);
    return status;
}

int gw_chat_part_end(struct gw_json *parts, const char *id, enum gw_chat_end end)
{
    struct gw_json *part;
    int status = add_part(parts, id, &part);
    if (!status)
        status = gw_json_set(part, "end", make_text(gw_chat_end_name(end)));
    gw_json_unref(part);
    return status;
}
