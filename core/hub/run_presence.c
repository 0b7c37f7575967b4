#include "hub/run_presence.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/run.h"
#include "hub/run_read.h"

/* No oftener than this: the contract says at most 30 Hz. */
#define TOLD_EVERY_MS 34
/* No longer at a time: others wait for the worker. */
#define TELLING_MS 3

static const struct gw_clock *clock_of(const struct gw_run *run) { return run->hub->opts.clock; }

static uint64_t now_ms(const struct gw_run *run) { return clock_of(run)->monotonic_ms(clock_of(run)->self); }

static int64_t wall_ms(const struct gw_run *run) { return clock_of(run)->wall_ms(clock_of(run)->self); }

static struct gw_presence *presence_of(struct gw_run *run)
{
    if (!run->presence)
        run->presence = gw_presence_create(run->hub->opts.limits.max_present_actors);
    return run->presence;
}

int gw_run_join(struct gw_run *run, const struct gw_arrival *who)
{
    gw_hub_mark_run(run->hub, run);
    return gw_presence_join(presence_of(run), who, wall_ms(run));
}

/* ---- one feed -------------------------------------------------------------------------------------------------------------------------- */

static bool sees(const struct gw_plan *plan, enum gw_ephemeral_kind kind)
{
    return plan->sees_presence && gw_plan_admits_event(plan, gw_ephemeral_name(kind));
}

/* value: one frame to be told */
struct telling {
    enum gw_ephemeral_kind kind;
    const struct gw_present *present;
    const char *canvas_id; /* NULL: run-wide */
    int64_t ts_ms;
    bool is_end;
    struct gw_buffer data; /* JSON text */
};

/* 0: no memory. */
static uint64_t hash_content(const struct gw_feed *feed, const struct telling *telling)
{
    const struct gw_arrival *who = &telling->present->who;
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(&text, "%s %s %s %s ", gw_actor_kind_name(who->actor.kind), who->surface_id, who->app_id,
                      telling->canvas_id ? telling->canvas_id : "");
    gw_buffer_append(&text, telling->data.data, telling->data.length);
    uint64_t hash = text.has_failed ? 0 : gw_siphash(feed->run->hub->seed, text.data, text.length) | 1;
    gw_buffer_fini(&text);
    return hash;
}

/* Ends `telling`. */
static int put_frame(struct gw_feed *feed, struct telling *telling, uint64_t content)
{
    const struct gw_wire *wire = feed->channel.wire;
    const struct gw_arrival *who = &telling->present->who;
    struct gw_told_frame frame = {.type = gw_ephemeral_name(telling->kind),
                                  .canvas_id = telling->canvas_id,
                                  .ts_ms = telling->ts_ms,
                                  .data = telling->data.data,
                                  .data_length = telling->data.length,
                                  .actor = &who->actor,
                                  .surface_id = who->surface_id,
                                  .app_id = who->app_id};
    struct gw_buffer bytes;
    gw_buffer_init(&bytes, 0);
    wire->tell(wire->self, &feed->channel.scope, &frame, &bytes);
    struct gw_ephemeral *made = bytes.has_failed ? NULL : gw_ephemeral_create(telling->kind, who->actor.id, bytes.data, bytes.length);
    gw_buffer_fini(&bytes);
    gw_buffer_fini(&telling->data);
    if (!made)
        return GW_ENOMEM;
    made->is_end = telling->is_end;
    made->content = content;
    gw_metric_add(feed->run->hub->metrics.ephemeral_frames, 1);
    return gw_ephemera_put(&feed->ephemera, made, feed->ephemera.version + 1);
}

/* Ends `telling`. What says the same again is not told: a class would learn from its time that there is more to it than it sees. */
static int put(struct gw_feed *feed, struct telling *telling)
{
    uint64_t content = telling->data.has_failed ? 0 : hash_content(feed, telling);
    if (content == 0) {
        gw_buffer_fini(&telling->data);
        return GW_ENOMEM;
    }
    const struct gw_ephemeral *told = gw_ephemera_find(&feed->ephemera, telling->kind, telling->present->who.actor.id);
    if (!told || told->content != content)
        return put_frame(feed, telling, content);
    gw_buffer_fini(&telling->data);
    return GW_OK;
}

