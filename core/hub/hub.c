#include "hub/hub.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/hub_internal.h"
#include "hub/manifest.h"
#include "hub/operate.h"
#include "hub/plan.h"
#include "hub/run.h"
#include "hub/run_presence.h"
#include "hub/span.h"

/* How many subscribers are written to before the loop looks at its sockets and its mailbox again: about two milliseconds. */
#define PUMPED_PER_TURN 256

void gw_hub_limits_default(struct gw_hub_limits *limits)
{
    *limits = (struct gw_hub_limits){.max_runs = 10000,
                                     .max_feeds_per_run = 256,
                                     .max_feeds_per_actor = 32,
                                     .max_waiting = 4096,
                                     .ring_bytes = 2u << 20,
                                     .block_cache_bytes = 64u << 20,
                                     .record_bytes = 1u << 20,
                                     .max_replay_events = 1000000,
                                     .checkpoint_events = 4096,
                                     .commit_events = 1000,
                                     .commit_idle_ms = 30000,
                                     .run_idle_ms = 60000,
                                     .view_idle_ms = 10000,
                                     .chat_lease_ms = 30000,
                                     .max_present_actors = 256,
                                     .gesture_lease_ms = 30000};
}

static void register_metrics(struct gw_hub *hub)
{
    struct gw_metrics *m = hub->opts.metrics;
    struct gw_hub_metrics *to = &hub->metrics;
    static const char *const verdict_labels[] = {"status=\"exact\"", "status=\"reset\"", "status=\"fresh\"", "status=\"retry\""};
    for (size_t i = 0; i < 4; i++)
        to->verdicts[i] = gw_metrics_counter(m, "atoms_resume_verdicts_total", verdict_labels[i], "Streams opened, by verdict.");
    to->commands_committed = gw_metrics_counter(m, "atoms_commands_total", "outcome=\"committed\"", "Commands judged, by outcome.");
    to->commands_refused = gw_metrics_counter(m, "atoms_commands_total", "outcome=\"refused\"", "Commands judged, by outcome.");
    to->commands_repeated = gw_metrics_counter(m, "atoms_commands_total", "outcome=\"repeated\"", "Commands judged, by outcome.");
    to->events = gw_metrics_counter(m, "atoms_events_total", "", "Durable events.");
    to->appends_failed = gw_metrics_counter(m, "atoms_append_failures_total", "", "Records that the spine did not take.");
    to->append_seconds = gw_metrics_histogram(m, "atoms_append_seconds", "", "From handing a record to the spine until it is durable.");
    to->replay_blocks = gw_metrics_counter(m, "atoms_replay_blocks_total", "", "Replay blocks projected from the spine.");
    to->block_cache_hits = gw_metrics_counter(m, "atoms_replay_block_hits_total", "", "Replay blocks found in the cache.");
    to->runs = gw_metrics_gauge(m, "atoms_runs", "", "Runs in memory.");
    to->feeds = gw_metrics_gauge(m, "atoms_feeds", "", "Feeds: lens classes times canvas sets of the runs in memory.");
    to->views = gw_metrics_gauge(m, "atoms_views", "", "Feeds followed, by worker.");
    to->subscribers = gw_metrics_gauge(m, "atoms_streams", "", "Open streams.");
    to->run_loads = gw_metrics_counter(m, "atoms_run_loads_total", "", "Runs folded from the spine.");
    to->chat_aborted = gw_metrics_counter(m, "atoms_chat_aborted_total", "", "Streamed messages ended because their producer fell silent.");
    to->gestures = gw_metrics_counter(m, "atoms_gestures_total", "", "Gestures taken.");
    to->ephemeral_frames =
        gw_metrics_counter(m, "atoms_ephemeral_frames_total", "", "Frames of presence and gestures encoded, one per class.");
    to->checkpoints = gw_metrics_counter(m, "atoms_checkpoints_total", "", "Checkpoints stored.");
}

struct gw_hub *gw_hub_create(const struct gw_hub_opts *opts)
{
    struct gw_hub *hub = gw_alloc(sizeof *hub);
    hub->opts = *opts;
    gw_manifests_ref(hub->opts.manifests);
    opts->clock->random(opts->clock->self, hub->seed, sizeof hub->seed);
    /* All workers must agree on the owner of a run, so that hash has a fixed key; the maps do not. */
    hub->runs = gw_map_create(hub->seed);
    hub->views = gw_map_create(hub->seed);
    gw_buffer_init(&hub->whole, 0);
    hub->blocks = gw_block_cache_create(hub->seed, opts->limits.block_cache_bytes);
    hub->local_last = &hub->local_first;
    register_metrics(hub);
    return hub;
}

