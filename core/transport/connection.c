#include "transport/connection.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/loop.h"
#include "io/tls.h"
#include "protocol/http1_reply.h"
#include "protocol/problem.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"
#include "transport/stream.h"

/* What a connection may hold of answers that its peer does not read, before no further request is taken. */
#define OUTPUT_HIGH_BYTES (256u << 10)
/* A body has its timeout for each step of this size: one that trickles holds its connection for a bounded time. */
#define BODY_STEP_SHIFT 16
/* How long a peer that still sends is listened to after the last answer: closing at once would reset the answer away (RFC 9112 section 9.6). */
#define LINGER_MS 2000

static void feed(struct gw_connection *connection, const char *bytes, size_t length);
static void take_more(struct gw_connection *connection);
static void undirty(struct gw_connection *connection);

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

static void abandon_exchanges(struct gw_conversation *talk)
{
    while (talk->first) {
        struct gw_exchange *exchange = talk->first;
        talk->first = exchange->next;
        exchange->connection = NULL;
        /* One that a handler holds is destroyed when it answers. */
        if (exchange->on_lost && !exchange->is_answered)
            exchange->on_lost(exchange);
        else if (exchange == talk->reading || exchange->is_answered || exchange->is_verifying)
            gw_exchange_destroy(exchange);
    }
}

static void free_talk(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    if (!talk)
        return;
    if (talk->is_dirty)
        undirty(connection);
    connection->talk = NULL;
    abandon_exchanges(talk);
    gw_unsent_fini(&talk->unsent);
    gw_http1_destroy(talk->parser);
    gw_buffer_fini(&talk->input);
    gw_buffer_fini(&talk->output);
    gw_buffer_fini(&talk->farewell);
    gw_free(talk);
}

static void on_closed(struct gw_socket *socket)
{
    struct gw_connection *connection = (struct gw_connection *)(void *)socket;
    struct gw_server *server = connection->server;
    free_talk(connection);
    if (connection->stream)
        gw_stream_destroy(connection->stream);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    server->connection_count--;
    atomic_fetch_sub(&server->opts.shared->connection_count, 1);
    gw_metric_add(server->metrics.connections, -1);
    gw_free(connection);
}

void gw_connection_close(struct gw_connection *connection)
{
    gw_timer_stop(connection->server->wheel, &connection->timer);
    if (connection->stream)
        gw_stream_stop(connection->stream);
    gw_socket_close(&connection->socket);
}

static void write_refusal(int status, const struct gw_error *err, struct gw_buffer *out)
{
    struct gw_buffer body;
    gw_buffer_init(&body, 0);
    struct gw_problem problem = {status, status == 408 ? GW_RETRY_NOW : GW_RETRY_NEVER};
    gw_problem_write(err, problem, &body);
    struct gw_http1_header type = GW_HTTP1_HEADER("Content-Type", GW_PROBLEM_MEDIA_TYPE);
    struct gw_http1_reply reply = {
        .status = status, .framing = GW_HTTP1_LENGTH, .content_length = body.length, .closes = true, .headers = &type, .header_count = 1};
    struct gw_error ignored;
    (void)gw_http1_write_head(&reply, out, &ignored); /* cannot fail: the headers are ours */
    gw_buffer_append(out, body.data, body.length);
    out->has_failed |= body.has_failed;
    gw_buffer_fini(&body);
}

/* What is awaited; the head and the body of a request have to come in time, however they are cut into pieces. */
enum { AWAITS_US, AWAITS_REQUEST, AWAITS_HEAD, AWAITS_BODY, AWAITS_READER };

static unsigned awaited(const struct gw_connection *connection)
{
    const struct gw_conversation *talk = connection->talk;
    if (talk->output.length)
        return AWAITS_READER;
    if (talk->exchange_count > (talk->reading != NULL) || (talk->reading && talk->reading->is_held))
        return AWAITS_US;
    if (gw_http1_phase(talk->parser) == GW_HTTP1_BODY) /* how long a streamed one may be silent is for its reader to say (upload.h) */
        return talk->reading && talk->reading->is_streamed ? AWAITS_US : AWAITS_BODY;
    return gw_http1_phase(talk->parser) == GW_HTTP1_HEAD ? AWAITS_HEAD : AWAITS_REQUEST;
}

