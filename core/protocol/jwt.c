#include "protocol/jwt.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt_key_internal.h"

enum { SIGNATURE_MAX_BYTES = 1024, RAW_ECDSA_BYTES = 64, DER_ECDSA_MAX_BYTES = 80 };

static const struct gw_json_limits limits = {.max_bytes = GW_JWT_MAX_BYTES, .max_depth = 16, .max_nodes = 2048};

struct gw_jwt {
    char *text;
    size_t signed_length; /* of header, dot and payload in `text` */
    uint8_t signature[SIGNATURE_MAX_BYTES];
    size_t signature_length;
    struct gw_json *header, *payload;
    const char *alg, *kid; /* of the header */
};

static int refuse(struct gw_error *err, const char *why) { return gw_error_set(err, GW_EAUTH, "bearer_malformed", "%s", why); }

static int refuse_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for a bearer"); }

/* ---- parsing ---- */

static int decode_object(const char *text, size_t length, struct gw_json **out, struct gw_error *err)
{
    char *bytes = gw_try_alloc(length + 1);
    if (!bytes)
        return refuse_memory(err);
    ptrdiff_t count = gw_base64url_decode(text, length, bytes);
    int rc = count < 0 ? refuse(err, "The bearer is not base64url") : gw_json_parse(bytes, (size_t)count, &limits, out, err);
    gw_zero_secret(bytes, length);
    gw_free(bytes);
    if (rc == 0 && !gw_json_is_object(*out))
        return refuse(err, "Header and payload of a bearer are JSON objects");
    return rc == 0 || rc == GW_ENOMEM ? rc : refuse(err, "Header and payload of a bearer are JSON in base64url");
}

/* "" when absent, NULL when it is no text or holds a NUL, which would let two readers see two names. */
static const char *header_text(const struct gw_json *header, const char *name)
{
    const struct gw_json *value = gw_json_get(header, name);
    size_t length;
    if (!value)
        return "";
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    return text && strlen(text) == length ? text : NULL;
}

static int check_header(struct gw_jwt *jwt, struct gw_error *err)
{
    jwt->alg = header_text(jwt->header, "alg");
    jwt->kid = header_text(jwt->header, "kid");
    if (!jwt->alg || !*jwt->alg || !jwt->kid)
        return refuse(err, "alg of a bearer is missing, or alg or kid is no text");
    if (strcasecmp(jwt->alg, "none") == 0)
        return refuse(err, "An unsigned bearer is no bearer");
    /* RFC 7515 section 4.1.11: no extension is understood here, so any that is critical is refused. */
    return gw_json_get(jwt->header, "crit") ? refuse(err, "The bearer needs an extension that is not known here") : 0;
}

static int decode(struct gw_jwt *jwt, size_t length, struct gw_error *err)
{
    const char *end = jwt->text + length;
    const char *first = memchr(jwt->text, '.', length);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return refuse(err, "A bearer has three parts");
    size_t signature_length = (size_t)(end - second - 1);
    if (signature_length > GW_BASE64URL_LENGTH(SIGNATURE_MAX_BYTES))
        return refuse(err, "The signature of the bearer is longer than any key makes");
    ptrdiff_t count = gw_base64url_decode(second + 1, signature_length, jwt->signature);
    if (count <= 0)
        return refuse(err, "The signature of the bearer is empty or not base64url");
    jwt->signature_length = (size_t)count;
    jwt->signed_length = (size_t)(second - jwt->text);
    int rc = decode_object(jwt->text, (size_t)(first - jwt->text), &jwt->header, err);
    if (rc == 0)
        rc = check_header(jwt, err);
    return rc ? rc : decode_object(first + 1, (size_t)(second - first - 1), &jwt->payload, err);
}

int gw_jwt_parse(const char *token, size_t length, struct gw_jwt **out, struct gw_error *err)
{
    *out = NULL;
    if (length > GW_JWT_MAX_BYTES)
        return refuse(err, "The bearer is longer than 8 KiB");
    struct gw_jwt *jwt = gw_try_alloc(sizeof *jwt);
    if (!jwt)
        return refuse_memory(err);
    *jwt = (struct gw_jwt){.text = gw_try_strndup(token, length)};
    int rc = jwt->text ? decode(jwt, length, err) : refuse_memory(err);
    if (rc)
        gw_jwt_destroy(jwt);
    else
        *out = jwt;
    return rc;
}

void gw_jwt_destroy(struct gw_jwt *jwt)
{
    if (!jwt)
        return;
    gw_json_unref(jwt->header);
    gw_json_unref(jwt->payload);
    gw_free(jwt->text);
    gw_free(jwt);
}

const char *gw_jwt_alg_text(const struct gw_jwt *jwt) { return jwt->alg; }

const char *gw_jwt_kid(const struct gw_jwt *jwt) { return jwt->kid; }

const struct gw_json *gw_jwt_payload(const struct gw_jwt *jwt) { return jwt->payload; }

/* ---- signatures ---- */

static bool verify_hmac(const struct gw_jwt *jwt, const struct gw_jwt_key *key)
{
    uint8_t expected[GW_SHA256_BYTES];
    gw_hmac_sha256(key->secret, key->secret_length, jwt->text, jwt->signed_length, expected);
    return jwt->signature_length == sizeof expected && gw_bytes_equal(jwt->signature, expected, sizeof expected);
}

static bool verify_digest(const struct gw_jwt *jwt, const struct gw_jwt_key *key, const uint8_t *signature, size_t length)
{
    /* Ed25519 hashes by itself (RFC 8032): there the digest is NULL. */
    const EVP_MD *digest = key->alg == GW_JWT_EDDSA ? NULL : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key->public_key) == 1 &&
                   EVP_DigestVerify(context, signature, length, (const uint8_t *)jwt->text, jwt->signed_length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

/* RFC 7518 section 3.4: r and s as 32 bytes each; libcrypto wants DER. 0 on failure. */
static size_t to_der(const uint8_t raw[RAW_ECDSA_BYTES], uint8_t out[DER_ECDSA_MAX_BYTES])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, RAW_ECDSA_BYTES / 2, NULL);
    BIGNUM *s = BN_bin2bn(raw + RAW_ECDSA_BYTES / 2, RAW_ECDSA_BYTES / 2, NULL);
    int length = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        /* The pair owns them now. */
        r = s = NULL;
        length = i2d_ECDSA_SIG(pair, &out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

static bool verify_ecdsa(const struct gw_jwt *jwt, const struct gw_jwt_key *key)
{
    uint8_t der[DER_ECDSA_MAX_BYTES];
    size_t length = jwt->signature_length == RAW_ECDSA_BYTES ? to_der(jwt->signature, der) : 0;
    return length > 0 && verify_digest(jwt, key, der, length);
}

static bool is_signed_with(const struct gw_jwt *jwt, const struct gw_jwt_key *key)
{
    switch (key->alg) {
    case GW_JWT_HS256:
        return verify_hmac(jwt, key);
    case GW_JWT_ES256:
        return verify_ecdsa(jwt, key);
    default:
        return verify_digest(jwt, key, jwt->signature, jwt->signature_length);
    }
}

int gw_jwt_verify(const struct gw_jwt *jwt, const struct gw_jwt_key *key, struct gw_error *err)
{
    /* The key decides; the token may only agree (RFC 8725 section 3.1). */
    if (strcmp(jwt->alg, gw_jwt_alg_name(key->alg)) == 0 && is_signed_with(jwt, key))
        return 0;
    return gw_error_set(err, GW_EAUTH, "bearer_signature", "The bearer is not signed with a key of this server");
}
