#include "hub/view.h"

#include <string.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"
#include "hub/plan.h"
#include "hub/span.h"
#include "hub/subscriber.h"

#define PARTS_MAX 64
/* What one subscriber may take of history in one turn, so that a fast reader's replay does not hold up the others. */
#define REPLAY_BLOCKS_PER_TURN 8
struct gw_view *gw_view_create(struct gw_hub *hub, const struct gw_scope *scope, struct gw_plan *plan, const struct gw_canvas_set *set)
{
    struct gw_view *view = gw_alloc(sizeof *view);
    view->hub = hub;
    view->scope = *scope;
    gw_run_key_encode(scope, &view->run);
    view->plan = gw_plan_ref(plan);
    view->set = *set;
    return view;
}

void gw_view_destroy(struct gw_view *view)
{
    if (!view)
        return;
    for (size_t i = 0; i < view->span_count; i++)
        gw_span_unref(view->spans[i].span);
    for (size_t i = 0; i < GW_VIEW_BLOCKS; i++)
        gw_span_unref(view->blocks[i].span);
    gw_ephemera_fini(&view->ephemera);
    gw_plan_unref(view->plan);
    gw_free(view->spans);
    gw_free(view->name);
    gw_free(view);
}

static void enlist_last(struct gw_view *view)
{
    if (view->is_dirty)
        return;
    struct gw_hub *hub = view->hub;
    view->is_dirty = true;
    view->next_dirty = NULL;
    if (hub->dirty_views)
        hub->last_dirty_view->next_dirty = view;
    else
        hub->dirty_views = view;
    hub->last_dirty_view = view;
}

static void enlist_first(struct gw_view *view)
{
    if (view->is_dirty)
        return;
    struct gw_hub *hub = view->hub;
    view->is_dirty = true;
    view->next_dirty = hub->dirty_views;
    if (!hub->dirty_views)
        hub->last_dirty_view = view;
    hub->dirty_views = view;
}

void gw_view_mark_dirty(struct gw_view *view)
{
    view->unpumped_count = view->subscriber_count;
    enlist_last(view);
}

static void drop_evicted(struct gw_view *view)
{
    size_t gone = 0;
    while (gone < view->span_count && view->spans[gone].to_seq <= view->start_seq && gone + 1 < view->span_count)
        gw_span_unref(view->spans[gone++].span);
    if (gone == 0)
        return;
    view->span_count -= gone;
    memmove(view->spans, view->spans + gone, view->span_count * sizeof *view->spans);
}

void gw_view_extend(struct gw_view *view, const struct gw_published *items, size_t count, uint64_t start_seq, uint64_t head_seq)
{
    for (size_t i = 0; i < count; i++) {
        struct gw_published *last = view->span_count ? &view->spans[view->span_count - 1] : NULL;
        if (last && last->span == items[i].span) {
            gw_span_unref(last->span);
            *last = items[i];
            continue;
        }
        if (view->span_count == view->span_capacity) {
            view->span_capacity = view->span_capacity ? view->span_capacity * 2 : 8;
            struct gw_published *grown = gw_alloc_array(view->span_capacity, sizeof *grown);
            if (view->span_count)
                memcpy(grown, view->spans, view->span_count * sizeof *grown);
            gw_free(view->spans);
            view->spans = grown;
        }
        view->spans[view->span_count++] = items[i];
    }
    view->start_seq = start_seq;
    view->head_seq = head_seq;
    drop_evicted(view);
    gw_view_mark_dirty(view);
}

int gw_view_learn(struct gw_view *view, struct gw_ephemera_news *news)
{
    int status = gw_ephemera_apply(&view->ephemera, news);
    if (!status)
        gw_view_mark_dirty(view);
    return status;
}

static struct gw_view_block *find_block(struct gw_view *view, uint64_t number)
{
    for (size_t i = 0; i < GW_VIEW_BLOCKS; i++)
        if (view->blocks[i].number == number + 1)
            return &view->blocks[i];
    return NULL;
}

