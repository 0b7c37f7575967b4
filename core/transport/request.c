/* From parsed bytes to a handler: routes, body limits, the bearer, the admin rules, preflights. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "protocol/http1_reply.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

/* What is gathered of a body before it is known whether its sender may send it. */
#define UNASKED_BODY_BYTES 16384

static void begin(struct gw_exchange *exchange);

static void push_exchange(struct gw_conversation *talk, struct gw_exchange *exchange)
{
    *talk->last = exchange;
    talk->last = &exchange->next;
    talk->exchange_count++;
    talk->head_count++;
    talk->reading = exchange;
}

static size_t max_body(const struct gw_server_config *config, const struct gw_route *route)
{
    if (!route || route->body == GW_BODY_NONE)
        return 0;
    return route->body == GW_BODY_BATCH ? config->max_batch_bytes : config->http.max_body_bytes;
}

static bool is_large(const struct gw_http1_request *request, size_t max_bytes)
{
    return request->is_chunked || (request->content_length > UNASKED_BODY_BYTES && request->content_length <= max_bytes);
}

static void on_head(void *user, const struct gw_http1_request *request)
{
    struct gw_connection *connection = user;
    struct gw_conversation *talk = connection->talk;
    struct gw_error err;
    int status;
    struct gw_exchange *exchange = gw_exchange_create(connection, request, &status, &err);
    push_exchange(talk, exchange);
    if (status) {
        /* A body that nobody wants is not read: the connection ends with the answer. */
        exchange->closes |= request->is_chunked || request->content_length > 0;
        talk->is_input_ended = exchange->closes;
        talk->reading = NULL;
        gw_exchange_refuse_with(exchange, status, &err);
        return;
    }
    exchange->is_streamed =
        exchange->route && exchange->route->body == GW_BODY_STREAM && gw_exchange_is_type(exchange, "application/x-ndjson");
    size_t max_bytes = exchange->is_streamed ? SIZE_MAX : max_body(connection->server->opts.config, exchange->route);
    bool is_batch = exchange->route && exchange->route->body == GW_BODY_BATCH;
    gw_http1_set_max_body(talk->parser, max_bytes, is_batch ? "max_batch_bytes" : "max_body_bytes");
    exchange->owes_continue = request->expects_continue && max_bytes > 0 && request->content_length <= max_bytes &&
                              (request->is_chunked || request->content_length > 0);
    exchange->is_asked_first = exchange->is_streamed || (exchange->route && max_bytes > 0 && is_large(request, max_bytes));
    if (exchange->is_asked_first)
        begin(exchange);
    gw_connection_invite_body(connection);
}

static void on_body(void *user, const char *bytes, size_t length)
{
    struct gw_connection *connection = user;
    struct gw_exchange *exchange = connection->talk->reading;
    if (!exchange)
        return;
    gw_buffer_append(&exchange->body, bytes, length);
    if (exchange->on_body)
        exchange->on_body(exchange);
    else
        exchange->is_held = exchange->is_verifying;
}

static void run_handler(struct gw_exchange *exchange)
{
    struct gw_error err;
    if (exchange->route->is_stream && exchange->connection->talk->exchange_count > 1) {
        gw_error_set(&err, GW_ESTATE, "pipelined_stream", "a stream needs a connection of its own: nothing may be pipelined before it");
        gw_exchange_refuse(exchange, &err);
        return;
    }
    exchange->route->handle(exchange);
}

/* Its body is there. */
static void handle(struct gw_exchange *exchange)
{
    struct gw_error err;
    if (!exchange->body.has_failed) {
        run_handler(exchange);
        return;
    }
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the request's body");
    gw_exchange_refuse(exchange, &err);
}

static void admit(struct gw_exchange *exchange)
{
    exchange->is_admitted = true;
    if (exchange->is_streamed || exchange->is_body_ended)
        handle(exchange);
    else
        gw_exchange_resume_body(exchange);
}

static void go_on_verified(struct gw_exchange *exchange)
{
    exchange->identity = exchange->verify.identity;
    exchange->verify.identity = NULL;
    if (exchange->verify.status)
        gw_exchange_refuse(exchange, &exchange->verify.err);
    else
        admit(exchange);
}

