/* Keys from a URL: waiting for them, fetching them again, keeping the old ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "identity/verifier_fixture.h"

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

/* value: two keys and what they sign */
struct pair {
    struct jose_key *old, *new;
    char *old_set, *new_set, *by_old, *by_new;
};

static void make_pair(struct pair *p)
{
    p->old = jose_key_create("ES256", "old");
    p->new = jose_key_create("ES256", "new");
    p->old_set = set_of(p->old);
    p->new_set = set_of(p->new);
    p->by_old = jose_sign(p->old, payload_of("ann", 9000));
    p->by_new = jose_sign(p->new, payload_of("bob", 9000));
}

static void free_pair(struct pair *p)
{
    jose_key_destroy(p->old);
    jose_key_destroy(p->new);
    free(p->old_set);
    free(p->new_set);
    free(p->by_old);
    free(p->by_new);
}

static void a_file_is_read_again_when_told_to(void **state)
{
    struct fixture *f = *state;
    struct pair p;
    make_pair(&p);
    start(f, (struct gw_verifier_opts){.jwks_file = put_file(f, p.old_set)});
    assert_at_once(f, p.by_old, GW_OK, "ann");
    put_file(f, p.new_set);
    assert_at_once(f, p.by_old, GW_OK, "ann");
    gw_verifier_reload(f->verifier);
    assert_at_once(f, p.by_old, GW_EAUTH, "bearer_unknown_key");
    assert_at_once(f, p.by_new, GW_OK, "bob");
    free_pair(&p);
}

static void a_file_is_read_once_for_an_unknown_key(void **state)
{
    struct fixture *f = *state;
    struct pair p;
    make_pair(&p);
    start(f, (struct gw_verifier_opts){.jwks_file = put_file(f, p.old_set), .refetch_min_ms = 1000});
    assert_at_once(f, p.by_new, GW_EAUTH, "bearer_unknown_key");
    put_file(f, p.new_set);
    assert_at_once(f, p.by_new, GW_EAUTH, "bearer_unknown_key");
    f->now_ms = 999;
    assert_at_once(f, p.by_new, GW_EAUTH, "bearer_unknown_key");
    f->now_ms = 1000;
    assert_at_once(f, p.by_new, GW_OK, "bob");
    assert_at_once(f, p.by_old, GW_EAUTH, "bearer_unknown_key");
    free_pair(&p);
}

static void a_faulty_file_keeps_the_old_keys(void **state)
{
    struct fixture *f = *state;
    static const char *const faulty[] = {"{\"keys\":[", "[]", "{\"keys\":[]}", ""};
    struct pair p;
    make_pair(&p);
    start(f, (struct gw_verifier_opts){.secret = SECRET, .jwks_file = put_file(f, p.old_set)});
    assert_false(gw_verifier_is_stale(f->verifier));
    for (size_t i = 0; i < sizeof faulty / sizeof faulty[0]; i++) {
        put_file(f, faulty[i]);
        gw_verifier_reload(f->verifier);
        assert_true(gw_verifier_is_stale(f->verifier));
        assert_at_once(f, p.by_old, GW_OK, "ann");
    }
    put_file(f, p.new_set);
    gw_verifier_reload(f->verifier);
    assert_false(gw_verifier_is_stale(f->verifier));
    assert_at_once(f, p.by_new, GW_OK, "bob");
    free_pair(&p);
}

static void a_file_and_a_url_stand_beside_each_other(void **state)
{
    struct fixture *f = *state;
    struct pair p;
    make_pair(&p);
    struct gw_verifier_opts opts = by_url;
    opts.jwks_file = put_file(f, p.old_set);
    start(f, opts);
    reply(f, p.new_set, 600);
    assert_at_once(f, p.by_old, GW_OK, "ann");
    assert_at_once(f, p.by_new, GW_OK, "bob");
    gw_verifier_reload(f->verifier);
    gw_verifier_reload(f->verifier);
    assert_int_equal(f->fetch_count, 2);
    reply_failure(f);
    assert_true(gw_verifier_is_stale(f->verifier));
    assert_at_once(f, p.by_old, GW_OK, "ann");
    assert_at_once(f, p.by_new, GW_OK, "bob");
    gw_verifier_reload(f->verifier);
    reply(f, "{\"keys\":[]}", 600);
    assert_false(gw_verifier_is_stale(f->verifier));
    assert_at_once(f, p.by_old, GW_OK, "ann");
    struct answer answer;
    assert_true(check(f, p.by_new, &answer));
    gw_verifier_cancel(f->verifier, &answer.verify);
    free_pair(&p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(bearers_wait_for_the_first_set),        T(no_set_yet_is_no_verdict),           T(an_unknown_key_is_fetched_once),
        T(a_shared_secret_never_causes_a_fetch),  T(a_failed_refresh_keeps_the_old_set), T(a_key_that_left_takes_its_bearers_with_it),
        T(waiting_is_bounded_in_number_and_time),
        T(a_file_is_read_again_when_told_to),
        T(a_file_is_read_once_for_an_unknown_key),
        T(a_faulty_file_keeps_the_old_keys),
        T(a_file_and_a_url_stand_beside_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
