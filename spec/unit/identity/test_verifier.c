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
#include "identity/verifier_fixture.h"

static void a_shared_secret_verifies(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL), *named = jose_key_from_secret(SECRET, "k1");
    struct jose_key *wrong = jose_key_from_secret("ffffffffffffffffffffffffffffffff", NULL);
    char *good = jose_sign(key, payload_of("ann", 60)), *bad = jose_sign(wrong, payload_of("ann", 60)),
         *with_kid = jose_sign(named, payload_of("bob", 60));
    assert_true(gw_verifier_is_ready(f->verifier));
    assert_at_once(f, good, GW_OK, "ann");
    assert_at_once(f, good, GW_OK, "ann");
    assert_at_once(f, with_kid, GW_OK, "bob");
    assert_at_once(f, bad, GW_EAUTH, "bearer_signature");
    assert_at_once(f, "nonsense", GW_EAUTH, "bearer_malformed");
    assert_at_once(f, "", GW_EAUTH, "bearer_malformed");
    jose_key_destroy(key);
    jose_key_destroy(named);
    jose_key_destroy(wrong);
    free(good);
    free(bad);
    free(with_kid);
}

static void a_cached_bearer_still_expires(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, payload_of("ann", 10));
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 14000;
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 15000;
    assert_at_once(f, token, GW_EAUTH, "bearer_expired");
    jose_key_destroy(key);
    free(token);
}

static void every_algorithm_of_a_key_file_verifies(void **state)
{
    struct fixture *f = *state;
    static const char *const algs[] = {"ES256", "RS256", "EdDSA"};
    const struct jose_key *keys[3];
    for (size_t i = 0; i < 3; i++)
        keys[i] = jose_key_create(algs[i], algs[i]);
    char *set = jose_set(keys, 3);
    start(f, (struct gw_verifier_opts){.jwks_file = put_file(f, set)});
    for (size_t i = 0; i < 3; i++) {
        char *token = jose_sign(keys[i], payload_of("ann", 60));
        assert_at_once(f, token, GW_OK, "ann");
        char *inside = token + strlen(token) - 10;
        *inside = *inside == 'A' ? 'B' : 'A'; /* another letter of the alphabet: malformed is another refusal */
        assert_at_once(f, token, GW_EAUTH, "bearer_signature");
        free(token);
    }
    for (size_t i = 0; i < 3; i++)
        jose_key_destroy((struct jose_key *)keys[i]);
    free(set);
}

static void a_token_cannot_choose_its_algorithm(void **state)
{
    struct fixture *f = *state;
    struct jose_key *rsa = jose_key_create("RS256", "k");
    char *set = set_of(rsa);
    start(f, (struct gw_verifier_opts){.secret = SECRET, .jwks_file = put_file(f, set)});
    /* the public set as an HMAC secret */
    char secret[100];
    snprintf(secret, sizeof secret, "%.90s", set);
    struct jose_key *confused = jose_key_from_secret(secret, "k");
    char *token = jose_sign(confused, payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_signature");
    free(token);
    token = jose_sign_with_header(rsa, "{\"alg\":\"none\",\"kid\":\"k\"}", payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_malformed");
    free(token);
    token = jose_sign_with_header(rsa, "{\"alg\":\"ES256\",\"kid\":\"k\"}", payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_unknown_key");
    free(token);
    jose_key_destroy(rsa);
    jose_key_destroy(confused);
    free(set);
}

static void issuer_and_audience_are_checked(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_secret;
    opts.issuer = "https://issuer";
    opts.audience = "atoms";
    start(f, opts);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, "{\"sub\":\"a\",\"exp\":1700000060,\"iss\":\"https://"
                                 "issuer\",\"aud\":[\"x\",\"atoms\"],\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}");
    assert_at_once(f, token, GW_OK, "a");
    free(token);
    token = jose_sign(key, "{\"sub\":\"a\",\"exp\":1700000060,\"iss\":\"https://"
                           "issuer\",\"aud\":\"y\",\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}");
    assert_at_once(f, token, GW_EAUTH, "bearer_claims");
    free(token);
    token = jose_sign(key, payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_claims");
    free(token);
    jose_key_destroy(key);
}

static void the_cache_forgets_the_least_recent(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_secret;
    opts.cache_entries = 2;
    start(f, opts);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    for (int i = 0; i < 10; i++) {
        char actor[16];
        snprintf(actor, sizeof actor, "a%d", i);
        char *token = jose_sign(key, payload_of(actor, 60));
        assert_at_once(f, token, GW_OK, actor);
        assert_at_once(f, token, GW_OK, actor);
        free(token);
    }
    jose_key_destroy(key);
}

static void without_memory_no_bearer_is_refused_as_wrong(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, payload_of("ann", 60));
    struct answer answer;
    long n = 0;
    do {
        gw_alloc_fail_after(++n);
        assert_false(check(f, token, &answer));
        gw_alloc_fail_after(0);
        assert_true(answer.verify.status == GW_OK || answer.verify.status == GW_ENOMEM);
    } while (answer.verify.status != GW_OK && n < 1000);
    assert_true(n > 10);
    assert_answer(&answer, GW_OK, "ann");
    jose_key_destroy(key);
    free(token);
}

static void no_key_at_all_is_refused(void **state)
{
    struct fixture *f = *state;
    struct gw_error err;
    struct gw_verifier_opts opts = {.clock = &f->clock};
    assert_int_equal(gw_verifier_create(&opts, &f->verifier, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_key_set");
    static const char *const useless[] = {"{\"keys\":[]}", "{\"keys\":", ""};
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++) {
        opts.jwks_file = put_file(f, useless[i]);
        assert_int_equal(gw_verifier_create(&opts, &f->verifier, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_key_set");
        assert_string_equal(err.path, f->file);
    }
    opts.jwks_file = "/nowhere/keys.json";
    assert_int_equal(gw_verifier_create(&opts, &f->verifier, &err), GW_ENOTFOUND);
    assert_string_equal(err.path, "/nowhere/keys.json");
    f->verifier = NULL;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_shared_secret_verifies),
        T(a_cached_bearer_still_expires),
        T(every_algorithm_of_a_key_file_verifies),
        T(a_token_cannot_choose_its_algorithm),
        T(issuer_and_audience_are_checked),
        T(the_cache_forgets_the_least_recent),
        T(without_memory_no_bearer_is_refused_as_wrong),
        T(no_key_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
