/* What changed before a conflict: a command that says what its author had seen, and that the state refuses, is told what came since, so that
 * its author can decide again without asking. Told are durable events only, through the author's lens; so the refusal waits for those that
 * it was judged by. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/record.h"
#include "hub/run.h"

#define CHANGES_MAX       64
#define CHANGES_MAX_BYTES (64u << 10)
#define SCAN_EVENTS       2048 /* hidden events cost reading too */
#define READ_BYTES        (256u << 10)

struct gw_changes {
    struct gw_changes *next; /* while it waits */
    struct gw_run *run;
    struct gw_submission *submission;
    size_t index;
    struct gw_error err; /* the refusal */
    struct gw_channel channel;
    struct gw_spine_read read;
    struct gw_buffer text;
    uint64_t seq, last_seq; /* looked at; judged by */
    uint64_t frame_seq;     /* of the last frame that the author's stream would have had */
    size_t found, scanned;
    bool is_cut;
};

static void destroy(struct gw_changes *changes)
{
    struct gw_run *run = changes->run;
    gw_channel_fini(&changes->channel);
    gw_buffer_fini(&changes->text);
    gw_free(changes);
    run->readers--;
    gw_hub_mark_run(run->hub, run);
}

static void refuse(struct gw_changes *changes)
{
    gw_submission_refuse(changes->submission, changes->index, &changes->err);
    destroy(changes);
}

static void finish(struct gw_changes *changes)
{
    struct gw_outcome *outcome = &changes->submission->outcomes[changes->index];
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(&changes->channel, changes->frame_seq, cursor);
    gw_buffer_append_text(&changes->text, "],\"cursor\":\"");
    gw_buffer_append_text(&changes->text, cursor);
    gw_buffer_append_text(&changes->text, changes->is_cut ? "\",\"truncated\":true}" : "\",\"truncated\":false}");
    if (!changes->text.has_failed)
        outcome->changes = gw_buffer_take(&changes->text, &outcome->changes_length);
    refuse(changes);
}

/* GW_ELIMIT: it does not fit any more. */
static int add_event(struct gw_changes *changes, const struct gw_event *event)
{
    const struct gw_channel *channel = &changes->channel;
    struct gw_json *data = NULL;
    size_t length = changes->text.length;
    int visible = gw_channel_project(channel, event, &data);
    if (visible < 0)
        return visible;
    if (visible > 0) {
        gw_buffer_append_text(&changes->text, changes->found ? "," : "");
        channel->wire->envelope(channel->wire->self, &(struct gw_event_frame){.scope = &channel->scope, .event = event, .data = data},
                                &changes->text);
        gw_json_unref(data);
    }
    if (changes->text.has_failed)
        return GW_ENOMEM;
    if (visible > 0 && (changes->text.length > CHANGES_MAX_BYTES || changes->found == CHANGES_MAX)) {
        gw_buffer_truncate(&changes->text, length);
        return GW_ELIMIT;
    }
    changes->found += visible > 0;
    changes->seq = event->seq;
    if (visible > 0 || event->seq % GW_ID_ONLY_EVERY == 0)
        changes->frame_seq = event->seq;
    return GW_OK;
}

static int add_record(struct gw_changes *changes, const struct gw_spine_record *stored)
{
    struct gw_record record;
    struct gw_error err;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, &err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count; i++) {
        const struct gw_event *event = record.events.items[i];
        if (event->seq <= changes->seq || event->seq > changes->last_seq)
            continue;
        status = changes->scanned++ < SCAN_EVENTS ? add_event(changes, event) : GW_ELIMIT;
    }
    gw_record_fini(&record);
    return status;
}

static void read_more(struct gw_changes *changes);

