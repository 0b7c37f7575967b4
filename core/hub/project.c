#include "hub/project.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/tokens.h"

/* A copy of `data` in which the members `first` and `second`, objects by Token key, are cut to what the plan admits. */
static struct gw_json *cut_members(const struct gw_json *data, const struct gw_plan *plan, const char *first, const char *second)
{
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (out && gw_json_next(data, &iterator, &key, &value)) {
        bool is_by_key = strcmp(key, first) == 0 || strcmp(key, second) == 0;
        if (gw_json_set(out, key, is_by_key ? gw_tokens_project(value, plan) : gw_json_ref(value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *cut_keys(const struct gw_json *keys, const struct gw_plan *plan)
{
    struct gw_json *out = gw_json_new_array();
    for (size_t i = 0; out && i < gw_json_count(keys); i++) {
        struct gw_json *key = gw_json_at(keys, i);
        if (gw_plan_reads_token(plan, gw_json_text(key, NULL)) && gw_json_append(out, gw_json_ref(key))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static int project_token_patch(const struct gw_json *data, const struct gw_plan *plan, struct gw_json **out)
{
    struct gw_json *set = gw_tokens_project(gw_json_get(data, "set"), plan);
    struct gw_json *unset = cut_keys(gw_json_get(data, "unset"), plan);
    bool is_visible = gw_json_count(set) + gw_json_count(unset) > 0;
    struct gw_json *patch = set && unset ? gw_json_new_object() : NULL;
    int status = GW_ENOMEM;
    if (patch) {
        status = gw_json_set(patch, "set", gw_json_ref(set));
        status = status ? status : gw_json_set(patch, "unset", gw_json_ref(unset));
    }
    gw_json_unref(set);
    gw_json_unref(unset);
    if (!status && is_visible)
        *out = patch;
    else
        gw_json_unref(patch);
    return status ? status : is_visible;
}

/* The hash covers what the class does not see, and would tell whether it had guessed right. */
static struct gw_json *cut_hash(struct gw_json *data)
{
    struct gw_json *out = gw_json_get(data, "state_hash") ? gw_json_new_object() : gw_json_ref(data);
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (out && out != data && gw_json_next(data, &iterator, &key, &value)) {
        if (strcmp(key, "state_hash") != 0 && gw_json_set(out, key, gw_json_ref(value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *project_by_type(const struct gw_event *event, const struct gw_plan *plan)
{
    if (event->type == GW_EVENT_CANVAS_READY)
        return cut_members(event->data, plan, "TokenCatalog", "tokens");
    return event->type == GW_EVENT_CANVAS_COMMIT ? cut_hash(event->data) : gw_json_ref(event->data);
}

int gw_project_event(const struct gw_event *event, const struct gw_plan *plan, struct gw_json **data)
{
    if (event->type == GW_EVENT_VOID)
        return 0;
    if (plan->sees_all) {
        *data = gw_json_ref(event->data);
        return 1;
    }
    if (event->type == GW_EVENT_TOKEN_PATCH)
        return project_token_patch(event->data, plan, data);
    *data = project_by_type(event, plan);
    return *data ? 1 : GW_ENOMEM;
}
