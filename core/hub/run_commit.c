/* Durability: the gathering record goes to the spine; when it is there, answers go out and feeds grow. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/run.h"

static struct gw_commit *commit_create(struct gw_run *run)
{
    struct gw_commit *commit = gw_alloc(sizeof *commit);
    commit->run = run;
    gw_record_writer_init(&commit->writer);
    gw_buffer_init(&commit->payload, 0);
    return commit;
}

void gw_commit_destroy(struct gw_commit *commit)
{
    if (!commit)
        return;
    for (size_t i = 0; i < commit->pending_count; i++)
        gw_free(commit->pending[i].answer);
    gw_free(commit->pending);
    gw_event_list_fini(&commit->events);
    gw_record_writer_fini(&commit->writer);
    gw_buffer_fini(&commit->payload);
    gw_free(commit);
}

struct gw_commit *gw_run_gathering(struct gw_run *run)
{
    if (!run->gathering)
        run->gathering = commit_create(run);
    return run->gathering;
}

static int grow_pending(struct gw_commit *commit)
{
    if (commit->pending_count < commit->pending_capacity)
        return GW_OK;
    size_t capacity = commit->pending_capacity ? commit->pending_capacity * 2 : 16;
    struct gw_pending *grown = gw_try_grow(commit->pending, capacity, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    commit->pending = grown;
    commit->pending_capacity = capacity;
    return GW_OK;
}

int gw_commit_add_event(struct gw_commit *commit, struct gw_event *event)
{
    gw_record_write_event(&commit->writer, event);
    if (gw_event_list_add(&commit->events, gw_event_ref(event)))
        return GW_ENOMEM;
    return gw_record_writer_has_failed(&commit->writer) ? GW_ENOMEM : GW_OK;
}

int gw_commit_await(struct gw_commit *commit, const struct gw_pending *pending)
{
    if (grow_pending(commit))
        return GW_ENOMEM;
    commit->pending[commit->pending_count++] = *pending;
    return GW_OK;
}

int gw_commit_add(struct gw_commit *commit, const struct gw_event_list *events, const struct gw_pending *pending)
{
    struct gw_record_key key = {.answer = pending->answer, .answer_length = pending->answer_length};
    memcpy(key.key, pending->key, sizeof key.key);
    memcpy(key.body, pending->body, sizeof key.body);
    gw_record_write_key(&commit->writer, &key);
    for (size_t i = 0; i < events->count; i++)
        if (gw_commit_add_event(commit, events->items[i]))
            return GW_ENOMEM;
    return gw_record_writer_has_failed(&commit->writer) ? GW_ENOMEM : gw_commit_await(commit, pending);
}

struct gw_commit_mark gw_run_mark(const struct gw_run *run)
{
    const struct gw_commit *commit = run->gathering;
    if (!commit)
        return (struct gw_commit_mark){0};
    return (struct gw_commit_mark){gw_record_writer_mark(&commit->writer), commit->events.count, commit->pending_count};
}

void gw_run_rewind(struct gw_run *run, const struct gw_commit_mark *mark)
{
    struct gw_commit *commit = run->gathering;
    if (!commit)
        return;
    while (commit->pending_count > mark->pending_count)
        gw_free(commit->pending[--commit->pending_count].answer);
    gw_event_list_truncate(&commit->events, mark->event_count);
    gw_record_writer_rewind(&commit->writer, &mark->record);
    if (commit->events.count > 0)
        return;
    gw_commit_destroy(commit); /* an empty record must never be sent */
    run->gathering = NULL;
}

static int add_key(struct gw_run *run, const struct gw_pending *pending, uint64_t record_seq)
{
    struct gw_record_key key = {.answer = pending->answer, .answer_length = pending->answer_length};
    memcpy(key.key, pending->key, sizeof key.key);
    memcpy(key.body, pending->body, sizeof key.body);
    return gw_keys_add(run->keys, &key, record_seq);
}

int gw_run_remember(struct gw_run *run, size_t first)
{
    for (size_t i = first; i < run->gathering->pending_count; i++)
        if (!run->gathering->pending[i].is_keyless && add_key(run, &run->gathering->pending[i], 0))
            return GW_ENOMEM;
    return GW_OK;
}

/* ---- what becomes of a commit ------------------------------------------------------------------------------------------------------------ */

static void refuse_pending(struct gw_commit *commit, const struct gw_error *err)
{
    for (size_t i = 0; i < commit->pending_count; i++)
        gw_submission_refuse(commit->pending[i].submission, commit->pending[i].index, err);
}

static void give_to_sink(const struct gw_run *run, const struct gw_event *event)
{
    const struct gw_sink *sink = run->hub->opts.sink;
    struct gw_sink_record record = {.scope = run->scope, .event = event};
    if (!sink || event->type != GW_EVENT_LOG_LINE)
        return;
    memcpy(record.scope.surface_id, event->surface_id, sizeof record.scope.surface_id);
    memcpy(record.scope.app_id, event->app_id, sizeof record.scope.app_id);
    sink->write(sink->self, &record);
}

