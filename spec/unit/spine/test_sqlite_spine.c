#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/metrics.h"
#include "spine/conformance.h"
#include "spine/database_fixture.h"

/* ---- conformance -------------------------------------------------------------------------------------------------------------------- */

struct sqlite_subject {
    struct subject subject; /* first */
    struct fixture fixture;
};

static void close_subject(struct subject *subject)
{
    fixture_fini(&((struct sqlite_subject *)(void *)subject)->fixture);
    free(subject);
}

static struct subject *open_subject(void)
{
    struct sqlite_subject *opened = calloc(1, sizeof *opened);
    fixture_init(&opened->fixture);
    fixture_open(&opened->fixture);
    opened->subject = (struct subject){opened->fixture.port, close_subject};
    return &opened->subject;
}

/* ---- files -------------------------------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_init(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void makes_its_files_for_the_owner_alone(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(0);
    fixture_open(f);
    umask(before);
    assert_int_equal(append_text(f->port, "run", 1, 1, "x"), GW_OK);
    char name[200];
    assert_int_equal(mode_of(f->path), 0600);
    snprintf(name, sizeof name, "%s-wal", f->path);
    assert_int_equal(mode_of(name), 0600);
    snprintf(name, sizeof name, "%s-shm", f->path);
    assert_int_equal(mode_of(name), 0600);
    snprintf(name, sizeof name, "%.*s", (int)(strrchr(f->path, '/') - f->path), f->path);
    assert_int_equal(mode_of(name), 0700);
}

static void keeps_everything_across_a_restart(void **state)
{
    struct fixture *f = *state;
    const char *const chunks[] = {"a", "b", NULL};
    fixture_open(f);
    assert_int_equal(append_text(f->port, "run", 1, 4, "one to four"), GW_OK);
    assert_int_equal(put_blob(f->port, "run", 4, 0, chunks), GW_OK);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 4);
    assert_int_equal(append_text(f->port, "run", 1, 4, "again"), GW_ECONFLICT);
    assert_int_equal(append_text(f->port, "run", 5, 5, "five"), GW_OK);
    struct gw_spine_get get = get_blob(f->port, "run", GW_SPINE_CHECKPOINT, 9);
    assert_int_equal(get.chunk_count, 2);
    gw_spine_get_fini(&get);
}

static void is_refused_while_another_has_it(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct fixture second = *f;
    struct gw_error err;
    assert_int_equal(fixture_try_open(&second, &err), GW_ECONFLICT);
    assert_string_equal(err.id, "spine_locked");
    assert_string_equal(err.path, f->path);
    assert_int_equal(append_text(f->port, "run", 1, 1, "still mine"), GW_OK);
}

static void refuses_the_schema_of_a_newer_program(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    fixture_execute(f, "PRAGMA user_version=2");
    struct gw_error err;
    assert_int_equal(fixture_try_open(f, &err), GW_ESTATE);
    assert_string_equal(err.id, "spine_newer_schema");
    assert_non_null(strstr(err.message, "schema 2"));
}

static void refuses_a_database_of_another_program(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    unlink(f->path);
    fixture_execute(f, "CREATE TABLE theirs(x)");
    struct gw_error err;
    assert_int_equal(fixture_try_open(f, &err), GW_ESTATE);
    assert_string_equal(err.id, "spine_foreign_database");
}

static void refuses_a_file_that_is_no_database(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    struct gw_error err;
    assert_int_equal(fixture_try_open(f, &err), GW_EIO);
    assert_string_equal(err.id, "spine_io");
}

static void reports_a_record_that_is_missing(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    for (uint64_t seq = 1; seq <= 5; seq++)
        assert_int_equal(append_text(f->port, "run", seq, seq, "x"), GW_OK);
    fixture_execute(f, "DELETE FROM record WHERE first=3");
    struct gw_spine_read read = read_range(f->port, "run", 1, 5, SIZE_MAX);
    assert_int_equal(read.status, GW_EIO);
    assert_string_equal(read.err.id, "spine_hole");
    assert_int_equal(read.record_count, 0);
    assert_int_equal(read_range(f->port, "run", 3, 5, SIZE_MAX).status, GW_EIO);
}

/* ---- queues and threads ------------------------------------------------------------------------------------------------------------- */

enum { CALLS = 64 };

static void start_calls(struct fixture *f, struct inbox *inbox, struct append_call *calls, size_t *answers)
{
    for (size_t i = 0; i < CALLS; i++) {
        char name[16];
        snprintf(name, sizeof name, "run-%zu", i);
        calls[i].request.run = run_key(name);
        calls[i].request.first_seq = 1;
        calls[i].request.last_seq = 1;
        calls[i].request.payload = "payload";
        calls[i].request.payload_length = 7;
        append_start(f->port, inbox, &calls[i], answers);
    }
}

static size_t count_status(const struct append_call *calls, int status)
{
    size_t count = 0;
    for (size_t i = 0; i < CALLS; i++)
        count += calls[i].request.status == status;
    return count;
}

