/* GET /v1/state, /v1/events, /v1/history and /v1/diff: projected reads of durable state. GET /v1/presence: who is there. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/hub.h"
#include "hub/plan.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

#define EVENTS_DEFAULT  100
#define EVENTS_MAX      1000
#define HISTORY_DEFAULT 20
#define HISTORY_MAX     100

struct reading {
    struct gw_read read; /* first */
    struct gw_exchange *exchange;
};

static void on_done(struct gw_read *read)
{
    struct reading *reading = (struct reading *)(void *)read;
    if (!read->status)
        read->status = gw_exchange_check_lens(reading->exchange, &read->scope, read->plan, &read->err);
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

static int refuse_parameter(struct gw_error *err, const char *name, const char *why)
{
    gw_error_set(err, GW_EINVAL, "bad_parameter", "%s %s", name, why);
    gw_error_prefix(err, name);
    return GW_EINVAL;
}

/* A number from 1 to `max`; *out stays when the parameter is absent. */
static int read_number(const struct gw_exchange *exchange, const char *name, uint64_t max, uint64_t *out, struct gw_error *err)
{
    const char *text = gw_exchange_param(exchange, name);
    if (!text)
        return GW_OK;
    size_t digits = strspn(text, "0123456789");
    uint64_t number = digits > 0 && digits < 16 && !text[digits] ? strtoull(text, NULL, 10) : 0;
    if (number < 1 || number > max)
        return refuse_parameter(err, name, "is a number out of its range");
    *out = number;
    return GW_OK;
}

static int read_limit(const struct gw_exchange *exchange, const char *limit_name, uint64_t max, uint64_t *limit, struct gw_error *err)
{
    int status = read_number(exchange, "limit", max, limit, err);
    if (status) {
        gw_error_limit(err, "bad_parameter", limit_name, (int64_t)max, "limit is a number from 1 to %llu", (unsigned long long)max);
        gw_error_prefix(err, "limit");
        err->code = GW_EINVAL;
    }
    return status;
}

static int read_end(const struct gw_exchange *exchange, const char *name, char out[GW_CURSOR_MAX], struct gw_error *err)
{
    int status = read_cursor(exchange, name, out, err);
    return status || out[0] ? status : refuse_parameter(err, name, "is required: a cursor or the number of a revision");
}

static int read_one_canvas(const struct gw_read *read, struct gw_error *err)
{
    if (read->set.count == 1)
        return GW_OK;
    gw_error_set(err, GW_EINVAL, read->set.count ? "bad_parameter" : "missing_id", "exactly one canvas_id is required");
    gw_error_prefix(err, "canvas_id");
    return GW_EINVAL;
}

static int read_own(const struct gw_exchange *exchange, struct gw_read *read, struct gw_error *err)
{
    int status = GW_OK;
    switch (read->kind) {
    case GW_READ_STATE:
        return read_cursor(exchange, "at", read->cursor, err);
    case GW_READ_EVENTS:
        read->limit = EVENTS_DEFAULT;
        status = read_cursor(exchange, "after", read->cursor, err);
        return status ? status : read_limit(exchange, "max_events", EVENTS_MAX, &read->limit, err);
    case GW_READ_HISTORY:
        read->limit = HISTORY_DEFAULT;
        status = read_one_canvas(read, err);
        if (!status)
            status = read_number(exchange, "before", INT64_MAX, &read->before, err);
        return status ? status : read_limit(exchange, "max_commits", HISTORY_MAX, &read->limit, err);
    case GW_READ_DIFF:
        status = read_one_canvas(read, err);
        if (!status)
            status = read_end(exchange, "from", read->cursor, err);
        return status ? status : read_end(exchange, "to", read->to, err);
    case GW_READ_PRESENCE:
        return GW_OK;
    }
    return status;
}

static int read_request(struct gw_exchange *exchange, struct gw_read *read, struct gw_error *err)
{
    int status = gw_exchange_scope(exchange, true, &read->scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, &read->scope, err);
    if (!status)
        status = gw_exchange_canvases(exchange, &read->set, err);
    if (!status)
        status = read_own(exchange, read, err);
    if (!status)
        status = gw_exchange_plan(exchange, &read->scope, &read->plan, err);
    if (status)
        return status;
    if (read->kind == GW_READ_PRESENCE)
        return read->plan->sees_presence ? GW_OK : gw_error_set(err, GW_EDENIED, "not_allowed", "your lens does not show who is there");
    bool needs_history = read->kind != GW_READ_STATE || read->cursor[0];
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

void gw_handle_state(struct gw_exchange *exchange) { handle(exchange, GW_READ_STATE); }

void gw_handle_events(struct gw_exchange *exchange) { handle(exchange, GW_READ_EVENTS); }

void gw_handle_history(struct gw_exchange *exchange) { handle(exchange, GW_READ_HISTORY); }

void gw_handle_diff(struct gw_exchange *exchange) { handle(exchange, GW_READ_DIFF); }

void gw_handle_presence(struct gw_exchange *exchange) { handle(exchange, GW_READ_PRESENCE); }
