#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "identity/identity.h"

static struct gw_json *parse(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 65536, .max_depth = 32, .max_nodes = 4096};
    struct gw_json *json;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &json, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    return json;
}

static struct gw_identity *identity_of(const char *claims)
{
    struct gw_json *json = parse(claims);
    struct gw_identity *identity;
    struct gw_error err;
    if (gw_identity_from_claims(json, &identity, &err) != 0)
        fail_msg("%s: %s", err.path, err.message);
    gw_json_unref(json);
    return identity;
}

static void assert_refused(const char *claims, const char *path)
{
    struct gw_json *json = parse(claims);
    struct gw_identity *identity;
    struct gw_error err;
    assert_int_equal(gw_identity_from_claims(json, &identity, &err), GW_EAUTH);
    assert_string_equal(err.id, "bearer_claims");
    assert_string_equal(err.path, path);
    gw_json_unref(json);
}

#define PLAIN(more) "{\"sub\":\"ann\",\"exp\":100,\"app_metadata\":{\"tenant_id\":\"acme\",\"role\":\"editor\"" more "}}"

static void reads_the_claims(void **state)
{
    (void)state;
    struct gw_identity *identity =
        identity_of("{\"sub\":\"auth0:ann@acme\",\"exp\":1700000000.9,\"app_metadata\":{\"tenant_id\":\"acme\",\"role\":\"planner\","
                    "\"kind\":\"agent\",\"modes\":[\"dev\",\"live\"],\"projects\":[\"p1\"],\"surfaces\":[],\"tokens\":[\"plan.*\"]}}");
    assert_string_equal(identity->actor.id, "auth0:ann@acme");
    assert_int_equal(identity->actor.kind, GW_ACTOR_AGENT);
    assert_string_equal(identity->tenant_id, "acme");
    assert_string_equal(identity->role, "planner");
    assert_int_equal(identity->modes.count, 2);
    assert_int_equal(identity->projects.count, 1);
    assert_true(identity->surfaces.is_present);
    assert_int_equal(identity->surfaces.count, 0);
    assert_false(identity->apps.is_present);
    assert_string_equal(identity->token_globs.items[0], "plan.*");
    assert_int_equal(identity->expires_at_ms, INT64_C(1700000000000));
    gw_identity_unref(identity);
}

static void an_absent_kind_is_user_and_absent_modes_are_dev(void **state)
{
    (void)state;
    struct gw_identity *identity = identity_of(PLAIN(""));
    assert_int_equal(identity->actor.kind, GW_ACTOR_USER);
    assert_int_equal(identity->modes.count, 1);
    assert_string_equal(identity->modes.items[0], "dev");
    gw_identity_unref(identity);
}

static void malformed_claims_are_named(void **state)
{
    (void)state;
    assert_refused("{\"exp\":1,\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}", "/sub");
    assert_refused("{\"sub\":\"a/b\",\"exp\":1,\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}", "/sub");
    assert_refused("{\"sub\":7,\"exp\":1,\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}", "/sub");
    assert_refused("{\"sub\":\"a\",\"exp\":1}", "/app_metadata");
    assert_refused("{\"sub\":\"a\",\"exp\":1,\"app_metadata\":[]}", "/app_metadata");
    assert_refused("{\"sub\":\"a\",\"exp\":1,\"app_metadata\":{\"role\":\"r\"}}", "/app_metadata/tenant_id");
    assert_refused("{\"sub\":\"a\",\"exp\":1,\"app_metadata\":{\"tenant_id\":\"t\"}}", "/app_metadata/role");
    assert_refused(PLAIN(",\"kind\":\"root\""), "/app_metadata/kind");
    assert_refused(PLAIN(",\"kind\":null"), "/app_metadata/kind");
    assert_refused(PLAIN(",\"modes\":\"dev\""), "/app_metadata/modes");
    assert_refused(PLAIN(",\"projects\":null"), "/app_metadata/projects");
    assert_refused(PLAIN(",\"projects\":[\"ok\",\"a b\"]"), "/app_metadata/projects");
    assert_refused(PLAIN(",\"apps\":[1]"), "/app_metadata/apps");
    assert_refused(PLAIN(",\"tokens\":[\"\"]"), "/app_metadata/tokens");
}

