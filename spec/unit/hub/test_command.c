#include "support/state_fixture.h"

#define IDS "\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\",\"surface_id\":\"s\",\"app_id\":\"a\",\"run_id\":\"r\""

static int parse(const char *text, struct gw_command *out, struct gw_error *err)
{
    struct gw_json *body = parse_json(text);
    int status = gw_command_parse(body, out, err);
    gw_json_unref(body);
    return status;
}

static void assert_refused(const char *text, const char *id, const char *path)
{
    struct gw_command command;
    struct gw_error err;
    assert_int_equal(parse(text, &command, &err), GW_EINVAL);
    assert_string_equal(err.id, id);
    assert_string_equal(err.path, path);
}

static void a_whole_command_is_read(void **state)
{
    struct gw_command c;
    struct gw_error err;
    (void)state;
    assert_int_equal(
        parse("{" IDS ",\"command_id\":\"c1\",\"type\":\"block.splice\",\"canvas_id\":\"v\",\"base\":\"cursor\",\"origin\":\"o\",\"n\":17,"
              "\"args\":{\"id\":\"b\"},\"if\":{\"/tokens/a\":1}}",
              &c, &err),
        GW_OK);
    assert_string_equal(c.command_id, "c1");
    assert_string_equal(c.type, "block.splice");
    assert_string_equal(c.scope.run_id, "r");
    assert_string_equal(c.canvas_id, "v");
    assert_string_equal(c.origin, "o");
    assert_string_equal(c.base_cursor, "cursor");
    assert_true(c.has_n && c.has_base);
    assert_int_equal(c.n, 17);
    assert_json(c.args, "{\"id\":\"b\"}");
    assert_json(c.condition, "{\"/tokens/a\":1}");
    gw_command_fini(&c);
}

static void a_command_without_args_has_empty_ones(void **state)
{
    struct gw_command c;
    struct gw_error err;
    (void)state;
    assert_int_equal(parse("{" IDS ",\"command_id\":\"c1\",\"type\":\"canvas.commit\"}", &c, &err), GW_OK);
    assert_json(c.args, "{}");
    assert_null(c.condition);
    gw_command_fini(&c);
}

static void each_missing_id_is_named(void **state)
{
    static const char *const names[] = {"tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id", "command_id", "type"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct gw_json *body = parse_json("{" IDS ",\"command_id\":\"c\",\"type\":\"x\"}");
        struct gw_command command;
        struct gw_error err;
        char path[32];
        gw_json_remove(body, names[i]);
        snprintf(path, sizeof path, "/%s", names[i]);
        assert_int_equal(gw_command_parse(body, &command, &err), GW_EINVAL);
        assert_string_equal(err.id, "missing_id");
        assert_string_equal(err.path, path);
        gw_json_unref(body);
    }
}

static void bad_ids_are_refused(void **state)
{
    (void)state;
    assert_refused("{" IDS ",\"command_id\":\"a/b\",\"type\":\"x\"}", "bad_id", "/command_id");
    assert_refused("{" IDS ",\"command_id\":\"\",\"type\":\"x\"}", "bad_id", "/command_id");
    assert_refused("{" IDS ",\"command_id\":7,\"type\":\"x\"}", "bad_id", "/command_id");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x y\"}", "bad_id", "/type");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"canvas_id\":\".x\"}", "bad_id", "/canvas_id");
}

static void unknown_members_are_refused_with_an_escaped_path(void **state)
{
    (void)state;
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"arg\":{}}", "unknown_member", "/arg");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"a/~\":{}}", "unknown_member", "/a~1~0");
}

static void members_have_one_shape(void **state)
{
    (void)state;
    assert_refused("[]", "bad_shape", "");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"args\":[]}", "bad_shape", "/args");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"if\":1}", "bad_shape", "/if");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"base\":1}", "bad_shape", "/base");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"base\":\"\"}", "bad_shape", "/base");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"origin\":\"o\",\"n\":1.5}", "bad_shape", "/n");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"origin\":\"o\",\"n\":0}", "out_of_range", "/n");
}

static void origin_and_n_go_together(void **state)
{
    (void)state;
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"n\":1}", "missing_member", "/origin");
    assert_refused("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"origin\":\"o\"}", "missing_member", "/n");
}

static void the_digest_is_of_the_canonical_body(void **state)
{
    struct gw_command a, b, c;
    struct gw_error err;
    (void)state;
    assert_int_equal(parse("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"args\":{\"a\":1,\"b\":2.0}}", &a, &err), GW_OK);
    assert_int_equal(parse("{\"args\":{\"b\":2,\"a\":1},\"type\":\"x\",\"command_id\":\"c\"," IDS "}", &b, &err), GW_OK);
    assert_int_equal(parse("{" IDS ",\"command_id\":\"c\",\"type\":\"x\",\"args\":{\"a\":1,\"b\":3}}", &c, &err), GW_OK);
    assert_memory_equal(a.digest, b.digest, sizeof a.digest);
    assert_memory_not_equal(a.digest, c.digest, sizeof a.digest);
    gw_command_fini(&a);
    gw_command_fini(&b);
    gw_command_fini(&c);
}

static void parsing_survives_every_failed_allocation(void **state)
{
    struct gw_json *body = parse_json("{" IDS ",\"command_id\":\"c\",\"type\":\"x\"}");
    struct gw_command command;
    struct gw_error err;
    int status = GW_ENOMEM;
    (void)state;
    for (long n = 1; status == GW_ENOMEM && n < 1000; n++) {
        gw_alloc_fail_after(n);
        status = gw_command_parse(body, &command, &err);
        gw_alloc_fail_after(0);
    }
    assert_int_equal(status, GW_OK);
    gw_command_fini(&command);
    gw_json_unref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_command_is_read),
        cmocka_unit_test(a_command_without_args_has_empty_ones),
        cmocka_unit_test(each_missing_id_is_named),
        cmocka_unit_test(bad_ids_are_refused),
        cmocka_unit_test(unknown_members_are_refused_with_an_escaped_path),
        cmocka_unit_test(members_have_one_shape),
        cmocka_unit_test(origin_and_n_go_together),
        cmocka_unit_test(the_digest_is_of_the_canonical_body),
        cmocka_unit_test(parsing_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
