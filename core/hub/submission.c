#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/metrics.h"
#include "hub/plan.h"
#include "hub/run.h"

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
    outcome->is_claimed = true;
    outcome->error = gw_alloc(sizeof *outcome->error);
    *outcome->error = *err;
    gw_metric_add(submission->owner->metrics.commands_refused, 1);
    settle_one(submission);
}

void gw_submission_settle(struct gw_submission *submission, size_t index, const char *answer, size_t length)
{
    struct gw_outcome *outcome = &submission->outcomes[index];
    outcome->is_claimed = true;
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
    size_t left = 0;
    for (size_t i = 0; i < submission->count; i++)
        left += !submission->outcomes[i].is_claimed;
    /* The last refusal hands the submission back: it must not be touched afterwards. */
    for (size_t i = 0; left > 0; i++) {
        if (submission->outcomes[i].is_claimed)
            continue;
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
        gw_free(submission->outcomes[i].changes);
    }
    gw_free(submission->commands);
    gw_free(submission->outcomes);
    gw_plan_unref(submission->plan);
}
