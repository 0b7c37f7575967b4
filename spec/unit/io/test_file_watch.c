#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file_watch.h"
#include "loop_fixture.h"

#define SETTLE_MS 20
#define QUIET_MS  80

struct watched {
    struct fixture fixture;
    char folder[32];
    char path[48];
    struct gw_file_watch *watch;
    int change_count;
};

static void on_change(void *arg, const char *path)
{
    struct watched *watched = arg;
    assert_string_equal(path, watched->path);
    watched->change_count++;
    gw_loop_stop(watched->fixture.loop);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void rename_in(const char *folder, const char *from, const char *to)
{
    char old_path[64], new_path[64];
    snprintf(old_path, sizeof old_path, "%s/%s", folder, from);
    snprintf(new_path, sizeof new_path, "%s/%s", folder, to);
    assert_int_equal(rename(old_path, new_path), 0);
}

static void link_in(const char *folder, const char *target, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(symlink(target, path), 0);
}

static void remove_in(const char *folder, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void watched_init(struct watched *watched)
{
    memset(watched, 0, sizeof *watched);
    fixture_init(&watched->fixture);
    snprintf(watched->folder, sizeof watched->folder, "/tmp/gw-spec-XXXXXX");
    assert_non_null(mkdtemp(watched->folder));
}

/* `name` "" watches the folder itself. */
static void watched_open(struct watched *watched, const char *name)
{
    struct gw_error err;
    snprintf(watched->path, sizeof watched->path, "%s%s%s", watched->folder, *name ? "/" : "", name);
    const struct gw_file_watch_opts opts = {.path = watched->path, .settle_ms = SETTLE_MS, .on_change = on_change, .arg = watched};
    assert_int_equal(gw_file_watch_open(watched->fixture.loop, &opts, &watched->watch, &err), 0);
}

static void watched_fini(struct watched *watched)
{
    static const char *const names[] = {"a", "b", "v1", "v2", "current", "next"};
    gw_file_watch_close(watched->watch);
    fixture_fini(&watched->fixture);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_in(watched->folder, names[i]);
    assert_int_equal(rmdir(watched->folder), 0);
}

static void tells_once_of_a_file_written_in_pieces(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    write_text(watched.folder, "a", "1");
    watched_open(&watched, "a");
    write_text(watched.folder, "a", "12");
    write_text(watched.folder, "a", "123");
    fixture_run(&watched.fixture);
    fixture_run_for(&watched.fixture, QUIET_MS);
    assert_int_equal(watched.change_count, 1);
    write_text(watched.folder, "a", "1234");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 2);
    watched_fini(&watched);
}

static void sees_a_file_replaced_by_rename(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    write_text(watched.folder, "a", "old");
    watched_open(&watched, "a");
    write_text(watched.folder, "next", "new");
    rename_in(watched.folder, "next", "a");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 1);
    watched_fini(&watched);
}

static void sees_a_symbolic_link_switched(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    write_text(watched.folder, "v1", "one");
    write_text(watched.folder, "v2", "two");
    link_in(watched.folder, "v1", "current");
    watched_open(&watched, "current");
    link_in(watched.folder, "v2", "next");
    rename_in(watched.folder, "next", "current");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 1);
    watched_fini(&watched);
}

static void ignores_the_neighbours_of_a_file_and_its_absence(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    write_text(watched.folder, "a", "1");
    watched_open(&watched, "a");
    write_text(watched.folder, "b", "neighbour");
    remove_in(watched.folder, "a");
    fixture_run_for(&watched.fixture, QUIET_MS);
    assert_int_equal(watched.change_count, 0);
    write_text(watched.folder, "a", "back");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 1);
    watched_fini(&watched);
}

static void sees_the_entries_of_a_directory(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    watched_open(&watched, "");
    write_text(watched.folder, "a", "1");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 1);
    remove_in(watched.folder, "a");
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 2);
    watched_fini(&watched);
}

struct scribbler {
    struct gw_alarm *alarm;
    struct watched *watched;
    int count;
};

static void on_scribble(void *arg)
{
    struct scribbler *scribbler = arg;
    char text[16];
    snprintf(text, sizeof text, "%d", scribbler->count++);
    write_text(scribbler->watched->folder, "a", text);
}

static void tells_of_a_file_that_never_comes_to_rest(void **state)
{
    struct watched watched;
    (void)state;
    watched_init(&watched);
    write_text(watched.folder, "a", "x");
    watched_open(&watched, "a");
    struct scribbler scribbler = {.watched = &watched};
    scribbler.alarm = gw_alarm_create(watched.fixture.loop, on_scribble, &scribbler);
    gw_alarm_start(scribbler.alarm, 1, SETTLE_MS / 4);
    fixture_run(&watched.fixture);
    assert_int_equal(watched.change_count, 1);
    gw_alarm_close(scribbler.alarm);
    watched_fini(&watched);
}

static void says_that_there_is_nothing_to_watch(void **state)
{
    struct fixture fixture;
    struct gw_file_watch *watch = NULL;
    struct gw_error err;
    (void)state;
    fixture_init(&fixture);
    const struct gw_file_watch_opts opts = {.path = "/nowhere/at/all", .on_change = on_change};
    assert_int_equal(gw_file_watch_open(fixture.loop, &opts, &watch, &err), GW_ENOTFOUND);
    assert_string_equal(err.id, "file_not_found");
    assert_null(watch);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_once_of_a_file_written_in_pieces), cmocka_unit_test(sees_a_file_replaced_by_rename),
        cmocka_unit_test(sees_a_symbolic_link_switched),          cmocka_unit_test(ignores_the_neighbours_of_a_file_and_its_absence),
        cmocka_unit_test(sees_the_entries_of_a_directory),        cmocka_unit_test(tells_of_a_file_that_never_comes_to_rest),
        cmocka_unit_test(says_that_there_is_nothing_to_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
