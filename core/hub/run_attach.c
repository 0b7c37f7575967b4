/* Streams at the owner: finding the feed, deciding the verdict, making the checkpoint. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/run.h"
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

static struct gw_feed *find_feed(struct gw_run *run, const struct gw_view *view)
{
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        if (feed->channel.plan->class_id == view->plan->class_id && is_same_set(&feed->channel.set, &view->set))
            return feed;
    return NULL;
}

static struct gw_feed *feed_for(struct gw_run *run, const struct gw_view *view)
{
    struct gw_feed *feed = find_feed(run, view);
    if (feed || run->feed_count >= run->hub->opts.limits.max_feeds_per_run)
        return feed;
    struct gw_channel channel = {.wire = run->hub->opts.wire,
                                 .scope = run->scope,
                                 .run = run->key,
                                 .plan = gw_plan_ref(view->plan),
                                 .set = view->set,
                                 .epoch = run->epoch};
    feed = gw_feed_create(run, &channel, run->published_seq);
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

static void on_answer(struct gw_task *task)
{
    gw_attach_answered((struct gw_attach *)(void *)task);
}

static void send_answer(struct gw_hub *hub, struct gw_attach *attach)
{
    attach->task.run = on_answer;
    gw_hub_send(hub, attach->hub->opts.worker, &attach->task);
}

static void refuse(struct gw_hub *hub, struct gw_attach *attach, const char *reason)
{
    attach->status = GW_VERDICT_RETRY;
    attach->reason = reason;
    release(attach);
    send_answer(hub, attach);
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

/* value: a checkpoint being written */
struct checkpoint_writer {
    const struct gw_run *run;
    const struct gw_channel *channel;
    struct gw_buffer *out;
};

static void write_frame(void *arg, const struct gw_checkpoint_frame *given)
{
    const struct checkpoint_writer *writer = arg;
    const struct gw_wire *wire = writer->channel->wire;
    struct gw_checkpoint_frame frame = *given;
    if (!frame.ts_ms)
        frame.ts_ms = writer->run->last_ts_ms;
    wire->checkpoint(wire->self, &writer->channel->scope, &frame, writer->out);
}

static void write_canvas(struct checkpoint_writer *writer, const char *canvas_id, const char *cursor)
{
    struct gw_buffer data;
    gw_buffer_init(&data, 0);
    gw_state_write_canvas(writer->run->state, writer->channel->plan, canvas_id, &data);
    writer->out->has_failed |= data.has_failed;
    if (!writer->out->has_failed)
        write_frame(writer, &(struct gw_checkpoint_frame){
                                .type = GW_EVENT_CANVAS_READY, .canvas_id = canvas_id, .data = data.data, .data_length = data.length, .cursor = cursor});
    gw_buffer_fini(&data);
}

static bool is_carried(const struct gw_channel *channel, const char *canvas_id)
{
    return channel->set.count == 0 || gw_canvas_set_contains(&channel->set, canvas_id);
}

static void write_checkpoint(const struct gw_run *run, const struct gw_feed *feed, struct gw_buffer *out)
{
    const struct gw_channel *channel = &feed->channel;
    struct checkpoint_writer writer = {run, channel, out};
    const char *const *ids;
    size_t count = gw_state_canvases(run->state, &ids), left = 0;
    char cursor[GW_CURSOR_MAX];
    /* Hidden events change nothing that this class can see, so the cursor is that of the last visible one and tells nothing of them. */
    gw_channel_seal(channel, feed->last_visible, cursor);
    if (gw_state_write_run(run->state, channel->plan, write_frame, &writer))
        out->has_failed = true;
    for (size_t i = 0; i < count; i++)
        left += is_carried(channel, ids[i]);
    if (left == 0)
        channel->wire->id_only(channel->wire->self, cursor, out);
    for (size_t i = 0; i < count; i++)
        if (is_carried(channel, ids[i]))
            write_canvas(&writer, ids[i], --left == 0 ? cursor : NULL);
}

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
    write_checkpoint(run, feed, &bytes);
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
        refuse(attach->feed->run->hub, attach, "overload");
        return;
    }
    attach->status = status;
    attach->reason = reason;
    attach->seq = attach->feed->run->durable_seq;
    answer(attach);
}

