/* What an open stream shows when the policies change, and whether a fresh bearer shows the same. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "hub/plan.h"
#include "hub/presence.h"
#include "hub/view.h"
#include "identity/identity.h"
#include "transport/connection.h"
#include "transport/server_internal.h"
#include "transport/stream.h"

/* Where the stream was opened. */
static struct gw_scope scope_of(const struct gw_stream *stream)
{
    struct gw_scope scope = stream->subscriber.view->scope;
    const char *app_id = stream->from + strlen(stream->from) + 1;
    memcpy(scope.surface_id, stream->from, strlen(stream->from) + 1);
    memcpy(scope.app_id, app_id, strlen(app_id) + 1);
    return scope;
}

/* The lens of `identity` there; one new reference. */
static int ask(const struct gw_stream *stream, const struct gw_identity *identity, struct gw_plan **plan, struct gw_error *err)
{
    struct gw_scope scope = scope_of(stream);
    int status = gw_identity_covers(identity, &scope, err);
    return status ? status : gw_server_plan(stream->connection->server, identity, &scope, plan, err);
}

/* An open stream shows one plan: a bearer with another lens needs a stream of its own. */
int gw_stream_check_lens(const struct gw_stream *stream, const struct gw_identity *identity, struct gw_error *err)
{
    struct gw_plan *plan;
    int status = ask(stream, identity, &plan, err);
    if (status)
        return status;
    bool is_same = plan->class_id == stream->subscriber.view->plan->class_id;
    gw_plan_unref(plan);
    return is_same ? GW_OK : gw_error_set(err, GW_EDENIED, "not_covered", "a bearer with another lens cannot renew this stream");
}

static void end(struct gw_stream *stream, const struct gw_error *err)
{
    const struct gw_subscriber *subscriber = &stream->subscriber;
    gw_log_write(stream->connection->server->opts.log, GW_LOG_INFO, "stream_lost_lens",
                 (struct gw_log_field[]){GW_F_UINT("connection", stream->connection->number), GW_F_TEXT("stream", stream->id),
                                         GW_F_TEXT("reason", err->id), GW_F_END});
    /* What is half out is the old lens's: its end must not follow. */
    if (subscriber->into > 0 || subscriber->phase != GW_SUB_FLOWING)
        gw_connection_close(stream->connection);
    else
        gw_stream_finish(stream, "goaway", "{\"reason\":\"not_allowed\",\"after_ms\":0,\"retry\":\"final\"}");
}

/* Its tenant has used the scripts' time of this second, or is in quarantine, or memory is short: the next tick asks again, and meanwhile nothing is shown. */
static bool is_to_be_asked_again(const struct gw_error *err)
{
    static const char *const passing[] = {"script_budget", "policy_quarantined", "out_of_memory"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strcmp(err->id, passing[i]) == 0)
            return true;
    return false;
}

/* No lens counts for it any more. */
static bool is_over(const struct gw_stream *stream)
{
    return stream->is_leaving || !stream->subscriber.view || stream->subscriber.is_refused;
}

void gw_stream_prepare_lens(const struct gw_stream *stream)
{
    if (is_over(stream))
        return;
    struct gw_scope scope = scope_of(stream);
    gw_server_prepare_plan(stream->connection->server, stream->identity, &scope);
}

void gw_stream_hold_lens(struct gw_stream *stream)
{
    if (!is_over(stream))
        gw_subscriber_hold(&stream->subscriber);
}

/* Under another lens; where that cannot be said, the stream ends. */
static void go_over(struct gw_stream *stream, struct gw_plan *plan)
{
    struct gw_arrival arrival = gw_stream_arrival(stream);
    stream->has_new_lens = stream->head == NULL; /* before the first verdict there was no lens that it knew of */
    if (gw_subscriber_switch(&stream->subscriber, plan, &arrival))
        gw_connection_close(stream->connection);
}

bool gw_stream_ask_lens(struct gw_stream *stream)
{
    struct gw_plan *plan;
    struct gw_error err;
    if (is_over(stream))
        return false;
    int status = ask(stream, stream->identity, &plan, &err);
    if (status && is_to_be_asked_again(&err)) {
        gw_subscriber_hold(&stream->subscriber);
        return false;
    }
    if (status) {
        end(stream, &err);
        return true;
    }
    gw_subscriber_release(&stream->subscriber);
    bool is_other = plan->class_id != stream->subscriber.view->plan->class_id;
    if (is_other)
        go_over(stream, plan);
    gw_plan_unref(plan);
    return is_other;
}
