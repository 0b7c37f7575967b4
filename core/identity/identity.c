#include "identity/identity.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt.h"

#define MAX_LIST_ITEMS  256
#define MAX_GLOB_LENGTH 128

typedef bool (*item_check)(const char *text, size_t length);

static int refuse(struct gw_error *err, const char *path, const char *what)
{
    gw_error_set(err, GW_EAUTH, "bearer_claims", "the bearer's claim %s", what);
    gw_error_prefix(err, path);
    return GW_EAUTH;
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the bearer"); }

static bool is_glob(const char *text, size_t length)
{
    if (length == 0 || length > MAX_GLOB_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static int read_id(const struct gw_json *value, item_check check, char out[GW_ID_MAX + 1], const char *path, struct gw_error *err)
{
    if (!gw_json_is_string(value))
        return refuse(err, path, value == NULL ? "is missing" : "must be text");
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (!check(text, length))
        return refuse(err, path, "is no id");
    memcpy(out, text, length + 1);
    return 0;
}

static int add_item(struct gw_id_list *list, const struct gw_json *value, item_check check, const char *path, struct gw_error *err)
{
    size_t length;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    if (text == NULL || !check(text, length))
        return refuse(err, path, "holds something that is no id");
    char *copy = gw_try_strndup(text, length);
    if (copy == NULL)
        return no_memory(err);
    list->items[list->count++] = copy;
    return 0;
}

static int read_list(const struct gw_json *value, item_check check, struct gw_id_list *list, const char *path, struct gw_error *err)
{
    if (value == NULL)
        return 0;
    if (!gw_json_is_array(value))
        return refuse(err, path, "must be a list");
    size_t count = gw_json_count(value);
    if (count > MAX_LIST_ITEMS)
        return refuse(err, path, "has more than 256 entries");
    list->is_present = true;
    list->items = gw_try_grow(NULL, count + 1, sizeof *list->items);
    if (list->items == NULL)
        return no_memory(err);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_item(list, gw_json_at(value, i), check, path, err);
    return rc;
}

static int read_kind(const struct gw_json *value, enum gw_actor_kind *out, struct gw_error *err)
{
    if (value == NULL) {
        *out = GW_ACTOR_USER;
        return 0;
    }
    if (!gw_json_is_string(value) || gw_actor_kind_parse(gw_json_text(value, &(size_t){0}), out) != 0)
        return refuse(err, "/app_metadata/kind", "must be user, agent or service");
    return 0;
}

/* An absent list of modes covers dev alone: a bearer that does not speak of modes must not reach a real one. */
static int default_modes(struct gw_id_list *modes, struct gw_error *err)
{
    if (modes->is_present)
        return 0;
    modes->items = gw_try_grow(NULL, 1, sizeof *modes->items);
    char *dev = gw_try_strndup("dev", 3);
    if (modes->items == NULL || dev == NULL) {
        gw_free(dev);
        return no_memory(err);
    }
    modes->items[0] = dev;
    modes->count = 1;
    modes->is_present = true;
    return 0;
}

static int read_lists(const struct gw_json *meta, struct gw_identity *identity, struct gw_error *err)
{
    const struct {
        const char *name, *path;
        item_check check;
        struct gw_id_list *list;
    } lists[] = {
        {"modes", "/app_metadata/modes", gw_id_is_valid, &identity->modes},
        {"projects", "/app_metadata/projects", gw_id_is_valid, &identity->projects},
        {"surfaces", "/app_metadata/surfaces", gw_id_is_valid, &identity->surfaces},
        {"apps", "/app_metadata/apps", gw_id_is_valid, &identity->apps},
        {"tokens", "/app_metadata/tokens", is_glob, &identity->token_globs},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof lists / sizeof *lists; i++)
        rc = read_list(gw_json_get(meta, lists[i].name), lists[i].check, lists[i].list, lists[i].path, err);
    return rc != 0 ? rc : default_modes(&identity->modes, err);
}

static int read_claims(const struct gw_json *claims, struct gw_identity *identity, struct gw_error *err)
{
    const struct gw_json *meta = gw_json_get(claims, "app_metadata");
    if (!gw_json_is_object(meta))
        return refuse(err, "/app_metadata", meta == NULL ? "is missing" : "must be an object");
    int rc = read_id(gw_json_get(claims, "sub"), gw_id_is_valid_actor, identity->actor.id, "/sub", err);
    if (rc == 0)
        rc = read_id(gw_json_get(meta, "tenant_id"), gw_id_is_valid, identity->tenant_id, "/app_metadata/tenant_id", err);
    if (rc == 0)
        rc = read_id(gw_json_get(meta, "role"), gw_id_is_valid, identity->role, "/app_metadata/role", err);
    if (rc == 0)
        rc = read_kind(gw_json_get(meta, "kind"), &identity->actor.kind, err);
    if (rc == 0)
        rc = read_lists(meta, identity, err);
    return rc;
}

int gw_identity_from_claims(const struct gw_json *claims, struct gw_identity **out, struct gw_error *err)
{
    struct gw_identity *identity = gw_try_grow(NULL, 1, sizeof *identity);
    if (identity == NULL)
        return no_memory(err);
    memset(identity, 0, sizeof *identity);
    gw_refs_init(&identity->refs);
    int rc = read_claims(claims, identity, err);
    if (rc != 0) {
        gw_identity_unref(identity);
        return rc;
    }
    identity->expires_at_ms = gw_jwt_expiry_s(claims) * 1000;
    *out = identity;
    return 0;
}

struct gw_identity *gw_identity_ref(struct gw_identity *identity)
{
    gw_refs_add(&identity->refs);
    return identity;
}

static void list_fini(struct gw_id_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        gw_free(list->items[i]);
    gw_free(list->items);
}

void gw_identity_unref(struct gw_identity *identity)
{
    if (identity == NULL || !gw_refs_drop(&identity->refs))
        return;
    list_fini(&identity->modes);
    list_fini(&identity->projects);
    list_fini(&identity->surfaces);
    list_fini(&identity->apps);
    list_fini(&identity->token_globs);
    gw_free(identity);
}

static bool list_covers(const struct gw_id_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], id) == 0)
            return true;
    return !list->is_present;
}

int gw_identity_covers(const struct gw_identity *identity, const struct gw_scope *scope, struct gw_error *err)
{
    bool is_covered = strcmp(identity->tenant_id, scope->tenant_id) == 0 && list_covers(&identity->modes, scope->mode) &&
                      list_covers(&identity->projects, scope->project_id) && list_covers(&identity->surfaces, scope->surface_id) &&
                      list_covers(&identity->apps, scope->app_id);
    return is_covered ? 0 : gw_error_set(err, GW_EDENIED, "not_covered", "the bearer does not cover this scope");
}

bool gw_identity_is_same_actor(const struct gw_identity *identity, const struct gw_identity *other)
{
    return identity->actor.kind == other->actor.kind && strcmp(identity->actor.id, other->actor.id) == 0 &&
           strcmp(identity->tenant_id, other->tenant_id) == 0;
}
