#include "hub/feed.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/metrics.h"
#include "hub/event.h"
#include "hub/hub_internal.h"
#include "hub/run.h"
#include "hub/span.h"

/* Spans begin small, so that ten thousand quiet runs cost little, and grow to a size at which their overhead vanishes. */
#define SPAN_FIRST_BYTES     4096
#define SPAN_MAX_BYTES       65536
#define SPAN_BYTES_PER_FRAME 128

struct gw_feed *gw_feed_create(struct gw_run *run, const struct gw_channel *channel, uint64_t head_seq)
{
    struct gw_feed *feed = gw_alloc(sizeof *feed);
    feed->run = run;
    feed->channel = *channel;
    feed->start_seq = feed->head_seq = head_seq;
    gw_buffer_init(&feed->scratch, 0);
    gw_metric_add(run->hub->metrics.feeds, 1);
    return feed;
}

static struct gw_span *ring_at(const struct gw_feed *feed, size_t i) { return feed->ring[(feed->ring_first + i) % feed->ring_capacity]; }

static void empty_ring(struct gw_feed *feed)
{
    for (size_t i = 0; i < feed->ring_count; i++)
        gw_span_unref(ring_at(feed, i));
    feed->ring_count = feed->ring_bytes = 0;
}

void gw_feed_destroy(struct gw_feed *feed)
{
    if (!feed)
        return;
    gw_metric_add(feed->run->hub->metrics.feeds, -1);
    empty_ring(feed);
    gw_free(feed->ring);
    gw_span_unref(feed->checkpoint);
    gw_ephemera_fini(&feed->ephemera);
    gw_buffer_fini(&feed->scratch);
    gw_channel_fini(&feed->channel);
    gw_free(feed);
}

/* ---- the ring ------------------------------------------------------------------------------------------------------------------------- */

static void evict(struct gw_feed *feed)
{
    while (feed->ring_count > 1 && feed->ring_bytes > feed->run->hub->opts.limits.ring_bytes) {
        struct gw_span *oldest = ring_at(feed, 0);
        feed->start_seq = oldest->to_seq;
        feed->ring_bytes -= oldest->capacity;
        feed->ring_first = (feed->ring_first + 1) % feed->ring_capacity;
        feed->ring_count--;
        gw_span_unref(oldest);
    }
}

