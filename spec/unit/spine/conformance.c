#include "spine/conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spine/conformance_steps.h"

static void assert_record(const struct gw_spine_record *record, uint64_t first, uint64_t last, const char *payload)
{
    assert_int_equal(record->first_seq, first);
    assert_int_equal(record->last_seq, last);
    assert_int_equal(record->payload_length, strlen(payload));
    assert_memory_equal(record->payload, payload, record->payload_length);
}

/* ---- appends ------------------------------------------------------------------------------------------------------------------------ */

static void stores_what_is_appended(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 1, 1, "one"), GW_OK);
    assert_int_equal(append_text(port, "run", 2, 7, "two to seven"), GW_OK);
    struct gw_spine_read read = read_range(port, "run", 1, UINT64_MAX, SIZE_MAX);
    assert_int_equal(read.status, GW_OK);
    assert_int_equal(read.record_count, 2);
    assert_record(&read.records[0], 1, 1, "one");
    assert_record(&read.records[1], 2, 7, "two to seven");
    gw_spine_read_fini(&read);
}

static void stores_any_bytes_and_none(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 1, 1, ""), GW_OK);
    assert_int_equal(append_text(port, "run", 2, 2, "caf\xc3\xa9 \xf0\x9f\x8e\xa8 \" \\ \n"), GW_OK);
    struct gw_spine_read read = read_range(port, "run", 1, 2, SIZE_MAX);
    assert_int_equal(read.record_count, 2);
    assert_record(&read.records[0], 1, 1, "");
    assert_record(&read.records[1], 2, 2, "caf\xc3\xa9 \xf0\x9f\x8e\xa8 \" \\ \n");
    gw_spine_read_fini(&read);
}

static void stores_a_record_of_the_largest_size(void **state)
{
    enum { LENGTH = 1536 * 1024 };
    char *payload = malloc(LENGTH + 1);
    assert_non_null(payload);
    for (size_t i = 0; i < LENGTH; i++)
        payload[i] = (char)('a' + i % 26);
    payload[LENGTH] = '\0';
    assert_int_equal(append_text(port_of(state), "run", 1, 5000, payload), GW_OK);
    struct gw_spine_read read = read_range(port_of(state), "run", 2500, 2500, 1);
    assert_int_equal(read.record_count, 1);
    assert_record(&read.records[0], 1, 5000, payload);
    gw_spine_read_fini(&read);
    free(payload);
}

static void refuses_a_first_seq_that_is_taken(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 1, 3, "first"), GW_OK);
    assert_int_equal(append_text(port, "run", 1, 3, "again"), GW_ECONFLICT);
    assert_int_equal(append_text(port, "run", 3, 4, "over the edge"), GW_ECONFLICT);
    assert_range(port, 1, 9, SIZE_MAX, FIRSTS(1, 0));
}

static void refuses_a_gap(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 2, 2, "not from the start"), GW_ECONFLICT);
    assert_int_equal(append_text(port, "run", 1, 1, "start"), GW_OK);
    assert_int_equal(append_text(port, "run", 3, 3, "one too far"), GW_ECONFLICT);
    assert_int_equal(find_tail(port, "run").tail_seq, 1);
}

static void goes_on_after_a_conflict(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 1, 1, "one"), GW_OK);
    assert_int_equal(append_text(port, "run", 1, 1, "lost"), GW_ECONFLICT);
    assert_int_equal(append_text(port, "run", 2, 2, "two"), GW_OK);
    assert_range(port, 1, 2, SIZE_MAX, FIRSTS(1, 2, 0));
}

static void refuses_seqs_that_are_none(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "run", 0, 0, "x"), GW_EINVAL);
    assert_int_equal(append_text(port, "run", 2, 1, "x"), GW_EINVAL);
    assert_int_equal(append_text(port, "run", 1, UINT64_MAX, "x"), GW_EINVAL);
    assert_int_equal(find_tail(port, "run").tail_seq, 0);
}

static void keeps_runs_apart(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(append_text(port, "a", 1, 5, "of a"), GW_OK);
    assert_int_equal(append_text(port, "b", 1, 2, "of b"), GW_OK);
    assert_int_equal(find_tail(port, "a").tail_seq, 5);
    assert_int_equal(find_tail(port, "b").tail_seq, 2);
    assert_int_equal(find_tail(port, "c").tail_seq, 0);
}

static void never_completes_inside_the_call(void **state)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct append_call call = {.request = {.run = run_key("run"), .first_seq = 1, .last_seq = 1, .payload = "x", .payload_length = 1}};
    append_start(port_of(state), &inbox, &call, &answers);
    assert_false(call.is_answered);
    inbox_run_until(&inbox, &answers, 1);
    assert_true(call.is_answered);
    assert_false(inbox_has_task(&inbox));
    inbox_fini(&inbox);
}

/* ---- many at once ------------------------------------------------------------------------------------------------------------------- */

enum { MANY_RUNS = 200, MANY_RECORDS = 20 };

