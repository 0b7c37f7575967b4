/* Judging: from a submission in the inbox to events in the gathering record. */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/project.h"
#include "hub/run.h"

/* ---- answers -------------------------------------------------------------------------------------------------------------------------- */

static void on_done_at_home(struct gw_task *task)
{
    struct gw_submission *submission = (struct gw_submission *)(void *)((char *)task - offsetof(struct gw_submission, task));
    submission->done(submission);
}

static void settle_one(struct gw_submission *submission)
{
    assert(submission->unsettled > 0);
    if (--submission->unsettled > 0)
        return;
    submission->owner->in_flight--;
    submission->task.run = on_done_at_home;
    gw_hub_complete(submission->owner, submission->home, &submission->task);
}

void gw_submission_refuse(struct gw_submission *submission, size_t index, const struct gw_error *err)
{
    struct gw_outcome *outcome = &submission->outcomes[index];
    outcome->error = gw_alloc(sizeof *outcome->error);
    *outcome->error = *err;
    gw_metric_add(submission->owner->metrics.commands_refused, 1);
    settle_one(submission);
}

void gw_submission_settle(struct gw_submission *submission, size_t index, const char *answer, size_t length)
{
    struct gw_outcome *outcome = &submission->outcomes[index];
    outcome->answer = gw_try_strndup(answer, length);
    outcome->answer_length = length;
    if (outcome->answer) {
        settle_one(submission);
        return;
    }
    struct gw_error err;
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "committed, but there was no memory for the answer: send it again");
    err.is_retryable = true;
    gw_submission_refuse(submission, index, &err);
}

void gw_submission_refuse_all(struct gw_submission *submission, const struct gw_error *err)
{
    /* The last refusal hands the submission back: it must not be touched afterwards. */
    size_t left = 0;
    for (size_t i = 0; i < submission->count; i++)
        left += !submission->outcomes[i].is_claimed;
    for (size_t i = 0; left > 0; i++) {
        if (submission->outcomes[i].is_claimed)
            continue;
        submission->outcomes[i].is_claimed = true;
        left--;
        gw_submission_refuse(submission, i, err);
    }
}

void gw_submission_fini(struct gw_submission *submission)
{
    for (size_t i = 0; i < submission->count; i++) {
        gw_command_fini(&submission->commands[i]);
        gw_free(submission->outcomes[i].answer);
        gw_free(submission->outcomes[i].error);
    }
    gw_free(submission->commands);
    gw_free(submission->outcomes);
    gw_plan_unref(submission->plan);
}

/* ---- making events -------------------------------------------------------------------------------------------------------------------- */

static void stamp(struct gw_run *run, const struct gw_submission *submission, const struct gw_command *command, struct gw_event *event)
{
    int64_t now = run->hub->opts.clock->wall_ms(run->hub->opts.clock->self);
    if (now > run->last_ts_ms)
        run->last_ts_ms = now;
    event->seq = gw_state_seq(run->state) + 1;
    event->ts_ms = run->last_ts_ms;
    event->actor = submission->actor;
    memcpy(event->surface_id, command->scope.surface_id, sizeof event->surface_id);
    memcpy(event->app_id, command->scope.app_id, sizeof event->app_id);
    memcpy(event->cause, command->command_id, sizeof event->cause);
}

