#include "transport/exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/plan.h"
#include "identity/identity.h"
#include "protocol/http1_reply.h"
#include "protocol/problem.h"
#include "protocol/query.h"
#include "transport/connection.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

#define SPARE_EXCHANGES 256

/* ---- taking a request ------------------------------------------------------------------------------------------------------------------ */

/* value: a block that texts are copied into, each with a NUL */
struct copier {
    char *at;
};

static const char *copy(struct copier *copier, const char *text, size_t length)
{
    char *start = copier->at;
    if (length)
        memcpy(start, text, length);
    start[length] = '\0';
    copier->at += length + 1;
    return start;
}

static const char *copy_header(struct copier *copier, const struct gw_http1_request *request, const char *name)
{
    const struct gw_http1_header *header = gw_http1_find(request, name);
    return header ? copy(copier, header->value, header->value_length) : NULL;
}

/* The path, and an id in it; the query, and as much to decode it in; the host; each header at most once. */
static size_t copy_size(const struct gw_http1_request *request)
{
    size_t size = 2 * (request->path_length + 1) + 2 * (request->query_length + 1) + request->host_length + 1;
    for (size_t i = 0; i < request->header_count; i++)
        size += request->headers[i].value_length + 1;
    return size;
}

static int read_params(struct gw_exchange *exchange, struct copier *copier, const struct gw_http1_request *request, struct gw_error *err)
{
    struct gw_query query;
    struct gw_query_pair pair;
    const char *raw = copy(copier, request->query, request->query_length);
    char *scratch = copier->at;
    copier->at += request->query_length + 1;
    gw_query_init(&query, raw, request->query_length, scratch);
    int status;
    while ((status = gw_query_next(&query, &pair, err)) > 0) {
        if (exchange->param_count == GW_PARAMS_MAX)
            return gw_error_limit(err, "too_many_parameters", "max_parameters", GW_PARAMS_MAX, "too many query parameters");
        exchange->params[exchange->param_count++] = (struct gw_param){pair.name, pair.value};
    }
    return status;
}

static bool is_bearer(const char *text) { return text && strncasecmp(text, "Bearer ", 7) == 0; }

static void copy_headers(struct gw_exchange *exchange, struct copier *copier, const struct gw_http1_request *request)
{
    const char *authorization = copy_header(copier, request, "authorization");
    exchange->bearer = is_bearer(authorization) ? authorization + 7 : NULL;
    exchange->last_event_id = copy_header(copier, request, "last-event-id");
    exchange->origin = copy_header(copier, request, "origin");
    exchange->content_type = copy_header(copier, request, "content-type");
    exchange->admin_header = copy_header(copier, request, "x-atoms-admin");
    exchange->host = copy(copier, request->host, request->host_length);
    exchange->path = copy(copier, request->path, request->path_length);
}

static bool is_origin_allowed(const struct gw_server_config *config, const char *origin)
{
    for (size_t i = 0; origin && i < config->cors_origin_count; i++)
        if (strcmp(config->cors_origins[i], "*") == 0 || strcmp(config->cors_origins[i], origin) == 0)
            return true;
    return false;
}

static int find_route(struct gw_exchange *exchange, struct copier *copier, const struct gw_http1_request *request, struct gw_error *err)
{
    struct gw_route_match match;
    gw_routes_find(exchange->connection->surface, request->method, request->path, request->path_length, &match);
    exchange->route = match.route;
    exchange->path_id = copy(copier, match.id, match.route ? match.id_length : 0);
    if (match.route)
        return 0;
    if (!match.allow[0]) {
        gw_error_set(err, GW_ENOTFOUND, "no_such_route", "there is nothing at this path");
        return 404;
    }
    gw_error_set(err, GW_EINVAL, "method_not_allowed", "this path answers %s", match.allow);
    return 405;
}

/* Exchanges are large and come and go with every request: a few are kept. */
static struct gw_exchange *take_exchange(struct gw_server *server)
{
    struct gw_exchange *exchange = server->spare_exchanges;
    if (!exchange)
        return gw_alloc(sizeof *exchange);
    server->spare_exchanges = exchange->next;
    server->spare_count--;
    memset(exchange, 0, sizeof *exchange);
    return exchange;
}

static void give_back(struct gw_server *server, struct gw_exchange *exchange)
{
    if (server->spare_count >= SPARE_EXCHANGES) {
        gw_free(exchange);
        return;
    }
    exchange->next = server->spare_exchanges;
    server->spare_exchanges = exchange;
    server->spare_count++;
}

