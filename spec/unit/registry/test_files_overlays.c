/* The overlay port over a folder: versions that are whole, that nothing changes, and of which the newest counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "registry/files/files_overlays.h"

/* value */
struct world {
    char root[64];
    struct gw_files_overlays *overlays;
    const struct gw_overlays *port;
};

static void run(const char *format, const char *root)
{
    char command[256];
    snprintf(command, sizeof command, format, root);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    static struct world world;
    struct gw_error err;
    world = (struct world){.root = "/tmp/atoms-overlays-XXXXXX"};
    if (!mkdtemp(world.root) || gw_files_overlays_create(world.root, &world.overlays, &err))
        return -1;
    world.port = gw_files_overlays_port(world.overlays);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gw_files_overlays_destroy(world->overlays);
    run("rm -rf '%s'", world->root);
    return 0;
}

static uint64_t put(const struct world *world, const char *tenant_id, const char *name, const char *text)
{
    struct gw_overlay_file file = {.name = name, .text = text, .length = strlen(text)};
    struct gw_overlay_write write = {.tenant_id = tenant_id, .files = &file, .count = 1};
    struct gw_error err;
    if (world->port->write(world->port->self, &write, &err))
        fail_msg("%s: %s", err.path, err.message);
    return write.version;
}

/* Appends "name=text;". */
static int note_file(void *arg, const struct gw_overlay_file *file, struct gw_error *err)
{
    char *out = arg;
    size_t length = strlen(out);
    (void)err;
    snprintf(out + length, 256 - length, "%s=%.*s;", file->name, (int)file->length, file->text);
    return GW_OK;
}

static uint64_t get(const struct world *world, const char *tenant_id, char out[256])
{
    struct gw_overlay_read read = {.tenant_id = tenant_id, .file = note_file, .arg = out};
    struct gw_error err;
    out[0] = '\0';
    if (world->port->read(world->port->self, &read, &err))
        fail_msg("%s: %s", err.path, err.message);
    return read.version;
}

static void a_tenant_without_a_version_has_none(void **state)
{
    char text[256];
    assert_int_equal(get(*state, "acme", text), 0);
    assert_string_equal(text, "");
}

static void the_newest_version_counts_and_the_others_stay(void **state)
{
    const struct world *world = *state;
    char text[256];
    assert_int_equal(put(world, "acme", "token_lens.lua", "one"), 1);
    assert_int_equal(put(world, "acme", "commands/chat.lua", "two"), 2);
    assert_int_equal(put(world, "other", "sanitize.lua", "x"), 1);
    assert_int_equal(get(world, "acme", text), 2);
    assert_string_equal(text, "commands/chat.lua=two;");
    run("test \"$(cat %s/overlays/acme/1/token_lens.lua)\" = one", world->root);
    run("rm -r %s/overlays/acme/2", world->root);
    assert_int_equal(get(world, "acme", text), 1);
    assert_string_equal(text, "token_lens.lua=one;");
}

static void versions_count_as_numbers(void **state)
{
    const struct world *world = *state;
    char text[256];
    for (int i = 0; i < 11; i++)
        put(world, "acme", "a.lua", i == 10 ? "last" : "x");
    assert_int_equal(get(world, "acme", text), 11);
    assert_string_equal(text, "a.lua=last;");
}

static void what_a_crash_left_is_no_version_and_goes_with_the_next(void **state)
{
    const struct world *world = *state;
    char text[256];
    run("mkdir -p %1$s/overlays/acme/.new/deep && echo half > %1$s/overlays/acme/.new/deep/a.lua", world->root);
    assert_int_equal(get(world, "acme", text), 0);
    assert_int_equal(put(world, "acme", "b.lua", "whole"), 1);
    assert_int_equal(get(world, "acme", text), 1);
    assert_string_equal(text, "b.lua=whole;");
    run("test ! -e %s/overlays/acme/.new", world->root);
}

