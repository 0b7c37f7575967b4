#include "hub/growth.h"

#include <stddef.h>

#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan_layer.h"
#include "hub/project.h"

/* Nothing that it touches has a label, had one, or has a sidecar: then everybody sees it. */
static bool is_plain(const struct gw_json *facets, const struct gw_json *blocks)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *entry;
    if (gw_json_get(facets, "sidecars"))
        return false;
    while (gw_json_next(blocks, &iterator, &id, &entry))
        if (gw_json_get(entry, "vis") || gw_json_get(entry, "was"))
            return false;
    return true;
}

/* As a class sees it that knows of no label and of no sidecar. */
static int sees_some(const struct gw_event *event)
{
    struct gw_glob no_label = {.text = "", .shape = GW_GLOB_EXACT}, any = {.text = "*", .shape = GW_GLOB_ANY};
    struct gw_plan_rule rule = {.has_vis = true, .vis = {.globs = &no_label, .count = 1}, .authors = GW_AUTHOR_ANY};
    struct gw_plan_layer layer = {.events = {.globs = &any, .count = 1}, .blocks_read = {.rules = &rule, .count = 1}};
    struct gw_plan plan = {.class_id = 1, .layer = &layer};
    struct gw_json *data = NULL;
    int visible = gw_project_event(event, &(struct gw_lens){.plan = &plan}, &data);
    gw_json_unref(data);
    return visible;
}

int gw_event_grows_canvas(const struct gw_event *event)
{
    const struct gw_json *blocks = event->facets ? gw_json_get(event->facets, "blocks") : NULL;
    return !blocks || is_plain(event->facets, blocks) ? 1 : sees_some(event);
}