struct gw_exchange *gw_exchange_create(struct gw_connection *connection, const struct gw_http1_request *request, int *status,
                                       struct gw_error *err)
{
    struct gw_server *server = connection->server;
    struct gw_exchange *exchange = take_exchange(server);
    exchange->connection = connection;
    exchange->connection_number = connection->number;
    exchange->server = server;
    exchange->closes = !request->keep_alive || server->is_draining;
    exchange->is_head_request = strcmp(request->method, "HEAD") == 0;
    exchange->copies = gw_alloc(copy_size(request));
    gw_buffer_init(&exchange->body, 0);
    gw_buffer_init(&exchange->answer, 0);
    struct copier copier = {exchange->copies};
    copy_headers(exchange, &copier, request);
    exchange->has_origin_allowed = is_origin_allowed(server->opts.config, exchange->origin);
    server->exchange_count++;
    gw_metric_add(server->metrics.requests, 1);
    bool is_preflight = strcmp(request->method, "OPTIONS") == 0;
    *status = is_preflight ? 0 : find_route(exchange, &copier, request, err);
    if (*status == 0 && read_params(exchange, &copier, request, err) < 0)
        *status = 400;
    return exchange;
}

void gw_exchange_destroy(struct gw_exchange *exchange)
{
    if (exchange->is_verifying)
        gw_verifier_cancel(exchange->server->opts.verifier, &exchange->verify);
    exchange->server->exchange_count--;
    gw_identity_unref(exchange->identity);
    gw_buffer_fini(&exchange->body);
    gw_buffer_fini(&exchange->answer);
    gw_free(exchange->copies);
    give_back(exchange->server, exchange);
}

/* ---- reading it ------------------------------------------------------------------------------------------------------------------------ */

const char *gw_exchange_param(const struct gw_exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->param_count; i++)
        if (strcmp(exchange->params[i].name, name) == 0)
            return exchange->params[i].value;
    return NULL;
}

static int read_id(const struct gw_exchange *exchange, const char *name, char out[GW_ID_MAX + 1], struct gw_error *err)
{
    const char *value = gw_exchange_param(exchange, name);
    int status = GW_OK;
    if (!value)
        status = gw_error_set(err, GW_EINVAL, "missing_id", "%s is required in the query", name);
    else if (!gw_id_is_valid(value, strlen(value)))
        status = gw_error_set(err, GW_EINVAL, "bad_id", "%s is no id: 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot", name);
    else
        memcpy(out, value, strlen(value) + 1);
    if (status)
        gw_error_prefix(err, name);
    return status;
}

int gw_exchange_scope(const struct gw_exchange *exchange, bool has_run, struct gw_scope *scope, struct gw_error *err)
{
    const struct {
        const char *name;
        char *out;
    } ids[] = {{"tenant_id", scope->tenant_id},   {"mode", scope->mode},     {"project_id", scope->project_id},
               {"surface_id", scope->surface_id}, {"app_id", scope->app_id}, {"run_id", scope->run_id}};
    size_t count = sizeof ids / sizeof *ids - !has_run;
    memset(scope, 0, sizeof *scope);
    for (size_t i = 0; i < count; i++)
        if (read_id(exchange, ids[i].name, ids[i].out, err))
            return err->code;
    return GW_OK;
}

static void insert_canvas(struct gw_canvas_set *set, const char *id)
{
    size_t at = 0;
    while (at < set->count && strcmp(set->ids[at], id) < 0)
        at++;
    if (at < set->count && strcmp(set->ids[at], id) == 0)
        return;
    memmove(set->ids[at + 1], set->ids[at], (set->count - at) * sizeof set->ids[0]);
    memcpy(set->ids[at], id, strlen(id) + 1);
    set->count++;
}

int gw_exchange_canvases(const struct gw_exchange *exchange, struct gw_canvas_set *set, struct gw_error *err)
{
    memset(set, 0, sizeof *set);
    for (size_t i = 0; i < exchange->param_count; i++) {
        const char *id = exchange->params[i].value;
        if (strcmp(exchange->params[i].name, "canvas_id") != 0)
            continue;
        int status = GW_OK;
        if (!gw_id_is_valid(id, strlen(id)))
            status = gw_error_set(err, GW_EINVAL, "bad_id", "canvas_id is no id");
        else if (set->count == GW_CANVAS_SET_MAX)
            status = gw_error_limit(err, "too_many_canvases", "max_canvases_asked", GW_CANVAS_SET_MAX,
                                    "a stream carries at most %d canvases", GW_CANVAS_SET_MAX);
        if (status) {
            gw_error_prefix(err, "canvas_id");
            return status;
        }
        insert_canvas(set, id);
    }
    return GW_OK;
}

int gw_exchange_check_mode(const struct gw_exchange *exchange, const char *mode, struct gw_error *err)
{
    const struct gw_server_config *config = exchange->server->opts.config;
    for (size_t i = 0; i < config->mode_count; i++)
        if (strcmp(config->modes[i], mode) == 0)
            return GW_OK;
    gw_error_set(err, GW_EDENIED, "mode_not_served", "this process does not serve that mode");
    gw_error_prefix(err, "mode");
    return GW_EDENIED;
}

