/* GET /admin/policies, POST /admin/policies/reload, …/rollback and …/release: which policies are in force, and whose are asked. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "transport/exchange.h"
#include "transport/policy_admin.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

static void refuse_memory(struct gw_exchange *exchange)
{
    struct gw_error err;
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
    gw_exchange_refuse(exchange, &err);
}

static void reply_json(struct gw_exchange *exchange, const struct gw_json *value)
{
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    gw_json_write(value, &body);
    if (body.has_failed)
        refuse_memory(exchange);
    else
        gw_exchange_reply(exchange, 200, "application/json", body.data, body.length);
    gw_buffer_fini(&body);
}

void gw_handle_admin_policies(struct gw_exchange *exchange)
{
    const struct gw_policy_admin *admin = exchange->server->opts.policy_admin;
    struct gw_json *list = admin->list(admin->self);
    if (list)
        reply_json(exchange, list);
    else
        refuse_memory(exchange);
    gw_json_unref(list);
}

/* ---- changes ------------------------------------------------------------------------------------------------------------------------------ */

static int refuse_member(struct gw_error *err, const char *path, const char *id, const char *message)
{
    gw_error_set(err, GW_EINVAL, id, "%s", message);
    gw_error_prefix(err, path);
    return GW_EINVAL;
}

static int read_member(struct gw_policy_change *change, const char *name, const struct gw_json *value, struct gw_error *err)
{
    if (strcmp(name, "tenant_id") == 0) {
        size_t length = 0;
        const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
        if (!gw_id_is_valid(text, length))
            return refuse_member(err, "/tenant_id", "bad_id", "not an id");
        memcpy(change->tenant_id, text, length + 1);
        return GW_OK;
    }
    if (strcmp(name, "generation") == 0 && change->kind == GW_POLICY_ROLLBACK) {
        if (!gw_json_is_int(value) || gw_json_int(value) < 1)
            return refuse_member(err, "/generation", "bad_shape", "the number of a generation");
        change->number = (uint64_t)gw_json_int(value);
        return GW_OK;
    }
    gw_error_set(err, GW_EINVAL, "unknown_member", "there is no member %.64s", name);
    gw_pointer_prefix(err, name);
    return GW_EINVAL;
}

/* An absent body asks for the usual. */
static int read_change(const struct gw_exchange *exchange, struct gw_policy_change *change, struct gw_error *err)
{
    struct gw_json *body;
    if (exchange->body.length == 0)
        return GW_OK;
    int status = gw_json_parse(exchange->body.data, exchange->body.length, &exchange->server->opts.config->json, &body, err);
    if (status)
        return status;
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (!gw_json_is_object(body))
        status = gw_error_set(err, GW_EINVAL, "bad_shape", "the body is an object");
    while (!status && gw_json_next(body, &iterator, &name, &value))
        status = read_member(change, name, value, err);
    gw_json_unref(body);
    return status;
}

static int read_order(const struct gw_exchange *exchange, struct gw_policy_change *change, struct gw_error *err)
{
    int status = read_change(exchange, change, err);
    if (!status && change->kind == GW_POLICY_RELEASE && !change->tenant_id[0])
        status = refuse_member(err, "/tenant_id", "missing_member", "whose policies are to be asked again");
    return status;
}

static void on_changed(struct gw_policy_change *change)
{
    struct gw_exchange *exchange = change->arg;
    struct gw_json *answer = change->status ? NULL : gw_json_new_object();
    if (change->status)
        gw_exchange_refuse(exchange, &change->err);
    else if (!answer || gw_json_set(answer, "changes", gw_json_ref(change->result)))
        refuse_memory(exchange);
    else
        reply_json(exchange, answer);
    gw_json_unref(answer);
    gw_json_unref(change->result);
    gw_free(change);
}

static void handle(struct gw_exchange *exchange, enum gw_policy_change_kind kind)
{
    struct gw_server *server = exchange->server;
    const struct gw_policy_admin *admin = server->opts.policy_admin;
    struct gw_policy_change *change = gw_alloc(sizeof *change);
    struct gw_error err;
    change->kind = kind;
    if (read_order(exchange, change, &err)) {
        gw_exchange_refuse(exchange, &err);
        gw_free(change);
        return;
    }
    change->home = &server->opts.executors[server->opts.worker];
    change->done = on_changed;
    change->arg = exchange;
    admin->change(admin->self, change);
}

void gw_handle_admin_reload(struct gw_exchange *exchange) { handle(exchange, GW_POLICY_RELOAD); }

void gw_handle_admin_release(struct gw_exchange *exchange) { handle(exchange, GW_POLICY_RELEASE); }

void gw_handle_admin_rollback(struct gw_exchange *exchange) { handle(exchange, GW_POLICY_ROLLBACK); }
