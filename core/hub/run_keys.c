/* Which commands have taken effect, and the reads that this asks for: the index's filters, a sealed page of it, or the record that holds an old answer. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/checkpoint.h"
#include "hub/run.h"

static void say_unavailable(struct gw_error *err)
{
    gw_error_set(err, GW_EIO, "spine_unavailable", "whether the command took effect before cannot be read at the moment");
    err->is_retryable = true;
}

struct blob_fetch {
    struct gw_spine_get get;
    struct gw_run *run;
};

static void log_fetch(const struct gw_run *run, const struct gw_spine_get *get, const char *event)
{
    gw_log_write(run->hub->opts.log, GW_LOG_ERROR, event,
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_UINT("seq", get->at_most_seq),
                                         GW_F_INT("status", get->status), GW_F_END});
}

int gw_run_take_filters(struct gw_run *run, const struct gw_spine_get *get)
{
    struct gw_error err;
    if (!run->keys || gw_keys_expected_seq(run->keys) != get->at_most_seq)
        return GW_OK; /* they came by another way, or the run was folded again */
    int status = gw_checkpoint_read_filters(get, run->keys, &err);
    if (status)
        log_fetch(run, get, "key_filters_unreadable");
    if (status != GW_EINVAL)
        return status;
    /* From an older checkpoint, or from the beginning, comes the same index. */
    run->needs_filters = true;
    gw_run_abandon(run);
    return status;
}

/* Of a fetch for the inbox. Without the answer nobody can say whether the command is new: refusing is the only safe one. */
static void end_fetch(struct gw_run *run, int status)
{
    struct gw_error err;
    run->hub->in_flight--;
    run->readers--;
    run->fetches_page = run->inbox_waits = false;
    say_unavailable(&err);
    if (status && run->phase == GW_RUN_READY && run->inbox_first)
        gw_run_refuse_first(run, &err);
    gw_hub_mark_run(run->hub, run);
}

static void on_filters(struct gw_spine_get *get)
{
    struct blob_fetch *fetch = get->arg;
    int status = gw_run_take_filters(fetch->run, get);
    gw_spine_get_fini(get);
    end_fetch(fetch->run, status);
    gw_free(fetch);
}

static void on_page(struct gw_spine_get *get)
{
    struct blob_fetch *fetch = get->arg;
    struct gw_run *run = fetch->run;
    struct gw_error err;
    int status = get->status;
    if (!status && (get->seq != get->at_most_seq || get->chunk_count != 1))
        status = GW_EINVAL;
    if (!status && run->keys)
        status = gw_keys_offer_page(run->keys, get->seq, get->chunks[0], get->lengths[0], &err);
    if (status)
        log_fetch(run, get, "key_page_unreadable");
    gw_spine_get_fini(get);
    gw_free(fetch);
    end_fetch(run, status);
}

static void fetch_blob(struct gw_run *run, enum gw_spine_blob_kind kind, uint64_t seq)
{
    if (run->fetches_page)
        return;
    struct blob_fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->run = run;
    fetch->get = (struct gw_spine_get){.run = run->key, .kind = kind, .at_most_seq = seq, .home = gw_hub_home(run->hub)};
    fetch->get.done = kind == GW_SPINE_KEY_PAGE ? on_page : on_filters;
    fetch->get.arg = fetch;
    run->fetches_page = true;
    run->readers++;
    run->hub->in_flight++;
    run->hub->opts.spine->get(run->hub->opts.spine->self, &fetch->get);
}

struct answer_fetch {
    struct gw_spine_read read;
    struct gw_run *run;
    struct gw_submission *submission;
    size_t index;
};

static void give(struct answer_fetch *fetch, const struct gw_record *record)
{
    const uint8_t *key = fetch->submission->outcomes[fetch->index].key;
    for (size_t i = 0; i < record->key_count; i++) {
        if (memcmp(record->keys[i].key, key, GW_KEY_BYTES) != 0)
            continue;
        gw_submission_settle(fetch->submission, fetch->index, record->keys[i].answer, record->keys[i].answer_length);
        return;
    }
    struct gw_error err;
    gw_error_set(&err, GW_EIO, "answer_missing", "the command was committed, but its stored answer cannot be found");
    gw_submission_refuse(fetch->submission, fetch->index, &err);
}