/* An end is told only to those who know of a beginning. */
static bool is_known(const struct gw_feed *feed, const struct telling *telling)
{
    return gw_ephemera_find(&feed->ephemera, telling->kind, telling->present->who.actor.id) != NULL;
}

static void write_since(int64_t since_ms, struct gw_buffer *out)
{
    char since[25];
    gw_clock_format_rfc3339(since_ms, since);
    gw_buffer_appendf(out, "\"since\":\"%s\"", since);
}

static int tell_presence(struct gw_feed *feed, const struct gw_present *present)
{
    struct telling telling = {.kind = GW_EPHEMERAL_PRESENCE, .present = present, .ts_ms = present->since_ms};
    if (!sees(feed->channel.plan, telling.kind))
        return GW_OK;
    telling.is_end = !gw_present_is_here(present);
    if (telling.is_end && !is_known(feed, &telling))
        return GW_OK;
    gw_buffer_init(&telling.data, 0);
    if (telling.is_end) {
        telling.ts_ms = wall_ms(feed->run);
        gw_buffer_append_text(&telling.data, "{\"status\":\"gone\"}");
    } else {
        gw_buffer_append_text(&telling.data, "{\"status\":\"here\",");
        write_since(present->since_ms, &telling.data);
        gw_buffer_append_char(&telling.data, '}');
    }
    return put(feed, &telling);
}

static bool is_carried(const struct gw_channel *channel, const char *canvas_id)
{
    return channel->set.count == 0 || gw_canvas_set_contains(&channel->set, canvas_id);
}

/* What the channel's class sees of the gesture: a new reference; NULL: nothing, or no memory. */
static struct gw_json *project(const struct gw_run *run, const struct gw_channel *channel, const struct gw_gesture *gesture,
                               bool *is_short_of_memory)
{
    struct gw_lens lens = gw_channel_lens(channel);
    *is_short_of_memory = false;
    if (!gesture->data || !run->state || !is_carried(channel, gesture->canvas_id) || !sees(channel->plan, GW_EPHEMERAL_GESTURE))
        return NULL;
    return gw_gesture_project(gesture, run->state, &lens, is_short_of_memory);
}

/* The state may be one append ahead of what is durable: the id of a block is all that could be told too early, and who points at it knew it. */
static int tell_gesture(struct gw_feed *feed, const struct gw_present *present)
{
    bool is_short_of_memory;
    struct telling telling = {.kind = GW_EPHEMERAL_GESTURE, .present = present};
    struct gw_json *data = project(feed->run, &feed->channel, &present->gesture, &is_short_of_memory);
    if (is_short_of_memory)
        return GW_ENOMEM;
    telling.is_end = !data;
    if (!data && !is_known(feed, &telling))
        return GW_OK;
    gw_buffer_init(&telling.data, 0);
    if (data) {
        telling.canvas_id = present->gesture.canvas_id;
        telling.ts_ms = present->gesture_ts_ms;
        gw_json_write(data, &telling.data);
    } else {
        telling.ts_ms = wall_ms(feed->run);
        gw_buffer_append_text(&telling.data, "{}");
    }
    gw_json_unref(data);
    return put(feed, &telling);
}

void gw_run_show_presence(struct gw_run *run, struct gw_feed *feed)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_presence_count(run->presence); i++) {
        const struct gw_present *present = gw_presence_at(run->presence, i);
        status = tell_presence(feed, present);
        if (!status)
            status = tell_gesture(feed, present);
    }
    if (status)
        gw_presence_renew(run->presence);
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------------------ */

static int tell(struct gw_run *run, const struct gw_present *present)
{
    int status = GW_OK;
    for (struct gw_feed *feed = run->feeds; feed && !status; feed = feed->next) {
        if (present->has_changed)
            status = tell_presence(feed, present);
        if (!status && present->has_new_gesture)
            status = tell_gesture(feed, present);
    }
    return status;
}

