#include "registry/files/files_registry.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph_schema.h"
#include "hub/pointer.h"
#include "hub/ports.h"

#define ANY       "*"
#define TITLE_MAX 200

struct gw_files_registry {
    struct gw_registry port;
    pthread_rwlock_t lock; /* of document */
    struct gw_json *document;
};

typedef int (*check_fn)(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err);

/* value: one row of an object's schema */
struct rule {
    const char *name;
    check_fn check;
};

/* ---- checking --------------------------------------------------------------------------------------------------------------------------- */

static int refuse(struct gw_error *err, const char *id, const char *why) { return gw_error_set(err, GW_EINVAL, id, "%s", why); }

static int at_key(int status, const char *key, struct gw_error *err)
{
    if (status)
        gw_pointer_prefix(err, key);
    return status;
}

static int check_object(const struct gw_json *value, const struct rule *rules, const struct gw_files_registry_opts *opts,
                        struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return refuse(err, "bad_shape", "must be a table of named members");
    while (gw_json_next(value, &iterator, &key, &member)) {
        const struct rule *rule = rules;
        while (rule->name && strcmp(rule->name, key) != 0)
            rule++;
        int status = rule->name ? rule->check(member, opts, err) : refuse(err, "unknown_member", "is no member of this table");
        if (status)
            return at_key(status, key, err);
    }
    return GW_OK;
}

/* Every key is an id, or "*" where that may stand. */
static int check_by_id(const struct gw_json *value, bool admits_any, check_fn check, const struct gw_files_registry_opts *opts,
                       struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return refuse(err, "bad_shape", "must be a table by id");
    while (gw_json_next(value, &iterator, &key, &member)) {
        bool is_name = gw_id_is_valid(key, strlen(key)) || (admits_any && strcmp(key, ANY) == 0);
        int status = is_name ? check(member, opts, err) : refuse(err, "bad_id", "must be named by an id");
        if (status)
            return at_key(status, key, err);
    }
    return GW_OK;
}

static int check_title(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    (void)opts;
    return gw_graph_text_check(value, TITLE_MAX, err);
}

static int check_canvases(const struct gw_json *flow, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    const struct gw_json *canvases = gw_json_get(flow, "canvases");
    for (size_t i = 0; opts->knows_canvas && i < gw_json_count(canvases); i++) {
        const char *type = gw_json_text(gw_json_get(gw_json_at(canvases, i), "canvas_type"), NULL);
        if (opts->knows_canvas(opts->self, type))
            continue;
        at_key(gw_error_set(err, GW_EINVAL, "unknown_canvas", "no canvas type %s is known", type), "canvas_type", err);
        gw_pointer_prefix_index(err, i);
        return at_key(err->code, "canvases", err);
    }
    return GW_OK;
}

static bool is_repeated(const struct gw_json *flows, size_t index)
{
    const struct gw_json *id = gw_json_get(gw_json_at(flows, index), "flow_id");
    for (size_t i = 0; i < index; i++)
        if (gw_json_equal(gw_json_get(gw_json_at(flows, i), "flow_id"), id))
            return true;
    return false;
}

static int check_flow(const struct gw_json *flows, size_t index, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    const struct gw_json *flow = gw_json_at(flows, index);
    int status = gw_flow_check(flow, err);
    if (!status)
        status = check_canvases(flow, opts, err);
    if (!status && is_repeated(flows, index))
        status = at_key(refuse(err, "named_twice", "a flow of this name stands above"), "flow_id", err);
    return status;
}

static int check_flows(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    if (!gw_json_is_array(value))
        return refuse(err, "bad_shape", "must be a list");
    for (size_t i = 0; i < gw_json_count(value); i++) {
        int status = check_flow(value, i, opts, err);
        if (!status)
            continue;
        gw_pointer_prefix_index(err, i);
        return status;
    }
    return GW_OK;
}

static int check_titled(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    static const struct rule rules[] = {{"title", check_title}, {NULL, NULL}};
    return check_object(value, rules, opts, err);
}

static int check_all_titled(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    return check_by_id(value, false, check_titled, opts, err);
}

static int check_project(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    static const struct rule rules[] = {{"title", check_title}, {"flows", check_flows}, {NULL, NULL}};
    return check_object(value, rules, opts, err);
}

static int check_projects(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    return check_by_id(value, true, check_project, opts, err);
}

static int check_tenant(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    static const struct rule rules[] = {{"title", check_title},         {"projects", check_projects}, {"apps", check_all_titled},
                                        {"surfaces", check_all_titled}, {"flows", check_flows},       {NULL, NULL}};
    return check_object(value, rules, opts, err);
}