static void on_answer(struct gw_spine_read *read)
{
    struct answer_fetch *fetch = read->arg;
    struct gw_run *run = fetch->run;
    struct gw_error err;
    struct gw_record record;
    int status = read->status;
    if (status)
        say_unavailable(&err);
    if (status == GW_ENOTFOUND || (!status && read->record_count == 0))
        status = gw_error_set(&err, GW_ENOTFOUND, "answer_purged", "the command was committed; its answer is no longer kept");
    if (!status)
        status = gw_record_parse(read->records[0].payload, read->records[0].payload_length, &record, &err);
    if (status) {
        gw_submission_refuse(fetch->submission, fetch->index, &err);
    } else {
        give(fetch, &record);
        gw_record_fini(&record);
    }
    gw_spine_read_fini(read);
    gw_free(fetch);
    run->hub->in_flight--;
    run->readers--;
}

static void fetch_answer(struct gw_run *run, struct gw_submission *submission, size_t index, uint64_t record_seq)
{
    struct answer_fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->run = run;
    fetch->submission = submission;
    fetch->index = index;
    fetch->read = (struct gw_spine_read){
        .run = run->key, .from_seq = record_seq, .to_seq = record_seq, .max_bytes = 1, .home = gw_hub_home(run->hub)};
    fetch->read.done = on_answer;
    fetch->read.arg = fetch;
    run->readers++;
    run->hub->in_flight++;
    run->hub->opts.spine->read(run->hub->opts.spine->self, &fetch->read);
}

/* ---- looking up ------------------------------------------------------------------------------------------------------------------------ */

static enum gw_keys_answer find(struct gw_run *run, struct gw_outcome *outcome, struct gw_keys_entry *entry)
{
    uint64_t page_seq;
    /* What was found to be new stays so until the run is folded again, but for its twin on the way to the spine: else commands that each need pages could
     * push out each other's for ever. */
    if (outcome->new_in_load == run->load_number)
        return gw_keys_find_recent(run->keys, outcome->key, entry) ? GW_KEYS_KNOWN : GW_KEYS_NEW;
    enum gw_keys_answer answer = gw_keys_find(run->keys, outcome->key, entry, &page_seq);
    if (answer == GW_KEYS_NEW)
        outcome->new_in_load = run->load_number;
    if (answer == GW_KEYS_ASK_PAGE)
        fetch_blob(run, GW_SPINE_KEY_PAGE, page_seq);
    if (answer == GW_KEYS_ASK_FILTERS)
        fetch_blob(run, GW_SPINE_KEY_FILTERS, page_seq);
    return answer;
}

enum gw_known gw_run_known(struct gw_run *run, struct gw_submission *submission, size_t index)
{
    struct gw_outcome *outcome = &submission->outcomes[index];
    struct gw_keys_entry entry;
    gw_keys_digest(submission->actor.id, submission->commands[index].command_id, outcome->key);
    enum gw_keys_answer answer = find(run, outcome, &entry);
    if (answer == GW_KEYS_NEW)
        return GW_KNOWN_NOT;
    if (answer != GW_KEYS_KNOWN || entry.seq == 0) { /* 0: its twin is on the way to the spine */
        run->inbox_waits = true;
        return GW_KNOWN_LATER;
    }
    if (memcmp(entry.body, submission->commands[index].digest, GW_KEY_BYTES) != 0)
        return GW_KNOWN_REUSED;
    outcome->is_claimed = true;
    gw_metric_add(run->hub->metrics.commands_repeated, 1);
    if (entry.answer)
        gw_submission_settle(submission, index, entry.answer, entry.answer_length);
    else
        fetch_answer(run, submission, index, entry.seq);
    return GW_KNOWN_ANSWERED;
}
