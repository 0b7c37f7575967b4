/* Looking back from the head of a feed, one replay block at a time, newest first: for its last visible frame, and for the last so many events. */
#include "base/alloc.h"
#include "hub/hub_internal.h"
#include "hub/run.h"
#include "hub/span.h"

struct look_back {
    struct gw_block_want want;
    struct gw_attach *attach; /* NULL while priming */
    /* Looks at one block, NULL when it could not be read. False: it was the last one, and `look` is freed. */
    bool (*visit)(struct look_back *look, const struct gw_span *span);
    struct gw_span *span;
    bool is_here, is_walking;
    unsigned doubts;
};

/* A loop and not a recursion, since blocks that are in the cache come at once. */
static void walk(struct look_back *look)
{
    look->is_walking = true;
    while (look->is_here) {
        struct gw_span *span = look->span;
        look->is_here = false;
        bool goes_on = look->visit(look, span);
        gw_span_unref(span);
        if (!goes_on)
            return;
        look->want.number--;
        gw_run_want_block(look->want.feed->run, &look->want);
    }
    look->is_walking = false;
}

static void on_block(struct gw_block_want *want, struct gw_span *span)
{
    struct look_back *look = (struct look_back *)(void *)want;
    look->span = span;
    look->is_here = true;
    if (!look->is_walking)
        walk(look);
}

static struct look_back *start(struct gw_feed *feed, struct gw_attach *attach, bool (*visit)(struct look_back *, const struct gw_span *))
{
    struct look_back *look = gw_alloc(sizeof *look);
    *look = (struct look_back){.attach = attach, .visit = visit, .doubts = feed->doubts};
    look->want = (struct gw_block_want){.feed = feed, .number = (feed->head_seq - 1) / GW_BLOCK_SEQS, .ready = on_block};
    feed->holds++;
    return look;
}

static void begin(struct look_back *look)
{
    look->is_walking = true;
    gw_run_want_block(look->want.feed->run, &look->want);
    walk(look);
}

static void end(struct look_back *look)
{
    struct gw_feed *feed = look->want.feed;
    gw_free(look);
    feed->holds--;
    gw_run_release_feed(feed);
}

/* ---- the last visible frame ------------------------------------------------------------------------------------------------------------ */

static void tell_unprimed(struct gw_feed *feed, bool is_known)
{
    struct gw_feed_waiter *list = feed->unprimed;
    feed->unprimed = NULL;
    feed->is_priming = false;
    while (list) {
        struct gw_feed_waiter *waiter = list;
        list = waiter->next;
        waiter->primed(waiter, is_known);
    }
}

static void primed(struct gw_feed *feed, uint64_t last_visible, unsigned doubts)
{
    /* An event that came meanwhile and was published knows better; one that came and was lost leaves the question open. */
    if (!feed->is_primed && feed->doubts == doubts) {
        feed->last_visible = last_visible;
        feed->is_primed = true;
    }
    tell_unprimed(feed, true);
}

/* Between two multiples of GW_ID_ONLY_EVERY lie four blocks: the newest visible frame is in one of them, or is the frame at the multiple itself. */
static bool visit_to_prime(struct look_back *look, const struct gw_span *span)
{
    struct gw_feed *feed = look->want.feed;
    uint64_t block_seq = look->want.number * GW_BLOCK_SEQS, multiple = block_seq / GW_ID_ONLY_EVERY * GW_ID_ONLY_EVERY;
    uint64_t floor_seq = feed->run->floor_seq;
    bool is_end = block_seq == multiple || block_seq < floor_seq;
    if (span && span->frame_count == 0 && !is_end && !feed->is_primed)
        return true;
    if (!span)
        tell_unprimed(feed, false);
    else if (span->frame_count > 0)
        primed(feed, span->frames[span->frame_count - 1].seq, look->doubts);
    else
        primed(feed, floor_seq > multiple + 1 ? floor_seq - 1 : multiple, look->doubts);
    end(look);
    return false;
}

void gw_feed_prime(struct gw_feed *feed, struct gw_feed_waiter *waiter)
{
    waiter->next = feed->unprimed;
    feed->unprimed = waiter;
    if (feed->is_priming)
        return;
    feed->is_priming = true;
    /* Of a log that was cut off as a whole its end is the last that anybody saw. */
    if (feed->head_seq % GW_ID_ONLY_EVERY == 0 || feed->head_seq < feed->run->floor_seq)
        primed(feed, feed->head_seq, feed->doubts);
    else
        begin(start(feed, NULL, visit_to_prime));
}

/* ---- the last so many events ----------------------------------------------------------------------------------------------------------- */

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

static bool visit_for_events(struct look_back *look, const struct gw_span *span)
{
    struct gw_attach *attach = look->attach;
    struct gw_run *run = look->want.feed->run;
    uint64_t seq = 0, block_seq = look->want.number * GW_BLOCK_SEQS;
    bool is_found = span && find_start(span, attach->number, &attach->scan_seen, &seq);
    bool is_end = block_seq < run->floor_seq || run->published_seq - block_seq > run->hub->opts.limits.max_replay_events;
    if (span && !is_found && block_seq > 0 && !is_end)
        return true;
    if (!span) {
        gw_attach_refuse(attach, run->hub, gw_attach_unreadable(run->hub));
    } else { /* not found: all that there is, or the reason why that cannot be replayed */
        attach->has_seq = true;
        attach->number = is_found ? seq : 0;
        gw_run_put_attach(run, attach);
    }
    end(look);
    return false;
}

void gw_attach_look_back(struct gw_attach *attach)
{
    struct gw_run *run = attach->feed->run;
    if (attach->feed->head_seq >= run->floor_seq) {
        begin(start(attach->feed, attach, visit_for_events));
        return;
    }
    attach->has_seq = true; /* nothing is left to look at */
    attach->number = 0;
    gw_run_put_attach(run, attach);
}
