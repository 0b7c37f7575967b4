#include "support/hub_spine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/record.h"
#include "spine/memory/memory_faults.h"
#include "spine/memory/memory_spine.h"

static const struct gw_spine *port(const struct world *world) { return gw_memory_spine_port(world->memory); }

/* ---- requests of the spec's own, done at once -------------------------------------------------------------------------------------------- */

static void run_at_once(void *self, struct gw_task *task)
{
    (void)self;
    task->run(task);
}

static struct gw_executor at_once = {NULL, run_at_once, NULL};

static void ignore_read(struct gw_spine_read *request) { (void)request; }

static void ignore_tail(struct gw_spine_tail *request) { (void)request; }

static void ignore_erase(struct gw_spine_erase *request) { (void)request; }

static struct gw_spine_tail ends_of(const struct world *world, const struct gw_run_key *run)
{
    struct gw_spine_tail tail = {.run = *run, .home = &at_once, .done = ignore_tail};
    port(world)->tail(port(world)->self, &tail);
    return tail;
}

static uint64_t tail_of(const struct world *world, const struct gw_run_key *run) { return ends_of(world, run).tail_seq; }

/* What is stored up to `to_seq`. */
static struct gw_spine_read read_all(const struct world *world, const struct gw_run_key *run, uint64_t to_seq)
{
    struct gw_spine_read read = {.run = *run, .to_seq = to_seq, .max_bytes = SIZE_MAX, .home = &at_once, .done = ignore_read};
    read.from_seq = ends_of(world, run).floor_seq;
    port(world)->read(port(world)->self, &read);
    assert_int_equal(read.status, GW_OK);
    return read;
}

static struct gw_run_key key_of(const char *run_id)
{
    struct gw_run_key key;
    struct gw_scope scope = world_scope(run_id);
    gw_run_key_encode(&scope, &key);
    return key;
}

/* A record that is no longer stored. */
struct world_cut {
    struct world_cut *older;
    struct gw_run_key run;
    struct gw_spine_record record;
};

/* ---- another writer ---------------------------------------------------------------------------------------------------------------------- */

static uint64_t epoch_in(const struct gw_spine_record *stored)
{
    struct gw_record record;
    struct gw_error err;
    assert_int_equal(gw_record_parse(stored->payload, stored->payload_length, &record, &err), GW_OK);
    uint64_t epoch = record.epoch;
    gw_record_fini(&record);
    return epoch;
}

static uint64_t epoch_of(const struct world *world, const struct gw_run_key *run)
{
    uint64_t epoch = 0xf0e19;
    for (const struct world_cut *cut = world->cuts; cut; cut = cut->older)
        if (strcmp(cut->run.text, run->text) == 0)
            epoch = epoch_in(&cut->record);
    struct gw_spine_read read = read_all(world, run, INT64_MAX);
    if (read.record_count > 0)
        epoch = epoch_in(&read.records[0]);
    gw_spine_read_fini(&read);
    return epoch;
}

static struct gw_event *make_foreign_event(struct world *world, uint64_t seq)
{
    struct gw_event *event = gw_event_create();
    event->seq = seq;
    event->type = GW_EVENT_LOG_LINE;
    event->ts_ms = world->clock.wall_ms(world);
    memcpy(event->actor.id, "foreign", 8);
    event->actor.kind = GW_ACTOR_SERVICE;
    memcpy(event->surface_id, "s", 2);
    memcpy(event->app_id, "a", 2);
    event->data = gw_json_new_object();
    assert_int_equal(gw_json_set(event->data, "text", gw_json_new_text("foreign", 7)), GW_OK);
    return event;
}

/* An append that nobody waits for. */
struct ghost {
    struct gw_spine_append append;
    char *payload;
};

static void on_ghost_done(struct gw_spine_append *append)
{
    struct ghost *ghost = append->arg;
    gw_free(ghost->payload);
    gw_free(ghost);
}

