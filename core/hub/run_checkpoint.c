/* Storing checkpoints, and sealing the keys that they cover. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/checkpoint.h"
#include "hub/run.h"

/* Fewer events than this are folded faster than a checkpoint is written. */
#define LEAVING_EVENTS 256

struct gw_checkpoint {
    struct gw_run *run;
    struct gw_spine_put put_page, put_state;
    struct gw_buffer page;
    const char *page_chunk;
    struct gw_checkpoint_chunks chunks;
    uint64_t seq;
};

static void done(struct gw_checkpoint *checkpoint, const struct gw_spine_put *put)
{
    struct gw_run *run = checkpoint->run;
    if (put->status)
        gw_log_write(run->hub->opts.log, GW_LOG_WARN, "checkpoint_failed",
                     (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", checkpoint->seq), GW_F_TEXT("code", put->err.id), GW_F_END});
    else
        gw_metric_add(run->hub->metrics.checkpoints, 1);
    run->checkpoint = NULL;
    run->hub->in_flight--;
    gw_checkpoint_chunks_fini(&checkpoint->chunks);
    gw_buffer_fini(&checkpoint->page);
    gw_free(checkpoint);
}

static void on_state_put(struct gw_spine_put *put)
{
    done(put->arg, put);
}

/* The page goes first: a checkpoint must never name a page that does not exist. When the page fails, the run is folded again, and its keys are found in the
 * records behind the last checkpoint. */
static void on_page_put(struct gw_spine_put *put)
{
    struct gw_checkpoint *checkpoint = put->arg;
    struct gw_hub *hub = checkpoint->run->hub;
    if (put->status) {
        struct gw_run *run = checkpoint->run;
        done(checkpoint, put);
        gw_run_abandon(run);
        return;
    }
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

static void put_page(struct gw_checkpoint *checkpoint)
{
    struct gw_hub *hub = checkpoint->run->hub;
    checkpoint->page_chunk = checkpoint->page.data ? checkpoint->page.data : "";
    checkpoint->put_page = (struct gw_spine_put){.run = checkpoint->run->key,
                                                 .kind = GW_SPINE_KEY_PAGE,
                                                 .seq = checkpoint->seq,
                                                 .chunks = &checkpoint->page_chunk,
                                                 .lengths = &checkpoint->page.length,
                                                 .chunk_count = 1,
                                                 .home = gw_hub_home(hub),
                                                 .done = on_page_put,
                                                 .arg = checkpoint};
    hub->in_flight++;
    hub->opts.spine->put(hub->opts.spine->self, &checkpoint->put_page);
}

static void start(struct gw_run *run)
{
    struct gw_checkpoint *checkpoint = gw_alloc(sizeof *checkpoint);
    struct gw_error err;
    checkpoint->run = run;
    checkpoint->seq = run->durable_seq;
    gw_buffer_init(&checkpoint->page, 0);
    int status = gw_keys_seal(run->keys, checkpoint->seq, &checkpoint->page);
    if (!status) /* until the spine has it, the page is answered from the cache */
        status = gw_keys_offer_page(run->keys, checkpoint->seq, checkpoint->page.data, checkpoint->page.length, &err);
    if (!status)
        status = gw_checkpoint_write(run->state, run->keys, run->epoch, run->last_ts_ms, &checkpoint->chunks, &err);
    if (status) {
        gw_log_write(run->hub->opts.log, GW_LOG_WARN, "checkpoint_failed", (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_END});
        gw_checkpoint_chunks_fini(&checkpoint->chunks);
        gw_buffer_fini(&checkpoint->page);
        gw_free(checkpoint);
        gw_run_abandon(run); /* its keys may be sealed into a page that was never stored */
        return;
    }
    run->checkpoint = checkpoint;
    run->checkpoint_seq = checkpoint->seq;
    run->checkpoint_bytes = checkpoint->chunks.bytes;
    run->bytes_since_checkpoint = 0;
    put_page(checkpoint);
}

/* A checkpoint costs the whole state, so a large state is written less often: when the log behind the last one has outgrown twice its size. */
bool gw_run_checkpoint_is_due(const struct gw_run *run, bool is_leaving)
{
    if (run->checkpoint)
        return false;
    uint64_t events = run->durable_seq - run->checkpoint_seq;
    if (is_leaving)
        return events >= LEAVING_EVENTS;
    uint64_t every = run->hub->opts.limits.checkpoint_events;
    return (events >= every && run->bytes_since_checkpoint >= 2 * run->checkpoint_bytes) || events >= 16 * every;
}

void gw_run_checkpoint_if_due(struct gw_run *run, bool is_leaving)
{
    if (gw_run_is_settled(run) && gw_run_checkpoint_is_due(run, is_leaving))
        start(run);
}