void gw_hub_destroy(struct gw_hub *hub)
{
    if (!hub)
        return;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(hub->views, &cursor, &key, &length, &value))
        gw_view_destroy(value);
    cursor = 0;
    while (gw_map_next(hub->runs, &cursor, &key, &length, &value))
        gw_run_destroy(value);
    gw_map_destroy(hub->views);
    gw_map_destroy(hub->runs);
    gw_buffer_fini(&hub->whole);
    gw_block_cache_destroy(hub->blocks);
    gw_manifests_unref(hub->opts.manifests);
    gw_free(hub);
}

void gw_hub_use_manifests(struct gw_hub *hub, struct gw_manifests *manifests)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    gw_manifests_ref(manifests);
    gw_manifests_unref(hub->opts.manifests);
    hub->opts.manifests = manifests;
    while (gw_map_next(hub->runs, &cursor, &key, &length, &value)) {
        struct gw_run *run = value;
        run->has_other_manifests = true;
        gw_hub_mark_run(hub, run);
    }
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------------- */

struct gw_executor *gw_hub_home(struct gw_hub *hub) { return &hub->opts.executors[hub->opts.worker]; }

void gw_hub_send(struct gw_hub *hub, size_t worker, struct gw_task *task)
{
    if (worker != hub->opts.worker) {
        hub->opts.executors[worker].post(hub->opts.executors[worker].self, task);
        return;
    }
    task->next = NULL;
    *hub->local_last = task;
    hub->local_last = &task->next;
}

void gw_hub_complete(struct gw_hub *hub, struct gw_executor *home, struct gw_task *task)
{
    if (home->self == gw_hub_home(hub)->self)
        gw_hub_send(hub, hub->opts.worker, task);
    else
        home->post(home->self, task);
}

size_t gw_hub_owner_of(const struct gw_hub *hub, const struct gw_run_key *run)
{
    static const uint8_t fixed[16] = "atoms.run.owner";
    return (size_t)(gw_siphash(fixed, run->text, strlen(run->text)) % hub->opts.worker_count);
}

static bool run_local(struct gw_hub *hub)
{
    bool did_work = false;
    while (hub->local_first) {
        struct gw_task *task = hub->local_first;
        hub->local_first = task->next;
        if (!hub->local_first)
            hub->local_last = &hub->local_first;
        task->run(task);
        did_work = true;
    }
    return did_work;
}

/* ---- runs ------------------------------------------------------------------------------------------------------------------------------ */

void gw_hub_mark_run(struct gw_hub *hub, struct gw_run *run)
{
    if (run->is_dirty)
        return;
    run->is_dirty = true;
    run->next_dirty = hub->dirty_runs;
    hub->dirty_runs = run;
}

void gw_hub_nap(struct gw_hub *hub, struct gw_run *run, uint32_t delay_ms)
{
    uint64_t at_ms = hub->opts.clock->monotonic_ms(hub->opts.clock->self) + delay_ms;
    if (!run->chat.is_napping) {
        run->chat.is_napping = true;
        run->chat.next_napping = hub->napping_runs;
        hub->napping_runs = run;
    }
    if (hub->wake_at_ms && hub->wake_at_ms <= at_ms)
        return;
    hub->wake_at_ms = at_ms;
    hub->opts.wake_in(hub->opts.wake_arg, delay_ms);
}

void gw_hub_wake(struct gw_hub *hub)
{
    hub->wake_at_ms = 0;
    while (hub->napping_runs) {
        struct gw_run *run = hub->napping_runs;
        hub->napping_runs = run->chat.next_napping;
        run->chat.is_napping = false;
        gw_hub_mark_run(hub, run);
    }
}

struct gw_run *gw_hub_run(struct gw_hub *hub, const struct gw_scope *scope)
{
    struct gw_run_key key;
    gw_run_key_encode(scope, &key);
    size_t length = strlen(key.text);
    struct gw_run *run = gw_map_get(hub->runs, key.text, length);
    if (run || gw_map_count(hub->runs) >= hub->opts.limits.max_runs)
        return run;
    run = gw_run_create(hub, scope);
    if (gw_map_put(hub->runs, key.text, length, run, NULL)) {
        gw_run_destroy(run);
        return NULL;
    }
    gw_run_reload(run);
    return run;
}

struct gw_run *gw_hub_open_run(struct gw_hub *hub, const struct gw_scope *scope, struct gw_error *err)
{
    struct gw_run *run = hub->is_draining ? NULL : gw_hub_run(hub, scope);
    if (run)
        return run;
    if (hub->is_draining) {
        gw_error_set(err, GW_EBUSY, "draining", "this server is shutting down");
    } else {
        gw_error_set(err, GW_EBUSY, "too_many_runs", "too many runs are open");
        gw_error_name_limit(err, "max_runs", (int64_t)hub->opts.limits.max_runs);
    }
    err->is_retryable = true;
    return NULL;
}

