#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "identity/verifier.h"
#include "support/jose.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S  INT64_C(1700000000)

/* A clock that stands until it is moved, and a server of key sets that answers when told to. */
struct fixture {
    int64_t now_ms; /* since the fixture began */
    struct gw_clock clock;
    struct gw_key_fetch port;
    struct gw_key_fetch_request *pending;
    unsigned fetch_count;
    struct gw_verifier *verifier;
};

static uint64_t monotonic_ms(void *self)
{
    return (uint64_t)((struct fixture *)self)->now_ms + 5000;
}

static int64_t wall_ms(void *self)
{
    return NOW_S * 1000 + ((struct fixture *)self)->now_ms;
}

static void fill_bytes(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

static void on_get(void *self, struct gw_key_fetch_request *request)
{
    struct fixture *f = self;
    assert_null(f->pending);
    assert_string_equal(request->url, "https://keys.example/jwks");
    f->pending = request;
    f->fetch_count++;
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    f.clock = (struct gw_clock){.self = &f, .monotonic_ms = monotonic_ms, .wall_ms = wall_ms, .random = fill_bytes};
    f.port = (struct gw_key_fetch){&f, on_get};
    *state = &f;
    return 0;
}

static struct gw_key_fetch_request *take_pending(struct fixture *f)
{
    struct gw_key_fetch_request *request = f->pending;
    if (request == NULL)
        abort(); /* nothing was fetched */
    f->pending = NULL;
    return request;
}

static void reply(struct fixture *f, const char *body, int64_t max_age_s)
{
    struct gw_key_fetch_request *request = take_pending(f);
    request->status = GW_OK;
    request->body = body;
    request->body_length = strlen(body);
    request->max_age_s = max_age_s;
    request->done(request);
}

static void reply_failure(struct fixture *f)
{
    struct gw_key_fetch_request *request = take_pending(f);
    request->status = gw_error_set(&request->err, GW_EIO, "http_unreachable", "no route");
    request->done(request);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_verifier_destroy(f->verifier);
    if (f->pending != NULL)
        reply_failure(f); /* a fetch that ends after its verifier */
    return 0;
}

static void start(struct fixture *f, struct gw_verifier_opts opts)
{
    struct gw_error err;
    opts.clock = &f->clock;
    opts.fetch = &f->port;
    if (gw_verifier_create(&opts, &f->verifier, &err) != 0)
        fail_msg("%s", err.message);
}

static const struct gw_verifier_opts by_secret = {.secret = SECRET, .leeway_s = 5};
static const struct gw_verifier_opts by_url = {.jwks_url = "https://keys.example/jwks", .leeway_s = 5};

static char *payload_of(const char *actor, int64_t expires_in_s)
{
    static char text[256];
    snprintf(text, sizeof text, "{\"sub\":\"%s\",\"exp\":%lld,\"app_metadata\":{\"tenant_id\":\"acme\",\"role\":\"editor\"}}", actor,
             (long long)(NOW_S + expires_in_s));
    return text;
}

struct answer {
    struct gw_verify verify;
    unsigned done_count;
};

static void on_done(struct gw_verify *verify)
{
    struct answer *answer = verify->user;
    answer->done_count++;
}

/* True: it waits. */
static bool check(struct fixture *f, const char *token, struct answer *answer)
{
    *answer = (struct answer){.verify = {.done = on_done, .user = answer}};
    return gw_verifier_check(f->verifier, token, strlen(token), &answer->verify);
}

static void assert_answer(struct answer *answer, int status, const char *id_or_actor)
{
    assert_int_equal(answer->verify.status, status);
    if (status != GW_OK) {
        assert_string_equal(answer->verify.err.id, id_or_actor);
        assert_null(answer->verify.identity);
        return;
    }
    assert_string_equal(answer->verify.identity->actor.id, id_or_actor);
    gw_identity_unref(answer->verify.identity);
}

static void assert_at_once(struct fixture *f, const char *token, int status, const char *id_or_actor)
{
    struct answer answer;
    assert_false(check(f, token, &answer));
    assert_int_equal(answer.done_count, 0);
    assert_answer(&answer, status, id_or_actor);
}

static char *set_of(const struct jose_key *key)
{
    return jose_set(&key, 1);
}

static void a_shared_secret_verifies(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL), *named = jose_key_from_secret(SECRET, "k1");
    struct jose_key *wrong = jose_key_from_secret("ffffffffffffffffffffffffffffffff", NULL);
    char *good = jose_sign(key, payload_of("ann", 60)), *bad = jose_sign(wrong, payload_of("ann", 60)),
         *with_kid = jose_sign(named, payload_of("bob", 60));
    assert_true(gw_verifier_is_ready(f->verifier));
    assert_at_once(f, good, GW_OK, "ann");
    assert_at_once(f, good, GW_OK, "ann");
    assert_at_once(f, with_kid, GW_OK, "bob");
    assert_at_once(f, bad, GW_EAUTH, "bearer_signature");
    assert_at_once(f, "nonsense", GW_EAUTH, "bearer_malformed");
    assert_at_once(f, "", GW_EAUTH, "bearer_malformed");
    jose_key_destroy(key);
    jose_key_destroy(named);
    jose_key_destroy(wrong);
    free(good);
    free(bad);
    free(with_kid);
}