static void nothing_is_read_from_user_metadata(void **state)
{
    (void)state;
    assert_refused("{\"sub\":\"a\",\"exp\":1,\"user_metadata\":{\"tenant_id\":\"t\",\"role\":\"owner\"},\"app_metadata\":{}}",
                   "/app_metadata/tenant_id");
    struct gw_identity *identity =
        identity_of("{\"sub\":\"a\",\"exp\":1,\"role\":\"owner\",\"user_metadata\":{\"role\":\"owner\",\"modes\":[\"live\"]},"
                    "\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"viewer\"}}");
    assert_string_equal(identity->role, "viewer");
    assert_int_equal(identity->modes.count, 1);
    gw_identity_unref(identity);
}

static int covers(const struct gw_identity *identity, const char *tenant, const char *mode, const char *project, const char *surface)
{
    struct gw_scope scope = {.run_id = "r"};
    struct gw_error err = {0};
    snprintf(scope.tenant_id, sizeof scope.tenant_id, "%s", tenant);
    snprintf(scope.mode, sizeof scope.mode, "%s", mode);
    snprintf(scope.project_id, sizeof scope.project_id, "%s", project);
    snprintf(scope.surface_id, sizeof scope.surface_id, "%s", surface);
    int rc = gw_identity_covers(identity, &scope, &err);
    if (rc != 0)
        assert_string_equal(err.id, "not_covered");
    assert_string_equal(err.path, "");
    return rc;
}

static void a_bearer_covers_what_it_names(void **state)
{
    (void)state;
    struct gw_identity *identity = identity_of(PLAIN(",\"projects\":[\"p1\",\"p2\"],\"surfaces\":[]"));
    assert_int_equal(covers(identity, "acme", "dev", "p2", "s"), GW_EDENIED);
    gw_identity_unref(identity);
    identity = identity_of(PLAIN(",\"projects\":[\"p1\",\"p2\"]"));
    assert_int_equal(covers(identity, "acme", "dev", "p2", "s"), 0);
    assert_int_equal(covers(identity, "acme", "dev", "p3", "s"), GW_EDENIED);
    assert_int_equal(covers(identity, "acme", "dev", "", "s"), GW_EDENIED);
    assert_int_equal(covers(identity, "acme", "dev", "p1", ""), 0);
    assert_int_equal(covers(identity, "acme", "live", "p1", "s"), GW_EDENIED);
    assert_int_equal(covers(identity, "other", "dev", "p1", "s"), GW_EDENIED);
    assert_int_equal(covers(identity, "", "dev", "p1", "s"), GW_EDENIED);
    gw_identity_unref(identity);
}

static void the_same_actor_is_one_of_the_same_tenant_and_kind(void **state)
{
    (void)state;
    struct gw_identity *ann = identity_of(PLAIN("")), *again = identity_of(PLAIN(",\"kind\":\"user\"")),
                       *agent = identity_of(PLAIN(",\"kind\":\"agent\""));
    assert_true(gw_identity_is_same_actor(ann, again));
    assert_false(gw_identity_is_same_actor(ann, agent));
    gw_identity_unref(ann);
    gw_identity_unref(again);
    gw_identity_unref(agent);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    struct gw_json *claims = parse(PLAIN(",\"projects\":[\"p1\",\"p2\"],\"tokens\":[\"a\"]"));
    struct gw_identity *identity;
    struct gw_error err;
    long n = 0;
    int rc;
    do {
        gw_alloc_fail_after(++n);
        rc = gw_identity_from_claims(claims, &identity, &err);
        gw_alloc_fail_after(0);
        assert_true(rc == 0 || rc == GW_ENOMEM);
    } while (rc != 0 && n < 100);
    assert_int_equal(rc, 0);
    assert_true(n > 5);
    gw_identity_unref(identity);
    gw_json_unref(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_claims),
        cmocka_unit_test(an_absent_kind_is_user_and_absent_modes_are_dev),
        cmocka_unit_test(malformed_claims_are_named),
        cmocka_unit_test(nothing_is_read_from_user_metadata),
        cmocka_unit_test(a_bearer_covers_what_it_names),
        cmocka_unit_test(the_same_actor_is_one_of_the_same_tenant_and_kind),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
