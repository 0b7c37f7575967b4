/* Streams at the owner: finding the feed, deciding the verdict, making the checkpoint. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/run.h"
#include "hub/run_presence.h"
#include "hub/span.h"

/* ---- feeds ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_same_set(const struct gw_canvas_set *a, const struct gw_canvas_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->ids[i], b->ids[i]) != 0)
            return false;
    return true;
}

static struct gw_feed *find_feed(struct gw_run *run, const struct gw_plan *plan, const struct gw_canvas_set *set)
{
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        if (feed->channel.plan->class_id == plan->class_id && is_same_set(&feed->channel.set, set))
            return feed;
    return NULL;
}

struct gw_feed *gw_run_feed(struct gw_run *run, struct gw_plan *plan, const struct gw_canvas_set *set)
{
    struct gw_feed *feed = find_feed(run, plan, set);
    if (feed || run->feed_count >= run->hub->opts.limits.max_feeds_per_run)
        return feed;
    struct gw_channel channel = {.wire = run->hub->opts.wire,
                                 .scope = run->scope,
                                 .run = run->key,
                                 .plan = gw_plan_ref(plan),
                                 .policy = run->hub->opts.policy,
                                 .set = *set,
                                 .epoch = gw_run_epoch(run)};
    feed = gw_feed_create(run, &channel, run->published_seq);
    gw_run_show_presence(run, feed);
    feed->next = run->feeds;
    run->feeds = feed;
    run->feed_count++;
    return feed;
}

void gw_run_release_feed(struct gw_feed *feed)
{
    struct gw_run *run = feed->run;
    if (feed->outlets || feed->holds)
        return;
    struct gw_feed **link = &run->feeds;
    while (*link != feed)
        link = &(*link)->next;
    *link = feed->next;
    run->feed_count--;
    gw_block_cache_forget(run->hub->blocks, feed);
    gw_feed_destroy(feed);
}

static void release(struct gw_attach *attach)
{
    struct gw_feed *feed = attach->feed;
    attach->feed = NULL;
    if (!feed)
        return;
    feed->holds--;
    gw_run_release_feed(feed);
}

/* ---- answering ------------------------------------------------------------------------------------------------------------------------ */

static void on_answer(struct gw_task *task) { gw_attach_answered((struct gw_attach *)(void *)task); }

static void send_answer(struct gw_hub *hub, struct gw_attach *attach)
{
    attach->task.run = on_answer;
    gw_hub_send(hub, attach->hub->opts.worker, &attach->task);
}

void gw_attach_refuse(struct gw_attach *attach, struct gw_hub *hub, const char *reason)
{
    attach->status = GW_VERDICT_RETRY;
    attach->reason = reason;
    release(attach);
    send_answer(hub, attach);
}

/* What was read for it could not be had, or not be shown. */
const char *gw_attach_unreadable(const struct gw_hub *hub)
{
    struct gw_error why;
    return gw_lens_why(hub->opts.policy, &why) == GW_ENOMEM ? "spine_unavailable" : "overload";
}

static void answer(struct gw_attach *attach)
{
    struct gw_feed *feed = attach->feed;
    struct gw_hub *hub = feed->run->hub;
    attach->outlet = gw_feed_outlet(feed, attach->view, attach->hub->opts.worker);
    attach->head_seq = feed->last_visible;
    gw_channel_seal(&feed->channel, feed->last_visible, attach->head);
    release(attach);
    send_answer(hub, attach);
}

/* ---- checkpoints ---------------------------------------------------------------------------------------------------------------------- */

/* The checkpoint as of now, shared by all who come before the next event. */
static struct gw_span *checkpoint_of(struct gw_feed *feed)
{
    struct gw_run *run = feed->run;
    if (feed->checkpoint && feed->checkpoint_seq == run->durable_seq)
        return gw_span_ref(feed->checkpoint);
    gw_span_unref(feed->checkpoint);
    feed->checkpoint = NULL;
    struct gw_buffer bytes;
    gw_buffer_init(&bytes, UINT32_MAX / 2);
    /* Hidden events change nothing that this class can see, so the cursor is that of the last visible one and tells nothing of them. */
    gw_channel_checkpoint(&feed->channel, run->state, feed->last_visible, run->last_ts_ms, &bytes);
    if (!bytes.has_failed)
        feed->checkpoint = gw_span_create(run->durable_seq, (uint32_t)bytes.length, 1);
    if (feed->checkpoint)
        gw_span_append(feed->checkpoint, run->durable_seq, true, bytes.data, bytes.length);
    gw_buffer_fini(&bytes);
    feed->checkpoint_seq = run->durable_seq;
    return feed->checkpoint ? gw_span_ref(feed->checkpoint) : NULL;
}

