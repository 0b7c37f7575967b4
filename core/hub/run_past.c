#include "hub/run_past.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/record.h"
#include "hub/revise.h"
#include "hub/run.h"

/* How far back a turn is looked for: as far as an edit's base may lie. */
#define REACH_EVENTS 65536
#define FIRST_WINDOW 256
#define READ_BYTES   (1u << 20)

enum phase { WAITS, FETCHES, READY };

struct gw_run_past {
    struct gw_run *run;
    const struct gw_submission *submission; /* which of them is meant; not to be followed: it may be gone */
    size_t index;
    enum phase phase;
    bool is_dropped; /* nobody waits any more; the fetch comes home yet */
    char actor_id[GW_ID_MAX + 1], of[GW_ID_MAX + 1], origin[GW_ID_MAX + 1];
    struct gw_plan *plan; /* a reference */
    struct gw_revise_need need;
    struct gw_past past;
    struct gw_json *skipped;
    int status; /* of the fetch */
    struct gw_error err;
    struct gw_spine_read read;
    uint64_t next_seq, to_seq; /* of the reading under way */
    uint64_t low_seq, window;  /* looked at down to here; how much was looked at last */
    uint64_t last_seq;         /* the end of the log */
    uint64_t first_seq;        /* the turn's earliest event found; 0: none */
    bool is_begun;             /* and no earlier one can be */
    bool is_feeding;           /* the turn is found, and being read */
};

static void destroy(struct gw_run_past *past)
{
    gw_state_destroy(past->past.state);
    gw_turn_destroy(past->past.turn);
    gw_plan_unref(past->plan);
    gw_json_unref(past->skipped);
    gw_free(past);
}

void gw_run_drop_past(struct gw_run *run)
{
    struct gw_run_past *past = run->past;
    run->past = NULL;
    if (past && past->phase == FETCHES)
        past->is_dropped = true;
    else if (past)
        destroy(past);
}

static void finish(struct gw_run_past *past, int status)
{
    struct gw_run *run = past->run;
    bool is_dropped = past->is_dropped;
    past->status = status;
    past->phase = READY;
    if (status == GW_ENOTFOUND)
        gw_error_set(&past->err, GW_ENOTFOUND, "purged", "that part of the history is no longer kept");
    else if (status && status != GW_ELIMIT && status != GW_ENOMEM)
        past->status = gw_error_set(&past->err, GW_EIO, "spine_unavailable", "the history cannot be read at the moment");
    past->err.is_retryable = past->status == GW_EIO;
    if (is_dropped)
        destroy(past);
    else
        run->inbox_waits = run->fetches_page;
    run->readers--;
    run->hub->in_flight--;
    gw_hub_mark_run(run->hub, run);
}

/* ---- the state of then ---- */

static void on_loaded(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    struct gw_run_past *past = arg;
    past->err = *err;
    if (!status)
        past->past.state = loaded->state;
    finish(past, status);
}

/* ---- the events of a turn: backwards in growing windows until its first is found, then forwards from there ---- */

static void look_at(struct gw_run_past *past, const struct gw_event *event)
{
    if (!gw_turn_owns(&past->need.turn, event))
        return;
    if (past->first_seq == 0 || event->seq < past->first_seq)
        past->first_seq = event->seq;
    past->is_begun |= gw_turn_begins(&past->need.turn, event);
}

static int take_event(struct gw_run_past *past, const struct gw_event *event)
{
    int status = GW_OK;
    if (event->seq > past->last_seq)
        return GW_OK;
    if (!past->is_feeding)
        look_at(past, event);
    else if (event->seq >= past->next_seq)
        status = gw_turn_feed(past->past.turn, event, &past->err);
    return status;
}

static int take_record(struct gw_run_past *past, const struct gw_spine_record *stored)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, &past->err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count; i++)
        status = take_event(past, record.events.items[i]);
    past->next_seq = stored->last_seq + 1;
    gw_record_fini(&record);
    return status;
}

static void read_on(struct gw_run_past *past);
static void look_further(struct gw_run_past *past);

static void on_read(struct gw_spine_read *read)
{
    struct gw_run_past *past = read->arg;
    int status = read->status;
    if (!status && read->record_count == 0)
        status = GW_EIO; /* the log ends before its tail */
    for (size_t i = 0; !status && i < read->record_count; i++)
        status = take_record(past, &read->records[i]);
    gw_spine_read_fini(read);
    if (status || past->is_dropped)
        finish(past, status);
    else if (past->next_seq <= past->to_seq)
        read_on(past);
    else if (past->is_feeding)
        finish(past, GW_OK);
    else
        look_further(past);
}

static void read_on(struct gw_run_past *past)
{
    const struct gw_spine *spine = past->run->hub->opts.spine;
    past->read = (struct gw_spine_read){.run = past->run->key, .from_seq = past->next_seq, .to_seq = past->to_seq, .max_bytes = READ_BYTES};
    past->read.home = gw_hub_home(past->run->hub);
    past->read.done = on_read;
    past->read.arg = past;
    spine->read(spine->self, &past->read);
}

static void feed(struct gw_run_past *past)
{
    past->is_feeding = true;
    past->next_seq = past->first_seq;
    past->to_seq = past->last_seq;
    read_on(past);
}

