#include <string.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat_round.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/resolve.h"

/* ---- chat_send ------------------------------------------------------------------------------------------------------------------------- */

/* value: a message on its way */
struct send {
    char id[GW_ID_MAX + 1];
    const char *reply_to, *vis;
    struct gw_json *text; /* borrowed; NULL: none was given */
    bool is_streamed;
};

/* Derived from who sends which command, so that a repeat names the same message and two actors' equal command ids do not meet. */
static void derive_id(const struct gw_resolve *r, char out[GW_ID_MAX + 1])
{
    uint8_t digest[GW_SHA256_BYTES];
    struct gw_buffer name;
    gw_buffer_init(&name, 0);
    gw_buffer_appendf(&name, "%s %s", r->context->author_id ? r->context->author_id : "", r->command->command_id);
    gw_sha256(name.data, name.length, digest);
    gw_buffer_fini(&name);
    out[0] = 'm';
    gw_hex_encode(digest, 12, out + 1);
}

static int read_text(const struct gw_resolve *r, struct send *send)
{
    struct gw_json *stream;
    size_t length = 0, max = r->state->limits.max_message_bytes;
    int status = gw_resolve_typed(r, gw_resolve_args(r), "stream", gw_json_is_bool, &stream);
    if (!status)
        status = gw_resolve_typed(r, gw_resolve_args(r), "text", gw_json_is_string, &send->text);
    if (status)
        return status;
    send->is_streamed = stream && gw_json_bool(stream);
    if (!send->text && !send->is_streamed) {
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "text is required, or stream");
        return gw_resolve_at(r, "/args/text");
    }
    if (send->text)
        (void)gw_json_text(send->text, &length);
    if (length <= max)
        return GW_OK;
    gw_error_limit(r->err, "limit_message_bytes", "max_message_bytes", (int64_t)max, "the text of a message may hold %zu bytes", max);
    return gw_resolve_at(r, "/args/text");
}

static int read_send(const struct gw_resolve *r, struct send *send)
{
    static const char *const names[] = {"message_id", "text", "reply_to", "stream", "vis", NULL};
    const struct gw_resolve_in args = gw_resolve_args(r);
    const char *id;
    int status = gw_resolve_members(r, args, names);
    if (!status)
        status = gw_resolve_id(r, args, "message_id", false, &id);
    if (!status)
        status = gw_resolve_id(r, args, "reply_to", false, &send->reply_to);
    if (!status)
        status = gw_resolve_id(r, args, "vis", false, &send->vis);
    if (status)
        return status;
    if (id)
        memcpy(send->id, id, strlen(id) + 1);
    else
        derive_id(r, send->id);
    return read_text(r, send);
}

static int check_new(const struct gw_resolve *r, const struct send *send)
{
    const struct gw_chat *chat = gw_state_chat(r->state);
    if (!gw_chat_find(chat, send->id) && !gw_chat_forgotten(chat, send->id))
        return GW_OK;
    gw_error_set(r->err, GW_ECONFLICT, "message_exists", "a message %s stands in this run", send->id);
    return gw_resolve_at(r, "/args/message_id");
}

static int check_room(const struct gw_resolve *r, const struct send *send)
{
    const struct gw_chat *chat = gw_state_chat(r->state);
    const struct gw_state_limits *limits = &r->state->limits;
    size_t length = 0;
    if (!send->is_streamed)
        return GW_OK;
    if (gw_chat_open_count(chat) >= limits->max_open_messages) {
        gw_error_limit(r->err, "limit_open_messages", "max_open_messages", (int64_t)limits->max_open_messages,
                       "a run may have %zu messages that have not ended", limits->max_open_messages);
        return gw_resolve_at(r, "/args/stream");
    }
    if (send->text)
        (void)gw_json_text(send->text, &length);
    if (gw_chat_open_bytes(chat) + length <= limits->max_open_bytes)
        return GW_OK;
    gw_error_limit(r->err, "limit_open_bytes", "max_open_bytes", (int64_t)limits->max_open_bytes,
                   "the open messages of a run may hold %zu bytes together", limits->max_open_bytes);
    return gw_resolve_at(r, "/args/text");
}

static struct gw_json *make_data(const struct send *send)
{
    struct gw_json *data = gw_json_new_object();
    if (!data)
        return NULL;
    int status = gw_json_set(data, "message_id", gw_resolve_text(send->id));
    if (!status)
        status = gw_json_set(data, "text", send->text ? gw_json_ref(send->text) : gw_resolve_text(""));
    if (!status)
        status = gw_json_set(data, "streaming", gw_json_new_bool(send->is_streamed));
    if (!status && send->reply_to)
        status = gw_json_set(data, "reply_to", gw_resolve_text(send->reply_to));
    if (!status && send->vis)
        status = gw_json_set(data, "vis", gw_resolve_text(send->vis));
    if (!status)
        return data;
    gw_json_unref(data);
    return NULL;
}

static struct gw_json *make_facets(const char *id, const struct gw_actor *author, const char *vis)
{
    struct gw_json *facets = gw_chat_facets_create();
    if (!facets || !gw_chat_facets_add(facets, id, author, vis))
        return facets;
    gw_json_unref(facets);
    return NULL;
}

