#include "hub/run_chat.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/chat_round.h"
#include "hub/event.h"
#include "hub/run.h"
#include "hub/run_policy.h"

#define ROUND_POSTS 1024
/* What one round may add to a record, escapes and facets included. */
#define ROUND_RECORD_BYTES (384u << 10)

static uint64_t now_ms(const struct gw_run *run) { return run->hub->opts.clock->monotonic_ms(run->hub->opts.clock->self); }

/* ---- waiting --------------------------------------------------------------------------------------------------------------------------- */

void gw_run_chat_put(struct gw_run *run, struct gw_submission *submission)
{
    submission->next = NULL;
    *(run->chat.last ? &run->chat.last->next : &run->chat.first) = submission;
    run->chat.last = submission;
    run->inbox_count++;
}

void gw_run_chat_put_back(struct gw_run *run, struct gw_submission *submission)
{
    submission->next = run->chat.first;
    run->chat.first = submission;
    if (!run->chat.last)
        run->chat.last = submission;
    run->inbox_count++;
}

static struct gw_submission *take_first(struct gw_run *run)
{
    struct gw_submission *submission = run->chat.first;
    run->chat.first = submission->next;
    if (!run->chat.first)
        run->chat.last = NULL;
    run->inbox_count--;
    return submission;
}

void gw_run_chat_refuse(struct gw_run *run, const struct gw_error *err)
{
    while (run->chat.first)
        gw_submission_refuse(take_first(run), 0, err);
}

/* ---- into the record ------------------------------------------------------------------------------------------------------------------- */

static void stamp(struct gw_run *run, struct gw_event *event)
{
    int64_t now = run->hub->opts.clock->wall_ms(run->hub->opts.clock->self);
    if (now > run->last_ts_ms)
        run->last_ts_ms = now;
    event->seq = gw_state_seq(run->state) + 1;
    event->ts_ms = run->last_ts_ms;
}

/* Writes, then folds: what lacks memory has then changed nothing. `event` is taken. */
static int store(struct gw_run *run, struct gw_event *event, struct gw_pending *pending, size_t count)
{
    struct gw_error err;
    struct gw_commit_mark mark = gw_run_mark(run);
    struct gw_commit *commit = gw_run_gathering(run);
    struct gw_event_list list = {0};
    stamp(run, event);
    int status = gw_event_list_add(&list, event);
    if (!status)
        status = gw_commit_add_event(commit, event);
    for (size_t i = 0; !status && i < count; i++) {
        status = gw_commit_await(commit, &pending[i]);
        if (!status)
            pending[i].answer = NULL; /* the commit's now */
    }
    if (!status && gw_run_fold(run, &list, &err))
        status = GW_ENOMEM;
    if (status)
        gw_run_rewind(run, &mark);
    gw_event_list_fini(&list);
    return status;
}

/* Posts that bring nothing new are answered when that is durable which they repeat. */
static int await_last(struct gw_run *run, struct gw_pending *pending, size_t count)
{
    struct gw_commit *commit = run->gathering ? run->gathering : run->appending;
    for (size_t i = 0; i < count; i++) {
        if (commit && gw_commit_await(commit, &pending[i]))
            return GW_ENOMEM;
        if (!commit) {
            gw_submission_settle(pending[i].submission, pending[i].index, pending[i].answer, pending[i].answer_length);
            gw_free(pending[i].answer);
        }
        pending[i].answer = NULL;
        pending[i].submission = NULL;
    }
    return GW_OK;
}

/* ---- rounds ---------------------------------------------------------------------------------------------------------------------------- */

/* value: a round and the posts that it took */
struct gathering {
    struct gw_chat_round round;
    struct gw_pending *pending;
    size_t count, capacity;
    bool asks_validators;
};

static int make_room(struct gathering *gathering)
{
    if (gathering->count < gathering->capacity)
        return GW_OK;
    size_t capacity = gathering->capacity ? 2 * gathering->capacity : 16;
    struct gw_pending *pending = gw_try_grow(gathering->pending, capacity, sizeof *pending);
    if (!pending)
        return GW_ENOMEM;
    gathering->pending = pending;
    gathering->capacity = capacity;
    return GW_OK;
}

