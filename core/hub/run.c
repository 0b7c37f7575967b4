#include "hub/run.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/chat.h"
#include "hub/event.h"
#include "hub/run_presence.h"

/* How long a run refuses work after its spine failed, before it tries again. */
#define DOWN_MS 250

static uint64_t now_ms(const struct gw_run *run) { return run->hub->opts.clock->monotonic_ms(run->hub->opts.clock->self); }

static void take_loaded(struct gw_run *run, struct gw_loaded *loaded)
{
    run->state = loaded->state;
    run->keys = loaded->keys;
    run->epoch = loaded->epoch;
    run->floor_seq = loaded->floor_seq;
    run->durable_seq = run->published_seq = loaded->tail_seq;
    run->checkpoint_seq = loaded->checkpoint_seq;
    run->bytes_since_checkpoint = loaded->bytes_since_checkpoint;
    run->last_ts_ms = loaded->last_ts_ms;
    run->phase = GW_RUN_READY;
    run->is_unsure = false;
    run->grown_at_ms = now_ms(run);
    /* What another writer added, those who follow read from the spine. */
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next) {
        feed->channel.epoch = run->epoch;
        if (feed->head_seq < run->durable_seq)
            gw_feed_skip(feed, run->durable_seq);
    }
}

static void on_loaded(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    struct gw_run *run = arg;
    struct gw_error refusal;
    run->loader = NULL;
    if (status) {
        gw_log_write(run->hub->opts.log, GW_LOG_ERROR, "run_load_failed",
                     (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_TEXT("code", err->id),
                                             GW_F_TEXT("message", err->message), GW_F_END});
        gw_error_set(&refusal, GW_EIO, "spine_unavailable", "the run cannot be read at the moment");
        gw_run_down(run, &refusal);
    } else {
        take_loaded(run, loaded);
        run->has_other_manifests = true;
    }
    gw_hub_mark_run(run->hub, run);
}

static void load(struct gw_run *run)
{
    assert(!run->loader);
    run->phase = GW_RUN_LOADING;
    run->inbox_waits = false;
    run->load_number++;
    run->loader = gw_loader_start(&(struct gw_loader_opts){.hub = run->hub,
                                                           .run = &run->key,
                                                           .at_seq = UINT64_MAX,
                                                           .wants_keys = true,
                                                           .wants_filters = run->needs_filters,
                                                           .done = on_loaded,
                                                           .arg = run});
    gw_metric_add(run->hub->metrics.run_loads, 1);
}

struct gw_run *gw_run_create(struct gw_hub *hub, const struct gw_scope *scope)
{
    struct gw_run *run = gw_alloc(sizeof *run);
    run->hub = hub;
    run->scope = *scope;
    run->scope.surface_id[0] = run->scope.app_id[0] = '\0';
    gw_run_key_encode(scope, &run->key);
    run->inbox_last = &run->inbox_first;
    run->used_at_ms = now_ms(run);
    gw_metric_add(hub->metrics.runs, 1);
    return run;
}

void gw_run_destroy(struct gw_run *run)
{
    gw_metric_add(run->hub->metrics.runs, -1);
    gw_state_destroy(run->state);
    gw_keys_destroy(run->keys);
    gw_commit_destroy(run->gathering);
    gw_presence_destroy(run->presence);
    gw_free(run);
}

void gw_run_forget(struct gw_run *run)
{
    gw_run_drop_changes(run);
    gw_run_drop_past(run);
    gw_run_drop_order(run);
    gw_state_destroy(run->state);
    gw_keys_destroy(run->keys);
    run->state = NULL;
    run->keys = NULL;
    gw_commit_destroy(run->gathering);
    run->gathering = NULL;
}

void gw_run_reload(struct gw_run *run)
{
    gw_run_forget(run);
    load(run);
}

static void say_unsure(struct gw_error *err)
{
    gw_error_set(err, GW_EUNKNOWN_OUTCOME, "outcome_unknown",
                 "the command may or may not have taken effect: send it again with the same command_id");
    err->is_retryable = true;
}

void gw_run_down(struct gw_run *run, const struct gw_error *err)
{
    struct gw_error refusal = *err;
    refusal.is_retryable = true;
    gw_run_forget(run);
    run->phase = GW_RUN_DOWN;
    run->retry_at_ms = now_ms(run) + DOWN_MS;
    gw_run_refuse_reads(run, &refusal);
    gw_run_refuse_orders(run);
    if (run->is_unsure)
        say_unsure(&refusal);
    run->is_unsure = false;
    gw_run_refuse_inbox(run, &refusal);
    gw_run_refuse_attaches(run, "spine_unavailable");
}