static void prepare_call(struct append_call *call, size_t run, uint64_t seq)
{
    char name[16];
    snprintf(name, sizeof name, "run-%zu", run);
    *call = (struct append_call){.request = {.run = run_key(name), .first_seq = seq, .last_seq = seq, .payload = name}};
    call->request.payload = "payload";
    call->request.payload_length = 7;
}

static void takes_the_appends_of_a_run_in_order(void **state)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct append_call *calls = calloc(MANY_RECORDS, sizeof *calls);
    for (uint64_t seq = 1; seq <= MANY_RECORDS; seq++) {
        prepare_call(&calls[seq - 1], 0, seq);
        append_start(port_of(state), &inbox, &calls[seq - 1], &answers);
    }
    inbox_run_until(&inbox, &answers, MANY_RECORDS);
    for (size_t i = 0; i < MANY_RECORDS; i++)
        assert_int_equal(calls[i].request.status, GW_OK);
    assert_int_equal(find_tail(port_of(state), "run-0").tail_seq, MANY_RECORDS);
    inbox_fini(&inbox);
    free(calls);
}

static void fails_one_append_without_its_neighbours(void **state)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct append_call calls[4];
    prepare_call(&calls[0], 1, 1);
    prepare_call(&calls[1], 2, 2);
    prepare_call(&calls[2], 1, 1);
    prepare_call(&calls[3], 3, 1);
    for (size_t i = 0; i < 4; i++)
        append_start(port_of(state), &inbox, &calls[i], &answers);
    inbox_run_until(&inbox, &answers, 4);
    assert_int_equal(calls[0].request.status, GW_OK);
    assert_int_equal(calls[1].request.status, GW_ECONFLICT);
    assert_int_equal(calls[2].request.status, GW_ECONFLICT);
    assert_int_equal(calls[3].request.status, GW_OK);
    inbox_fini(&inbox);
}

struct crowd {
    const struct gw_spine *port;
    size_t first_run;
    size_t failures;
};

static void *append_for_half_of_the_runs(void *self)
{
    struct crowd *crowd = self;
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call *calls = calloc(MANY_RUNS / 2, sizeof *calls);
    for (uint64_t seq = 1; seq <= MANY_RECORDS; seq++) {
        size_t answers = 0;
        for (size_t i = 0; i < MANY_RUNS / 2; i++) {
            prepare_call(&calls[i], crowd->first_run + i, seq);
            append_start(crowd->port, &inbox, &calls[i], &answers);
        }
        inbox_run_until(&inbox, &answers, MANY_RUNS / 2);
        for (size_t i = 0; i < MANY_RUNS / 2; i++)
            crowd->failures += calls[i].request.status != GW_OK;
    }
    inbox_fini(&inbox);
    free(calls);
    return NULL;
}

static void serves_many_runs_of_two_threads(void **state)
{
    struct crowd crowds[2] = {{port_of(state), 0, 0}, {port_of(state), MANY_RUNS / 2, 0}};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_for_half_of_the_runs, &crowds[1]), 0);
    append_for_half_of_the_runs(&crowds[0]);
    pthread_join(thread, NULL);
    assert_int_equal(crowds[0].failures + crowds[1].failures, 0);
    for (size_t i = 0; i < MANY_RUNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "run-%zu", i);
        assert_int_equal(find_tail(port_of(state), name).tail_seq, MANY_RECORDS);
    }
}

/* ---- reads -------------------------------------------------------------------------------------------------------------------------- */

static void reads_the_records_that_touch_a_range(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_range(port, 1, 10, SIZE_MAX, FIRSTS(1, 2, 5, 6, 10, 0));
    assert_range(port, 3, 3, SIZE_MAX, FIRSTS(2, 0));
    assert_range(port, 4, 6, SIZE_MAX, FIRSTS(2, 5, 6, 0));
    assert_range(port, 9, 10, SIZE_MAX, FIRSTS(6, 10, 0));
    assert_range(port, 10, UINT64_MAX, SIZE_MAX, FIRSTS(10, 0));
}

static void reads_nothing_past_the_tail(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_range(port, 1, 9, SIZE_MAX, FIRSTS(0));
    fill(port, "run");
    assert_range(port, 11, 20, SIZE_MAX, FIRSTS(0));
    assert_range(port, UINT64_MAX, UINT64_MAX, SIZE_MAX, FIRSTS(0));
}

static void stops_reading_at_the_limit_of_bytes(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_range(port, 1, 10, 0, FIRSTS(1, 0));
    assert_range(port, 1, 10, 10, FIRSTS(1, 0));
    assert_range(port, 1, 10, 11, FIRSTS(1, 2, 0));
    assert_range(port, 3, 10, 25, FIRSTS(2, 5, 6, 0));
}

static void finds_the_tail(void **state)
{
    const struct gw_spine *port = port_of(state);
    struct gw_spine_tail tail = find_tail(port, "run");
    assert_int_equal(tail.status, GW_OK);
    assert_int_equal(tail.tail_seq, 0);
    assert_int_equal(tail.floor_seq, 1);
    fill(port, "run");
    tail = find_tail(port, "run");
    assert_int_equal(tail.tail_seq, 10);
    assert_int_equal(tail.floor_seq, 1);
}

/* ---- blobs -------------------------------------------------------------------------------------------------------------------------- */

