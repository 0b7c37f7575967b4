#include "hub/project.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project_internal.h"

/* ---- for all kinds ---- */

static void append(struct gw_seen_list *list, struct gw_json *item /* taken */)
{
    if (!list->items) {
        gw_json_unref(item);
    } else if (gw_json_append(list->items, item)) {
        gw_json_unref(list->items);
        list->items = NULL;
    }
}

void gw_seen_list_drop(struct gw_seen_list *list)
{
    if (list->is_changed)
        return;
    list->is_changed = true;
    list->items = gw_json_new_array();
    for (size_t i = 0; i < list->kept; i++)
        append(list, gw_json_ref(gw_json_at(list->given, i)));
}

void gw_seen_list_keep(struct gw_seen_list *list, struct gw_json *item)
{
    if (list->is_changed)
        append(list, gw_json_ref(item));
    else
        list->kept++;
}

void gw_seen_list_make(struct gw_seen_list *list, struct gw_json *item)
{
    gw_seen_list_drop(list);
    append(list, item);
}

struct gw_json *gw_project_copy(const struct gw_json *object)
{
    struct gw_json *out = object ? gw_json_new_object() : NULL;
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (out && gw_json_next(object, &iterator, &key, &value)) {
        if (gw_json_set(out, key, gw_json_ref(value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

int gw_seen_list_finish(struct gw_seen_list *list, const char *name, struct gw_json *data, struct gw_json **out)
{
    struct gw_json *items = list->items;
    if (!list->is_changed) {
        *out = list->kept ? gw_json_ref(data) : NULL;
        return list->kept > 0;
    }
    list->items = NULL;
    if (!items)
        return GW_ENOMEM;
    if (gw_json_count(items) == 0) {
        gw_json_unref(items);
        return 0;
    }
    *out = gw_project_copy(data);
    if (!*out) {
        gw_json_unref(items);
        return GW_ENOMEM;
    }
    if (!gw_json_set(*out, name, items))
        return 1;
    gw_json_unref(*out);
    *out = NULL;
    return GW_ENOMEM;
}

const char *gw_project_text(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = object ? gw_json_get(object, name) : NULL;
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : NULL;
}

struct gw_plan_thing gw_project_thing(const struct gw_event *event, const struct gw_json *entry, bool is_before)
{
    const struct gw_json *was = is_before ? gw_json_get(entry, "was") : NULL;
    const char *by = gw_project_text(entry, "by");
    bool had_other_kind = was && event->canvas_id[0] == '\0'; /* a block keeps its kind; a node had none when `was` names none */
    return (struct gw_plan_thing){.kind = gw_project_text(had_other_kind ? was : entry, "kind"),
                                  .vis = gw_project_text(was ? was : entry, "vis"),
                                  .author_kind = gw_project_text(entry, "author"),
                                  .author_id = by ? by : event->actor.id};
}

/* ---- Tokens ---- */

static bool is_listed(const struct gw_json *names, const char *name)
{
    for (size_t i = 0; i < gw_json_count(names); i++)
        if (strcmp(gw_json_text(gw_json_at(names, i), NULL), name) == 0)
            return true;
    return false;
}

/* Which keys are sidecars the event says itself: the catalog may change. */
static bool shows_token(const struct gw_event *event, const struct gw_lens *lens, const char *key)
{
    const struct gw_json *sidecars = event->facets ? gw_json_get(event->facets, "sidecars") : NULL;
    if (!lens->plan->sees_sidecars && is_listed(sidecars, key))
        return false;
    return gw_plan_reads_token(lens->plan, key);
}

/* What a transform shows as nothing is unset. */
static int set_token(const struct gw_lens *lens, const char *key, struct gw_json *value, struct gw_json *set, struct gw_json *unset)
{
    struct gw_json *seen = gw_lens_token(lens, key, value);
    if (!seen)
        return GW_ENOMEM;
    bool is_shown = seen == value || !gw_json_is_null(seen);
    if (is_shown)
        return gw_json_set(set, key, seen);
    gw_json_unref(seen);
    return gw_json_append(unset, gw_json_new_text(key, strlen(key)));
}

static int fill_patch(const struct gw_event *event, const struct gw_lens *lens, struct gw_json *set, struct gw_json *unset)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value, *given = gw_json_get(event->data, "unset");
    int status = set && unset ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_json_count(given); i++) {
        value = gw_json_at(given, i);
        if (shows_token(event, lens, gw_json_text(value, NULL)))
            status = gw_json_append(unset, gw_json_ref(value));
    }
    while (!status && gw_json_next(gw_json_get(event->data, "set"), &iterator, &key, &value))
        if (shows_token(event, lens, key))
            status = set_token(lens, key, value, set, unset);
    return status;
}

static bool shows_whole_patch(const struct gw_event *event, const struct gw_lens *lens)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    const struct gw_json *unset = gw_json_get(event->data, "unset");
    if (lens->plan->transform)
        return false;
    while (gw_json_next(gw_json_get(event->data, "set"), &iterator, &key, &value))
        if (!shows_token(event, lens, key))
            return false;
    for (size_t i = 0; i < gw_json_count(unset); i++)
        if (!shows_token(event, lens, gw_json_text(gw_json_at(unset, i), NULL)))
            return false;
    return true;
}

static int project_token_patch(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **out)
{
    if (shows_whole_patch(event, lens)) {
        *out = gw_json_ref(event->data);
        return 1;
    }
    struct gw_json *set = gw_json_new_object(), *unset = gw_json_new_array();
    int status = fill_patch(event, lens, set, unset);
    bool is_visible = !status && gw_json_count(set) + gw_json_count(unset) > 0;
    struct gw_json *patch = is_visible ? gw_json_new_object() : NULL;
    if (is_visible)
        status = patch ? gw_json_set(patch, "set", gw_json_ref(set)) : GW_ENOMEM;
    if (is_visible && !status)
        status = gw_json_set(patch, "unset", gw_json_ref(unset));
    gw_json_unref(set);
    gw_json_unref(unset);
    if (status)
        gw_json_unref(patch);
    else
        *out = patch;
    return status ? status : is_visible;
}

/* ---- the rest ---- */

/* The hash covers blocks and Tokens that the class does not see, and would tell whether it had guessed right. */
static int project_commit(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **out)
{
    bool sees_what_is_hashed = gw_plan_reads_whole_canvas(lens->plan) && gw_plan_reads_all_tokens(lens->plan);
    if (sees_what_is_hashed || !gw_json_get(event->data, "state_hash")) {
        *out = gw_json_ref(event->data);
        return 1;
    }
    *out = gw_project_copy(event->data);
    if (*out)
        gw_json_remove(*out, "state_hash");
    return *out ? 1 : GW_ENOMEM;
}

/* Of media that belong to a block knows who sees the block. */
static int project_snapshot(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **out)
{
    const char *block = gw_project_text(event->data, "block_id");
    const struct gw_json *blocks = event->facets ? gw_json_get(event->facets, "blocks") : NULL;
    const struct gw_json *entry = block && blocks ? gw_json_get(blocks, block) : NULL;
    if (!lens->plan->sees_sidecars || (block && !entry && !gw_plan_reads_whole_canvas(lens->plan)))
        return 0;
    if (entry) {
        struct gw_plan_thing thing = gw_project_thing(event, entry, false);
        thing.canvas_type = gw_project_text(event->facets, "canvas_type");
        if (!gw_plan_reads_block(lens->plan, &thing))
            return 0;
    }
    *out = gw_json_ref(event->data);
    return 1;
}

static int project_log(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **out)
{
    bool is_visible = gw_plan_reads_logs(lens->plan);
    *out = is_visible ? gw_json_ref(event->data) : NULL;
    return is_visible;
}

static int project_by_type(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **out)
{
    switch (event->type) {
    case GW_EVENT_CANVAS_READY:
        return gw_project_ready(event, lens, out);
    case GW_EVENT_TOKEN_PATCH:
        return project_token_patch(event, lens, out);
    case GW_EVENT_STATE_PATCH:
        return event->canvas_id[0] ? gw_project_blocks(event, lens, out) : gw_project_graph(event, lens, out);
    case GW_EVENT_CANVAS_COMMIT:
        return project_commit(event, lens, out);
    case GW_EVENT_SNAPSHOT_CREATED:
        return project_snapshot(event, lens, out);
    case GW_EVENT_CHAT_MESSAGE:
        return gw_project_message(event, lens, out);
    case GW_EVENT_CHAT_TOKEN:
        return gw_project_parts(event, lens, out);
    case GW_EVENT_LOG_LINE:
        return project_log(event, lens, out);
    case GW_EVENT_VOID:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    return 0;
}

static bool shows_whole_event(const struct gw_event *event, const struct gw_plan *plan)
{
    return plan->sees_all && (plan->writes_all || event->type != GW_EVENT_CANVAS_READY);
}

int gw_project_change(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    *data = NULL;
    if (event->type == GW_EVENT_VOID)
        return 0;
    if (!shows_whole_event(event, lens->plan))
        return project_by_type(event, lens, data);
    *data = gw_json_ref(event->data);
    return 1;
}

int gw_project_event(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    *data = NULL;
    bool is_told = shows_whole_event(event, lens->plan) || gw_plan_admits_event(lens->plan, gw_event_type_name(event->type));
    return is_told ? gw_project_change(event, lens, data) : 0;
}
