/* test_jwt_key.c — which keys are taken, and what a public key set may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "jwt_vectors.h"
#include "protocol/jwt_key.h"

static int load(const char *text, struct gw_jwt_key **key, struct gw_error *err)
{
    static const struct gw_json_limits limits = {.max_bytes = 65536, .max_depth = 8, .max_nodes = 1000};
    struct gw_json *jwk;
    int rc = gw_json_parse(text, strlen(text), &limits, &jwk, err);
    if (rc)
        return rc;
    rc = gw_jwt_key_from_jwk(jwk, key, err);
    gw_json_unref(jwk);
    return rc;
}

static void expect_key(const char *text, enum gw_jwt_alg alg, const char *thumbprint)
{
    struct gw_jwt_key *key;
    struct gw_error err;
    char name[GW_BASE64URL_LENGTH(GW_SHA256_BYTES) + 1];
    assert_int_equal(load(text, &key, &err), 0);
    assert_int_equal(gw_jwt_key_alg(key), alg);
    gw_base64url_encode(gw_jwt_key_thumbprint(key), GW_SHA256_BYTES, name);
    if (thumbprint)
        assert_string_equal(name, thumbprint);
    gw_jwt_key_destroy(key);
}

static void binds_each_kind_of_key_to_its_algorithm(void **state)
{
    (void)state;
    expect_key(OCT_JWK, GW_JWT_HS256, NULL);
    expect_key(RSA_JWK, GW_JWT_RS256, NULL);
    expect_key(EC_JWK, GW_JWT_ES256, NULL);
    /* RFC 8037 appendix A.3. */
    expect_key(ED_JWK, GW_JWT_EDDSA, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_string_equal(gw_jwt_alg_name(GW_JWT_EDDSA), "EdDSA");
}

static void has_the_thumbprint_of_rfc_7638(void **state)
{
    (void)state;
    expect_key(
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
        "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\","
        "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
        GW_JWT_RS256, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

static void keeps_the_name(void **state)
{
    (void)state;
    struct gw_jwt_key *key;
    struct gw_error err;
    assert_int_equal(load(ED_JWK, &key, &err), 0);
    assert_string_equal(gw_jwt_key_kid(key), "ed");
    gw_jwt_key_destroy(key);
    assert_int_equal(load(EC_JWK, &key, &err), 0);
    assert_null(gw_jwt_key_kid(key));
    gw_jwt_key_destroy(key);
}

static void refuses_keys_that_are_weak_or_for_something_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"kty\":\"XX\"}",
        "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}",
        "{\"kty\":\"oct\",\"k\":\"" OCT_K "\",\"alg\":\"HS512\"}",
        "{\"kty\":\"oct\",\"k\":\"" OCT_K "=\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_1024_N "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Ag\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"RS512\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"HS256\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"use\":\"enc\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"key_ops\":[\"encrypt\"]}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"key_ops\":\"verify\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"kid\":7}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"y_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gw_jwt_key *key;
        struct gw_error err;
        assert_int_equal(load(bad[i], &key, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_jwk");
        assert_null(key);
    }
}

static void refuses_short_secrets(void **state)
{
    (void)state;
    struct gw_jwt_key *key;
    struct gw_error err;
    assert_int_equal(gw_jwt_key_from_secret("0123456789012345678901234567890", 31, &key, &err), GW_EINVAL);
    assert_string_equal(err.id, "weak_secret");
    assert_int_equal(gw_jwt_key_from_secret("01234567890123456789012345678901", 32, &key, &err), 0);
    assert_null(gw_jwt_key_kid(key));
    gw_jwt_key_destroy(key);
}

static void takes_the_usable_keys_of_a_set_and_counts_the_others(void **state)
{
    (void)state;
    static const char text[] = "{\"keys\":[" ED_JWK "," OCT_JWK ",{\"kty\":\"RSA\"},7," EC_JWK ",{\"kty\":\"new\"}],\"more\":1}";
    struct gw_jwks set;
    struct gw_error err;
    assert_int_equal(gw_jwks_parse(text, sizeof text - 1, &set, &err), 0);
    assert_int_equal(set.count, 2);
    assert_int_equal(set.skipped_count, 4);
    assert_int_equal(gw_jwt_key_alg(set.keys[0]), GW_JWT_EDDSA);
    assert_int_equal(gw_jwt_key_alg(set.keys[1]), GW_JWT_ES256);
    gw_jwt_key_destroy(set.keys[0]);
    set.keys[0] = NULL;
    gw_jwks_fini(&set);
    assert_int_equal(gw_jwks_parse("{\"keys\":[]}", 11, &set, &err), 0);
    assert_int_equal(set.count, 0);
    gw_jwks_fini(&set);
}

static void refuses_what_is_no_key_set(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", ED_JWK};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gw_jwks set;
        struct gw_error err;
        assert_int_equal(gw_jwks_parse(bad[i], strlen(bad[i]), &set, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_jwks");
        assert_null(set.keys);
    }
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    static const char text[] = "{\"keys\":[" ED_JWK "," RSA_JWK "," EC_JWK "," OCT_JWK "]}";
    int failures = 0;
    long n = 1;
    for (int rc = -1; rc != 0; n++) {
        struct gw_jwks set;
        struct gw_error err;
        gw_alloc_fail_after(n);
        rc = gw_jwks_parse(text, sizeof text - 1, &set, &err);
        gw_alloc_fail_after(0);
        assert_true(rc == 0 || rc == GW_ENOMEM);
        assert_true(n < 1000);
        failures += rc != 0;
        gw_jwks_fini(&set);
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_each_kind_of_key_to_its_algorithm),
        cmocka_unit_test(has_the_thumbprint_of_rfc_7638),
        cmocka_unit_test(keeps_the_name),
        cmocka_unit_test(refuses_keys_that_are_weak_or_for_something_else),
        cmocka_unit_test(refuses_short_secrets),
        cmocka_unit_test(takes_the_usable_keys_of_a_set_and_counts_the_others),
        cmocka_unit_test(refuses_what_is_no_key_set),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
