/* Replay blocks: 256 seqs of one feed, made from the spine, shared by everybody who needs them. One read of a block serves all feeds that wait for it. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/run.h"
#include "hub/span.h"

/* ---- the cache of one worker: least recently used goes first ------------------------------------------------------------------------------- */

/* value: compared as bytes, so without padding */
struct cache_key {
    const struct gw_feed *feed;
    uint64_t number;
};

struct cached {
    struct cache_key key;
    struct gw_span *span;
    struct cached *newer, *older;
};

struct gw_block_cache {
    struct gw_map *by_key;
    struct cached *newest, *oldest;
    size_t bytes, max_bytes;
};

struct gw_block_cache *gw_block_cache_create(const uint8_t seed[16], size_t max_bytes)
{
    struct gw_block_cache *cache = gw_alloc(sizeof *cache);
    cache->by_key = gw_map_create(seed);
    cache->max_bytes = max_bytes;
    return cache;
}

static void unlink_cached(struct gw_block_cache *cache, struct cached *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct gw_block_cache *cache, struct cached *entry)
{
    entry->older = cache->newest;
    if (cache->newest)
        cache->newest->newer = entry;
    cache->newest = entry;
    if (!cache->oldest)
        cache->oldest = entry;
}

static void drop_cached(struct gw_block_cache *cache, struct cached *entry)
{
    unlink_cached(cache, entry);
    gw_map_remove(cache->by_key, &entry->key, sizeof entry->key);
    cache->bytes -= entry->span->capacity;
    gw_span_unref(entry->span);
    gw_free(entry);
}

void gw_block_cache_destroy(struct gw_block_cache *cache)
{
    while (cache->oldest)
        drop_cached(cache, cache->oldest);
    gw_map_destroy(cache->by_key);
    gw_free(cache);
}

void gw_block_cache_forget(struct gw_block_cache *cache, const struct gw_feed *feed)
{
    for (struct cached *entry = cache->oldest, *next; entry; entry = next) {
        next = entry->newer;
        if (entry->key.feed == feed)
            drop_cached(cache, entry);
    }
}

static void cache_put(struct gw_block_cache *cache, const struct gw_feed *feed, uint64_t number, struct gw_span *span)
{
    struct cached *entry = gw_try_alloc(sizeof *entry);
    if (!entry)
        return;
    *entry = (struct cached){.key = {feed, number}, .span = gw_span_ref(span)};
    void *old = NULL;
    if (gw_map_put(cache->by_key, &entry->key, sizeof entry->key, entry, &old)) {
        gw_span_unref(entry->span);
        gw_free(entry);
        return;
    }
    if (old) {
        struct cached *replaced = old;
        unlink_cached(cache, replaced);
        cache->bytes -= replaced->span->capacity;
        gw_span_unref(replaced->span);
        gw_free(replaced);
    }
    link_newest(cache, entry);
    cache->bytes += span->capacity;
    while (cache->bytes > cache->max_bytes && cache->oldest != entry)
        drop_cached(cache, cache->oldest);
}

/* A block that was made while the run still grew inside it serves only those who need no more than it has. */
static struct gw_span *cache_get(struct gw_block_cache *cache, const struct gw_feed *feed, uint64_t number)
{
    struct cache_key key = {feed, number};
    struct cached *entry = gw_map_get(cache->by_key, &key, sizeof key);
    uint64_t full = (number + 1) * GW_BLOCK_SEQS;
    if (!entry || (entry->span->to_seq < full && entry->span->to_seq < feed->head_seq))
        return NULL;
    unlink_cached(cache, entry);
    link_newest(cache, entry);
    return gw_span_ref(entry->span);
}

/* ---- making them ---------------------------------------------------------------------------------------------------------------------------- */

struct gw_block_read {
    struct gw_spine_read read;
    struct gw_run *run;
    uint64_t number, after_seq, to_seq; /* after_seq: of the block, or what was cut off inside it */
    struct gw_block_want *wants;
    struct gw_event_list events;
    bool is_dropped; /* what it reads is no longer to be seen */
    struct gw_block_read *next;
};

static uint64_t last_gathered(const struct gw_block_read *block)
{
    return block->events.count ? block->events.items[block->events.count - 1]->seq : block->after_seq;
}

static int gather_record(struct gw_block_read *block, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count; i++) {
        struct gw_event *event = record.events.items[i];
        uint64_t next_seq = last_gathered(block) + 1;
        if (event->seq == next_seq && event->seq <= block->to_seq)
            status = gw_event_list_add(&block->events, gw_event_ref(event));
        else if (event->seq > next_seq && event->seq <= block->to_seq)
            status = GW_EINVAL;
    }
    gw_record_fini(&record);
    return status;
}

/* What the read brought; GW_EINVAL when that is not what follows. */
static int gather(struct gw_block_read *block)
{
    struct gw_error err;
    uint64_t from_seq = last_gathered(block);
    int status = GW_OK;
    for (size_t i = 0; !status && i < block->read.record_count; i++)
        status = gather_record(block, &block->read.records[i], &err);
    return status || last_gathered(block) > from_seq ? status : GW_EINVAL;
}

