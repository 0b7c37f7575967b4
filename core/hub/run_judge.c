/* Judging: what becomes of one submission. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/run.h"

static void say_reused(struct gw_error *err)
{
    gw_error_set(err, GW_ECONFLICT, "command_id_reused", "this command id was committed with another body");
    gw_error_prefix(err, "/command_id");
}

static enum gw_judged wait(struct gw_run *run)
{
    run->inbox_waits = true;
    return GW_JUDGE_LATER;
}

/* The log may be ahead of this run: one look at its tail decides. */
static bool is_worth_a_look(struct gw_run *run, struct gw_submission *submission)
{
    if (submission->has_refreshed)
        return false;
    submission->has_refreshed = true;
    gw_run_refresh(run);
    return true;
}

/* ---- one by one ------------------------------------------------------------------------------------------------------------------------ */

/* JUDGED: this command is claimed, and the submission may be gone with the last of them. */
static enum gw_judged judge_new(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    struct gw_error err;
    if (gw_run_waits_for_past(run, submission, index))
        return GW_JUDGE_LATER;
    struct gw_commit_mark mark = gw_run_mark(run);
    enum gw_executed executed = gw_run_gather(run, submission, index, &err);
    if (executed == GW_EXECUTED && !gw_run_remember(run, mark.pending_count)) {
        submission->outcomes[index].is_claimed = true;
        return GW_JUDGED;
    }
    if (executed == GW_EXECUTED)
        gw_run_rewind(run, &mark);
    if (executed == GW_EXECUTED || executed == GW_EXECUTE_BROKEN)
        return GW_JUDGE_BROKEN;
    if (executed == GW_EXECUTE_NO_ROOM && mark.event_count > 0)
        return wait(run);
    if (executed == GW_EXECUTE_AHEAD && is_worth_a_look(run, submission))
        return GW_JUDGE_LATER;
    gw_run_refuse(run, submission, index, &err);
    return GW_JUDGED;
}

static enum gw_judged judge_one(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    struct gw_error err;
    switch (gw_run_known(run, submission, index)) {
    case GW_KNOWN_LATER:
        return GW_JUDGE_LATER;
    case GW_KNOWN_ANSWERED:
        return GW_JUDGED;
    case GW_KNOWN_REUSED:
        say_reused(&err);
        gw_submission_refuse(submission, index, &err);
        return GW_JUDGED;
    case GW_KNOWN_NOT:
        break;
    }
    enum gw_judged judged = judge_new(run, submission, index);
    if (judged != GW_JUDGE_LATER)
        gw_run_drop_past(run);
    return judged;
}

static size_t count_unclaimed(const struct gw_submission *submission)
{
    size_t left = 0;
    for (size_t i = 0; i < submission->count; i++)
        left += !submission->outcomes[i].is_claimed;
    return left;
}

static enum gw_judged judge_plain(struct gw_run *run, struct gw_submission *submission)
{
    /* The last answer hands the submission back: it must not be touched afterwards. */
    size_t left = count_unclaimed(submission);
    for (size_t i = 0; left > 0; i++) {
        if (submission->outcomes[i].is_claimed)
            continue;
        enum gw_judged judged = judge_one(run, submission, i);
        if (judged != GW_JUDGED)
            return judged;
        left--;
    }
    return GW_JUDGED;
}

/* ---- all or none ----------------------------------------------------------------------------------------------------------------------- */

static enum gw_judged refuse_batch(struct gw_run *run, struct gw_submission *submission, size_t culprit, const struct gw_error *err)
{
    struct gw_error other;
    gw_error_set(&other, GW_ECONFLICT, "batch_aborted", "command %zu of this atomic batch was refused, so none took effect", culprit);
    bool has_others = count_unclaimed(submission) > 1;
    gw_run_refuse(run, submission, culprit, err);
    if (has_others)
        gw_submission_refuse_all(submission, &other);
    return GW_JUDGED;
}

/* The index of a command that bears the id of an earlier one of the batch, or `count`. */
static size_t find_twin(const struct gw_submission *submission)
{
    for (size_t i = 1; i < submission->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(submission->commands[i].command_id, submission->commands[j].command_id) == 0)
                return i;
    return submission->count;
}

static enum gw_judged refuse_twin(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "command_id_twice", "an atomic batch names each command id once");
    gw_error_prefix(&err, "/command_id");
    return refuse_batch(run, submission, index, &err);
}

static enum gw_judged refuse_reused(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    struct gw_error err;
    say_reused(&err);
    return refuse_batch(run, submission, index, &err);
}

/* Answers what took effect before; *left is how many are new. */
static enum gw_judged answer_known(struct gw_run *run, struct gw_submission *submission, size_t *left)
{
    *left = count_unclaimed(submission);
    for (size_t i = 0; *left > 0 && i < submission->count; i++) {
        enum gw_known known = submission->outcomes[i].is_claimed ? GW_KNOWN_NOT : gw_run_known(run, submission, i);
        if (known == GW_KNOWN_LATER)
            return GW_JUDGE_LATER;
        if (known == GW_KNOWN_REUSED) {
            *left = 0;
            return refuse_reused(run, submission, i);
        }
        *left -= known == GW_KNOWN_ANSWERED;
    }
    return GW_JUDGED;
}

/* Gathers all that is new; *culprit is the index at which that failed. */
static enum gw_executed gather_all(struct gw_run *run, struct gw_submission *submission, size_t *culprit, struct gw_error *err)
{
    for (*culprit = 0; *culprit < submission->count; ++*culprit) {
        if (submission->outcomes[*culprit].is_claimed)
            continue;
        enum gw_executed executed = gw_run_gather(run, submission, *culprit, err);
        if (executed)
            return executed;
    }
    return GW_EXECUTED;
}