static int check_tenants(const struct gw_json *value, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    return check_by_id(value, true, check_tenant, opts, err);
}

static int check_document(const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    static const struct rule rules[] = {{"tenants", check_tenants}, {NULL, NULL}};
    int status = check_object(opts->document, rules, opts, err);
    if (!status && !gw_json_get(opts->document, "tenants"))
        status = at_key(refuse(err, "missing_member", "is required"), "tenants", err);
    return status;
}

/* ---- answering -------------------------------------------------------------------------------------------------------------------------- */

/* The member of that name, else the one for all others; NULL: neither. */
static const struct gw_json *find_named(const struct gw_json *by_id, const char *id)
{
    const struct gw_json *named = gw_json_get(by_id, id);
    return named ? named : gw_json_get(by_id, ANY);
}

static const struct gw_json *find_flow(const struct gw_json *owner, const char *flow_id)
{
    const struct gw_json *flows = gw_json_get(owner, "flows");
    for (size_t i = 0; i < gw_json_count(flows); i++) {
        const struct gw_json *flow = gw_json_at(flows, i);
        if (strcmp(gw_json_text(gw_json_get(flow, "flow_id"), NULL), flow_id) == 0)
            return flow;
    }
    return NULL;
}

static const struct gw_json *look_up(const struct gw_files_registry *registry, const struct gw_flow_get *request)
{
    const struct gw_json *tenant = find_named(gw_json_get(registry->document, "tenants"), request->tenant_id);
    const struct gw_json *projects = tenant ? gw_json_get(tenant, "projects") : NULL;
    const struct gw_json *project = projects ? find_named(projects, request->project_id) : NULL;
    if (!tenant || (projects && !project))
        return NULL;
    const struct gw_json *flow = project ? find_flow(project, request->flow_id) : NULL;
    return flow ? flow : find_flow(tenant, request->flow_id);
}

static void on_answered(struct gw_task *task)
{
    struct gw_flow_get *request = (struct gw_flow_get *)(void *)((char *)task - offsetof(struct gw_flow_get, task));
    request->done(request);
}

/* The document is shared by all threads and JSON trees are one thread's at a time, so the asker gets a copy. */
static void answer(void *self, struct gw_flow_get *request)
{
    struct gw_files_registry *registry = self;
    pthread_rwlock_rdlock(&registry->lock);
    const struct gw_json *found = look_up(registry, request);
    bool is_there = found != NULL;
    request->flow = found ? gw_json_copy_deep(found) : NULL;
    pthread_rwlock_unlock(&registry->lock);
    if (!is_there)
        request->status = gw_error_set(&request->err, GW_ENOTFOUND, "unknown_flow", "there is no such flow");
    else if (!request->flow)
        request->status = gw_error_set(&request->err, GW_ENOMEM, "out_of_memory", "no memory for a flow");
    else
        request->status = GW_OK;
    request->task.run = on_answered;
    request->home->post(request->home->self, &request->task);
}

/* A checked copy. */
static int copy_document(const struct gw_files_registry_opts *opts, struct gw_json **out, struct gw_error *err)
{
    int status = check_document(opts, err);
    if (status)
        return status;
    *out = gw_json_copy_deep(opts->document);
    return *out ? GW_OK : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the registry");
}

int gw_files_registry_create(const struct gw_files_registry_opts *opts, struct gw_files_registry **out, struct gw_error *err)
{
    struct gw_json *document;
    int status = copy_document(opts, &document, err);
    if (status)
        return status;
    struct gw_files_registry *registry = gw_alloc(sizeof *registry);
    registry->port = (struct gw_registry){.self = registry, .flow = answer};
    registry->document = document;
    pthread_rwlock_init(&registry->lock, NULL);
    *out = registry;
    return GW_OK;
}

int gw_files_registry_replace(struct gw_files_registry *registry, const struct gw_files_registry_opts *opts, struct gw_error *err)
{
    struct gw_json *fresh;
    int status = copy_document(opts, &fresh, err);
    if (status)
        return status;
    pthread_rwlock_wrlock(&registry->lock);
    struct gw_json *old = registry->document;
    registry->document = fresh;
    pthread_rwlock_unlock(&registry->lock);
    gw_json_unref(old);
    return GW_OK;
}

void gw_files_registry_destroy(struct gw_files_registry *registry)
{
    if (!registry)
        return;
    gw_json_unref(registry->document);
    pthread_rwlock_destroy(&registry->lock);
    gw_free(registry);
}

const struct gw_registry *gw_files_registry_port(const struct gw_files_registry *registry) { return &registry->port; }