static struct gw_span *encode(const struct gw_block_read *block, const struct gw_feed *feed)
{
    struct gw_buffer bytes;
    struct gw_span *span = NULL;
    struct gw_frame *frames = gw_try_grow(NULL, block->events.count + 1, sizeof *frames);
    uint32_t frame_count = 0;
    int status = frames ? GW_OK : GW_ENOMEM;
    gw_buffer_init(&bytes, UINT32_MAX / 2);
    for (size_t i = 0; status >= 0 && i < block->events.count; i++) {
        bool is_event;
        status = gw_channel_encode(&feed->channel, block->events.items[i], NULL, &bytes, &is_event);
        if (status > 0)
            frames[frame_count++] = (struct gw_frame){block->events.items[i]->seq, (uint32_t)bytes.length, is_event};
    }
    if (status >= 0)
        span = gw_span_create(block->after_seq, (uint32_t)bytes.length, frame_count);
    for (uint32_t i = 0, start = 0; span && i < frame_count; start = frames[i++].end)
        gw_span_append(span, frames[i].seq, frames[i].is_event, bytes.data + start, frames[i].end - start);
    if (span)
        span->to_seq = block->to_seq;
    gw_buffer_fini(&bytes);
    gw_free(frames);
    return span;
}

/* Wants of one feed share one span. */
static void deliver(struct gw_block_read *block, bool is_good)
{
    struct gw_block_cache *cache = block->run->hub->blocks;
    while (block->wants) {
        struct gw_block_want *want = block->wants;
        block->wants = want->next;
        struct gw_span *span = is_good ? cache_get(cache, want->feed, block->number) : NULL;
        if (is_good && !span) {
            span = encode(block, want->feed);
            if (span)
                cache_put(cache, want->feed, block->number, span);
            gw_metric_add(block->run->hub->metrics.replay_blocks, 1);
        }
        want->ready(want, span);
        if (!span)
            (void)gw_lens_why(block->run->hub->opts.policy, &(struct gw_error){0}); /* whoever had to tell has */
    }
}

static void read_on(struct gw_block_read *block);

static void unlink_read(struct gw_block_read *block)
{
    struct gw_block_read **link = &block->run->block_reads;
    while (*link != block)
        link = &(*link)->next;
    *link = block->next;
}

static void log_failure(const struct gw_block_read *block, int status)
{
    gw_log_write(block->run->hub->opts.log, GW_LOG_ERROR, "replay_failed",
                 (struct gw_log_field[]){GW_F_TEXT("run", block->run->key.text), GW_F_UINT("after", last_gathered(block)),
                                         GW_F_INT("status", status), GW_F_END});
}

static void on_read(struct gw_spine_read *read)
{
    struct gw_block_read *block = read->arg;
    struct gw_run *run = block->run;
    int status = read->status;
    if (status == GW_ENOTFOUND)
        gw_run_refresh(run); /* what was cut off is no longer promised */
    if (!status)
        status = gather(block);
    gw_spine_read_fini(read);
    run->hub->in_flight--;
    if (!status && last_gathered(block) < block->to_seq) {
        read_on(block);
        return;
    }
    if (status && !block->is_dropped)
        log_failure(block, status);
    unlink_read(block);
    deliver(block, !status && !block->is_dropped);
    gw_event_list_fini(&block->events);
    gw_free(block);
    gw_hub_mark_run(run->hub, run);
}

#define READ_BYTES (4u << 20)

static void read_on(struct gw_block_read *block)
{
    struct gw_hub *hub = block->run->hub;
    block->read = (struct gw_spine_read){
        .run = block->run->key, .from_seq = last_gathered(block) + 1, .to_seq = block->to_seq, .max_bytes = READ_BYTES};
    block->read.home = gw_hub_home(hub);
    block->read.done = on_read;
    block->read.arg = block;
    hub->in_flight++;
    hub->opts.spine->read(hub->opts.spine->self, &block->read);
}

void gw_run_drop_blocks(struct gw_run *run)
{
    for (struct gw_block_read *block = run->block_reads; block; block = block->next)
        block->is_dropped = true;
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        gw_block_cache_forget(run->hub->blocks, feed);
}

/* One that was begun when the run was shorter does not serve. */
static struct gw_block_read *find_read(struct gw_run *run, uint64_t number, uint64_t to_seq)
{
    struct gw_block_read *block = run->block_reads;
    while (block && (block->number != number || block->to_seq != to_seq || block->is_dropped))
        block = block->next;
    return block;
}

static struct gw_block_read *make_read(struct gw_run *run, uint64_t number, uint64_t to_seq)
{
    struct gw_block_read *block = gw_alloc(sizeof *block);
    block->run = run;
    block->number = number;
    block->after_seq = number * GW_BLOCK_SEQS;
    if (block->after_seq + 1 < run->floor_seq)
        block->after_seq = run->floor_seq - 1;
    block->to_seq = to_seq;
    block->next = run->block_reads;
    run->block_reads = block;
    return block;
}

void gw_run_want_block(struct gw_run *run, struct gw_block_want *want)
{
    struct gw_span *span = cache_get(run->hub->blocks, want->feed, want->number);
    if (span) {
        gw_metric_add(run->hub->metrics.block_cache_hits, 1);
        want->ready(want, span);
        return;
    }
    /* What the feeds have seen, not what is durable: between the two lies this turn. */
    uint64_t full = (want->number + 1) * GW_BLOCK_SEQS, to_seq = full < run->published_seq ? full : run->published_seq;
    struct gw_block_read *block = find_read(run, want->number, to_seq);
    bool is_new = !block;
    if (is_new)
        block = make_read(run, want->number, to_seq);
    want->next = block->wants;
    block->wants = want;
    if (!is_new)
        return;
    if (block->after_seq < to_seq) {
        read_on(block);
        return;
    }
    unlink_read(block); /* all of it was cut off */
    deliver(block, false);
    gw_free(block);
}
