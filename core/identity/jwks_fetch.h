/* jwks_fetch.h — the key fetch of a verifier over the HTTP client. The client may live on another thread: requests travel there and answers
 * come back through the executors of both. No redirects; bounded in size and time; a 200 is the only success. Owns nothing of the client.
 * One per verifier. */
#ifndef GW_IDENTITY_JWKS_FETCH_H
#define GW_IDENTITY_JWKS_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/verifier.h"

struct gw_executor;
struct gw_http_client;
struct gw_jwks_fetch;

/* value; all borrowed for the life of the fetch */
struct gw_jwks_fetch_opts {
    struct gw_http_client *client;
    struct gw_executor *client_home; /* the thread of the client */
    struct gw_executor *home;        /* the thread of the verifier */
    bool is_https_only;              /* in real modes */
};

struct gw_jwks_fetch *gw_jwks_fetch_create(const struct gw_jwks_fetch_opts *opts);
/* Not while a fetch is under way: close the client first and let its answers arrive. NULL is fine. */
void gw_jwks_fetch_destroy(struct gw_jwks_fetch *fetch);
/* What the verifier takes; borrowed. */
const struct gw_key_fetch *gw_jwks_fetch_port(const struct gw_jwks_fetch *fetch);

/* Seconds that a Cache-Control field (RFC 9111 section 5.2.2) lets an answer live: max-age, 0 for no-cache and no-store, -1 when it says
 * neither. */
int64_t gw_jwks_max_age_s(const char *cache_control, size_t length);

#endif