static void a_cached_bearer_still_expires(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, payload_of("ann", 10));
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 14000;
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 15000;
    assert_at_once(f, token, GW_EAUTH, "bearer_expired");
    jose_key_destroy(key);
    free(token);
}

static void every_algorithm_of_a_key_file_verifies(void **state)
{
    struct fixture *f = *state;
    static const char *const algs[] = {"ES256", "RS256", "EdDSA"};
    const struct jose_key *keys[3];
    for (size_t i = 0; i < 3; i++)
        keys[i] = jose_key_create(algs[i], algs[i]);
    char *set = jose_set(keys, 3);
    start(f, (struct gw_verifier_opts){.jwks_text = set, .jwks_length = strlen(set)});
    for (size_t i = 0; i < 3; i++) {
        char *token = jose_sign(keys[i], payload_of("ann", 60));
        assert_at_once(f, token, GW_OK, "ann");
        token[strlen(token) - 10] ^= 1;
        assert_at_once(f, token, GW_EAUTH, "bearer_signature");
        free(token);
    }
    for (size_t i = 0; i < 3; i++)
        jose_key_destroy((struct jose_key *)keys[i]);
    free(set);
}

static void a_token_cannot_choose_its_algorithm(void **state)
{
    struct fixture *f = *state;
    struct jose_key *rsa = jose_key_create("RS256", "k");
    char *set = set_of(rsa);
    start(f, (struct gw_verifier_opts){.secret = SECRET, .jwks_text = set, .jwks_length = strlen(set)});
    /* the public set as an HMAC secret */
    char secret[100];
    snprintf(secret, sizeof secret, "%.90s", set);
    struct jose_key *confused = jose_key_from_secret(secret, "k");
    char *token = jose_sign(confused, payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_signature");
    free(token);
    token = jose_sign_with_header(rsa, "{\"alg\":\"none\",\"kid\":\"k\"}", payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_malformed");
    free(token);
    token = jose_sign_with_header(rsa, "{\"alg\":\"ES256\",\"kid\":\"k\"}", payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_unknown_key");
    free(token);
    jose_key_destroy(rsa);
    jose_key_destroy(confused);
    free(set);
}

static void issuer_and_audience_are_checked(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_secret;
    opts.issuer = "https://issuer";
    opts.audience = "atoms";
    start(f, opts);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, "{\"sub\":\"a\",\"exp\":1700000060,\"iss\":\"https://"
                                 "issuer\",\"aud\":[\"x\",\"atoms\"],\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}");
    assert_at_once(f, token, GW_OK, "a");
    free(token);
    token = jose_sign(key, "{\"sub\":\"a\",\"exp\":1700000060,\"iss\":\"https://"
                           "issuer\",\"aud\":\"y\",\"app_metadata\":{\"tenant_id\":\"t\",\"role\":\"r\"}}");
    assert_at_once(f, token, GW_EAUTH, "bearer_claims");
    free(token);
    token = jose_sign(key, payload_of("ann", 60));
    assert_at_once(f, token, GW_EAUTH, "bearer_claims");
    free(token);
    jose_key_destroy(key);
}

static void bearers_wait_for_the_first_set(void **state)
{
    struct fixture *f = *state;
    start(f, by_url);
    struct jose_key *key = jose_key_create("ES256", "k1");
    char *set = set_of(key), *good = jose_sign(key, payload_of("ann", 60));
    struct answer first, second, cancelled;
    assert_int_equal(f->fetch_count, 1);
    assert_false(gw_verifier_is_ready(f->verifier));
    assert_true(check(f, good, &first));
    assert_true(check(f, good, &cancelled));
    assert_true(check(f, good, &second));
    gw_verifier_cancel(f->verifier, &cancelled.verify);
    reply(f, set, 600);
    assert_int_equal(first.done_count, 1);
    assert_int_equal(second.done_count, 1);
    assert_int_equal(cancelled.done_count, 0);
    assert_answer(&first, GW_OK, "ann");
    assert_answer(&second, GW_OK, "ann");
    assert_true(gw_verifier_is_ready(f->verifier));
    assert_at_once(f, good, GW_OK, "ann");
    assert_int_equal(f->fetch_count, 1);
    jose_key_destroy(key);
    free(set);
    free(good);
}

static void no_set_yet_is_no_verdict(void **state)
{
    struct fixture *f = *state;
    start(f, by_url);
    struct jose_key *key = jose_key_create("ES256", "k1");
    char *token = jose_sign(key, payload_of("ann", 60)), *expired = jose_sign(key, payload_of("ann", -60)), *set = set_of(key);
    struct answer answer;
    assert_true(check(f, token, &answer));
    reply_failure(f);
    assert_int_equal(answer.done_count, 1);
    assert_answer(&answer, GW_EBUSY, "keys_unavailable");
    assert_at_once(f, token, GW_EBUSY, "keys_unavailable");
    assert_at_once(f, expired, GW_EAUTH, "bearer_expired");
    assert_int_equal(f->fetch_count, 1);
    f->now_ms = 999;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 1);
    f->now_ms = 1000;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 2);
    reply_failure(f);
    f->now_ms = 2999;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 2);
    f->now_ms = 3000;
    assert_true(check(f, token, &answer));
    assert_int_equal(f->fetch_count, 3);
    reply(f, set, -1);
    assert_answer(&answer, GW_OK, "ann");
    jose_key_destroy(key);
    free(token);
    free(expired);
    free(set);
}

