/* Executing: from one command to its events, folded and written into the gathering record. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/revise.h"
#include "hub/run.h"
#include "hub/run_policy.h"

/* The time of the events to come: it never goes back. */
static int64_t tick(struct gw_run *run)
{
    int64_t now = run->hub->opts.clock->wall_ms(run->hub->opts.clock->self);
    if (now > run->last_ts_ms)
        run->last_ts_ms = now;
    return run->last_ts_ms;
}

static void stamp(const struct gw_run *run, const struct gw_submission *submission, const struct gw_command *command,
                  struct gw_event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        struct gw_event *event = events->items[i];
        event->seq = gw_state_seq(run->state) + 1 + i;
        event->ts_ms = run->last_ts_ms;
        event->actor = submission->actor;
        memcpy(event->surface_id, command->scope.surface_id, sizeof event->surface_id);
        memcpy(event->app_id, command->scope.app_id, sizeof event->app_id);
        memcpy(event->cause, command->command_id, sizeof event->cause);
    }
}

/* A base that this run has not reached: it was sealed by another node, so the log may hold more than is known here. */
static bool is_ahead(const struct gw_run *run, const struct gw_position *position)
{
    return gw_run_epoch(run) == 0 || (position->epoch == run->epoch && position->seq > gw_state_seq(run->state));
}

static enum gw_executed open_base(const struct gw_run *run, struct gw_command *command, struct gw_error *err)
{
    static const struct gw_canvas_set everything;
    const struct gw_wire *wire = run->hub->opts.wire;
    struct gw_opened opened = {0};
    const struct gw_position *position = &opened.position;
    bool is_open = false;
    if (!command->has_base)
        return GW_EXECUTED;
    if (command->base_cursor)
        is_open = wire->open(wire->self, &run->key, &everything, command->base_cursor, &opened) == GW_OK;
    bool is_first = position->epoch == 0 && position->seq == 0;
    if (is_open && (is_first || position->epoch == run->epoch) && position->seq <= gw_state_seq(run->state)) {
        command->base_seq = position->seq;
        return GW_EXECUTED;
    }
    gw_error_set(err, GW_ECONFLICT, "base_unknown", "base is not a cursor of this run: read the state again");
    gw_error_prefix(err, "/base");
    return is_open && is_ahead(run, position) ? GW_EXECUTE_AHEAD : GW_EXECUTE_REFUSED;
}

/* A command that changes nothing still takes a seq, so that its answer is as durable as any other. */
static int add_void(struct gw_event_list *events)
{
    struct gw_event *event = gw_event_create();
    if (!event)
        return GW_ENOMEM;
    event->type = GW_EVENT_VOID;
    return gw_event_list_add(events, event);
}

bool gw_run_keeps_whole(const struct gw_run *run)
{
    const struct gw_policy *policy = run->hub->opts.policy;
    return policy && policy->has_transforms && policy->has_transforms(policy->self, run->scope.tenant_id);
}

enum gw_executed gw_run_resolve(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_event_list *events,
                                struct gw_error *err)
{
    struct gw_command *command = &submission->commands[index];
    struct gw_resolve_context context = {.manifests = run->hub->opts.manifests,
                                         .plan = submission->plan,
                                         .policy = run->hub->opts.policy,
                                         .keeps_whole = gw_run_keeps_whole(run),
                                         .author_id = submission->actor.id,
                                         .author_kind = gw_actor_kind_name(submission->actor.kind),
                                         .batch = submission->count > 1 ? submission->commands[0].command_id : NULL,
                                         .epoch = run->epoch,
                                         .ts_ms = tick(run)};
    enum gw_executed executed = open_base(run, command, err);
    if (executed)
        return executed;
    struct gw_decision decision = {run, submission, index, &context};
    bool is_revision = gw_revise_handles(command->type);
    int status = is_revision ? gw_run_validate(&decision, err) : gw_run_decide(&decision, events, err);
    if (!status && is_revision)
        status = gw_run_revise(run, submission, index, &context, events, err);
    if (!status && events->count == 0 && add_void(events))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command");
    if (status == GW_ENOMEM)
        err->is_retryable = true;
    if (status)
        return GW_EXECUTE_REFUSED;
    stamp(run, submission, command, events);
    return GW_EXECUTED;
}

