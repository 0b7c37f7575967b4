/* jwt_key.h — keys that verify bearers: a shared secret, or public keys as JWK (RFC 7517, RFC 7518, RFC 8037). Each key is bound to one
 * algorithm when it is made; nothing that a token says can change that. Immutable; may be used by one thread at a time. Secrets are zeroed
 * on destroy. */
#ifndef GW_PROTOCOL_JWT_KEY_H
#define GW_PROTOCOL_JWT_KEY_H

#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_json;
struct gw_jwt_key;

enum gw_jwt_alg { GW_JWT_HS256, GW_JWT_ES256, GW_JWT_RS256, GW_JWT_EDDSA };

#define GW_JWT_SECRET_MIN_BYTES 32
#define GW_JWKS_KEYS_MAX        64

/* An HS256 key. GW_EINVAL (weak_secret): shorter than 32 bytes (RFC 7518 section 3.2). */
int gw_jwt_key_from_secret(const void *secret, size_t length, struct gw_jwt_key **out, struct gw_error *err);
/* A key from a JWK object: EC P-256 = ES256, RSA of 2048 to 8192 bits = RS256, OKP Ed25519 = EdDSA, oct of at least 32 bytes = HS256.
 * `alg`, `use` and `key_ops` must agree where they are given. Private members are ignored. GW_EINVAL (bad_jwk). */
int gw_jwt_key_from_jwk(const struct gw_json *jwk, struct gw_jwt_key **out, struct gw_error *err);
void gw_jwt_key_destroy(struct gw_jwt_key *key);

enum gw_jwt_alg gw_jwt_key_alg(const struct gw_jwt_key *key);
const char *gw_jwt_alg_name(enum gw_jwt_alg alg); /* "HS256" … */
/* The key's name, or NULL; not set by gw_jwt_key_from_secret. */
const char *gw_jwt_key_kid(const struct gw_jwt_key *key);
/* SHA-256 JWK thumbprint (RFC 7638): equal for equal key material. 32 bytes, borrowed. */
const uint8_t *gw_jwt_key_thumbprint(const struct gw_jwt_key *key);

/* value: `keys` may be moved out by the caller, who then sets the place to NULL */
struct gw_jwks {
    struct gw_jwt_key **keys;
    size_t count;
    size_t skipped_count; /* keys that cannot be used here: other kinds, weak, malformed, and every oct key, which a public set must not
                             hold */
};
/* A JWK set (RFC 7517 section 5) of at most 256 KiB and 64 keys. GW_EINVAL (bad_jwks): not a set at all. A set without a usable key is no
 * error here. */
int gw_jwks_parse(const char *text, size_t length, struct gw_jwks *out, struct gw_error *err);
void gw_jwks_fini(struct gw_jwks *set);

#endif