/* Where it is for want of a script's time, its meter counts that. */
static void note_lost(const struct gw_run *run, uint64_t seq)
{
    struct gw_error why;
    if (gw_lens_why(run->hub->opts.policy, &why) == GW_ENOMEM)
        gw_log_write(run->hub->opts.log, GW_LOG_ERROR, "feed_lost_memory",
                     (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", seq), GW_F_END});
}

void gw_run_publish(struct gw_run *run, const struct gw_event *event)
{
    gw_buffer_reset(&run->hub->whole);
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        if (gw_feed_publish(feed, event))
            note_lost(run, event->seq);
    run->published_seq = event->seq;
}

static void settle_pending(struct gw_run *run, struct gw_commit *commit)
{
    for (size_t i = 0; i < commit->pending_count; i++) {
        struct gw_pending *pending = &commit->pending[i];
        if (run->keys && !pending->is_keyless)
            (void)add_key(run, pending, commit->first_seq); /* it is there already: this only gives it a seq */
        gw_submission_settle(pending->submission, pending->index, pending->answer, pending->answer_length);
    }
}

static void on_durable(struct gw_run *run, struct gw_commit *commit)
{
    const struct gw_hub *hub = run->hub;
    gw_metric_observe_ns(hub->metrics.append_seconds, hub->opts.clock->monotonic_ns(hub->opts.clock->self) - commit->started_ns);
    gw_metric_add(hub->metrics.events, (int64_t)commit->events.count);
    gw_metric_add(hub->metrics.commands_committed, (int64_t)commit->pending_count);
    if (run->durable_seq == 0)
        for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
            feed->channel.epoch = run->epoch;
    run->durable_seq = commit->append.last_seq;
    run->bytes_since_checkpoint += commit->payload.length;
    settle_pending(run, commit);
    for (size_t i = 0; i < commit->events.count; i++) {
        gw_run_publish(run, commit->events.items[i]);
        give_to_sink(run, commit->events.items[i]);
    }
}

static void log_failure(const struct gw_run *run, const struct gw_commit *commit)
{
    gw_metric_add(run->hub->metrics.appends_failed, 1);
    gw_log_write(run->hub->opts.log, GW_LOG_WARN, "append_failed",
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", commit->first_seq),
                                         GW_F_INT("status", commit->append.status), GW_F_TEXT("code", commit->append.err.id),
                                         GW_F_TEXT("message", commit->append.err.message), GW_F_END});
}

/* The submissions go back to the front of the inbox, in order. */
static void requeue(struct gw_run *run, struct gw_commit *commit)
{
    for (size_t i = commit->pending_count; i-- > 0;) {
        struct gw_submission *submission = commit->pending[i].submission;
        submission->outcomes[commit->pending[i].index].is_claimed = false;
        if (run->inbox_first != submission) /* else an earlier index of the same batch */
            gw_run_put_back(run, submission);
    }
}

/* Another writer took the seq, or nobody knows what happened: what the spine holds is folded, and the same commands are judged again. Those that are stored are
 * then known, and get the answer that was stored. */
static void judge_again(struct gw_run *run, struct gw_commit *commit)
{
    if (run->gathering)
        requeue(run, run->gathering);
    requeue(run, commit);
    gw_run_reload(run);
}

static void on_append_failed(struct gw_run *run, struct gw_commit *commit)
{
    struct gw_error err;
    gw_error_set(&err, GW_EIO, "spine_unavailable", "the command could not be stored; nothing of it took effect");
    err.is_retryable = true;
    refuse_pending(commit, &err);
    if (run->gathering)
        refuse_pending(run->gathering, &err);
    gw_run_down(run, &err);
}

static void on_appended(struct gw_spine_append *append)
{
    struct gw_commit *commit = append->arg;
    struct gw_run *run = commit->run;
    int status = append->status;
    run->appending = NULL;
    run->hub->in_flight--;
    run->inbox_waits = run->fetches_page;
    if (status)
        log_failure(run, commit);
    if (status == GW_OK) {
        on_durable(run, commit);
    } else if (status == GW_ECONFLICT || status == GW_EUNKNOWN_OUTCOME) {
        run->is_unsure = status == GW_EUNKNOWN_OUTCOME;
        judge_again(run, commit);
    } else {
        on_append_failed(run, commit);
    }
    if (run->phase == GW_RUN_LOADING && !run->loader)
        gw_run_reload(run); /* it was abandoned meanwhile */
    gw_commit_destroy(commit);
    gw_hub_mark_run(run->hub, run);
}

static void submit(struct gw_commit *commit)
{
    struct gw_hub *hub = commit->run->hub;
    commit->append = (struct gw_spine_append){.run = commit->run->key,
                                              .first_seq = commit->first_seq,
                                              .last_seq = commit->first_seq + commit->events.count - 1,
                                              .payload = commit->payload.data,
                                              .payload_length = commit->payload.length,
                                              .home = gw_hub_home(hub),
                                              .done = on_appended,
                                              .arg = commit};
    hub->opts.spine->append(hub->opts.spine->self, &commit->append);
}

void gw_run_flush(struct gw_run *run)
{
    struct gw_commit *commit = run->gathering;
    if (run->appending || !commit || run->phase != GW_RUN_READY)
        return;
    const struct gw_clock *clock = run->hub->opts.clock;
    uint64_t nonce;
    clock->random(clock->self, &nonce, sizeof nonce);
    commit->first_seq = commit->events.items[0]->seq;
    commit->started_ns = clock->monotonic_ns(clock->self);
    if (gw_record_write_end(&commit->writer, run->epoch, nonce, commit->first_seq, &commit->payload)) {
        gw_run_abandon(run);
        return;
    }
    run->gathering = NULL;
    run->appending = commit;
    if (gw_state_grown_seq(run->state) >= commit->first_seq)
        run->grown_at_ms = clock->monotonic_ms(clock->self);
    run->hub->in_flight++;
    submit(commit);
}

void gw_run_abandon(struct gw_run *run)
{
    struct gw_error err;
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory to store the command; nothing of it took effect");
    err.is_retryable = true;
    if (run->gathering)
        refuse_pending(run->gathering, &err);
    gw_run_forget(run);
    run->phase = GW_RUN_LOADING;
    if (!run->appending) /* else when its outcome is known */
        gw_run_reload(run);
}