static struct gw_resolve_context make_context(const struct gw_run *run, const struct gw_submission *submission)
{
    return (struct gw_resolve_context){.plan = submission->plan,
                                       .keeps_whole = gw_run_keeps_whole(run),
                                       .author_id = submission->actor.id,
                                       .author_kind = gw_actor_kind_name(submission->actor.kind)};
}

/* Validators have the first word, as on any command; what repeats what stands there, and a sign of life, they are not asked about. */
static int judge_post(struct gw_run *run, const struct gathering *gathering, struct gw_submission *submission, struct gw_chat_post *post,
                      struct gw_error *err)
{
    struct gw_resolve_context context = make_context(run, submission);
    int status = gw_chat_round_judge(&gathering->round, &submission->commands[0], &context, post, err);
    if (!gathering->asks_validators || (!status && !gw_chat_post_brings(post)))
        return status;
    struct gw_error refusal;
    int refused = gw_run_validate(&(struct gw_decision){.run = run, .submission = submission, .context = &context}, &refusal);
    if (refused)
        *err = refusal;
    return refused ? refused : status;
}

/* One post. GW_ENOMEM: the round is lost; any other refusal is the post's alone. */
static int take_post(struct gw_run *run, struct gathering *gathering, struct gw_submission *submission)
{
    struct gw_error err;
    struct gw_chat_post post;
    struct gw_pending *pending = &gathering->pending[gathering->count];
    struct gw_resolve_context context = make_context(run, submission);
    int status = judge_post(run, gathering, submission, &post, &err);
    if (!status)
        status = gw_chat_round_apply(&gathering->round, &submission->commands[0], &context, &post, &err);
    if (status && status != GW_ENOMEM) {
        gw_submission_refuse(submission, 0, &err);
        return GW_OK;
    }
    *pending = (struct gw_pending){.submission = submission, .is_keyless = true};
    gathering->count++;
    if (status)
        return status;
    pending->answer = gw_chat_post_answer(&post, &pending->answer_length);
    if (!submission->is_probe)
        post.message->touched_ms = now_ms(run);
    submission->outcomes[0].is_claimed = true;
    return pending->answer ? GW_OK : GW_ENOMEM;
}

static void lose(struct gw_run *run, struct gathering *gathering)
{
    struct gw_error err;
    gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory to store the tokens; nothing of them took effect");
    err.is_retryable = true;
    for (size_t i = 0; i < gathering->count; i++) {
        gw_free(gathering->pending[i].answer);
        if (gathering->pending[i].submission)
            gw_submission_refuse(gathering->pending[i].submission, 0, &err);
    }
    gw_run_abandon(run);
}

static void judge_round(struct gw_run *run)
{
    struct gathering gathering = {.asks_validators = gw_run_has_validators(run, "chat.append")};
    struct gw_event *event = NULL;
    gw_chat_round_begin(&gathering.round, run->state);
    int status = GW_OK;
    while (!status && run->chat.first && gathering.count < ROUND_POSTS && !gw_chat_round_is_full(&gathering.round)) {
        status = make_room(&gathering);
        if (!status)
            status = take_post(run, &gathering, take_first(run));
        run->chat.counted++;
    }
    int ended = gw_chat_round_end(&gathering.round, status ? NULL : &event);
    status = status ? status : ended;
    if (event)
        run->chat.event_at_ms = now_ms(run);
    if (!status)
        status = event ? store(run, event, gathering.pending, gathering.count) : await_last(run, gathering.pending, gathering.count);
    if (status)
        lose(run, &gathering);
    gw_free(gathering.pending);
}

/* ---- leases ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_expired(const struct gw_run *run, const struct gw_chat_message *message)
{
    return !message->end && message->touched_ms && now_ms(run) - message->touched_ms >= run->hub->opts.limits.chat_lease_ms;
}

void gw_run_chat_tick(struct gw_run *run)
{
    if (run->phase != GW_RUN_READY || gw_chat_open_count(gw_state_chat(run->state)) == 0)
        return;
    for (struct gw_chat_message *message = NULL; (message = gw_chat_next(gw_state_chat(run->state), message));) {
        if (!message->end && !message->touched_ms)
            message->touched_ms = now_ms(run); /* a producer that was heard before the run was loaded has its whole lease again */
        run->chat.has_expired |= is_expired(run, message);
    }
    if (run->chat.has_expired)
        gw_hub_mark_run(run->hub, run);
}

