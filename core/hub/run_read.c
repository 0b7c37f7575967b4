/* Reads: the state as of now or as of a cursor, and pages of past events. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/plan.h"
#include "hub/project.h"
#include "hub/run.h"

/* Hidden events cost reading too; a page that has looked at this many ends, with a cursor to go on from. */
#define SCAN_EVENTS 8192
#define READ_BYTES (1u << 20)

struct read_work {
    struct gw_read *request;
    struct gw_run *run;
    struct gw_channel channel;
    struct gw_spine_read read;
    struct gw_buffer body;
    uint64_t seq, last_seq, found, scanned;
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

static void refuse(struct gw_hub *hub, struct gw_read *request, const struct gw_error *err)
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

static void give_body(struct gw_hub *hub, struct gw_read *request, struct gw_buffer *body)
{
    struct gw_error err;
    if (!body->has_failed)
        request->body = gw_buffer_take(body, &request->body_length);
    if (!request->body) {
        gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
        refuse(hub, request, &err);
    } else {
        request->status = GW_OK;
        finish(hub, request);
    }
    gw_buffer_fini(body);
}

static struct gw_channel channel_of(const struct gw_run *run, const struct gw_read *request)
{
    return (struct gw_channel){
        .wire = run->hub->opts.wire, .scope = run->scope, .run = run->key, .plan = gw_plan_ref(request->plan), .set = request->set, .epoch = run->epoch};
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
    gw_state_write(state, channel->plan, ids, channel->set.count, out);
    gw_buffer_append_char(out, '}');
}

static void answer_state_now(struct gw_run *run, struct gw_read *request)
{
    struct gw_buffer body;
    struct gw_channel channel = channel_of(run, request);
    gw_buffer_init(&body, 0);
    write_state(&channel, run->state, run->durable_seq, &body);
    gw_channel_fini(&channel);
    give_body(run->hub, request, &body);
}

static void work_destroy(struct read_work *work)
{
    gw_channel_fini(&work->channel);
    gw_buffer_fini(&work->body);
    work->run->readers--;
    gw_hub_mark_run(work->run->hub, work->run);
    gw_free(work);
}

static void on_state_at(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    struct read_work *work = arg;
    if (status) {
        refuse(work->run->hub, work->request, err);
    } else {
        write_state(&work->channel, loaded->state, work->seq, &work->body);
        gw_state_destroy(loaded->state);
        give_body(work->run->hub, work->request, &work->body);
    }
    work_destroy(work);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------- */

static void end_page(struct read_work *work, bool has_more)
{
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(&work->channel, work->seq, cursor);
    gw_buffer_append_text(&work->body, "],\"cursor\":\"");
    gw_buffer_append_text(&work->body, cursor);
    gw_buffer_append_text(&work->body, has_more ? "\",\"has_more\":true}" : "\",\"has_more\":false}");
    give_body(work->run->hub, work->request, &work->body);
    work_destroy(work);
}

static int add_event(struct read_work *work, const struct gw_event *event)
{
    const struct gw_channel *channel = &work->channel;
    struct gw_json *data = NULL;
    work->seq = event->seq;
    work->scanned++;
    int visible = gw_channel_project(channel, event, &data);
    if (visible <= 0)
        return visible;
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(channel, event->seq, cursor);
    gw_buffer_append_text(&work->body, work->found++ ? ",{\"id\":\"" : "{\"id\":\"");
    gw_buffer_append_text(&work->body, cursor);
    gw_buffer_append_text(&work->body, "\",\"event\":");
    channel->wire->envelope(channel->wire->self, &channel->scope, event, data, &work->body);
    gw_buffer_append_char(&work->body, '}');
    gw_json_unref(data);
    return work->body.has_failed ? GW_ENOMEM : GW_OK;
}

static bool is_full(const struct read_work *work)
{
    return work->found >= work->request->limit || work->scanned >= SCAN_EVENTS;
}

static int add_record(struct read_work *work, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count && !is_full(work); i++) {
        const struct gw_event *event = record.events.items[i];
        if (event->seq > work->seq && event->seq <= work->last_seq && add_event(work, event) < 0)
            status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
    }
    gw_record_fini(&record);
    return status;
}

static void read_page(struct read_work *work);

static void on_page(struct gw_spine_read *read)
{
    struct read_work *work = read->arg;
    struct gw_error err = read->err;
    int status = read->status;
    size_t count = read->record_count;
    for (size_t i = 0; !status && i < count && !is_full(work); i++)
        status = add_record(work, &read->records[i], &err);
    gw_spine_read_fini(read);
    if (status) {
        refuse(work->run->hub, work->request, &err);
        work_destroy(work);
    } else if (count == 0 || is_full(work) || work->seq >= work->last_seq) {
        end_page(work, work->seq < work->last_seq);
    } else {
        read_page(work);
    }
}

static void read_page(struct read_work *work)
{
    const struct gw_spine *spine = work->run->hub->opts.spine;
    if (work->seq >= work->last_seq) {
        end_page(work, false);
        return;
    }
    work->read = (struct gw_spine_read){.run = work->run->key, .from_seq = work->seq + 1, .to_seq = work->last_seq, .max_bytes = READ_BYTES};
    work->read.home = gw_hub_home(work->run->hub);
    work->read.done = on_page;
    work->read.arg = work;
    spine->read(spine->self, &work->read);
}

/* ---- from the cursor to the work ------------------------------------------------------------------------------------------------------------ */

static int open_cursor(const struct gw_run *run, const struct gw_channel *channel, const char *cursor, uint64_t *seq, struct gw_error *err)
{
    struct gw_position position;
    bool covers;
    if (channel->wire->open(channel->wire->self, &channel->run, &channel->set, cursor, strlen(cursor), &position, &covers) ||
        (position.epoch != run->epoch && (position.epoch != 0 || position.seq != 0)) || position.seq > run->durable_seq)
        return gw_error_set(err, GW_EINVAL, "bad_cursor", "not a cursor of this run");
    if (position.class_id != channel->plan->class_id || !covers)
        return gw_error_set(err, GW_ECONFLICT, "cursor_of_another_view", "the cursor was given to another lens or canvas set");
    if (position.seq + 1 < run->floor_seq)
        return gw_error_set(err, GW_ENOTFOUND, "purged", "that part of the history is no longer kept");
    *seq = position.seq;
    return GW_OK;
}

static struct read_work *work_create(struct gw_run *run, struct gw_read *request)
{
    struct read_work *work = gw_alloc(sizeof *work);
    work->request = request;
    work->run = run;
    work->channel = channel_of(run, request);
    work->last_seq = run->durable_seq;
    gw_buffer_init(&work->body, 0);
    run->readers++;
    return work;
}

static void serve(struct gw_run *run, struct gw_read *request)
{
    struct gw_error err;
    bool is_earliest = request->cursor[0] == '\0' || strcmp(request->cursor, "earliest") == 0;
    if (request->kind == GW_READ_STATE && request->cursor[0] == '\0') {
        answer_state_now(run, request);
        return;
    }
    struct read_work *work = work_create(run, request);
    work->seq = run->floor_seq > 0 ? run->floor_seq - 1 : 0;
    if (!is_earliest && open_cursor(run, &work->channel, request->cursor, &work->seq, &err)) {
        gw_error_prefix(&err, request->kind == GW_READ_STATE ? "?at" : "?after");
        refuse(run->hub, request, &err);
        work_destroy(work);
        return;
    }
    if (request->kind == GW_READ_EVENTS) {
        gw_buffer_append_text(&work->body, "{\"events\":[");
        read_page(work);
        return;
    }
    gw_loader_start(&(struct gw_loader_opts){.hub = run->hub, .run = &run->key, .at_seq = work->seq, .done = on_state_at, .arg = work});
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
        run->reads = request->next;
        refuse(run->hub, request, err);
    }
}

void gw_run_read_arrived(struct gw_hub *hub, struct gw_read *request)
{
    struct gw_error err;
    hub->in_flight++;
    struct gw_run *run = hub->is_draining ? NULL : gw_hub_run(hub, &request->scope);
    if (!run) {
        gw_error_set(&err, GW_EBUSY, hub->is_draining ? "draining" : "too_many_runs", "this server takes no more runs at the moment");
        err.is_retryable = true;
        refuse(hub, request, &err);
        return;
    }
    request->next = run->reads;
    run->reads = request;
    gw_hub_mark_run(hub, run);
}