static void on_verified(struct gw_verify *verify)
{
    struct gw_exchange *exchange = verify->user;
    exchange->is_verifying = false;
    if (!exchange->is_answered) /* a streamed body may have been refused meanwhile */
        go_on_verified(exchange);
}

static void authenticate(struct gw_exchange *exchange)
{
    struct gw_error err;
    if (!exchange->bearer) {
        gw_error_set(&err, GW_EAUTH, "bearer_missing", "an Authorization header with a bearer is required");
        gw_exchange_refuse(exchange, &err);
        return;
    }
    exchange->verify.done = on_verified;
    exchange->verify.user = exchange;
    exchange->is_verifying =
        gw_verifier_check(exchange->server->opts.verifier, exchange->bearer, strlen(exchange->bearer), &exchange->verify);
    if (!exchange->is_verifying)
        go_on_verified(exchange);
}

static bool is_host_allowed(const struct gw_server_config *config, const char *host)
{
    const char *colon = strrchr(host, ':');
    const char *bracket = strrchr(host, ']');
    size_t length = colon && (!bracket || colon > bracket) ? (size_t)(colon - host) : strlen(host);
    for (size_t i = 0; i < config->admin_host_count; i++)
        if (strlen(config->admin_hosts[i]) == length && strncasecmp(config->admin_hosts[i], host, length) == 0)
            return true;
    return false;
}

/* A browser can be made to send requests to loopback: it cannot choose the Host of them, nor set a custom header without a preflight. */
static bool is_admin_allowed(const struct gw_exchange *exchange)
{
    const struct gw_server_config *config = exchange->server->opts.config;
    if (config->admin_token[0])
        return exchange->bearer && strlen(exchange->bearer) == strlen(config->admin_token) &&
               gw_bytes_equal(exchange->bearer, config->admin_token, strlen(config->admin_token));
    return exchange->admin_header != NULL;
}

static void begin_admin(struct gw_exchange *exchange)
{
    struct gw_error err;
    if (is_admin_allowed(exchange)) {
        admit(exchange);
        return;
    }
    gw_error_set(&err, GW_EAUTH, "admin_refused", "%s",
                 exchange->server->opts.config->admin_token[0] ? "the admin bearer is required"
                                                               : "the header X-Atoms-Admin is required, with any value");
    gw_exchange_refuse(exchange, &err);
}

static void answer_preflight(struct gw_exchange *exchange)
{
    char age[24];
    snprintf(age, sizeof age, "%lld", (long long)exchange->server->opts.config->cors_max_age_s);
    const struct gw_http1_header headers[] = {
        GW_HTTP1_HEADER("Access-Control-Allow-Methods", "GET, POST"),
        GW_HTTP1_HEADER("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID"),
        GW_HTTP1_HEADER("Access-Control-Max-Age", age),
    };
    gw_exchange_reply_empty(exchange, 204, headers, exchange->has_origin_allowed ? 3 : 0);
}

static void begin(struct gw_exchange *exchange)
{
    struct gw_error err;
    bool is_admin_surface = exchange->connection->surface == GW_SURFACE_ADMIN;
    if (is_admin_surface && !is_host_allowed(exchange->server->opts.config, exchange->host)) {
        gw_error_set(&err, GW_EDENIED, "host_not_allowed", "this Host is not on the admin allowlist");
        gw_exchange_refuse(exchange, &err);
    } else if (!exchange->route) {
        answer_preflight(exchange);
    } else if (exchange->route->needs_admin) {
        begin_admin(exchange);
    } else if (exchange->route->needs_bearer) {
        authenticate(exchange);
    } else {
        admit(exchange);
    }
}

static void on_end(void *user)
{
    struct gw_connection *connection = user;
    struct gw_exchange *exchange = connection->talk->reading;
    connection->talk->reading = NULL;
    if (!exchange)
        return;
    connection->talk->is_input_ended |= exchange->closes;
    exchange->is_body_ended = true;
    if (!exchange->is_asked_first)
        begin(exchange);
    else if (exchange->on_body)
        exchange->on_body(exchange);
    else if (exchange->is_admitted && !exchange->is_streamed)
        handle(exchange);
}

const struct gw_http1_events gw_request_events = {on_head, on_body, on_end};
