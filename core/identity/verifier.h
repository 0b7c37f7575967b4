/* verifier.h — from a bearer to an identity, on one worker. Owns that worker's keys (from a secret, a JWKS file, a JWKS URL), the cache of
 * verified bearers (it is on the path of every request) and the requests that wait for a key. Lives on one thread and shares nothing: each
 * worker has its own. Knows no socket: keys come through `struct gw_key_fetch`.
 *
 * Keys of a URL are fetched at creation, again when their age passes the answer's max-age (kept within 1 minute to 1 hour), and once for a
 * bearer whose `kid` is unknown, at most every `refetch_min_ms`. A failed fetch keeps the old set and is repeated with a growing delay. A
 * bearer that needs a key which a running fetch may bring waits for it. A key that left the set takes its cached bearers with it.
 *
 * Keys of a file are read at creation, again by gw_verifier_reload, and once for a bearer whose `kid` is unknown, within the same bounds; a file that
 * cannot be used keeps the old set. It is local and small: the thread waits for it. */
#ifndef GW_IDENTITY_VERIFIER_H
#define GW_IDENTITY_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "identity/identity.h"

struct gw_clock;
struct gw_log;
struct gw_verifier;

#define GW_JWKS_MAX_BYTES   ((size_t)256 * 1024)
#define GW_BEARER_MAX_BYTES ((size_t)8 * 1024)

/* One GET of a key set. It stays in place until `done`, which runs once, on the caller's thread, never inside `get`, and may free it. */
struct gw_key_fetch_request {
    const char *url; /* borrowed until done */
    size_t max_bytes;
    void (*done)(struct gw_key_fetch_request *request);
    int status; /* GW_OK only for a 200 whose body is whole; redirects are failures */
    struct gw_error err;
    const char *body; /* borrowed during done */
    size_t body_length;
    int64_t max_age_s; /* of Cache-Control, -1 = not given */
};
struct gw_key_fetch {
    void *self;
    void (*get)(void *self, struct gw_key_fetch_request *request);
};

/* value: borrowed for the call of create, but for fetch, clock and log, which must outlive the verifier */
struct gw_verifier_opts {
    const char *secret;               /* HS256; NULL or "" = none */
    const char *jwks_file;            /* a path; NULL or "" = none */
    const char *jwks_url;             /* NULL or "" = none */
    const char *issuer, *audience;    /* NULL or "" = not checked */
    int64_t leeway_s;                 /* for exp and nbf: 0..60 */
    size_t cache_entries;             /* 0 = 4096 */
    size_t max_waiting;               /* 0 = 1024 */
    int64_t refetch_min_ms;           /* 0 = 30,000 */
    int64_t wait_timeout_ms;          /* 0 = 5,000 */
    const struct gw_key_fetch *fetch; /* needed with jwks_url */
    const struct gw_clock *clock;
    struct gw_log *log; /* NULL = silent */
};

/* GW_EINVAL (bad_key_set): no key at all and no URL, or the file is not a key set; ids of gw_file_read. err->path is the file's. */
int gw_verifier_create(const struct gw_verifier_opts *opts, struct gw_verifier **out, struct gw_error *err);
/* Waiting requests end with GW_ECLOSED. A running fetch may end later; it finds nobody. */
void gw_verifier_destroy(struct gw_verifier *verifier);

/* A verification. The caller owns it, zeroed but for `done` and `user`, and keeps it while it waits. */
struct gw_verify {
    void (*done)(struct gw_verify *verify); /* only when gw_verifier_check answered true; must not destroy the verifier */
    void *user;
    int status;          /* GW_OK · GW_EAUTH · GW_EBUSY (no key set yet, or too many wait) · GW_ECLOSED · GW_ENOMEM */
    struct gw_error err; /* ids bearer_malformed, bearer_expired, bearer_not_yet_valid, bearer_signature, bearer_unknown_key, bearer_claims,
                            keys_unavailable */
    struct gw_identity *identity; /* one reference of the caller's when GW_OK */
    char *token;                  /* the verifier's */
    size_t token_length;
    int64_t deadline_ms;
    struct gw_verify *next;
};

/* Verifies `token` (the text after "Bearer "). False: the answer stands in *verify already, which is so on every cached bearer and whenever
 * the key is at hand; `done` does not run. True: it waits for a fetch, and `done` runs once. */
bool gw_verifier_check(struct gw_verifier *verifier, const char *token, size_t length, struct gw_verify *verify);
/* Forgets a waiting request without calling it. */
void gw_verifier_cancel(struct gw_verifier *verifier, struct gw_verify *verify);
/* To be called about once a second: starts a refresh that is due, ends what waited too long. */
void gw_verifier_tick(struct gw_verifier *verifier);
/* Reads the file again and fetches the URL again, unless a fetch runs; the log says what came of it. */
void gw_verifier_reload(struct gw_verifier *verifier);
/* False until a key is there: for readiness. */
bool gw_verifier_is_ready(const struct gw_verifier *verifier);
/* The file or the URL gave no set when it was asked last: an older one is in use, or none. */
bool gw_verifier_is_stale(const struct gw_verifier *verifier);

#endif