int gw_exchange_admit(struct gw_exchange *exchange, const struct gw_scope *scope, struct gw_error *err)
{
    memcpy(exchange->run_id, scope->run_id, sizeof exchange->run_id);
    int status = gw_identity_covers(exchange->identity, scope, err);
    return status ? status : gw_exchange_check_mode(exchange, scope->mode, err);
}

bool gw_exchange_is_type(const struct gw_exchange *exchange, const char *type)
{
    const char *given = exchange->content_type;
    size_t length = strlen(type);
    return given && strncasecmp(given, type, length) == 0 && (given[length] == '\0' || given[length] == ';' || given[length] == ' ');
}

/* ---- answering ------------------------------------------------------------------------------------------------------------------------- */

#define HEADERS_MAX 12

static size_t add_cors(const struct gw_exchange *exchange, struct gw_http1_header *headers, size_t count)
{
    if (exchange->server->opts.config->cors_origin_count > 0)
        headers[count++] = GW_HTTP1_HEADER("Vary", "Origin");
    if (!exchange->has_origin_allowed)
        return count;
    headers[count++] = GW_HTTP1_HEADER("Access-Control-Allow-Origin", exchange->origin);
    headers[count++] = GW_HTTP1_HEADER("Access-Control-Expose-Headers", "Retry-After");
    return count;
}

static void finish(struct gw_exchange *exchange)
{
    exchange->is_answered = true;
    if (exchange->connection)
        gw_connection_answered(exchange->connection);
    else
        gw_exchange_destroy(exchange);
}

static void write_reply(struct gw_exchange *exchange, const struct gw_http1_reply *reply, const char *body, size_t length)
{
    struct gw_error err;
    if (gw_http1_write_head(reply, &exchange->answer, &err) || exchange->answer.has_failed)
        exchange->closes = true; /* nothing was written: the peer sees the connection end */
    else if (!exchange->is_head_request && length)
        gw_buffer_append(&exchange->answer, body, length);
    finish(exchange);
}

/* The path without its query, which may hold a cursor or a ticket. Successes are told only to those who ask for them. */
static void log_request(const struct gw_exchange *exchange, int status, const char *code)
{
    const struct gw_server *server = exchange->server;
    enum gw_log_level level = status >= 500 ? GW_LOG_WARN : status >= 400 ? GW_LOG_INFO : GW_LOG_DEBUG;
    gw_log_write(server->opts.log, level, "request",
                 (struct gw_log_field[]){GW_F_UINT("worker", server->opts.worker), GW_F_UINT("connection", exchange->connection_number),
                                         GW_F_TEXT("method", exchange->route ? exchange->route->method : ""),
                                         GW_F_TEXT("path", exchange->path), GW_F_INT("status", status), GW_F_TEXT("code", code),
                                         GW_F_TEXT("tenant", exchange->identity ? exchange->identity->tenant_id : ""),
                                         GW_F_TEXT("actor", exchange->identity ? exchange->identity->actor.id : ""),
                                         GW_F_TEXT("run", exchange->run_id), GW_F_END});
}

/* An answer before the end of the body: nobody wants the rest of it. */
static void leave_body(struct gw_exchange *exchange)
{
    struct gw_conversation *talk = exchange->connection ? exchange->connection->talk : NULL;
    if (!talk || talk->reading != exchange)
        return;
    exchange->closes = true;
    talk->reading = NULL;
    talk->is_input_ended = true;
}

void gw_exchange_resume_body(struct gw_exchange *exchange)
{
    if (!exchange->is_held)
        return;
    exchange->is_held = false;
    if (exchange->connection)
        gw_connection_resume(exchange->connection);
}

/* value: what an answer carries */
struct content {
    const char *type, *body;
    size_t length;
    const char *allow; /* of a 405; else NULL */
};

static void reply_with(struct gw_exchange *exchange, int status, const struct content *content)
{
    leave_body(exchange);
    struct gw_http1_header headers[HEADERS_MAX];
    size_t count = 0;
    headers[count++] = GW_HTTP1_HEADER("Content-Type", content->type);
    headers[count++] = GW_HTTP1_HEADER("Cache-Control", "no-store");
    if (status == 503 || status == 429)
        headers[count++] = GW_HTTP1_HEADER("Retry-After", "1");
    if (status == 401)
        headers[count++] = GW_HTTP1_HEADER("WWW-Authenticate", "Bearer");
    if (content->allow)
        headers[count++] = GW_HTTP1_HEADER("Allow", content->allow);
    count = add_cors(exchange, headers, count);
    struct gw_http1_reply reply = {.status = status,
                                   .framing = GW_HTTP1_LENGTH,
                                   .content_length = content->length,
                                   .closes = exchange->closes,
                                   .headers = headers,
                                   .header_count = count};
    write_reply(exchange, &reply, content->body, content->length);
}