static void gives_back_a_blob_in_its_chunks(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(put_blob(port, "run", 7, 0, CHUNKS("first", "", "third")), GW_OK);
    assert_blob(port, 7, 7, CHUNKS("first", "", "third"));
}

static void finds_the_newest_blob_that_is_old_enough(void **state)
{
    const struct gw_spine *port = port_of(state);
    for (uint64_t seq = 30; seq >= 10; seq -= 10)
        assert_int_equal(put_blob(port, "run", seq, 0, CHUNKS(seq == 10 ? "ten" : seq == 20 ? "twenty" : "thirty")), GW_OK);
    assert_blob(port, UINT64_MAX, 30, CHUNKS("thirty"));
    assert_blob(port, 29, 20, CHUNKS("twenty"));
    assert_blob(port, 10, 10, CHUNKS("ten"));
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, 9).status, GW_ENOTFOUND);
}

static void has_no_blob_that_was_not_put(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, UINT64_MAX).status, GW_ENOTFOUND);
    assert_int_equal(put_blob(port, "run", 5, 0, CHUNKS("checkpoint")), GW_OK);
    assert_int_equal(get_blob(port, "run", GW_SPINE_KEY_PAGE, UINT64_MAX).status, GW_ENOTFOUND);
    assert_int_equal(get_blob(port, "other", GW_SPINE_CHECKPOINT, UINT64_MAX).status, GW_ENOTFOUND);
}

static void keeps_a_blob_that_is_put_again(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(put_blob(port, "run", 5, 0, CHUNKS("old")), GW_OK);
    assert_int_equal(put_blob(port, "run", 6, 0, CHUNKS("newer")), GW_OK);
    assert_int_equal(put_blob(port, "run", 5, 1, CHUNKS("other", "content")), GW_OK);
    assert_blob(port, 5, 5, CHUNKS("old"));
}

static void drops_all_but_the_newest_blobs(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(put_blob_of(port, "run", GW_SPINE_KEY_PAGE, 1, 0, CHUNKS("page")), GW_OK);
    for (uint64_t seq = 1; seq <= 5; seq++)
        assert_int_equal(put_blob(port, "run", seq, 2, CHUNKS("a", "b")), GW_OK);
    assert_blob(port, 5, 5, CHUNKS("a", "b"));
    assert_blob(port, 4, 4, CHUNKS("a", "b"));
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, 3).status, GW_ENOTFOUND);
    struct gw_spine_get page = get_blob(port, "run", GW_SPINE_KEY_PAGE, UINT64_MAX);
    assert_int_equal(page.status, GW_OK);
    gw_spine_get_fini(&page);
}

static void refuses_a_blob_without_chunks(void **state)
{
    const char *const none[] = {NULL};
    assert_int_equal(put_blob(port_of(state), "run", 1, 0, none), GW_EINVAL);
}

static void puts_blobs_before_the_first_event(void **state)
{
    const struct gw_spine *port = port_of(state);
    assert_int_equal(put_blob(port, "run", 1, 0, CHUNKS("early")), GW_OK);
    assert_int_equal(find_tail(port, "run").tail_seq, 0);
    assert_int_equal(append_text(port, "run", 1, 1, "first"), GW_OK);
}

/* ---- the suite ---------------------------------------------------------------------------------------------------------------------- */

int conformance_run(const char *driver_name, struct subject *(*open)(void))
{
    struct opener opener = {open};
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(stores_what_is_appended),
        BEHAVIOUR(stores_any_bytes_and_none),
        BEHAVIOUR(stores_a_record_of_the_largest_size),
        BEHAVIOUR(refuses_a_first_seq_that_is_taken),
        BEHAVIOUR(refuses_a_gap),
        BEHAVIOUR(goes_on_after_a_conflict),
        BEHAVIOUR(refuses_seqs_that_are_none),
        BEHAVIOUR(keeps_runs_apart),
        BEHAVIOUR(never_completes_inside_the_call),
        BEHAVIOUR(takes_the_appends_of_a_run_in_order),
        BEHAVIOUR(fails_one_append_without_its_neighbours),
        BEHAVIOUR(serves_many_runs_of_two_threads),
        BEHAVIOUR(reads_the_records_that_touch_a_range),
        BEHAVIOUR(reads_nothing_past_the_tail),
        BEHAVIOUR(stops_reading_at_the_limit_of_bytes),
        BEHAVIOUR(finds_the_tail),
        BEHAVIOUR(gives_back_a_blob_in_its_chunks),
        BEHAVIOUR(finds_the_newest_blob_that_is_old_enough),
        BEHAVIOUR(has_no_blob_that_was_not_put),
        BEHAVIOUR(keeps_a_blob_that_is_put_again),
        BEHAVIOUR(drops_all_but_the_newest_blobs),
        BEHAVIOUR(refuses_a_blob_without_chunks),
        BEHAVIOUR(puts_blobs_before_the_first_event),
    };
    int failures = _cmocka_run_group_tests(driver_name, tests, sizeof tests / sizeof *tests, NULL, NULL);
    return failures + conformance_erase_run(driver_name, open);
}
