/* Who is there, and whose turn it is to be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "hub/presence.h"

static void join(struct gw_presence *presence, const char *actor_id)
{
    struct gw_arrival who = {.actor = {.kind = GW_ACTOR_USER}};
    memcpy(who.actor.id, actor_id, strlen(actor_id) + 1);
    assert_int_equal(gw_presence_join(presence, &who, 1), GW_OK);
}

static void leave(struct gw_presence *presence, const char *actor_id) { gw_presence_leave(presence, actor_id, 0); }

/* The ids of the next so many, who are told. */
static void assert_told(struct gw_presence *presence, const char *ids)
{
    for (; *ids; ids++) {
        const struct gw_present *present = gw_presence_next(presence);
        assert_non_null(present);
        assert_int_equal(present->who.actor.id[0], *ids);
        gw_presence_settle(presence);
    }
}

static void assert_none_is_left(struct gw_presence *presence)
{
    assert_null(gw_presence_next(presence));
    assert_false(gw_presence_has_changed(presence));
}

static void who_changes_all_the_time_keeps_nobody_waiting(void **state)
{
    struct gw_presence *presence = gw_presence_create(8);
    (void)state;
    join(presence, "a");
    join(presence, "c");
    join(presence, "b");
    assert_told(presence, "a");
    leave(presence, "a");
    assert_told(presence, "b");
    join(presence, "d");
    assert_told(presence, "cda");
    assert_none_is_left(presence);
    assert_int_equal(gw_presence_count(presence), 3);
    gw_presence_renew(presence);
    assert_told(presence, "bcd");
    assert_none_is_left(presence);
    gw_presence_destroy(presence);
}

static void who_has_gone_is_there_until_it_is_told(void **state)
{
    struct gw_presence *presence = gw_presence_create(8);
    (void)state;
    join(presence, "a");
    join(presence, "b");
    assert_told(presence, "ab");
    leave(presence, "b");
    assert_int_equal(gw_presence_count(presence), 2);
    assert_told(presence, "b");
    assert_int_equal(gw_presence_count(presence), 1);
    leave(presence, "a");
    assert_told(presence, "a");
    assert_none_is_left(presence);
    assert_int_equal(gw_presence_count(presence), 0);
    join(presence, "z");
    assert_told(presence, "z");
    gw_presence_destroy(presence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_changes_all_the_time_keeps_nobody_waiting),
        cmocka_unit_test(who_has_gone_is_there_until_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
