/* GET /v1/state and GET /v1/events: projected reads of durable state. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/hub.h"
#include "hub/plan.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

#define EVENTS_DEFAULT 100
#define EVENTS_MAX     1000

struct reading {
    struct gw_read read; /* first */
    struct gw_exchange *exchange;
};

static void on_done(struct gw_read *read)
{
    struct reading *reading = (struct reading *)(void *)read;
    if (read->status)
        gw_exchange_refuse(reading->exchange, &read->err);
    else
        gw_exchange_reply(reading->exchange, 200, "application/json", read->body, read->body_length);
    gw_read_fini(read);
    gw_free(reading);
}

static int read_cursor(const struct gw_exchange *exchange, const char *name, char out[GW_CURSOR_MAX], struct gw_error *err)
{
    const char *cursor = gw_exchange_param(exchange, name);
    size_t length = cursor ? strlen(cursor) : 0;
    if (length >= GW_CURSOR_MAX) {
        gw_error_set(err, GW_EINVAL, "bad_cursor", "not a cursor of this run");
        gw_error_prefix(err, name);
        return GW_EINVAL;
    }
    if (length)
        memcpy(out, cursor, length + 1);
    return GW_OK;
}

static int read_limit(const struct gw_exchange *exchange, uint64_t *limit, struct gw_error *err)
{
    const char *text = gw_exchange_param(exchange, "limit");
    *limit = EVENTS_DEFAULT;
    if (!text)
        return GW_OK;
    size_t digits = strspn(text, "0123456789");
    *limit = digits > 0 && digits < 6 && !text[digits] ? strtoull(text, NULL, 10) : 0;
    if (*limit >= 1 && *limit <= EVENTS_MAX)
        return GW_OK;
    gw_error_limit(err, "bad_parameter", "max_events", EVENTS_MAX, "limit is a number from 1 to %d", EVENTS_MAX);
    gw_error_prefix(err, "limit");
    err->code = GW_EINVAL;
    return GW_EINVAL;
}

static int read_request(struct gw_exchange *exchange, struct gw_read *read, struct gw_error *err)
{
    bool is_state = read->kind == GW_READ_STATE;
    int status = gw_exchange_scope(exchange, &read->scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, &read->scope, err);
    if (!status)
        status = gw_exchange_canvases(exchange, &read->set, err);
    if (!status)
        status = read_cursor(exchange, is_state ? "at" : "after", read->cursor, err);
    if (!status && !is_state)
        status = read_limit(exchange, &read->limit, err);
    if (!status)
        status = gw_exchange_plan(exchange, &read->scope, &read->plan, err);
    if (status)
        return status;
    bool needs_history = !is_state || read->cursor[0];
    if (needs_history && !read->plan->sees_history)
        return gw_error_set(err, GW_EDENIED, "history_denied", "your lens does not include the past of a run");
    return GW_OK;
}

static void handle(struct gw_exchange *exchange, enum gw_read_kind kind)
{
    struct gw_server *server = exchange->server;
    struct reading *reading = gw_alloc(sizeof *reading);
    struct gw_error err;
    reading->exchange = exchange;
    reading->read.kind = kind;
    if (read_request(exchange, &reading->read, &err)) {
        gw_exchange_refuse(exchange, &err);
        gw_read_fini(&reading->read);
        gw_free(reading);
        return;
    }
    reading->read.home = &server->opts.executors[server->opts.worker];
    reading->read.done = on_done;
    gw_hub_read(server->opts.hub, &reading->read);
}

void gw_handle_state(struct gw_exchange *exchange)
{
    handle(exchange, GW_READ_STATE);
}

void gw_handle_events(struct gw_exchange *exchange)
{
    handle(exchange, GW_READ_EVENTS);
}
