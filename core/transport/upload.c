#include "transport/upload.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/hub.h"
#include "hub/plan.h"
#include "identity/identity.h"
#include "io/loop.h"
#include "io/timer.h"
#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/server_internal.h"
#include "transport/single.h"

#define POSTS_MAX  8            /* under way at a time */
#define JOIN_BYTES (64u << 10)  /* of text that waits for one of them to come back */
#define HOLD_BYTES (128u << 10) /* of body, from where on no more is read */
/* A producer that has nothing to say hears within this time that its message was stopped. */
#define PROBE_MS 1000
/* What the gateway may take to end a message after its lease. A body that is silent for longer lives on the signs of life of others. */
#define LEASE_GRACE_MS (3 * PROBE_MS)

struct gw_upload {
    struct gw_exchange *exchange; /* NULL: its connection is gone */
    struct gw_server *server;
    struct gw_scope scope;
    struct gw_run_key run;
    struct gw_actor actor;
    char role[GW_ID_MAX + 1];
    char message_id[GW_ID_MAX + 1];
    struct gw_timer timer;
    struct gw_buffer text;         /* joined, not posted yet */
    size_t text_offset, offset;    /* code points: where `text` begins; where the next line goes on */
    char end[16];                  /* "" until a line says how the message ends */
    bool has_end_posted, has_news; /* a sign of life to pass on */
    uint64_t heard_at_ms;          /* when the last line was taken, or could not be for want of room */
    size_t line_count, posts;
    bool is_stalled; /* the body holds lines that cannot be taken yet */
    bool has_failed;
    int status; /* of the refusal, 0: by the error */
    struct gw_error err;
    char *answer; /* of the last post */
    size_t answer_length;
};

struct post {
    struct gw_submission submission; /* first */
    struct gw_upload *upload;
};

static void pump(struct gw_upload *upload);

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

static void upload_destroy(struct gw_upload *upload)
{
    gw_timer_stop(upload->server->wheel, &upload->timer);
    gw_buffer_fini(&upload->text);
    gw_free(upload->answer);
    gw_free(upload);
}

static void on_lost(struct gw_exchange *exchange)
{
    struct gw_upload *upload = exchange->work;
    upload->exchange = NULL;
    gw_exchange_destroy(exchange);
    if (upload->posts == 0)
        upload_destroy(upload);
}

static void fail(struct gw_upload *upload, int status, const struct gw_error *err)
{
    if (upload->has_failed)
        return;
    upload->has_failed = true;
    upload->status = status;
    upload->err = *err;
}

/* ---- posts ----------------------------------------------------------------------------------------------------------------------------- */

static void on_post_done(struct gw_submission *submission)
{
    struct post *post = (struct post *)(void *)submission;
    struct gw_upload *upload = post->upload;
    struct gw_outcome *outcome = &submission->outcomes[0];
    upload->posts--;
    if (outcome->error) {
        gw_single_shorten(outcome->error, "/args");
        fail(upload, 0, outcome->error);
    } else {
        gw_free(upload->answer);
        upload->answer = outcome->answer;
        upload->answer_length = outcome->answer_length;
        outcome->answer = NULL;
    }
    gw_submission_fini(submission);
    gw_free(post);
    pump(upload);
}

/* Borrows the upload's text; NULL when memory is gone. */
static struct gw_json *make_args(const struct gw_upload *upload)
{
    struct gw_json *args = gw_json_new_object();
    if (!args)
        return NULL;
    int status = gw_json_set(args, "message_id", gw_json_new_text(upload->message_id, strlen(upload->message_id)));
    if (!status && (upload->text.length || upload->end[0]))
        status = gw_json_set(args, "offset", gw_json_new_int((int64_t)upload->text_offset));
    if (!status && upload->text.length)
        status = gw_json_set(args, "text", gw_json_new_text(upload->text.data, upload->text.length));
    if (!status && upload->end[0])
        status = gw_json_set(args, "end", gw_json_new_text(upload->end, strlen(upload->end)));
    if (!status)
        return args;
    gw_json_unref(args);
    return NULL;
}

