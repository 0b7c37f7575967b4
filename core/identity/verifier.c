#include "identity/verifier.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "identity/bearer_cache.h"
#include "identity/key_ring.h"
#include "protocol/jwt.h"

#define DEFAULT_CACHE_ENTRIES   4096
#define DEFAULT_MAX_WAITING     1024
#define DEFAULT_REFETCH_MIN_MS  30000
#define DEFAULT_WAIT_TIMEOUT_MS 5000
#define DEFAULT_MAX_AGE_S       600
#define MIN_MAX_AGE_S           60
#define MAX_MAX_AGE_S           3600
#define FIRST_RETRY_MS          1000
#define MAX_RETRY_MS            60000

/* A fetch outlives its verifier when that is destroyed meanwhile. */
struct fetch {
    struct gw_key_fetch_request request;
    struct gw_verifier *verifier; /* NULL: nobody waits for it any more */
    char *url;
};

struct queue {
    struct gw_verify *first, **end;
    size_t count;
};

/* value: how often something may happen */
struct bound {
    bool has_happened;
    int64_t last_ms; /* monotonic */
};

struct gw_verifier {
    const struct gw_clock *clock;
    struct gw_log *log;
    const struct gw_key_fetch *fetch_port;
    char *file, *url, *issuer, *audience;
    int64_t leeway_s;
    size_t max_waiting;
    int64_t refetch_min_ms, wait_timeout_ms;

    struct gw_key_ring ring;
    struct gw_bearer_cache *cache;
    struct fetch *fetch; /* the one under way, or NULL */
    bool has_fetched;    /* a set came from the URL once */
    bool is_url_stale, is_file_stale;
    struct bound refetch, reread; /* for an unknown kid */
    int64_t next_fetch_ms;        /* monotonic; when the set gets old, or a failed fetch is tried again */
    int64_t retry_ms;
    struct queue waiting, answering;
};

static int64_t now_ms(const struct gw_verifier *v) { return (int64_t)v->clock->monotonic_ms(v->clock->self); }

static void queue_init(struct queue *queue) { *queue = (struct queue){NULL, &queue->first, 0}; }

static void queue_push(struct queue *queue, struct gw_verify *verify)
{
    verify->next = NULL;
    *queue->end = verify;
    queue->end = &verify->next;
    queue->count++;
}

static bool queue_remove(struct queue *queue, struct gw_verify *verify)
{
    for (struct gw_verify **at = &queue->first; *at != NULL; at = &(*at)->next) {
        if (*at != verify)
            continue;
        *at = verify->next;
        if (*at == NULL)
            queue->end = at;
        queue->count--;
        return true;
    }
    return false;
}

static bool take_turn(const struct gw_verifier *v, struct bound *bound)
{
    int64_t now = now_ms(v);
    if (bound->has_happened && now - bound->last_ms < v->refetch_min_ms)
        return false;
    *bound = (struct bound){true, now};
    return true;
}

static bool is_empty(const char *text) { return text == NULL || text[0] == '\0'; }

/* ---- keys ---------------------------------------------------------------------------------------------------------------------------- */

static void start_fetch(struct gw_verifier *v);

static int read_file_keys(struct gw_verifier *v, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    int rc = gw_file_read(v->file, GW_JWKS_MAX_BYTES, &text, err);
    if (rc == 0) {
        rc = gw_key_ring_replace(&v->ring, GW_KEYS_FILE, text.data ? text.data : "", text.length, err);
        if (rc != 0)
            gw_error_prefix(err, v->file);
    }
    gw_buffer_fini(&text);
    return rc;
}

static int load_keys(struct gw_verifier *v, const struct gw_verifier_opts *opts, struct gw_error *err)
{
    int rc = 0;
    if (!is_empty(opts->secret))
        rc = gw_key_ring_add_secret(&v->ring, opts->secret, err);
    if (rc == 0 && v->file != NULL)
        rc = read_file_keys(v, err);
    if (rc == 0 && v->ring.count == 0 && v->url == NULL)
        rc = gw_error_set(err, GW_EINVAL, "bad_key_set", "no secret, no key set and no URL of one: no bearer could ever be verified");
    return rc;
}

static char *copy_or_null(const char *text) { return is_empty(text) ? NULL : gw_strdup(text); }

