#include "protocol/jwt_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt_key_internal.h"

enum { P256_BYTES = 32, ED25519_BYTES = 32, RSA_MIN_BITS = 2048, RSA_MAX_BYTES = 1024, RSA_E_MAX_BYTES = 8, SECRET_MAX_BYTES = 1024 };

/* One base64url member of a JWK, decoded, and its text for the thumbprint. */
struct member {
    const char *text;
    size_t text_length;
    uint8_t bytes[RSA_MAX_BYTES + 1];
    size_t length;
};

static int refuse(struct gw_error *err, const char *why) { return gw_error_set(err, GW_EINVAL, "bad_jwk", "%s", why); }

static int refuse_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for a key"); }

/* ---- reading members ---- */

static bool is_text(const struct gw_json *value, const char *text)
{
    size_t length;
    const char *found = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    return found && length == strlen(text) && memcmp(found, text, length) == 0;
}

static bool is_absent_or(const struct gw_json *jwk, const char *name, const char *text)
{
    const struct gw_json *value = gw_json_get(jwk, name);
    return !value || is_text(value, text);
}

static bool read_member(const struct gw_json *jwk, const char *name, size_t max_bytes, struct member *out)
{
    const struct gw_json *value = gw_json_get(jwk, name);
    if (!gw_json_is_string(value))
        return false;
    out->text = gw_json_text(value, &out->text_length);
    if (out->text_length > GW_BASE64URL_LENGTH(max_bytes))
        return false;
    ptrdiff_t length = gw_base64url_decode(out->text, out->text_length, out->bytes);
    out->length = length > 0 ? (size_t)length : 0;
    return length > 0;
}

/* RFC 7517 section 4.3: where `key_ops` is given it must hold "verify". */
static bool may_verify(const struct gw_json *jwk)
{
    const struct gw_json *operations = gw_json_get(jwk, "key_ops");
    if (!is_absent_or(jwk, "use", "sig"))
        return false;
    if (!operations)
        return true;
    for (size_t i = 0; gw_json_is_array(operations) && i < gw_json_count(operations); i++)
        if (is_text(gw_json_at(operations, i), "verify"))
            return true;
    return false;
}

/* ---- public keys ---- */

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1 && EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