void gw_exchange_reply(struct gw_exchange *exchange, int status, const char *content_type, const char *body, size_t length)
{
    log_request(exchange, status, "");
    struct content content = {content_type, body, length, NULL};
    reply_with(exchange, status, &content);
}

void gw_exchange_reply_empty(struct gw_exchange *exchange, int status, const struct gw_http1_header *more, size_t more_count)
{
    struct gw_http1_header headers[HEADERS_MAX];
    leave_body(exchange);
    size_t count = add_cors(exchange, headers, 0);
    for (size_t i = 0; i < more_count && count < HEADERS_MAX; i++)
        headers[count++] = more[i];
    struct gw_http1_reply reply = {
        .status = status, .framing = GW_HTTP1_NO_BODY, .closes = exchange->closes, .headers = headers, .header_count = count};
    write_reply(exchange, &reply, NULL, 0);
}

#define RULE(id)                                                                                                                           \
    {                                                                                                                                      \
        id, { 422, GW_RETRY_NEVER }                                                                                                        \
    }

void gw_exchange_reply_raw(struct gw_exchange *exchange, const char *bytes, size_t length)
{
    log_request(exchange, 200, "");
    exchange->closes = true;
    gw_buffer_append(&exchange->answer, bytes, length);
    finish(exchange);
}

/* Where the code of an error says too little about its HTTP status: docs/errors.md. */
static const struct gw_problem_rule rules[] = {
    {"run_busy", {503, GW_RETRY_LATER}},
    {"script_budget", {429, GW_RETRY_LATER}},
    {"rate_limited", {429, GW_RETRY_LATER}},
    {"request_timeout", {408, GW_RETRY_NOW}},
    {"too_many_parameters", {400, GW_RETRY_NEVER}},
    {"too_many_canvases", {400, GW_RETRY_NEVER}},
    {"unknown_command", {400, GW_RETRY_NEVER}},
    {"bad_cursor", {400, GW_RETRY_NEVER}},
    /* what a well-formed command asks for, and the canvas or the run does not admit */
    RULE("canvas_not_mounted"),
    RULE("unknown_prop"),
    RULE("missing_prop"),
    RULE("bad_parent"),
    RULE("no_text"),
    RULE("wrong_type"),
    RULE("out_of_range"),
    RULE("bad_step"),
    RULE("not_in_enum"),
    RULE("too_long"),
    RULE("bad_colour"),
    RULE("bad_time"),
    RULE("bytes_refused"),
};

static bool begins_with(const char *text, const char *word) { return strncmp(text, word, strlen(word)) == 0; }

/* "limit_…" are the limits of a run's state, "unknown_…" what a command names and the run has not. */
static struct gw_problem classify(const struct gw_error *err)
{
    struct gw_problem problem = gw_problem_classify(err, rules, sizeof rules / sizeof *rules);
    if (begins_with(err->id, "limit_") || (err->code == GW_ENOTFOUND && begins_with(err->id, "unknown_")))
        problem.status = 422;
    return problem;
}

int gw_exchange_write_problem(const struct gw_error *err, struct gw_buffer *out)
{
    struct gw_problem problem = classify(err);
    gw_problem_write(err, problem, out);
    return problem.status;
}

static void reply_problem(struct gw_exchange *exchange, int status, const struct gw_error *err, const struct gw_buffer *body)
{
    gw_metric_add(exchange->server->metrics.refusals, 1);
    log_request(exchange, status, err->id);
    /* The message of a 405 ends with the methods there are. */
    const char *allow = status == 405 ? strstr(err->message, "answers ") : NULL;
    struct content content = {GW_PROBLEM_MEDIA_TYPE, body->data ? body->data : "", body->length, allow ? allow + 8 : NULL};
    reply_with(exchange, status, &content);
}

void gw_exchange_refuse_with(struct gw_exchange *exchange, int status, const struct gw_error *err)
{
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    struct gw_problem problem = classify(err);
    if (status)
        problem.status = status;
    gw_problem_write(err, problem, &body);
    reply_problem(exchange, problem.status, err, &body);
    gw_buffer_fini(&body);
}

void gw_exchange_refuse_changed(struct gw_exchange *exchange, const struct gw_error *err, const char *changes, size_t length)
{
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    int status = gw_exchange_write_problem(err, &body);
    if (changes)
        gw_problem_add_member(&body, "changes", changes, length);
    reply_problem(exchange, status, err, &body);
    gw_buffer_fini(&body);
}

void gw_exchange_refuse(struct gw_exchange *exchange, const struct gw_error *err) { gw_exchange_refuse_with(exchange, 0, err); }
