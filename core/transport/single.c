#include "transport/single.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/hub.h"
#include "identity/identity.h"
#include "transport/exchange.h"
#include "transport/server_internal.h"

struct single {
    struct gw_submission submission; /* first */
    struct gw_exchange *exchange;
    const char *hidden_path;
};

int gw_single_read(const struct gw_exchange *exchange, struct gw_json **body, struct gw_error *err)
{
    if (exchange->content_type && !gw_exchange_is_type(exchange, "application/json"))
        return gw_error_set(err, GW_EINVAL, "unsupported_media_type", "this resource takes application/json");
    struct gw_json_limits limits = exchange->server->opts.config->json;
    limits.max_bytes = exchange->body.length > limits.max_bytes ? exchange->body.length : limits.max_bytes; /* the route has bounded it */
    return gw_json_parse(exchange->body.data ? exchange->body.data : "", exchange->body.length, &limits, body, err);
}

void gw_single_shorten(struct gw_error *err, const char *prefix)
{
    size_t length = prefix ? strlen(prefix) : 0;
    if (length && strncmp(err->path, prefix, length) == 0)
        memmove(err->path, err->path + length, strlen(err->path + length) + 1);
}

void gw_single_refuse(struct gw_exchange *exchange, const struct gw_error *err)
{
    int status = strcmp(err->id, "unsupported_media_type") == 0 ? 415 : 0;
    bool is_missing = exchange->path_id[0] && strcmp(err->id, "unknown_message") == 0;
    gw_exchange_refuse_with(exchange, is_missing ? 404 : status, err);
}

static void single_destroy(struct single *single)
{
    gw_submission_fini(&single->submission);
    gw_free(single);
}

static void on_done(struct gw_submission *submission)
{
    struct single *single = (struct single *)(void *)submission;
    struct gw_outcome *outcome = &submission->outcomes[0];
    if (outcome->error) {
        gw_single_shorten(outcome->error, single->hidden_path);
        gw_single_refuse(single->exchange, outcome->error);
    } else {
        gw_exchange_reply(single->exchange, 200, "application/json", outcome->answer, outcome->answer_length);
    }
    single_destroy(single);
}

static int fill(struct single *single, struct gw_json *command, struct gw_error *err)
{
    struct gw_submission *submission = &single->submission;
    submission->commands = gw_alloc(sizeof *submission->commands);
    submission->outcomes = gw_alloc(sizeof *submission->outcomes);
    int status = gw_command_parse(command, &submission->commands[0], err);
    if (status)
        return status;
    submission->count = 1;
    submission->scope = submission->commands[0].scope;
    gw_run_key_encode(&submission->scope, &submission->run);
    status = gw_exchange_admit(single->exchange, &submission->scope, err);
    return status ? status : gw_exchange_plan(single->exchange, &submission->scope, &submission->plan, err);
}

void gw_single_submit(struct gw_exchange *exchange, const struct gw_single_opts *opts)
{
    struct gw_server *server = exchange->server;
    struct single *single = gw_alloc(sizeof *single);
    struct gw_error err;
    single->exchange = exchange;
    single->hidden_path = opts->hidden_path;
    if (fill(single, opts->command, &err)) {
        gw_single_shorten(&err, opts->hidden_path);
        gw_single_refuse(exchange, &err);
        single_destroy(single);
        return;
    }
    if (opts->is_append)
        single->submission.commands[0].command_id[0] = '\0'; /* it causes nothing by name */
    single->submission.is_append = opts->is_append;
    single->submission.actor = exchange->identity->actor;
    memcpy(single->submission.role, exchange->identity->role, sizeof single->submission.role);
    single->submission.home = &server->opts.executors[server->opts.worker];
    single->submission.done = on_done;
    gw_hub_submit(server->opts.hub, &single->submission);
}
