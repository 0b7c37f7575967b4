/* GET /v1/me: who the bearer is and what its lens lets it do in this scope. GET /v1/canvases: the canvases there are, as that lens shows them. */
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/catalog.h"
#include "hub/plan.h"
#include "identity/identity.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static struct gw_json *describe_actor(const struct gw_identity *identity)
{
    struct gw_json *out = gw_json_new_object();
    if (out && !gw_json_set(out, "id", text(identity->actor.id)) &&
        !gw_json_set(out, "kind", text(gw_actor_kind_name(identity->actor.kind))))
        return out;
    gw_json_unref(out);
    return NULL;
}

static struct gw_json *describe_scope(const struct gw_scope *scope)
{
    const struct {
        const char *name, *value;
    } ids[] = {{"tenant_id", scope->tenant_id},
               {"mode", scope->mode},
               {"project_id", scope->project_id},
               {"surface_id", scope->surface_id},
               {"app_id", scope->app_id}};
    struct gw_json *out = gw_json_new_object();
    for (size_t i = 0; out && i < sizeof ids / sizeof *ids; i++) {
        if (gw_json_set(out, ids[i].name, text(ids[i].value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *describe(const struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *plan)
{
    const struct gw_identity *identity = exchange->identity;
    const struct gw_policy *policy = exchange->server->opts.policy;
    char expires[25];
    gw_clock_format_rfc3339(identity->expires_at_ms, expires);
    struct gw_json *out = gw_json_new_object();
    const struct gw_manifests *manifests = policy->manifests(policy->self, scope->tenant_id);
    if (out && manifests && !gw_json_set(out, "actor", describe_actor(identity)) && !gw_json_set(out, "role", text(identity->role)) &&
        !gw_json_set(out, "scope", describe_scope(scope)) && !gw_json_set(out, "expires_at", text(expires)) &&
        !gw_json_set(out, "generation", gw_json_new_int((int64_t)policy->generation(policy->self, scope->tenant_id))) &&
        !gw_json_set(out, "may", gw_catalog_rights(manifests, plan, gw_actor_kind_name(identity->actor.kind))))
        return out;
    gw_json_unref(out);
    return NULL;
}

static int admit(struct gw_exchange *exchange, struct gw_scope *scope, struct gw_plan **plan, struct gw_error *err)
{
    int status = gw_exchange_scope(exchange, false, scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, scope, err);
    return status ? status : gw_exchange_plan(exchange, scope, plan, err);
}

static void answer(struct gw_exchange *exchange, const struct gw_json *body)
{
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    if (body)
        gw_json_write(body, &out);
    if (body && !out.has_failed) {
        gw_exchange_reply(exchange, 200, "application/json", out.data, out.length);
    } else {
        gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
        gw_exchange_refuse(exchange, &err);
    }
    gw_buffer_fini(&out);
}

/* `make` answers NULL when there is no memory. */
static void handle(struct gw_exchange *exchange,
                   struct gw_json *(*make)(const struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *plan))
{
    struct gw_scope scope;
    struct gw_plan *plan = NULL;
    struct gw_error err;
    if (admit(exchange, &scope, &plan, &err)) {
        gw_exchange_refuse(exchange, &err);
        return;
    }
    struct gw_json *body = make(exchange, &scope, plan);
    gw_exchange_show_by(exchange, &scope, plan);
    gw_plan_unref(plan);
    answer(exchange, body);
    gw_json_unref(body);
}

void gw_handle_me(struct gw_exchange *exchange) { handle(exchange, describe); }

/* ---- GET /v1/canvases ------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *list(const struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *plan)
{
    const struct gw_policy *policy = exchange->server->opts.policy;
    const struct gw_manifests *manifests = policy->manifests(policy->self, scope->tenant_id);
    struct gw_json *out = gw_json_new_object();
    if (out && manifests && !gw_json_set(out, "canvases", gw_catalog_canvases(manifests, plan)))
        return out;
    gw_json_unref(out);
    return NULL;
}

void gw_handle_canvases(struct gw_exchange *exchange) { handle(exchange, list); }