static void commits_many_runs_with_few_syncs(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call *calls = calloc(CALLS, sizeof *calls);
    size_t answers = 0;
    int64_t before = fixture_metric(f, "atoms_spine_syncs_total");
    sqlite3 *blocker = fixture_block_writes(f);
    start_calls(f, &inbox, calls, &answers);
    sqlite3_close(blocker);
    inbox_run_until(&inbox, &answers, CALLS);
    assert_int_equal(count_status(calls, GW_OK), CALLS);
    assert_in_range(fixture_metric(f, "atoms_spine_syncs_total") - before, 1, 2);
    assert_int_equal(fixture_metric(f, "atoms_spine_appends_total"), CALLS);
    inbox_fini(&inbox);
    free(calls);
}

static void syncs_before_each_answer(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        assert_int_equal(append_text(f->port, "run", seq, seq, "x"), GW_OK);
        assert_int_equal(fixture_metric(f, "atoms_spine_syncs_total"), seq);
    }
    assert_int_equal(append_text(f->port, "run", 1, 1, "x"), GW_ECONFLICT);
    assert_int_equal(fixture_metric(f, "atoms_spine_syncs_total"), 10);
    assert_int_equal(fixture_metric(f, "atoms_spine_conflicts_total"), 1);
}

static void refuses_when_the_queue_is_full(void **state)
{
    struct fixture *f = *state;
    f->max_queued_requests = 4;
    fixture_open(f);
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call *calls = calloc(CALLS, sizeof *calls);
    size_t answers = 0;
    sqlite3 *blocker = fixture_block_writes(f);
    start_calls(f, &inbox, calls, &answers);
    sqlite3_close(blocker);
    inbox_run_until(&inbox, &answers, CALLS);
    size_t refused = count_status(calls, GW_EBUSY);
    assert_true(refused > 0);
    assert_int_equal(count_status(calls, GW_OK) + refused, CALLS);
    assert_int_equal(fixture_metric(f, "atoms_spine_refusals_total"), refused);
    assert_int_equal(append_text(f->port, "later", 1, 1, "x"), GW_OK);
    inbox_fini(&inbox);
    free(calls);
}

static void refuses_when_the_queue_holds_too_many_bytes(void **state)
{
    struct fixture *f = *state;
    f->max_queued_bytes = 20;
    fixture_open(f);
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call *calls = calloc(CALLS, sizeof *calls);
    size_t answers = 0;
    sqlite3 *blocker = fixture_block_writes(f);
    start_calls(f, &inbox, calls, &answers);
    sqlite3_close(blocker);
    inbox_run_until(&inbox, &answers, CALLS);
    assert_true(count_status(calls, GW_EBUSY) > 0);
    assert_int_equal(append_text(f->port, "run", 1, 1, "longer than all that may wait"), GW_OK);
    inbox_fini(&inbox);
    free(calls);
}

static void finishes_what_it_admitted_before_it_closes(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call *calls = calloc(CALLS, sizeof *calls);
    size_t answers = 0;
    start_calls(f, &inbox, calls, &answers);
    fixture_close(f);
    inbox_run_until(&inbox, &answers, CALLS);
    assert_int_equal(count_status(calls, GW_OK), CALLS);
    fixture_open(f);
    assert_int_equal(find_tail(f->port, "run-63").tail_seq, 1);
    inbox_fini(&inbox);
    free(calls);
}

/* ---- the write-ahead log ------------------------------------------------------------------------------------------------------------ */

static off_t wal_size(const struct fixture *f)
{
    char name[200];
    struct stat status;
    snprintf(name, sizeof name, "%s-wal", f->path);
    assert_int_equal(stat(name, &status), 0);
    return status.st_size;
}

static void makes_the_log_with_its_size(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    assert_int_equal(wal_size(f), f->wal_bytes);
}

static void keeps_the_log_short_while_it_writes_and_reads(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    char payload[8001];
    memset(payload, 'x', 8000);
    payload[8000] = '\0';
    for (uint64_t seq = 1; seq <= 2000; seq++) {
        assert_int_equal(append_text(f->port, "run", seq, seq, payload), GW_OK);
        struct gw_spine_read read = read_range(f->port, "run", seq / 2 + 1, seq, 50000);
        assert_int_equal(read.status, GW_OK);
        assert_int_equal(read.records[0].first_seq, seq / 2 + 1);
        gw_spine_read_fini(&read);
    }
    assert_true(fixture_metric(f, "atoms_spine_checkpoints_total") > 5);
    assert_int_equal(fixture_metric(f, "atoms_spine_checkpoint_failures_total"), 0);
    assert_true(wal_size(f) <= (off_t)f->wal_bytes * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_its_files_for_the_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_everything_across_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_refused_while_another_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_the_schema_of_a_newer_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_database_of_another_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_file_that_is_no_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reports_a_record_that_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commits_many_runs_with_few_syncs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(syncs_before_each_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_when_the_queue_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_when_the_queue_holds_too_many_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finishes_what_it_admitted_before_it_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_the_log_with_its_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_log_short_while_it_writes_and_reads, set_up, tear_down),
    };
    int failures = conformance_run("sqlite spine: conformance", open_subject);
    return failures + cmocka_run_group_tests_name("sqlite spine", tests, NULL, NULL);
}
