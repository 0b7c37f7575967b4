/* verifier_fixture.h — a verifier on a clock that stands until it is moved, and a server of key sets that answers when told to. For the specs of
 * identity/verifier.h, each of which is one program. */
#ifndef GW_SPEC_IDENTITY_VERIFIER_FIXTURE_H
#define GW_SPEC_IDENTITY_VERIFIER_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "identity/verifier.h"
#include "support/jose.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S  INT64_C(1700000000)

static const struct gw_verifier_opts by_secret = {.secret = SECRET, .leeway_s = 5};
static const struct gw_verifier_opts by_url = {.jwks_url = "https://keys.example/jwks", .leeway_s = 5};

struct fixture {
    int64_t now_ms; /* since the fixture began */
    struct gw_clock clock;
    struct gw_key_fetch port;
    struct gw_key_fetch_request *pending;
    unsigned fetch_count;
    char file[32]; /* of keys; "" until put_file */
    struct gw_verifier *verifier;
};

struct answer {
    struct gw_verify verify;
    unsigned done_count;
};

int setup(void **state);
int teardown(void **state);
void start(struct fixture *f, struct gw_verifier_opts opts);

/* The fetch that is under way, and its ends. */
struct gw_key_fetch_request *take_pending(struct fixture *f);
void reply(struct fixture *f, const char *body, int64_t max_age_s);
void reply_failure(struct fixture *f);

/* Writes the key file, which teardown removes; its path. */
const char *put_file(struct fixture *f, const char *text);

/* In a static buffer, which the next call overwrites. */
char *payload_of(const char *actor, int64_t expires_in_s);
/* A key set of one key; freed by the caller. */
char *set_of(const struct jose_key *key);

/* True: it waits. */
bool check(struct fixture *f, const char *token, struct answer *answer);
void assert_answer(struct answer *answer, int status, const char *id_or_actor);
void assert_at_once(struct fixture *f, const char *token, int status, const char *id_or_actor);

#endif
