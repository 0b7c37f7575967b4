/* POST /v1/gestures: {ids, canvas_id, data}, what the bearer's actor does on a canvas at the moment (hub/gesture.h). Shown to those who are there, never stored. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/gesture_post.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "identity/identity.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"
#include "transport/single.h"

struct showing {
    struct gw_gesture_post post; /* first */
    struct gw_exchange *exchange;
};

static void showing_destroy(struct showing *showing)
{
    gw_gesture_post_fini(&showing->post);
    gw_free(showing);
}

static void on_done(struct gw_gesture_post *post)
{
    static const char taken[] = "{\"status\":\"shown\"}";
    struct showing *showing = (struct showing *)(void *)post;
    if (post->status)
        gw_exchange_refuse(showing->exchange, &post->err);
    else
        gw_exchange_reply(showing->exchange, 200, "application/json", taken, sizeof taken - 1);
    showing_destroy(showing);
}

/* ---- the body --------------------------------------------------------------------------------------------------------------------------- */

static int refuse_member(const char *name, const char *id, const char *why, struct gw_error *err)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", name, why);
    gw_pointer_prefix(err, name);
    return GW_EINVAL;
}

static int check_members(const struct gw_json *body, struct gw_error *err)
{
    static const char *const of_commands[] = {"command_id", "type", "args", "base", "origin", "n", "if"};
    if (!gw_json_is_object(body))
        return gw_error_set(err, GW_EINVAL, "bad_shape", "the body is a JSON object");
    for (size_t i = 0; i < sizeof of_commands / sizeof *of_commands; i++)
        if (gw_json_get(body, of_commands[i]))
            return refuse_member(of_commands[i], "unknown_member", "is no member of a gesture", err);
    if (!gw_json_get(body, "canvas_id"))
        return refuse_member("canvas_id", "missing_id", "is required", err);
    if (!gw_json_is_object(gw_json_get(body, "data")))
        return refuse_member("data", gw_json_get(body, "data") ? "bad_shape" : "missing_member", "must be an object", err);
    return GW_OK;
}

/* A gesture names its place as a command does, and is read as one. */
static int parse(struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    static const char word[] = "gesture";
    int status = check_members(body, err);
    if (status)
        return status;
    status = gw_json_set(body, "args", gw_json_ref(gw_json_get(body, "data")));
    gw_json_remove(body, "data");
    if (!status)
        status = gw_json_set(body, "type", gw_json_new_text(word, sizeof word - 1));
    if (!status)
        status = gw_json_set(body, "command_id", gw_json_new_text(word, sizeof word - 1));
    return status ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the gesture") : gw_command_parse(body, out, err);
}

static int check_data(const struct gw_exchange *exchange, const struct gw_json *data, struct gw_error *err)
{
    int status = gw_gesture_check(data, exchange->server->opts.config->max_base64_run, err);
    if (status)
        gw_pointer_prefix(err, "data");
    return status;
}

static int fill(struct showing *showing, const struct gw_command *command, struct gw_error *err)
{
    struct gw_exchange *exchange = showing->exchange;
    struct gw_gesture_post *post = &showing->post;
    int status = gw_exchange_admit(exchange, &command->scope, err);
    if (!status)
        status = check_data(exchange, command->args, err);
    if (!status)
        status = gw_exchange_plan(exchange, &command->scope, &post->gesture.plan, err);
    if (status)
        return status;
    if (!post->gesture.plan->sees_presence)
        return gw_error_set(err, GW_EDENIED, "not_allowed", "your lens does not let you show yourself");
    post->scope = command->scope;
    post->who.actor = exchange->identity->actor;
    memcpy(post->who.surface_id, command->scope.surface_id, sizeof post->who.surface_id);
    memcpy(post->who.app_id, command->scope.app_id, sizeof post->who.app_id);
    memcpy(post->gesture.canvas_id, command->canvas_id, sizeof post->gesture.canvas_id);
    post->gesture.data = gw_json_ref(command->args);
    return GW_OK;
}

static int read_request(struct showing *showing, struct gw_error *err)
{
    struct gw_json *body = NULL;
    struct gw_command command;
    int status = gw_single_read(showing->exchange, &body, err);
    if (!status)
        status = parse(body, &command, err);
    gw_json_unref(body);
    if (status)
        return status;
    status = fill(showing, &command, err);
    gw_command_fini(&command);
    return status;
}

void gw_handle_gestures(struct gw_exchange *exchange)
{
    struct gw_server *server = exchange->server;
    struct showing *showing = gw_alloc(sizeof *showing);
    struct gw_error err;
    showing->exchange = exchange;
    if (read_request(showing, &err)) {
        gw_single_refuse(exchange, &err);
        showing_destroy(showing);
        return;
    }
    showing->post.home = &server->opts.executors[server->opts.worker];
    showing->post.done = on_done;
    gw_hub_show(server->opts.hub, &showing->post);
}