/* The slot to use for another block: an empty one, else the one longest unused; never one on its way. */
static struct gw_view_block *free_slot(struct gw_view *view)
{
    struct gw_view_block *best = NULL;
    for (size_t i = 0; i < GW_VIEW_BLOCKS; i++) {
        struct gw_view_block *slot = &view->blocks[i];
        if (slot->number == 0)
            return slot;
        if (slot->span && (!best || slot->used_at < best->used_at))
            best = slot;
    }
    return best;
}

struct gw_span *gw_view_block(struct gw_view *view, uint64_t number)
{
    struct gw_view_block *slot = find_block(view, number);
    if (slot && slot->span) {
        slot->used_at = ++view->use_count;
        return slot->span;
    }
    if (slot || !(slot = free_slot(view)))
        return NULL;
    gw_span_unref(slot->span);
    *slot = (struct gw_view_block){.number = number + 1, .used_at = ++view->use_count};
    gw_hub_ask_block(view->hub, view, number);
    return NULL;
}

static void drop_block(struct gw_view *view, uint64_t number)
{
    struct gw_view_block *slot = find_block(view, number);
    if (!slot)
        return;
    gw_span_unref(slot->span);
    *slot = (struct gw_view_block){0};
}

void gw_view_offer_block(struct gw_view *view, uint64_t number, struct gw_span *span)
{
    struct gw_view_block *slot = find_block(view, number);
    if (slot && !slot->span && span) {
        slot->span = span;
        slot->used_at = ++view->use_count; /* so that it is not pushed out before those who wait for it had it */
    } else {
        gw_span_unref(span);
    }
    if (slot && !slot->span)
        *slot = (struct gw_view_block){0};
    struct gw_subscriber *next;
    for (struct gw_subscriber *s = view->subscribers; s; s = next) {
        next = s->next;
        /* Also those whose block found no free slot: there may be one now. */
        if (s->wanted_block != number + 1 && (!s->wanted_block || find_block(view, s->wanted_block - 1)))
            continue;
        bool has_failed = !span && s->wanted_block == number + 1;
        s->wanted_block = 0;
        if (has_failed)
            gw_subscriber_fail(s, "replay_unavailable");
    }
    gw_view_mark_dirty(view);
}

void gw_view_purge(struct gw_view *view)
{
    for (size_t i = 0; i < view->span_count; i++)
        gw_span_unref(view->spans[i].span);
    view->span_count = 0;
    view->start_seq = view->head_seq = 0;
    for (size_t i = 0; i < GW_VIEW_BLOCKS; i++)
        if (view->blocks[i].span)
            drop_block(view, view->blocks[i].number - 1);
    struct gw_subscriber *next;
    for (struct gw_subscriber *s = view->subscribers; s; s = next) {
        next = s->next;
        gw_subscriber_purge(s);
    }
}

/* ---- pumping -------------------------------------------------------------------------------------------------------------------------- */

/* value: where a write stands in a list of published spans */
struct cut {
    struct iovec parts[PARTS_MAX];
    const struct gw_published *from[PARTS_MAX];
    uint32_t offset; /* of the first part in its span */
    int count;
    size_t bytes;
    uint64_t to_seq;
};

/* Collects the bytes behind (seq, into). */
static void collect(const struct gw_published *spans, size_t count, uint64_t seq, uint32_t into, struct cut *cut)
{
    size_t i = count;
    while (i > 1 && spans[i - 1].span->after_seq > seq)
        i--;
    *cut = (struct cut){.to_seq = seq};
    for (i = i ? i - 1 : 0; i < count && cut->count < PARTS_MAX; i++) {
        uint32_t offset = cut->count ? 0 : gw_span_offset_after(spans[i].span, spans[i].frame_count, seq);
        cut->to_seq = spans[i].to_seq;
        if (offset >= spans[i].length)
            continue;
        if (!cut->count)
            cut->offset = offset += into;
        cut->from[cut->count] = &spans[i];
        cut->parts[cut->count++] = (struct iovec){spans[i].span->bytes + offset, spans[i].length - offset};
        cut->bytes += spans[i].length - offset;
    }
}

