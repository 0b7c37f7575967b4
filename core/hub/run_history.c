/* The revisions of a canvas. Where they stand in the log is in the state; what they say is read from there, the newest first. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/record.h"
#include "hub/run.h"
#include "hub/run_read.h"

#define HISTORY_MAX 100

struct history {
    struct gw_run *run;
    struct gw_read *request;
    struct gw_channel channel;
    struct gw_spine_read read;
    struct gw_buffer body;
    uint64_t seqs[HISTORY_MAX]; /* of the page, the newest first */
    size_t count, next;
    bool has_more;
};

static void destroy(struct history *history)
{
    struct gw_run *run = history->run;
    gw_channel_fini(&history->channel);
    gw_buffer_fini(&history->body);
    gw_free(history);
    run->readers--;
    gw_hub_mark_run(run->hub, run);
}

static void refuse(struct history *history, const struct gw_error *err)
{
    gw_read_refuse(history->run->hub, history->request, err);
    destroy(history);
}

static void finish(struct history *history)
{
    gw_buffer_append_text(&history->body, history->has_more ? "],\"has_more\":true}" : "],\"has_more\":false}");
    gw_read_give(history->run->hub, history->request, &history->body);
    destroy(history);
}

static int write_commit(struct history *history, const struct gw_event *event)
{
    const struct gw_channel *channel = &history->channel;
    struct gw_json *data;
    char cursor[GW_CURSOR_MAX];
    int visible = gw_channel_project(channel, event, &data);
    if (visible <= 0)
        return visible;
    gw_channel_seal(channel, event->seq, cursor);
    gw_buffer_append_text(&history->body, history->next ? ",{\"id\":\"" : "{\"id\":\"");
    gw_buffer_append_text(&history->body, cursor);
    gw_buffer_append_text(&history->body, "\",\"event\":");
    channel->wire->envelope(channel->wire->self, &(struct gw_event_frame){.scope = &channel->scope, .event = event, .data = data},
                            &history->body);
    gw_buffer_append_char(&history->body, '}');
    gw_json_unref(data);
    return history->body.has_failed ? GW_ENOMEM : GW_OK;
}

/* Writes those of the page that lie in this record, which holds the next one. */
static int take_record(struct history *history, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    for (; status >= 0 && history->next < history->count && history->seqs[history->next] >= record.first_seq; history->next++)
        status = write_commit(history, record.events.items[history->seqs[history->next] - record.first_seq]);
    gw_record_fini(&record);
    return status < 0 ? gw_lens_why(history->run->hub->opts.policy, err) : GW_OK;
}

static void read_next(struct history *history);

static bool holds(const struct gw_spine_read *read, uint64_t seq)
{
    return read->record_count > 0 && read->records[0].first_seq <= seq && seq <= read->records[0].last_seq;
}

static void on_read(struct gw_spine_read *read)
{
    struct history *history = read->arg;
    struct gw_error err = read->err;
    int status = read->status;
    if (!status)
        status = holds(read, history->seqs[history->next]) ? take_record(history, &read->records[0], &err) : GW_EIO;
    gw_spine_read_fini(read);
    if (status) {
        gw_read_say_why(status, &err);
        refuse(history, &err);
    } else {
        read_next(history);
    }
}

static void read_next(struct history *history)
{
    const struct gw_spine *spine = history->run->hub->opts.spine;
    if (history->next == history->count) {
        finish(history);
        return;
    }
    uint64_t seq = history->seqs[history->next];
    history->read = (struct gw_spine_read){.run = history->run->key, .from_seq = seq, .to_seq = seq, .max_bytes = 1};
    history->read.home = gw_hub_home(history->run->hub);
    history->read.done = on_read;
    history->read.arg = history;
    spine->read(spine->self, &history->read);
}

/* What is below the floor is no longer there to be told. */
static void choose(struct history *history)
{
    const struct gw_run *run = history->run;
    const struct gw_read *request = history->request;
    const char *canvas_id = request->set.ids[0];
    uint64_t rev = gw_state_revision_count(run->state, canvas_id);
    if (request->before && request->before <= rev)
        rev = request->before - 1;
    for (; rev > 0; rev--) {
        uint64_t seq = gw_state_commit_seq(run->state, canvas_id, rev);
        if (seq < run->floor_seq)
            return;
        if (history->count == request->limit || history->count == HISTORY_MAX) {
            history->has_more = true;
            return;
        }
        history->seqs[history->count++] = seq;
    }
}

void gw_run_read_history(struct gw_run *run, struct gw_read *request)
{
    struct history *history = gw_alloc(sizeof *history);
    *history = (struct history){.run = run, .request = request, .channel = gw_read_channel(run, request)};
    gw_buffer_init(&history->body, 0);
    gw_buffer_append_text(&history->body, "{\"commits\":[");
    run->readers++;
    choose(history);
    read_next(history);
}