static void on_timeout(struct gw_timer *timer)
{
    struct gw_connection *connection = (struct gw_connection *)(void *)((char *)timer - offsetof(struct gw_connection, timer));
    struct gw_conversation *talk = connection->talk;
    unsigned what = awaited(connection);
    gw_metric_add(connection->server->metrics.timeouts, 1);
    if (!talk->is_lingering && (what == AWAITS_HEAD || what == AWAITS_BODY)) {
        const struct gw_server_config *config = connection->server->opts.config;
        bool is_head = what == AWAITS_HEAD;
        struct gw_error err;
        gw_error_set(&err, GW_ETIMEOUT, "request_timeout", "the request's %s took too long", is_head ? "head" : "body");
        gw_error_name_limit(&err, is_head ? "header_timeout_ms" : "body_timeout_ms",
                            is_head ? config->header_timeout_ms : config->body_timeout_ms);
        write_refusal(408, &err, &talk->output);
        struct iovec part = {talk->output.data, talk->output.length};
        if (!talk->output.has_failed)
            (void)gw_socket_writev(&connection->socket, &part, 1); /* it is closed either way */
    }
    gw_connection_close(connection);
}

static void set_timer(struct gw_connection *connection)
{
    const struct gw_server_config *config = connection->server->opts.config;
    struct gw_conversation *talk = connection->talk;
    unsigned what = awaited(connection);
    const uint32_t delays_ms[] = {[AWAITS_US] = 0,
                                  [AWAITS_REQUEST] = connection->server->is_draining ? config->header_timeout_ms : config->idle_timeout_ms,
                                  [AWAITS_HEAD] = config->header_timeout_ms,
                                  [AWAITS_BODY] = config->body_timeout_ms,
                                  [AWAITS_READER] = config->body_timeout_ms};
    uint64_t steps = what == AWAITS_BODY && talk->reading ? talk->reading->body.length >> BODY_STEP_SHIFT : 0;
    uint64_t key = (talk->head_count << 24 | (steps & 0xFFFFFF)) << 3 | what;
    bool is_running = (what == AWAITS_HEAD || what == AWAITS_BODY) && key == talk->timed_for;
    talk->timed_for = key;
    if (delays_ms[what] == 0)
        gw_timer_stop(connection->server->wheel, &connection->timer);
    else if (!is_running)
        gw_timer_start(connection->server->wheel, &connection->timer, delays_ms[what], on_timeout);
}

bool gw_connection_is_idle(const struct gw_connection *connection)
{
    const struct gw_conversation *talk = connection->talk;
    return talk && talk->exchange_count == 0 && talk->output.length == 0;
}

/* ---- answers --------------------------------------------------------------------------------------------------------------------------- */

/* The last answer is out. A peer that may still be sending is read from until it ends, unheard. */
static void leave(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    gw_socket_shutdown_write(&connection->socket);
    if (talk->has_eof || !talk->is_input_ended) {
        gw_connection_close(connection);
        return;
    }
    talk->is_lingering = true;
    gw_socket_resume_read(&connection->socket);
    gw_timer_start(connection->server->wheel, &connection->timer, LINGER_MS, on_timeout);
}

static bool is_last_word_due(const struct gw_conversation *talk)
{
    return talk->exchange_count == 0 && talk->is_input_ended && !talk->closes_after_output;
}

static void flush(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    if (talk->is_lingering)
        return;
    if (is_last_word_due(talk)) {
        gw_buffer_append(&talk->output, talk->farewell.data, talk->farewell.length);
        talk->closes_after_output = true;
    }
    if (talk->output.has_failed || talk->input.has_failed || talk->farewell.has_failed) {
        gw_connection_close(connection);
        return;
    }
    if (talk->output.length) {
        struct iovec part = {talk->output.data, talk->output.length};
        ssize_t taken = gw_socket_writev(&connection->socket, &part, 1);
        if (taken < 0) {
            gw_connection_close(connection);
            return;
        }
        gw_buffer_consume(&talk->output, (size_t)taken);
        gw_unsent_sent(&talk->unsent, (size_t)taken);
    }
    gw_socket_want_write(&connection->socket, talk->output.length > 0);
    if (talk->output.length == 0 && talk->closes_after_output)
        leave(connection);
}

/* Before the body of the request whose turn it is (RFC 9110 section 10.1.1); not earlier, or it would answer another. */
static void invite_body(struct gw_conversation *talk)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct gw_exchange *exchange = talk->first;
    if (!exchange || exchange != talk->reading || !exchange->owes_continue || talk->closes_after_output)
        return;
    exchange->owes_continue = false;
    gw_buffer_append(&talk->output, go_on, sizeof go_on - 1);
}

