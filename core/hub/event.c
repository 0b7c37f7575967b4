#include "hub/event.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

static const char *const type_names[GW_EVENT_TYPE_COUNT] = {
    [GW_EVENT_CANVAS_READY] = "CANVAS_READY",
    [GW_EVENT_TOKEN_PATCH] = "token_patch",
    [GW_EVENT_STATE_PATCH] = "state_patch",
    [GW_EVENT_CANVAS_COMMIT] = "canvas_commit",
    [GW_EVENT_SNAPSHOT_CREATED] = "snapshot_created",
    [GW_EVENT_CHAT_MESSAGE] = "chat_message",
    [GW_EVENT_CHAT_TOKEN] = "chat_token",
    [GW_EVENT_LOG_LINE] = "log_line",
    [GW_EVENT_VOID] = "void",
};
static const char *const kind_names[] = {[GW_ACTOR_USER] = "user", [GW_ACTOR_AGENT] = "agent", [GW_ACTOR_SERVICE] = "service"};

const char *gw_event_type_name(enum gw_event_type type) { return type_names[type]; }

enum gw_event_type gw_event_type_parse(const char *name)
{
    for (int type = 0; type < GW_EVENT_TYPE_COUNT; type++)
        if (strcmp(name, type_names[type]) == 0)
            return (enum gw_event_type)type;
    return GW_EVENT_TYPE_COUNT;
}

const char *gw_actor_kind_name(enum gw_actor_kind kind) { return kind_names[kind]; }

int gw_actor_kind_parse(const char *name, enum gw_actor_kind *out)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out = (enum gw_actor_kind)i;
            return GW_OK;
        }
    }
    return GW_EINVAL;
}

struct gw_event *gw_event_create(void)
{
    struct gw_event *event = gw_try_alloc(sizeof *event);
    if (!event)
        return NULL;
    memset(event, 0, sizeof *event);
    gw_refs_init(&event->refs);
    return event;
}

struct gw_event *gw_event_ref(struct gw_event *event)
{
    gw_refs_add(&event->refs);
    return event;
}

void gw_event_unref(struct gw_event *event)
{
    if (!event || !gw_refs_drop(&event->refs))
        return;
    gw_json_unref(event->data);
    gw_json_unref(event->facets);
    gw_json_unref(event->context);
    gw_free(event);
}

int gw_event_list_add(struct gw_event_list *list, struct gw_event *event)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        struct gw_event **items = gw_try_grow(list->items, capacity, sizeof(struct gw_event *));
        if (!items) {
            gw_event_unref(event);
            return GW_ENOMEM;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = event;
    return GW_OK;
}

void gw_event_list_truncate(struct gw_event_list *list, size_t count)
{
    while (list->count > count)
        gw_event_unref(list->items[--list->count]);
}

void gw_event_list_fini(struct gw_event_list *list)
{
    gw_event_list_truncate(list, 0);
    gw_free(list->items);
    memset(list, 0, sizeof *list);
}
