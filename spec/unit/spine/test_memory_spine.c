#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "spine/calls.h"
#include "spine/conformance.h"
#include "spine/memory/memory_faults.h"
#include "spine/memory/memory_spine.h"

struct memory_subject {
    struct subject subject; /* first */
    struct gw_memory_spine *spine;
};

static void close_subject(struct subject *subject)
{
    gw_memory_spine_destroy(((struct memory_subject *)(void *)subject)->spine);
    free(subject);
}

static struct subject *open_subject(void)
{
    struct memory_subject *opened = calloc(1, sizeof *opened);
    opened->spine = gw_memory_spine_create(gw_clock_system(), 0);
    opened->subject = (struct subject){gw_memory_spine_port(opened->spine), close_subject};
    return &opened->subject;
}

/* ---- its maximum and its faults ----------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    *state = gw_memory_spine_create(gw_clock_system(), 100);
    return 0;
}

static int tear_down(void **state)
{
    gw_memory_spine_destroy(*state);
    return 0;
}

static void refuses_what_exceeds_its_maximum(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    char payload[101];
    for (size_t i = 0; i < 100; i++)
        payload[i] = 'x';
    payload[100] = '\0';
    const char *const chunks[] = {"x", NULL};
    assert_int_equal(append_text(port, "run", 1, 1, payload), GW_OK);
    assert_int_equal(append_text(port, "run", 2, 2, "x"), GW_EIO);
    assert_int_equal(put_blob(port, "run", 1, 0, chunks), GW_EIO);
    assert_int_equal(erase_below(port, "run", 2), GW_OK);
    assert_int_equal(append_text(port, "run", 2, 2, "x"), GW_OK);
    assert_int_equal(put_blob(port, "run", 1, 0, chunks), GW_OK);
}

static void counts_dropped_blobs_as_room(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    const char *const chunks[] = {"0123456789012345678901234567890123456789", NULL};
    for (uint64_t seq = 1; seq < 20; seq++)
        assert_int_equal(put_blob(port, "run", seq, 1, chunks), GW_OK);
}

static void fails_appends_as_ordered(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    gw_memory_spine_fail_appends(*state, GW_EIO, 2);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_EIO);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_EIO);
    assert_int_equal(find_tail(port, "run").tail_seq, 0);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_OK);
}

static void fails_reads_as_ordered(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    gw_memory_spine_fail_reads(*state, GW_EIO, 1);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_OK);
    assert_int_equal(find_tail(port, "run").status, GW_EIO);
    assert_int_equal(find_tail(port, "run").tail_seq, 1);
}

static void loses_an_append_that_it_stored(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    gw_memory_spine_lose_append(*state, true);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_EUNKNOWN_OUTCOME);
    assert_int_equal(find_tail(port, "run").tail_seq, 1);
    assert_int_equal(append_text(port, "run", 2, 2, "x"), GW_OK);
}

static void loses_an_append_that_it_dropped(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    gw_memory_spine_lose_append(*state, false);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_EUNKNOWN_OUTCOME);
    assert_int_equal(find_tail(port, "run").tail_seq, 0);
    assert_int_equal(append_text(port, "run", 1, 1, "x"), GW_OK);
}

static void holds_completions_until_they_are_released(void **state)
{
    const struct gw_spine *port = gw_memory_spine_port(*state);
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct append_call calls[2] = {{.request = {.run = run_key("run"), .first_seq = 1, .last_seq = 1, .payload = ""}},
                                   {.request = {.run = run_key("run"), .first_seq = 2, .last_seq = 2, .payload = ""}}};
    gw_memory_spine_hold(*state);
    append_start(port, &inbox, &calls[0], &answers);
    append_start(port, &inbox, &calls[1], &answers);
    assert_false(inbox_has_task(&inbox));
    assert_int_equal(gw_memory_spine_held_count(*state), 2);
    assert_int_equal(gw_memory_spine_release(*state, 1), 1);
    inbox_run_until(&inbox, &answers, 1);
    assert_true(calls[0].is_answered);
    assert_false(calls[1].is_answered);
    assert_int_equal(gw_memory_spine_release(*state, SIZE_MAX), 1);
    inbox_run_until(&inbox, &answers, 2);
    assert_int_equal(append_text(port, "run", 3, 3, "not held"), GW_OK);
    inbox_fini(&inbox);
}

/* One append, one put and their reads, with the n-th allocation failing. True when nothing failed any more. */
static bool survives_failure_of_allocation(long n)
{
    struct gw_memory_spine *spine = gw_memory_spine_create(gw_clock_system(), 0);
    const struct gw_spine *port = gw_memory_spine_port(spine);
    const char *const chunks[] = {"a", "b", NULL};
    gw_alloc_fail_after(n);
    int append = append_text(port, "run", 1, 1, "x");
    int put = put_blob(port, "run", 1, 0, chunks);
    struct gw_spine_read read = read_range(port, "run", 1, 1, SIZE_MAX);
    struct gw_spine_get get = get_blob(port, "run", GW_SPINE_CHECKPOINT, 1);
    gw_alloc_fail_after(0);
    assert_true(append == GW_OK || append == GW_EIO);
    assert_true(put == GW_OK || put == GW_EIO);
    assert_true(read.status == GW_ENOMEM || read.record_count == (append == GW_OK));
    assert_true(get.status == GW_ENOMEM || get.status == (put == GW_OK ? GW_OK : GW_ENOTFOUND));
    bool is_whole = append == GW_OK && put == GW_OK && read.status == GW_OK && get.status == GW_OK;
    gw_spine_read_fini(&read);
    gw_spine_get_fini(&get);
    assert_int_equal(append_text(port, "run", append == GW_OK ? 2 : 1, 2, "x"), GW_OK);
    gw_memory_spine_destroy(spine);
    return is_whole;
}

static void survives_the_failure_of_every_allocation(void **state)
{
    (void)state;
    long n = 1;
    while (!survives_failure_of_allocation(n))
        assert_in_range(++n, 1, 100);
    assert_in_range(n, 10, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_what_exceeds_its_maximum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_dropped_blobs_as_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fails_appends_as_ordered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fails_reads_as_ordered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loses_an_append_that_it_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loses_an_append_that_it_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holds_completions_until_they_are_released, set_up, tear_down),
        cmocka_unit_test(survives_the_failure_of_every_allocation),
    };
    int failures = conformance_run("memory spine: conformance", open_subject);
    return failures + cmocka_run_group_tests_name("memory spine", tests, NULL, NULL);
}