static void pop_answers(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    while (talk->first && talk->first->is_answered) {
        struct gw_exchange *exchange = talk->first;
        talk->first = exchange->next;
        if (!talk->first)
            talk->last = &talk->first;
        talk->exchange_count--;
        if (!talk->closes_after_output)
            gw_buffer_append(&talk->output, exchange->answer.data, exchange->answer.length);
        talk->closes_after_output |= exchange->closes;
        gw_unsent_add(&talk->unsent, exchange, talk->output.length);
    }
    if (!talk->first && connection->server->is_draining)
        talk->closes_after_output = true;
    invite_body(talk);
}

void gw_connection_invite_body(struct gw_connection *connection) { invite_body(connection->talk); }

static void mark_dirty(struct gw_connection *connection)
{
    struct gw_server *server = connection->server;
    if (connection->talk->is_dirty)
        return;
    connection->talk->is_dirty = true;
    connection->talk->next_dirty = server->dirty_connections;
    server->dirty_connections = connection;
    gw_loop_request_turn(server->opts.loop);
}

static void undirty(struct gw_connection *connection)
{
    struct gw_connection **link = &connection->server->dirty_connections;
    while (*link && *link != connection)
        link = &(*link)->talk->next_dirty;
    if (*link)
        *link = connection->talk->next_dirty;
}

void gw_connection_answered(struct gw_connection *connection)
{
    pop_answers(connection);
    if (!connection->talk->is_feeding) /* else feed() sends at its end */
        mark_dirty(connection);
}

void gw_connection_resume(struct gw_connection *connection)
{
    if (!connection->talk->is_feeding)
        mark_dirty(connection);
}