static int open_base(const struct gw_run *run, struct gw_command *command, struct gw_error *err)
{
    if (!command->has_base)
        return GW_OK;
    const struct gw_wire *wire = run->hub->opts.wire;
    static const struct gw_canvas_set everything;
    struct gw_position position;
    bool covers;
    int status = GW_EINVAL;
    if (command->base_cursor)
        status = wire->open(wire->self, &run->key, &everything, command->base_cursor, strlen(command->base_cursor), &position, &covers);
    if (status || (position.epoch != run->epoch && position.epoch != 0) || position.seq > gw_state_seq(run->state)) {
        gw_error_set(err, GW_ECONFLICT, "base_unknown", "base is not a cursor of this run: read the state again");
        gw_error_prefix(err, "/base");
        return GW_ECONFLICT;
    }
    command->base_seq = position.seq;
    return GW_OK;
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

/* Resolves one command and folds what it makes, from events->count on. */
static int execute(struct gw_run *run, const struct gw_submission *submission, struct gw_command *command, struct gw_event_list *events,
                   struct gw_error *err)
{
    size_t first = events->count;
    struct gw_resolve_context context = {.manifests = run->hub->opts.manifests,
                                         .plan = submission->plan,
                                         .author_id = submission->actor.id,
                                         .author_kind = gw_actor_kind_name(submission->actor.kind),
                                         .batch = submission->count > 1 ? submission->commands[0].command_id : NULL,
                                         .epoch = run->epoch};
    int status = open_base(run, command, err);
    if (!status)
        status = gw_state_resolve(run->state, command, &context, events, err);
    if (!status && events->count == first && add_void(events))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command");
    for (size_t i = first; !status && i < events->count; i++) {
        stamp(run, submission, command, events->items[i]);
        status = gw_state_fold(run->state, events->items[i], err);
    }
    if (status)
        gw_event_list_truncate(events, first);
    return status;
}

static size_t visible_count(const struct gw_event_list *events, size_t first)
{
    return events->items[first]->type == GW_EVENT_VOID ? 0 : events->count - first;
}

static int make_answer(struct gw_run *run, const struct gw_submission *submission, const struct gw_command *command, size_t event_count,
                       struct gw_pending *pending)
{
    struct gw_buffer text;
    char cursor[GW_CURSOR_MAX];
    static const struct gw_canvas_set everything;
    struct gw_position position = {.epoch = run->epoch, .seq = gw_state_seq(run->state), .class_id = submission->plan->class_id};
    run->hub->opts.wire->seal(run->hub->opts.wire->self, &run->key, &everything, &position, cursor);
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "{\"status\":\"committed\",\"command_id\":\"");
    gw_buffer_append_text(&text, command->command_id);
    gw_buffer_append_text(&text, "\",\"cursor\":\"");
    gw_buffer_append_text(&text, cursor);
    gw_buffer_append_text(&text, "\",\"events\":");
    gw_buffer_append_u64(&text, event_count);
    gw_buffer_append_char(&text, '}');
    bool has_failed = text.has_failed;
    pending->answer = gw_buffer_take(&text, &pending->answer_length);
    return has_failed || !pending->answer ? GW_ENOMEM : GW_OK;
}

/* Puts the executed command's events (all of `events`) into the gathering record. */
static int book(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_event_list *events, struct gw_error *err)
{
    struct gw_command *command = &submission->commands[index];
    struct gw_pending pending = {.submission = submission, .index = index};
    gw_keys_digest(submission->actor.id, command->command_id, pending.key);
    memcpy(pending.body, command->digest, sizeof pending.body);
    int status = make_answer(run, submission, command, visible_count(events, 0), &pending);
    struct gw_record_key key = {.answer = pending.answer, .answer_length = pending.answer_length};
    memcpy(key.key, pending.key, sizeof key.key);
    memcpy(key.body, pending.body, sizeof key.body);
    if (!status)
        status = gw_keys_add(run->keys, &key, 0);
    if (!status)
        status = gw_commit_add(gw_run_gathering(run), events, &pending);
    if (status) {
        gw_free(pending.answer);
        gw_error_set(err, status, "out_of_memory", "no memory to store the command");
    }
    return status;
}

/* ---- idempotency ---------------------------------------------------------------------------------------------------------------------- */

enum known { KNOWN_NOT, KNOWN_ANSWERED, KNOWN_WAIT };

static void refuse_other_body(struct gw_submission *submission, size_t index)
{
    struct gw_error err;
    gw_error_set(&err, GW_ECONFLICT, "command_id_reused", "this command id was committed with another body");
    gw_error_prefix(&err, "/command_id");
    gw_submission_refuse(submission, index, &err);
}

/* Answers the command from the index, or finds that it is new, or that one must wait (inbox_waits is then set or a page is on its way). */
static enum known look_up(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    uint8_t key[GW_KEY_BYTES];
    struct gw_keys_entry entry;
    uint64_t page_seq;
    gw_keys_digest(submission->actor.id, submission->commands[index].command_id, key);
    switch (gw_keys_find(run->keys, key, &entry, &page_seq)) {
    case GW_KEYS_NEW:
        return KNOWN_NOT;
    case GW_KEYS_ASK_PAGE:
        run->inbox_waits = true;
        gw_run_fetch_page(run, page_seq);
        return KNOWN_WAIT;
    case GW_KEYS_KNOWN:
        break;
    }
    if (entry.seq == 0) { /* its twin is on the way to the spine */
        run->inbox_waits = true;
        return KNOWN_WAIT;
    }
    submission->outcomes[index].is_claimed = true;
    if (memcmp(entry.body, submission->commands[index].digest, GW_KEY_BYTES) != 0) {
        refuse_other_body(submission, index);
        return KNOWN_ANSWERED;
    }
    gw_metric_add(run->hub->metrics.commands_repeated, 1);
    if (entry.answer)
        gw_submission_settle(submission, index, entry.answer, entry.answer_length);
    else
        gw_run_fetch_answer(run, submission, index, entry.seq, key);
    return KNOWN_ANSWERED;
}

/* ---- judging -------------------------------------------------------------------------------------------------------------------------- */

enum judged { JUDGED, JUDGE_LATER, JUDGE_BROKEN }; /* BROKEN: the state cannot be trusted any more */

