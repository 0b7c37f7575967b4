#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/resolve_was.h"
#include "hub/tokens.h"
#include "hub/value_type.h"

/* value: the patch as it grows; both lists hold only what changes something */
struct patch {
    struct gw_json *set, *unset;
};

static int refuse_key(const struct gw_resolve *r, const char *key)
{
    gw_pointer_prefix(r->err, key);
    return gw_resolve_at(r, "/args/set");
}

static int judge_set(const struct gw_resolve *r, const struct gw_json *given, struct patch *patch)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(given, &iterator, &key, &value)) {
        if (gw_tokens_check(r->state->tokens, r->context->plan, key, value, r->state->limits.max_token_bytes, r->err))
            return refuse_key(r, key);
        const struct gw_json *present = gw_tokens_value(r->state->tokens, key);
        if (present && gw_json_equal(present, value))
            continue;
        if (gw_json_set(patch->set, key, gw_json_ref(value)))
            return gw_resolve_no_memory(r);
    }
    return GW_OK;
}

static int refuse_index(const struct gw_resolve *r, size_t index)
{
    gw_pointer_prefix_index(r->err, index);
    return gw_resolve_at(r, "/args/unset");
}

/* Named before in this list, or set by this command? */
static bool is_named_twice(const struct gw_json *given_set, const struct gw_json *given_unset, size_t index, const char *key)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(gw_json_text(gw_json_at(given_unset, i), NULL), key) == 0)
            return true;
    return given_set && gw_json_get(given_set, key);
}

static int judge_unset(const struct gw_resolve *r, const struct gw_json *given_set, const struct gw_json *given_unset, struct patch *patch)
{
    for (size_t i = 0; i < gw_json_count(given_unset); i++) {
        struct gw_json *name = gw_json_at(given_unset, i);
        if (!gw_json_is_string(name)) {
            gw_error_set(r->err, GW_EINVAL, "bad_shape", "unset is a list of keys");
            return refuse_index(r, i);
        }
        const char *key = gw_json_text(name, NULL);
        if (gw_tokens_check_write(r->state->tokens, r->context->plan, key, r->err))
            return refuse_index(r, i);
        if (is_named_twice(given_set, given_unset, i, key)) {
            gw_error_set(r->err, GW_EINVAL, "named_twice", "%s is named twice", key);
            return refuse_index(r, i);
        }
        if (gw_tokens_value(r->state->tokens, key) && gw_json_append(patch->unset, gw_json_ref(name)))
            return gw_resolve_no_memory(r);
    }
    return GW_OK;
}

static struct gw_json *make_patch(const struct patch *patch)
{
    struct gw_json *data = gw_json_new_object();
    if (!data)
        return NULL;
    if (!gw_json_set(data, "set", gw_json_ref(patch->set)) && !gw_json_set(data, "unset", gw_json_ref(patch->unset)))
        return data;
    gw_json_unref(data);
    return NULL;
}

static int note_sidecar(const struct gw_resolve *r, const char *key, struct gw_json *names)
{
    bool is_sidecar = gw_value_type_is_sidecar(gw_tokens_declaration(r->state->tokens, key));
    return is_sidecar ? gw_json_append(names, gw_resolve_text(key)) : GW_OK;
}

static struct gw_json *wrap(struct gw_json *names)
{
    struct gw_json *facets = gw_json_new_object();
    if (!facets || !gw_json_set(facets, "sidecars", gw_json_ref(names)))
        return facets;
    gw_json_unref(facets);
    return NULL;
}

/* {sidecars: [key]}: the keys that are, whatever the catalog says later; *out NULL: none is. */
static int make_facets(const struct gw_resolve *r, const struct patch *patch, struct gw_json **out)
{
    struct gw_json *names = gw_json_new_array(), *value;
    int status = names ? GW_OK : GW_ENOMEM;
    void *iterator = NULL;
    const char *key;
    *out = NULL;
    while (!status && gw_json_next(patch->set, &iterator, &key, &value))
        status = note_sidecar(r, key, names);
    for (size_t i = 0; !status && i < gw_json_count(patch->unset); i++)
        status = note_sidecar(r, gw_json_text(gw_json_at(patch->unset, i), NULL), names);
    if (!status && gw_json_count(names))
        status = (*out = wrap(names)) ? GW_OK : GW_ENOMEM;
    gw_json_unref(names);
    return status;
}

static int judge(const struct gw_resolve *r, struct patch *patch)
{
    static const char *const names[] = {"set", "unset", NULL};
    const struct gw_resolve_in args = gw_resolve_args(r);
    struct gw_json *set, *unset;
    int status = gw_resolve_members(r, args, names);
    if (!status)
        status = gw_resolve_typed(r, args, "set", gw_json_is_object, &set);
    if (!status)
        status = gw_resolve_typed(r, args, "unset", gw_json_is_array, &unset);
    if (!status)
        status = judge_set(r, set, patch);
    if (!status)
        status = judge_unset(r, set, unset, patch);
    if (status)
        return status;
    if (gw_json_count(patch->set) + gw_json_count(patch->unset) == 0)
        return gw_resolve_emit_nothing(r, NULL);
    struct gw_json *facets, *context = gw_was_tokens(r->state->tokens, patch->set, patch->unset);
    if (context && !make_facets(r, patch, &facets))
        return gw_resolve_emit(r, GW_EVENT_TOKEN_PATCH, make_patch(patch), facets, context);
    gw_json_unref(context);
    return gw_resolve_no_memory(r);
}

int gw_resolve_token_set(const struct gw_resolve *r)
{
    struct patch patch = {gw_json_new_object(), gw_json_new_array()};
    int status = patch.set && patch.unset ? judge(r, &patch) : gw_resolve_no_memory(r);
    gw_json_unref(patch.set);
    gw_json_unref(patch.unset);
    return status;
}