/* ---- a look at the log's ends ---------------------------------------------------------------------------------------------------------- */

struct gw_run_refresh {
    struct gw_spine_tail tail;
    struct gw_run *run;
};

/* Whether they are right cannot be told: neither a reset nor a refusal would be. */
static void refuse_askers(struct gw_run *run)
{
    struct gw_error err;
    gw_error_set(&err, GW_EIO, "spine_unavailable", "the run cannot be read at the moment");
    err.is_retryable = true;
    gw_run_refuse_reads(run, &err);
    gw_run_refuse_attaches(run, "spine_unavailable");
    if (run->inbox_first && run->inbox_first->has_refreshed)
        gw_run_refuse_first(run, &err);
}

static void on_tail(struct gw_spine_tail *tail)
{
    struct gw_run_refresh *refresh = tail->arg;
    struct gw_run *run = refresh->run;
    run->refresh = NULL;
    run->hub->in_flight--;
    if (!tail->status && tail->floor_seq > run->floor_seq)
        run->floor_seq = tail->floor_seq;
    if (tail->status)
        refuse_askers(run);
    /* While an append is on its way, that will tell. */
    if (!tail->status && tail->tail_seq > run->durable_seq && gw_run_is_settled(run))
        gw_run_reload(run);
    gw_free(refresh);
    gw_hub_mark_run(run->hub, run);
}

void gw_run_refresh(struct gw_run *run)
{
    if (run->refresh)
        return;
    struct gw_run_refresh *refresh = gw_alloc(sizeof *refresh);
    refresh->run = run;
    refresh->tail = (struct gw_spine_tail){.run = run->key, .home = gw_hub_home(run->hub), .done = on_tail, .arg = refresh};
    run->refresh = refresh;
    run->hub->in_flight++;
    run->hub->opts.spine->tail(run->hub->opts.spine->self, &refresh->tail);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------------------------- */

uint64_t gw_run_epoch(const struct gw_run *run) { return run->durable_seq == 0 ? 0 : run->epoch; }

bool gw_run_is_settled(const struct gw_run *run) { return run->phase == GW_RUN_READY && !run->gathering && !run->appending; }

/* Somebody is to end it, and that is this run's owner. */
static bool has_open_messages(const struct gw_run *run) { return run->state && gw_chat_open_count(gw_state_chat(run->state)) > 0; }

bool gw_run_is_idle(const struct gw_run *run)
{
    if (run->chat.first || run->chat.is_napping ||
        ((has_open_messages(run) || gw_presence_count(run->presence) > 0) && !run->hub->is_draining))
        return false;
    return run->phase != GW_RUN_LOADING && !run->gathering && !run->appending && !run->inbox_first && !run->reads && !run->attaches &&
           !run->readers && !run->feeds && !run->block_reads && !run->checkpoint && !run->refresh && !gw_run_has_orders(run);
}

static bool has_waiting_readers(const struct gw_run *run)
{
    return run->reads || run->attaches || gw_run_past_is_due(run) || gw_run_has_orders(run);
}

/* Those who follow a run that is down wait for what it cannot see. */
static bool is_missed(const struct gw_run *run) { return run->inbox_first || run->chat.first || has_waiting_readers(run) || run->feeds; }

void gw_run_turn(struct gw_run *run)
{
    if (run->phase == GW_RUN_DOWN && is_missed(run) && now_ms(run) >= run->retry_at_ms)
        load(run);
    if (run->phase != GW_RUN_READY)
        return;
    run->used_at_ms = now_ms(run);
    if (gw_run_is_settled(run) && !run->refresh && !run->order) {
        gw_run_serve_attaches(run);
        gw_run_serve_reads(run);
        if (gw_run_past_is_due(run))
            gw_run_fetch_past(run);
    }
    if (gw_run_is_settled(run) && !run->refresh)
        gw_run_serve_orders(run);
    if (run->phase != GW_RUN_READY)
        return; /* it was deleted, or its state thrown away */
    gw_run_checkpoint_if_due(run, false);
    if (run->has_other_manifests && !run->refresh && !run->order)
        gw_run_renew_canvases(run);
    if (run->phase != GW_RUN_READY)
        return;
    /* While somebody waits for a settled state no further command is judged: the append on its way ends the wait. */
    if (!has_waiting_readers(run) && !gw_run_checkpoint_is_due(run, false)) {
        gw_run_judge(run);
        gw_run_chat_judge(run);
    }
    gw_run_flush(run);
    gw_run_serve_changes(run);
    gw_run_tell_presence(run);
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        gw_feed_announce(feed);
}
