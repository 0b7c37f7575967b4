#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "app/cmd_token.h"
#include "app/config.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "identity/verifier.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S  INT64_C(1700000000)

static char secret[] = SECRET, none[] = "", issuer[] = "https://issuer", audience[] = "atoms";

static struct gw_config config_of(char *with_secret)
{
    struct gw_config config = {.workers = 1};
    config.jwt.secret = with_secret;
    config.jwt.issuer = issuer;
    config.jwt.audience = audience;
    return config;
}

static int64_t wall_ms(void *self)
{
    (void)self;
    return NOW_S * 1000;
}

static struct gw_token_claims claims_of(const char *actor)
{
    return (struct gw_token_claims){.tenant = "acme", .actor = actor, .kind = "agent", .role = "planner", .ttl_s = 60};
}

static void a_minted_bearer_is_accepted(void **state)
{
    (void)state;
    struct gw_config config = config_of(secret);
    struct gw_token_claims claims = claims_of("bot:1");
    struct gw_buffer out;
    struct gw_error err;
    claims.modes = (struct gw_client_list){{"dev", "live"}, 2};
    claims.tokens = "plan.*, ui.zoom";
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_token_mint(&config, &claims, NOW_S, &out, &err), 0);

    struct gw_clock clock = *gw_clock_system();
    clock.wall_ms = wall_ms;
    struct gw_verifier_opts opts = {.secret = SECRET, .issuer = issuer, .audience = audience, .clock = &clock};
    struct gw_verifier *verifier;
    struct gw_verify verify = {0};
    assert_int_equal(gw_verifier_create(&opts, &verifier, &err), 0);
    assert_false(gw_verifier_check(verifier, out.data, out.length, &verify));
    assert_int_equal(verify.status, GW_OK);
    assert_string_equal(verify.identity->actor.id, "bot:1");
    assert_int_equal(verify.identity->actor.kind, GW_ACTOR_AGENT);
    assert_string_equal(verify.identity->tenant_id, "acme");
    assert_string_equal(verify.identity->role, "planner");
    assert_int_equal(verify.identity->modes.count, 2);
    assert_false(verify.identity->projects.is_present);
    assert_int_equal(verify.identity->token_globs.count, 2);
    assert_string_equal(verify.identity->token_globs.items[1], "ui.zoom");
    assert_int_equal(verify.identity->expires_at_ms, (NOW_S + 60) * 1000);
    gw_identity_unref(verify.identity);
    gw_verifier_destroy(verifier);
    gw_buffer_fini(&out);
}

static void assert_refused(char *with_secret, const struct gw_token_claims *claims, const char *id, const char *path)
{
    struct gw_config config = config_of(with_secret);
    struct gw_buffer out;
    struct gw_error err;
    gw_buffer_init(&out, 0);
    assert_int_equal(gw_token_mint(&config, claims, NOW_S, &out, &err), GW_EINVAL);
    assert_string_equal(err.id, id);
    assert_string_equal(err.path, path);
    assert_int_equal(out.length, 0);
    gw_buffer_fini(&out);
}

static void a_bearer_that_nobody_would_accept_is_not_minted(void **state)
{
    (void)state;
    struct gw_token_claims claims = claims_of("a b");
    assert_refused(secret, &claims, "bearer_claims", "/sub");
    claims = claims_of("ann");
    claims.kind = "robot";
    assert_refused(secret, &claims, "bearer_claims", "/app_metadata/kind");
    claims = claims_of("ann");
    claims.tenant = "";
    assert_refused(secret, &claims, "bearer_claims", "/app_metadata/tenant_id");
    claims = claims_of("\xff");
    assert_refused(secret, &claims, "bad_claim", "");
}

static void without_a_secret_there_is_nothing_to_sign_with(void **state)
{
    (void)state;
    struct gw_token_claims claims = claims_of("ann");
    assert_refused(none, &claims, "no_secret", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minted_bearer_is_accepted),
        cmocka_unit_test(a_bearer_that_nobody_would_accept_is_not_minted),
        cmocka_unit_test(without_a_secret_there_is_nothing_to_sign_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
