/* Messages and their streamed text. The facets name every message that an event is about; see chat.h. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project_internal.h"

static const struct gw_json *facets_of(const struct gw_event *event, const char *id)
{
    const struct gw_json *messages = event->facets ? gw_json_get(event->facets, "messages") : NULL;
    return id && messages ? gw_json_get(messages, id) : NULL;
}

static struct gw_plan_thing thing_of(const struct gw_event *event, const struct gw_json *entry)
{
    struct gw_plan_thing thing = gw_project_thing(event, entry, false);
    thing.author_id = gw_project_text(entry, "actor");
    return thing;
}

static bool is_seen(const struct gw_event *event, const struct gw_lens *lens, const char *id)
{
    const struct gw_json *entry = facets_of(event, id);
    if (!entry)
        return false;
    struct gw_plan_thing thing = thing_of(event, entry);
    return gw_plan_reads_message(lens->plan, &thing);
}

/* ---- chat_message ---- */

/* A streamed text is transformed when it is whole. */
static struct gw_json *seen_text(const struct gw_event *event, const struct gw_lens *lens, const char *id)
{
    const struct gw_json *streaming = gw_json_get(event->data, "streaming");
    struct gw_plan_thing thing = thing_of(event, facets_of(event, id));
    if (!lens->plan->transform)
        return gw_json_ref(gw_json_get(event->data, "text"));
    if (streaming && gw_json_bool(streaming))
        return gw_json_new_text("", 0);
    return gw_lens_message(lens, id, &thing, gw_json_get(event->data, "text"));
}

int gw_project_message(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    const char *id = gw_project_text(event->data, "message_id"), *reply = gw_project_text(event->data, "reply_to");
    if (!is_seen(event, lens, id))
        return 0;
    bool hides_reply = reply && !gw_plan_reads_all_messages(lens->plan) && !is_seen(event, lens, reply);
    if (!hides_reply && !lens->plan->transform) {
        *data = gw_json_ref(event->data);
        return 1;
    }
    struct gw_json *out = gw_project_copy(event->data);
    int status = out ? gw_json_set(out, "text", seen_text(event, lens, id)) : GW_ENOMEM;
    if (!status && hides_reply)
        gw_json_remove(out, "reply_to");
    if (status)
        gw_json_unref(out);
    else
        *data = out;
    return status ? status : 1;
}

/* ---- chat_token ---- */

static void add_whole_text(const struct gw_event *event, const struct gw_lens *lens, const char *id, struct gw_seen_list *parts)
{
    const struct gw_json *entry = facets_of(event, id);
    struct gw_json *text = gw_json_get(entry, "text"), *part = text ? gw_json_new_object() : NULL;
    struct gw_plan_thing thing = thing_of(event, entry);
    if (!text)
        return; /* from before its tenant had a transform */
    int status = part ? gw_json_set(part, "message_id", gw_json_new_text(id, strlen(id))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(part, "offset", gw_json_new_int(0));
    if (!status)
        status = gw_json_set(part, "text", gw_lens_message(lens, id, &thing, text));
    if (status) {
        gw_json_unref(part);
        part = NULL;
    }
    gw_seen_list_make(parts, part);
}

static void project_part(const struct gw_event *event, const struct gw_lens *lens, struct gw_json *part, struct gw_seen_list *parts)
{
    const char *id = gw_project_text(part, "message_id");
    bool is_end = gw_json_get(part, "end") != NULL;
    if (!is_seen(event, lens, id) || (lens->plan->transform && !is_end)) {
        gw_seen_list_drop(parts);
        return;
    }
    if (lens->plan->transform)
        add_whole_text(event, lens, id, parts);
    gw_seen_list_keep(parts, part);
}

int gw_project_parts(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    const struct gw_json *given = gw_json_get(event->data, "parts");
    struct gw_seen_list parts = {.given = given};
    for (size_t i = 0; i < gw_json_count(given); i++)
        project_part(event, lens, gw_json_at(given, i), &parts);
    return gw_seen_list_finish(&parts, "parts", event->data, data);
}