static void what_is_not_of_this_driver_is_passed_over(void **state)
{
    const struct world *world = *state;
    char text[256];
    put(world, "acme", "a.lua", "x");
    run("cd %s/overlays/acme && mkdir 007 0 9x backup && echo y > 1/README.md && echo y > 1/.a.lua && echo y > 1/a-b.lua", world->root);
    assert_int_equal(get(world, "acme", text), 1);
    assert_string_equal(text, "a.lua=x;");
}

static void names_that_leave_the_folder_are_refused(void **state)
{
    static const char *const names[] = {"../a.lua", "/a.lua", "a//b.lua", "a.b.lua", "a.txt", ".lua", "", "1a.lua", "a/.lua", "a.lua/b"};
    const struct world *world = *state;
    struct gw_error err;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct gw_overlay_file file = {.name = names[i], .text = "", .length = 0};
        struct gw_overlay_write write = {.tenant_id = "acme", .files = &file, .count = 1};
        assert_int_equal(world->port->write(world->port->self, &write, &err), GW_EINVAL);
        assert_string_equal(err.id, "overlay_bad_name");
    }
    struct gw_overlay_write write = {.tenant_id = "../acme"};
    assert_int_equal(world->port->write(world->port->self, &write, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_id");
}

static int count_tenant(void *arg, const char *tenant_id)
{
    *(size_t *)arg += strcmp(tenant_id, "acme") == 0 ? 1 : strcmp(tenant_id, "other") == 0 ? 100 : 10000;
    return GW_OK;
}

static void tenants_with_a_version_are_listed(void **state)
{
    const struct world *world = *state;
    struct gw_error err;
    size_t sum = 0;
    assert_int_equal(world->port->tenants(world->port->self, count_tenant, &sum, &err), 0);
    assert_int_equal(sum, 0);
    put(world, "acme", "a.lua", "x");
    put(world, "other", "a.lua", "x");
    run("mkdir %s/overlays/none", world->root);
    assert_int_equal(world->port->tenants(world->port->self, count_tenant, &sum, &err), 0);
    assert_int_equal(sum, 101);
}

static void writers_in_several_processes_lose_nothing(void **state)
{
    const struct world *world = *state;
    char text[256];
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int j = 0; j < 5; j++)
                put(world, "acme", "a.lua", "x");
            _exit(0);
        }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(get(world, "acme", text), 20);
}

static void a_write_that_fails_leaves_nothing(void **state)
{
    const struct world *world = *state;
    struct gw_overlay_file files[] = {{.name = "a.lua", .text = "x", .length = 1}, {.name = "a.lua", .text = "y", .length = 1}};
    struct gw_overlay_write write = {.tenant_id = "acme", .files = files, .count = 2};
    struct gw_error err;
    char text[256];
    assert_int_equal(world->port->write(world->port->self, &write, &err), GW_EIO);
    assert_int_equal(get(world, "acme", text), 0);
    run("test -z \"$(ls -A %s/overlays/acme)\"", world->root);
}

static size_t prune(const struct world *world, size_t keep, uint64_t in_force)
{
    struct gw_overlay_prune prune = {.tenant_id = "acme", .keep = keep, .in_force = in_force};
    struct gw_error err;
    if (world->port->prune(world->port->self, &prune, &err))
        fail_msg("%s: %s", err.path, err.message);
    return prune.removed;
}

static void the_newest_stay_and_the_one_in_force(void **state)
{
    const struct world *world = *state;
    char text[256];
    for (int i = 0; i < 12; i++)
        put(world, "acme", "commands/a.lua", i == 11 ? "last" : "x");
    put(world, "other", "a.lua", "x");
    assert_int_equal(prune(world, 12, 0), 0);
    assert_int_equal(prune(world, 3, 2), 8);
    run("test \"$(ls -A %s/overlays/acme | sort -n | tr '\\n' ' ')\" = '2 10 11 12 '", world->root);
    assert_int_equal(prune(world, 0, 11), 2);
    run("test \"$(ls -A %s/overlays/acme | sort -n | tr '\\n' ' ')\" = '11 12 '", world->root);
    assert_int_equal(get(world, "acme", text), 12);
    assert_string_equal(text, "commands/a.lua=last;");
    assert_int_equal(put(world, "acme", "a.lua", "y"), 13);
    assert_int_equal(get(world, "other", text), 1);
}