static enum gw_judged keep_all(struct gw_run *run, struct gw_submission *submission, const struct gw_commit_mark *mark)
{
    gw_state_keep(run->state);
    if (gw_run_remember(run, mark->pending_count)) {
        gw_run_rewind(run, mark);
        return GW_JUDGE_BROKEN;
    }
    for (size_t i = 0; i < submission->count; i++)
        submission->outcomes[i].is_claimed = true;
    return GW_JUDGED;
}

static enum gw_judged judge_atomic(struct gw_run *run, struct gw_submission *submission)
{
    size_t twin = find_twin(submission), left, culprit;
    if (twin < submission->count)
        return refuse_twin(run, submission, twin);
    enum gw_judged judged = answer_known(run, submission, &left);
    if (judged != GW_JUDGED || left == 0)
        return judged;
    struct gw_error err;
    struct gw_commit_mark mark = gw_run_mark(run);
    gw_state_begin(run->state);
    enum gw_executed executed = gather_all(run, submission, &culprit, &err);
    if (executed == GW_EXECUTED)
        return keep_all(run, submission, &mark);
    gw_state_revert(run->state);
    gw_run_rewind(run, &mark);
    if (executed == GW_EXECUTE_BROKEN)
        return GW_JUDGE_BROKEN;
    if (executed == GW_EXECUTE_NO_ROOM && mark.event_count > 0)
        return wait(run);
    if (executed == GW_EXECUTE_AHEAD && is_worth_a_look(run, submission))
        return GW_JUDGE_LATER;
    return refuse_batch(run, submission, culprit, &err);
}

/* ---- dry runs -------------------------------------------------------------------------------------------------------------------------- */

static int write_preview_events(const struct gw_channel *channel, const struct gw_event_list *events, struct gw_buffer *out)
{
    size_t written = 0;
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
    return GW_OK;
}

static int write_preview(const struct gw_channel *channel, const struct gw_command *command, const struct gw_event_list *events,
                         const struct gw_json *skipped, struct gw_buffer *out)
{
    gw_buffer_append_text(out, "{\"status\":\"would_commit\",\"command_id\":\"");
    gw_buffer_append_text(out, command->command_id);
    gw_buffer_append_text(out, "\",\"events\":[");
    if (write_preview_events(channel, events, out))
        return GW_ENOMEM;
    gw_buffer_append_char(out, ']');
    if (skipped) {
        gw_buffer_append_text(out, ",\"skipped\":");
        gw_json_write_canonical(skipped, out);
    }
    gw_buffer_append_char(out, '}');
    return out->has_failed ? GW_ENOMEM : GW_OK;
}

static enum gw_executed preview(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_buffer *text,
                                struct gw_error *err)
{
    struct gw_event_list events = {0};
    struct gw_channel channel = {.wire = run->hub->opts.wire,
                                 .scope = run->scope,
                                 .run = run->key,
                                 .plan = submission->plan,
                                 .policy = run->hub->opts.policy,
                                 .epoch = gw_run_epoch(run)};
    enum gw_executed executed = gw_run_resolve(run, submission, index, &events, err);
    if (!executed)
        executed = gw_run_fold(run, &events, err);
    const struct gw_json *skipped = gw_run_skipped(run, submission, index);
    if (!executed && write_preview(&channel, &submission->commands[index], &events, skipped, text)) {
        (void)gw_lens_why(run->hub->opts.policy, err);
        executed = GW_EXECUTE_REFUSED;
    }
    gw_event_list_fini(&events);
    return executed;
}

static void refuse_rest(struct gw_submission *submission, size_t culprit)
{
    struct gw_error err;
    gw_error_set(&err, GW_ECONFLICT, "batch_aborted", "command %zu of this atomic batch would be refused, so none would take effect",
                 culprit);
    gw_submission_refuse_all(submission, &err);
}

/* An atomic dry run stops at the first refusal, as the real one would. */
static enum gw_judged preview_all(struct gw_run *run, struct gw_submission *submission)
{
    size_t count = submission->count; /* the last answer hands the submission back */
    bool is_atomic = submission->is_atomic;
    for (size_t i = 0; i < count; i++) {
        struct gw_error err;
        struct gw_buffer text;
        gw_buffer_init(&text, 0);
        enum gw_executed executed = preview(run, submission, i, &text, &err);
        if (executed == GW_EXECUTED)
            gw_submission_settle(submission, i, text.data, text.length);
        gw_buffer_fini(&text);
        if (executed == GW_EXECUTE_BROKEN)
            return GW_JUDGE_BROKEN;
        if (executed == GW_EXECUTE_AHEAD && i == 0 && is_worth_a_look(run, submission))
            return GW_JUDGE_LATER;
        if (executed == GW_EXECUTED)
            continue;
        gw_run_refuse(run, submission, i, &err);
        if (is_atomic && i + 1 < count) {
            refuse_rest(submission, i);
            break;
        }
    }
    return GW_JUDGED;
}

static enum gw_judged judge_dry(struct gw_run *run, struct gw_submission *submission)
{
    if (submission->count == 1 && gw_run_waits_for_past(run, submission, 0))
        return GW_JUDGE_LATER;
    gw_state_begin(run->state);
    enum gw_judged judged = preview_all(run, submission);
    gw_state_revert(run->state);
    if (judged != GW_JUDGE_LATER)
        gw_run_drop_past(run);
    return judged;
}

enum gw_judged gw_run_judge_one(struct gw_run *run, struct gw_submission *submission)
{
    if (gw_run_waits_for_flow(run, submission))
        return GW_JUDGE_LATER;
    if (submission->is_dry_run)
        return judge_dry(run, submission);
    return submission->is_atomic && submission->count > 1 ? judge_atomic(run, submission) : judge_plain(run, submission);
}