static void answer_checkpoint(struct gw_attach *attach, enum gw_verdict_status status, const char *reason)
{
    attach->checkpoint = checkpoint_of(attach->feed);
    if (!attach->checkpoint) {
        (void)gw_attach_unreadable(attach->feed->run->hub);
        gw_attach_refuse(attach, attach->feed->run->hub, "overload");
        return;
    }
    attach->status = status;
    attach->reason = reason;
    attach->seq = attach->feed->run->durable_seq;
    answer(attach);
}

/* ---- the verdict ---------------------------------------------------------------------------------------------------------------------- */

/* What is not known here another writer may have stored: one look at the log's tail decides. */
static bool is_worth_a_look(struct gw_attach *attach)
{
    if (attach->has_refreshed)
        return false;
    attach->has_refreshed = true;
    gw_run_refresh(attach->feed->run);
    gw_run_put_attach(attach->feed->run, attach);
    return true;
}

/* Exactly what lies behind `seq`, or why that cannot be. */
static void answer_from(struct gw_attach *attach, uint64_t seq)
{
    const struct gw_run *run = attach->feed->run;
    if (seq > run->durable_seq) {
        if (!is_worth_a_look(attach))
            answer_checkpoint(attach, GW_VERDICT_RESET, "future");
    } else if (seq + 1 < run->floor_seq) {
        answer_checkpoint(attach, GW_VERDICT_RESET, "purged");
    } else if (run->durable_seq - seq > run->hub->opts.limits.max_replay_events) {
        answer_checkpoint(attach, GW_VERDICT_RESET, "replay_limit");
    } else {
        attach->status = GW_VERDICT_EXACT;
        attach->seq = seq;
        answer(attach);
    }
}

static void answer_other_epoch(struct gw_attach *attach)
{
    bool is_unknown_here = attach->feed->channel.epoch == 0;
    if (!is_unknown_here || !is_worth_a_look(attach))
        answer_checkpoint(attach, GW_VERDICT_RESET, "other_epoch");
}

static void answer_cursor(struct gw_attach *attach)
{
    const struct gw_channel *channel = &attach->feed->channel;
    struct gw_opened opened;
    const struct gw_position *position = &opened.position;
    if (channel->wire->open(channel->wire->self, &channel->run, &channel->set, attach->cursor, &opened))
        answer_checkpoint(attach, GW_VERDICT_RESET, "garbled");
    else if (position->epoch != channel->epoch && (position->epoch != 0 || position->seq != 0))
        answer_other_epoch(attach);
    else if (position->class_id != channel->plan->class_id)
        answer_checkpoint(attach, GW_VERDICT_RESET, "class_changed");
    else if (!opened.covers)
        answer_checkpoint(attach, GW_VERDICT_RESET, "wider_canvas_set");
    else
        answer_from(attach, position->seq);
}

/* Where the revision was committed; of several canvases, the first one asked for that has it. */
static uint64_t commit_seq(const struct gw_attach *attach)
{
    const struct gw_canvas_set *set = &attach->feed->channel.set;
    const struct gw_state *state = attach->feed->run->state;
    uint64_t seq = set->count == 0 ? gw_state_commit_seq(state, "", attach->number) : 0;
    for (size_t i = 0; seq == 0 && i < set->count; i++)
        seq = gw_state_commit_seq(state, set->ids[i], attach->number);
    return seq;
}

static void answer_commit(struct gw_attach *attach)
{
    uint64_t seq = commit_seq(attach);
    if (seq == 0)
        answer_checkpoint(attach, GW_VERDICT_RESET, "unknown_commit");
    else
        answer_from(attach, seq);
}

static void answer_last(struct gw_attach *attach)
{
    const struct gw_feed *feed = attach->feed;
    if (attach->number == 0 || feed->head_seq == 0)
        answer_from(attach, feed->head_seq);
    else
        gw_attach_look_back(attach);
}