static bool is_out_of_memory(const struct gw_error *err)
{
    return err->code == GW_ENOMEM;
}

static enum judged judge_plain(struct gw_run *run, struct gw_submission *submission)
{
    size_t count = submission->count; /* the last answer hands the submission back */
    for (size_t i = 0; i < count; i++) {
        if (submission->outcomes[i].is_claimed)
            continue;
        enum known known = look_up(run, submission, i);
        if (known == KNOWN_WAIT)
            return JUDGE_LATER;
        if (known == KNOWN_ANSWERED)
            continue;
        struct gw_event_list events = {0};
        struct gw_error err;
        submission->outcomes[i].is_claimed = true;
        int status = execute(run, submission, &submission->commands[i], &events, &err);
        if (!status)
            status = book(run, submission, i, &events, &err);
        gw_event_list_fini(&events);
        if (!status)
            continue;
        bool is_broken = is_out_of_memory(&err);
        gw_submission_refuse(submission, i, &err);
        if (is_broken)
            return JUDGE_BROKEN;
    }
    return JUDGED;
}

static void refuse_batch(struct gw_submission *submission, size_t culprit, const struct gw_error *err)
{
    struct gw_error other;
    gw_error_set(&other, GW_ECONFLICT, "batch_aborted", "command %zu of this atomic batch was refused, so none took effect", culprit);
    submission->outcomes[culprit].is_claimed = true;
    bool has_others = submission->unsettled > 1;
    gw_submission_refuse(submission, culprit, err);
    if (has_others)
        gw_submission_refuse_all(submission, &other);
}

/* Executes all that is new; on a refusal *culprit is its index. */
static int execute_all(struct gw_run *run, struct gw_submission *submission, struct gw_event_list *lists, size_t *culprit, struct gw_error *err)
{
    for (*culprit = 0; *culprit < submission->count; ++*culprit) {
        if (submission->outcomes[*culprit].is_claimed)
            continue;
        int status = execute(run, submission, &submission->commands[*culprit], &lists[*culprit], err);
        if (status)
            return status;
    }
    return GW_OK;
}

static enum judged book_all(struct gw_run *run, struct gw_submission *submission, struct gw_event_list *lists)
{
    for (size_t i = 0; i < submission->count; i++) {
        struct gw_error err;
        if (lists[i].count == 0)
            continue;
        submission->outcomes[i].is_claimed = true;
        if (book(run, submission, i, &lists[i], &err)) {
            gw_submission_refuse(submission, i, &err);
            return JUDGE_BROKEN;
        }
    }
    return JUDGED;
}

static enum judged judge_atomic(struct gw_run *run, struct gw_submission *submission)
{
    size_t count = submission->count, culprit, known = 0;
    for (size_t i = 0; i < count; i++) {
        if (!submission->outcomes[i].is_claimed && look_up(run, submission, i) == KNOWN_WAIT)
            return JUDGE_LATER;
    }
    for (size_t i = 0; i < count; i++)
        known += submission->outcomes[i].is_claimed;
    if (known == count)
        return JUDGED;
    struct gw_event_list *lists = gw_alloc_array(count, sizeof *lists);
    struct gw_error err;
    gw_state_begin(run->state);
    int status = execute_all(run, submission, lists, &culprit, &err);
    if (status)
        gw_state_revert(run->state);
    else
        gw_state_keep(run->state);
    enum judged judged = status ? (is_out_of_memory(&err) ? JUDGE_BROKEN : JUDGED) : book_all(run, submission, lists);
    for (size_t i = 0; i < count; i++)
        gw_event_list_fini(&lists[i]);
    gw_free(lists);
    if (status)
        refuse_batch(submission, culprit, &err);
    return judged;
}

static int write_preview(const struct gw_channel *channel, const struct gw_command *command, const struct gw_event_list *events, struct gw_buffer *out)
{
    size_t written = 0;
    gw_buffer_append_text(out, "{\"status\":\"would_commit\",\"command_id\":\"");
    gw_buffer_append_text(out, command->command_id);
    gw_buffer_append_text(out, "\",\"events\":[");
    for (size_t i = 0; i < events->count; i++) {
        struct gw_json *data;
        int visible = gw_channel_project(channel, events->items[i], &data);
        if (visible < 0)
            return GW_ENOMEM;
        if (visible == 0)
            continue;
        gw_buffer_append_text(out, written++ ? ",{\"type\":\"" : "{\"type\":\"");
        gw_buffer_append_text(out, gw_event_type_name(events->items[i]->type));
        gw_buffer_append_char(out, '"');
        if (events->items[i]->canvas_id[0]) {
            gw_buffer_append_text(out, ",\"canvas_id\":");
            gw_buffer_append_json_string(out, events->items[i]->canvas_id, strlen(events->items[i]->canvas_id));
        }
        gw_buffer_append_text(out, ",\"data\":");
        gw_json_write(data, out);
        gw_buffer_append_char(out, '}');
        gw_json_unref(data);
    }
    gw_buffer_append_text(out, "]}");
    return out->has_failed ? GW_ENOMEM : GW_OK;
}

