/* Nothing of what was erased is in any file of the database, while it is in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "spine/database_fixture.h"

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_init(f);
    fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static bool is_in_file(const char *path, const char *needle)
{
    struct gw_buffer bytes;
    struct gw_error err;
    gw_buffer_init(&bytes, 0);
    assert_int_equal(gw_file_read(path, 64u << 20, &bytes, &err), GW_OK);
    bool is_found = memmem(bytes.data, bytes.length, needle, strlen(needle)) != NULL;
    gw_buffer_fini(&bytes);
    return is_found;
}

static bool is_in_files(const struct fixture *f, const char *needle)
{
    char wal[200];
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    return is_in_file(f->path, needle) || is_in_file(wal, needle);
}

static void leaves_no_byte_of_a_log_or_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    char payload[9000];
    const char *const chunks[] = {"a secret of the checkpoint", NULL};
    snprintf(payload, sizeof payload, "a secret of the log%8900s", "");
    for (uint64_t seq = 1; seq <= 20; seq++)
        assert_int_equal(append_text(f->port, "run", seq, seq, payload), GW_OK);
    assert_int_equal(put_blob(f->port, "run", 20, 0, chunks), GW_OK);
    assert_true(is_in_files(f, "a secret of the log") && is_in_files(f, "a secret of the checkpoint"));
    assert_int_equal(append_text(f->port, "run", 21, 21, "innocent"), GW_OK);
    assert_int_equal(erase_below(f->port, "run", 22), GW_OK);
    assert_false(is_in_files(f, "a secret of the log") || is_in_files(f, "a secret of the checkpoint"));
    assert_int_equal(append_text(f->port, "run", 22, 22, "goes on"), GW_OK);
}

/* Pages that are merged move the records of neighbours: no copy of those may stay behind when they go in their turn. */
static void leaves_no_copy_that_a_neighbour_made(void **state)
{
    enum { RUNS = 12, RECORDS = 150 };
    struct fixture *f = *state;
    char payload[2600], run[16], secret[32];
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        for (unsigned r = 0; r < RUNS; r++) {
            snprintf(run, sizeof run, "run%u", r);
            int size = (int)((seq * 7919 + r * 104729) % (r % 3 == 0 ? 2500 : 300));
            snprintf(payload, sizeof payload, "secret%02u%*s.secret%02u", r, size, "", r);
            assert_int_equal(append_text(f->port, run, seq, seq, payload), GW_OK);
        }
    for (unsigned i = 0; i < RUNS; i++) {
        unsigned r = i * 5 % RUNS;
        snprintf(run, sizeof run, "run%u", r);
        snprintf(secret, sizeof secret, "secret%02u", r);
        if (i % 2)
            assert_int_equal(erase_below(f->port, run, RECORDS / 2), GW_OK);
        assert_true(is_in_files(f, secret));
        assert_int_equal(erase_below(f->port, run, 0), GW_OK);
        assert_false(is_in_files(f, secret));
    }
}

static void is_clean_after_readers_and_restarts(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seq = 1; seq <= 300; seq++) {
        assert_int_equal(append_text(f->port, "run", seq, seq, "a secret"), GW_OK);
        assert_int_equal(append_text(f->port, "other", seq, seq, "of others"), GW_OK);
    }
    struct gw_spine_read read = read_range(f->port, "run", 1, 300, SIZE_MAX);
    gw_spine_read_fini(&read);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(erase_below(f->port, "run", 0), GW_OK);
    assert_false(is_in_files(f, "a secret"));
    read = read_range(f->port, "other", 1, 300, SIZE_MAX);
    assert_int_equal(read.record_count, 300);
    gw_spine_read_fini(&read);
    assert_int_equal(append_text(f->port, "run", 1, 1, "a new life"), GW_OK);
}

/* More than its cache holds. */
static void erases_a_run_larger_than_its_memory(void **state)
{
    enum { RECORDS = 48, BYTES = 1 << 20 };
    struct fixture *f = *state;
    char *payload = malloc(BYTES + 1);
    assert_non_null(payload);
    memset(payload, 's', BYTES);
    payload[BYTES] = '\0';
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        assert_int_equal(append_text(f->port, "run", seq, seq, payload), GW_OK);
    assert_int_equal(append_text(f->port, "other", 1, 1, "of others"), GW_OK);
    assert_int_equal(erase_below(f->port, "run", 0), GW_OK);
    assert_false(is_in_files(f, "ssssssss"));
    assert_int_equal(find_tail(f->port, "run").tail_seq, 0);
    assert_int_equal(find_tail(f->port, "other").tail_seq, 1);
    free(payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leaves_no_byte_of_a_log_or_a_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_no_copy_that_a_neighbour_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_clean_after_readers_and_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erases_a_run_larger_than_its_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sqlite erase", tests, NULL, NULL);
}