/* libcrypto refuses a point that is not on the curve. */
static EVP_PKEY *make_p256(const struct member *x, const struct member *y)
{
    uint8_t point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    memcpy(point + 1, x->bytes, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y->bytes, P256_BYTES);
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        key = from_params("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *make_rsa(const struct member *n, const struct member *e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn(n->bytes, (int)n->length, NULL);
    BIGNUM *exponent = BN_bin2bn(e->bytes, (int)e->length, NULL);
    EVP_PKEY *key = NULL;
    bool is_good = builder && modulus && exponent && BN_num_bits(modulus) >= RSA_MIN_BITS && BN_is_odd(modulus) && BN_is_odd(exponent) &&
                   !BN_is_one(exponent);
    if (is_good && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = from_params("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* ---- one kind of key each ---- */

/* RFC 7638 section 3.2: the required members in the order of their names. Their text holds only base64url characters. */
static int set_thumbprint(struct gw_jwt_key *key, struct gw_buffer *text, struct gw_error *err)
{
    int rc = text->has_failed ? refuse_memory(err) : 0;
    if (rc == 0)
        gw_sha256(text->data, text->length, key->thumbprint);
    if (text->data)
        gw_zero_secret(text->data, text->length);
    gw_buffer_fini(text);
    return rc;
}

static void write_member(struct gw_buffer *text, const char *before, const struct member *member)
{
    gw_buffer_append_text(text, before);
    gw_buffer_append(text, member->text, member->text_length);
}

static int load_ec(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    struct member x, y;
    struct gw_buffer text;
    if (!is_text(gw_json_get(jwk, "crv"), "P-256") || !is_absent_or(jwk, "alg", "ES256"))
        return refuse(err, "The one EC key taken is P-256 for ES256");
    if (!read_member(jwk, "x", P256_BYTES, &x) || !read_member(jwk, "y", P256_BYTES, &y) || x.length != P256_BYTES ||
        y.length != P256_BYTES)
        return refuse(err, "x and y of an EC key are 32 bytes in base64url");
    key->alg = GW_JWT_ES256;
    key->public_key = make_p256(&x, &y);
    if (!key->public_key)
        return refuse(err, "The EC point is not on the curve");
    gw_buffer_init(&text, 0);
    write_member(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", &x);
    write_member(&text, "\",\"y\":\"", &y);
    gw_buffer_append_text(&text, "\"}");
    return set_thumbprint(key, &text, err);
}

static int load_rsa(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    struct member n, e;
    struct gw_buffer text;
    if (!is_absent_or(jwk, "alg", "RS256"))
        return refuse(err, "RSA keys are taken for RS256 only");
    if (!read_member(jwk, "n", RSA_MAX_BYTES, &n) || !read_member(jwk, "e", RSA_E_MAX_BYTES, &e))
        return refuse(err, "n and e of an RSA key are base64url, of at most 8192 and 64 bits");
    key->alg = GW_JWT_RS256;
    key->public_key = make_rsa(&n, &e);
    if (!key->public_key)
        return refuse(err, "The RSA key has less than 2048 bits or is no key");
    gw_buffer_init(&text, 0);
    write_member(&text, "{\"e\":\"", &e);
    write_member(&text, "\",\"kty\":\"RSA\",\"n\":\"", &n);
    gw_buffer_append_text(&text, "\"}");
    return set_thumbprint(key, &text, err);
}

static int load_okp(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    struct member x;
    struct gw_buffer text;
    if (!is_text(gw_json_get(jwk, "crv"), "Ed25519") || !is_absent_or(jwk, "alg", "EdDSA"))
        return refuse(err, "The one OKP key taken is Ed25519 for EdDSA");
    if (!read_member(jwk, "x", ED25519_BYTES, &x) || x.length != ED25519_BYTES)
        return refuse(err, "x of an Ed25519 key is 32 bytes in base64url");
    key->alg = GW_JWT_EDDSA;
    key->public_key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x.bytes, x.length);
    if (!key->public_key)
        return refuse(err, "The Ed25519 key is no key");
    gw_buffer_init(&text, 0);
    write_member(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"", &x);
    gw_buffer_append_text(&text, "\"}");
    return set_thumbprint(key, &text, err);
}

static int set_secret(struct gw_jwt_key *key, const void *secret, size_t length, struct gw_error *err)
{
    struct gw_buffer text;
    key->alg = GW_JWT_HS256;
    key->secret = gw_try_alloc(length);
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "{\"k\":\"");
    char *room = gw_buffer_reserve(&text, GW_BASE64URL_LENGTH(length) + 1);
    if (!key->secret || !room) {
        gw_buffer_fini(&text);
        return refuse_memory(err);
    }
    memcpy(key->secret, secret, length);
    key->secret_length = length;
    gw_buffer_commit(&text, gw_base64url_encode(secret, length, room));
    gw_buffer_append_text(&text, "\",\"kty\":\"oct\"}");
    return set_thumbprint(key, &text, err);
}

static int load_oct(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    struct member k;
    if (!is_absent_or(jwk, "alg", "HS256"))
        return refuse(err, "Secrets are taken for HS256 only");
    if (!read_member(jwk, "k", SECRET_MAX_BYTES, &k) || k.length < GW_JWT_SECRET_MIN_BYTES)
        return refuse(err, "k of a secret is base64url of 32 to 1024 bytes");
    int rc = set_secret(key, k.bytes, k.length, err);
    gw_zero_secret(&k, sizeof k);
    return rc;
}

static int load_kid(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    const struct gw_json *kid = gw_json_get(jwk, "kid");
    size_t length;
    if (!kid)
        return 0;
    const char *text = gw_json_is_string(kid) ? gw_json_text(kid, &length) : NULL;
    if (!text || strlen(text) != length)
        return refuse(err, "kid is no text");
    key->kid = gw_try_strndup(text, length);
    return key->kid ? 0 : refuse_memory(err);
}

static int load(const struct gw_json *jwk, struct gw_jwt_key *key, struct gw_error *err)
{
    const struct gw_json *kind = gw_json_get(jwk, "kty");
    if (!may_verify(jwk))
        return refuse(err, "The key is not meant for verifying signatures");
    if (is_text(kind, "EC"))
        return load_ec(jwk, key, err);
    if (is_text(kind, "RSA"))
        return load_rsa(jwk, key, err);
    if (is_text(kind, "OKP"))
        return load_okp(jwk, key, err);
    return is_text(kind, "oct") ? load_oct(jwk, key, err) : refuse(err, "kty is none of EC, RSA, OKP, oct");
}

/* ---- public ---- */

static int finish(int rc, struct gw_jwt_key *key /* taken */, struct gw_jwt_key **out)
{
    *out = rc ? NULL : key;
    if (rc)
        gw_jwt_key_destroy(key);
    /* libcrypto queues its reasons per thread; a TLS connection of this thread must not find them. */
    ERR_clear_error();
    return rc;
}

static struct gw_jwt_key *create_empty(void)
{
    struct gw_jwt_key *key = gw_try_alloc(sizeof *key);
    if (key)
        *key = (struct gw_jwt_key){.alg = GW_JWT_HS256};
    return key;
}

int gw_jwt_key_from_secret(const void *secret, size_t length, struct gw_jwt_key **out, struct gw_error *err)
{
    *out = NULL;
    if (length < GW_JWT_SECRET_MIN_BYTES)
        return gw_error_set(err, GW_EINVAL, "weak_secret", "A secret for HS256 has at least %d bytes (RFC 7518 section 3.2)",
                            GW_JWT_SECRET_MIN_BYTES);
    struct gw_jwt_key *key = create_empty();
    return key ? finish(set_secret(key, secret, length, err), key, out) : refuse_memory(err);
}

int gw_jwt_key_from_jwk(const struct gw_json *jwk, struct gw_jwt_key **out, struct gw_error *err)
{
    *out = NULL;
    if (!gw_json_is_object(jwk))
        return refuse(err, "A JWK is a JSON object");
    struct gw_jwt_key *key = create_empty();
    if (!key)
        return refuse_memory(err);
    int rc = load(jwk, key, err);
    return finish(rc ? rc : load_kid(jwk, key, err), key, out);
}

void gw_jwt_key_destroy(struct gw_jwt_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->public_key);
    gw_zero_secret(key->secret, key->secret_length);
    gw_free(key->secret);
    gw_free(key->kid);
    gw_free(key);
}

enum gw_jwt_alg gw_jwt_key_alg(const struct gw_jwt_key *key) { return key->alg; }

const char *gw_jwt_key_kid(const struct gw_jwt_key *key) { return key->kid; }

const uint8_t *gw_jwt_key_thumbprint(const struct gw_jwt_key *key) { return key->thumbprint; }

const char *gw_jwt_alg_name(enum gw_jwt_alg alg)
{
    static const char *const names[] = {"HS256", "ES256", "RS256", "EdDSA"};
    return names[alg];
}
