/* Reads: the state as of now or as of a cursor, and pages of past events. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/project.h"
#include "hub/run.h"
#include "hub/run_presence.h"
#include "hub/run_read.h"

/* Hidden events cost reading too; a page that has looked at this many ends, with a cursor to go on from: that of the last frame that a stream would have had, of
 * which there is one among GW_ID_ONLY_EVERY events, so that the next page gets on. */
#define SCAN_EVENTS (8 * GW_ID_ONLY_EVERY)
#define READ_BYTES  (1u << 20)

struct gw_read_work {
    struct gw_read *request;
    struct gw_run *run;
    struct gw_channel channel;
    struct gw_spine_read read;
    struct gw_buffer body;
    struct gw_feed *feed; /* held while a state as of now waits for its last visible frame */
    struct gw_feed_waiter waiter;
    uint64_t seq, last_seq, found, scanned;
    uint64_t frame_seq; /* of the last frame that a stream would have had */
    bool has_more;
};

static void on_done_at_home(struct gw_task *task)
{
    struct gw_read *request = (struct gw_read *)(void *)((char *)task - offsetof(struct gw_read, task));
    request->done(request);
}

static void finish(struct gw_hub *hub, struct gw_read *request)
{
    hub->in_flight--;
    request->task.run = on_done_at_home;
    gw_hub_complete(hub, request->home, &request->task);
}

void gw_read_refuse(struct gw_hub *hub, struct gw_read *request, const struct gw_error *err)
{
    request->err = *err;
    request->status = err->code;
    finish(hub, request);
}

void gw_read_fini(struct gw_read *request)
{
    gw_plan_unref(request->plan);
    gw_free(request->body);
    request->plan = NULL;
    request->body = NULL;
}

void gw_read_give(struct gw_hub *hub, struct gw_read *request, struct gw_buffer *body)
{
    struct gw_error err;
    if (!body->has_failed)
        request->body = gw_buffer_take(body, &request->body_length);
    if (!request->body) {
        (void)gw_lens_why(hub->opts.policy, &err);
        gw_read_refuse(hub, request, &err);
    } else {
        request->status = GW_OK;
        finish(hub, request);
    }
    gw_buffer_fini(body);
}

struct gw_channel gw_read_channel(const struct gw_run *run, const struct gw_read *request)
{
    return (struct gw_channel){.wire = run->hub->opts.wire,
                               .scope = run->scope,
                               .run = run->key,
                               .plan = gw_plan_ref(request->plan),
                               .policy = run->hub->opts.policy,
                               .set = request->set,
                               .epoch = gw_run_epoch(run)};
}

/* ---- state ---------------------------------------------------------------------------------------------------------------------------- */

static void write_state(const struct gw_channel *channel, const struct gw_state *state, uint64_t seq, struct gw_buffer *out)
{
    char cursor[GW_CURSOR_MAX];
    const char *ids[GW_CANVAS_SET_MAX];
    for (size_t i = 0; i < channel->set.count; i++)
        ids[i] = channel->set.ids[i];
    gw_channel_seal(channel, seq, cursor);
    gw_buffer_append_text(out, "{\"cursor\":\"");
    gw_buffer_append_text(out, cursor);
    gw_buffer_append_text(out, "\",");
    struct gw_lens lens = gw_channel_lens(channel);
    gw_state_write(state, &lens, ids, channel->set.count, out);
    gw_buffer_append_char(out, '}');
}

static void work_destroy(struct gw_read_work *work)
{
    struct gw_run *run = work->run;
    if (work->feed) {
        work->feed->holds--;
        gw_run_release_feed(work->feed);
    }
    gw_channel_fini(&work->channel);
    gw_buffer_fini(&work->body);
    gw_free(work);
    run->readers--;
    gw_hub_mark_run(run->hub, run);
}

int gw_read_say_unreadable(int status, struct gw_error *err)
{
    if (status == GW_ENOTFOUND)
        return gw_error_set(err, GW_ENOTFOUND, "purged", "that part of the history is no longer kept");
    gw_error_set(err, GW_EIO, "spine_unavailable", "the history cannot be read at the moment");
    err->is_retryable = true;
    return GW_EIO;
}

void gw_read_say_why(int status, struct gw_error *err)
{
    bool is_told = status == GW_ENOMEM || strcmp(err->id, "script_budget") == 0 || strncmp(err->id, "policy_", 7) == 0;
    if (!is_told)
        gw_read_say_unreadable(status, err);
}

static void refuse_with(struct gw_read_work *work, const struct gw_error *err)
{
    gw_read_refuse(work->run->hub, work->request, err);
    work_destroy(work);
}

static void refuse_work(struct gw_read_work *work, int status)
{
    struct gw_error err;
    gw_read_say_unreadable(status, &err);
    refuse_with(work, &err);
}

void gw_run_put_read(struct gw_run *run, struct gw_read *request)
{
    request->next = run->reads;
    run->reads = request;
    gw_hub_mark_run(run->hub, run);
}