static void an_unknown_key_is_fetched_once(void **state)
{
    struct fixture *f = *state;
    start(f, by_url);
    struct jose_key *old = jose_key_create("ES256", "old"), *new = jose_key_create("ES256", "new"),
                    *never = jose_key_create("ES256", "never");
    const struct jose_key *both[] = {old, new};
    char *first_set = set_of(old), *second_set = jose_set(both, 2);
    char *by_old = jose_sign(old, payload_of("ann", 9000)), *by_new = jose_sign(new, payload_of("bob", 9000)),
         *by_never = jose_sign(never, payload_of("eve", 9000));
    struct answer answer;
    reply(f, first_set, 3600);
    assert_at_once(f, by_old, GW_OK, "ann");
    assert_true(check(f, by_new, &answer));
    assert_int_equal(f->fetch_count, 2);
    reply(f, second_set, 3600);
    assert_answer(&answer, GW_OK, "bob");
    assert_at_once(f, by_old, GW_OK, "ann");
    assert_at_once(f, by_never, GW_EAUTH, "bearer_unknown_key");
    assert_int_equal(f->fetch_count, 2);
    f->now_ms = 30000;
    assert_true(check(f, by_never, &answer));
    assert_int_equal(f->fetch_count, 3);
    reply(f, second_set, 3600);
    assert_answer(&answer, GW_EAUTH, "bearer_unknown_key");
    jose_key_destroy(old);
    jose_key_destroy(new);
    jose_key_destroy(never);
    free(first_set);
    free(second_set);
    free(by_old);
    free(by_new);
    free(by_never);
}

static void a_shared_secret_never_causes_a_fetch(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_url;
    opts.secret = SECRET;
    start(f, opts);
    struct jose_key *wrong = jose_key_from_secret("ffffffffffffffffffffffffffffffff", "kid");
    char *token = jose_sign(wrong, payload_of("ann", 60));
    reply(f, "{\"keys\":[]}", -1);
    assert_at_once(f, token, GW_EAUTH, "bearer_signature");
    assert_int_equal(f->fetch_count, 1);
    jose_key_destroy(wrong);
    free(token);
}

static void a_failed_refresh_keeps_the_old_set(void **state)
{
    struct fixture *f = *state;
    start(f, by_url);
    struct jose_key *key = jose_key_create("EdDSA", "k");
    char *set = set_of(key), *token = jose_sign(key, payload_of("ann", 90000));
    reply(f, set, 1); /* kept for a minute at least */
    f->now_ms = 59999;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 1);
    f->now_ms = 60000;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 2);
    assert_at_once(f, token, GW_OK, "ann");
    reply_failure(f);
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 61000;
    gw_verifier_tick(f->verifier);
    reply(f, "{\"this is\":\"no set\"}", 600);
    assert_at_once(f, token, GW_OK, "ann");
    assert_true(gw_verifier_is_ready(f->verifier));
    f->now_ms = 63000;
    gw_verifier_tick(f->verifier);
    assert_int_equal(f->fetch_count, 4);
    jose_key_destroy(key);
    free(set);
    free(token);
}

