#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/id.h"

static bool accepts(const char *text) { return gw_id_is_valid(text, strlen(text)); }
static bool accepts_actor(const char *text) { return gw_id_is_valid_actor(text, strlen(text)); }

static void accepts_words_dots_and_dashes(void **state)
{
    (void)state;
    assert_true(accepts("a"));
    assert_true(accepts("Run_7-b.final"));
    assert_true(accepts("-n"));
    assert_true(accepts("_"));
}

static void refuses_what_a_path_or_a_key_could_misread(void **state)
{
    (void)state;
    const char *const bad[] = {"",    ".",   "..",  ".hidden", "a/b",      "a#b",  "a>b", "a*b",
                               "a b", "a:b", "a@b", "a\n",     "\xc3\xa9", "a%2f", "a\\b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(accepts(bad[i]));
    assert_false(gw_id_is_valid("a\0b", 3));
}

static void refuses_more_than_64_characters(void **state)
{
    (void)state;
    char id[GW_ID_MAX + 1];
    memset(id, 'a', sizeof id);
    assert_true(gw_id_is_valid(id, GW_ID_MAX));
    assert_false(gw_id_is_valid(id, GW_ID_MAX + 1));
}

static void lets_actors_hold_colons_and_at_signs(void **state)
{
    (void)state;
    assert_true(accepts_actor("agent:planner@eu.1"));
    assert_false(accepts_actor("a/b"));
    assert_false(accepts_actor(""));
}

static void joins_a_run_key_with_a_character_no_id_holds(void **state)
{
    (void)state;
    struct gw_scope scope = {.tenant_id = "acme", .mode = "dev", .project_id = "p.1", .surface_id = "s", .app_id = "a", .run_id = "r-1"};
    struct gw_run_key key;
    gw_run_key_encode(&scope, &key);
    assert_string_equal(key.text, "acme/dev/p.1/r-1");
}

static void fits_the_longest_run_key(void **state)
{
    (void)state;
    struct gw_scope scope = {.surface_id = "s"};
    struct gw_run_key key;
    memset(scope.tenant_id, 't', GW_ID_MAX);
    memset(scope.mode, 'm', GW_ID_MAX);
    memset(scope.project_id, 'p', GW_ID_MAX);
    memset(scope.run_id, 'r', GW_ID_MAX);
    gw_run_key_encode(&scope, &key);
    assert_int_equal(strlen(key.text), GW_RUN_KEY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_words_dots_and_dashes),
        cmocka_unit_test(refuses_what_a_path_or_a_key_could_misread),
        cmocka_unit_test(refuses_more_than_64_characters),
        cmocka_unit_test(lets_actors_hold_colons_and_at_signs),
        cmocka_unit_test(joins_a_run_key_with_a_character_no_id_holds),
        cmocka_unit_test(fits_the_longest_run_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