static void on_primed(struct gw_feed_waiter *waiter, bool is_known)
{
    struct gw_read_work *work = (struct gw_read_work *)(void *)((char *)waiter - offsetof(struct gw_read_work, waiter));
    struct gw_error err;
    if (is_known) {
        gw_run_put_read(work->run, work->request); /* until the state is settled again */
        return;
    }
    work->request->work = NULL;
    if (gw_lens_why(work->run->hub->opts.policy, &err) == GW_ENOMEM)
        gw_read_say_unreadable(GW_EIO, &err);
    refuse_with(work, &err);
}

/* The state as of now is as of the last frame that its reader could have seen: a later seq would tell of what is hidden. */
static void answer_state_now(struct gw_read_work *work)
{
    struct gw_feed *feed = work->feed;
    if (!feed->is_primed) {
        work->request->work = work;
        work->waiter.primed = on_primed;
        gw_feed_prime(feed, &work->waiter);
        return;
    }
    work->request->work = NULL;
    write_state(&feed->channel, work->run->state, feed->last_visible, &work->body);
    gw_read_give(work->run->hub, work->request, &work->body);
    work_destroy(work);
}

static void begin_state_now(struct gw_read_work *work)
{
    struct gw_error err;
    struct gw_read *request = work->request;
    work->feed = gw_run_feed(work->run, request->plan, &request->set);
    if (work->feed) {
        work->feed->holds++;
        answer_state_now(work);
        return;
    }
    gw_error_set(&err, GW_EBUSY, "too_many_classes", "too many different views of this run are open");
    gw_error_name_limit(&err, "max_feeds_per_run", (int64_t)work->run->hub->opts.limits.max_feeds_per_run);
    gw_read_refuse(work->run->hub, request, &err);
    work_destroy(work);
}

static void on_state_at(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    (void)err;
    struct gw_read_work *work = arg;
    if (status) {
        refuse_work(work, status);
        return;
    }
    write_state(&work->channel, loaded->state, work->seq, &work->body);
    gw_state_destroy(loaded->state);
    gw_read_give(work->run->hub, work->request, &work->body);
    work_destroy(work);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------- */

static void end_page(struct gw_read_work *work)
{
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(&work->channel, work->frame_seq, cursor);
    gw_buffer_append_text(&work->body, "],\"cursor\":\"");
    gw_buffer_append_text(&work->body, cursor);
    gw_buffer_append_text(&work->body, work->has_more ? "\",\"has_more\":true}" : "\",\"has_more\":false}");
    gw_read_give(work->run->hub, work->request, &work->body);
    work_destroy(work);
}

/* A full page ends at the next visible event: whether there is more must not tell of hidden ones. */
static int add_event(struct gw_read_work *work, const struct gw_event *event)
{
    const struct gw_channel *channel = &work->channel;
    struct gw_json *data = NULL;
    int visible = gw_channel_project(channel, event, &data);
    bool is_past_page = visible > 0 && work->found == work->request->limit;
    work->has_more = is_past_page || (++work->scanned >= SCAN_EVENTS && event->seq < work->last_seq);
    if (is_past_page) {
        gw_json_unref(data);
        return GW_OK;
    }
    work->seq = event->seq;
    if (visible > 0 || event->seq % GW_ID_ONLY_EVERY == 0)
        work->frame_seq = event->seq;
    if (visible <= 0)
        return visible;
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(channel, event->seq, cursor);
    gw_buffer_append_text(&work->body, work->found++ ? ",{\"id\":\"" : "{\"id\":\"");
    gw_buffer_append_text(&work->body, cursor);
    gw_buffer_append_text(&work->body, "\",\"event\":");
    channel->wire->envelope(channel->wire->self, &(struct gw_event_frame){.scope = &channel->scope, .event = event, .data = data},
                            &work->body);
    gw_buffer_append_char(&work->body, '}');
    gw_json_unref(data);
    return work->body.has_failed ? GW_ENOMEM : GW_OK;
}

static int add_record(struct gw_read_work *work, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count && !work->has_more; i++) {
        const struct gw_event *event = record.events.items[i];
        if (event->seq > work->seq && event->seq <= work->last_seq && add_event(work, event) < 0)
            status = gw_lens_why(work->run->hub->opts.policy, err);
    }
    gw_record_fini(&record);
    return status;
}

static void read_page(struct gw_read_work *work);

static void on_page(struct gw_spine_read *read)
{
    struct gw_read_work *work = read->arg;
    struct gw_error err = read->err;
    int status = read->status;
    uint64_t from_seq = work->seq;
    for (size_t i = 0; !status && i < read->record_count && !work->has_more; i++)
        status = add_record(work, &read->records[i], &err);
    gw_spine_read_fini(read);
    if (!status && work->seq == from_seq && !work->has_more)
        status = GW_EINVAL; /* the log ends before its tail */
    if (status) {
        gw_read_say_why(status, &err);
        refuse_with(work, &err);
    } else if (work->has_more || work->seq >= work->last_seq) {
        end_page(work);
    } else {
        read_page(work);
    }
}

