/* Orders of an operator to one run: delete it, erase what an actor wrote. The ids stand in the body. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/operate.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

struct ordering {
    struct gw_order order; /* first */
    struct gw_exchange *exchange;
};

static void on_done(struct gw_order *order)
{
    struct ordering *ordering = (struct ordering *)(void *)order;
    char body[64];
    if (order->status) {
        gw_exchange_refuse(ordering->exchange, &order->err);
    } else {
        if (order->kind == GW_ORDER_DELETE)
            snprintf(body, sizeof body, "{\"status\":\"deleted\"}");
        else
            snprintf(body, sizeof body, "{\"status\":\"erased\",\"changed\":%zu}", order->erased_count);
        gw_exchange_reply(ordering->exchange, 200, "application/json", body, strlen(body));
    }
    gw_free(ordering);
}

static int refuse(struct gw_error *err, const char *id, const char *member, const char *why)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", member, why);
    gw_error_prefix(err, member);
    gw_error_prefix(err, "/");
    return GW_EINVAL;
}

static int read_id(const struct gw_json *body, const char *name, bool (*is_valid)(const char *text, size_t length), char *out,
                   struct gw_error *err)
{
    const struct gw_json *value = gw_json_get(body, name);
    if (!value)
        return refuse(err, "missing_id", name, "is required");
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    if (!is_valid(text, length))
        return refuse(err, "bad_id", name, "must be an id");
    memcpy(out, text, length + 1);
    return GW_OK;
}

static int check_members(const struct gw_json *body, bool has_actor, struct gw_error *err)
{
    static const char *const names[] = {"actor_id", "tenant_id", "mode", "project_id", "run_id"};
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(body, &iterator, &key, &value)) {
        bool is_known = false;
        for (size_t i = has_actor ? 0 : 1; i < sizeof names / sizeof names[0]; i++)
            is_known |= strcmp(key, names[i]) == 0;
        if (!is_known)
            return refuse(err, "unknown_member", key, "is no member of this order");
    }
    return GW_OK;
}

static int read_ids(const struct gw_json *body, struct gw_order *order, struct gw_error *err)
{
    bool has_actor = order->kind == GW_ORDER_ERASE;
    struct gw_scope *scope = &order->scope;
    int status = gw_json_is_object(body) ? check_members(body, has_actor, err)
                                         : gw_error_set(err, GW_EINVAL, "bad_shape", "an order is a JSON object");
    if (!status)
        status = read_id(body, "tenant_id", gw_id_is_valid, scope->tenant_id, err);
    if (!status)
        status = read_id(body, "mode", gw_id_is_valid, scope->mode, err);
    if (!status)
        status = read_id(body, "project_id", gw_id_is_valid, scope->project_id, err);
    if (!status)
        status = read_id(body, "run_id", gw_id_is_valid, scope->run_id, err);
    return status || !has_actor ? status : read_id(body, "actor_id", gw_id_is_valid_actor, order->actor_id, err);
}

static int read_order(const struct gw_exchange *exchange, struct gw_order *order, struct gw_error *err)
{
    struct gw_json *body;
    const char *text = exchange->body.data ? exchange->body.data : "";
    int status = gw_json_parse(text, exchange->body.length, &exchange->server->opts.config->json, &body, err);
    if (status)
        return status;
    status = read_ids(body, order, err);
    gw_json_unref(body);
    return status ? status : gw_exchange_check_mode(exchange, order->scope.mode, err);
}

static void handle(struct gw_exchange *exchange, enum gw_order_kind kind)
{
    struct gw_server *server = exchange->server;
    struct ordering *ordering = gw_alloc(sizeof *ordering);
    struct gw_error err;
    ordering->exchange = exchange;
    ordering->order.kind = kind;
    if (read_order(exchange, &ordering->order, &err)) {
        gw_exchange_refuse(exchange, &err);
        gw_free(ordering);
        return;
    }
    memcpy(exchange->run_id, ordering->order.scope.run_id, sizeof exchange->run_id);
    ordering->order.home = &server->opts.executors[server->opts.worker];
    ordering->order.done = on_done;
    gw_hub_order(server->opts.hub, &ordering->order);
}

void gw_handle_admin_delete_run(struct gw_exchange *exchange) { handle(exchange, GW_ORDER_DELETE); }
void gw_handle_admin_erase_actor(struct gw_exchange *exchange) { handle(exchange, GW_ORDER_ERASE); }
