/* Runs of a log that cannot be folded: told, and the others are looked through all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/run_check.h"
#include "base/error.h"
#include "hub/manifest.h"

#define SCHEMA                                                                                                                             \
    "CREATE TABLE run(id INTEGER PRIMARY KEY, name TEXT, floor INTEGER);"                                                                  \
    "CREATE TABLE record(run INTEGER, first INTEGER, last INTEGER, payload BLOB);"                                                         \
    "CREATE TABLE blob(run INTEGER, kind INTEGER, seq INTEGER, chunk INTEGER, bytes BLOB);"

/* value: a database and what was told of it, "run:id;" each */
struct world {
    char path[64];
    struct gw_manifests *manifests;
    char told[512];
};

static int setup(void **state)
{
    static struct world world;
    world = (struct world){.path = "/tmp/atoms-runs-XXXXXX", .manifests = gw_manifests_create()};
    int fd = mkstemp(world.path);
    *state = &world;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    struct world *world = *state;
    gw_manifests_unref(world->manifests);
    return unlink(world->path);
}

static void fill(const struct world *world, const char *statements)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, SCHEMA, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void on_misfit(void *arg, const char *run, const struct gw_state_misfit *misfit)
{
    (void)arg;
    (void)misfit;
    fail_msg("%s holds nothing", run);
}

static void on_damaged(void *arg, const char *run, const struct gw_error *err)
{
    struct world *world = arg;
    size_t length = strlen(world->told);
    snprintf(world->told + length, sizeof world->told - length, "%s:%s;", run, err->id);
}

static struct gw_run_check look(struct world *world)
{
    struct gw_error err;
    struct gw_run_check check = {
        .spine = world->path, .manifests = world->manifests, .found = on_misfit, .damaged = on_damaged, .arg = world};
    if (gw_run_check_all(&check, &err))
        fail_msg("%s", err.message);
    return check;
}

static void a_damaged_record_ends_its_run_alone(void **state)
{
    struct world *world = *state;
    fill(world, "INSERT INTO run VALUES(1,'t/dev/p/a',1),(2,'t/dev/p/b',1),(3,'t/dev/p/c',1);"
                "INSERT INTO record VALUES(2,1,1,'{}'),(2,2,2,'nor this');");
    struct gw_run_check check = look(world);
    assert_string_equal(world->told, "t/dev/p/b:record_damaged;");
    assert_int_equal(check.run_count, 3);
    assert_int_equal(check.damaged_count, 1);
}

static void a_damaged_checkpoint_ends_its_run_alone(void **state)
{
    struct world *world = *state;
    fill(world, "INSERT INTO run VALUES(1,'t/dev/p/a',1),(2,'t/dev/p/b',1);"
                "INSERT INTO blob VALUES(1,0,5,0,'no'),(1,0,5,1,'checkpoint'),(2,1,5,0,'a page of keys is none of this');"
                "INSERT INTO record VALUES(1,6,6,'is not looked at');");
    struct gw_run_check check = look(world);
    assert_string_equal(world->told, "t/dev/p/a:checkpoint_damaged;");
    assert_int_equal(check.run_count, 2);
}

static void what_is_no_spine_is_an_error(void **state)
{
    const struct world *world = *state;
    struct gw_error err;
    struct gw_run_check check = {.spine = "/tmp/atoms-no-such-spine", .manifests = world->manifests};
    assert_int_equal(gw_run_check_all(&check, &err), GW_ENOTFOUND);
    assert_string_equal(err.id, "spine_missing");
    check.spine = world->path;
    assert_int_equal(gw_run_check_all(&check, &err), GW_EIO);
    assert_string_equal(err.id, "spine_io");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_record_ends_its_run_alone),
        TEST(a_damaged_checkpoint_ends_its_run_alone),
        TEST(what_is_no_spine_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
