#include "identity/key_ring.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "protocol/jwt.h"

static void destroy_keys(struct gw_jwt_key **keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gw_jwt_key_destroy(keys[i]);
}

void gw_key_ring_fini(struct gw_key_ring *ring)
{
    destroy_keys(ring->keys, ring->count);
    gw_free(ring->keys);
    *ring = (struct gw_key_ring){.keys = NULL};
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a key"); }

/* Room for `more` keys behind the present ones. */
static int reserve(struct gw_key_ring *ring, size_t more, struct gw_error *err)
{
    struct gw_jwt_key **grown = gw_try_grow(ring->keys, ring->count + more + 1, sizeof(struct gw_jwt_key *));
    if (grown == NULL)
        return no_memory(err);
    ring->keys = grown;
    return 0;
}

int gw_key_ring_add_secret(struct gw_key_ring *ring, const char *secret, struct gw_error *err)
{
    struct gw_jwt_key *key;
    int rc = reserve(ring, 1, err);
    if (rc == 0)
        rc = gw_jwt_key_from_secret(secret, strlen(secret), &key, err);
    if (rc != 0)
        return rc;
    ring->keys[ring->count++] = key;
    ring->counts[GW_KEYS_SECRET]++;
    return 0;
}

static int parse_set(enum gw_key_source source, const char *text, size_t length, struct gw_jwks *set, struct gw_error *err)
{
    int rc = gw_jwks_parse(text, length, set, err);
    if (rc == GW_ENOMEM)
        return rc;
    if (rc != 0) {
        char reason[120];
        snprintf(reason, sizeof reason, "%.119s", err->message);
        return gw_error_set(err, GW_EINVAL, "bad_key_set", "not a JWK set (RFC 7517): %s", reason);
    }
    if (set->count > 0 || source == GW_KEYS_URL)
        return 0;
    rc = gw_error_set(err, GW_EINVAL, "bad_key_set", "none of the set's %zu keys is usable: ES256, RS256 or EdDSA", set->skipped_count);
    gw_jwks_fini(set);
    return rc;
}

/* Room is there. */
static void exchange_keys(struct gw_key_ring *ring, enum gw_key_source source, struct gw_jwks *set)
{
    size_t before = 0, old = ring->counts[source];
    for (size_t i = 0; i < (size_t)source; i++)
        before += ring->counts[i];
    destroy_keys(ring->keys + before, old);
    size_t behind = ring->count - before - old;
    memmove(ring->keys + before + set->count, ring->keys + before + old, behind * sizeof(struct gw_jwt_key *));
    for (size_t i = 0; i < set->count; i++) {
        ring->keys[before + i] = set->keys[i];
        set->keys[i] = NULL;
    }
    ring->counts[source] = set->count;
    ring->count = before + set->count + behind;
}

int gw_key_ring_replace(struct gw_key_ring *ring, enum gw_key_source source, const char *text, size_t length, struct gw_error *err)
{
    struct gw_jwks set;
    int rc = parse_set(source, text, length, &set, err);
    if (rc != 0)
        return rc;
    rc = reserve(ring, set.count, err);
    if (rc == 0)
        exchange_keys(ring, source, &set);
    gw_jwks_fini(&set);
    return rc;
}

bool gw_key_ring_has(const struct gw_key_ring *ring, const uint8_t thumbprint[32])
{
    for (size_t i = 0; i < ring->count; i++)
        if (memcmp(gw_jwt_key_thumbprint(ring->keys[i]), thumbprint, 32) == 0)
            return true;
    return false;
}

/* How a key answers to a token's algorithm and `kid`. */
enum match { MATCH_NONE, MATCH_NAMELESS, MATCH_NAMED };

static enum match match_key(const struct gw_jwt_key *key, const char *alg, const char *kid)
{
    if (strcmp(gw_jwt_alg_name(gw_jwt_key_alg(key)), alg) != 0)
        return MATCH_NONE;
    const char *own = gw_jwt_key_kid(key);
    if (kid[0] == '\0')
        return MATCH_NAMED; /* the token names none, so every key of its algorithm may be meant */
    if (own == NULL)
        return MATCH_NAMELESS;
    return strcmp(own, kid) == 0 ? MATCH_NAMED : MATCH_NONE;
}

int gw_key_ring_verify(const struct gw_key_ring *ring, const struct gw_jwt *jwt, const struct gw_jwt_key **used, struct gw_error *err)
{
    const char *alg = gw_jwt_alg_text(jwt), *kid = gw_jwt_kid(jwt);
    /* A shared secret never comes from a set, so for HS256 no newer set can help. */
    bool is_known = strcmp(alg, gw_jwt_alg_name(GW_JWT_HS256)) == 0;
    unsigned tries = 0;
    for (size_t i = 0; i < ring->count && tries < GW_KEY_RING_TRIES; i++) {
        enum match match = match_key(ring->keys[i], alg, kid);
        if (match == MATCH_NONE)
            continue;
        tries++;
        is_known = is_known || match == MATCH_NAMED;
        int rc = gw_jwt_verify(jwt, ring->keys[i], err);
        if (rc == 0)
            *used = ring->keys[i];
        if (rc != GW_EAUTH)
            return rc;
    }
    if (is_known)
        return gw_error_set(err, GW_EAUTH, "bearer_signature", "the bearer is not signed by a key of this gateway");
    return gw_error_set(err, GW_EAUTH, "bearer_unknown_key", "the bearer names a key that is not known here");
}
