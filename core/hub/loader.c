#include "hub/loader.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/checkpoint.h"
#include "hub/event.h"
#include "hub/hub_internal.h"
#include "hub/keys.h"
#include "hub/record.h"

#define READ_BYTES (1u << 20)

struct gw_loader {
    struct gw_loader_opts opts;
    struct gw_run_key run;
    struct gw_loaded loaded;
    struct gw_spine_tail tail;
    struct gw_spine_get get;
    struct gw_spine_read read;
    uint64_t next_seq;
};

static void finish(struct gw_loader *loader, int status, const struct gw_error *err)
{
    if (status) {
        gw_state_destroy(loader->loaded.state);
        gw_keys_destroy(loader->loaded.keys);
        loader->loaded.state = NULL;
        loader->loaded.keys = NULL;
    }
    loader->opts.hub->in_flight--;
    loader->opts.done(loader->opts.arg, status, &loader->loaded, err);
    gw_free(loader);
}

static int fold_event(struct gw_loader *loader, const struct gw_event *event, struct gw_error *err)
{
    if (event->seq < loader->next_seq)
        return GW_OK; /* the record began below the checkpoint */
    if (event->seq != loader->next_seq)
        return gw_error_set(err, GW_EINVAL, "spine_damaged", "the spine misses seq %llu", (unsigned long long)loader->next_seq);
    int status = gw_state_fold(loader->loaded.state, event, err);
    if (status)
        return status;
    loader->next_seq++;
    if (event->ts_ms > loader->loaded.last_ts_ms)
        loader->loaded.last_ts_ms = event->ts_ms;
    return GW_OK;
}

static int add_keys(struct gw_loader *loader, const struct gw_record *record, struct gw_error *err)
{
    for (size_t i = 0; loader->loaded.keys && i < record->key_count; i++)
        if (gw_keys_add(loader->loaded.keys, &record->keys[i], record->first_seq))
            return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to open a run");
    return GW_OK;
}

static int fold_record(struct gw_loader *loader, const struct gw_spine_record *stored, struct gw_error *err)
{
    struct gw_record record;
    int status = gw_record_parse(stored->payload, stored->payload_length, &record, err);
    if (status)
        return status;
    if (loader->loaded.epoch != 0 && loader->loaded.epoch != record.epoch)
        status = gw_error_set(err, GW_EINVAL, "spine_damaged", "a record is of another life of the run");
    loader->loaded.epoch = record.epoch;
    for (size_t i = 0; !status && i < record.events.count && record.events.items[i]->seq <= loader->opts.at_seq; i++)
        status = fold_event(loader, record.events.items[i], err);
    if (!status)
        status = add_keys(loader, &record, err);
    loader->loaded.bytes_since_checkpoint += stored->payload_length;
    gw_record_fini(&record);
    return status;
}

static void read_more(struct gw_loader *loader);

static void on_read(struct gw_spine_read *read)
{
    struct gw_loader *loader = read->arg;
    struct gw_error err = read->err;
    int status = read->status;
    uint64_t from_seq = loader->next_seq;
    for (size_t i = 0; !status && i < read->record_count; i++)
        status = fold_record(loader, &read->records[i], &err);
    gw_spine_read_fini(read);
    if (!status && loader->next_seq == from_seq)
        status = gw_error_set(&err, GW_EINVAL, "spine_damaged", "the spine ends before its tail");
    if (status)
        finish(loader, status, &err);
    else
        read_more(loader);
}

static void read_more(struct gw_loader *loader)
{
    uint64_t last = loader->opts.at_seq < loader->loaded.tail_seq ? loader->opts.at_seq : loader->loaded.tail_seq;
    if (loader->next_seq > last) {
        struct gw_error none = {0};
        finish(loader, GW_OK, &none);
        return;
    }
    loader->read = (struct gw_spine_read){.run = loader->run, .from_seq = loader->next_seq, .to_seq = last, .max_bytes = READ_BYTES};
    loader->read.home = gw_hub_home(loader->opts.hub);
    loader->read.done = on_read;
    loader->read.arg = loader;
    const struct gw_spine *spine = loader->opts.hub->opts.spine;
    spine->read(spine->self, &loader->read);
}

static void make_empty(struct gw_loader *loader)
{
    struct gw_hub *hub = loader->opts.hub;
    gw_state_destroy(loader->loaded.state);
    gw_keys_destroy(loader->loaded.keys);
    loader->loaded.state = gw_state_create(hub->seed, &hub->opts.state_limits);
    loader->loaded.keys = loader->opts.wants_keys ? gw_keys_create(hub->seed) : NULL;
}

static void get_checkpoint(struct gw_loader *loader, uint64_t at_most_seq);

