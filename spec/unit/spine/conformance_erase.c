/* What is taken away, and what stands in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spine/conformance_steps.h"

static void refuses_to_read_below_the_floor(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_int_equal(erase_below(port, "run", 5), GW_OK);
    assert_int_equal(find_tail(port, "run").floor_seq, 5);
    assert_int_equal(find_tail(port, "run").tail_seq, 10);
    assert_int_equal(read_range(port, "run", 4, 10, SIZE_MAX).status, GW_ENOTFOUND);
    assert_range(port, 5, 10, SIZE_MAX, FIRSTS(5, 6, 10, 0));
    assert_int_equal(append_text(port, "run", 11, 11, "after the cut"), GW_OK);
}

static void remembers_the_tail_of_a_run_that_was_cut_whole(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_int_equal(erase_below(port, "run", 11), GW_OK);
    assert_int_equal(erase_below(port, "run", 12), GW_EINVAL);
    assert_int_equal(erase_below(port, "run", 3), GW_OK); /* never lower */
    assert_int_equal(find_tail(port, "run").floor_seq, 11);
    assert_int_equal(find_tail(port, "run").tail_seq, 10);
    assert_int_equal(append_text(port, "run", 1, 1, "old"), GW_ECONFLICT);
    assert_int_equal(append_text(port, "run", 11, 11, "new"), GW_OK);
    assert_range(port, 11, 11, SIZE_MAX, FIRSTS(11, 0));
}

/* What a floor takes with it: checkpoints that need records below it, but no keys, which hold nobody's words. */
static void drops_the_checkpoints_below_a_floor(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_int_equal(put_blob_of(port, "run", GW_SPINE_KEY_PAGE, 3, 0, CHUNKS("page")), GW_OK);
    for (uint64_t seq = 3; seq <= 10; seq++)
        assert_int_equal(put_blob(port, "run", seq, 0, CHUNKS("a", "b")), GW_OK);
    assert_int_equal(erase_below(port, "run", 5), GW_OK);
    assert_blob(port, 4, 4, CHUNKS("a", "b"));
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, 3).status, GW_ENOTFOUND);
    struct gw_spine_get page = get_blob(port, "run", GW_SPINE_KEY_PAGE, UINT64_MAX);
    assert_int_equal(page.seq, 3);
    gw_spine_get_fini(&page);
}

static void forgets_a_run_that_is_erased_whole(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    fill(port, "other");
    assert_int_equal(put_blob(port, "run", 10, 0, CHUNKS("a")), GW_OK);
    assert_int_equal(erase_below(port, "run", 0), GW_OK);
    assert_int_equal(erase_below(port, "never there", 0), GW_OK);
    assert_int_equal(find_tail(port, "run").tail_seq, 0);
    assert_int_equal(find_tail(port, "run").floor_seq, 1);
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, UINT64_MAX).status, GW_ENOTFOUND);
    assert_int_equal(append_text(port, "run", 1, 1, "a new life"), GW_OK);
    assert_range(port, 1, 1, SIZE_MAX, FIRSTS(1, 0));
    assert_int_equal(find_tail(port, "other").tail_seq, 10);
}

/* ---- what is kept ------------------------------------------------------------------------------------------------------------------- */

static void puts_what_is_kept_in_the_place_of_what_goes(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    assert_int_equal(put_blob(port, "run", 5, 0, CHUNKS("older")), GW_OK);
    assert_int_equal(put_blob(port, "run", 10, 0, CHUNKS("with", "secrets")), GW_OK);
    assert_int_equal(put_blob_of(port, "run", GW_SPINE_AUTHORS, 5, 0, CHUNKS("who")), GW_OK);
    const struct gw_spine_kept kept[] = {{GW_SPINE_CHECKPOINT, CHUNKS("without", "", "them"), (size_t[]){7, 0, 4}, 3},
                                         {GW_SPINE_KEY_PAGE, CHUNKS("page"), (size_t[]){4}, 1},
                                         {GW_SPINE_AUTHORS, CHUNKS("others"), (size_t[]){6}, 1}};
    assert_int_equal(erase_keeping(port, "run", 11, kept, 3), GW_OK);
    assert_blob(port, UINT64_MAX, 10, CHUNKS("without", "", "them"));
    assert_blob_of(port, GW_SPINE_KEY_PAGE, UINT64_MAX, 10, CHUNKS("page"));
    assert_blob_of(port, GW_SPINE_AUTHORS, UINT64_MAX, 10, CHUNKS("others"));
    assert_int_equal(get_blob(port, "run", GW_SPINE_CHECKPOINT, 9).status, GW_ENOTFOUND);
    assert_int_equal(get_blob(port, "run", GW_SPINE_AUTHORS, 9).status, GW_ENOTFOUND);
    assert_int_equal(append_text(port, "run", 11, 11, "goes on"), GW_OK);
    assert_int_equal(put_blob(port, "run", 11, 0, CHUNKS("newer")), GW_OK);
    assert_blob(port, UINT64_MAX, 11, CHUNKS("newer"));
}

static void keeps_nothing_when_it_erases_nothing(void **state)
{
    const struct gw_spine *port = port_of(state);
    fill(port, "run");
    const struct gw_spine_kept kept = {GW_SPINE_CHECKPOINT, CHUNKS("x"), (size_t[]){1}, 1}, none = {.kind = GW_SPINE_CHECKPOINT};
    assert_int_equal(erase_keeping(port, "run", 12, &kept, 1), GW_EINVAL);
    assert_int_equal(erase_keeping(port, "run", 0, &kept, 1), GW_EINVAL);
    assert_int_equal(erase_keeping(port, "run", 5, &none, 1), GW_EINVAL);
    assert_range(port, 1, 10, SIZE_MAX, FIRSTS(1, 2, 5, 6, 10, 0));
    assert_int_equal(erase_keeping(port, "run", 5, &kept, 1), GW_OK);
    assert_int_equal(erase_keeping(port, "run", 5, &none, 0), GW_OK);
    assert_blob(port, UINT64_MAX, 4, CHUNKS("x"));
}

/* ---- the suite ---------------------------------------------------------------------------------------------------------------------- */

int conformance_erase_run(const char *driver_name, struct subject *(*open)(void))
{
    struct opener opener = {open};
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(refuses_to_read_below_the_floor),
        BEHAVIOUR(remembers_the_tail_of_a_run_that_was_cut_whole),
        BEHAVIOUR(drops_the_checkpoints_below_a_floor),
        BEHAVIOUR(forgets_a_run_that_is_erased_whole),
        BEHAVIOUR(puts_what_is_kept_in_the_place_of_what_goes),
        BEHAVIOUR(keeps_nothing_when_it_erases_nothing),
    };
    return _cmocka_run_group_tests(driver_name, tests, sizeof tests / sizeof *tests, NULL, NULL);
}