static int add_end(const struct gw_run *run, const struct gw_chat_message *message, struct gw_json *parts, struct gw_json *facets)
{
    int status = gw_chat_facets_add(facets, message->id, &message->author, message->vis);
    if (!status && gw_run_keeps_whole(run))
        status = gw_chat_facets_keep(facets, message);
    return status ? status : gw_chat_part_end(parts, message->id, GW_CHAT_ABORTED);
}

/* The ends of all that has expired, by the gateway itself. NULL when memory is gone. */
static struct gw_event *make_ends(const struct gw_run *run)
{
    static const char nobody[] = "gateway";
    struct gw_event *event = gw_event_create();
    struct gw_json *parts = gw_json_new_array();
    int status = event && parts ? GW_OK : GW_ENOMEM;
    if (!status && (!(event->data = gw_json_new_object()) || !(event->facets = gw_chat_facets_create())))
        status = GW_ENOMEM;
    for (const struct gw_chat_message *message = NULL; !status && (message = gw_chat_next(gw_state_chat(run->state), message));)
        if (is_expired(run, message))
            status = add_end(run, message, parts, event->facets);
    if (!status)
        status = gw_json_set(event->data, "parts", gw_json_ref(parts));
    gw_json_unref(parts);
    if (status) {
        gw_event_unref(event);
        return NULL;
    }
    event->type = GW_EVENT_CHAT_TOKEN;
    event->actor.kind = GW_ACTOR_SERVICE;
    memcpy(event->actor.id, nobody, sizeof nobody);
    memcpy(event->surface_id, nobody, sizeof nobody);
    memcpy(event->app_id, nobody, sizeof nobody);
    return event;
}

/* Those that have been heard meanwhile are left out; without memory it is tried again after the next tick. */
static void end_expired(struct gw_run *run)
{
    struct gw_event *event = make_ends(run);
    run->chat.has_expired = false;
    size_t count = event ? gw_json_count(gw_json_get(event->data, "parts")) : 0;
    if (count == 0) {
        gw_event_unref(event);
        return;
    }
    gw_metric_add(run->hub->metrics.chat_aborted, (int64_t)count);
    if (store(run, event, NULL, 0))
        gw_run_abandon(run);
}

/* ---- when ------------------------------------------------------------------------------------------------------------------------------ */

static bool may_judge(const struct gw_run *run)
{
    bool has_room = !run->gathering || gw_record_writer_bytes(&run->gathering->writer) + ROUND_RECORD_BYTES <= GW_RECORD_MAX_BYTES;
    return run->phase == GW_RUN_READY && !run->inbox_waits && !run->refresh && has_room;
}

void gw_run_chat_judge_now(struct gw_run *run)
{
    while (run->chat.first && may_judge(run))
        judge_round(run);
}

static void count_load(struct gw_run_chat *chat, uint64_t now)
{
    if (now - chat->counted_since_ms < GW_CHAT_BUSY_MS)
        return;
    chat->is_busy = chat->counted >= GW_CHAT_BUSY_POSTS && now - chat->counted_since_ms < 2 * GW_CHAT_BUSY_MS;
    chat->counted_since_ms = now;
    chat->counted = 0;
}

/* How long the posts still have to wait for more. */
static uint64_t window_left(struct gw_run *run)
{
    uint64_t now = now_ms(run), since = now - run->chat.event_at_ms;
    count_load(&run->chat, now);
    return run->chat.is_busy && run->hub->opts.wake_in && since < GW_CHAT_WINDOW_MS ? GW_CHAT_WINDOW_MS - since : 0;
}

void gw_run_chat_judge(struct gw_run *run)
{
    if (run->chat.has_expired && may_judge(run))
        end_expired(run);
    if (!run->chat.first || run->appending || !may_judge(run))
        return;
    uint64_t left = window_left(run);
    if (left)
        gw_hub_nap(run->hub, run, (uint32_t)left);
    else
        gw_run_chat_judge_now(run);
}