static uint64_t reach(const struct gw_run_past *past)
{
    uint64_t floor = past->run->floor_seq > 1 ? past->run->floor_seq : 1;
    uint64_t reach = past->last_seq > REACH_EVENTS ? past->last_seq - REACH_EVENTS + 1 : 1;
    return reach > floor ? reach : floor;
}

/* The window from low_seq on has been seen. The events of one command lie in one record, and are found together. */
static void look_further(struct gw_run_past *past)
{
    bool is_found = past->first_seq != 0 && (past->need.turn.command_id || past->is_begun);
    if (is_found) {
        feed(past);
    } else if (past->low_seq > reach(past)) {
        uint64_t most = past->low_seq - reach(past);
        past->window *= 4;
        past->to_seq = past->low_seq - 1;
        past->low_seq -= past->window < most ? past->window : most;
        past->next_seq = past->low_seq;
        read_on(past);
    } else if (past->first_seq == 0) {
        finish(past, GW_OK); /* an empty turn, which is refused as unknown */
    } else {
        gw_error_limit(&past->err, "limit_undo", "max_undo_reach", REACH_EVENTS, "the turn began more than %d events ago", REACH_EVENTS);
        finish(past, GW_ELIMIT);
    }
}

static void fetch_turn(struct gw_run_past *past)
{
    past->past.turn = gw_turn_create(past->run->hub->seed, &past->need.turn);
    if (!past->past.turn) {
        finish(past, gw_error_set(&past->err, GW_ENOMEM, "out_of_memory", "no memory for the command"));
        return;
    }
    past->window = FIRST_WINDOW / 4;
    past->low_seq = past->last_seq + 1;
    look_further(past);
}

/* ---- beginning ---- */

bool gw_run_past_is_due(const struct gw_run *run) { return run->past && run->past->phase == WAITS; }

void gw_run_fetch_past(struct gw_run *run)
{
    struct gw_run_past *past = run->past;
    past->phase = FETCHES;
    past->last_seq = run->durable_seq;
    run->readers++;
    run->hub->in_flight++;
    if (past->need.kind == GW_PAST_TURN)
        fetch_turn(past);
    else
        gw_loader_start(
            &(struct gw_loader_opts){.hub = run->hub, .run = &run->key, .at_seq = past->need.at_seq, .done = on_loaded, .arg = past});
}

static void copy_key(struct gw_run_past *past, const struct gw_submission *submission)
{
    struct gw_turn_key *key = &past->need.turn;
    memcpy(past->actor_id, submission->actor.id, sizeof past->actor_id);
    if (key->command_id)
        memcpy(past->of, key->command_id, strlen(key->command_id) + 1);
    if (key->origin)
        memcpy(past->origin, key->origin, strlen(key->origin) + 1);
    *key = (struct gw_turn_key){
        .actor_id = past->actor_id, .command_id = key->command_id ? past->of : NULL, .origin = key->origin ? past->origin : NULL};
    key->plan = past->plan = gw_plan_ref(submission->plan);
}

static bool is_for(const struct gw_run_past *past, const struct gw_submission *submission, size_t index)
{
    return past && past->submission == submission && past->index == index;
}

bool gw_run_waits_for_past(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    const struct gw_command *command = &submission->commands[index];
    struct gw_revise_need need;
    if (!gw_revise_handles(command->type))
        return false;
    if (is_for(run->past, submission, index)) {
        run->inbox_waits = run->past->phase != READY;
        return run->inbox_waits;
    }
    gw_run_drop_past(run);
    gw_revise_find_need(run->state, command, submission->actor.id, &need);
    bool stands_alone = submission->count == 1 || (!submission->is_atomic && !submission->is_dry_run);
    if (need.kind == GW_PAST_NONE || !stands_alone || !gw_plan_admits_command(submission->plan, command->type))
        return false;
    struct gw_run_past *past = gw_alloc(sizeof *past);
    *past = (struct gw_run_past){.run = run, .submission = submission, .index = index, .need = need};
    copy_key(past, submission);
    run->past = past;
    run->inbox_waits = true;
    gw_hub_mark_run(run->hub, run);
    return true;
}

/* ---- the command ---- */

int gw_run_revise(struct gw_run *run, const struct gw_submission *submission, size_t index, const struct gw_resolve_context *context,
                  struct gw_event_list *events, struct gw_error *err)
{
    static const struct gw_past nothing;
    struct gw_run_past *past = is_for(run->past, submission, index) && run->past->phase == READY ? run->past : NULL;
    struct gw_revised revised = {.events = events};
    if (submission->count > 1 && (submission->is_atomic || submission->is_dry_run)) {
        gw_error_set(err, GW_EINVAL, "not_in_batch", "%s cannot be part of an atomic batch, nor of a dry run of several",
                     submission->commands[index].type);
        gw_error_prefix(err, "/type");
        return GW_EINVAL;
    }
    if (past && past->status) {
        *err = past->err;
        return past->status;
    }
    int status = gw_state_revise(run->state, &submission->commands[index], context, past ? &past->past : &nothing, &revised, err);
    if (past) {
        gw_json_unref(past->skipped);
        past->skipped = revised.skipped;
    } else {
        gw_json_unref(revised.skipped);
    }
    return status;
}

const struct gw_json *gw_run_skipped(const struct gw_run *run, const struct gw_submission *submission, size_t index)
{
    return is_for(run->past, submission, index) ? run->past->skipped : NULL;
}
