/* Which lens a request is answered through. */
#include <string.h>

#include "base/error.h"
#include "hub/plan.h"
#include "hub/ports.h"
#include "identity/identity.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/server_internal.h"

struct gw_policy_subject gw_server_subject(const struct gw_identity *identity, const struct gw_scope *scope)
{
    static const char *const none[1];
    struct gw_policy_subject subject = {.actor = &identity->actor, .role = identity->role, .scope = scope};
    if (identity->token_globs.is_present) {
        subject.token_globs = identity->token_globs.items ? (const char *const *)identity->token_globs.items : none;
        subject.token_glob_count = identity->token_globs.count;
    }
    return subject;
}

int gw_server_plan(const struct gw_server *server, const struct gw_identity *identity, const struct gw_scope *scope, struct gw_plan **plan,
                   struct gw_error *err)
{
    const struct gw_policy *policy = server->opts.policy;
    struct gw_policy_subject subject = gw_server_subject(identity, scope);
    return policy->lens(policy->self, &subject, plan, err);
}

void gw_server_prepare_plan(const struct gw_server *server, const struct gw_identity *identity, const struct gw_scope *scope)
{
    const struct gw_policy *policy = server->opts.policy;
    struct gw_policy_subject subject = gw_server_subject(identity, scope);
    if (policy->prepare)
        policy->prepare(policy->self, &subject);
}

int gw_exchange_plan(const struct gw_exchange *exchange, const struct gw_scope *scope, struct gw_plan **plan, struct gw_error *err)
{
    return gw_server_plan(exchange->server, exchange->identity, scope, plan, err);
}

void gw_exchange_show_by(struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *plan)
{
    exchange->shown_scope = *scope;
    exchange->shown_class = plan->class_id;
}

static int check(const struct gw_exchange *exchange, const struct gw_scope *scope, uint64_t class_id, struct gw_error *err)
{
    struct gw_plan *plan;
    int status = gw_server_plan(exchange->server, exchange->identity, scope, &plan, err);
    if (status)
        return status;
    bool is_same = plan->class_id == class_id;
    gw_plan_unref(plan);
    if (is_same)
        return GW_OK;
    gw_error_set(err, GW_EBUSY, "policy_changed", "the policies changed while this was answered: ask again");
    err->is_retryable = true;
    return GW_EBUSY;
}

int gw_exchange_check_lens(struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *shown, struct gw_error *err)
{
    int status = check(exchange, scope, shown->class_id, err);
    if (!status)
        gw_exchange_show_by(exchange, scope, shown);
    return status;
}

/* ---- answers that are not out yet -------------------------------------------------------------------------------------------------------- */

static bool is_outdated(const struct gw_exchange *exchange, const char *tenant_id)
{
    const struct gw_scope *scope = &exchange->shown_scope;
    struct gw_error ignored; /* who cannot be answered now is shown nothing */
    if (!exchange->is_answered || !exchange->shown_class || (tenant_id && strcmp(scope->tenant_id, tenant_id) != 0))
        return false;
    return check(exchange, scope, exchange->shown_class, &ignored) != GW_OK;
}

static bool has_outdated(const struct gw_exchange *list, const char *tenant_id)
{
    while (list && !is_outdated(list, tenant_id))
        list = list->next;
    return list != NULL;
}

void gw_connection_ask_lenses(struct gw_connection *connection, const char *tenant_id)
{
    const struct gw_conversation *talk = connection->talk;
    if (talk && (has_outdated(talk->unsent.first, tenant_id) || has_outdated(talk->first, tenant_id)))
        gw_connection_close(connection);
}
