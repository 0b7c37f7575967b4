/* test_jwt.c — bearers: signatures of the RFCs, the known ways to forge one, and claims against a clock that the test owns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "jwt_vectors.h"
#include "protocol/jwt.h"

static const struct gw_json_limits limits = {.max_bytes = 65536, .max_depth = 8, .max_nodes = 1000};

static const char *const jwks[] = {OCT_JWK, RSA_JWK, EC_JWK, ED_JWK};
static const char *const tokens[] = {HS256_TOKEN, RS256_TOKEN, ES256_TOKEN, EDDSA_TOKEN};
enum { ALG_COUNT = 4 };

static struct gw_json *json(const char *text)
{
    struct gw_json *value;
    struct gw_error err;
    assert_int_equal(gw_json_parse(text, strlen(text), &limits, &value, &err), 0);
    return value;
}

static struct gw_jwt_key *load(const char *text)
{
    struct gw_jwt_key *key;
    struct gw_error err;
    struct gw_json *jwk = json(text);
    assert_int_equal(gw_jwt_key_from_jwk(jwk, &key, &err), 0);
    gw_json_unref(jwk);
    return key;
}

/* 0, or the code of parse or verify, whichever refuses. */
static int check(const char *token, size_t length, const struct gw_jwt_key *key, struct gw_error *err)
{
    struct gw_jwt *jwt;
    char *copy = gw_try_strndup(token, length);
    int rc = gw_jwt_parse(copy, length, &jwt, err);
    gw_free(copy);
    if (rc)
        return rc;
    rc = gw_jwt_verify(jwt, key, err);
    gw_jwt_destroy(jwt);
    return rc;
}

static void verifies_the_tokens_of_the_rfcs_with_their_own_key_only(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALG_COUNT; k++) {
        struct gw_jwt_key *key = load(jwks[k]);
        for (size_t t = 0; t < ALG_COUNT; t++) {
            struct gw_error err = {0};
            assert_int_equal(check(tokens[t], strlen(tokens[t]), key, &err), t == k ? 0 : GW_EAUTH);
            if (t != k)
                assert_string_equal(err.id, "bearer_signature");
        }
        gw_jwt_key_destroy(key);
    }
}

static void tells_header_and_payload(void **state)
{
    (void)state;
    struct gw_jwt *jwt;
    struct gw_error err;
    assert_int_equal(gw_jwt_parse(EDDSA_TOKEN, strlen(EDDSA_TOKEN), &jwt, &err), 0);
    assert_string_equal(gw_jwt_alg_text(jwt), "EdDSA");
    assert_string_equal(gw_jwt_kid(jwt), "ed");
    assert_int_equal(gw_json_int(gw_json_get(gw_jwt_payload(jwt), "exp")), 1300819380);
    gw_jwt_destroy(jwt);
    assert_int_equal(gw_jwt_parse(HS256_TOKEN, strlen(HS256_TOKEN), &jwt, &err), 0);
    assert_string_equal(gw_jwt_kid(jwt), "");
    gw_jwt_destroy(jwt);
}

static void refuses_every_changed_character(void **state)
{
    (void)state;
    struct gw_jwt_key *key = load(OCT_JWK);
    size_t length = strlen(HS256_TOKEN);
    char bad[sizeof HS256_TOKEN];
    for (size_t i = 0; i < length; i++) {
        struct gw_error err;
        memcpy(bad, HS256_TOKEN, sizeof bad);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_int_equal(check(bad, length, key, &err), GW_EAUTH);
        assert_int_equal(check(HS256_TOKEN, i, key, &err), GW_EAUTH);
    }
    gw_jwt_key_destroy(key);
}

static size_t append_part(char *out, const char *text) { return gw_base64url_encode(text, strlen(text), out); }

/* A token with this header and payload, and a signature of `signature_length` zero bytes. */
static int parse_made(const char *header, const char *payload, size_t signature_length, struct gw_error *err)
{
    static const uint8_t zeros[2048];
    char token[8192];
    struct gw_jwt *jwt;
    size_t at = append_part(token, header);
    token[at++] = '.';
    at += append_part(token + at, payload);
    token[at++] = '.';
    at += gw_base64url_encode(zeros, signature_length, token + at);
    int rc = gw_jwt_parse(token, at, &jwt, err);
    if (rc == 0)
        gw_jwt_destroy(jwt);
    return rc;
}