/* A checkpoint only saves folding: from an older one, or from the beginning, comes the same state. */
static void pass_over(struct gw_loader *loader, uint64_t seq, const struct gw_error *err)
{
    gw_log_write(loader->opts.hub->opts.log, GW_LOG_ERROR, "checkpoint_unreadable",
                 (struct gw_log_field[]){GW_F_TEXT("run", loader->run.text), GW_F_UINT("seq", seq), GW_F_TEXT("code", err->id), GW_F_END});
    make_empty(loader);
    loader->loaded.epoch = 0;
    loader->loaded.last_ts_ms = 0;
    loader->loaded.checkpoint_seq = 0;
    get_checkpoint(loader, seq - 1);
}

static void go_on(struct gw_loader *loader, uint64_t checkpoint_seq)
{
    struct gw_error err;
    if (checkpoint_seq)
        loader->next_seq = checkpoint_seq + 1;
    if (loader->next_seq >= loader->loaded.floor_seq) {
        read_more(loader);
        return;
    }
    gw_error_set(&err, GW_ENOTFOUND, "purged", "that part of the history is no longer kept");
    finish(loader, GW_ENOTFOUND, &err);
}

static void on_filters(struct gw_spine_get *get)
{
    struct gw_loader *loader = get->arg;
    struct gw_error err;
    uint64_t seq = get->at_most_seq;
    int status = gw_checkpoint_read_filters(get, loader->loaded.keys, &err);
    gw_spine_get_fini(get);
    if (status == GW_EINVAL)
        pass_over(loader, seq, &err);
    else if (status)
        finish(loader, status, &err);
    else
        go_on(loader, seq);
}

static void get_filters(struct gw_loader *loader, uint64_t seq)
{
    const struct gw_spine *spine = loader->opts.hub->opts.spine;
    loader->get = (struct gw_spine_get){.run = loader->run, .kind = GW_SPINE_KEY_FILTERS, .at_most_seq = seq};
    loader->get.home = gw_hub_home(loader->opts.hub);
    loader->get.done = on_filters;
    loader->get.arg = loader;
    spine->get(spine->self, &loader->get);
}

static void on_checkpoint(struct gw_spine_get *get)
{
    struct gw_loader *loader = get->arg;
    struct gw_error err = get->err;
    uint64_t seq = get->seq;
    int status = get->status;
    bool is_there = status == GW_OK;
    if (is_there)
        status = gw_checkpoint_read(get, &loader->loaded, &err);
    gw_spine_get_fini(get);
    if (is_there && status == GW_EINVAL && seq > 0) {
        pass_over(loader, seq, &err);
        return;
    }
    if (status && status != GW_ENOTFOUND) {
        finish(loader, status, &err);
        return;
    }
    if (is_there && loader->loaded.keys)
        gw_keys_expect(loader->loaded.keys, seq);
    if (is_there && loader->loaded.keys && loader->opts.wants_filters)
        get_filters(loader, seq);
    else
        go_on(loader, is_there ? seq : 0);
}

static void get_checkpoint(struct gw_loader *loader, uint64_t at_most_seq)
{
    const struct gw_spine *spine = loader->opts.hub->opts.spine;
    loader->get = (struct gw_spine_get){.run = loader->run, .kind = GW_SPINE_CHECKPOINT, .at_most_seq = at_most_seq};
    loader->get.home = gw_hub_home(loader->opts.hub);
    loader->get.done = on_checkpoint;
    loader->get.arg = loader;
    spine->get(spine->self, &loader->get);
}

static void on_tail(struct gw_spine_tail *tail)
{
    struct gw_loader *loader = tail->arg;
    if (tail->status) {
        finish(loader, tail->status, &tail->err);
        return;
    }
    loader->loaded.tail_seq = tail->tail_seq;
    loader->loaded.floor_seq = tail->floor_seq;
    if (tail->tail_seq == 0)
        read_more(loader);
    else
        get_checkpoint(loader, loader->opts.at_seq < tail->tail_seq ? loader->opts.at_seq : tail->tail_seq);
}

struct gw_loader *gw_loader_start(const struct gw_loader_opts *opts)
{
    struct gw_loader *loader = gw_alloc(sizeof *loader);
    struct gw_hub *hub = opts->hub;
    loader->opts = *opts;
    loader->run = *opts->run;
    loader->next_seq = 1;
    make_empty(loader);
    loader->tail = (struct gw_spine_tail){.run = loader->run, .home = gw_hub_home(hub), .done = on_tail, .arg = loader};
    hub->in_flight++;
    hub->opts.spine->tail(hub->opts.spine->self, &loader->tail);
    return loader;
}
