/* POST /v1/commands: one command, a JSON array of commands, or NDJSON with one a line; ?atomic=1 all or none, ?dry_run=1 stores nothing. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/hub.h"
#include "hub/plan.h"
#include "identity/identity.h"
#include "protocol/problem.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

enum form { FORM_SINGLE, FORM_ARRAY, FORM_LINES };

struct batch {
    struct gw_submission submission; /* first */
    struct gw_exchange *exchange;
    enum form form;
};

static void batch_destroy(struct batch *batch)
{
    gw_submission_fini(&batch->submission);
    gw_free(batch);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------------------- */

static void write_outcome(const struct batch *batch, size_t index, struct gw_buffer *out)
{
    const struct gw_outcome *outcome = &batch->submission.outcomes[index];
    if (!outcome->error) {
        gw_buffer_append(out, outcome->answer, outcome->answer_length);
        return;
    }
    const char *command_id = batch->submission.commands[index].command_id;
    gw_buffer_append_text(out, "{\"status\":\"refused\",\"command_id\":");
    gw_buffer_append_json_string(out, command_id, strlen(command_id));
    gw_buffer_append_text(out, ",\"problem\":");
    (void)gw_exchange_write_problem(outcome->error, out);
    if (outcome->changes)
        gw_problem_add_member(out, "changes", outcome->changes, outcome->changes_length);
    gw_buffer_append_char(out, '}');
}

static void write_outcomes(const struct batch *batch, struct gw_buffer *out)
{
    bool is_array = batch->form == FORM_ARRAY;
    if (is_array)
        gw_buffer_append_char(out, '[');
    for (size_t i = 0; i < batch->submission.count; i++) {
        if (is_array && i > 0)
            gw_buffer_append_char(out, ',');
        write_outcome(batch, i, out);
        if (!is_array)
            gw_buffer_append_char(out, '\n');
    }
    if (is_array)
        gw_buffer_append_char(out, ']');
}

/* An atomic batch that was refused is one refusal: the culprit's. */
static const struct gw_outcome *culprit(struct batch *batch)
{
    struct gw_submission *submission = &batch->submission;
    for (size_t i = 0; i < submission->count; i++) {
        struct gw_error *err = submission->outcomes[i].error;
        if (!err || (submission->is_atomic && strcmp(err->id, "batch_aborted") == 0))
            continue;
        char prefix[24];
        if (batch->form != FORM_SINGLE) {
            snprintf(prefix, sizeof prefix, "/%zu", i);
            gw_error_prefix(err, prefix);
        }
        return &submission->outcomes[i];
    }
    return NULL;
}

/* Previews and what changed since were projected by the lens that the batch came with. Whether a command was taken does not depend on what its answer shows. */
static int check_lens(struct batch *batch, struct gw_error *err)
{
    struct gw_submission *submission = &batch->submission;
    bool has_changes = false;
    for (size_t i = 0; i < submission->count; i++)
        has_changes |= submission->outcomes[i].changes != NULL;
    if (!submission->is_dry_run && !has_changes)
        return GW_OK;
    int status = gw_exchange_check_lens(batch->exchange, &submission->commands[0].scope, submission->plan, err);
    for (size_t i = 0; status && i < submission->count; i++) {
        gw_free(submission->outcomes[i].changes);
        submission->outcomes[i].changes = NULL;
    }
    return submission->is_dry_run ? status : GW_OK;
}

static void on_done(struct gw_submission *submission)
{
    struct batch *batch = (struct batch *)(void *)submission;
    struct gw_exchange *exchange = batch->exchange;
    struct gw_error err;
    if (check_lens(batch, &err)) {
        gw_exchange_refuse(exchange, &err);
        batch_destroy(batch);
        return;
    }
    const struct gw_outcome *refusal = batch->form == FORM_SINGLE || submission->is_atomic ? culprit(batch) : NULL;
    if (refusal) {
        gw_exchange_refuse_changed(exchange, refusal->error, refusal->changes, refusal->changes_length);
    } else if (batch->form == FORM_SINGLE) {
        gw_exchange_reply(exchange, 200, "application/json", submission->outcomes[0].answer, submission->outcomes[0].answer_length);
    } else {
        struct gw_buffer body;
        gw_buffer_init(&body, 0);
        write_outcomes(batch, &body);
        gw_exchange_reply(exchange, 200, batch->form == FORM_LINES ? "application/x-ndjson" : "application/json", body.data, body.length);
        gw_buffer_fini(&body);
    }
    batch_destroy(batch);
}

/* ---- parsing --------------------------------------------------------------------------------------------------------------------------- */

static void make_room(struct batch *batch, size_t count)
{
    struct gw_submission *submission = &batch->submission;
    submission->commands = gw_alloc_array(count, sizeof *submission->commands);
    submission->outcomes = gw_alloc_array(count, sizeof *submission->outcomes);
}

static int add_command(struct batch *batch, struct gw_json *body, struct gw_error *err)
{
    struct gw_submission *submission = &batch->submission;
    int status = gw_command_parse(body, &submission->commands[submission->count], err);
    if (!status)
        submission->count++;
    return status;
}

static int limit_count(const struct gw_exchange *exchange, size_t count, struct gw_error *err)
{
    size_t max = exchange->server->opts.config->max_batch_commands;
    if (count == 0)
        return gw_error_set(err, GW_EINVAL, "empty_batch", "a batch holds at least one command");
    if (count > max)
        return gw_error_limit(err, "batch_too_long", "max_batch_commands", (int64_t)max, "a batch holds at most %zu commands", max);
    return GW_OK;
}

static void prefix_index(struct gw_error *err, size_t index)
{
    char prefix[24];
    snprintf(prefix, sizeof prefix, "/%zu", index);
    gw_error_prefix(err, prefix);
}

static int parse_array(struct batch *batch, const struct gw_json *root, struct gw_error *err)
{
    size_t count = gw_json_count(root);
    int status = limit_count(batch->exchange, count, err);
    if (status)
        return status;
    make_room(batch, count);
    for (size_t i = 0; !status && i < count; i++) {
        status = add_command(batch, gw_json_at(root, i), err);
        if (status)
            prefix_index(err, i);
    }
    return status;
}

static int parse_document(struct batch *batch, struct gw_error *err)
{
    struct gw_exchange *exchange = batch->exchange;
    struct gw_json_limits limits = exchange->server->opts.config->json;
    struct gw_json *root;
    limits.max_bytes = exchange->server->opts.config->max_batch_bytes;
    limits.bytes_name = "max_batch_bytes";
    int status = gw_json_parse(exchange->body.data ? exchange->body.data : "", exchange->body.length, &limits, &root, err);
    if (status)
        return status;
    if (gw_json_is_array(root)) {
        batch->form = FORM_ARRAY;
        status = parse_array(batch, root, err);
    } else if (exchange->body.length > exchange->server->opts.config->http.max_body_bytes) {
        size_t max = exchange->server->opts.config->http.max_body_bytes;
        status = gw_error_limit(err, "body_too_large", "max_body_bytes", (int64_t)max, "one command has at most %zu bytes", max);
    } else {
        make_room(batch, 1);
        status = add_command(batch, root, err);
    }
    gw_json_unref(root);
    return status;
}

/* In NDJSON the scope stands in the query, once. */
static int add_scope(struct gw_json *command, const struct gw_scope *scope)
{
    const struct {
        const char *name, *value;
    } ids[] = {{"tenant_id", scope->tenant_id},   {"mode", scope->mode},     {"project_id", scope->project_id},
               {"surface_id", scope->surface_id}, {"app_id", scope->app_id}, {"run_id", scope->run_id}};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (!gw_json_get(command, ids[i].name) && gw_json_set(command, ids[i].name, gw_json_new_text(ids[i].value, strlen(ids[i].value))))
            return GW_ENOMEM;
    return GW_OK;
}

static int parse_line(struct batch *batch, const struct gw_scope *scope, const char *line, size_t length, struct gw_error *err)
{
    struct gw_json_limits limits = batch->exchange->server->opts.config->json;
    struct gw_json *body;
    limits.max_bytes = batch->exchange->server->opts.config->http.max_body_bytes;
    int status = gw_json_parse(line, length, &limits, &body, err);
    if (status) {
        gw_error_prefix(err, " at "); /* a byte of the line, not of the body */
        return status;
    }
    if (gw_json_is_object(body) && add_scope(body, scope))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command");
    if (!status)
        status = add_command(batch, body, err);
    gw_json_unref(body);
    return status;
}

static int parse_lines(struct batch *batch, struct gw_error *err)
{
    const struct gw_exchange *exchange = batch->exchange;
    const char *at = exchange->body.data ? exchange->body.data : "", *end = at + exchange->body.length;
    struct gw_scope scope;
    size_t count = 0;
    for (const char *p = at; p < end; p++)
        count += *p == '\n';
    count += end > at && end[-1] != '\n';
    int status = gw_exchange_scope(exchange, true, &scope, err);
    if (!status)
        status = limit_count(exchange, count, err);
    if (status)
        return status;
    make_room(batch, count);
    for (size_t i = 0; !status && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        status = parse_line(batch, &scope, at, (size_t)(stop - at), err);
        if (status)
            prefix_index(err, i);
        at = stop + 1;
    }
    return status;
}

static bool is_type(const char *given, const char *type)
{
    size_t length = strlen(type);
    return given && strncasecmp(given, type, length) == 0 && (given[length] == '\0' || given[length] == ';' || given[length] == ' ');
}

static int parse_body(struct batch *batch, struct gw_error *err)
{
    const char *type = batch->exchange->content_type;
    batch->form = is_type(type, "application/x-ndjson") ? FORM_LINES : FORM_SINGLE;
    if (batch->form == FORM_LINES)
        return parse_lines(batch, err);
    if (type && !is_type(type, "application/json"))
        return gw_error_set(err, GW_EINVAL, "unsupported_media_type", "commands are application/json or application/x-ndjson");
    return parse_document(batch, err);
}

static int read_flag(const struct gw_exchange *exchange, const char *name, bool *out, struct gw_error *err)
{
    const char *value = gw_exchange_param(exchange, name);
    *out = value && strcmp(value, "1") == 0;
    if (!value || *out || strcmp(value, "0") == 0)
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "bad_parameter", "%s is 0 or 1", name);
    gw_error_prefix(err, name);
    return GW_EINVAL;
}

