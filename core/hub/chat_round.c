#include "hub/chat_round.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/refuse_bytes.h"
#include "hub/state_internal.h"

static int refuse_at(struct gw_error *err, const char *member)
{
    gw_pointer_prefix(err, member);
    gw_error_prefix(err, "/args");
    return err->code;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------------- */

static int bad_shape(struct gw_error *err, const char *member, const char *what)
{
    gw_error_set(err, GW_EINVAL, "bad_shape", "%s must be %s", member, what);
    return refuse_at(err, member);
}

static int read_text(const struct gw_json *args, struct gw_chat_post *post, struct gw_error *err)
{
    const struct gw_json *text = gw_json_get(args, "text"), *offset = gw_json_get(args, "offset");
    if (text && !gw_json_is_string(text))
        return bad_shape(err, "text", "a string");
    if (offset && (!gw_json_is_int(offset) || gw_json_int(offset) < 0))
        return bad_shape(err, "offset", "a whole number of code points");
    post->text = text ? gw_json_text(text, &post->length) : "";
    post->has_offset = offset != NULL;
    post->offset = offset ? (size_t)gw_json_int(offset) : 0;
    if (!post->length || offset)
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "missing_arg", "offset is required beside text");
    return refuse_at(err, "offset");
}

static int read_end(const struct gw_json *args, struct gw_chat_post *post, struct gw_error *err)
{
    const struct gw_json *end = gw_json_get(args, "end");
    if (!end || gw_json_is_null(end))
        return GW_OK;
    if (!gw_json_is_string(end) || gw_chat_end_parse(gw_json_text(end, NULL), &post->end))
        return bad_shape(err, "end", "done, cancelled or aborted");
    return GW_OK;
}

static int refuse_unknown(const struct gw_json *args, struct gw_error *err)
{
    static const char *const names[] = {"message_id", "offset", "text", "end"};
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(args, &iterator, &key, &value)) {
        size_t i = 0;
        while (i < 4 && strcmp(names[i], key) != 0)
            i++;
        if (i < 4)
            continue;
        gw_error_set(err, GW_EINVAL, "unknown_member", "%s is no argument of this command", key);
        return refuse_at(err, key);
    }
    return GW_OK;
}

int gw_chat_post_parse(const struct gw_command *command, struct gw_chat_post *post, struct gw_error *err)
{
    const struct gw_json *id = gw_json_get(command->args, "message_id");
    memset(post, 0, sizeof *post);
    int status = refuse_unknown(command->args, err);
    if (status)
        return status;
    if (!id) {
        gw_error_set(err, GW_EINVAL, "missing_arg", "message_id is required");
        return refuse_at(err, "message_id");
    }
    size_t length = 0;
    post->message_id = gw_json_is_string(id) ? gw_json_text(id, &length) : "";
    if (!gw_id_is_valid(post->message_id, length)) {
        gw_error_set(err, GW_EINVAL, "bad_id", "message_id must be an id");
        return refuse_at(err, "message_id");
    }
    status = read_text(command->args, post, err);
    return status ? status : read_end(command->args, post, err);
}

/* ---- judging --------------------------------------------------------------------------------------------------------------------------- */

static int say_ended(enum gw_chat_end end, struct gw_error *err)
{
    gw_error_set(err, GW_ESTATE, "chat_ended", "the message has ended: %s", gw_chat_end_name(end));
    memcpy(err->end, gw_chat_end_name(end), strlen(gw_chat_end_name(end)) + 1);
    return refuse_at(err, "message_id");
}

static int find_message(const struct gw_state *state, const struct gw_plan *plan, struct gw_chat_post *post, struct gw_error *err)
{
    enum gw_chat_end end = gw_chat_forgotten(state->chat, post->message_id);
    struct gw_lens lens = {plan, NULL};
    post->message = gw_chat_find(state->chat, post->message_id);
    if (post->message && gw_chat_shows(&lens, post->message))
        return GW_OK;
    if (!post->message && end && gw_plan_reads_all_messages(plan))
        return say_ended(end, err);
    gw_error_set(err, GW_ENOTFOUND, "unknown_message", "no message %s stands in this run", post->message_id);
    return refuse_at(err, "message_id");
}