int gw_verifier_create(const struct gw_verifier_opts *opts, struct gw_verifier **out, struct gw_error *err)
{
    struct gw_verifier *v = gw_alloc(sizeof *v);
    uint8_t seed[16];
    v->clock = opts->clock;
    v->log = opts->log;
    v->fetch_port = opts->fetch;
    v->file = copy_or_null(opts->jwks_file);
    v->url = copy_or_null(opts->jwks_url);
    v->issuer = copy_or_null(opts->issuer);
    v->audience = copy_or_null(opts->audience);
    v->leeway_s = opts->leeway_s;
    v->max_waiting = opts->max_waiting ? opts->max_waiting : DEFAULT_MAX_WAITING;
    v->refetch_min_ms = opts->refetch_min_ms ? opts->refetch_min_ms : DEFAULT_REFETCH_MIN_MS;
    v->wait_timeout_ms = opts->wait_timeout_ms ? opts->wait_timeout_ms : DEFAULT_WAIT_TIMEOUT_MS;
    v->clock->random(v->clock->self, seed, sizeof seed);
    v->cache = gw_bearer_cache_create(opts->cache_entries ? opts->cache_entries : DEFAULT_CACHE_ENTRIES, seed);
    v->retry_ms = FIRST_RETRY_MS;
    queue_init(&v->waiting);
    queue_init(&v->answering);
    int rc = load_keys(v, opts, err);
    if (rc != 0) {
        gw_verifier_destroy(v);
        return rc;
    }
    if (v->url != NULL)
        start_fetch(v);
    *out = v;
    return 0;
}

/* ---- one bearer ------------------------------------------------------------------------------------------------------------------------
 */

static int set_result(struct gw_verify *verify, int status, struct gw_identity *identity /* taken */)
{
    verify->status = status;
    verify->identity = identity;
    return status;
}

static int keys_unavailable(struct gw_verify *verify)
{
    gw_error_set(&verify->err, GW_EBUSY, "keys_unavailable", "the keys that verify bearers cannot be had right now");
    return set_result(verify, GW_EBUSY, NULL);
}

static struct gw_identity *find_cached(struct gw_verifier *v, const uint8_t digest[32])
{
    struct gw_identity *identity = gw_bearer_cache_get(v->cache, digest);
    if (identity == NULL)
        return NULL;
    if (v->clock->wall_ms(v->clock->self) < identity->expires_at_ms + v->leeway_s * 1000)
        return identity;
    gw_bearer_cache_remove(v->cache, digest);
    return NULL;
}

/* Claims first: they are cheap, and an expired bearer must not cause a fetch. Nothing is taken from them before the signature holds. */
static int verify_parsed(struct gw_verifier *v, const struct gw_jwt *jwt, const struct gw_jwt_key **key, struct gw_verify *verify)
{
    struct gw_jwt_checks checks = {v->clock->wall_ms(v->clock->self) / 1000, v->leeway_s, v->issuer, v->audience};
    int rc = gw_jwt_check_claims(gw_jwt_payload(jwt), &checks, &verify->err);
    if (rc == 0)
        rc = gw_key_ring_verify(&v->ring, jwt, key, &verify->err);
    if (rc == 0)
        rc = gw_identity_from_claims(gw_jwt_payload(jwt), &verify->identity, &verify->err);
    return rc;
}

static int verify_token(struct gw_verifier *v, const char *token, size_t length, struct gw_verify *verify)
{
    uint8_t digest[GW_SHA256_BYTES];
    verify->identity = NULL;
    if (length > GW_BEARER_MAX_BYTES) {
        gw_error_set(&verify->err, GW_EAUTH, "bearer_malformed", "the bearer is longer than 8 KiB");
        gw_error_name_limit(&verify->err, "max_bearer_bytes", GW_BEARER_MAX_BYTES);
        return set_result(verify, GW_EAUTH, NULL);
    }
    gw_sha256(token, length, digest);
    struct gw_identity *cached = find_cached(v, digest);
    if (cached != NULL)
        return set_result(verify, GW_OK, gw_identity_ref(cached));
    struct gw_jwt *jwt;
    const struct gw_jwt_key *key = NULL;
    int rc = gw_jwt_parse(token, length, &jwt, &verify->err);
    if (rc != 0)
        return set_result(verify, rc, NULL);
    rc = verify_parsed(v, jwt, &key, verify);
    gw_jwt_destroy(jwt);
    if (rc == 0)
        gw_bearer_cache_put(v->cache, digest, verify->identity, gw_jwt_key_thumbprint(key));
    return set_result(verify, rc, verify->identity);
}