/* Books `sent` of the cut's bytes as (seq, into). */
static void book(struct gw_subscriber *subscriber, const struct cut *cut, size_t sent)
{
    if (sent == cut->bytes) {
        subscriber->seq = cut->to_seq;
        if (cut->bytes) /* else the frame that was cut short stands further on */
            subscriber->into = 0;
        return;
    }
    uint32_t base = cut->offset;
    for (int i = 0; i < cut->count; i++, base = 0) {
        if (sent >= cut->parts[i].iov_len) {
            sent -= cut->parts[i].iov_len;
            continue;
        }
        const struct gw_published *from = cut->from[i];
        uint32_t into;
        uint64_t seq = gw_span_seq_before(from->span, from->frame_count, base + (uint32_t)sent, &into);
        subscriber->seq = seq;
        subscriber->into = into;
        return;
    }
}

enum step { STEP_DONE, STEP_AGAIN, STEP_BLOCKED, STEP_GONE };

static enum step send_parts(struct gw_subscriber *subscriber, const struct iovec *parts, int count, size_t bytes, size_t *sent)
{
    ssize_t taken = subscriber->ops->write(subscriber, parts, count);
    if (taken < 0) {
        gw_subscriber_fail(subscriber, "write_failed");
        return STEP_GONE;
    }
    *sent = (size_t)taken;
    subscriber->is_blocked = *sent < bytes;
    return subscriber->is_blocked ? STEP_BLOCKED : STEP_AGAIN;
}

static enum step send_control(struct gw_subscriber *subscriber)
{
    struct iovec part = {subscriber->control + subscriber->control_sent, subscriber->control_length - subscriber->control_sent};
    size_t sent;
    enum step step = send_parts(subscriber, &part, 1, part.iov_len, &sent);
    if (step == STEP_GONE)
        return step;
    subscriber->control_sent += (uint32_t)sent;
    if (step == STEP_BLOCKED)
        return step;
    gw_free(subscriber->control);
    subscriber->control = NULL;
    subscriber->control_sent = subscriber->control_length = 0;
    if (!subscriber->ends_after_control)
        return STEP_AGAIN;
    gw_subscriber_fail(subscriber, "closing");
    return STEP_GONE;
}

static enum step send_checkpoint(struct gw_subscriber *subscriber)
{
    struct gw_span *span = subscriber->checkpoint;
    struct iovec part = {span->bytes + subscriber->into, span->length - subscriber->into};
    size_t sent = 0;
    enum step step = part.iov_len ? send_parts(subscriber, &part, 1, part.iov_len, &sent) : STEP_AGAIN;
    if (step == STEP_GONE)
        return step;
    subscriber->into += (uint32_t)sent;
    if (step == STEP_BLOCKED)
        return step;
    subscriber->seq = span->to_seq;
    subscriber->into = 0;
    subscriber->checkpoint = NULL;
    gw_span_unref(span);
    return STEP_AGAIN;
}

/* No further than to the end of the frame that the last write cut short. */
static void end_with_frame(struct cut *cut, uint64_t seq)
{
    const struct gw_published *from = cut->from[0];
    const struct gw_frame *frame = &from->span->frames[gw_span_frames_up_to(from->span, from->frame_count, seq)];
    cut->bytes = cut->parts[0].iov_len = frame->end - cut->offset;
    cut->count = 1;
    cut->to_seq = frame->seq;
}

static enum step send_cut(struct gw_subscriber *subscriber, struct cut *cut)
{
    size_t sent = 0;
    if (subscriber->control && cut->count)
        end_with_frame(cut, subscriber->seq);
    enum step step = cut->bytes ? send_parts(subscriber, cut->parts, cut->count, cut->bytes, &sent) : STEP_AGAIN;
    if (step != STEP_GONE)
        book(subscriber, cut, sent);
    return step;
}

static enum step send_live(struct gw_view *view, struct gw_subscriber *subscriber)
{
    struct cut cut;
    collect(view->spans, view->span_count, subscriber->seq, subscriber->into, &cut);
    if (cut.count < PARTS_MAX)
        cut.to_seq = view->head_seq;
    return send_cut(subscriber, &cut);
}

/* What lies between here and the head cannot or will not be replayed: the owner decides anew, which makes it a reset. Inside a frame nothing else can be said, so the
 * stream ends, and its reader comes back to a reset. */
