/* Revisions that nobody asked for: the owner commits a canvas that has grown by so many events, and one that has stopped growing, so that a client may check its
 * fold and a reader finds a point to go back to. They are events of the gateway, in a record like any other. What counts is in growth.h. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/run.h"

static const char nobody[] = "gateway";

static uint64_t now_ms(const struct gw_run *run) { return run->hub->opts.clock->monotonic_ms(run->hub->opts.clock->self); }

static void stamp(struct gw_run *run, struct gw_event *event)
{
    int64_t now = run->hub->opts.clock->wall_ms(run->hub->opts.clock->self);
    if (now > run->last_ts_ms)
        run->last_ts_ms = now;
    event->seq = gw_state_seq(run->state) + 1;
    event->ts_ms = run->last_ts_ms;
    event->actor.kind = GW_ACTOR_SERVICE;
    memcpy(event->actor.id, nobody, sizeof nobody);
    memcpy(event->surface_id, nobody, sizeof nobody);
    memcpy(event->app_id, nobody, sizeof nobody);
}

static int resolve(const struct gw_run *run, const char *canvas_id, struct gw_event_list *out, struct gw_error *err)
{
    static const struct gw_plan everything = {.class_id = 1, .sees_all = true, .writes_all = true};
    struct gw_resolve_context context = {
        .manifests = run->hub->opts.manifests, .plan = &everything, .author_kind = "service", .author_id = nobody, .epoch = run->epoch};
    struct gw_command command = {.type = "canvas.commit", .args = gw_json_new_object()};
    memcpy(command.canvas_id, canvas_id, strlen(canvas_id) + 1);
    int status = command.args ? gw_state_resolve(run->state, &command, &context, out, err) : GW_ENOMEM;
    gw_json_unref(command.args);
    return status;
}

int gw_run_add_own(struct gw_run *run, const struct gw_event_list *events)
{
    struct gw_commit_mark mark = gw_run_mark(run);
    struct gw_error err;
    stamp(run, events->items[0]);
    int status = gw_commit_add_event(gw_run_gathering(run), events->items[0]);
    if (!status && gw_run_fold(run, events, &err))
        status = GW_EINVAL;
    if (status)
        gw_run_rewind(run, &mark);
    return status;
}

static int commit(struct gw_run *run, const char *canvas_id)
{
    struct gw_event_list events = {0};
    struct gw_error err;
    int status = resolve(run, canvas_id, &events, &err);
    if (!status)
        status = gw_run_add_own(run, &events);
    gw_event_list_fini(&events);
    return status;
}

static void commit_grown(struct gw_run *run, uint64_t least)
{
    const char *const *ids;
    size_t count = gw_state_canvases(run->state, &ids);
    for (size_t i = 0; i < count; i++) {
        if (gw_state_uncommitted(run->state, ids[i]) < least)
            continue;
        int status = commit(run, ids[i]);
        if (status == GW_ENOMEM) {
            gw_log_write(run->hub->opts.log, GW_LOG_WARN, "revision_put_off",
                         (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_TEXT("canvas", ids[i]), GW_F_END});
            return; /* the next command, or the next tick, brings it */
        }
        if (status) {
            gw_run_abandon(run); /* a fold that fails leaves a state that cannot be trusted */
            return;
        }
    }
}

void gw_run_commit_grown(struct gw_run *run)
{
    uint64_t events = run->hub->opts.limits.commit_events;
    if (run->phase == GW_RUN_READY && events > 0)
        commit_grown(run, events);
}

/* A run that is to leave memory first says where it stands. */
void gw_run_commit_tick(struct gw_run *run)
{
    const struct gw_hub_limits *limits = &run->hub->opts.limits;
    uint32_t idle_ms = limits->commit_idle_ms < limits->run_idle_ms ? limits->commit_idle_ms : limits->run_idle_ms;
    if (limits->commit_idle_ms == 0 || !gw_run_is_settled(run) || run->inbox_first || run->refresh || gw_run_has_orders(run) ||
        run->hub->is_draining)
        return;
    if (now_ms(run) - run->grown_at_ms < idle_ms)
        return;
    commit_grown(run, 1);
    if (run->gathering)
        gw_hub_mark_run(run->hub, run);
}
