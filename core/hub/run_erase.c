/* What an actor wrote: found in the log, taken out of the state, and gone with the log. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/authors.h"
#include "hub/erasure.h"
#include "hub/event.h"
#include "hub/operate.h"
#include "hub/record.h"
#include "hub/run.h"

/* Other runs of the worker have their turns between two reads. */
#define READ_BYTES  (1u << 17)
#define CHUNK_BYTES (512u << 10)

/* ---- who wrote what -------------------------------------------------------------------------------------------------------------------- */

static void fail_with(struct gw_run_order *work, const struct gw_error *err)
{
    gw_log_write(work->run->hub->opts.log, GW_LOG_ERROR, "erasure_failed",
                 (struct gw_log_field[]){GW_F_TEXT("run", work->run->key.text), GW_F_TEXT("code", err->id),
                                         GW_F_TEXT("message", err->message), GW_F_END});
    gw_run_order_fail(work);
}

static int make_void(struct gw_run *run, struct gw_event_list *list)
{
    static const char nobody[] = "gateway";
    struct gw_event *event = gw_event_create();
    if (!event)
        return GW_ENOMEM;
    event->type = GW_EVENT_VOID;
    event->seq = gw_state_seq(run->state) + 1;
    event->ts_ms = run->last_ts_ms;
    event->actor.kind = GW_ACTOR_SERVICE;
    memcpy(event->actor.id, nobody, sizeof nobody);
    memcpy(event->surface_id, nobody, sizeof nobody);
    memcpy(event->app_id, nobody, sizeof nobody);
    return gw_event_list_add(list, event);
}

static void store_void(struct gw_run_order *work)
{
    struct gw_run *run = work->run;
    struct gw_error err;
    struct gw_event_list list = {0};
    struct gw_commit_mark mark = gw_run_mark(run);
    work->step = GW_ORDER_STORES;
    int status = make_void(run, &list);
    if (!status)
        status = gw_commit_add_event(gw_run_gathering(run), list.items[0]);
    if (!status && gw_run_fold(run, &list, &err))
        status = GW_ENOMEM;
    gw_event_list_fini(&list);
    if (status) {
        gw_run_rewind(run, &mark);
        gw_run_order_fail(work);
    }
}

static int feed_record(struct gw_run_order *work, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < record.events.count; i++)
        if (record.events.items[i]->seq >= work->next_seq)
            status = gw_authors_feed(work->authors, record.events.items[i], err);
    work->next_seq = stored->last_seq + 1;
    gw_record_fini(&record);
    return status;
}

static void read_on(struct gw_run_order *work);

static void on_read(struct gw_spine_read *read)
{
    struct gw_run_order *work = read->arg;
    struct gw_run *run = work->run;
    struct gw_error err = read->err;
    int status = read->status;
    if (!status && read->record_count == 0)
        status = gw_error_set(&err, GW_EIO, "spine_damaged", "the log ends before its tail");
    for (size_t i = 0; !status && i < read->record_count; i++)
        status = feed_record(work, &read->records[i], &err);
    gw_spine_read_fini(read);
    run->readers--;
    run->hub->in_flight--;
    if (gw_run_order_is_lost(work))
        gw_run_order_fail(work);
    else if (status)
        fail_with(work, &err);
    else
        read_on(work);
    gw_hub_mark_run(run->hub, run);
}

static void read_on(struct gw_run_order *work)
{
    struct gw_run *run = work->run;
    if (work->next_seq > run->durable_seq) {
        store_void(work);
        return;
    }
    work->read = (struct gw_spine_read){.run = run->key, .from_seq = work->next_seq, .to_seq = run->durable_seq, .max_bytes = READ_BYTES};
    work->read.home = gw_hub_home(run->hub);
    work->read.done = on_read;
    work->read.arg = work;
    run->readers++;
    run->hub->in_flight++;
    run->hub->opts.spine->read(run->hub->opts.spine->self, &work->read);
}

static void get_blob(struct gw_run_order *work, enum gw_spine_blob_kind kind, uint64_t at_most_seq, void (*done)(struct gw_spine_get *get))
{
    struct gw_hub *hub = work->run->hub;
    work->get = (struct gw_spine_get){.run = work->run->key, .kind = kind, .at_most_seq = at_most_seq};
    work->get.home = gw_hub_home(hub);
    work->get.done = done;
    work->get.arg = work;
    work->run->readers++;
    hub->in_flight++;
    hub->opts.spine->get(hub->opts.spine->self, &work->get);
}

