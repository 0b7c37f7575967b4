#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"

static char root[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/atoms-file-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/x", root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void a_private_file_is_made_once_and_read_back(void **state)
{
    (void)state;
    struct gw_error err;
    struct gw_buffer out;
    struct stat st;
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_file_create_private(path, "secret", 6, &err), 0);
    assert_int_equal(gw_file_create_private(path, "other", 5, &err), GW_ECONFLICT);
    assert_int_equal(gw_file_read_private(path, 6, &out, &err), 0);
    assert_int_equal(out.length, 6);
    assert_memory_equal(out.data, "secret", 6);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    gw_buffer_fini(&out);
}

static void what_others_may_read_is_no_secret(void **state)
{
    (void)state;
    struct gw_error err;
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_file_create_private(path, "secret", 6, &err), 0);
    chmod(path, 0640);
    assert_int_equal(gw_file_read_private(path, 100, &out, &err), GW_EDENIED);
    assert_string_equal(err.id, "file_too_open");
    assert_int_equal(gw_file_read(path, 100, &out, &err), 0);
    gw_buffer_fini(&out);
}

static void reading_says_what_is_wrong(void **state)
{
    (void)state;
    struct gw_error err;
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_file_read(path, 100, &out, &err), GW_ENOTFOUND);
    assert_string_equal(err.path, path);
    assert_int_equal(gw_file_read(root, 100, &out, &err), GW_EIO);
    assert_string_equal(err.id, "file_unreadable");
    assert_int_equal(gw_file_create_private(path, "secret", 6, &err), 0);
    assert_int_equal(gw_file_read(path, 5, &out, &err), GW_ELIMIT);
    assert_int_equal(err.limit, 5);
    gw_buffer_fini(&out);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct gw_error err;
    char deep[160];
    snprintf(deep, sizeof deep, "%s/a/b/c", root);
    assert_int_equal(gw_file_make_folder(deep, &err), 0);
    assert_int_equal(gw_file_make_folder(deep, &err), 0);
    assert_true(gw_file_is_folder(deep));
    assert_int_equal(gw_file_create_private(path, "", 0, &err), 0);
    assert_int_equal(gw_file_make_folder(path, &err), GW_EIO);
    assert_false(gw_file_is_folder(path));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_private_file_is_made_once_and_read_back),
        T(what_others_may_read_is_no_secret),
        T(reading_says_what_is_wrong),
        T(folders_are_made_with_their_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
