#include "hub/subscriber.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/hub_internal.h"
#include "hub/plan.h"
#include "hub/presence.h"
#include "hub/run.h"
#include "hub/run_presence.h"
#include "hub/span.h"

const char *gw_verdict_name(enum gw_verdict_status status)
{
    static const char *const names[] = {"exact", "reset", "fresh", "retry"};
    return names[status];
}

/* ---- views by name -------------------------------------------------------------------------------------------------------------------- */

/* run key, class and canvas ids, each part closed by a byte that none of them holds */
static size_t name_of(const struct gw_subscribe_opts *opts, char *out)
{
    struct gw_run_key run;
    gw_run_key_encode(&opts->scope, &run);
    size_t length = strlen(run.text) + 1;
    memcpy(out, run.text, length);
    memcpy(out + length, &opts->plan->class_id, sizeof opts->plan->class_id);
    length += sizeof opts->plan->class_id;
    for (size_t i = 0; i < opts->set.count; i++) {
        size_t id_length = strlen(opts->set.ids[i]) + 1;
        memcpy(out + length, opts->set.ids[i], id_length);
        length += id_length;
    }
    return length;
}

static struct gw_view *view_for(struct gw_hub *hub, const struct gw_subscribe_opts *opts)
{
    char name[GW_RUN_KEY_MAX + 1 + sizeof(uint64_t) + sizeof opts->set.ids];
    size_t length = name_of(opts, name);
    struct gw_view *view = gw_map_get(hub->views, name, length);
    if (view)
        return view;
    view = gw_view_create(hub, &opts->scope, opts->plan, &opts->set);
    view->name = gw_try_strndup(name, length);
    view->name_length = length;
    if (!view->name || gw_map_put(hub->views, name, length, view, NULL)) {
        gw_view_destroy(view);
        return NULL;
    }
    gw_metric_add(hub->metrics.views, 1);
    return view;
}

static void join(struct gw_subscriber *subscriber, struct gw_view *view)
{
    subscriber->view = view;
    subscriber->next = view->subscribers;
    subscriber->link = &view->subscribers;
    if (subscriber->next)
        subscriber->next->link = &subscriber->next;
    view->subscribers = subscriber;
    view->subscriber_count++;
    gw_metric_add(view->hub->metrics.subscribers, 1);
}

