/* libcrypto's one call for SHA-256 looks its algorithm up by name and allocates each time, which takes longer than to digest a few hundred bytes: the
 * functions below it, which do neither, are deprecated there. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

/* libcrypto without SHA-256 is a broken installation: there is nothing that a caller could do about it. */
static void require(bool worked)
{
    if (!worked)
        abort();
}

void gw_sha256(const void *bytes, size_t length, uint8_t out[GW_SHA256_BYTES])
{
    SHA256_CTX context;
    require(SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes, length) == 1 && SHA256_Final(out, &context) == 1);
}

void gw_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length, uint8_t out[GW_SHA256_BYTES])
{
    unsigned written = GW_SHA256_BYTES;
    /* RFC 2104 section 2: a key longer than the block is its digest; it also keeps the length within the int that HMAC() takes. */
    uint8_t short_key[GW_SHA256_BYTES];
    bool is_long = key_length > SHA256_CBLOCK;
    if (is_long)
        gw_sha256(key, key_length, short_key);
    const void *used = is_long ? short_key : key_length ? key : "";
    require(HMAC(EVP_sha256(), used, is_long ? GW_SHA256_BYTES : (int)key_length, bytes, length, out, &written) != NULL);
    OPENSSL_cleanse(short_key, sizeof short_key);
}

void gw_hex_encode(const void *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * length] = '\0';
}

bool gw_bytes_equal(const void *a, const void *b, size_t length) { return CRYPTO_memcmp(a, b, length) == 0; }