static int check_author(const struct gw_resolve_context *context, const struct gw_chat_message *message, struct gw_error *err)
{
    const char *kind = context->author_kind, *id = context->author_id ? context->author_id : "";
    if (strcmp(kind, "service") == 0 ||
        (strcmp(id, message->author.id) == 0 && strcmp(kind, gw_actor_kind_name(message->author.kind)) == 0))
        return GW_OK;
    gw_error_set(err, GW_EDENIED, "not_author", "only its author or a service adds to a message");
    return refuse_at(err, "message_id");
}

static int say_expected(struct gw_error *err, const struct gw_chat_message *message, const char *member)
{
    err->has_expected = true;
    err->expected = (int64_t)message->points;
    return refuse_at(err, member);
}

/* What of the text is new. */
static int compare(struct gw_chat_post *post, struct gw_error *err)
{
    const struct gw_chat_message *message = post->message;
    if (!post->has_offset)
        return GW_OK;
    if (post->offset > message->points) {
        if (message->end)
            return say_ended(message->end, err);
        gw_error_set(err, GW_ECONFLICT, "chat_gap", "the message goes on at offset %zu", message->points);
        err->is_retryable = true;
        return say_expected(err, message, "offset");
    }
    size_t at = post->offset == message->points ? message->bytes : gw_utf8_offset(message->text, message->bytes, post->offset);
    size_t there = message->bytes - at, common = there < post->length ? there : post->length;
    if (common && memcmp(message->text + at, post->text, common) != 0) {
        gw_error_set(err, GW_ECONFLICT, "chat_text_differs", "other text stands at this offset");
        return say_expected(err, message, "text");
    }
    post->fresh = post->text + common;
    post->fresh_length = post->length - common;
    return GW_OK;
}

static int check_room(const struct gw_state *state, const struct gw_chat_post *post, struct gw_error *err)
{
    size_t max = state->limits.max_message_bytes, max_open = state->limits.max_open_bytes;
    if (post->message->bytes + post->fresh_length > max) {
        gw_error_limit(err, "limit_message_bytes", "max_message_bytes", (int64_t)max, "the text of a message may hold %zu bytes", max);
        return refuse_at(err, "text");
    }
    if (gw_chat_open_bytes(state->chat) + post->fresh_length <= max_open)
        return GW_OK;
    gw_error_limit(err, "limit_open_bytes", "max_open_bytes", (int64_t)max_open, "the open messages of a run may hold %zu bytes together",
                   max_open);
    return refuse_at(err, "text");
}

static int check_bytes(const struct gw_state *state, const struct gw_chat_post *post, struct gw_error *err)
{
    const struct gw_chat_message *message = post->message;
    size_t max_run = state->limits.max_base64_run, reach = max_run > GW_REFUSE_HEADER_MAX ? max_run + 8 : GW_REFUSE_HEADER_MAX + 8;
    size_t length = message->bytes < reach ? message->bytes : reach;
    struct gw_refuse_change change = {.left = length ? message->text + message->bytes - length : "",
                                      .left_length = length,
                                      .ins = post->fresh,
                                      .ins_length = post->fresh_length,
                                      .right = ""};
    return gw_refuse_bytes_change(&change, max_run, err) ? refuse_at(err, "text") : GW_OK;
}

static int judge_ended(const struct gw_chat_post *post, struct gw_error *err)
{
    bool says_nothing = !post->length && !post->end, is_other_end = post->end && post->end != post->message->end;
    return post->fresh_length || says_nothing || is_other_end ? say_ended(post->message->end, err) : GW_OK;
}