/* ---- waiting for keys
 * -------------------------------------------------------------------------------------------------------------------- */

static bool is_unknown_key(const struct gw_verify *verify)
{
    return verify->status == GW_EAUTH && strcmp(verify->err.id, "bearer_unknown_key") == 0;
}

static void log_keys(struct gw_verifier *v, enum gw_log_level level, const char *event, const char *reason);

static void reread_file(struct gw_verifier *v)
{
    struct gw_error err;
    v->is_file_stale = read_file_keys(v, &err) != 0;
    if (v->is_file_stale) {
        log_keys(v, GW_LOG_ERROR, "keys_read_failed", err.message);
        return;
    }
    gw_bearer_cache_keep_signed_by(v->cache, &v->ring);
    log_keys(v, GW_LOG_INFO, "keys_read", "");
}

/* Sees to it that a fetch runs which may bring the unknown key; false when none may be started now. */
static bool seek_key(struct gw_verifier *v)
{
    if (v->url == NULL)
        return false;
    if (v->fetch != NULL)
        return true;
    if (!v->has_fetched && now_ms(v) < v->next_fetch_ms)
        return false; /* until a first set has come, only the growing delay of failures decides */
    if (!take_turn(v, &v->refetch) && v->has_fetched)
        return false;
    start_fetch(v);
    return true;
}

/* Keeps the request until the fetch is done. */
static bool wait_for_keys(struct gw_verifier *v, const char *token, size_t length, struct gw_verify *verify)
{
    bool is_full = v->waiting.count >= v->max_waiting;
    if (is_full || (verify->token = gw_try_strndup(token, length)) == NULL) {
        keys_unavailable(verify);
        if (is_full)
            gw_error_name_limit(&verify->err, "max_waiting_bearers", (int64_t)v->max_waiting);
        return false;
    }
    verify->token_length = length;
    verify->deadline_ms = now_ms(v) + v->wait_timeout_ms;
    queue_push(&v->waiting, verify);
    return true;
}

bool gw_verifier_check(struct gw_verifier *v, const char *token, size_t length, struct gw_verify *verify)
{
    verify->token = NULL;
    verify_token(v, token, length, verify);
    if (is_unknown_key(verify) && v->file != NULL && take_turn(v, &v->reread)) {
        reread_file(v);
        verify_token(v, token, length, verify);
    }
    if (!is_unknown_key(verify))
        return false;
    if (seek_key(v))
        return wait_for_keys(v, token, length, verify);
    if (v->url != NULL && !v->has_fetched)
        keys_unavailable(verify);
    return false;
}

static void release_token(struct gw_verify *verify)
{
    if (verify->token != NULL)
        gw_zero_secret(verify->token, verify->token_length);
    gw_free(verify->token);
    verify->token = NULL;
}

void gw_verifier_cancel(struct gw_verifier *v, struct gw_verify *verify)
{
    if (queue_remove(&v->waiting, verify) || queue_remove(&v->answering, verify))
        release_token(verify);
}

static void answer(struct gw_verify *verify)
{
    release_token(verify);
    verify->done(verify);
}

/* Callbacks may check again and cancel others: the queue is read from its head each time. */
static void answer_waiting(struct gw_verifier *v)
{
    v->answering = v->waiting;
    if (v->answering.first == NULL)
        v->answering.end = &v->answering.first;
    queue_init(&v->waiting);
    struct gw_verify *verify;
    while ((verify = v->answering.first) != NULL) {
        queue_remove(&v->answering, verify);
        verify_token(v, verify->token, verify->token_length, verify);
        if (is_unknown_key(verify) && !v->has_fetched)
            keys_unavailable(verify);
        answer(verify);
    }
}

static void end_late(struct gw_verifier *v)
{
    int64_t now = now_ms(v);
    struct gw_verify *verify;
    while ((verify = v->waiting.first) != NULL && verify->deadline_ms <= now) {
        queue_remove(&v->waiting, verify);
        keys_unavailable(verify);
        answer(verify);
    }
}

