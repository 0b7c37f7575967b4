#include "hub/lens.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/ports.h"

int gw_lens_why(const struct gw_policy *policy, struct gw_error *err)
{
    struct gw_error *why_not = policy ? policy->why_not : NULL;
    if (!why_not || !why_not->code)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
    *err = *why_not;
    *why_not = (struct gw_error){0};
    return err->code;
}

bool gw_lens_is_clear(const struct gw_lens *lens) { return !lens || lens->plan->sees_all; }

void gw_seen_block_fini(struct gw_seen_block *block)
{
    gw_json_unref(block->props);
    gw_json_unref(block->text);
    *block = (struct gw_seen_block){0};
}

/* ---- what is left out ---- */

static bool shows_all_props(const struct gw_lens *lens, const struct gw_plan_thing *thing, const struct gw_json *props)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(props, &iterator, &name, &value))
        if (!gw_plan_shows_prop(lens->plan, thing, name))
            return false;
    return true;
}

struct gw_json *gw_lens_props(const struct gw_lens *lens, const struct gw_plan_thing *thing, struct gw_json *props)
{
    if (gw_lens_is_clear(lens) || shows_all_props(lens, thing, props))
        return gw_json_ref(props);
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (out && gw_json_next(props, &iterator, &name, &value)) {
        if (gw_plan_shows_prop(lens->plan, thing, name) && gw_json_set(out, name, gw_json_ref(value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

/* ---- transforms ---- */

/* *out: what the script made of it, NULL when it fails at it or wants nothing shown. GW_ENOMEM, GW_OK. */
static int transform(const struct gw_lens *lens, enum gw_transform_what what, const char *key, struct gw_json *value, struct gw_json **out)
{
    const struct gw_policy *policy = lens->policy;
    struct gw_error err;
    *out = NULL;
    if (!policy || !policy->transform)
        return GW_OK;
    struct gw_transform_call call = {.plan = lens->plan, .what = what, .key = key, .value = value};
    int status = policy->transform(policy->self, &call, out, &err);
    if (status && status != GW_EDENIED)
        return GW_ENOMEM;
    if (*out && gw_json_is_null(*out)) {
        gw_json_unref(*out);
        *out = NULL;
    }
    return GW_OK;
}

static int add_text(struct gw_json *object, const char *name, const char *text)
{
    return text && text[0] ? gw_json_set(object, name, gw_json_new_text(text, strlen(text))) : GW_OK;
}

/* `content` and what a script may go by. NULL: no memory. */
static struct gw_json *describe(const char *id, const struct gw_plan_thing *thing, const struct gw_seen_block *content)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    int status = add_text(out, "id", id);
    if (!status)
        status = add_text(out, "kind", thing->kind);
    if (!status)
        status = add_text(out, "canvas_type", thing->canvas_type);
    if (!status)
        status = add_text(out, "vis", thing->vis);
    if (!status)
        status = add_text(out, "author", thing->author_kind);
    if (!status && content->props)
        status = gw_json_set(out, "props", gw_json_ref(content->props));
    if (!status)
        status = gw_json_set(out, "text", gw_json_ref(content->text));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* A script may change and leave out, not add: what it is given then says which properties a reader may hold. */
static struct gw_json *keep_known(struct gw_json *made, const struct gw_json *given)
{
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (out && gw_json_is_object(given) && gw_json_next(given, &iterator, &name, &value)) {
        struct gw_json *new_value = gw_json_is_object(made) ? gw_json_get(made, name) : NULL;
        if (new_value && gw_json_set(out, name, gw_json_ref(new_value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *text_or_empty(struct gw_json *text) { return gw_json_is_string(text) ? gw_json_ref(text) : gw_json_new_text("", 0); }

static int transform_block(const struct gw_lens *lens, const char *id, const struct gw_plan_thing *thing, struct gw_seen_block *block)
{
    struct gw_json *value = describe(id, thing, block), *made = NULL;
    int status = value ? transform(lens, GW_TRANSFORM_BLOCK, NULL, value, &made) : GW_ENOMEM;
    struct gw_seen_block out = {0};
    if (!status) {
        out.props = keep_known(made ? gw_json_get(made, "props") : NULL, block->props);
        out.text = text_or_empty(made ? gw_json_get(made, "text") : NULL);
        status = out.props && out.text ? GW_OK : GW_ENOMEM;
    }
    gw_json_unref(value);
    gw_json_unref(made);
    gw_seen_block_fini(block);
    if (status)
        gw_seen_block_fini(&out);
    *block = out;
    return status;
}

int gw_lens_block(const struct gw_lens *lens, const char *id, const struct gw_plan_thing *thing, const struct gw_seen_block *given,
                  struct gw_seen_block *out)
{
    bool shows_text = gw_lens_is_clear(lens) || gw_plan_shows_text(lens->plan, thing);
    out->props = gw_lens_props(lens, thing, given->props);
    out->text = shows_text ? gw_json_ref(given->text) : gw_json_new_text("", 0);
    if (!out->props || !out->text) {
        gw_seen_block_fini(out);
        return GW_ENOMEM;
    }
    return lens && lens->plan->transform ? transform_block(lens, id, thing, out) : GW_OK;
}

struct gw_json *gw_lens_token(const struct gw_lens *lens, const char *key, struct gw_json *value)
{
    struct gw_json *made = NULL;
    if (!lens || !lens->plan->transform)
        return gw_json_ref(value);
    if (transform(lens, GW_TRANSFORM_TOKEN, key, value, &made))
        return NULL;
    return made ? made : gw_json_new_null();
}

struct gw_json *gw_lens_message(const struct gw_lens *lens, const char *id, const struct gw_plan_thing *thing, struct gw_json *text)
{
    struct gw_seen_block content = {.text = text};
    struct gw_json *made = NULL;
    if (!lens || !lens->plan->transform)
        return gw_json_ref(text);
    struct gw_json *value = describe(id, thing, &content);
    int status = value ? transform(lens, GW_TRANSFORM_MESSAGE, NULL, value, &made) : GW_ENOMEM;
    struct gw_json *out = status ? NULL : text_or_empty(made ? gw_json_get(made, "text") : NULL);
    gw_json_unref(value);
    gw_json_unref(made);
    return out;
}
