#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "script/sources.h"

static int add(struct gw_sources *sources, const char *module, const char *text, size_t length, struct gw_error *err)
{
    struct gw_source source = {module, "some/file.lua", text, length};
    return gw_sources_add(sources, &source, err);
}

static void files_are_found_by_module_and_listed_in_order(void **state)
{
    (void)state;
    struct gw_error err = {0};
    struct gw_sources *sources = gw_sources_create();
    assert_int_equal(add(sources, "b", "two", 3, &err), 0);
    assert_int_equal(add(sources, "a", "one", 3, &err), 0);
    assert_int_equal(add(sources, "a.c", "three", 5, &err), 0);
    assert_int_equal(gw_sources_count(sources), 3);
    assert_string_equal(gw_sources_at(sources, 0)->module, "a");
    assert_string_equal(gw_sources_at(sources, 1)->module, "a.c");
    assert_string_equal(gw_sources_at(sources, 2)->text, "two");
    assert_null(gw_sources_at(sources, 3));
    assert_int_equal(gw_sources_find(sources, "a.c")->length, 5);
    assert_null(gw_sources_find(sources, "c"));
    assert_int_equal(add(sources, "a", "again", 5, &err), GW_ECONFLICT);
    assert_string_equal(err.id, "source_exists");
    assert_string_equal(err.path, "some/file.lua");
    gw_sources_unref(sources);
}

static void the_digest_is_of_names_and_texts_whatever_their_order(void **state)
{
    (void)state;
    static const char *const sets[][4] = {
        {"a", "one", "b", "two"}, {"b", "two", "a", "one"}, {"a", "onet", "b", "wo"}, {"a", "one", "c", "two"}, {"ao", "ne", "b", "two"}};
    uint8_t digests[5][32];
    struct gw_error err;
    for (size_t i = 0; i < 5; i++) {
        struct gw_sources *sources = gw_sources_create();
        for (size_t k = 0; k < 4; k += 2)
            assert_int_equal(add(sources, sets[i][k], sets[i][k + 1], strlen(sets[i][k + 1]), &err), 0);
        gw_sources_digest(sources, digests[i]);
        gw_sources_unref(sources);
    }
    assert_memory_equal(digests[0], digests[1], 32);
    for (size_t i = 2; i < 5; i++)
        assert_memory_not_equal(digests[0], digests[i], 32);
}

static void a_set_has_limits(void **state)
{
    (void)state;
    struct gw_error err;
    struct gw_sources *sources = gw_sources_create();
    char *large = calloc(1, GW_SOURCES_MAX_FILE_BYTES + 1), name[GW_MODULE_NAME_MAX + 2];
    assert_int_equal(add(sources, "large", large, GW_SOURCES_MAX_FILE_BYTES + 1, &err), GW_ELIMIT);
    assert_string_equal(err.id, "source_too_large");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(add(sources, name, "", 0, &err), GW_EINVAL);
    assert_int_equal(add(sources, "", "", 0, &err), GW_EINVAL);
    for (unsigned i = 0; i < GW_SOURCES_MAX_BYTES / GW_SOURCES_MAX_FILE_BYTES; i++) {
        snprintf(name, sizeof name, "large%u", i);
        assert_int_equal(add(sources, name, large, GW_SOURCES_MAX_FILE_BYTES, &err), 0);
    }
    assert_int_equal(add(sources, "more", "x", 1, &err), GW_ELIMIT);
    assert_string_equal(err.id, "sources_too_large");
    while (gw_sources_count(sources) < GW_SOURCES_MAX_FILES) {
        snprintf(name, sizeof name, "small%zu", gw_sources_count(sources));
        assert_int_equal(add(sources, name, "", 0, &err), 0);
    }
    assert_int_equal(add(sources, "more", "", 0, &err), GW_ELIMIT);
    assert_string_equal(err.id, "sources_too_many");
    gw_sources_unref(sources);
    free(large);
}

static void a_file_of_several_names_counts_once(void **state)
{
    (void)state;
    struct gw_error err;
    struct gw_sources *sources = gw_sources_create(), *other = gw_sources_create();
    char *large = calloc(1, GW_SOURCES_MAX_FILE_BYTES), name[32], alias[32];
    for (unsigned i = 0; i < GW_SOURCES_MAX_FILES; i++) {
        bool is_large = i < GW_SOURCES_MAX_BYTES / GW_SOURCES_MAX_FILE_BYTES;
        snprintf(name, sizeof name, "policy.f%u", i);
        snprintf(alias, sizeof alias, "defaults.f%u", i);
        assert_int_equal(add(sources, name, large, is_large ? GW_SOURCES_MAX_FILE_BYTES : 0, &err), 0);
        assert_int_equal(gw_sources_alias(sources, name, alias, &err), 0);
    }
    assert_int_equal(gw_sources_count(sources), 2 * GW_SOURCES_MAX_FILES);
    assert_int_equal(gw_sources_file_count(sources), GW_SOURCES_MAX_FILES);
    assert_ptr_equal(gw_sources_find(sources, "policy.f3")->text, gw_sources_find(sources, "defaults.f3")->text);
    assert_string_equal(gw_sources_find(sources, "defaults.f3")->path, "some/file.lua");
    assert_int_equal(gw_sources_alias(sources, "policy.f1", "defaults.f2", &err), GW_ECONFLICT);
    for (size_t i = 0; i < gw_sources_count(sources); i++)
        assert_int_equal(gw_sources_share(other, sources, i, &err), 0);
    gw_sources_unref(sources);
    assert_int_equal(gw_sources_file_count(other), GW_SOURCES_MAX_FILES);
    assert_int_equal(add(other, "more", "", 0, &err), GW_ELIMIT);
    gw_sources_unref(other);
    free(large);
}

static void a_lost_allocation_leaves_the_set_as_it_was(void **state)
{
    (void)state;
    struct gw_error err;
    for (long n = 1; n <= 6; n++) {
        struct gw_sources *sources = gw_sources_create();
        assert_int_equal(add(sources, "b", "two", 3, &err), 0);
        gw_alloc_fail_after(n);
        assert_int_equal(add(sources, "a", "one", 3, &err), GW_ENOMEM);
        gw_alloc_fail_after(0);
        assert_int_equal(gw_sources_count(sources), 1);
        assert_int_equal(gw_sources_file_count(sources), 1);
        assert_int_equal(add(sources, "a", "one", 3, &err), 0);
        gw_sources_unref(sources);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_by_module_and_listed_in_order),
        cmocka_unit_test(the_digest_is_of_names_and_texts_whatever_their_order),
        cmocka_unit_test(a_set_has_limits),
        cmocka_unit_test(a_file_of_several_names_counts_once),
        cmocka_unit_test(a_lost_allocation_leaves_the_set_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