static enum step fall_back(struct gw_subscriber *subscriber, const char *reason)
{
    if (subscriber->into == 0) {
        gw_subscriber_attach_again(subscriber);
        return STEP_DONE;
    }
    gw_subscriber_fail(subscriber, reason);
    return STEP_GONE;
}

static enum step send_replay(struct gw_view *view, struct gw_subscriber *subscriber)
{
    uint64_t number = subscriber->seq / GW_BLOCK_SEQS;
    struct gw_span *span = gw_view_block(view, number);
    if (!span) {
        subscriber->wanted_block = number + 1;
        return STEP_DONE;
    }
    if (span->to_seq <= subscriber->seq) { /* made before the run grew: ask anew */
        drop_block(view, number);
        return STEP_AGAIN;
    }
    if (span->after_seq > subscriber->seq)
        return fall_back(subscriber, "purged");
    struct gw_published whole = {span, span->length, span->frame_count, span->to_seq};
    struct cut cut;
    collect(&whole, 1, subscriber->seq, subscriber->into, &cut);
    return send_cut(subscriber, &cut);
}

static enum step show(struct gw_view *view, struct gw_subscriber *subscriber)
{
    int status = gw_view_show(view, subscriber);
    if (status >= 0)
        return status ? STEP_AGAIN : STEP_DONE;
    gw_subscriber_fail(subscriber, "out_of_memory");
    return STEP_GONE;
}

static enum step pump_step(struct gw_view *view, struct gw_subscriber *subscriber, unsigned *replayed)
{
    if (subscriber->control && (subscriber->control_sent || subscriber->into == 0))
        return subscriber->is_held && subscriber->shows_control ? STEP_DONE : send_control(subscriber);
    if (subscriber->is_refused || subscriber->is_held)
        return STEP_DONE;
    if (subscriber->checkpoint)
        return send_checkpoint(subscriber);
    /* A replay block may be ahead of what this view was told, so even a frame that was cut short may have to wait. */
    if (subscriber->seq >= view->head_seq)
        return subscriber->into == 0 ? show(view, subscriber) : STEP_DONE;
    if (subscriber->seq >= view->start_seq)
        return send_live(view, subscriber);
    if (view->head_seq - subscriber->seq > view->hub->opts.limits.max_replay_events)
        return fall_back(subscriber, "replay_limit");
    if (++*replayed > REPLAY_BLOCKS_PER_TURN)
        return STEP_BLOCKED;
    return send_replay(view, subscriber);
}

bool gw_view_pump_one(struct gw_view *view, struct gw_subscriber *subscriber)
{
    unsigned replayed = 0;
    if (subscriber->phase != GW_SUB_FLOWING || subscriber->is_blocked || subscriber->wanted_block)
        return false;
    for (;;) {
        enum step step = pump_step(view, subscriber, &replayed);
        if (step == STEP_GONE || step == STEP_DONE)
            return false;
        if (step == STEP_BLOCKED)
            return !subscriber->is_blocked;
    }
}

/* A view that grows all the time is never clean, so its turn ends when it has gone round once; cut short by the slice, it goes on first. Else what is left of a
 * slice would be all that a view gets before the others come again, and its readers would fall behind theirs. */
size_t gw_view_pump(struct gw_view *view, size_t most)
{
    bool has_more = false;
    if (view->unpumped_count > view->subscriber_count)
        view->unpumped_count = view->subscriber_count;
    if (view->round_left == 0)
        view->round_left = view->subscriber_count;
    size_t count = view->unpumped_count < view->round_left ? view->unpumped_count : view->round_left;
    bool is_cut = count > most;
    if (is_cut)
        count = most;
    view->unpumped_count -= count;
    for (size_t i = 0; i < count && view->subscribers; i++) {
        struct gw_subscriber *s = view->next_pumped ? view->next_pumped : view->subscribers;
        view->next_pumped = s->next; /* whoever leaves moves it on */
        if (gw_view_pump_one(view, s))
            has_more = true;
    }
    if (has_more)
        view->unpumped_count = view->subscriber_count;
    view->round_left = is_cut ? view->round_left - count : 0;
    if (is_cut)
        enlist_first(view);
    else if (view->unpumped_count > 0)
        enlist_last(view);
    return count;
}
