/* Storing checkpoints, and sealing the keys that they cover. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/checkpoint.h"
#include "hub/run.h"

/* Fewer events than this are folded faster than a checkpoint is written. */
#define LEAVING_EVENTS 256

/* How long to wait after a checkpoint could not be stored. */
#define RETRY_MS 30000

struct gw_checkpoint {
    struct gw_run *run;
    struct gw_spine_get get_filters;
    struct gw_spine_put put_page, put_filters, put_state;
    struct gw_buffer page, filters;
    const char *page_chunk, *filters_chunk;
    struct gw_checkpoint_chunks chunks;
    uint64_t seq, bytes_covered;
};

static void destroy(struct gw_checkpoint *checkpoint)
{
    gw_checkpoint_chunks_fini(&checkpoint->chunks);
    gw_buffer_fini(&checkpoint->page);
    gw_buffer_fini(&checkpoint->filters);
    gw_free(checkpoint);
}

static void put_off(struct gw_run *run, uint64_t seq, const char *code)
{
    const struct gw_clock *clock = run->hub->opts.clock;
    gw_log_write(run->hub->opts.log, GW_LOG_WARN, "checkpoint_failed",
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", seq), GW_F_TEXT("code", code), GW_F_END});
    run->checkpoint_at_ms = clock->monotonic_ms(clock->self) + RETRY_MS;
}

static void note_stored(struct gw_run *run, const struct gw_checkpoint *checkpoint)
{
    gw_metric_add(run->hub->metrics.checkpoints, 1);
    if (run->checkpoint_seq >= checkpoint->seq)
        return; /* it was found by a load meanwhile, which counts from there */
    run->checkpoint_seq = checkpoint->seq;
    run->checkpoint_bytes = checkpoint->chunks.bytes + checkpoint->filters.length;
    run->bytes_since_checkpoint -=
        checkpoint->bytes_covered < run->bytes_since_checkpoint ? checkpoint->bytes_covered : run->bytes_since_checkpoint;
}

static void end(struct gw_checkpoint *checkpoint)
{
    struct gw_run *run = checkpoint->run;
    run->checkpoint = NULL;
    run->hub->in_flight--;
    destroy(checkpoint);
    gw_hub_mark_run(run->hub, run);
}

static void done(struct gw_checkpoint *checkpoint, int status, const char *code)
{
    if (status)
        put_off(checkpoint->run, checkpoint->seq, code);
    else
        note_stored(checkpoint->run, checkpoint);
    end(checkpoint);
}

static void on_state_put(struct gw_spine_put *put) { done(put->arg, put->status, put->err.id); }

static void put_state(struct gw_checkpoint *checkpoint)
{
    struct gw_hub *hub = checkpoint->run->hub;
    checkpoint->put_state = (struct gw_spine_put){.run = checkpoint->run->key,
                                                  .kind = GW_SPINE_CHECKPOINT,
                                                  .seq = checkpoint->seq,
                                                  .chunks = (const char *const *)checkpoint->chunks.items,
                                                  .lengths = checkpoint->chunks.lengths,
                                                  .chunk_count = checkpoint->chunks.count,
                                                  .home = gw_hub_home(hub),
                                                  .done = on_state_put,
                                                  .arg = checkpoint};
    hub->opts.spine->put(hub->opts.spine->self, &checkpoint->put_state);
}

static void on_filters_put(struct gw_spine_put *put)
{
    if (put->status)
        done(put->arg, put->status, put->err.id);
    else
        put_state(put->arg);
}

static void put_filters(struct gw_checkpoint *checkpoint)
{
    struct gw_hub *hub = checkpoint->run->hub;
    checkpoint->filters_chunk = checkpoint->filters.data;
    checkpoint->put_filters = (struct gw_spine_put){.run = checkpoint->run->key,
                                                    .kind = GW_SPINE_KEY_FILTERS,
                                                    .seq = checkpoint->seq,
                                                    .chunks = &checkpoint->filters_chunk,
                                                    .lengths = &checkpoint->filters.length,
                                                    .chunk_count = 1,
                                                    .home = gw_hub_home(hub),
                                                    .done = on_filters_put,
                                                    .arg = checkpoint};
    hub->opts.spine->put(hub->opts.spine->self, &checkpoint->put_filters);
}

/* The recent keys go once their page is stored. A run that was folded again meanwhile has them in its new index. */
static void end_sealing(struct gw_checkpoint *checkpoint, bool is_stored)
{
    struct gw_keys *keys = checkpoint->run->keys;
    struct gw_error ignored;
    if (!keys || !gw_keys_is_sealing(keys, checkpoint->seq))
        return;
    gw_keys_seal_end(keys, is_stored);
    if (is_stored) /* commands of late are the likeliest to be repeated; without memory their page is fetched */
        (void)gw_keys_offer_page(keys, checkpoint->seq, checkpoint->page.data, checkpoint->page.length, &ignored);
}

/* The page goes first, then the filters: neither must ever tell of what does not exist. */
static void on_page_put(struct gw_spine_put *put)
{
    struct gw_checkpoint *checkpoint = put->arg;
    end_sealing(checkpoint, put->status == GW_OK);
    if (put->status)
        done(checkpoint, put->status, put->err.id);
    else
        put_filters(checkpoint);
}

static void put_page(struct gw_checkpoint *checkpoint)
{
    struct gw_hub *hub = checkpoint->run->hub;
    checkpoint->page_chunk = checkpoint->page.data;
    checkpoint->put_page = (struct gw_spine_put){.run = checkpoint->run->key,
                                                 .kind = GW_SPINE_KEY_PAGE,
                                                 .seq = checkpoint->seq,
                                                 .chunks = &checkpoint->page_chunk,
                                                 .lengths = &checkpoint->page.length,
                                                 .chunk_count = 1,
                                                 .home = gw_hub_home(hub),
                                                 .done = on_page_put,
                                                 .arg = checkpoint};
    hub->opts.spine->put(hub->opts.spine->self, &checkpoint->put_page);
}

static int write(struct gw_run *run, struct gw_checkpoint *checkpoint, struct gw_error *err)
{
    if (gw_keys_seal_begin(run->keys, checkpoint->seq, &checkpoint->page))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to seal keys");
    int status = gw_checkpoint_write(run->state, run->epoch, run->last_ts_ms, &checkpoint->chunks, err);
    if (!status && gw_keys_save(run->keys, &checkpoint->filters))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to store the filters of the keys");
    if (status)
        gw_keys_seal_end(run->keys, false);
    return status;
}

static void begin(struct gw_checkpoint *checkpoint)
{
    struct gw_run *run = checkpoint->run;
    struct gw_error err;
    checkpoint->seq = run->durable_seq;
    checkpoint->bytes_covered = run->bytes_since_checkpoint;
    int status = write(run, checkpoint, &err);
    if (status)
        done(checkpoint, status, err.id);
    else
        put_page(checkpoint);
}

static void on_filters(struct gw_spine_get *get)
{
    struct gw_checkpoint *checkpoint = get->arg;
    struct gw_run *run = checkpoint->run;
    int status = gw_run_take_filters(run, get);
    gw_spine_get_fini(get);
    if (status)
        done(checkpoint, status, "key_filters_unreadable");
    else if (gw_run_is_settled(run) && !gw_keys_expected_seq(run->keys))
        begin(checkpoint);
    else
        end(checkpoint); /* something came meanwhile: the next turn begins anew */
}

/* Of a run that has seen no command since it was loaded, but events: messages being streamed, commits of the gateway's own. */
static void get_filters(struct gw_checkpoint *checkpoint, uint64_t seq)
{
    struct gw_run *run = checkpoint->run;
    checkpoint->get_filters = (struct gw_spine_get){.run = run->key,
                                                    .kind = GW_SPINE_KEY_FILTERS,
                                                    .at_most_seq = seq,
                                                    .home = gw_hub_home(run->hub),
                                                    .done = on_filters,
                                                    .arg = checkpoint};
    run->hub->opts.spine->get(run->hub->opts.spine->self, &checkpoint->get_filters);
}

static void start(struct gw_run *run)
{
    struct gw_checkpoint *checkpoint = gw_alloc(sizeof *checkpoint);
    uint64_t expected_seq = gw_keys_expected_seq(run->keys);
    checkpoint->run = run;
    checkpoint->seq = run->durable_seq;
    gw_buffer_init(&checkpoint->page, 0);
    gw_buffer_init(&checkpoint->filters, 0);
    run->checkpoint = checkpoint;
    run->hub->in_flight++;
    if (expected_seq)
        get_filters(checkpoint, expected_seq);
    else
        begin(checkpoint);
}

/* A checkpoint costs the whole state, so a large state is written less often: when the log behind the last one has outgrown twice its size. */
bool gw_run_checkpoint_is_due(const struct gw_run *run, bool is_leaving)
{
    const struct gw_clock *clock = run->hub->opts.clock;
    if (run->checkpoint || clock->monotonic_ms(clock->self) < run->checkpoint_at_ms)
        return false;
    uint64_t events = run->durable_seq - run->checkpoint_seq;
    if (is_leaving)
        return events >= LEAVING_EVENTS;
    uint64_t every = run->hub->opts.limits.checkpoint_events;
    return (events >= every && run->bytes_since_checkpoint >= 2 * run->checkpoint_bytes) || events >= 16 * every;
}

void gw_run_checkpoint_if_due(struct gw_run *run, bool is_leaving)
{
    if (gw_run_is_settled(run) && !run->order && gw_run_checkpoint_is_due(run, is_leaving))
        start(run);
}
