#include "support/state_fixture.h"

#define HEAD "\"name\":\"m\",\"version\":\"1\",\"api\":1,\"title\":\"M\",\"harness\":\"h\""

static void assert_refused(const char *text, const char *id, const char *path)
{
    struct gw_json *document = parse_json(text);
    struct gw_manifest *manifest;
    struct gw_error err;
    assert_int_equal(gw_manifest_parse(document, &manifest, &err), GW_EINVAL);
    assert_string_equal(err.id, id);
    assert_string_equal(err.path, path);
    gw_json_unref(document);
}

static struct gw_manifest *parse(const char *text)
{
    struct gw_json *document = parse_json(text);
    struct gw_manifest *manifest = NULL;
    struct gw_error err;
    if (gw_manifest_parse(document, &manifest, &err))
        fail_msg("%s: %s at %s", err.id, err.message, err.path);
    gw_json_unref(document);
    return manifest;
}

static void a_manifest_answers_its_members(void **state)
{
    struct gw_manifest *manifest = parse(PLANNING);
    (void)state;
    assert_string_equal(gw_manifest_type(manifest), "planning");
    assert_int_equal(gw_json_count(gw_manifest_member(manifest, "kinds")), 4);
    assert_int_equal(gw_json_count(gw_manifest_member(manifest, "commands")), 0);
    assert_true(gw_json_is_object(gw_manifest_member(manifest, "commands")));
    gw_manifest_unref(manifest);
}

static void empty_lua_tables_pass_for_lists(void **state)
{
    struct gw_manifest *manifest = parse("{" HEAD ",\"tools\":{},\"kinds\":{\"k\":{\"text\":false,\"children\":{}}}}");
    (void)state;
    assert_true(gw_json_is_array(gw_manifest_member(manifest, "tools")));
    gw_manifest_unref(manifest);
}

static void the_hash_is_of_the_content(void **state)
{
    struct gw_manifest *a = parse("{" HEAD ",\"kinds\":{}}"), *b = parse("{\"kinds\":{}," HEAD "}"),
                       *c = parse("{" HEAD ",\"kinds\":{\"k\":{\"text\":true}}}");
    (void)state;
    assert_int_equal(strlen(gw_manifest_hash(a)), 64);
    assert_string_equal(gw_manifest_hash(a), gw_manifest_hash(b));
    assert_string_not_equal(gw_manifest_hash(a), gw_manifest_hash(c));
    gw_manifest_unref(a);
    gw_manifest_unref(b);
    gw_manifest_unref(c);
}

static void violations_name_their_path_and_rule(void **state)
{
    (void)state;
    assert_refused("[]", "wrong_type", "");
    assert_refused("{\"name\":\"m\"}", "missing_member", "/version");
    assert_refused("{" HEAD ",\"kinds\":{},\"kind\":{}}", "unknown_member", "/kind");
    assert_refused("{\"name\":\"m m\",\"version\":\"1\",\"api\":1,\"title\":\"M\",\"harness\":\"h\",\"kinds\":{}}", "bad_id", "/name");
    assert_refused("{\"name\":\"m\",\"version\":\"1\",\"api\":2,\"title\":\"M\",\"harness\":\"h\",\"kinds\":{}}", "out_of_range", "/api");
    assert_refused("{" HEAD ",\"kinds\":[]}", "wrong_type", "/kinds");
    assert_refused("{" HEAD ",\"kinds\":{\"a b\":{\"text\":true}}}", "bad_id", "/kinds/a b");
    assert_refused("{" HEAD ",\"kinds\":{\"k\":{}}}", "missing_member", "/kinds/k/text");
    assert_refused("{" HEAD ",\"kinds\":{\"k\":{\"text\":true,\"children\":[\"q\"]}}}", "unknown_kind", "/kinds/k/children/0");
    assert_refused("{" HEAD ",\"kinds\":{\"k\":{\"text\":true,\"props\":{\"p\":{\"type\":\"x\"}}}}}", "unknown_type",
                   "/kinds/k/props/p/type");
    assert_refused("{" HEAD ",\"kinds\":{},\"tokens\":{\"t\":{\"type\":\"integer\",\"required\":true}}}", "unknown_member",
                   "/tokens/t/required");
    assert_refused("{" HEAD ",\"kinds\":{},\"tools\":[{\"name\":\"n\",\"title\":\"T\",\"surface\":\"Nav\"}]}", "unknown_surface",
                   "/tools/0/surface");
    assert_refused("{" HEAD ",\"kinds\":{},\"tools\":[{\"name\":\"n\",\"title\":\"T\",\"surface\":\"TopPill\",\"command\":\"m.go\"}]}",
                   "bad_command", "/tools/0/command");
    assert_refused("{" HEAD ",\"kinds\":{},\"commands\":{\"go\":{}}}", "bad_command", "/commands/go");
    assert_refused("{" HEAD ",\"kinds\":{},\"lens\":{\"when\":[{\"token\":\"t\"}]}}", "missing_member", "/lens/when/0");
    assert_refused("{" HEAD ",\"kinds\":{},\"tokens\":{\"t\":{\"type\":\"string\",\"default\":\"data:image/png;base64,AAAA\"}}}",
                   "bytes_refused", "/tokens/t/default");
}

