/* jose.h — a second implementation of signed bearers, for tests: keys by OpenSSL, compact JWS and JWK sets by hand. Aborts where it cannot.
 */
#ifndef SPEC_SUPPORT_JOSE_H
#define SPEC_SUPPORT_JOSE_H

#include <stddef.h>

struct jose_key;

/* `alg` is "ES256", "RS256" or "EdDSA"; `kid` may be NULL. */
struct jose_key *jose_key_create(const char *alg, const char *kid);
/* HS256 with that secret. */
struct jose_key *jose_key_from_secret(const char *secret, const char *kid);
void jose_key_destroy(struct jose_key *key);
/* A compact JWS over the payload text, its header naming the key's alg and kid; free() it. */
char *jose_sign(const struct jose_key *key, const char *payload);
/* As jose_sign, with a header of the caller's own. */
char *jose_sign_with_header(const struct jose_key *key, const char *header, const char *payload);
/* {"keys":[…]} of the public keys; free() it. */
char *jose_set(const struct jose_key *const *keys, size_t count);

#endif
