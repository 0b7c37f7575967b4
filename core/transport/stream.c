#include "transport/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/log.h"
#include "base/map.h"
#include "hub/plan.h"
#include "hub/presence.h"
#include "hub/view.h"
#include "identity/identity.h"
#include "io/loop.h"
#include "protocol/envelope.h"
#include "protocol/http1_reply.h"
#include "protocol/sse.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

/* How long before its end a bearer's holder is warned, and how long a browser waits before it reconnects. */
#define WARN_BEFORE_MS 30000
#define RETRY_MS       2000

static struct gw_server *server_of(const struct gw_stream *stream) { return stream->connection->server; }

static const char *app_of(const struct gw_stream *stream) { return stream->from + strlen(stream->from) + 1; }

static int64_t wall_ms(const struct gw_server *server) { return server->opts.clock->wall_ms(server->opts.clock->self); }

struct gw_arrival gw_stream_arrival(const struct gw_stream *stream)
{
    struct gw_arrival arrival = {.actor = stream->identity->actor};
    memcpy(arrival.surface_id, stream->from, strlen(stream->from) + 1);
    memcpy(arrival.app_id, app_of(stream), strlen(app_of(stream)) + 1);
    return arrival;
}

/* ---- control frames -------------------------------------------------------------------------------------------------------------------- */

void gw_stream_write_frame(const struct gw_stream *stream, const char *type, const char *data, struct gw_buffer *out)
{
    static const struct gw_scope nowhere;
    const struct gw_scope *scope = stream->subscriber.view ? &stream->subscriber.view->scope : &nowhere;
    char ts[25];
    gw_clock_format_rfc3339(wall_ms(server_of(stream)), ts);
    struct gw_envelope envelope = {.type = type,
                                   .ts = ts,
                                   .tenant_id = scope->tenant_id,
                                   .mode = scope->mode,
                                   .project_id = scope->project_id,
                                   .surface_id = stream->from,
                                   .app_id = app_of(stream),
                                   .run_id = scope->run_id,
                                   .actor_id = "gateway",
                                   .actor_kind = "service"};
    gw_sse_begin(out, type, NULL);
    gw_envelope_write(&envelope, data, strlen(data), out);
    gw_sse_end(out);
}

void gw_stream_finish(struct gw_stream *stream, const char *type, const char *data)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_stream_write_frame(stream, type, data, &text);
    stream->is_leaving = true;
    /* When it cannot be said (no memory, or a frame is half out and stays so), the connection ends without it. */
    if (text.has_failed || gw_subscriber_finish(&stream->subscriber, text.data, text.length))
        gw_connection_close(stream->connection);
    gw_buffer_fini(&text);
}

void gw_stream_goaway(struct gw_stream *stream, const char *reason, uint32_t after_ms)
{
    char data[120];
    snprintf(data, sizeof data, "{\"reason\":\"%s\",\"after_ms\":%u,\"retry\":\"now\"}", reason, after_ms);
    if (!stream->is_leaving)
        gw_stream_finish(stream, "goaway", data);
}

/* Spread, so that those who lost one server do not come back as one. */
static unsigned retry_ms(const struct gw_server *server)
{
    uint16_t random;
    server->opts.clock->random(server->opts.clock->self, &random, sizeof random);
    return RETRY_MS + random % RETRY_MS;
}

static void write_verdict(const struct gw_stream *stream, const struct gw_verdict *verdict, struct gw_buffer *text)
{
    char data[GW_CURSOR_MAX + 256], expires[25], reason[64] = "";
    gw_clock_format_rfc3339(stream->expires_at_ms, expires);
    if (verdict->reason)
        snprintf(reason, sizeof reason, ",\"reason\":\"%s\"", verdict->reason);
    snprintf(data, sizeof data, "{\"status\":\"%s\"%s,\"stream_id\":\"%s\",\"head\":\"%s\",\"expires_at\":\"%s\"}",
             gw_verdict_name(verdict->status), reason, stream->id, verdict->head, expires);
    /* In the same block as the frame, so that the verdict is the first of them. */
    gw_buffer_appendf(text, "retry: %u\n", retry_ms(server_of(stream)));
    gw_stream_write_frame(stream, "resume", data, text);
}