static void append_foreign(struct world *world, const struct gw_run_key *run)
{
    struct gw_record_writer writer;
    struct gw_buffer payload;
    uint64_t seq = tail_of(world, run) + 1;
    struct gw_event *event = make_foreign_event(world, seq);
    gw_record_writer_init(&writer);
    gw_buffer_init(&payload, 0);
    gw_record_write_event(&writer, event);
    assert_int_equal(gw_record_write_end(&writer, epoch_of(world, run), ++world->foreign_count, seq, &payload), GW_OK);
    struct ghost *ghost = gw_alloc(sizeof *ghost);
    ghost->payload = gw_try_strndup(payload.data, payload.length);
    ghost->append = (struct gw_spine_append){.run = *run,
                                             .first_seq = seq,
                                             .last_seq = seq,
                                             .payload = ghost->payload,
                                             .payload_length = payload.length,
                                             .home = &at_once,
                                             .done = on_ghost_done,
                                             .arg = ghost};
    port(world)->append(port(world)->self, &ghost->append);
    assert_int_equal(tail_of(world, run), seq);
    gw_event_unref(event);
    gw_record_writer_fini(&writer);
    gw_buffer_fini(&payload);
}

void world_append_foreign(struct world *world, const char *run_id)
{
    struct gw_run_key key = key_of(run_id);
    append_foreign(world, &key);
}

/* ---- faults ------------------------------------------------------------------------------------------------------------------------------- */

static void send_later(struct world *world, const struct gw_spine_append *append)
{
    struct ghost *ghost = gw_alloc(sizeof *ghost);
    ghost->payload = gw_try_strndup(append->payload, append->payload_length);
    ghost->append = *append;
    ghost->append.payload = ghost->payload;
    ghost->append.home = &at_once;
    ghost->append.done = on_ghost_done;
    ghost->append.arg = ghost;
    struct world_op *op = gw_alloc(sizeof *op);
    *op = (struct world_op){.kind = GW_SPINE_JOB_APPEND, .append = &ghost->append, .next = world->ops};
    world->ops = op;
}

static void append_with_faults(struct world *world, struct gw_spine_append *append)
{
    const struct world_faults *faults = &world->faults;
    if (append->home != &at_once) {
        if (world_chance(world, faults->foreign))
            append_foreign(world, &append->run);
        if (world_chance(world, faults->append_refused)) {
            gw_memory_spine_fail_appends(world->memory, world_chance(world, 500) ? GW_EIO : GW_EBUSY, 1);
        } else if (world_chance(world, faults->append_unknown_late)) {
            send_later(world, append);
            gw_memory_spine_lose_append(world->memory, false);
        } else if (world_chance(world, faults->append_unknown_lost)) {
            gw_memory_spine_lose_append(world->memory, false);
        } else if (world_chance(world, faults->append_unknown_stored) && append->first_seq == tail_of(world, &append->run) + 1) {
            gw_memory_spine_lose_append(world->memory, true);
        }
    }
    port(world)->append(port(world)->self, append);
}

static void put_with_faults(struct world *world, struct gw_spine_put *put)
{
    struct gw_spine_job job;
    if (!world_chance(world, world->faults.put_failed)) {
        port(world)->put(port(world)->self, put);
        return;
    }
    gw_spine_job_of_put(&job, put);
    gw_spine_job_fail(&job, GW_EIO, "spine_fault", "ordered by the test");
    gw_spine_job_complete(&job);
}

void world_carry_out(struct world *world, const struct world_op *op)
{
    bool is_read = op->kind == GW_SPINE_JOB_READ || op->kind == GW_SPINE_JOB_TAIL || op->kind == GW_SPINE_JOB_GET;
    if (is_read && world_chance(world, world->faults.read_failed))
        gw_memory_spine_fail_reads(world->memory, GW_EIO, 1);
    switch (op->kind) {
    case GW_SPINE_JOB_APPEND:
        append_with_faults(world, op->append);
        break;
    case GW_SPINE_JOB_PUT:
        put_with_faults(world, op->put);
        break;
    case GW_SPINE_JOB_READ:
        port(world)->read(port(world)->self, op->read);
        break;
    case GW_SPINE_JOB_TAIL:
        port(world)->tail(port(world)->self, op->tail);
        break;
    case GW_SPINE_JOB_GET:
        port(world)->get(port(world)->self, op->get);
        break;
    case GW_SPINE_JOB_ERASE:
        port(world)->erase(port(world)->self, op->erase);
        break;
    }
}

