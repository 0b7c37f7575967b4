/* fuzz_jwt.c — any text as bearer, as bearer payload with a true signature, and as key set: no crash, and no bearer is believed that was
 * not signed here. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "a secret of the fuzz target that no input can know";

/* Public keys of RFC 7515 appendix A and RFC 8037 appendix A. */
static const char public_keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
                                  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static struct gw_jwt_key *hmac_key(void)
{
    struct gw_jwt_key *key;
    struct gw_error err;
    assert(gw_jwt_key_from_secret(secret, sizeof secret, &key, &err) == 0);
    return key;
}

static void read_bearer(const char *text, size_t length)
{
    struct gw_jwt *jwt;
    struct gw_jwks set;
    struct gw_error err;
    if (gw_jwt_parse(text, length, &jwt, &err) != 0)
        return;
    struct gw_jwt_key *key = hmac_key();
    assert(gw_jwt_verify(jwt, key, &err) == GW_EAUTH);
    gw_jwt_key_destroy(key);
    assert(gw_jwks_parse(public_keys, sizeof public_keys - 1, &set, &err) == 0 && set.count == 2);
    for (size_t i = 0; i < set.count; i++)
        gw_jwt_verify(jwt, set.keys[i], &err);
    gw_jwks_fini(&set);
    gw_jwt_check_claims(gw_jwt_payload(jwt), &(struct gw_jwt_checks){1000, 10, "i", "a"}, &err);
    gw_jwt_destroy(jwt);
}

static void sign_payload(const char *text, size_t length)
{
    static const struct gw_json_limits limits = {.max_bytes = 2000, .max_depth = 8, .max_nodes = 500};
    struct gw_json *payload;
    struct gw_error err;
    struct gw_buffer token;
    struct gw_jwt *jwt;
    if (gw_json_parse(text, length, &limits, &payload, &err) != 0)
        return;
    struct gw_jwt_key *key = hmac_key();
    gw_buffer_init(&token, 0);
    if (gw_json_is_object(payload)) {
        assert(gw_jwt_sign(key, payload, &token, &err) == 0);
        assert(gw_jwt_parse(token.data, token.length, &jwt, &err) == 0);
        assert(gw_jwt_verify(jwt, key, &err) == 0);
        assert(gw_json_equal(gw_jwt_payload(jwt), payload));
        if (gw_jwt_check_claims(gw_jwt_payload(jwt), &(struct gw_jwt_checks){1000, 10, NULL, NULL}, &err) == 0)
            assert(gw_jwt_expiry_s(gw_jwt_payload(jwt)) > 990);
        gw_jwt_destroy(jwt);
    }
    gw_buffer_fini(&token);
    gw_jwt_key_destroy(key);
    gw_json_unref(payload);
}

static void read_keys(const char *text, size_t length)
{
    struct gw_jwks set;
    struct gw_error err;
    if (gw_jwks_parse(text, length, &set, &err) == 0)
        for (size_t i = 0; i < set.count; i++)
            assert(gw_jwt_key_alg(set.keys[i]) != GW_JWT_HS256);
    gw_jwks_fini(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    read_bearer(exact, size);
    sign_payload(exact, size);
    read_keys(exact, size);
    free(exact);
    return 0;
}