/* All commands belong to one run, and the bearer covers each one's scope: surface and app may differ. */
static int admit(struct batch *batch, struct gw_error *err)
{
    struct gw_submission *submission = &batch->submission;
    gw_run_key_encode(&submission->commands[0].scope, &submission->run);
    submission->scope = submission->commands[0].scope;
    for (size_t i = 0; i < submission->count; i++) {
        struct gw_run_key key;
        int status = gw_exchange_admit(batch->exchange, &submission->commands[i].scope, err);
        gw_run_key_encode(&submission->commands[i].scope, &key);
        if (!status && strcmp(key.text, submission->run.text) != 0)
            status = gw_error_set(err, GW_EINVAL, "mixed_runs", "all commands of a batch belong to one run");
        if (status && batch->form != FORM_SINGLE)
            prefix_index(err, i);
        if (status)
            return status;
    }
    return gw_exchange_plan(batch->exchange, &submission->scope, &submission->plan, err);
}

static int read_batch(struct batch *batch, struct gw_error *err)
{
    struct gw_submission *submission = &batch->submission;
    int status = read_flag(batch->exchange, "atomic", &submission->is_atomic, err);
    if (!status)
        status = read_flag(batch->exchange, "dry_run", &submission->is_dry_run, err);
    if (!status)
        status = parse_body(batch, err);
    return status ? status : admit(batch, err);
}

void gw_handle_commands(struct gw_exchange *exchange)
{
    struct gw_server *server = exchange->server;
    struct batch *batch = gw_alloc(sizeof *batch);
    struct gw_error err;
    batch->exchange = exchange;
    int status = read_batch(batch, &err);
    if (status) {
        gw_exchange_refuse_with(exchange, strcmp(err.id, "unsupported_media_type") == 0 ? 415 : 0, &err);
        batch_destroy(batch);
        return;
    }
    batch->submission.actor = exchange->identity->actor;
    memcpy(batch->submission.role, exchange->identity->role, sizeof batch->submission.role);
    batch->submission.home = &server->opts.executors[server->opts.worker];
    batch->submission.done = on_done;
    gw_hub_submit(server->opts.hub, &batch->submission);
}