/* ---- the truth ---------------------------------------------------------------------------------------------------------------------------- */

static void add_record(struct world_truth *truth, const struct gw_spine_record *stored)
{
    struct gw_error err;
    struct gw_record *record = &truth->records[truth->record_count];
    if (gw_record_parse(stored->payload, stored->payload_length, record, &err))
        fail_msg("%s", err.message);
    truth->record_count++;
    assert_true(truth->epoch == 0 || truth->epoch == record->epoch);
    truth->epoch = record->epoch;
    for (size_t i = 0; i < record->events.count; i++) {
        assert_int_equal(record->events.items[i]->seq, truth->events.count + 1);
        assert_int_equal(gw_event_list_add(&truth->events, gw_event_ref(record->events.items[i])), GW_OK);
    }
}

/* ---- what was cut off ------------------------------------------------------------------------------------------------------------------- */

static void keep_cut(struct world *world, const struct gw_run_key *run, const struct gw_spine_record *record)
{
    struct world_cut *cut = gw_alloc(sizeof *cut);
    *cut = (struct world_cut){world->cuts, *run, *record};
    cut->record.payload = gw_try_strndup(record->payload, record->payload_length);
    world->cuts = cut;
}

static void ignore_get(struct gw_spine_get *request) { (void)request; }

static uint64_t checkpoint_of(struct world *world, const struct gw_run_key *run)
{
    struct gw_spine_get get = {.run = *run, .kind = GW_SPINE_CHECKPOINT, .at_most_seq = INT64_MAX, .home = &at_once, .done = ignore_get};
    port(world)->get(port(world)->self, &get);
    gw_spine_get_fini(&get);
    return get.status ? 0 : get.seq;
}

void world_cut_off(struct world *world, const char *run_id)
{
    struct gw_run_key run = key_of(run_id);
    uint64_t seq = checkpoint_of(world, &run);
    if (seq == 0)
        return;
    struct gw_spine_read read = read_all(world, &run, seq);
    for (size_t i = 0; i < read.record_count; i++)
        if (read.records[i].last_seq <= seq)
            keep_cut(world, &run, &read.records[i]);
    gw_spine_read_fini(&read);
    struct gw_spine_erase erase = {.run = run, .floor_seq = seq + 1, .home = &at_once, .done = ignore_erase};
    port(world)->erase(port(world)->self, &erase);
    assert_int_equal(erase.status, GW_OK);
}

void world_forget_cuts(struct world *world)
{
    while (world->cuts) {
        struct world_cut *cut = world->cuts;
        world->cuts = cut->older;
        gw_free(cut->record.payload);
        gw_free(cut);
    }
}

static size_t count_cuts(const struct world *world)
{
    size_t count = 0;
    for (const struct world_cut *cut = world->cuts; cut; cut = cut->older)
        count++;
    return count;
}

/* Oldest first, so the last of the list comes first. */
static void add_cuts(struct world_truth *truth, const struct world_cut *cut, const struct gw_run_key *run)
{
    if (!cut)
        return;
    add_cuts(truth, cut->older, run);
    if (strcmp(cut->run.text, run->text) == 0)
        add_record(truth, &cut->record);
}

void world_read_truth(struct world *world, const char *run_id, struct world_truth *out)
{
    struct gw_run_key run = key_of(run_id);
    struct gw_spine_read read = read_all(world, &run, INT64_MAX);
    *out = (struct world_truth){.records = gw_alloc_array(read.record_count + count_cuts(world) + 1, sizeof *out->records)};
    add_cuts(out, world->cuts, &run);
    for (size_t i = 0; i < read.record_count; i++)
        add_record(out, &read.records[i]);
    gw_spine_read_fini(&read);
}

void world_truth_fini(struct world_truth *truth)
{
    for (size_t i = 0; i < truth->record_count; i++)
        gw_record_fini(&truth->records[i]);
    gw_free(truth->records);
    gw_event_list_fini(&truth->events);
}