static void on_read(struct gw_spine_read *read)
{
    struct gw_changes *changes = read->arg;
    int status = read->status;
    size_t count = read->record_count;
    for (size_t i = 0; !status && i < count; i++)
        status = add_record(changes, &read->records[i]);
    gw_spine_read_fini(read);
    changes->is_cut = status == GW_ELIMIT;
    if (status && !changes->is_cut) {
        struct gw_error ignored;
        (void)gw_lens_why(changes->run->hub->opts.policy, &ignored);
        refuse(changes); /* the refusal holds; what came since is to be read elsewhere */
    } else if (changes->is_cut || count == 0 || changes->seq >= changes->last_seq)
        finish(changes);
    else
        read_more(changes);
}

static void read_more(struct gw_changes *changes)
{
    struct gw_run *run = changes->run;
    const struct gw_spine *spine = run->hub->opts.spine;
    changes->read =
        (struct gw_spine_read){.run = run->key, .from_seq = changes->seq + 1, .to_seq = changes->last_seq, .max_bytes = READ_BYTES};
    changes->read.home = gw_hub_home(run->hub);
    changes->read.done = on_read;
    changes->read.arg = changes;
    spine->read(spine->self, &changes->read);
}

static void start(struct gw_changes *changes)
{
    gw_buffer_append_text(&changes->text, "{\"events\":[");
    changes->channel.epoch = gw_run_epoch(changes->run);
    if (changes->seq >= changes->last_seq)
        finish(changes);
    else
        read_more(changes);
}

void gw_run_serve_changes(struct gw_run *run)
{
    struct gw_changes **link = &run->changes;
    while (*link) {
        struct gw_changes *changes = *link;
        if (changes->last_seq > run->durable_seq) {
            link = &changes->next;
            continue;
        }
        *link = changes->next;
        start(changes);
    }
}

void gw_run_drop_changes(struct gw_run *run)
{
    while (run->changes) {
        struct gw_changes *changes = run->changes;
        run->changes = changes->next;
        refuse(changes);
    }
}

/* May the author be told what came after the base? A lens without history reads on only from a cursor of its own. */
static bool open_base(const struct gw_run *run, const struct gw_submission *submission, size_t index, uint64_t last_seq, uint64_t *seq)
{
    static const struct gw_canvas_set everything;
    const struct gw_command *command = &submission->commands[index];
    const struct gw_wire *wire = run->hub->opts.wire;
    struct gw_opened opened;
    const struct gw_position *position = &opened.position;
    if (!command->has_base || !command->base_cursor || wire->open(wire->self, &run->key, &everything, command->base_cursor, &opened))
        return false;
    *seq = position->seq;
    bool is_first = position->epoch == 0 && position->seq == 0;
    return (is_first || position->epoch == run->epoch) && position->seq <= last_seq && position->seq + 1 >= run->floor_seq &&
           (submission->plan->sees_history || position->class_id == submission->plan->class_id);
}

void gw_run_refuse(struct gw_run *run, struct gw_submission *submission, size_t index, const struct gw_error *err)
{
    uint64_t seq, last_seq = gw_state_seq(run->state);
    bool is_conflict = err->code == GW_ECONFLICT || err->code == GW_ESTATE;
    if (submission->is_dry_run && last_seq > run->durable_seq)
        last_seq = run->durable_seq; /* the state holds what will not be */
    if (!is_conflict || !open_base(run, submission, index, last_seq, &seq)) {
        gw_submission_refuse(submission, index, err);
        return;
    }
    struct gw_changes *changes = gw_alloc(sizeof *changes);
    *changes = (struct gw_changes){
        .run = run, .submission = submission, .index = index, .err = *err, .seq = seq, .frame_seq = seq, .last_seq = last_seq};
    changes->channel = (struct gw_channel){.wire = run->hub->opts.wire,
                                           .scope = run->scope,
                                           .run = run->key,
                                           .plan = gw_plan_ref(submission->plan),
                                           .policy = run->hub->opts.policy};
    gw_buffer_init(&changes->text, 0);
    submission->outcomes[index].is_claimed = true;
    run->readers++;
    changes->next = run->changes;
    run->changes = changes;
    gw_hub_mark_run(run->hub, run);
}
