/* digest.h — SHA-256, HMAC-SHA-256, base64 and constant-time compare, over OpenSSL's libcrypto. Pure functions; any thread. */
#ifndef GW_BASE_DIGEST_H
#define GW_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_SHA256_BYTES 32
/* Characters of base64url without padding for n bytes. */
#define GW_BASE64URL_LENGTH(n) (((n)*4 + 2) / 3)

void gw_sha256(const void *bytes, size_t length, uint8_t out[GW_SHA256_BYTES]);
void gw_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length, uint8_t out[GW_SHA256_BYTES]);
/* Lower-case hex with a NUL; `out` holds 2*length+1. */
void gw_hex_encode(const void *bytes, size_t length, char *out);
/* base64url without padding (RFC 4648 section 5), with a NUL; returns the number of characters. */
size_t gw_base64url_encode(const void *bytes, size_t length, char *out);
/* Strict: no padding, no white space, no stray bits. Number of bytes, or -1. `out` holds length*3/4. */
ptrdiff_t gw_base64url_decode(const char *text, size_t length, void *out);
/* Standard alphabet with padding (RFC 4648 section 4); strict. Number of bytes, or -1. */
ptrdiff_t gw_base64_decode(const char *text, size_t length, void *out);
/* Equal in time that depends on `length` alone. */
bool gw_bytes_equal(const void *a, const void *b, size_t length);

#endif