/* The lens of now: policies may have changed since the body began, and what they took away counts for its next line. */
static int prepare(const struct gw_upload *upload, struct gw_json **args, struct gw_plan **plan, struct gw_error *err)
{
    int status = gw_exchange_plan(upload->exchange, &upload->scope, plan, err);
    if (status)
        return status;
    *args = make_args(upload);
    if (*args)
        return GW_OK;
    gw_plan_unref(*plan);
    return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the tokens");
}

/* While its connection is there. */
static void send_post(struct gw_upload *upload, bool is_probe)
{
    struct gw_server *server = upload->server;
    struct gw_json *args;
    struct gw_plan *plan;
    struct gw_error err;
    if (prepare(upload, &args, &plan, &err)) {
        fail(upload, 0, &err);
        return;
    }
    struct post *post = gw_alloc(sizeof *post);
    struct gw_submission *submission = &post->submission;
    post->upload = upload;
    submission->run = upload->run;
    submission->scope = upload->scope;
    submission->actor = upload->actor;
    memcpy(submission->role, upload->role, sizeof submission->role);
    submission->plan = plan;
    submission->commands = gw_alloc(sizeof *submission->commands);
    submission->outcomes = gw_alloc(sizeof *submission->outcomes);
    submission->commands[0].scope = upload->scope;
    submission->commands[0].args = args;
    memcpy(submission->commands[0].type, "chat.append", sizeof "chat.append");
    submission->count = 1;
    submission->is_append = true;
    submission->is_probe = is_probe;
    submission->home = &server->opts.executors[server->opts.worker];
    submission->done = on_post_done;
    upload->posts++;
    gw_hub_submit(server->opts.hub, submission);
}

static bool has_post(const struct gw_upload *upload)
{
    return upload->text.length || (upload->end[0] && !upload->has_end_posted) || upload->has_news;
}

static void flush(struct gw_upload *upload)
{
    if (upload->has_failed || upload->posts >= POSTS_MAX || !has_post(upload))
        return;
    send_post(upload, false);
    upload->has_news = false;
    upload->has_end_posted = upload->end[0] != '\0';
    upload->text_offset = upload->offset;
    gw_buffer_reset(&upload->text);
}

/* The lease of the message ends most silences first: then the probe is refused. */
static void check_silence(struct gw_upload *upload)
{
    const struct gw_exchange *exchange = upload->exchange;
    uint64_t now = gw_loop_now_ms(upload->server->opts.loop), lease_ms = upload->server->opts.config->chat_lease_ms;
    struct gw_error err;
    if (!exchange || exchange->is_held || exchange->is_body_ended || upload->is_stalled)
        upload->heard_at_ms = now;
    if (now - upload->heard_at_ms < lease_ms + LEASE_GRACE_MS)
        return;
    gw_error_set(&err, GW_ETIMEOUT, "request_timeout", "no line of the body has come for too long");
    gw_error_name_limit(&err, "chat_lease_ms", (int64_t)lease_ms);
    fail(upload, 0, &err);
}

/* A body may outlast its bearer as little as a stream may. */
static void check_bearer(struct gw_upload *upload)
{
    const struct gw_clock *clock = upload->server->opts.clock;
    struct gw_error err;
    if (!upload->exchange || clock->wall_ms(clock->self) < upload->exchange->identity->expires_at_ms)
        return;
    gw_error_set(&err, GW_EAUTH, "bearer_expired", "the bearer has expired while the body was under way");
    fail(upload, 0, &err);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_upload *upload = (struct gw_upload *)(void *)((char *)timer - offsetof(struct gw_upload, timer));
    gw_timer_start(upload->server->wheel, &upload->timer, PROBE_MS, on_timer);
    check_silence(upload);
    check_bearer(upload);
    if (!upload->has_failed && upload->posts == 0)
        send_post(upload, true);
    if (upload->has_failed)
        pump(upload);
}

/* ---- lines ----------------------------------------------------------------------------------------------------------------------------- */

static int refuse_line(const struct gw_upload *upload, struct gw_error *err)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "/%zu", upload->line_count);
    gw_error_prefix(err, prefix);
    return err->code;
}

static int bad_member(struct gw_error *err, const char *id, const char *member, const char *why)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", member, why);
    gw_error_prefix(err, member);
    gw_error_prefix(err, "/");
    return GW_EINVAL;
}

