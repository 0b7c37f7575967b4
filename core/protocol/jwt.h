/* jwt.h — bearers: compact JWS with a JSON payload (RFC 7515, RFC 7519, RFC 8725). Parsing, signature and claims are three steps; nothing
 * parsed may be believed before gw_jwt_verify said so. Pure but for the memory of a parsed token: no clock (`now` is passed in), no key
 * store. One thread at a time. */
#ifndef GW_PROTOCOL_JWT_H
#define GW_PROTOCOL_JWT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/jwt_key.h"

struct gw_buffer;
struct gw_error;
struct gw_json;
struct gw_jwt;

#define GW_JWT_MAX_BYTES 8192

/* Splits and decodes; the token's text is not needed afterwards. All failures are GW_EAUTH (bearer_malformed) but GW_ENOMEM. Refused here
 * already: alg "none", `crit`, a header or payload that is no JSON object, a token over 8 KiB. */
int gw_jwt_parse(const char *token, size_t length, struct gw_jwt **out, struct gw_error *err);
void gw_jwt_destroy(struct gw_jwt *jwt);

/* What the header claims, for choosing a key; "" when absent. */
const char *gw_jwt_alg_text(const struct gw_jwt *jwt);
const char *gw_jwt_kid(const struct gw_jwt *jwt);
/* The claims; borrowed. */
const struct gw_json *gw_jwt_payload(const struct gw_jwt *jwt);

/* GW_OK: signed with `key` by the key's own algorithm. GW_EAUTH (bearer_signature): another algorithm than the key's, or a wrong signature.
 */
int gw_jwt_verify(const struct gw_jwt *jwt, const struct gw_jwt_key *key, struct gw_error *err);

/* value */
struct gw_jwt_checks {
    int64_t now_s, leeway_s;
    const char *issuer, *audience; /* NULL = not checked */
};
/* exp (required), nbf, iat's type, iss, aud. GW_EAUTH: bearer_expired, bearer_not_yet_valid, bearer_claims with err->path = "/aud" and the
 * like. */
int gw_jwt_check_claims(const struct gw_json *payload, const struct gw_jwt_checks *checks, struct gw_error *err);
/* exp in whole seconds; call after gw_jwt_check_claims. */
int64_t gw_jwt_expiry_s(const struct gw_json *payload);

/* Appends a compact JWS over `payload` (object). The key must be HS256 (asserted). GW_ENOMEM. */
int gw_jwt_sign(const struct gw_jwt_key *key, const struct gw_json *payload, struct gw_buffer *out, struct gw_error *err);

#endif