void gw_connection_settle(struct gw_connection *connection)
{
    flush(connection);
    if (!gw_socket_is_closing(&connection->socket))
        take_more(connection);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------------------- */

static bool may_take_more(const struct gw_conversation *talk, const struct gw_server_config *config)
{
    bool waits_for_stream = talk->first && talk->first->route && talk->first->route->is_stream && !talk->reading;
    return !talk->is_input_ended && !talk->closes_after_output && !waits_for_stream && talk->output.length < OUTPUT_HIGH_BYTES &&
           (talk->reading ? !talk->reading->is_held : talk->exchange_count + talk->unsent.count < config->max_pipelined);
}

/* The request's head was fine, its body is not: the refusal takes its place in the order. */
static void fail_body(struct gw_exchange *exchange, int status, const struct gw_error *err)
{
    struct gw_conversation *talk = exchange->connection->talk;
    talk->reading = NULL;
    exchange->closes = true;
    talk->is_input_ended = true;
    if (!exchange->on_body) {
        gw_exchange_refuse_with(exchange, status, err);
        return;
    }
    exchange->body_status = status;
    exchange->body_err = *err;
    exchange->on_body(exchange);
}

void gw_connection_cut_body(struct gw_connection *connection, int status, const struct gw_error *err)
{
    struct gw_exchange *exchange = connection->talk ? connection->talk->reading : NULL;
    if (exchange && exchange->on_body)
        fail_body(exchange, status, err);
}

/* Pushes bytes until they are used up, or as many requests are under way as may be. */
static size_t parse(struct gw_connection *connection, const char *bytes, size_t length)
{
    struct gw_conversation *talk = connection->talk;
    size_t used = 0, consumed;
    struct gw_error err;
    while (!connection->stream && may_take_more(talk, connection->server->opts.config)) {
        if (gw_http1_phase(talk->parser) == GW_HTTP1_ENDED)
            gw_http1_resume(talk->parser);
        if (gw_http1_feed(talk->parser, bytes + used, length - used, &consumed, &err)) {
            if (talk->reading) {
                fail_body(talk->reading, gw_http1_status(talk->parser), &err);
            } else {
                write_refusal(gw_http1_status(talk->parser), &err, &talk->farewell);
                gw_metric_add(connection->server->metrics.refusals, 1);
            }
            talk->is_input_ended = true;
            return length;
        }
        used += consumed;
        if (used == length)
            break;
    }
    return used;
}

static void settle(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    flush(connection);
    if (gw_socket_is_closing(&connection->socket) || talk->is_lingering)
        return;
    if (talk->input.length > 0 || talk->is_input_ended || (talk->reading && talk->reading->is_held))
        gw_socket_pause_read(&connection->socket);
    else
        gw_socket_resume_read(&connection->socket);
    if (talk->input.length > 0 && may_take_more(talk, connection->server->opts.config))
        mark_dirty(connection); /* the socket took all answers at once, and will not say so later */
    set_timer(connection);
}

static void feed(struct gw_connection *connection, const char *bytes, size_t length)
{
    struct gw_conversation *talk = connection->talk;
    talk->is_feeding = true;
    size_t used = parse(connection, bytes, length);
    talk->is_feeding = false;
    if (connection->stream) {
        free_talk(connection);
        return;
    }
    if (used < length)
        gw_buffer_append(&talk->input, bytes + used, length - used);
    settle(connection);
}

/* Requests that waited in `input` for room among the exchanges. */
static void take_more(struct gw_connection *connection)
{
    struct gw_conversation *talk = connection->talk;
    if (talk->input.length > 0 && may_take_more(talk, connection->server->opts.config)) {
        talk->is_feeding = true;
        size_t used = parse(connection, talk->input.data, talk->input.length);
        talk->is_feeding = false;
        if (connection->stream) {
            free_talk(connection);
            return;
        }
        gw_buffer_consume(&talk->input, used);
    }
    settle(connection);
}

static void on_bytes(struct gw_socket *socket, const char *bytes, size_t length)
{
    struct gw_connection *connection = (struct gw_connection *)(void *)socket;
    if (!connection->talk || connection->talk->is_lingering)
        return; /* a stream's peer has nothing to say, nor has who was told all */
    if (connection->talk->input.length > 0)
        gw_buffer_append(&connection->talk->input, bytes, length);
    else
        feed(connection, bytes, length);
}

static void on_writable(struct gw_socket *socket)
{
    struct gw_connection *connection = (struct gw_connection *)(void *)socket;
    if (connection->stream) {
        gw_stream_writable(connection->stream);
        return;
    }
    flush(connection);
    if (!gw_socket_is_closing(socket))
        take_more(connection);
}

static void on_eof(struct gw_socket *socket)
{
    struct gw_connection *connection = (struct gw_connection *)(void *)socket;
    struct gw_conversation *talk = connection->talk;
    if (!talk || (talk->exchange_count == 0 && talk->output.length == 0) || talk->reading || talk->is_lingering) {
        gw_connection_close(connection);
        return;
    }
    /* A half-closed peer still gets its answers. */
    talk->is_input_ended = talk->has_eof = true;
    settle(connection);
}

static void on_error(struct gw_socket *socket, const struct gw_error *err)
{
    (void)err;
    gw_connection_close((struct gw_connection *)(void *)socket);
}

static const struct gw_socket_handler socket_handler = {on_bytes, on_writable, on_eof, on_error, on_closed};

/* ---- opening --------------------------------------------------------------------------------------------------------------------------- */

static struct gw_conversation *create_talk(struct gw_connection *connection)
{
    struct gw_conversation *talk = gw_alloc(sizeof *talk);
    talk->last = &talk->first;
    gw_buffer_init(&talk->input, 0);
    gw_buffer_init(&talk->output, 0);
    gw_buffer_init(&talk->farewell, 0);
    talk->parser = gw_http1_create(&connection->server->opts.config->http, &gw_request_events, connection);
    if (!talk->parser) {
        gw_free(talk);
        return NULL;
    }
    return talk;
}

void gw_connection_open(struct gw_server *server, enum gw_surface surface, int fd)
{
    struct gw_connection *connection = gw_alloc(sizeof *connection);
    struct gw_error err;
    if (gw_socket_open(&connection->socket, server->opts.loop, fd, &socket_handler, &err)) {
        gw_log_write(server->opts.log, GW_LOG_WARN, "accept_failed", (struct gw_log_field[]){GW_F_TEXT("code", err.id), GW_F_END});
        atomic_fetch_sub(&server->opts.shared->connection_count, 1);
        gw_free(connection);
        return;
    }
    connection->server = server;
    connection->surface = (uint8_t)surface;
    connection->number = ++server->next_number;
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    server->connections = connection;
    server->connection_count++;
    gw_metric_add(server->metrics.connections, 1);
    connection->talk = create_talk(connection);
    bool has_tls = surface == GW_SURFACE_PUBLIC && server->opts.tls;
    if (!connection->talk || (has_tls && gw_tls_attach(server->opts.tls, &connection->socket, &err)))
        gw_connection_close(connection);
    else
        gw_timer_start(server->wheel, &connection->timer, server->opts.config->header_timeout_ms, on_timeout);
}

void gw_connection_become_stream(struct gw_connection *connection, struct gw_stream *stream)
{
    connection->stream = stream;
    gw_timer_stop(connection->server->wheel, &connection->timer);
    gw_socket_want_write(&connection->socket, false);
    gw_socket_resume_read(&connection->socket);
    if (!connection->talk->is_feeding) /* else the parser is on the stack, and feed() frees it */
        free_talk(connection);
}