static int check_members(const struct gw_json *line, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    if (!gw_json_is_object(line))
        return gw_error_set(err, GW_EINVAL, "bad_shape", "a line is an object");
    while (gw_json_next(line, &iterator, &key, &value)) {
        if (strcmp(key, "text") != 0 && strcmp(key, "offset") != 0 && strcmp(key, "end") != 0)
            return gw_error_set(err, GW_EINVAL, "unknown_member", "a line holds text, offset and end");
        if (strcmp(key, "offset") == 0 ? !gw_json_is_int(value) || gw_json_int(value) < 0 : !gw_json_is_string(value))
            return bad_member(err, "bad_shape", key, "is of another JSON type");
    }
    return GW_OK;
}

static int take_end(struct gw_upload *upload, const struct gw_json *line, struct gw_error *err)
{
    const struct gw_json *end = gw_json_get(line, "end");
    size_t length = 0;
    const char *word = end ? gw_json_text(end, &length) : "";
    if (length >= sizeof upload->end || (end && length == 0))
        return bad_member(err, "bad_shape", "end", "is done, cancelled or aborted");
    memcpy(upload->end, word, length + 1);
    return GW_OK;
}

/* Joins the line to the text that waits; a line for another place waits until that is posted. */
static int take_values(struct gw_upload *upload, const struct gw_json *line, struct gw_error *err)
{
    const struct gw_json *text = gw_json_get(line, "text"), *offset = gw_json_get(line, "offset");
    size_t length = 0;
    const char *bytes = text ? gw_json_text(text, &length) : "";
    if (offset)
        upload->offset = (size_t)gw_json_int(offset);
    if (upload->text.length == 0)
        upload->text_offset = upload->offset;
    gw_buffer_append(&upload->text, bytes, length);
    upload->offset += (size_t)gw_utf8_count(bytes, length, NULL);
    if (upload->text.has_failed)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the tokens");
    return take_end(upload, line, err);
}

static bool is_elsewhere(const struct gw_upload *upload, const struct gw_json *line)
{
    const struct gw_json *offset = gw_json_get(line, "offset");
    return upload->text.length && offset && (uint64_t)gw_json_int(offset) != upload->offset;
}

enum taken { TAKEN, TAKEN_LATER, TAKEN_BAD };

static enum taken take_line(struct gw_upload *upload, const char *text, size_t length)
{
    static const struct gw_json_limits shape = {.max_bytes = SIZE_MAX, .max_depth = 4, .max_nodes = 64};
    struct gw_json *line;
    struct gw_error err;
    upload->has_news = true;
    upload->heard_at_ms = gw_loop_now_ms(upload->server->opts.loop);
    if (length == 0 || (length == 1 && text[0] == '\r'))
        return TAKEN;
    int status = gw_json_parse(text, length, &shape, &line, &err);
    if (!status) {
        status = check_members(line, &err);
        if (!status && is_elsewhere(upload, line)) {
            flush(upload);
            if (is_elsewhere(upload, line)) { /* too many posts are under way */
                gw_json_unref(line);
                return TAKEN_LATER;
            }
        }
        if (!status)
            status = take_values(upload, line, &err);
        gw_json_unref(line);
    }
    if (!status)
        return TAKEN;
    refuse_line(upload, &err);
    fail(upload, 0, &err);
    return TAKEN_BAD;
}

static bool takes_lines(const struct gw_upload *upload)
{
    return !upload->has_failed && !upload->end[0] && upload->text.length < JOIN_BYTES;
}

/* A line may be as long as a whole body elsewhere. */
static void check_length(struct gw_upload *upload, size_t length)
{
    size_t max = upload->server->opts.config->http.max_body_bytes;
    struct gw_error err;
    if (length <= max)
        return;
    gw_error_limit(&err, "body_too_large", "max_body_bytes", (int64_t)max, "a line of a streamed body has at most %zu bytes", max);
    refuse_line(upload, &err);
    fail(upload, 0, &err);
}