static void refuses_headers_that_forge_or_surprise(void **state)
{
    (void)state;
    struct gw_error err;
    assert_int_equal(parse_made("{\"alg\":\"HS256\"}", "{}", 32, &err), 0);
    static const char *const bad[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"NONE\"}",
        "{}",
        "{\"alg\":\"\"}",
        "{\"alg\":7}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":\"HS256\\u0000\"}",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}",
        "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "[]",
        "\"HS256\"",
        "{\"alg\":\"HS256\"",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse_made(bad[i], "{}", 32, &err), GW_EAUTH);
        assert_string_equal(err.id, "bearer_malformed");
    }
    assert_int_equal(parse_made("{\"alg\":\"HS256\"}", "[]", 32, &err), GW_EAUTH);
    assert_int_equal(parse_made("{\"alg\":\"HS256\"}", "", 32, &err), GW_EAUTH);
    assert_int_equal(parse_made("{\"alg\":\"HS256\"}", "{}", 0, &err), GW_EAUTH);
    assert_int_equal(parse_made("{\"alg\":\"RS256\"}", "{}", 1024, &err), 0);
    assert_int_equal(parse_made("{\"alg\":\"RS256\"}", "{}", 1025, &err), GW_EAUTH);
}

static void refuses_shapes_that_are_no_token(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         ".", "..", "...", "a.b", "e30.e30", "e30.e30.", ".e30.AA", "e30.e30.AA.AA", "e30=.e30.AA",
                                      "e30.e30.A"};
    struct gw_jwt *jwt;
    struct gw_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(gw_jwt_parse(bad[i], strlen(bad[i]), &jwt, &err), GW_EAUTH);
        assert_string_equal(err.id, "bearer_malformed");
        assert_null(jwt);
    }
    char *long_token = gw_alloc(GW_JWT_MAX_BYTES + 1);
    memset(long_token, 'A', GW_JWT_MAX_BYTES + 1);
    assert_int_equal(gw_jwt_parse(long_token, GW_JWT_MAX_BYTES + 1, &jwt, &err), GW_EAUTH);
    gw_free(long_token);
}

/* The public key's text as HMAC secret: the classic confusion of algorithms. */
static void never_takes_a_public_key_for_a_secret(void **state)
{
    (void)state;
    struct gw_jwt_key *attacker, *rsa = load(RSA_JWK), *ec = load(EC_JWK), *ed = load(ED_JWK);
    struct gw_error err;
    struct gw_buffer token;
    struct gw_json *payload = json("{\"exp\":4102444800}");
    uint8_t n[256];
    assert_int_equal(gw_base64url_decode(RSA_N, strlen(RSA_N), n), sizeof n);
    assert_int_equal(gw_jwt_key_from_secret(n, sizeof n, &attacker, &err), 0);
    gw_buffer_init(&token, 0);
    assert_int_equal(gw_jwt_sign(attacker, payload, &token, &err), 0);
    assert_int_equal(check(token.data, token.length, attacker, &err), 0);
    assert_int_equal(check(token.data, token.length, rsa, &err), GW_EAUTH);
    assert_int_equal(check(token.data, token.length, ec, &err), GW_EAUTH);
    assert_int_equal(check(token.data, token.length, ed, &err), GW_EAUTH);
    gw_buffer_fini(&token);
    gw_json_unref(payload);
    gw_jwt_key_destroy(attacker);
    gw_jwt_key_destroy(rsa);
    gw_jwt_key_destroy(ec);
    gw_jwt_key_destroy(ed);
}

static void refuses_an_all_zero_ecdsa_signature(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    char token[512];
    struct gw_error err;
    struct gw_jwt_key *key = load(EC_JWK);
    size_t at = (size_t)snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD ".");
    at += gw_base64url_encode(zeros, sizeof zeros, token + at);
    assert_int_equal(check(token, at, key, &err), GW_EAUTH);
    gw_jwt_key_destroy(key);
}

static void signs_what_it_verifies(void **state)
{
    (void)state;
    struct gw_jwt_key *key = load("{\"kty\":\"oct\",\"kid\":\"k\\\"1\",\"k\":\"" OCT_K "\"}");
    struct gw_json *payload = json("{\"sub\":\"u\",\"exp\":4102444800}");
    struct gw_buffer out;
    struct gw_error err;
    struct gw_jwt *jwt;
    gw_buffer_init(&out, 0);
    gw_buffer_append_text(&out, "Bearer ");
    assert_int_equal(gw_jwt_sign(key, payload, &out, &err), 0);
    assert_int_equal(gw_jwt_parse(out.data + 7, out.length - 7, &jwt, &err), 0);
    assert_int_equal(gw_jwt_verify(jwt, key, &err), 0);
    assert_string_equal(gw_jwt_kid(jwt), "k\"1");
    assert_true(gw_json_equal(gw_jwt_payload(jwt), payload));
    gw_jwt_destroy(jwt);
    gw_buffer_fini(&out);
    gw_json_unref(payload);
    gw_jwt_key_destroy(key);
}