static int grow_ring(struct gw_feed *feed)
{
    if (feed->ring_count < feed->ring_capacity)
        return GW_OK;
    size_t capacity = feed->ring_capacity ? feed->ring_capacity * 2 : 4;
    struct gw_span **grown = gw_try_grow(NULL, capacity, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    for (size_t i = 0; i < feed->ring_count; i++)
        grown[i] = ring_at(feed, i);
    gw_free(feed->ring);
    feed->ring = grown;
    feed->ring_first = 0;
    feed->ring_capacity = capacity;
    return GW_OK;
}

static struct gw_span *add_span(struct gw_feed *feed, size_t frame_bytes)
{
    size_t capacity = SPAN_FIRST_BYTES;
    if (feed->ring_count)
        capacity = (size_t)ring_at(feed, feed->ring_count - 1)->capacity * 4;
    if (capacity > SPAN_MAX_BYTES)
        capacity = SPAN_MAX_BYTES;
    if (capacity < frame_bytes)
        capacity = frame_bytes;
    if (grow_ring(feed))
        return NULL;
    struct gw_span *span = gw_span_create(feed->head_seq, (uint32_t)capacity, (uint32_t)(capacity / SPAN_BYTES_PER_FRAME + 1));
    if (!span)
        return NULL;
    feed->ring[(feed->ring_first + feed->ring_count) % feed->ring_capacity] = span;
    feed->ring_count++;
    feed->ring_bytes += capacity;
    evict(feed);
    return span;
}

static int append(struct gw_feed *feed, uint64_t seq, bool is_event)
{
    struct gw_span *span = feed->ring_count ? ring_at(feed, feed->ring_count - 1) : NULL;
    if (!span || !gw_span_has_room(span, feed->scratch.length))
        span = add_span(feed, feed->scratch.length);
    if (!span)
        return GW_ENOMEM;
    gw_span_append(span, seq, is_event, feed->scratch.data, feed->scratch.length);
    return GW_OK;
}

int gw_feed_publish(struct gw_feed *feed, const struct gw_event *event)
{
    bool is_event;
    gw_buffer_reset(&feed->scratch);
    int status = gw_channel_encode(&feed->channel, event, &feed->run->hub->whole, &feed->scratch, &is_event);
    if (status > 0) {
        status = append(feed, event->seq, is_event);
        feed->last_visible = event->seq;
        feed->is_primed = true;
    }
    if (status < 0) {
        gw_feed_skip(feed, event->seq);
        return status;
    }
    feed->head_seq = event->seq;
    if (feed->ring_count)
        ring_at(feed, feed->ring_count - 1)->to_seq = event->seq;
    return GW_OK;
}

void gw_feed_skip(struct gw_feed *feed, uint64_t seq)
{
    empty_ring(feed);
    feed->start_seq = feed->head_seq = seq;
    feed->is_primed = false;
    feed->doubts++;
}

/* ---- purges ---------------------------------------------------------------------------------------------------------------------------- */

struct purge {
    struct gw_task task; /* first */
    struct gw_view *view;
};

static void on_purge_at_view(struct gw_task *task)
{
    struct purge *purge = (struct purge *)(void *)task;
    gw_view_purge(purge->view);
    gw_free(purge);
}

/* Messages between two workers keep their order: what was told before is there by then, and a view that wants to go is there yet. */
void gw_feed_purge(struct gw_feed *feed, uint64_t seq)
{
    gw_feed_skip(feed, seq);
    gw_span_unref(feed->checkpoint);
    feed->checkpoint = NULL;
    feed->last_visible = 0;
    feed->channel.epoch = gw_run_epoch(feed->run);
    for (struct gw_outlet *outlet = feed->outlets; outlet; outlet = outlet->next) {
        if (outlet->close)
            continue;
        struct purge *purge = gw_alloc(sizeof *purge);
        *purge = (struct purge){.task.run = on_purge_at_view, .view = outlet->view};
        outlet->last_span = outlet->last_head = UINT64_MAX;
        gw_hub_send(feed->run->hub, outlet->worker, &purge->task);
    }
}

/* ---- outlets -------------------------------------------------------------------------------------------------------------------------- */

static void on_growth_home(struct gw_task *task)
{
    struct gw_outlet *outlet = (struct gw_outlet *)(void *)task;
    outlet->is_away = false;
    if (outlet->has_lost_news)
        outlet->told = 0;
    outlet->has_lost_news = false;
    gw_outlet_returned(outlet);
}

static void on_growth_at_view(struct gw_task *task)
{
    struct gw_outlet *outlet = (struct gw_outlet *)(void *)task;
    struct gw_hub *hub = outlet->view->hub;
    gw_view_extend(outlet->view, outlet->items, outlet->item_count, outlet->start_seq, outlet->head_seq);
    gw_free(outlet->items);
    outlet->items = NULL;
    outlet->item_count = 0;
    outlet->has_lost_news = outlet->news.version && gw_view_learn(outlet->view, &outlet->news);
    outlet->task.run = on_growth_home;
    gw_hub_send(hub, gw_hub_owner_of(hub, &outlet->view->run), &outlet->task);
}

/* The ring's index of the first span that this outlet has not seen to its end. */
static size_t first_news(const struct gw_feed *feed, const struct gw_outlet *outlet)
{
    for (size_t i = feed->ring_count; i-- > 0;)
        if (ring_at(feed, i)->after_seq == outlet->last_span)
            return outlet->last_length == ring_at(feed, i)->length ? i + 1 : i;
    return 0;
}

static void fill_items(struct gw_feed *feed, struct gw_outlet *outlet)
{
    size_t first = first_news(feed, outlet);
    /* A span that was told before may since cover more seqs without more bytes. */
    if (first > 0 && first == feed->ring_count)
        first--;
    outlet->item_count = feed->ring_count - first;
    outlet->items = gw_alloc_array(outlet->item_count ? outlet->item_count : 1, sizeof *outlet->items);
    for (size_t i = 0; i < outlet->item_count; i++) {
        struct gw_span *span = ring_at(feed, first + i);
        outlet->items[i] = (struct gw_published){gw_span_ref(span), span->length, span->frame_count, span->to_seq};
        outlet->last_span = span->after_seq;
        outlet->last_length = span->length;
    }
}

static void fill_news(struct gw_feed *feed, struct gw_outlet *outlet)
{
    if (gw_ephemera_collect(&feed->ephemera, outlet->told, &outlet->news))
        outlet->told = outlet->news.version;
}

static void tell(struct gw_feed *feed, struct gw_outlet *outlet)
{
    if (outlet->close || (outlet->last_head == feed->head_seq && outlet->told == feed->ephemera.version))
        return;
    if (outlet->is_away) {
        outlet->is_stale = true;
        return;
    }
    outlet->is_stale = false;
    fill_items(feed, outlet);
    fill_news(feed, outlet);
    outlet->start_seq = feed->start_seq;
    outlet->head_seq = outlet->last_head = feed->head_seq;
    outlet->is_away = true;
    outlet->task.run = on_growth_at_view;
    gw_hub_send(feed->run->hub, outlet->worker, &outlet->task);
}

void gw_feed_announce(struct gw_feed *feed)
{
    for (struct gw_outlet *outlet = feed->outlets; outlet; outlet = outlet->next)
        tell(feed, outlet);
}

struct gw_outlet *gw_feed_outlet(struct gw_feed *feed, struct gw_view *view, size_t worker)
{
    for (struct gw_outlet *outlet = feed->outlets; outlet; outlet = outlet->next)
        if (outlet->view == view && !outlet->close)
            return outlet;
    struct gw_outlet *outlet = gw_alloc(sizeof *outlet);
    outlet->feed = feed;
    outlet->view = view;
    outlet->worker = worker;
    outlet->last_span = UINT64_MAX;
    outlet->last_head = UINT64_MAX; /* so that the first word goes out even to an empty run */
    outlet->next = feed->outlets;
    feed->outlets = outlet;
    tell(feed, outlet);
    return outlet;
}

void gw_outlet_returned(struct gw_outlet *outlet)
{
    struct gw_feed *feed = outlet->feed;
    if (outlet->is_away)
        return;
    if (!outlet->close) {
        if (outlet->is_stale)
            tell(feed, outlet);
        return;
    }
    struct gw_outlet **link = &feed->outlets;
    while (*link != outlet)
        link = &(*link)->next;
    *link = outlet->next;
    gw_hub_send(feed->run->hub, outlet->worker, &outlet->close->task);
    gw_free(outlet);
    gw_run_release_feed(feed);
}