/* ---- serving -------------------------------------------------------------------------------------------------------------------------- */

static void decide(struct gw_attach *attach)
{
    if (attach->has_seq) {
        answer_from(attach, attach->number);
        return;
    }
    switch (attach->start) {
    case GW_START_CHECKPOINT:
        answer_checkpoint(attach, attach->is_switch ? GW_VERDICT_RESET : GW_VERDICT_FRESH, attach->is_switch ? "class_changed" : NULL);
        return;
    case GW_START_CURSOR:
        answer_cursor(attach);
        return;
    case GW_START_EARLIEST:
        answer_from(attach, 0);
        return;
    case GW_START_NOW:
        answer_from(attach, attach->feed->run->durable_seq);
        return;
    case GW_START_LAST:
        answer_last(attach);
        return;
    case GW_START_COMMIT:
        answer_commit(attach);
        return;
    }
}

void gw_run_put_attach(struct gw_run *run, struct gw_attach *attach)
{
    attach->next = run->attaches;
    run->attaches = attach;
    gw_hub_mark_run(run->hub, run);
}

static void on_primed(struct gw_feed_waiter *waiter, bool is_known)
{
    struct gw_attach *attach = (struct gw_attach *)(void *)((char *)waiter - offsetof(struct gw_attach, waiter));
    struct gw_run *run = attach->feed->run;
    if (is_known)
        gw_run_put_attach(run, attach);
    else
        gw_attach_refuse(attach, run->hub, gw_attach_unreadable(run->hub));
}

static void prime(struct gw_attach *attach)
{
    attach->waiter.primed = on_primed;
    gw_feed_prime(attach->feed, &attach->waiter);
}

static size_t count_feeds(const struct gw_run *run, const char *actor_id)
{
    size_t count = 0;
    for (const struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        count += strcmp(feed->first_actor_id, actor_id) == 0;
    return count;
}

/* Each canvas set is a feed, and each feed costs every event: nobody may have them all. What a change of policy brings is not the actor's doing. */
static bool may_be_first(const struct gw_run *run, const struct gw_attach *attach)
{
    return attach->is_switch || !attach->actor_id[0] || count_feeds(run, attach->actor_id) < run->hub->opts.limits.max_feeds_per_actor;
}

static struct gw_feed *take_feed(struct gw_run *run, const struct gw_attach *attach)
{
    struct gw_feed *feed = find_feed(run, attach->view->plan, &attach->view->set);
    bool is_first = !feed || !feed->first_actor_id[0];
    if (is_first && !may_be_first(run, attach))
        return NULL;
    if (!feed)
        feed = gw_run_feed(run, attach->view->plan, &attach->view->set);
    if (!feed)
        return NULL;
    if (is_first)
        memcpy(feed->first_actor_id, attach->actor_id, sizeof feed->first_actor_id);
    feed->holds++;
    return feed;
}

void gw_run_serve_attaches(struct gw_run *run)
{
    struct gw_attach *list = run->attaches;
    run->attaches = NULL;
    while (list) {
        struct gw_attach *attach = list;
        list = attach->next;
        if (!attach->feed)
            attach->feed = take_feed(run, attach);
        if (!attach->feed)
            gw_attach_refuse(attach, run->hub, "too_many_classes");
        else if (!attach->feed->is_primed)
            prime(attach);
        else
            decide(attach);
    }
}

void gw_run_refuse_attaches(struct gw_run *run, const char *reason)
{
    while (run->attaches) {
        struct gw_attach *attach = run->attaches;
        run->attaches = attach->next;
        gw_attach_refuse(attach, run->hub, reason);
    }
}

void gw_run_attach(struct gw_attach *attach)
{
    struct gw_hub *hub = attach->hub->opts.hubs[gw_hub_owner_of(attach->hub, &attach->view->run)];
    struct gw_run *run = hub->is_draining ? NULL : gw_hub_run(hub, &attach->view->scope);
    if (!run) {
        gw_attach_refuse(attach, hub, hub->is_draining ? "draining" : "overload");
        return;
    }
    attach->has_joined = attach->arrival && !gw_run_join(run, attach->arrival);
    gw_run_put_attach(run, attach);
}