static void a_key_that_left_takes_its_bearers_with_it(void **state)
{
    struct fixture *f = *state;
    start(f, by_url);
    struct jose_key *old = jose_key_create("ES256", "k"), *new = jose_key_create("ES256", "k");
    char *first = set_of(old), *second = set_of(new), *token = jose_sign(old, payload_of("ann", 90000));
    reply(f, first, 999999); /* kept for an hour at most */
    assert_at_once(f, token, GW_OK, "ann");
    f->now_ms = 3600000;
    gw_verifier_tick(f->verifier);
    reply(f, second, -1);
    assert_at_once(f, token, GW_EAUTH, "bearer_signature");
    jose_key_destroy(old);
    jose_key_destroy(new);
    free(first);
    free(second);
    free(token);
}

static void waiting_is_bounded_in_number_and_time(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_url;
    opts.max_waiting = 2;
    start(f, opts);
    struct jose_key *key = jose_key_create("ES256", "k");
    char *token = jose_sign(key, payload_of("ann", 60));
    struct answer first, second, third;
    assert_true(check(f, token, &first));
    f->now_ms = 1;
    assert_true(check(f, token, &second));
    assert_false(check(f, token, &third));
    assert_answer(&third, GW_EBUSY, "keys_unavailable");
    f->now_ms = 5000;
    gw_verifier_tick(f->verifier);
    assert_int_equal(first.done_count, 1);
    assert_answer(&first, GW_EBUSY, "keys_unavailable");
    assert_int_equal(second.done_count, 0);
    gw_verifier_destroy(f->verifier);
    f->verifier = NULL;
    assert_int_equal(second.done_count, 1);
    assert_answer(&second, GW_ECLOSED, "closing");
    jose_key_destroy(key);
    free(token);
}

static void the_cache_forgets_the_least_recent(void **state)
{
    struct fixture *f = *state;
    struct gw_verifier_opts opts = by_secret;
    opts.cache_entries = 2;
    start(f, opts);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    for (int i = 0; i < 10; i++) {
        char actor[16];
        snprintf(actor, sizeof actor, "a%d", i);
        char *token = jose_sign(key, payload_of(actor, 60));
        assert_at_once(f, token, GW_OK, actor);
        assert_at_once(f, token, GW_OK, actor);
        free(token);
    }
    jose_key_destroy(key);
}

static void without_memory_no_bearer_is_refused_as_wrong(void **state)
{
    struct fixture *f = *state;
    start(f, by_secret);
    struct jose_key *key = jose_key_from_secret(SECRET, NULL);
    char *token = jose_sign(key, payload_of("ann", 60));
    struct answer answer;
    long n = 0;
    do {
        gw_alloc_fail_after(++n);
        assert_false(check(f, token, &answer));
        gw_alloc_fail_after(0);
        assert_true(answer.verify.status == GW_OK || answer.verify.status == GW_ENOMEM);
    } while (answer.verify.status != GW_OK && n < 1000);
    assert_true(n > 10);
    assert_answer(&answer, GW_OK, "ann");
    jose_key_destroy(key);
    free(token);
}

static void no_key_at_all_is_refused(void **state)
{
    struct fixture *f = *state;
    struct gw_error err;
    struct gw_verifier_opts opts = {.clock = &f->clock};
    assert_int_equal(gw_verifier_create(&opts, &f->verifier, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_key_set");
    opts.jwks_text = "{\"keys\":[]}";
    opts.jwks_length = strlen(opts.jwks_text);
    assert_int_equal(gw_verifier_create(&opts, &f->verifier, &err), GW_EINVAL);
    assert_string_equal(err.id, "bad_key_set");
    f->verifier = NULL;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_shared_secret_verifies),
        T(a_cached_bearer_still_expires),
        T(every_algorithm_of_a_key_file_verifies),
        T(a_token_cannot_choose_its_algorithm),
        T(issuer_and_audience_are_checked),
        T(bearers_wait_for_the_first_set),
        T(no_set_yet_is_no_verdict),
        T(an_unknown_key_is_fetched_once),
        T(a_shared_secret_never_causes_a_fetch),
        T(a_failed_refresh_keeps_the_old_set),
        T(a_key_that_left_takes_its_bearers_with_it),
        T(waiting_is_bounded_in_number_and_time),
        T(the_cache_forgets_the_least_recent),
        T(without_memory_no_bearer_is_refused_as_wrong),
        T(no_key_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
