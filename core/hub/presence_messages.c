/* How a run's owner learns who goes and what they do: messages from the workers of streams and requests. */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/gesture_post.h"
#include "hub/plan.h"
#include "hub/run.h"
#include "hub/run_presence.h"

#define GRACE_MS 3000 /* who comes back within this time, as after a break of the line, was never gone */

static uint64_t now_ms(const struct gw_hub *hub) { return hub->opts.clock->monotonic_ms(hub->opts.clock->self); }

/* ---- who goes --------------------------------------------------------------------------------------------------------------------------- */

struct withdrawal {
    struct gw_task task; /* first */
    struct gw_hub *home;
    struct gw_run_key run;
    char actor_id[GW_ID_MAX + 1];
    bool is_final;
};

static void on_withdrawal_home(struct gw_task *task)
{
    struct withdrawal *withdrawal = (struct withdrawal *)(void *)task;
    withdrawal->home->in_flight--;
    gw_free(withdrawal);
}

static void on_withdrawal_at_owner(struct gw_task *task)
{
    struct withdrawal *withdrawal = (struct withdrawal *)(void *)task;
    struct gw_hub *hub = withdrawal->home->opts.hubs[gw_hub_owner_of(withdrawal->home, &withdrawal->run)];
    struct gw_run *run = gw_map_get(hub->runs, withdrawal->run.text, strlen(withdrawal->run.text));
    if (run && run->presence) {
        gw_presence_leave(run->presence, withdrawal->actor_id, withdrawal->is_final ? 0 : now_ms(hub) + GRACE_MS);
        gw_hub_mark_run(hub, run);
    }
    withdrawal->task.run = on_withdrawal_home;
    gw_hub_send(hub, withdrawal->home->opts.worker, &withdrawal->task);
}

void gw_view_withdraw(struct gw_view *view, const char *actor_id, bool is_final)
{
    struct withdrawal *withdrawal = gw_alloc(sizeof *withdrawal);
    *withdrawal = (struct withdrawal){.task.run = on_withdrawal_at_owner, .home = view->hub, .run = view->run, .is_final = is_final};
    memcpy(withdrawal->actor_id, actor_id, strlen(actor_id) + 1);
    view->hub->in_flight++;
    gw_hub_send(view->hub, gw_hub_owner_of(view->hub, &view->run), &withdrawal->task);
}

void gw_subscriber_withdraw(struct gw_subscriber *subscriber, bool is_final)
{
    if (subscriber->is_present && subscriber->view)
        gw_view_withdraw(subscriber->view, subscriber->actor->id, is_final);
    subscriber->is_present = false;
}

/* ---- what they do ----------------------------------------------------------------------------------------------------------------------- */

static void on_post_home(struct gw_task *task)
{
    struct gw_gesture_post *post = (struct gw_gesture_post *)(void *)((char *)task - offsetof(struct gw_gesture_post, task));
    post->done(post);
}

static void finish(struct gw_gesture_post *post, int status)
{
    post->status = status;
    post->owner->in_flight--;
    post->task.run = on_post_home;
    gw_hub_complete(post->owner, post->home, &post->task);
}

/* A run that is still being loaded takes it as it is: what is not mounted is shown to nobody. */
static int show(struct gw_run *run, struct gw_gesture_post *post)
{
    struct gw_hub *hub = run->hub;
    const struct gw_clock *clock = hub->opts.clock;
    if (run->phase == GW_RUN_READY && !gw_state_canvas_type(run->state, post->gesture.canvas_id))
        return gw_error_set(&post->err, GW_ENOTFOUND, "canvas_not_mounted", "no canvas %s is mounted in this run", post->gesture.canvas_id);
    if (!run->presence)
        run->presence = gw_presence_create(hub->opts.limits.max_present_actors);
    gw_hub_mark_run(hub, run);
    gw_metric_add(hub->metrics.gestures, 1);
    struct gw_presence_gesture given = {.who = &post->who,
                                        .gesture = &post->gesture,
                                        .ts_ms = clock->wall_ms(clock->self),
                                        .lease_until_ms = now_ms(hub) + hub->opts.limits.gesture_lease_ms};
    return gw_presence_show(run->presence, &given, &post->err);
}

static void on_post_at_owner(struct gw_task *task)
{
    struct gw_gesture_post *post = (struct gw_gesture_post *)(void *)((char *)task - offsetof(struct gw_gesture_post, task));
    struct gw_hub *hub = post->owner;
    hub->in_flight++;
    struct gw_run *run = gw_hub_open_run(hub, &post->scope, &post->err);
    finish(post, run ? show(run, post) : post->err.code);
}

void gw_hub_show(struct gw_hub *hub, struct gw_gesture_post *post)
{
    post->owner = gw_hub_owner(hub, &post->scope);
    post->task.run = on_post_at_owner;
    gw_hub_send(hub, post->owner->opts.worker, &post->task);
}

void gw_gesture_post_fini(struct gw_gesture_post *post) { gw_gesture_fini(&post->gesture); }