static void a_tool_may_name_a_command_of_its_canvas(void **state)
{
    (void)state;
    gw_manifest_unref(parse("{" HEAD ",\"kinds\":{},\"commands\":{\"m.go\":{\"args\":{\"far\":{\"type\":\"boolean\"}}}},"
                            "\"tools\":[{\"name\":\"n\",\"title\":\"T\",\"surface\":\"TopPill\",\"command\":\"m.go\"}]}"));
}

static void a_set_is_sorted_and_refuses_doubles(void **state)
{
    struct gw_manifests *set = gw_manifests_create();
    struct gw_manifest *again = parse(SHARING);
    struct gw_error err;
    (void)state;
    add_manifest(set, SHARING);
    add_manifest(set, CONTRADICTING);
    add_manifest(set, PLANNING);
    assert_int_equal(gw_manifests_add(set, again, &err), GW_ECONFLICT);
    assert_string_equal(err.id, "canvas_type_exists");
    assert_int_equal(gw_manifests_count(set), 3);
    assert_string_equal(gw_manifest_type(gw_manifests_at(set, 0)), "contradicting");
    assert_string_equal(gw_manifest_type(gw_manifests_at(set, 2)), "sharing");
    assert_null(gw_manifests_at(set, 3));
    assert_non_null(gw_manifests_get(set, "planning"));
    assert_null(gw_manifests_get(set, "plan"));
    gw_manifest_unref(again);
    gw_manifests_unref(gw_manifests_ref(set));
    gw_manifests_unref(set);
}

static void parsing_survives_every_failed_allocation(void **state)
{
    struct gw_json *document = parse_json(PLANNING);
    struct gw_manifest *manifest;
    struct gw_error err;
    int status = GW_ENOMEM;
    (void)state;
    for (long n = 1; status == GW_ENOMEM && n < 100000; n++) {
        gw_alloc_fail_after(n);
        status = gw_manifest_parse(document, &manifest, &err);
        gw_alloc_fail_after(0);
    }
    assert_int_equal(status, GW_OK);
    gw_manifest_unref(manifest);
    gw_json_unref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_answers_its_members),
        cmocka_unit_test(empty_lua_tables_pass_for_lists),
        cmocka_unit_test(the_hash_is_of_the_content),
        cmocka_unit_test(violations_name_their_path_and_rule),
        cmocka_unit_test(a_tool_may_name_a_command_of_its_canvas),
        cmocka_unit_test(a_set_is_sorted_and_refuses_doubles),
        cmocka_unit_test(parsing_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
