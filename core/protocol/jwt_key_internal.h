/* jwt_key_internal.h — the inside of a key, for jwt_key.c, jwks.c, jwt.c alone. */
#ifndef GW_PROTOCOL_JWT_KEY_INTERNAL_H
#define GW_PROTOCOL_JWT_KEY_INTERNAL_H

#include <openssl/evp.h>

#include "base/digest.h"
#include "protocol/jwt_key.h"

struct gw_jwt_key {
    enum gw_jwt_alg alg;
    EVP_PKEY *public_key; /* NULL for HS256 */
    uint8_t *secret;      /* NULL for all others */
    size_t secret_length;
    char *kid;
    uint8_t thumbprint[GW_SHA256_BYTES];
};

#endif
