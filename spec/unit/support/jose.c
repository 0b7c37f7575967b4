#include "support/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define MAX_TEXT 16384

struct jose_key {
    char alg[8], kid[64], secret[128];
    EVP_PKEY *pkey; /* NULL for HS256 */
};

static void must(int ok)
{
    if (!ok)
        abort();
}

struct jose_key *jose_key_create(const char *alg, const char *kid)
{
    struct jose_key *key = calloc(1, sizeof *key);
    must(key != NULL);
    snprintf(key->alg, sizeof key->alg, "%s", alg);
    snprintf(key->kid, sizeof key->kid, "%s", kid ? kid : "");
    if (strcmp(alg, "ES256") == 0)
        key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    else if (strcmp(alg, "RS256") == 0)
        key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    else
        key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    must(key->pkey != NULL);
    return key;
}

struct jose_key *jose_key_from_secret(const char *secret, const char *kid)
{
    struct jose_key *key = calloc(1, sizeof *key);
    must(key != NULL);
    snprintf(key->alg, sizeof key->alg, "HS256");
    snprintf(key->kid, sizeof key->kid, "%s", kid ? kid : "");
    snprintf(key->secret, sizeof key->secret, "%s", secret);
    return key;
}

void jose_key_destroy(struct jose_key *key)
{
    EVP_PKEY_free(key->pkey);
    free(key);
}

/* DER to the raw r||s of JWS (RFC 7518 section 3.4). */
static size_t raw_ecdsa(unsigned char *signature, size_t length)
{
    const unsigned char *at = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &at, (long)length);
    unsigned char raw[64];
    must(parsed != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + 32, 32) == 32);
    ECDSA_SIG_free(parsed);
    memcpy(signature, raw, sizeof raw);
    return sizeof raw;
}

static size_t sign_bytes(const struct jose_key *key, const char *text, unsigned char out[1024])
{
    if (key->pkey == NULL) {
        gw_hmac_sha256(key->secret, strlen(key->secret), text, strlen(text), out);
        return 32;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 1024;
    bool is_ed25519 = strcmp(key->alg, "EdDSA") == 0;
    must(EVP_DigestSignInit(context, NULL, is_ed25519 ? NULL : EVP_sha256(), NULL, key->pkey) == 1);
    must(EVP_DigestSign(context, out, &length, (const unsigned char *)text, strlen(text)) == 1);
    EVP_MD_CTX_free(context);
    return strcmp(key->alg, "ES256") == 0 ? raw_ecdsa(out, length) : length;
}

char *jose_sign_with_header(const struct jose_key *key, const char *header, const char *payload)
{
    char *out = malloc(MAX_TEXT);
    unsigned char signature[1024];
    must(out != NULL && strlen(header) + strlen(payload) < MAX_TEXT / 2);
    size_t length = gw_base64url_encode(header, strlen(header), out);
    out[length++] = '.';
    length += gw_base64url_encode(payload, strlen(payload), out + length);
    size_t signature_length = sign_bytes(key, out, signature);
    out[length++] = '.';
    gw_base64url_encode(signature, signature_length, out + length);
    return out;
}

char *jose_sign(const struct jose_key *key, const char *payload)
{
    char header[128];
    snprintf(header, sizeof header, "{\"alg\":\"%s\"%s%s%s}", key->alg, key->kid[0] ? ",\"kid\":\"" : "", key->kid,
             key->kid[0] ? "\"" : "");
    return jose_sign_with_header(key, header, payload);
}

static void encode_number(const struct jose_key *key, const char *name, char *out)
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];
    must(EVP_PKEY_get_bn_param(key->pkey, name, &number) == 1);
    int length = strcmp(key->alg, "ES256") == 0 ? BN_bn2binpad(number, bytes, 32) : BN_bn2bin(number, bytes);
    must(length > 0);
    gw_base64url_encode(bytes, (size_t)length, out);
    BN_free(number);
}

static int write_material(const struct jose_key *key, char *out, size_t size)
{
    char first[800], second[800];
    if (key->pkey == NULL) {
        gw_base64url_encode(key->secret, strlen(key->secret), first);
        return snprintf(out, size, "\"kty\":\"oct\",\"k\":\"%s\"", first);
    }
    if (strcmp(key->alg, "EdDSA") == 0) {
        unsigned char raw[32];
        size_t length = sizeof raw;
        must(EVP_PKEY_get_raw_public_key(key->pkey, raw, &length) == 1);
        gw_base64url_encode(raw, length, first);
        return snprintf(out, size, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"", first);
    }
    bool is_ec = strcmp(key->alg, "ES256") == 0;
    encode_number(key, is_ec ? OSSL_PKEY_PARAM_EC_PUB_X : OSSL_PKEY_PARAM_RSA_N, first);
    encode_number(key, is_ec ? OSSL_PKEY_PARAM_EC_PUB_Y : OSSL_PKEY_PARAM_RSA_E, second);
    return snprintf(out, size,
                    is_ec ? "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"" : "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"",
                    first, second);
}

char *jose_set(const struct jose_key *const *keys, size_t count)
{
    char *out = malloc(MAX_TEXT);
    must(out != NULL);
    int length = snprintf(out, MAX_TEXT, "{\"keys\":[");
    for (size_t i = 0; i < count; i++) {
        length += snprintf(out + length, MAX_TEXT - (size_t)length, "%s{", i ? "," : "");
        length += write_material(keys[i], out + length, MAX_TEXT - (size_t)length);
        if (keys[i]->kid[0] != '\0')
            length += snprintf(out + length, MAX_TEXT - (size_t)length, ",\"kid\":\"%s\"", keys[i]->kid);
        length += snprintf(out + length, MAX_TEXT - (size_t)length, ",\"alg\":\"%s\"}", keys[i]->alg);
        must(length < MAX_TEXT - 1024);
    }
    snprintf(out + length, MAX_TEXT - (size_t)length, "]}");
    return out;
}