int gw_chat_post_judge(const struct gw_state *state, const struct gw_resolve_context *context, struct gw_chat_post *post,
                       struct gw_error *err)
{
    int status = find_message(state, context->plan, post, err);
    if (!status)
        status = check_author(context, post->message, err);
    if (!status)
        status = compare(post, err);
    if (!status && post->message->end)
        status = judge_ended(post, err);
    if (!status && post->fresh_length)
        status = check_room(state, post, err);
    if (!status && post->fresh_length)
        status = check_bytes(state, post, err);
    if (status)
        return status;
    post->ends = post->end && !post->message->end;
    ptrdiff_t points = gw_utf8_count(post->text, post->length, NULL);
    post->next_offset = post->has_offset ? post->offset + (size_t)points : post->message->points;
    return GW_OK;
}

bool gw_chat_post_brings(const struct gw_chat_post *post) { return post->fresh_length || post->ends; }

char *gw_chat_post_answer(const struct gw_chat_post *post, size_t *length)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "{\"status\":\"committed\",\"message_id\":\"");
    gw_buffer_append_text(&text, post->message_id);
    gw_buffer_append_text(&text, "\",\"next_offset\":");
    gw_buffer_append_u64(&text, post->next_offset);
    gw_buffer_append_text(&text, ",\"end\":");
    if (post->end) {
        gw_buffer_append_char(&text, '"');
        gw_buffer_append_text(&text, gw_chat_end_name(post->end));
        gw_buffer_append_char(&text, '"');
    } else {
        gw_buffer_append_text(&text, "null");
    }
    gw_buffer_append_char(&text, '}');
    bool has_failed = text.has_failed;
    char *answer = gw_buffer_take(&text, length);
    if (!has_failed)
        return answer;
    gw_free(answer);
    return NULL;
}

/* ---- rounds ---------------------------------------------------------------------------------------------------------------------------- */

void gw_chat_round_begin(struct gw_chat_round *round, struct gw_state *state)
{
    memset(round, 0, sizeof *round);
    round->state = state;
    gw_state_begin(state);
}

bool gw_chat_round_is_full(const struct gw_chat_round *round)
{
    return round->bytes >= GW_CHAT_ROUND_BYTES || round->touched_count >= GW_CHAT_ROUND_MESSAGES;
}

static int touch(struct gw_chat_round *round, struct gw_chat_message *message)
{
    if (message->is_in_round)
        return GW_OK;
    if (round->touched_count == round->touched_capacity) {
        size_t capacity = round->touched_capacity ? 2 * round->touched_capacity : 16;
        struct gw_chat_message **touched = gw_try_grow(round->touched, capacity, sizeof *touched);
        if (!touched)
            return GW_ENOMEM;
        round->touched = touched;
        round->touched_capacity = capacity;
    }
    message->is_in_round = true;
    message->round_bytes = message->bytes;
    message->round_points = message->points;
    round->touched[round->touched_count++] = message;
    return GW_OK;
}

static void note_sender(struct gw_chat_round *round, const struct gw_command *command, const struct gw_resolve_context *context)
{
    const char *id = context->author_id ? context->author_id : "";
    if (!round->first) {
        round->first = command;
        memcpy(round->actor.id, id, strlen(id) + 1);
        (void)gw_actor_kind_parse(context->author_kind, &round->actor.kind); /* it is one of the three words */
        return;
    }
    const struct gw_scope *a = &round->first->scope, *b = &command->scope;
    round->is_mixed |= strcmp(round->actor.id, id) != 0 || strcmp(gw_actor_kind_name(round->actor.kind), context->author_kind) != 0 ||
                       strcmp(a->surface_id, b->surface_id) != 0 || strcmp(a->app_id, b->app_id) != 0;
}

static int apply(struct gw_chat_round *round, const struct gw_chat_post *post)
{
    if (!gw_chat_post_brings(post))
        return GW_OK;
    int status = touch(round, post->message);
    if (!status)
        status = gw_chat_append(round->state->chat, post->message, post->fresh, post->fresh_length);
    if (!status && post->ends)
        status = gw_chat_end(round->state->chat, post->message, post->end);
    round->bytes += post->fresh_length;
    return status;
}