static bool turn_runs(struct gw_hub *hub)
{
    struct gw_run *list = hub->dirty_runs;
    hub->dirty_runs = NULL;
    bool did_work = list != NULL;
    while (list) {
        struct gw_run *run = list;
        list = run->next_dirty;
        run->is_dirty = false;
        gw_run_turn(run);
    }
    return did_work;
}

/* Each dirty view once, as far as the turn's slice goes; the next turn begins with the others. */
static void turn_views(struct gw_hub *hub)
{
    const struct gw_view *last = hub->last_dirty_view;
    size_t left = PUMPED_PER_TURN;
    for (struct gw_view *view = hub->dirty_views; view && left > 0; view = hub->dirty_views) {
        bool is_last = view == last;
        hub->dirty_views = view->next_dirty;
        view->is_dirty = false;
        left -= gw_view_pump(view, left);
        if (is_last)
            break;
    }
}

void gw_hub_work(struct gw_hub *hub)
{
    /* Messages to oneself settle within a few rounds; what does not is left for the next turn rather than holding up the sockets. */
    for (int round = 0; round < 8; round++) {
        bool did_work = run_local(hub);
        did_work |= turn_runs(hub);
        if (!did_work)
            break;
    }
}

bool gw_hub_pump(struct gw_hub *hub)
{
    turn_views(hub);
    return hub->local_first || hub->dirty_runs || hub->dirty_views;
}

/* ---- submissions and reads ------------------------------------------------------------------------------------------------------------ */

static void on_submission_at_owner(struct gw_task *task)
{
    struct gw_submission *submission = (struct gw_submission *)(void *)((char *)task - offsetof(struct gw_submission, task));
    submission->owner->in_flight++;
    struct gw_error err;
    struct gw_run *run = gw_hub_open_run(submission->owner, &submission->scope, &err);
    if (!run)
        gw_submission_refuse_all(submission, &err);
    else
        gw_run_submit(run, submission);
}

void gw_hub_submit(struct gw_hub *hub, struct gw_submission *submission)
{
    size_t owner = gw_hub_owner_of(hub, &submission->run);
    submission->owner = hub->opts.hubs[owner];
    submission->unsettled = submission->count;
    submission->task.run = on_submission_at_owner;
    gw_hub_send(hub, owner, &submission->task);
}

struct gw_hub *gw_hub_owner(const struct gw_hub *hub, const struct gw_scope *scope)
{
    struct gw_run_key key;
    gw_run_key_encode(scope, &key);
    return hub->opts.hubs[gw_hub_owner_of(hub, &key)];
}

static void on_read_at_owner(struct gw_task *task)
{
    struct gw_read *request = (struct gw_read *)(void *)((char *)task - offsetof(struct gw_read, task));
    gw_run_read_arrived(request->owner, request);
}

void gw_hub_read(struct gw_hub *hub, struct gw_read *request)
{
    request->owner = gw_hub_owner(hub, &request->scope);
    request->task.run = on_read_at_owner;
    gw_hub_send(hub, request->owner->opts.worker, &request->task);
}

static void on_order_at_owner(struct gw_task *task)
{
    struct gw_order *order = (struct gw_order *)(void *)((char *)task - offsetof(struct gw_order, task));
    gw_run_order_arrived(order->owner, order);
}

void gw_hub_order(struct gw_hub *hub, struct gw_order *order)
{
    order->owner = gw_hub_owner(hub, &order->scope);
    order->task.run = on_order_at_owner;
    gw_hub_send(hub, order->owner->opts.worker, &order->task);
}

/* ---- replay blocks for views -------------------------------------------------------------------------------------------------------------- */

struct block_ask {
    struct gw_task task;
    struct gw_block_want want;
    struct gw_view *view;
    struct gw_outlet *outlet;
    struct gw_span *span;
};

static void on_block_at_view(struct gw_task *task)
{
    struct block_ask *ask = (struct block_ask *)(void *)task;
    ask->view->attach_count--;
    ask->view->hub->in_flight--;
    gw_view_offer_block(ask->view, ask->want.number, ask->span);
    gw_free(ask);
}

static void on_block_ready(struct gw_block_want *want, struct gw_span *span)
{
    struct block_ask *ask = (struct block_ask *)(void *)((char *)want - offsetof(struct block_ask, want));
    struct gw_feed *feed = want->feed;
    ask->span = span;
    ask->task.run = on_block_at_view;
    gw_hub_send(feed->run->hub, ask->outlet->worker, &ask->task);
    feed->holds--;
}