enum gw_executed gw_run_fold(struct gw_run *run, const struct gw_event_list *events, struct gw_error *err)
{
    for (size_t i = 0; i < events->count; i++)
        if (gw_state_fold(run->state, events->items[i], err))
            return GW_EXECUTE_BROKEN;
    return GW_EXECUTED;
}

/* ---- into the record ------------------------------------------------------------------------------------------------------------------- */

static size_t visible_count(const struct gw_event_list *events)
{
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++)
        count += events->items[i]->type != GW_EVENT_VOID;
    return count;
}

/* The answer as of the events, which are not folded yet. */
static int make_answer(const struct gw_run *run, const struct gw_submission *submission, const struct gw_event_list *events,
                       struct gw_pending *pending)
{
    static const struct gw_canvas_set everything;
    struct gw_buffer text;
    char cursor[GW_CURSOR_MAX];
    uint64_t seq = events->items[events->count - 1]->seq;
    struct gw_position position = {.epoch = run->epoch, .seq = seq, .class_id = submission->plan->class_id};
    run->hub->opts.wire->seal(run->hub->opts.wire->self, &run->key, &everything, &position, cursor);
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "{\"status\":\"committed\",\"command_id\":\"");
    gw_buffer_append_text(&text, submission->commands[pending->index].command_id);
    gw_buffer_append_text(&text, "\",\"cursor\":\"");
    gw_buffer_append_text(&text, cursor);
    gw_buffer_append_text(&text, "\",\"events\":");
    gw_buffer_append_u64(&text, visible_count(events));
    const struct gw_json *skipped = gw_run_skipped(run, submission, pending->index);
    if (skipped) {
        gw_buffer_append_text(&text, ",\"skipped\":");
        gw_json_write_canonical(skipped, &text);
    }
    gw_buffer_append_char(&text, '}');
    bool has_failed = text.has_failed;
    pending->answer = gw_buffer_take(&text, &pending->answer_length);
    return has_failed || !pending->answer ? GW_ENOMEM : GW_OK;
}

static enum gw_executed refuse_memory(struct gw_error *err)
{
    gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to store the command");
    err->is_retryable = true;
    return GW_EXECUTE_REFUSED;
}

static enum gw_executed refuse_size(struct gw_error *err)
{
    gw_error_limit(err, "record_too_large", "max_record_bytes", GW_RECORD_MAX_BYTES, "the events of one commit may have %d bytes",
                   GW_RECORD_MAX_BYTES);
    return GW_EXECUTE_NO_ROOM;
}

/* Writes before folding: what does not fit, or lacks memory, has then changed nothing. */
static enum gw_executed write(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_event_list *events,
                              struct gw_error *err)
{
    struct gw_commit_mark mark = gw_run_mark(run);
    struct gw_commit *commit = gw_run_gathering(run);
    struct gw_pending pending = {.submission = submission, .index = index};
    memcpy(pending.key, submission->outcomes[index].key, sizeof pending.key);
    memcpy(pending.body, submission->commands[index].digest, sizeof pending.body);
    int status = make_answer(run, submission, events, &pending);
    if (!status)
        status = gw_commit_add(commit, events, &pending);
    if (status) {
        gw_free(pending.answer);
        gw_run_rewind(run, &mark);
        return refuse_memory(err);
    }
    enum gw_executed executed =
        gw_record_writer_bytes(&commit->writer) <= GW_RECORD_MAX_BYTES ? gw_run_fold(run, events, err) : refuse_size(err);
    if (executed)
        gw_run_rewind(run, &mark);
    return executed;
}

enum gw_executed gw_run_gather(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_error *err)
{
    struct gw_event_list events = {0};
    enum gw_executed executed = gw_run_resolve(run, submission, index, &events, err);
    if (!executed)
        executed = write(run, submission, index, &events, err);
    gw_event_list_fini(&events);
    return executed;
}