static void leave(struct gw_subscriber *subscriber)
{
    struct gw_view *view = subscriber->view;
    if (view->next_pumped == subscriber)
        view->next_pumped = subscriber->next;
    *subscriber->link = subscriber->next;
    if (subscriber->next)
        subscriber->next->link = subscriber->link;
    subscriber->next = NULL;
    subscriber->link = NULL;
    subscriber->view = NULL;
    gw_metric_add(view->hub->metrics.subscribers, -1);
    if (--view->subscriber_count == 0)
        view->idle_since_ms = view->hub->opts.clock->monotonic_ms(view->hub->opts.clock->self);
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------------------------ */

static struct gw_attach *make_attach(const struct gw_subscribe_opts *opts)
{
    struct gw_attach *attach = gw_alloc(sizeof *attach);
    attach->start = opts->start;
    attach->number = opts->number;
    if (opts->cursor)
        attach->cursor = gw_try_strndup(opts->cursor, strlen(opts->cursor));
    if (opts->cursor && !attach->cursor) {
        gw_free(attach);
        return NULL;
    }
    if (opts->arrival && opts->plan->sees_presence) {
        attach->arrival = gw_alloc(sizeof *attach->arrival);
        *attach->arrival = *opts->arrival;
    }
    return attach;
}

static void on_attach_at_owner(struct gw_task *task) { gw_run_attach((struct gw_attach *)(void *)task); }

static void send_attach(struct gw_subscriber *subscriber, struct gw_view *view, struct gw_attach *attach)
{
    struct gw_hub *hub = view->hub;
    attach->hub = hub;
    attach->view = view;
    attach->subscriber = subscriber;
    if (subscriber->actor)
        memcpy(attach->actor_id, subscriber->actor->id, strlen(subscriber->actor->id) + 1);
    attach->task.run = on_attach_at_owner;
    subscriber->attach = attach;
    subscriber->phase = GW_SUB_ATTACHING;
    view->attach_count++;
    hub->in_flight++;
    gw_hub_send(hub, gw_hub_owner_of(hub, &view->run), &attach->task);
}

int gw_subscriber_open(struct gw_hub *hub, struct gw_subscriber *subscriber, const struct gw_subscribe_opts *opts, struct gw_error *err)
{
    assert(subscriber->phase == GW_SUB_IDLE && subscriber->ops);
    if (hub->is_draining)
        return gw_error_set(err, GW_ECLOSED, "draining", "this server is shutting down");
    struct gw_view *view = view_for(hub, opts);
    struct gw_attach *attach = view ? make_attach(opts) : NULL;
    if (!attach)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for another stream");
    subscriber->seq = subscriber->into = 0;
    subscriber->told = 0;
    subscriber->is_blocked = subscriber->is_refused = subscriber->is_held = subscriber->ends_after_control = false;
    join(subscriber, view);
    send_attach(subscriber, view, attach);
    return GW_OK;
}

void gw_subscriber_attach_again(struct gw_subscriber *subscriber)
{
    assert(subscriber->phase == GW_SUB_FLOWING && subscriber->into == 0 && !subscriber->control);
    struct gw_attach *attach = gw_alloc(sizeof *attach);
    attach->has_seq = attach->is_again = true;
    attach->number = subscriber->seq;
    send_attach(subscriber, subscriber->view, attach);
}

/* Between two frames, with nothing on its way to the socket. Before its first verdict it is so in any case. */
static bool is_between_frames(const struct gw_subscriber *subscriber) { return subscriber->into == 0 && !subscriber->control; }

int gw_subscriber_switch(struct gw_subscriber *subscriber, struct gw_plan *plan, const struct gw_arrival *arrival)
{
    assert(subscriber->view);
    struct gw_view *old = subscriber->view;
    struct gw_subscribe_opts opts = {.scope = old->scope, .plan = plan, .set = old->set, .start = GW_START_CHECKPOINT};
    opts.arrival = subscriber->is_present ? NULL : arrival;
    if (!is_between_frames(subscriber))
        return GW_EBUSY;
    struct gw_view *view = view_for(old->hub, &opts);
    if (!view)
        return GW_ENOMEM;
    if (subscriber->attach)
        subscriber->attach->subscriber = NULL;
    gw_span_unref(subscriber->checkpoint);
    subscriber->checkpoint = NULL;
    subscriber->wanted_block = 0;
    subscriber->told = 0;
    if (!plan->sees_presence)
        gw_subscriber_withdraw(subscriber, true);
    leave(subscriber);
    join(subscriber, view);
    struct gw_attach *attach = make_attach(&opts); /* without a cursor to copy it cannot fail */
    attach->is_switch = true;
    send_attach(subscriber, view, attach);
    return GW_OK;
}

void gw_subscriber_hold(struct gw_subscriber *subscriber) { subscriber->is_held = true; }

void gw_subscriber_release(struct gw_subscriber *subscriber)
{
    if (subscriber->is_held && subscriber->view)
        gw_view_mark_dirty(subscriber->view);
    subscriber->is_held = false;
}

void gw_attach_destroy(struct gw_attach *attach)
{
    gw_span_unref(attach->checkpoint);
    gw_free(attach->arrival);
    gw_free(attach->cursor);
    gw_free(attach);
}

static void begin_flow(struct gw_subscriber *subscriber, struct gw_attach *attach)
{
    subscriber->attach = NULL;
    subscriber->phase = GW_SUB_FLOWING;
    subscriber->seq = attach->seq;
    subscriber->into = 0;
    subscriber->checkpoint = attach->checkpoint;
    attach->checkpoint = NULL;
    subscriber->is_refused = attach->status == GW_VERDICT_RETRY;
    gw_view_mark_dirty(attach->view);
    if (attach->is_again && attach->status == GW_VERDICT_EXACT)
        return; /* it goes on where it stood, so there is nothing to tell */
    struct gw_verdict verdict = {.status = attach->status, .reason = attach->reason, .head_seq = attach->head_seq};
    memcpy(verdict.head, attach->head, sizeof verdict.head);
    gw_metric_add(attach->hub->metrics.verdicts[attach->status], 1);
    subscriber->told = 0; /* a verdict begins the roster anew, too */
    subscriber->takes_verdict = true;
    subscriber->ops->verdict(subscriber, &verdict);
}

void gw_attach_answered(struct gw_attach *attach)
{
    attach->hub->in_flight--;
    attach->view->attach_count--;
    if (attach->outlet)
        attach->view->outlet = attach->outlet;
    if (attach->subscriber && attach->has_joined)
        attach->subscriber->is_present = true;
    else if (attach->has_joined)
        gw_view_withdraw(attach->view, attach->arrival->actor.id, false);
    if (attach->subscriber)
        begin_flow(attach->subscriber, attach);
    gw_attach_destroy(attach);
}

void gw_subscriber_close(struct gw_subscriber *subscriber)
{
    if (subscriber->attach)
        subscriber->attach->subscriber = NULL;
    gw_subscriber_withdraw(subscriber, false);
    if (subscriber->view)
        leave(subscriber);
    gw_span_unref(subscriber->checkpoint);
    gw_free(subscriber->control);
    subscriber->attach = NULL;
    subscriber->checkpoint = NULL;
    subscriber->control = NULL;
    subscriber->control_length = subscriber->control_sent = 0;
    subscriber->wanted_block = 0;
    subscriber->phase = GW_SUB_IDLE;
}

void gw_subscriber_fail(struct gw_subscriber *subscriber, const char *reason)
{
    gw_subscriber_close(subscriber);
    subscriber->ops->ended(subscriber, reason);
}

void gw_subscriber_purge(struct gw_subscriber *subscriber)
{
    if (subscriber->phase != GW_SUB_FLOWING || subscriber->is_refused)
        return;
    bool is_between_frames = subscriber->into == 0 && !(subscriber->control && subscriber->control_sent);
    gw_span_unref(subscriber->checkpoint);
    subscriber->checkpoint = NULL;
    subscriber->wanted_block = 0;
    subscriber->seq = UINT64_MAX; /* nothing further is for it */
    if (is_between_frames)
        subscriber->ops->purged(subscriber);
    else
        gw_subscriber_fail(subscriber, "purged");
}

/* ---- flow ----------------------------------------------------------------------------------------------------------------------------- */

void gw_subscriber_writable(struct gw_subscriber *subscriber)
{
    subscriber->is_blocked = false;
    if (subscriber->view && gw_view_pump_one(subscriber->view, subscriber))
        gw_view_mark_dirty(subscriber->view);
}

/* `text`, and behind it what waited. */
static char *join_text(const struct gw_subscriber *subscriber, const char *text, size_t length, size_t rest)
{
    char *joined = gw_try_alloc(length + rest + 1);
    if (!joined)
        return NULL;
    memcpy(joined, text, length);
    if (rest)
        memcpy(joined + length, subscriber->control, rest);
    return joined;
}

static int put_control(struct gw_subscriber *subscriber, const char *text, size_t length, size_t rest)
{
    char *joined = join_text(subscriber, text, length, rest);
    if (!joined)
        return GW_ENOMEM;
    gw_free(subscriber->control);
    subscriber->control = joined;
    subscriber->control_length = (uint32_t)(length + rest);
    subscriber->control_sent = 0;
    subscriber->takes_verdict = subscriber->shows_control = false;
    if (subscriber->view && gw_view_pump_one(subscriber->view, subscriber))
        gw_view_mark_dirty(subscriber->view);
    return GW_OK;
}

int gw_subscriber_control(struct gw_subscriber *subscriber, const char *text, size_t length)
{
    bool is_busy = subscriber->control && !(subscriber->takes_verdict && subscriber->control_sent == 0);
    if (is_busy || subscriber->phase == GW_SUB_ATTACHING)
        return GW_EBUSY;
    return put_control(subscriber, text, length, subscriber->control ? subscriber->control_length : 0);
}

int gw_subscriber_finish(struct gw_subscriber *subscriber, const char *text, size_t length)
{
    if (subscriber->control && subscriber->control_sent)
        return GW_EBUSY;
    subscriber->ends_after_control = true;
    return put_control(subscriber, text, length, 0);
}

uint64_t gw_subscriber_lag(const struct gw_subscriber *subscriber)
{
    if (!subscriber->view || subscriber->phase != GW_SUB_FLOWING || subscriber->view->head_seq < subscriber->seq)
        return 0;
    return subscriber->view->head_seq - subscriber->seq;
}