static void on_block_at_owner(struct gw_task *task)
{
    struct block_ask *ask = (struct block_ask *)(void *)task;
    ask->want.feed = ask->outlet->feed;
    ask->want.feed->holds++;
    ask->want.ready = on_block_ready;
    gw_run_want_block(ask->want.feed->run, &ask->want);
}

void gw_hub_ask_block(struct gw_hub *hub, struct gw_view *view, uint64_t number)
{
    struct block_ask *ask = gw_alloc(sizeof *ask);
    ask->view = view;
    ask->outlet = view->outlet;
    ask->want.number = number;
    ask->task.run = on_block_at_owner;
    view->attach_count++;
    hub->in_flight++;
    gw_hub_send(hub, gw_hub_owner_of(hub, &view->run), &ask->task);
}

/* ---- views that nobody follows any more ------------------------------------------------------------------------------------------------------ */

static void on_view_closed(struct gw_task *task)
{
    struct gw_view_close *close = (struct gw_view_close *)(void *)task;
    close->view->hub->in_flight--;
    gw_metric_add(close->view->hub->metrics.views, -1);
    gw_view_destroy(close->view);
    gw_free(close);
}

static void on_close_at_owner(struct gw_task *task)
{
    struct gw_view_close *close = (struct gw_view_close *)(void *)task;
    close->task.run = on_view_closed;
    close->outlet->close = close;
    gw_outlet_returned(close->outlet);
}

static void undirty(struct gw_hub *hub, const struct gw_view *view)
{
    struct gw_view **link = &hub->dirty_views, *before = NULL;
    for (; *link && *link != view; link = &before->next_dirty)
        before = *link;
    if (!*link)
        return;
    *link = view->next_dirty;
    if (hub->last_dirty_view == view)
        hub->last_dirty_view = before;
}

void gw_hub_close_view(struct gw_hub *hub, struct gw_view *view)
{
    gw_map_remove(hub->views, view->name, view->name_length);
    undirty(hub, view);
    view->is_dirty = true; /* it is in no list and must enter none */
    if (!view->outlet) {
        gw_metric_add(hub->metrics.views, -1);
        gw_view_destroy(view);
        return;
    }
    struct gw_view_close *close = gw_alloc(sizeof *close);
    *close = (struct gw_view_close){.task.run = on_close_at_owner, .view = view, .outlet = view->outlet};
    hub->in_flight++;
    gw_hub_send(hub, gw_hub_owner_of(hub, &view->run), &close->task);
}

/* ---- housekeeping ---------------------------------------------------------------------------------------------------------------------- */

static void close_idle_views(struct gw_hub *hub, uint64_t now_ms)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(hub->views, &cursor, &key, &length, &value)) {
        struct gw_view *view = value;
        bool is_idle = view->subscriber_count == 0 && view->attach_count == 0;
        if (is_idle && (hub->is_draining || now_ms - view->idle_since_ms >= hub->opts.limits.view_idle_ms))
            gw_hub_close_view(hub, view);
    }
}

static void unload_idle_runs(struct gw_hub *hub, uint64_t now_ms)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(hub->runs, &cursor, &key, &length, &value)) {
        struct gw_run *run = value;
        if (run->is_dirty || !gw_run_is_idle(run) || (!hub->is_draining && now_ms - run->used_at_ms < hub->opts.limits.run_idle_ms))
            continue;
        gw_run_checkpoint_if_due(run, true);
        if (!gw_run_is_idle(run))
            continue; /* the checkpoint is on its way: next time */
        gw_map_remove(hub->runs, key, length);
        gw_run_destroy(run);
    }
}

void gw_hub_tick(struct gw_hub *hub)
{
    uint64_t now_ms = hub->opts.clock->monotonic_ms(hub->opts.clock->self);
    size_t cursor = 0, length;
    const void *key;
    void *value;
    close_idle_views(hub, now_ms);
    while (gw_map_next(hub->runs, &cursor, &key, &length, &value)) {
        struct gw_run *run = value;
        if (hub->is_draining)
            continue; /* also a run that is down: it goes, and nobody waits for it any more */
        if (run->phase == GW_RUN_DOWN)
            gw_hub_mark_run(hub, run);
        gw_run_chat_tick(run);
        gw_run_presence_tick(run);
        gw_run_commit_tick(run);
    }
    unload_idle_runs(hub, now_ms);
}

void gw_hub_drain(struct gw_hub *hub) { hub->is_draining = true; }

bool gw_hub_is_quiet(const struct gw_hub *hub)
{
    return hub->in_flight == 0 && !hub->local_first && !hub->dirty_runs && gw_map_count(hub->views) == 0;
}
