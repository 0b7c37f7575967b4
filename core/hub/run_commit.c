/* Durability: the gathering record goes to the spine; when it is there, answers go out and feeds grow. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/event.h"
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

int gw_commit_add(struct gw_commit *commit, struct gw_event_list *events, const struct gw_pending *pending)
{
    if (grow_pending(commit))
        return GW_ENOMEM;
    struct gw_record_key key = {.answer = pending->answer, .answer_length = pending->answer_length};
    memcpy(key.key, pending->key, sizeof key.key);
    memcpy(key.body, pending->body, sizeof key.body);
    gw_record_write_key(&commit->writer, &key);
    for (size_t i = 0; i < events->count; i++) {
        gw_record_write_event(&commit->writer, events->items[i]);
        if (gw_event_list_add(&commit->events, gw_event_ref(events->items[i])))
            return GW_ENOMEM;
    }
    gw_event_list_truncate(events, 0);
    if (commit->writer.events.has_failed || commit->writer.keys.has_failed)
        return GW_ENOMEM;
    commit->pending[commit->pending_count++] = *pending;
    return GW_OK;
}

/* ---- what becomes of a commit ------------------------------------------------------------------------------------------------------------ */

static void refuse_pending(struct gw_commit *commit, const struct gw_error *err)
{
    for (size_t i = 0; i < commit->pending_count; i++)
        gw_submission_refuse(commit->pending[i].submission, commit->pending[i].index, err);
}