static void expect_claims(const char *text, int64_t now_s, const char *id, const char *path)
{
    struct gw_json *payload = json(text);
    struct gw_error err = {0};
    struct gw_jwt_checks checks = {.now_s = now_s, .leeway_s = 10, .issuer = "https://i", .audience = "us"};
    int rc = gw_jwt_check_claims(payload, &checks, &err);
    assert_int_equal(rc, id ? GW_EAUTH : 0);
    assert_string_equal(err.id, id ? id : "");
    assert_string_equal(err.path, path);
    gw_json_unref(payload);
}

#define WHO ",\"iss\":\"https://i\",\"aud\":\"us\"}"

static void checks_times_with_leeway(void **state)
{
    (void)state;
    expect_claims("{\"exp\":1000" WHO, 1009, NULL, "");
    expect_claims("{\"exp\":1000" WHO, 1010, "bearer_expired", "");
    expect_claims("{\"exp\":1000.9" WHO, 1010, "bearer_expired", "");
    expect_claims("{\"exp\":1e300" WHO, 1010, NULL, "");
    expect_claims("{\"exp\":-1e300" WHO, 1010, "bearer_expired", "");
    expect_claims("{\"exp\":2000,\"nbf\":1010" WHO, 1000, NULL, "");
    expect_claims("{\"exp\":2000,\"nbf\":1011" WHO, 1000, "bearer_not_yet_valid", "");
    expect_claims("{\"nbf\":1" WHO, 1000, "bearer_claims", "/exp");
    expect_claims("{\"exp\":\"2000\"" WHO, 1000, "bearer_claims", "/exp");
    expect_claims("{\"exp\":2000,\"nbf\":\"1\"" WHO, 1000, "bearer_claims", "/nbf");
    expect_claims("{\"exp\":2000,\"iat\":null" WHO, 1000, "bearer_claims", "/iat");
}

static void checks_issuer_and_audience(void **state)
{
    (void)state;
    expect_claims("{\"exp\":2000,\"iss\":\"https://i\",\"aud\":[\"x\",\"us\"]}", 1000, NULL, "");
    expect_claims("{\"exp\":2000,\"iss\":\"https://i\",\"aud\":[\"x\"]}", 1000, "bearer_claims", "/aud");
    expect_claims("{\"exp\":2000,\"iss\":\"https://i\",\"aud\":[]}", 1000, "bearer_claims", "/aud");
    expect_claims("{\"exp\":2000,\"iss\":\"https://i\",\"aud\":{\"us\":1}}", 1000, "bearer_claims", "/aud");
    expect_claims("{\"exp\":2000,\"iss\":\"https://i\"}", 1000, "bearer_claims", "/aud");
    expect_claims("{\"exp\":2000,\"iss\":\"https://i/\",\"aud\":\"us\"}", 1000, "bearer_claims", "/iss");
    struct gw_json *payload = json("{\"exp\":2000.5}");
    struct gw_error err;
    assert_int_equal(gw_jwt_check_claims(payload, &(struct gw_jwt_checks){.now_s = 1}, &err), 0);
    assert_int_equal(gw_jwt_expiry_s(payload), 2000);
    gw_json_unref(payload);
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    struct gw_jwt_key *key = load(OCT_JWK);
    struct gw_json *payload = json("{\"exp\":1}");
    int failures = 0;
    for (long n = 1; n < 60; n++) {
        struct gw_jwt *jwt;
        struct gw_error err;
        struct gw_buffer out;
        gw_buffer_init(&out, 0);
        gw_alloc_fail_after(n);
        int parsed = gw_jwt_parse(HS256_TOKEN, strlen(HS256_TOKEN), &jwt, &err);
        int signed_ = parsed ? 0 : gw_jwt_sign(key, payload, &out, &err);
        gw_alloc_fail_after(0);
        assert_true((parsed == 0 || parsed == GW_ENOMEM) && (signed_ == 0 || signed_ == GW_ENOMEM));
        failures += parsed || signed_;
        gw_jwt_destroy(jwt);
        gw_buffer_fini(&out);
    }
    assert_true(failures > 5);
    gw_json_unref(payload);
    gw_jwt_key_destroy(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_the_tokens_of_the_rfcs_with_their_own_key_only),
        cmocka_unit_test(tells_header_and_payload),
        cmocka_unit_test(refuses_every_changed_character),
        cmocka_unit_test(refuses_headers_that_forge_or_surprise),
        cmocka_unit_test(refuses_shapes_that_are_no_token),
        cmocka_unit_test(never_takes_a_public_key_for_a_secret),
        cmocka_unit_test(refuses_an_all_zero_ecdsa_signature),
        cmocka_unit_test(signs_what_it_verifies),
        cmocka_unit_test(checks_times_with_leeway),
        cmocka_unit_test(checks_issuer_and_audience),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
