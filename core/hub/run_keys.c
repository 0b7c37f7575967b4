/* Reads that the idempotency index asks for: a sealed page, or the record that holds an old answer. */
#include <string.h>

#include "base/alloc.h"
#include "hub/run.h"

struct page_fetch {
    struct gw_spine_get get;
    struct gw_run *run;
};

static void on_page(struct gw_spine_get *get)
{
    struct page_fetch *fetch = get->arg;
    struct gw_run *run = fetch->run;
    struct gw_error err = get->err;
    int status = get->status;
    if (!status && (get->seq != get->at_most_seq || get->chunk_count != 1))
        status = gw_error_set(&err, GW_EINVAL, "key_page_damaged", "a page of the idempotency index is missing");
    if (!status && run->keys)
        status = gw_keys_offer_page(run->keys, get->seq, get->chunks[0], get->lengths[0], &err);
    gw_spine_get_fini(get);
    gw_free(fetch);
    run->hub->in_flight--;
    run->readers--;
    run->fetches_page = run->inbox_waits = false;
    /* Without the page nobody can say whether the command is new: refusing is the only safe answer. */
    if (status && run->inbox_first)
        gw_run_refuse_first(run, &err);
    gw_hub_mark_run(run->hub, run);
}

void gw_run_fetch_page(struct gw_run *run, uint64_t page_seq)
{
    if (run->fetches_page)
        return;
    struct page_fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->run = run;
    fetch->get = (struct gw_spine_get){.run = run->key, .kind = GW_SPINE_KEY_PAGE, .at_most_seq = page_seq, .home = gw_hub_home(run->hub)};
    fetch->get.done = on_page;
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
    uint8_t key[GW_KEY_BYTES];
};

static void give(struct answer_fetch *fetch, const struct gw_record *record)
{
    for (size_t i = 0; i < record->key_count; i++) {
        if (memcmp(record->keys[i].key, fetch->key, GW_KEY_BYTES) != 0)
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
    struct gw_error err = read->err;
    struct gw_record record;
    int status = read->status;
    if (!status && read->record_count == 0)
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

void gw_run_fetch_answer(struct gw_run *run, struct gw_submission *submission, size_t index, uint64_t record_seq, const uint8_t key[GW_KEY_BYTES])
{
    struct answer_fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->run = run;
    fetch->submission = submission;
    fetch->index = index;
    memcpy(fetch->key, key, GW_KEY_BYTES);
    fetch->read = (struct gw_spine_read){.run = run->key, .from_seq = record_seq, .to_seq = record_seq, .max_bytes = 1, .home = gw_hub_home(run->hub)};
    fetch->read.done = on_answer;
    fetch->read.arg = fetch;
    run->readers++;
    run->hub->in_flight++;
    run->hub->opts.spine->read(run->hub->opts.spine->self, &fetch->read);
}