void gw_run_publish(struct gw_run *run, const struct gw_event *event)
{
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        if (gw_feed_publish(feed, event))
            gw_log_write(run->hub->opts.log, GW_LOG_ERROR, "feed_lost_memory",
                         (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", event->seq), GW_F_END});
    run->published_seq = event->seq;
}

static void settle_pending(struct gw_run *run, struct gw_commit *commit)
{
    for (size_t i = 0; i < commit->pending_count; i++) {
        struct gw_pending *pending = &commit->pending[i];
        struct gw_record_key key = {.answer = pending->answer, .answer_length = pending->answer_length};
        memcpy(key.key, pending->key, sizeof key.key);
        if (run->keys)
            (void)gw_keys_add(run->keys, &key, commit->first_seq); /* it is there already: this only gives it a seq */
        gw_submission_settle(pending->submission, pending->index, pending->answer, pending->answer_length);
    }
}

static void on_durable(struct gw_run *run, struct gw_commit *commit)
{
    const struct gw_hub *hub = run->hub;
    gw_metric_observe_ns(hub->metrics.append_seconds, hub->opts.clock->monotonic_ns(hub->opts.clock->self) - commit->started_ns);
    gw_metric_add(hub->metrics.events, (int64_t)commit->events.count);
    gw_metric_add(hub->metrics.commands_committed, (int64_t)commit->pending_count);
    run->durable_seq = commit->append.last_seq;
    run->bytes_since_checkpoint += commit->payload.length;
    settle_pending(run, commit);
    for (size_t i = 0; i < commit->events.count; i++)
        gw_run_publish(run, commit->events.items[i]);
}

static void log_failure(const struct gw_run *run, const struct gw_commit *commit)
{
    gw_metric_add(run->hub->metrics.appends_failed, 1);
    gw_log_write(run->hub->opts.log, GW_LOG_WARN, "append_failed",
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", commit->first_seq), GW_F_INT("status", commit->append.status),
                                         GW_F_TEXT("code", commit->append.err.id), GW_F_TEXT("message", commit->append.err.message), GW_F_END});
}

/* Another writer took the seq: fold what it wrote, then judge the same commands again. Their submissions go back to the front of the inbox, in order. */
static void requeue(struct gw_run *run, struct gw_commit *commit)
{
    for (size_t i = commit->pending_count; i-- > 0;) {
        struct gw_submission *submission = commit->pending[i].submission;
        submission->outcomes[commit->pending[i].index].is_claimed = false;
        if (run->inbox_first == submission)
            continue; /* an earlier index of the same batch */
        submission->next = run->inbox_first;
        if (!run->inbox_first)
            run->inbox_last = &submission->next;
        run->inbox_first = submission;
        run->inbox_count++;
    }
}

static void on_lost_race(struct gw_run *run, struct gw_commit *commit)
{
    if (run->gathering)
        requeue(run, run->gathering);
    requeue(run, commit);
    gw_run_reload(run);
}

static void on_append_failed(struct gw_run *run, struct gw_commit *commit)
{
    struct gw_error err;
    gw_error_set(&err, commit->append.status, "spine_unavailable", "the command could not be stored; nothing of it took effect");
    err.is_retryable = true;
    refuse_pending(commit, &err);
    if (run->gathering)
        refuse_pending(run->gathering, &err);
    gw_run_down(run, &err);
}

static void finish(struct gw_run *run, struct gw_commit *commit, int status)
{
    run->appending = NULL;
    run->hub->in_flight--;
    run->inbox_waits = run->fetches_page;
    if (status == GW_OK)
        on_durable(run, commit);
    else if (status == GW_ECONFLICT)
        on_lost_race(run, commit);
    else
        on_append_failed(run, commit);
    if (run->reloads_after_append) {
        run->reloads_after_append = false;
        if (run->phase == GW_RUN_LOADING && !run->loader)
            gw_run_reload(run);
    }
    gw_commit_destroy(commit);
    gw_hub_mark_run(run->hub, run);
}

/* ---- unknown outcome: read the name back and compare the nonce --------------------------------------------------------------------------- */

struct probe {
    struct gw_spine_read read;
    struct gw_commit *commit;
};

static void submit(struct gw_commit *commit);

static bool is_ours(const struct gw_commit *commit, const struct gw_spine_read *read)
{
    struct gw_record record;
    struct gw_error err;
    if (gw_record_parse(read->records[0].payload, read->records[0].payload_length, &record, &err))
        return false;
    bool is_same = record.first_seq == commit->first_seq && record.nonce == commit->nonce;
    gw_record_fini(&record);
    return is_same;
}

static void on_probe(struct gw_spine_read *read)
{
    struct probe *probe = read->arg;
    struct gw_commit *commit = probe->commit;
    int status = read->status;
    size_t count = read->record_count;
    bool was_stored = !status && count > 0 && is_ours(commit, read);
    gw_spine_read_fini(read);
    gw_free(probe);
    if (status)
        finish(commit->run, commit, GW_EIO);
    else if (count == 0)
        submit(commit); /* the same name and nonce: should the first attempt still arrive, one of the two loses to the other */
    else
        finish(commit->run, commit, was_stored ? GW_OK : GW_ECONFLICT);
}

static void start_probe(struct gw_commit *commit)
{
    struct gw_hub *hub = commit->run->hub;
    struct probe *probe = gw_alloc(sizeof *probe);
    probe->commit = commit;
    probe->read = (struct gw_spine_read){.run = commit->run->key, .from_seq = commit->first_seq, .to_seq = commit->first_seq, .max_bytes = 1};
    probe->read.home = gw_hub_home(hub);
    probe->read.done = on_probe;
    probe->read.arg = probe;
    hub->opts.spine->read(hub->opts.spine->self, &probe->read);
}

static void on_appended(struct gw_spine_append *append)
{
    struct gw_commit *commit = append->arg;
    struct gw_run *run = commit->run;
    if (append->status)
        log_failure(run, commit);
    if (append->status == GW_EUNKNOWN_OUTCOME || (append->status == GW_ECONFLICT && commit->attempts > 1))
        start_probe(commit);
    else
        finish(run, commit, append->status);
}

static void submit(struct gw_commit *commit)
{
    struct gw_hub *hub = commit->run->hub;
    commit->attempts++;
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
    commit->first_seq = commit->events.items[0]->seq;
    commit->started_ns = clock->monotonic_ns(clock->self);
    clock->random(clock->self, &commit->nonce, sizeof commit->nonce);
    if (gw_record_write_end(&commit->writer, run->epoch, commit->nonce, commit->first_seq, &commit->payload)) {
        gw_run_abandon(run);
        return;
    }
    run->gathering = NULL;
    run->appending = commit;
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
    if (!run->appending) {
        gw_run_reload(run);
        return;
    }
    gw_run_forget(run);
    run->phase = GW_RUN_LOADING;
    run->reloads_after_append = true;
}