/* ---- fetching
 * ---------------------------------------------------------------------------------------------------------------------------- */

static void log_keys(struct gw_verifier *v, enum gw_log_level level, const char *event, const char *reason)
{
    if (v->log == NULL)
        return;
    bool is_file = strncmp(event, "keys_read", 9) == 0;
    struct gw_log_field fields[] = {is_file ? GW_F_TEXT("file", v->file) : GW_F_TEXT("url", v->url), GW_F_UINT("keys", v->ring.count),
                                    GW_F_TEXT("reason", reason), GW_F_END};
    if (reason[0] == '\0')
        fields[2] = GW_F_END;
    gw_log_write(v->log, level, event, fields);
}

static void accept_set(struct gw_verifier *v, int64_t max_age_s)
{
    int64_t age_s = max_age_s < 0 ? DEFAULT_MAX_AGE_S : max_age_s;
    age_s = age_s < MIN_MAX_AGE_S ? MIN_MAX_AGE_S : age_s > MAX_MAX_AGE_S ? MAX_MAX_AGE_S : age_s;
    v->has_fetched = true;
    v->is_url_stale = false;
    v->retry_ms = FIRST_RETRY_MS;
    v->next_fetch_ms = now_ms(v) + age_s * 1000;
    gw_bearer_cache_keep_signed_by(v->cache, &v->ring);
    log_keys(v, GW_LOG_INFO, "keys_fetched", "");
}

static void keep_old_set(struct gw_verifier *v, const struct gw_error *err)
{
    v->is_url_stale = true;
    v->next_fetch_ms = now_ms(v) + v->retry_ms;
    v->retry_ms = v->retry_ms * 2 > MAX_RETRY_MS ? MAX_RETRY_MS : v->retry_ms * 2;
    log_keys(v, GW_LOG_WARN, "keys_fetch_failed", err->message);
}

static void on_fetched(struct gw_key_fetch_request *request)
{
    struct fetch *fetch = (struct fetch *)request;
    struct gw_verifier *v = fetch->verifier;
    if (v != NULL) {
        v->fetch = NULL;
        int rc = request->status;
        if (rc == GW_OK)
            rc = gw_key_ring_replace(&v->ring, GW_KEYS_URL, request->body, request->body_length, &request->err);
        if (rc == GW_OK)
            accept_set(v, request->max_age_s);
        else
            keep_old_set(v, &request->err);
    }
    gw_free(fetch->url);
    gw_free(fetch);
    if (v != NULL)
        answer_waiting(v);
}

static void start_fetch(struct gw_verifier *v)
{
    struct fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->url = gw_strdup(v->url);
    fetch->verifier = v;
    fetch->request = (struct gw_key_fetch_request){.url = fetch->url, .max_bytes = GW_JWKS_MAX_BYTES, .done = on_fetched, .max_age_s = -1};
    v->fetch = fetch;
    v->fetch_port->get(v->fetch_port->self, &fetch->request);
}

void gw_verifier_tick(struct gw_verifier *v)
{
    end_late(v);
    if (v->url != NULL && v->fetch == NULL && now_ms(v) >= v->next_fetch_ms)
        start_fetch(v);
}

void gw_verifier_reload(struct gw_verifier *v)
{
    if (v->file != NULL)
        reread_file(v);
    if (v->url != NULL && v->fetch == NULL)
        start_fetch(v);
}

bool gw_verifier_is_stale(const struct gw_verifier *v) { return v->is_file_stale || v->is_url_stale; }

bool gw_verifier_is_ready(const struct gw_verifier *v) { return v->ring.count > 0; }

void gw_verifier_destroy(struct gw_verifier *v)
{
    if (v == NULL)
        return;
    if (v->fetch != NULL)
        v->fetch->verifier = NULL;
    struct gw_verify *verify;
    while ((verify = v->waiting.first) != NULL) {
        queue_remove(&v->waiting, verify);
        set_result(verify, gw_error_set(&verify->err, GW_ECLOSED, "closing", "the gateway is closing"), NULL);
        answer(verify);
    }
    gw_bearer_cache_destroy(v->cache);
    gw_key_ring_fini(&v->ring);
    gw_free(v->file);
    gw_free(v->url);
    gw_free(v->issuer);
    gw_free(v->audience);
    gw_free(v);
}
