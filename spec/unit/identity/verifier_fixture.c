#include "identity/verifier_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static uint64_t monotonic_ms(void *self) { return (uint64_t)((struct fixture *)self)->now_ms + 5000; }

static int64_t wall_ms(void *self) { return NOW_S * 1000 + ((struct fixture *)self)->now_ms; }

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

int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    f.clock = (struct gw_clock){.self = &f, .monotonic_ms = monotonic_ms, .wall_ms = wall_ms, .random = fill_bytes};
    f.port = (struct gw_key_fetch){&f, on_get};
    *state = &f;
    return 0;
}

struct gw_key_fetch_request *take_pending(struct fixture *f)
{
    struct gw_key_fetch_request *request = f->pending;
    if (request == NULL)
        abort(); /* nothing was fetched */
    f->pending = NULL;
    return request;
}

void reply(struct fixture *f, const char *body, int64_t max_age_s)
{
    struct gw_key_fetch_request *request = take_pending(f);
    request->status = GW_OK;
    request->body = body;
    request->body_length = strlen(body);
    request->max_age_s = max_age_s;
    request->done(request);
}

void reply_failure(struct fixture *f)
{
    struct gw_key_fetch_request *request = take_pending(f);
    request->status = gw_error_set(&request->err, GW_EIO, "http_unreachable", "no route");
    request->done(request);
}

int teardown(void **state)
{
    struct fixture *f = *state;
    gw_verifier_destroy(f->verifier);
    if (f->pending != NULL)
        reply_failure(f); /* a fetch that ends after its verifier */
    if (f->file[0])
        unlink(f->file);
    return 0;
}

void start(struct fixture *f, struct gw_verifier_opts opts)
{
    struct gw_error err;
    opts.clock = &f->clock;
    opts.fetch = &f->port;
    if (gw_verifier_create(&opts, &f->verifier, &err) != 0)
        fail_msg("%s", err.message);
}

const char *put_file(struct fixture *f, const char *text)
{
    if (!f->file[0]) {
        memcpy(f->file, "/tmp/atoms-keys-XXXXXX", sizeof "/tmp/atoms-keys-XXXXXX");
        close(mkstemp(f->file));
    }
    FILE *file = fopen(f->file, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
        fail_msg("%s cannot be written", f->file);
    return f->file;
}

char *payload_of(const char *actor, int64_t expires_in_s)
{
    static char text[256];
    snprintf(text, sizeof text, "{\"sub\":\"%s\",\"exp\":%lld,\"app_metadata\":{\"tenant_id\":\"acme\",\"role\":\"editor\"}}", actor,
             (long long)(NOW_S + expires_in_s));
    return text;
}

static void on_done(struct gw_verify *verify)
{
    struct answer *answer = verify->user;
    answer->done_count++;
}

bool check(struct fixture *f, const char *token, struct answer *answer)
{
    *answer = (struct answer){.verify = {.done = on_done, .user = answer}};
    return gw_verifier_check(f->verifier, token, strlen(token), &answer->verify);
}

void assert_answer(struct answer *answer, int status, const char *id_or_actor)
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

void assert_at_once(struct fixture *f, const char *token, int status, const char *id_or_actor)
{
    struct answer answer;
    assert_false(check(f, token, &answer));
    assert_int_equal(answer.done_count, 0);
    assert_answer(&answer, status, id_or_actor);
}

char *set_of(const struct jose_key *key) { return jose_set(&key, 1); }