static int preview(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_error *err)
{
    struct gw_event_list events = {0};
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    int status = execute(run, submission, &submission->commands[index], &events, err);
    struct gw_channel channel = {
        .wire = run->hub->opts.wire, .scope = run->scope, .run = run->key, .plan = submission->plan, .epoch = run->epoch};
    if (!status && write_preview(&channel, &submission->commands[index], &events, &text))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a dry run");
    gw_event_list_fini(&events);
    if (!status)
        gw_submission_settle(submission, index, text.data, text.length);
    gw_buffer_fini(&text);
    return status;
}

/* An atomic dry run stops at the first refusal, as the real one would. */
static enum judged judge_dry(struct gw_run *run, struct gw_submission *submission)
{
    size_t count = submission->count;
    bool is_atomic = submission->is_atomic;
    enum judged judged = JUDGED;
    gw_state_begin(run->state);
    for (size_t i = 0; i < count; i++) {
        struct gw_error err;
        submission->outcomes[i].is_claimed = true;
        if (!preview(run, submission, i, &err))
            continue;
        if (is_out_of_memory(&err))
            judged = JUDGE_BROKEN;
        gw_submission_refuse(submission, i, &err);
        if (!is_atomic || i + 1 == count)
            continue;
        gw_error_set(&err, GW_ECONFLICT, "batch_aborted", "command %zu of this atomic batch would be refused, so none would take effect", i);
        gw_submission_refuse_all(submission, &err);
        break;
    }
    gw_state_revert(run->state);
    return judged;
}

static enum judged judge(struct gw_run *run, struct gw_submission *submission)
{
    if (submission->is_dry_run)
        return judge_dry(run, submission);
    return submission->is_atomic ? judge_atomic(run, submission) : judge_plain(run, submission);
}

/* ---- the inbox ------------------------------------------------------------------------------------------------------------------------ */

static bool has_room(const struct gw_run *run)
{
    return !run->gathering || gw_record_writer_bytes(&run->gathering->writer) < run->hub->opts.limits.record_bytes;
}

static struct gw_submission *take_first(struct gw_run *run)
{
    struct gw_submission *submission = run->inbox_first;
    run->inbox_first = submission->next;
    if (!run->inbox_first)
        run->inbox_last = &run->inbox_first;
    run->inbox_count--;
    return submission;
}

static void put_back(struct gw_run *run, struct gw_submission *submission)
{
    submission->next = run->inbox_first;
    if (!run->inbox_first)
        run->inbox_last = &submission->next;
    run->inbox_first = submission;
    run->inbox_count++;
}

void gw_run_refuse_first(struct gw_run *run, const struct gw_error *err)
{
    gw_submission_refuse_all(take_first(run), err);
}

/* A run exists from its first durable command on; its epoch tells cursors of different lives apart. */
static void begin_epoch(struct gw_run *run)
{
    while (run->epoch == 0)
        run->hub->opts.clock->random(run->hub->opts.clock->self, &run->epoch, sizeof run->epoch);
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        feed->channel.epoch = run->epoch;
}

void gw_run_judge(struct gw_run *run)
{
    while (run->phase == GW_RUN_READY && run->inbox_first && !run->inbox_waits && has_room(run)) {
        struct gw_submission *submission = take_first(run);
        if (run->epoch == 0 && !submission->is_dry_run)
            begin_epoch(run);
        enum judged judged = judge(run, submission);
        if (judged == JUDGE_LATER)
            put_back(run, submission);
        if (judged == JUDGE_BROKEN)
            gw_run_abandon(run);
    }
}

void gw_run_submit(struct gw_run *run, struct gw_submission *submission)
{
    struct gw_error err;
    if (run->inbox_count >= run->hub->opts.limits.max_waiting) {
        gw_error_limit(&err, "run_busy", "max_waiting", (int64_t)run->hub->opts.limits.max_waiting, "too many commands wait for this run");
        err.code = GW_EBUSY;
        err.is_retryable = true;
        gw_submission_refuse_all(submission, &err);
        return;
    }
    if (run->phase == GW_RUN_DOWN && run->hub->opts.clock->monotonic_ms(run->hub->opts.clock->self) < run->retry_at_ms) {
        gw_error_set(&err, GW_EIO, "spine_unavailable", "commands cannot be stored at the moment");
        err.is_retryable = true;
        gw_submission_refuse_all(submission, &err);
        return;
    }
    submission->next = NULL;
    *run->inbox_last = submission;
    run->inbox_last = &submission->next;
    run->inbox_count++;
    gw_hub_mark_run(run->hub, run);
}