static bool is_due(struct gw_run *run)
{
    uint64_t now = now_ms(run), due = run->presence_told_at_ms + TOLD_EVERY_MS;
    if (now >= due || !run->hub->opts.wake_in)
        return true;
    gw_hub_nap(run->hub, run, (uint32_t)(due - now));
    return false;
}

/* A gesture is made anew for each class, and a run may have as many as actors: what takes longer goes on at the next time, with those who come next. So does what
 * memory is too short for. */
void gw_run_tell_presence(struct gw_run *run)
{
    if (!gw_presence_has_changed(run->presence) || !is_due(run))
        return;
    uint64_t began_ms = now_ms(run);
    run->presence_told_at_ms = began_ms;
    while (gw_presence_has_changed(run->presence) && now_ms(run) - began_ms < TELLING_MS) {
        const struct gw_present *present = gw_presence_next(run->presence);
        if (present && tell(run, present))
            break;
        if (present)
            gw_presence_settle(run->presence);
    }
    if (gw_presence_has_changed(run->presence))
        (void)is_due(run);
}

/* Where memory was short for a message, it is made again. */
static bool has_untold(const struct gw_run *run)
{
    for (const struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        for (const struct gw_outlet *outlet = feed->outlets; outlet; outlet = outlet->next)
            if (outlet->told != feed->ephemera.version)
                return true;
    return false;
}

void gw_run_presence_tick(struct gw_run *run)
{
    if (!run->presence)
        return;
    gw_presence_expire(run->presence, now_ms(run));
    if (run->presence_seq != run->published_seq)
        gw_presence_renew_gestures(run->presence);
    run->presence_seq = run->published_seq;
    if (gw_presence_has_changed(run->presence) || has_untold(run))
        gw_hub_mark_run(run->hub, run);
}

void gw_run_drop_gestures(struct gw_run *run)
{
    if (run->presence)
        gw_presence_drop_gestures(run->presence);
}

/* ---- GET /v1/presence ------------------------------------------------------------------------------------------------------------------- */

static int write_gesture(const struct gw_run *run, const struct gw_channel *channel, const struct gw_present *present,
                         struct gw_buffer *out)
{
    bool is_short_of_memory;
    struct gw_json *data = project(run, channel, &present->gesture, &is_short_of_memory);
    if (data) {
        gw_buffer_appendf(out, ",\"gesture\":{\"canvas_id\":\"%s\",\"data\":", present->gesture.canvas_id);
        gw_json_write(data, out);
        gw_buffer_append_char(out, '}');
    }
    gw_json_unref(data);
    return is_short_of_memory ? GW_ENOMEM : GW_OK;
}

static void write_present(const struct gw_run *run, const struct gw_channel *channel, const struct gw_present *present,
                          struct gw_buffer *out)
{
    const struct gw_actor *actor = &present->who.actor;
    gw_buffer_appendf(out, "{\"actor\":{\"id\":\"%s\",\"kind\":\"%s\"},", actor->id, gw_actor_kind_name(actor->kind));
    write_since(present->since_ms, out);
    if (write_gesture(run, channel, present, out))
        out->has_failed = true;
    gw_buffer_append_char(out, '}');
}

void gw_run_read_presence(struct gw_run *run, struct gw_read *request)
{
    struct gw_channel channel = gw_read_channel(run, request);
    struct gw_buffer body;
    bool has_one = false;
    gw_buffer_init(&body, 0);
    gw_buffer_append_text(&body, "{\"actors\":[");
    for (size_t i = 0; i < gw_presence_count(run->presence) && sees(channel.plan, GW_EPHEMERAL_PRESENCE); i++) {
        const struct gw_present *present = gw_presence_at(run->presence, i);
        if (!gw_present_is_here(present))
            continue;
        if (has_one)
            gw_buffer_append_char(&body, ',');
        has_one = true;
        write_present(run, &channel, present, &body);
    }
    gw_buffer_append_text(&body, "]}");
    gw_channel_fini(&channel);
    gw_read_give(run->hub, request, &body);
}
