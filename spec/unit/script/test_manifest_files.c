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

#include "base/error.h"
#include "base/json.h"
#include "script/data_file.h"
#include "script/manifest_files.h"
#include "script/script_folder.h"

static char root[64];

static void put(const char *folder, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    mkdir(path, 0700);
    if (file == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, file);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/atoms-manifests-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int drop_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void reads_every_canvas_in_order_of_its_name(void **state)
{
    (void)state;
    struct gw_manifest_files files;
    struct gw_error err;
    put("planning", "manifest.lua", "return { name = 'planning', tools = {}, tokens = {} }");
    put("board", "manifest.lua", "return { name = 'board' }");
    put(".git", NULL, NULL);
    put("_lib", NULL, NULL);
    put(".", "AGENTS.md", "no canvas");
    assert_int_equal(gw_script_load_manifests(root, &files, &err), 0);
    assert_int_equal(files.count, 2);
    assert_string_equal(files.items[0].canvas_type, "board");
    assert_string_equal(files.items[1].canvas_type, "planning");
    assert_true(gw_json_is_array(gw_json_get(gw_data_file_value(files.items[1].file), "tools")));
    assert_true(gw_json_is_object(gw_json_get(gw_data_file_value(files.items[1].file), "tokens")));
    gw_manifest_files_fini(&files);
}

static void assert_refused(const char *id, const char *path)
{
    struct gw_manifest_files files;
    struct gw_error err;
    char wanted[160];
    assert_int_not_equal(gw_script_load_manifests(root, &files, &err), 0);
    assert_string_equal(err.id, id);
    snprintf(wanted, sizeof wanted, "%s%s", root, path);
    assert_string_equal(err.path, wanted);
}

static void a_folder_without_a_manifest_is_an_error(void **state)
{
    (void)state;
    put("empty", NULL, NULL);
    assert_refused("manifest_missing", "/empty/manifest.lua");
}

static void a_folder_that_is_no_id_is_an_error(void **state)
{
    (void)state;
    put("a b", NULL, NULL);
    assert_refused("manifest_bad_name", "/a b");
}

static void a_bad_manifest_is_refused_with_its_line(void **state)
{
    (void)state;
    put("planning", "manifest.lua", "return {\n  name = function() end,\n}");
    assert_refused("data_bad_value", "/planning/manifest.lua:2");
}

static void a_manifest_reads_no_environment(void **state)
{
    (void)state;
    put("planning", "manifest.lua", "return { name = env('HOME') }");
    assert_refused("data_failed", "/planning/manifest.lua:1");
}

static void a_missing_canvases_folder_is_an_error(void **state)
{
    (void)state;
    struct gw_manifest_files files;
    struct gw_error err;
    assert_int_equal(gw_script_load_manifests("/nonexistent", &files, &err), GW_EIO);
    assert_string_equal(err.id, "canvases_unreadable");
}

static void on_fault(void *arg, const struct gw_error *err)
{
    char *told = arg;
    snprintf(told + strlen(told), 200 - strlen(told), "%s %s;", err->id, err->path);
}

static void a_canvas_that_is_refused_is_told_and_passed_over(void **state)
{
    (void)state;
    struct gw_manifest_files files;
    struct gw_error err;
    char told[200] = "";
    const struct gw_script_faults faults = {on_fault, told};
    put("board", "manifest.lua", "return {");
    put("empty", NULL, NULL);
    put("planning", "manifest.lua", "return { name = 'planning' }");
    assert_int_equal(gw_script_load_each_manifest(root, "here", &faults, &files, &err), 0);
    assert_int_equal(files.count, 1);
    assert_string_equal(files.items[0].canvas_type, "planning");
    assert_string_equal(told, "data_syntax here/board/manifest.lua:1;manifest_missing here/empty/manifest.lua;");
    gw_manifest_files_fini(&files);
}

static void link_to(const char *target)
{
    char path[256];
    put("planning", NULL, NULL);
    snprintf(path, sizeof path, "%s/planning/manifest.lua", root);
    assert_int_equal(symlink(target, path), 0);
}

static void a_link_out_of_the_folder_is_refused(void **state)
{
    (void)state;
    link_to("/etc/passwd");
    assert_refused("script_link", "/planning/manifest.lua");
}

static void a_link_within_the_folder_is_followed(void **state)
{
    (void)state;
    struct gw_manifest_files files;
    struct gw_error err;
    put("planning", "v2", "return { name = 'planning' }");
    link_to("v2");
    assert_int_equal(gw_script_load_manifests(root, &files, &err), 0);
    assert_int_equal(files.count, 1);
    gw_manifest_files_fini(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_canvas_in_order_of_its_name, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_folder_without_a_manifest_is_an_error, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_folder_that_is_no_id_is_an_error, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_bad_manifest_is_refused_with_its_line, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_manifest_reads_no_environment, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_canvas_that_is_refused_is_told_and_passed_over, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_link_out_of_the_folder_is_refused, make_root, drop_root),
        cmocka_unit_test_setup_teardown(a_link_within_the_folder_is_followed, make_root, drop_root),
        cmocka_unit_test(a_missing_canvases_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