static void on_verdict(struct gw_subscriber *subscriber, const struct gw_verdict *verdict)
{
    struct gw_stream *stream = (struct gw_stream *)(void *)subscriber;
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    if (stream->has_new_lens)
        gw_stream_write_frame(stream, "lens_changed", "{\"reason\":\"policy\"}", &text);
    stream->has_new_lens = false;
    write_verdict(stream, verdict, &text);
    int status = text.has_failed ? GW_ENOMEM : GW_OK;
    if (!status && verdict->status == GW_VERDICT_RETRY)
        status = gw_subscriber_finish(subscriber, text.data, text.length);
    else if (!status)
        status = gw_subscriber_control(subscriber, text.data, text.length);
    if (status)
        gw_connection_close(stream->connection);
    gw_buffer_fini(&text);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------------------- */

/* The response's head goes out with the first frame, in one segment. */
static ssize_t write_with_head(struct gw_stream *stream, const struct iovec *parts, int count)
{
    struct iovec all[2] = {{stream->head + stream->head_sent, stream->head_length - stream->head_sent}, {0}};
    if (count > 0)
        all[1] = parts[0];
    ssize_t taken = gw_socket_writev(&stream->connection->socket, all, count > 0 ? 2 : 1);
    if (taken < 0)
        return taken;
    if ((size_t)taken < all[0].iov_len) {
        stream->head_sent += (uint32_t)taken;
        return 0;
    }
    taken -= (ssize_t)all[0].iov_len;
    gw_free(stream->head);
    stream->head = NULL;
    return taken;
}

static ssize_t on_write(struct gw_subscriber *subscriber, const struct iovec *parts, int count)
{
    struct gw_stream *stream = (struct gw_stream *)(void *)subscriber;
    struct gw_socket *socket = &stream->connection->socket;
    size_t wanted = 0;
    for (int i = 0; i < count; i++)
        wanted += parts[i].iov_len;
    ssize_t taken = stream->head ? write_with_head(stream, parts, count) : gw_socket_writev(socket, parts, (size_t)count);
    if (taken < 0)
        return taken;
    stream->written_at_ms = gw_loop_now_ms(server_of(stream)->opts.loop);
    gw_socket_want_write(socket, (size_t)taken < wanted);
    return taken;
}

void gw_stream_writable(struct gw_stream *stream)
{
    gw_socket_want_write(&stream->connection->socket, false);
    gw_subscriber_writable(&stream->subscriber);
}

static void on_ended(struct gw_subscriber *subscriber, const char *reason)
{
    struct gw_stream *stream = (struct gw_stream *)(void *)subscriber;
    struct gw_server *server = server_of(stream);
    gw_log_write(server->opts.log, GW_LOG_DEBUG, "stream_ended",
                 (struct gw_log_field[]){GW_F_UINT("connection", stream->connection->number), GW_F_TEXT("stream", stream->id),
                                         GW_F_TEXT("reason", reason), GW_F_UINT("seq", stream->subscriber.seq), GW_F_END});
    gw_socket_shutdown_write(&stream->connection->socket);
    gw_connection_close(stream->connection);
}

static void on_purged(struct gw_subscriber *subscriber) { gw_stream_goaway((struct gw_stream *)(void *)subscriber, "purged", 0); }

static const struct gw_subscriber_ops subscriber_ops = {.verdict = on_verdict, .write = on_write, .purged = on_purged, .ended = on_ended};

/* ---- time ------------------------------------------------------------------------------------------------------------------------------ */

static void on_timer(struct gw_timer *timer);

static void schedule(struct gw_stream *stream)
{
    struct gw_server *server = server_of(stream);
    int64_t left_ms = stream->expires_at_ms - wall_ms(server);
    int64_t delay_ms = server->opts.config->heartbeat_ms;
    if (!stream->was_warned && left_ms > WARN_BEFORE_MS)
        left_ms -= WARN_BEFORE_MS;
    if (left_ms < delay_ms)
        delay_ms = left_ms > 0 ? left_ms : 0;
    gw_timer_start(server->wheel, &stream->timer, (uint64_t)delay_ms, on_timer);
}

static void warn(struct gw_stream *stream)
{
    char data[160], expires[25];
    gw_clock_format_rfc3339(stream->expires_at_ms, expires);
    snprintf(data, sizeof data, "{\"expires_at\":\"%s\",\"renew\":\"/v1/streams/%s/renew\",\"retry\":\"auth\"}", expires, stream->id);
    stream->was_warned = true;
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_stream_write_frame(stream, "auth_expiring", data, &text);
    if (!text.has_failed)
        (void)gw_subscriber_control(&stream->subscriber, text.data,
                                    text.length); /* one that is pending says as much: the stream is alive */
    gw_buffer_fini(&text);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_stream *stream = (struct gw_stream *)(void *)((char *)timer - offsetof(struct gw_stream, timer));
    struct gw_server *server = server_of(stream);
    int64_t left_ms = stream->expires_at_ms - wall_ms(server);
    if (left_ms <= 0) {
        gw_stream_finish(stream, "goaway", "{\"reason\":\"bearer_expired\",\"after_ms\":0,\"retry\":\"auth\"}");
        /* A peer that does not read cannot hold the stream open past its bearer. */
        if (!gw_socket_is_closing(&stream->connection->socket))
            gw_connection_close(stream->connection);
        return;
    }
    if (left_ms <= WARN_BEFORE_MS && !stream->was_warned)
        warn(stream);
    else if (gw_loop_now_ms(server->opts.loop) - stream->written_at_ms >= server->opts.config->heartbeat_ms / 2)
        (void)gw_subscriber_control(&stream->subscriber, ":\n\n", 3);
    if (!gw_socket_is_closing(&stream->connection->socket))
        schedule(stream);
}

int gw_stream_renew(struct gw_stream *stream, struct gw_identity *identity, struct gw_error *err)
{
    if (!gw_identity_is_same_actor(stream->identity, identity) || strcmp(stream->identity->role, identity->role) != 0)
        return gw_error_set(err, GW_EDENIED, "not_covered", "only the same actor, tenant and role can renew a stream");
    if (!stream->subscriber.view)
        return gw_error_set(err, GW_ENOTFOUND, "no_such_stream", "this stream is not open");
    int status = gw_stream_check_lens(stream, identity, err);
    if (status)
        return status;
    gw_identity_unref(stream->identity);
    stream->identity = gw_identity_ref(identity);
    stream->subscriber.actor = &stream->identity->actor;
    stream->expires_at_ms = identity->expires_at_ms;
    stream->was_warned = false;
    schedule(stream);
    return GW_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

void gw_stream_stop(struct gw_stream *stream)
{
    gw_timer_stop(server_of(stream)->wheel, &stream->timer);
    gw_subscriber_close(&stream->subscriber);
}

void gw_stream_destroy(struct gw_stream *stream)
{
    struct gw_server *server = server_of(stream);
    gw_stream_stop(stream);
    gw_map_remove(server->streams, stream->id, strlen(stream->id));
    if (stream->is_counted)
        (void)gw_server_count_stream(server, stream->identity->tenant_id, stream->identity->actor.id, -1);
    gw_identity_unref(stream->identity);
    gw_free(stream->from);
    gw_free(stream->head);
    gw_free(stream);
}

static void make_id(struct gw_stream *stream)
{
    const struct gw_server *server = server_of(stream);
    uint8_t random[16];
    server->opts.clock->random(server->opts.clock->self, random, sizeof random);
    int length = snprintf(stream->id, sizeof stream->id, "w%zu.", server->opts.worker);
    gw_base64url_encode(random, sizeof random, stream->id + length);
}

static void make_head(struct gw_stream *stream, const struct gw_exchange *exchange)
{
    struct gw_http1_header headers[8];
    size_t count = 0;
    struct gw_buffer head;
    struct gw_error ignored;
    headers[count++] = GW_HTTP1_HEADER("Content-Type", "text/event-stream");
    headers[count++] = GW_HTTP1_HEADER("Cache-Control", "no-store, no-transform");
    headers[count++] = GW_HTTP1_HEADER("X-Accel-Buffering", "no");
    if (exchange->server->opts.config->cors_origin_count > 0)
        headers[count++] = GW_HTTP1_HEADER("Vary", "Origin");
    if (exchange->has_origin_allowed)
        headers[count++] = GW_HTTP1_HEADER("Access-Control-Allow-Origin", exchange->origin);
    struct gw_http1_reply reply = {
        .status = 200, .framing = GW_HTTP1_UNTIL_CLOSE, .closes = true, .headers = headers, .header_count = count};
    size_t length;
    gw_buffer_init(&head, 0);
    (void)gw_http1_write_head(&reply, &head, &ignored); /* the origin is a header value already, so it cannot be refused as one */
    stream->head = gw_buffer_take(&head, &length);
    stream->head_length = (uint32_t)length;
}

/* ---- the request ------------------------------------------------------------------------------------------------------------------------ */

static int parse_number(const char *text, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != '\0')
        return GW_EINVAL;
    *out = strtoull(text, NULL, 10);
    return GW_OK;
}

/* A cursor that is one of the words, or sealed. A word that is almost one is a garbled cursor: reset, not refused, as a browser would not come back. */
static void read_start(const char *cursor, struct gw_subscribe_opts *opts)
{
    opts->start = GW_START_CURSOR;
    opts->cursor = cursor;
    if (!cursor || !cursor[0])
        opts->start = GW_START_CHECKPOINT;
    else if (strcmp(cursor, "earliest") == 0)
        opts->start = GW_START_EARLIEST;
    else if (strcmp(cursor, "now") == 0)
        opts->start = GW_START_NOW;
    else if (cursor[0] == '-' && !parse_number(cursor + 1, &opts->number))
        opts->start = GW_START_LAST;
    else if (strncmp(cursor, "@commit:", 8) == 0 && !parse_number(cursor + 8, &opts->number))
        opts->start = GW_START_COMMIT;
    if (opts->start != GW_START_CURSOR)
        opts->cursor = NULL;
}

static int read_request(struct gw_exchange *exchange, struct gw_subscribe_opts *opts, struct gw_error *err)
{
    int status = gw_exchange_scope(exchange, true, &opts->scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, &opts->scope, err);
    if (!status)
        status = gw_exchange_canvases(exchange, &opts->set, err);
    if (!status)
        status = gw_exchange_plan(exchange, &opts->scope, &opts->plan, err);
    if (status)
        return status;
    read_start(exchange->last_event_id ? exchange->last_event_id : gw_exchange_param(exchange, "cursor"), opts);
    bool needs_history = opts->start == GW_START_EARLIEST || opts->start == GW_START_LAST || opts->start == GW_START_COMMIT;
    if (needs_history && !opts->plan->sees_history)
        return gw_error_set(err, GW_EDENIED, "history_denied", "your lens does not include the past of a run");
    return GW_OK;
}

/* Surface and app id in one block, each with its NUL. */
static char *join_from(const struct gw_scope *scope)
{
    size_t surface_length = strlen(scope->surface_id) + 1;
    char *from = gw_alloc(surface_length + strlen(scope->app_id) + 1);
    memcpy(from, scope->surface_id, surface_length);
    memcpy(from + surface_length, scope->app_id, strlen(scope->app_id) + 1);
    return from;
}

static struct gw_stream *create(struct gw_exchange *exchange, const struct gw_scope *scope)
{
    struct gw_server *server = exchange->server;
    struct gw_stream *stream = gw_alloc(sizeof *stream);
    stream->subscriber.ops = &subscriber_ops;
    stream->connection = exchange->connection;
    stream->identity = gw_identity_ref(exchange->identity);
    stream->subscriber.actor = &stream->identity->actor;
    stream->from = join_from(scope);
    stream->expires_at_ms = stream->identity->expires_at_ms;
    stream->written_at_ms = gw_loop_now_ms(server->opts.loop);
    make_id(stream);
    make_head(stream, exchange);
    return stream;
}

static int open_stream(struct gw_exchange *exchange, struct gw_subscribe_opts *opts, struct gw_error *err)
{
    struct gw_server *server = exchange->server;
    if (!gw_server_count_stream(server, opts->scope.tenant_id, exchange->identity->actor.id, 1))
        return gw_error_limit(err, "too_many_streams", "max_streams_per_actor", (int64_t)server->opts.config->max_streams_per_actor,
                              "this actor has too many open streams");
    struct gw_stream *stream = create(exchange, &opts->scope);
    stream->is_counted = true;
    struct gw_arrival arrival = gw_stream_arrival(stream);
    opts->arrival = &arrival;
    int status = gw_subscriber_open(server->opts.hub, &stream->subscriber, opts, err);
    opts->arrival = NULL;
    if (!status && gw_map_put(server->streams, stream->id, strlen(stream->id), stream, NULL))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for another stream");
    if (status) {
        gw_stream_destroy(stream);
        return status;
    }
    schedule(stream);
    gw_log_write(server->opts.log, GW_LOG_DEBUG, "stream_opened",
                 (struct gw_log_field[]){GW_F_UINT("connection", stream->connection->number), GW_F_TEXT("stream", stream->id),
                                         GW_F_TEXT("tenant", opts->scope.tenant_id), GW_F_TEXT("run", opts->scope.run_id), GW_F_END});
    exchange->is_answered = true; /* the stream is the answer: the conversation frees the exchange */
    gw_connection_become_stream(stream->connection, stream);
    return GW_OK;
}

/* Overload and draining are said in the stream: a browser's EventSource never comes back from another status than 200. */
static bool is_said_in_band(const struct gw_error *err) { return err->is_retryable || strcmp(err->id, "too_many_streams") == 0; }

static void answer_retry(struct gw_exchange *exchange, const struct gw_subscribe_opts *opts, const struct gw_error *err)
{
    struct gw_view view = {.scope = opts->scope};
    struct gw_stream stream = {
        .expires_at_ms = exchange->identity->expires_at_ms, .connection = exchange->connection, .subscriber.view = &view};
    struct gw_verdict verdict = {.status = GW_VERDICT_RETRY, .reason = err->id};
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    make_id(&stream);
    make_head(&stream, exchange);
    stream.from = join_from(&opts->scope);
    gw_buffer_append(&text, stream.head, stream.head_length);
    write_verdict(&stream, &verdict, &text);
    gw_exchange_reply_raw(exchange, text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    gw_free(stream.from);
    gw_free(stream.head);
}

void gw_handle_stream(struct gw_exchange *exchange)
{
    struct gw_subscribe_opts opts = {0};
    struct gw_error err;
    bool is_readable = false;
    int status =
        exchange->connection ? read_request(exchange, &opts, &err) : gw_error_set(&err, GW_ECLOSED, "closed", "the connection is gone");
    if (!status) {
        is_readable = true;
        status = open_stream(exchange, &opts, &err);
    }
    if (status && is_readable && is_said_in_band(&err))
        answer_retry(exchange, &opts, &err);
    else if (status)
        gw_exchange_refuse(exchange, &err);
    gw_plan_unref(opts.plan);
}