static void on_authors(struct gw_spine_get *get)
{
    struct gw_run_order *work = get->arg;
    struct gw_run *run = work->run;
    struct gw_error err = get->err;
    int status = get->status;
    if (!status)
        status = gw_authors_load(work->authors, get, &err);
    gw_spine_get_fini(get);
    run->readers--;
    run->hub->in_flight--;
    if (gw_run_order_is_lost(work))
        gw_run_order_fail(work);
    else if (status && status != GW_ENOTFOUND)
        fail_with(work, &err);
    else
        read_on(work);
    gw_hub_mark_run(run->hub, run);
}

/* The index of command ids is stored again, so it must be here whole. */
static void on_filters(struct gw_spine_get *get)
{
    struct gw_run_order *work = get->arg;
    struct gw_run *run = work->run;
    run->readers--;
    run->hub->in_flight--;
    bool is_lost = gw_run_order_is_lost(work);
    int status = is_lost ? GW_OK : gw_run_take_filters(run, get);
    gw_spine_get_fini(get);
    if (is_lost || status)
        gw_run_order_fail(work);
    else
        get_blob(work, GW_SPINE_AUTHORS, work->next_seq - 1, on_authors);
    gw_hub_mark_run(run->hub, run);
}

void gw_run_erase_begin(struct gw_run_order *work)
{
    struct gw_run *run = work->run;
    uint64_t expected_seq = gw_keys_expected_seq(run->keys);
    if (run->durable_seq == 0) { /* nobody wrote anything */
        gw_run_order_end(work);
        return;
    }
    work->authors = gw_authors_create(run->hub->seed);
    if (!work->authors) {
        gw_run_order_fail(work);
        return;
    }
    work->next_seq = run->floor_seq > 1 ? run->floor_seq : 1;
    if (expected_seq)
        get_blob(work, GW_SPINE_KEY_FILTERS, expected_seq, on_filters);
    else
        get_blob(work, GW_SPINE_AUTHORS, work->next_seq - 1, on_authors);
}

/* ---- what stays ------------------------------------------------------------------------------------------------------------------------ */

static int write_kept(struct gw_run_order *work, struct gw_error *err)
{
    struct gw_run *run = work->run;
    if (gw_keys_seal_begin(run->keys, run->durable_seq, &work->page))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to seal keys");
    if (gw_keys_save(run->keys, &work->filters))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to store the filters of the keys");
    int status = gw_checkpoint_write(run->state, run->epoch, run->last_ts_ms, &work->state_chunks, err);
    if (!status)
        status = gw_authors_save(work->authors, run->state, CHUNK_BYTES, gw_checkpoint_emit, &work->author_chunks, err);
    return status;
}

static struct gw_spine_kept keep_chunks(enum gw_spine_blob_kind kind, const struct gw_checkpoint_chunks *chunks)
{
    return (struct gw_spine_kept){kind, (const char *const *)chunks->items, chunks->lengths, chunks->count};
}

/* From here on the state is not what its events make: whatever comes of it, it is folded again. */
void gw_run_erase_stored(struct gw_run_order *work)
{
    struct gw_run *run = work->run;
    struct gw_error err;
    int status = gw_erasure_apply(work->authors, work->order->actor_id, run->state, &work->erased_count, &err);
    if (!status)
        status = write_kept(work, &err);
    if (status) {
        fail_with(work, &err);
        gw_run_reload(run);
        return;
    }
    work->page_chunk = work->page.data;
    work->filters_chunk = work->filters.data;
    work->kept[0] = keep_chunks(GW_SPINE_CHECKPOINT, &work->state_chunks);
    work->kept[1] = keep_chunks(GW_SPINE_AUTHORS, &work->author_chunks);
    work->kept[2] = (struct gw_spine_kept){GW_SPINE_KEY_PAGE, &work->page_chunk, &work->page.length, 1};
    work->kept[3] = (struct gw_spine_kept){GW_SPINE_KEY_FILTERS, &work->filters_chunk, &work->filters.length, 1};
    work->erase.kept = work->kept;
    work->erase.kept_count = sizeof work->kept / sizeof *work->kept;
    gw_run_order_erase(work, run->durable_seq + 1);
}