static void what_a_crash_left_of_a_removal_goes_with_the_next(void **state)
{
    const struct world *world = *state;
    for (int i = 0; i < 3; i++)
        put(world, "acme", "a.lua", "x");
    run("mv %1$s/overlays/acme/1 %1$s/overlays/acme/.new", world->root);
    assert_int_equal(prune(world, 1, 0), 1);
    run("test \"$(ls -A %s/overlays/acme)\" = 3", world->root);
}

static void the_newest_version_can_be_withdrawn_and_no_other(void **state)
{
    const struct world *world = *state;
    struct gw_error err;
    char text[256];
    put(world, "acme", "a.lua", "one");
    put(world, "acme", "a.lua", "two");
    assert_int_equal(world->port->withdraw(world->port->self, "acme", 1, &err), GW_ECONFLICT);
    assert_string_equal(err.id, "overlay_not_newest");
    assert_int_equal(world->port->withdraw(world->port->self, "acme", 2, &err), 0);
    assert_int_equal(get(world, "acme", text), 1);
    assert_string_equal(text, "a.lua=one;");
    assert_int_equal(world->port->withdraw(world->port->self, "acme", 1, &err), 0);
    assert_int_equal(get(world, "acme", text), 0);
}

/* value: a version that goes while it is read */
struct withdrawing {
    const struct world *world;
    int count;
};

static int withdraw_at_first(void *arg, const struct gw_overlay_file *file, struct gw_error *err)
{
    struct withdrawing *withdrawing = arg;
    const struct gw_overlays *port = withdrawing->world->port;
    (void)file;
    return withdrawing->count++ == 0 ? port->withdraw(port->self, "acme", 2, err) : GW_OK;
}

static void a_version_that_is_withdrawn_while_it_is_read_is_not_half_of_it(void **state)
{
    const struct world *world = *state;
    struct gw_overlay_file files[] = {{.name = "a.lua", .text = "x", .length = 1}, {.name = "b.lua", .text = "y", .length = 1}};
    struct gw_overlay_write write = {.tenant_id = "acme", .files = files, .count = 2};
    struct withdrawing withdrawing = {.world = world};
    struct gw_overlay_read read = {.tenant_id = "acme", .file = withdraw_at_first, .arg = &withdrawing};
    struct gw_error err;
    put(world, "acme", "a.lua", "one");
    assert_int_equal(world->port->write(world->port->self, &write, &err), 0);
    assert_int_equal(world->port->read(world->port->self, &read, &err), GW_EBUSY);
    assert_string_equal(err.id, "registry_unavailable");
    withdrawing.count = 1;
    assert_int_equal(world->port->read(world->port->self, &read, &err), 0);
    assert_int_equal(read.version, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_tenant_without_a_version_has_none),
        TEST(the_newest_version_counts_and_the_others_stay),
        TEST(versions_count_as_numbers),
        TEST(what_a_crash_left_is_no_version_and_goes_with_the_next),
        TEST(what_is_not_of_this_driver_is_passed_over),
        TEST(names_that_leave_the_folder_are_refused),
        TEST(tenants_with_a_version_are_listed),
        TEST(writers_in_several_processes_lose_nothing),
        TEST(a_write_that_fails_leaves_nothing),
        TEST(the_newest_stay_and_the_one_in_force),
        TEST(what_a_crash_left_of_a_removal_goes_with_the_next),
        TEST(the_newest_version_can_be_withdrawn_and_no_other),
        TEST(a_version_that_is_withdrawn_while_it_is_read_is_not_half_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