static void take_lines(struct gw_upload *upload)
{
    struct gw_exchange *exchange = upload->exchange;
    if (exchange->body.length == 0)
        return;
    const char *at = exchange->body.data, *end = at + exchange->body.length;
    struct gw_error err;
    if (exchange->body.has_failed) {
        gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the request's body");
        fail(upload, 0, &err);
    }
    upload->is_stalled = false;
    while (at < end && takes_lines(upload)) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        check_length(upload, (size_t)(stop - at));
        if (upload->has_failed || (!newline && !exchange->is_body_ended))
            break;
        enum taken taken = take_line(upload, at, (size_t)(stop - at));
        upload->is_stalled = taken == TAKEN_LATER;
        if (taken != TAKEN)
            break;
        upload->line_count++;
        at = newline ? newline + 1 : end;
    }
    upload->is_stalled |= !takes_lines(upload);
    gw_buffer_consume(&exchange->body, (size_t)(at - exchange->body.data));
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------- */

static bool is_over(const struct gw_upload *upload)
{
    bool has_all = upload->end[0] || (upload->exchange->is_body_ended && upload->exchange->body.length == 0);
    return upload->posts == 0 && (upload->has_failed || (has_all && !has_post(upload)));
}

static void answer(struct gw_upload *upload)
{
    struct gw_exchange *exchange = upload->exchange;
    exchange->on_body = exchange->on_lost = NULL;
    if (upload->has_failed && upload->status)
        gw_exchange_refuse_with(exchange, upload->status, &upload->err);
    else if (upload->has_failed)
        gw_single_refuse(exchange, &upload->err);
    else
        gw_exchange_reply(exchange, 200, "application/json", upload->answer, upload->answer_length);
    upload_destroy(upload);
}

/* Whether it is read from follows from what waits: the body, once no more of it can be taken. */
static void set_hold(struct gw_upload *upload)
{
    struct gw_exchange *exchange = upload->exchange;
    if (exchange->body.length >= HOLD_BYTES && upload->is_stalled)
        exchange->is_held = true;
    else
        gw_exchange_resume_body(exchange);
}

static void pump(struct gw_upload *upload)
{
    struct gw_exchange *exchange = upload->exchange;
    if (!exchange) {
        if (upload->posts == 0)
            upload_destroy(upload);
        return;
    }
    if (exchange->body_status)
        fail(upload, exchange->body_status, &exchange->body_err);
    size_t before;
    do {
        before = exchange->body.length;
        take_lines(upload);
        flush(upload);
    } while (exchange->body.length < before && takes_lines(upload));
    if (is_over(upload))
        answer(upload);
    else
        set_hold(upload);
}

static void on_body(struct gw_exchange *exchange) { pump(exchange->work); }

static int read_request(struct gw_upload *upload, struct gw_error *err)
{
    struct gw_exchange *exchange = upload->exchange;
    if (!gw_id_is_valid(exchange->path_id, strlen(exchange->path_id)))
        return gw_error_set(err, GW_ENOTFOUND, "unknown_message", "no such message stands in this run");
    memcpy(upload->message_id, exchange->path_id, strlen(exchange->path_id) + 1);
    int status = gw_exchange_scope(exchange, true, &upload->scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, &upload->scope, err);
    if (!status)
        gw_run_key_encode(&upload->scope, &upload->run);
    return status;
}

void gw_upload_start(struct gw_exchange *exchange)
{
    struct gw_upload *upload = gw_alloc(sizeof *upload);
    struct gw_error err;
    upload->exchange = exchange;
    upload->server = exchange->server;
    upload->actor = exchange->identity->actor;
    memcpy(upload->role, exchange->identity->role, sizeof upload->role);
    gw_buffer_init(&upload->text, 0);
    if (read_request(upload, &err)) {
        gw_single_refuse(exchange, &err);
        upload_destroy(upload);
        return;
    }
    exchange->work = upload;
    exchange->on_body = on_body;
    exchange->on_lost = on_lost;
    upload->has_news = true; /* that it begins; and it hears at once when there is nothing to add to */
    upload->heard_at_ms = gw_loop_now_ms(upload->server->opts.loop);
    gw_timer_start(upload->server->wheel, &upload->timer, PROBE_MS, on_timer);
    pump(upload);
}
