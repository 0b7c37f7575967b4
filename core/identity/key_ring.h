/* key_ring.h — the keys that verify bearers at one moment: a secret, those last read from a JWKS file, those last fetched from a URL. Owns them.
 * Lives on one thread, with its verifier. A key is chosen by its own algorithm and its name; a token only says which one to look for. */
#ifndef GW_IDENTITY_KEY_RING_H
#define GW_IDENTITY_KEY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_jwt;
struct gw_jwt_key;

/* Keys tried for one bearer, so that nobody buys many signatures with one token. */
#define GW_KEY_RING_TRIES 8

enum gw_key_source { GW_KEYS_SECRET, GW_KEYS_FILE, GW_KEYS_URL, GW_KEY_SOURCES };

/* value; zeroed = empty */
struct gw_key_ring {
    struct gw_jwt_key **keys; /* in the order of their sources */
    size_t count;
    size_t counts[GW_KEY_SOURCES];
};

void gw_key_ring_fini(struct gw_key_ring *ring);
/* Adds an HS256 key, before there is any other. */
int gw_key_ring_add_secret(struct gw_key_ring *ring, const char *secret, struct gw_error *err);
/* Puts the keys of a JWKS text in the place of all those of its source. On failure the ring stays as it was. GW_EINVAL (bad_key_set): no set; or
 * none of a file's keys is usable. */
int gw_key_ring_replace(struct gw_key_ring *ring, enum gw_key_source source, const char *text, size_t length, struct gw_error *err);
bool gw_key_ring_has(const struct gw_key_ring *ring, const uint8_t thumbprint[32]);

/* 0: signed by *used. GW_EAUTH bearer_signature: the key that it names, or all that may be meant, say no. GW_EAUTH bearer_unknown_key: no
 * key here is meant, and a newer set may hold it. */
int gw_key_ring_verify(const struct gw_key_ring *ring, const struct gw_jwt *jwt, const struct gw_jwt_key **used, struct gw_error *err);

#endif