/* ---- the verdict ---------------------------------------------------------------------------------------------------------------------- */

/* Exactly what lies behind `seq`, or why that cannot be. */
static void answer_from(struct gw_attach *attach, uint64_t seq)
{
    const struct gw_run *run = attach->feed->run;
    if (seq > run->durable_seq) {
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

static void answer_cursor(struct gw_attach *attach)
{
    const struct gw_channel *channel = &attach->feed->channel;
    struct gw_position position;
    bool covers;
    if (channel->wire->open(channel->wire->self, &channel->run, &channel->set, attach->cursor, strlen(attach->cursor), &position, &covers))
        answer_checkpoint(attach, GW_VERDICT_RESET, "garbled");
    else if (position.epoch != channel->epoch && (position.epoch != 0 || position.seq != 0))
        answer_checkpoint(attach, GW_VERDICT_RESET, "other_epoch");
    else if (position.class_id != channel->plan->class_id)
        answer_checkpoint(attach, GW_VERDICT_RESET, "class_changed");
    else if (!covers)
        answer_checkpoint(attach, GW_VERDICT_RESET, "wider_canvas_set");
    else
        answer_from(attach, position.seq);
}

static void answer_commit(struct gw_attach *attach)
{
    const struct gw_canvas_set *set = &attach->feed->channel.set;
    uint64_t seq = gw_state_commit_seq(attach->feed->run->state, set->count == 1 ? set->ids[0] : "", attach->number);
    if (seq == 0)
        answer_checkpoint(attach, GW_VERDICT_RESET, "unknown_commit");
    else
        answer_from(attach, seq);
}

/* ---- looking back: one block at a time, newest first ---------------------------------------------------------------------------------------- */

struct look_back {
    struct gw_block_want want;
    struct gw_attach *attach; /* NULL while priming */
};

static void look_at(struct look_back *look, struct gw_feed *feed, uint64_t number, void (*ready)(struct gw_block_want *, struct gw_span *))
{
    look->want = (struct gw_block_want){.feed = feed, .number = number, .ready = ready};
    gw_run_want_block(feed->run, &look->want);
}

/* Between two multiples of GW_ID_ONLY_EVERY lie four blocks: the newest visible frame is in one of them, or is the frame at the multiple itself. */
static void primed(struct look_back *look, struct gw_feed *feed, uint64_t last_visible)
{
    if (!feed->is_primed)
        feed->last_visible = last_visible;
    feed->is_primed = true;
    feed->is_priming = false;
    gw_free(look);
    while (feed->unprimed) {
        struct gw_attach *attach = feed->unprimed;
        feed->unprimed = attach->next;
        attach->next = feed->run->attaches;
        feed->run->attaches = attach;
    }
    gw_hub_mark_run(feed->run->hub, feed->run);
}

static void on_prime_block(struct gw_block_want *want, struct gw_span *span)
{
    struct look_back *look = (struct look_back *)(void *)want;
    struct gw_feed *feed = want->feed;
    uint64_t floor = want->number * GW_BLOCK_SEQS / GW_ID_ONLY_EVERY * GW_ID_ONLY_EVERY;
    uint64_t found = span && span->frame_count ? span->frames[span->frame_count - 1].seq : 0;
    gw_span_unref(span);
    if (found || want->number * GW_BLOCK_SEQS == floor || feed->is_primed || want->number * GW_BLOCK_SEQS < feed->run->floor_seq)
        primed(look, feed, found ? found : floor);
    else
        look_at(look, feed, want->number - 1, on_prime_block);
}

static void prime(struct gw_feed *feed, struct gw_attach *attach)
{
    attach->next = feed->unprimed;
    feed->unprimed = attach;
    if (feed->is_priming)
        return;
    feed->is_priming = true;
    struct look_back *look = gw_alloc(sizeof *look);
    if (feed->head_seq % GW_ID_ONLY_EVERY == 0)
        primed(look, feed, feed->head_seq);
    else
        look_at(look, feed, (feed->head_seq - 1) / GW_BLOCK_SEQS, on_prime_block);
}

/* The seq before the first of the last `wanted` events of the span, or false with *seen raised by what it holds. */
static bool find_start(const struct gw_span *span, uint64_t wanted, uint64_t *seen, uint64_t *seq)
{
    for (uint32_t i = span->frame_count; i-- > 0;) {
        if (!span->frames[i].is_event || ++*seen < wanted)
            continue;
        *seq = span->frames[i].seq - 1;
        return true;
    }
    return false;
}

static void on_last_block(struct gw_block_want *want, struct gw_span *span)
{
    struct look_back *look = (struct look_back *)(void *)want;
    struct gw_attach *attach = look->attach;
    struct gw_feed *feed = want->feed;
    struct gw_run *run = feed->run;
    uint64_t seq = 0, block_seq = want->number * GW_BLOCK_SEQS;
    if (!span) {
        gw_free(look);
        refuse(run->hub, attach, "spine_unavailable");
        return;
    }
    bool is_found = find_start(span, attach->number, &attach->scan_seen, &seq);
    uint64_t scanned = feed->head_seq - block_seq;
    gw_span_unref(span);
    if (!is_found && block_seq > 0 && scanned < run->hub->opts.limits.max_replay_events && block_seq >= run->floor_seq) {
        look_at(look, feed, want->number - 1, on_last_block);
        return;
    }
    gw_free(look);
    attach->status = GW_VERDICT_EXACT;
    attach->seq = is_found ? seq : block_seq;
    if (attach->seq + 1 < run->floor_seq)
        attach->seq = run->floor_seq - 1;
    answer(attach);
}

static void answer_last(struct gw_attach *attach)
{
    struct gw_feed *feed = attach->feed;
    if (attach->number == 0 || feed->head_seq == 0) {
        answer_from(attach, feed->head_seq);
        return;
    }
    struct look_back *look = gw_alloc(sizeof *look);
    look->attach = attach;
    look_at(look, feed, (feed->head_seq - 1) / GW_BLOCK_SEQS, on_last_block);
}

/* ---- serving -------------------------------------------------------------------------------------------------------------------------- */

static void decide(struct gw_attach *attach)
{
    switch (attach->start) {
    case GW_START_CHECKPOINT:
        answer_checkpoint(attach, GW_VERDICT_FRESH, NULL);
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

void gw_run_serve_attaches(struct gw_run *run)
{
    struct gw_attach *list = run->attaches;
    run->attaches = NULL;
    while (list) {
        struct gw_attach *attach = list;
        list = attach->next;
        if (!attach->feed) {
            attach->feed = feed_for(run, attach->view);
            if (attach->feed)
                attach->feed->holds++;
        }
        if (!attach->feed)
            refuse(run->hub, attach, "too_many_classes");
        else if (!attach->feed->is_primed)
            prime(attach->feed, attach);
        else
            decide(attach);
    }
}

void gw_run_refuse_attaches(struct gw_run *run, const char *reason)
{
    while (run->attaches) {
        struct gw_attach *attach = run->attaches;
        run->attaches = attach->next;
        refuse(run->hub, attach, reason);
    }
}

void gw_run_attach(struct gw_attach *attach)
{
    struct gw_hub *hub = attach->hub->opts.hubs[gw_hub_owner_of(attach->hub, &attach->view->run)];
    struct gw_run *run = hub->is_draining ? NULL : gw_hub_run(hub, &attach->view->scope);
    if (!run) {
        refuse(hub, attach, hub->is_draining ? "draining" : "overload");
        return;
    }
    attach->next = run->attaches;
    run->attaches = attach;
    gw_hub_mark_run(hub, run);
}