int gw_chat_round_judge(const struct gw_chat_round *round, const struct gw_command *command, const struct gw_resolve_context *context,
                        struct gw_chat_post *post, struct gw_error *err)
{
    memset(post, 0, sizeof *post);
    if (!gw_plan_admits_command(context->plan, command->type)) {
        gw_error_set(err, GW_EDENIED, "not_allowed", "your lens does not admit this command");
        gw_error_prefix(err, "/type");
        return err->code;
    }
    if (!gw_plan_writes_chat(context->plan)) {
        gw_error_set(err, GW_EDENIED, "not_allowed", "your lens does not let you write this");
        gw_error_prefix(err, "/type");
        return err->code;
    }
    int status = gw_chat_post_parse(command, post, err);
    return status ? status : gw_chat_post_judge(round->state, context, post, err);
}

int gw_chat_round_apply(struct gw_chat_round *round, const struct gw_command *command, const struct gw_resolve_context *context,
                        const struct gw_chat_post *post, struct gw_error *err)
{
    if (apply(round, post))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the message");
    round->keeps_whole |= context->keeps_whole;
    if (gw_chat_post_brings(post))
        note_sender(round, command, context);
    return GW_OK;
}

/* What a message has got in this round. */
static int write_parts(struct gw_json *parts, struct gw_json *facets, const struct gw_chat_message *message, bool keeps_whole)
{
    size_t length = message->bytes - message->round_bytes;
    int status = gw_chat_facets_add(facets, message->id, &message->author, message->vis);
    if (!status && message->end && keeps_whole)
        status = gw_chat_facets_keep(facets, message);
    if (!status && length)
        status = gw_chat_part_text(parts, message->id, message->round_points, message->text + message->round_bytes, length);
    if (!status && message->end)
        status = gw_chat_part_end(parts, message->id, message->end);
    return status;
}

static void sign(const struct gw_chat_round *round, struct gw_event *event)
{
    static const char nobody[] = "gateway"; /* several authors' */
    event->type = GW_EVENT_CHAT_TOKEN;
    if (round->is_mixed) {
        event->actor.kind = GW_ACTOR_SERVICE;
        memcpy(event->actor.id, nobody, sizeof nobody);
        memcpy(event->surface_id, nobody, sizeof nobody);
        memcpy(event->app_id, nobody, sizeof nobody);
        return;
    }
    event->actor = round->actor;
    memcpy(event->surface_id, round->first->scope.surface_id, sizeof event->surface_id);
    memcpy(event->app_id, round->first->scope.app_id, sizeof event->app_id);
}

static int make_event(const struct gw_chat_round *round, struct gw_event **out)
{
    struct gw_event *event = gw_event_create();
    struct gw_json *parts = gw_json_new_array();
    int status = event && parts ? GW_OK : GW_ENOMEM;
    if (!status && (!(event->data = gw_json_new_object()) || !(event->facets = gw_chat_facets_create())))
        status = GW_ENOMEM;
    for (size_t i = 0; !status && i < round->touched_count; i++)
        status = write_parts(parts, event->facets, round->touched[i], round->keeps_whole);
    if (!status)
        status = gw_json_set(event->data, "parts", gw_json_ref(parts));
    gw_json_unref(parts);
    if (status) {
        gw_event_unref(event);
        return status;
    }
    sign(round, event);
    *out = event;
    return GW_OK;
}

int gw_chat_round_end(struct gw_chat_round *round, struct gw_event **out)
{
    int status = GW_OK;
    if (out)
        *out = NULL;
    if (out && round->touched_count)
        status = make_event(round, out);
    for (size_t i = 0; i < round->touched_count; i++)
        round->touched[i]->is_in_round = false;
    gw_state_revert(round->state);
    gw_free(round->touched);
    round->touched = NULL;
    return status;
}
