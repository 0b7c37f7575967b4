/* The inbox: commands wait here in the order in which they came, while the state is being folded, an old key is looked up, or a record is full. */
#include <string.h>

#include "base/error.h"
#include "hub/run.h"

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

void gw_run_put_back(struct gw_run *run, struct gw_submission *submission)
{
    if (submission->is_append) {
        gw_run_chat_put_back(run, submission);
        return;
    }
    submission->next = run->inbox_first;
    if (!run->inbox_first)
        run->inbox_last = &submission->next;
    run->inbox_first = submission;
    run->inbox_count++;
}

void gw_run_refuse_first(struct gw_run *run, const struct gw_error *err)
{
    gw_run_drop_past(run);
    gw_submission_refuse_all(take_first(run), err);
}

void gw_run_refuse_inbox(struct gw_run *run, const struct gw_error *err)
{
    while (run->inbox_first)
        gw_run_refuse_first(run, err);
    gw_run_chat_refuse(run, err);
}

/* A run exists from its first durable command on; its epoch tells cursors of different lives apart. Until then nobody is told of it. */
static void choose_epoch(struct gw_run *run)
{
    while (run->epoch == 0)
        run->hub->opts.clock->random(run->hub->opts.clock->self, &run->epoch, sizeof run->epoch);
}

static void abandon(struct gw_run *run, struct gw_submission *submission)
{
    struct gw_error err;
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory to carry out the command; nothing of it took effect");
    err.is_retryable = true;
    gw_run_abandon(run);
    gw_submission_refuse_all(submission, &err);
}

static bool is_about_chat(const struct gw_submission *submission)
{
    for (size_t i = 0; i < submission->count; i++)
        if (strncmp(submission->commands[i].type, "chat.", 5) == 0)
            return true;
    return false;
}

/* What is said of streamed messages is judged in the order in which it came. */
static bool may_judge_first(struct gw_run *run)
{
    if (run->chat.first && is_about_chat(run->inbox_first))
        gw_run_chat_judge_now(run);
    return run->phase == GW_RUN_READY && has_room(run);
}

void gw_run_judge(struct gw_run *run)
{
    while (run->phase == GW_RUN_READY && run->inbox_first && !run->inbox_waits && !run->refresh && may_judge_first(run)) {
        struct gw_submission *submission = take_first(run);
        choose_epoch(run);
        enum gw_judged judged = gw_run_judge_one(run, submission);
        if (judged == GW_JUDGE_LATER)
            gw_run_put_back(run, submission);
        if (judged == GW_JUDGE_BROKEN)
            abandon(run, submission);
        if (judged == GW_JUDGED)
            gw_run_commit_grown(run);
    }
}

void gw_run_submit(struct gw_run *run, struct gw_submission *submission)
{
    struct gw_error err;
    size_t max = run->hub->opts.limits.max_waiting;
    if (run->inbox_count >= max) {
        gw_error_set(&err, GW_EBUSY, "run_busy", "too many commands wait for this run");
        gw_error_name_limit(&err, "max_waiting_commands", (int64_t)max);
        gw_submission_refuse_all(submission, &err);
        return;
    }
    if (run->phase == GW_RUN_DOWN && run->hub->opts.clock->monotonic_ms(run->hub->opts.clock->self) < run->retry_at_ms) {
        gw_error_set(&err, GW_EIO, "spine_unavailable", "commands cannot be stored at the moment");
        err.is_retryable = true;
        gw_submission_refuse_all(submission, &err);
        return;
    }
    if (run->order) {
        gw_run_say_ordered(&err);
        gw_submission_refuse_all(submission, &err);
        return;
    }
    gw_hub_mark_run(run->hub, run);
    if (submission->is_append) {
        gw_run_chat_put(run, submission);
        return;
    }
    submission->next = NULL;
    *run->inbox_last = submission;
    run->inbox_last = &submission->next;
    run->inbox_count++;
}