/* A reply to a message that a lens hides is none for it. */
static struct gw_json *add_reply(const struct gw_resolve *r, struct gw_json *facets, const char *reply_to)
{
    const struct gw_chat_message *other = reply_to ? gw_chat_find(gw_state_chat(r->state), reply_to) : NULL;
    if (!facets || !other || !gw_chat_facets_add(facets, other->id, &other->author, other->vis))
        return facets;
    gw_json_unref(facets);
    return NULL;
}

static struct gw_actor author_of(const struct gw_resolve *r)
{
    struct gw_actor author = {.kind = GW_ACTOR_USER};
    const char *id = r->context->author_id ? r->context->author_id : "";
    memcpy(author.id, id, strlen(id) + 1);
    (void)gw_actor_kind_parse(r->context->author_kind, &author.kind); /* it is one of the three words */
    return author;
}

/* Facets are what a lens may ask about: an event without them could be shown to those from whom it is hidden. */
static int emit(const struct gw_resolve *r, enum gw_event_type type, struct gw_json *data, struct gw_json *facets)
{
    if (facets)
        return gw_resolve_emit(r, type, data, facets, NULL);
    gw_json_unref(data);
    return gw_resolve_no_memory(r);
}

/* A message may not be sent out of its author's own sight. */
static int check_reader(const struct gw_resolve *r, const struct send *send)
{
    struct gw_plan_thing thing = {.vis = send->vis, .author_kind = r->context->author_kind, .author_id = r->context->author_id};
    return gw_plan_reads_message(r->context->plan, &thing) ? GW_OK : gw_resolve_refuse_write(r, send->vis ? "/args/vis" : "/type");
}

int gw_resolve_chat_send(const struct gw_resolve *r)
{
    struct send send = {.is_streamed = false};
    int status = read_send(r, &send);
    if (!status)
        status = check_reader(r, &send);
    if (!status)
        status = check_new(r, &send);
    if (!status)
        status = check_room(r, &send);
    if (status)
        return status;
    struct gw_actor author = author_of(r);
    struct gw_json *facets = add_reply(r, make_facets(send.id, &author, send.vis ? send.vis : ""), send.reply_to);
    return emit(r, GW_EVENT_CHAT_MESSAGE, make_data(&send), facets);
}

/* ---- chat.append, chat.cancel ---------------------------------------------------------------------------------------------------------- */

static struct gw_json *make_parts(const struct gw_chat_post *post)
{
    const struct gw_chat_message *message = post->message;
    struct gw_json *data = gw_json_new_object(), *parts = gw_json_new_array();
    int status = data && parts ? GW_OK : GW_ENOMEM;
    if (!status && post->fresh_length)
        status = gw_chat_part_text(parts, message->id, message->points, post->fresh, post->fresh_length);
    if (!status && post->ends)
        status = gw_chat_part_end(parts, message->id, post->end);
    if (!status)
        status = gw_json_set(data, "parts", gw_json_ref(parts));
    gw_json_unref(parts);
    if (!status)
        return data;
    gw_json_unref(data);
    return NULL;
}

/* The text that the message ends with, for lenses that transform. */
static int keep_whole(struct gw_json *facets, const struct gw_chat_post *post)
{
    struct gw_json *entry = gw_json_get(gw_json_get(facets, "messages"), post->message->id);
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_append(&text, post->message->text ? post->message->text : "", post->message->bytes);
    gw_buffer_append(&text, post->fresh_length ? post->fresh : "", post->fresh_length);
    struct gw_json *whole = text.has_failed ? NULL : gw_json_new_text(text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    return gw_json_set(entry, "text", whole);
}

static int emit_post(const struct gw_resolve *r, const struct gw_chat_post *post)
{
    if (!post->fresh_length && !post->ends)
        return gw_resolve_emit_nothing(r, NULL);
    struct gw_json *facets = make_facets(post->message->id, &post->message->author, post->message->vis);
    if (facets && post->ends && r->context->keeps_whole && keep_whole(facets, post)) {
        gw_json_unref(facets);
        facets = NULL;
    }
    return emit(r, GW_EVENT_CHAT_TOKEN, make_parts(post), facets);
}

int gw_resolve_chat_append(const struct gw_resolve *r)
{
    struct gw_chat_post post;
    int status = gw_chat_post_parse(r->command, &post, r->err);
    if (!status)
        status = gw_chat_post_judge(r->state, r->context, &post, r->err);
    return status ? status : emit_post(r, &post);
}

/* Anybody who may write may stop a message; one that has ended is stopped already. */
int gw_resolve_chat_cancel(const struct gw_resolve *r)
{
    static const char *const names[] = {"message_id", NULL};
    struct gw_chat_post post = {.end = GW_CHAT_CANCELLED, .text = ""};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "message_id", true, &post.message_id);
    if (status)
        return status;
    const struct gw_chat *chat = gw_state_chat(r->state);
    struct gw_lens lens = {r->context->plan, NULL};
    post.message = gw_chat_find(chat, post.message_id);
    bool is_known = post.message ? gw_chat_shows(&lens, post.message)
                                 : gw_plan_reads_all_messages(r->context->plan) && gw_chat_forgotten(chat, post.message_id);
    if (!is_known) {
        gw_error_set(r->err, GW_ENOTFOUND, "unknown_message", "no message %s stands in this run", post.message_id);
        return gw_resolve_at(r, "/args/message_id");
    }
    post.ends = post.message && !post.message->end;
    return post.ends ? emit_post(r, &post) : gw_resolve_emit_nothing(r, NULL);
}