static void read_page(struct gw_read_work *work)
{
    const struct gw_spine *spine = work->run->hub->opts.spine;
    if (work->seq >= work->last_seq) {
        end_page(work);
        return;
    }
    work->read =
        (struct gw_spine_read){.run = work->run->key, .from_seq = work->seq + 1, .to_seq = work->last_seq, .max_bytes = READ_BYTES};
    work->read.home = gw_hub_home(work->run->hub);
    work->read.done = on_page;
    work->read.arg = work;
    spine->read(spine->self, &work->read);
}

/* ---- from the cursor to the work ------------------------------------------------------------------------------------------------------------ */

int gw_read_open_cursor(const struct gw_run *run, const struct gw_channel *channel, const char *cursor, uint64_t *seq, struct gw_error *err)
{
    struct gw_opened opened = {0};
    const struct gw_position *position = &opened.position;
    int status = channel->wire->open(channel->wire->self, &channel->run, &channel->set, cursor, &opened);
    bool is_first = position->epoch == 0 && position->seq == 0, is_ours = is_first || position->epoch == channel->epoch;
    if (status || !is_ours || position->seq > run->durable_seq) {
        bool is_ahead = !status && (is_ours || channel->epoch == 0);
        gw_error_set(err, GW_EINVAL, "bad_cursor", "not a cursor of this run");
        return is_ahead ? GW_ESTATE : GW_EINVAL;
    }
    if (position->class_id != channel->plan->class_id || !opened.covers)
        return gw_error_set(err, GW_ECONFLICT, "cursor_of_another_view", "the cursor was given to another lens or canvas set");
    if (position->seq + 1 < run->floor_seq)
        return gw_error_set(err, GW_ENOTFOUND, "purged", "that part of the history is no longer kept");
    *seq = position->seq;
    return GW_OK;
}

static struct gw_read_work *work_create(struct gw_run *run, struct gw_read *request)
{
    struct gw_read_work *work = gw_alloc(sizeof *work);
    work->request = request;
    work->run = run;
    work->channel = gw_read_channel(run, request);
    work->last_seq = run->durable_seq;
    gw_buffer_init(&work->body, 0);
    run->readers++;
    return work;
}

static void begin(struct gw_read_work *work)
{
    struct gw_run *run = work->run;
    if (work->request->kind == GW_READ_STATE) {
        gw_loader_start(&(struct gw_loader_opts){.hub = run->hub, .run = &run->key, .at_seq = work->seq, .done = on_state_at, .arg = work});
        return;
    }
    work->frame_seq = work->seq;
    gw_buffer_append_text(&work->body, "{\"events\":[");
    read_page(work);
}

static void serve(struct gw_run *run, struct gw_read *request)
{
    struct gw_error err;
    bool is_earliest = request->cursor[0] == '\0' || strcmp(request->cursor, "earliest") == 0;
    if (request->work) {
        answer_state_now(request->work);
        return;
    }
    if (request->kind == GW_READ_PRESENCE) {
        gw_run_read_presence(run, request);
        return;
    }
    if (request->kind == GW_READ_HISTORY || request->kind == GW_READ_DIFF) {
        (request->kind == GW_READ_HISTORY ? gw_run_read_history : gw_run_read_diff)(run, request);
        return;
    }
    struct gw_read_work *work = work_create(run, request);
    if (request->kind == GW_READ_STATE && request->cursor[0] == '\0') {
        begin_state_now(work);
        return;
    }
    work->seq = run->floor_seq > 0 ? run->floor_seq - 1 : 0;
    int status = is_earliest ? GW_OK : gw_read_open_cursor(run, &work->channel, request->cursor, &work->seq, &err);
    if (!status) {
        begin(work);
        return;
    }
    if (status == GW_ESTATE && !request->has_refreshed) { /* another writer may have stored it */
        request->has_refreshed = true;
        gw_run_refresh(run);
        gw_run_put_read(run, request);
    } else {
        gw_error_prefix(&err, request->kind == GW_READ_STATE ? "at" : "after");
        gw_read_refuse(run->hub, request, &err);
    }
    work_destroy(work);
}

void gw_run_serve_reads(struct gw_run *run)
{
    struct gw_read *list = run->reads;
    run->reads = NULL;
    while (list) {
        struct gw_read *request = list;
        list = request->next;
        serve(run, request);
    }
}

void gw_run_refuse_reads(struct gw_run *run, const struct gw_error *err)
{
    while (run->reads) {
        struct gw_read *request = run->reads;
        struct gw_read_work *work = request->work;
        run->reads = request->next;
        gw_read_refuse(run->hub, request, err);
        if (work)
            work_destroy(work);
    }
}

void gw_run_read_arrived(struct gw_hub *hub, struct gw_read *request)
{
    struct gw_error err;
    hub->in_flight++;
    struct gw_run *run = gw_hub_open_run(hub, &request->scope, &err);
    if (run)
        gw_run_put_read(run, request);
    else
        gw_read_refuse(hub, request, &err);
}
