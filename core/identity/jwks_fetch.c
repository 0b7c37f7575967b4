#include "identity/jwks_fetch.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/task.h"
#include "io/http_client.h"

#define TOTAL_TIMEOUT_MS 10000
#define MAX_AGE_CAP_S    INT64_C(31536000)

struct gw_jwks_fetch {
    struct gw_jwks_fetch_opts opts;
    struct gw_key_fetch port;
};

/* One fetch: to the client's thread, through the client, and home again. */
struct job {
    struct gw_task task; /* first: the executors hand it back */
    struct gw_jwks_fetch *fetch;
    struct gw_key_fetch_request *request;
    struct gw_http_request http;
    char *url;
};

static const char *const accept_headers[] = {"Accept: application/jwk-set+json, application/json"};

/* Home: hands the answer over. The verifier's `done` frees its request. */
static void finish(struct gw_task *task)
{
    struct job *job = (struct job *)task;
    struct gw_key_fetch_request *request = job->request;
    request->body = job->http.response.data;
    request->body_length = job->http.response.length;
    request->done(request);
    gw_http_request_fini(&job->http);
    gw_free(job->url);
    gw_free(job);
}

static void send_home(struct job *job)
{
    job->task.run = finish;
    job->fetch->opts.home->post(job->fetch->opts.home->self, &job->task);
}

static void on_response(struct gw_http_request *http)
{
    struct job *job = http->owner;
    struct gw_key_fetch_request *request = job->request;
    size_t length = 0;
    request->status = http->status;
    request->err = http->err;
    if (http->status == GW_OK && http->http_status != 200)
        request->status = gw_error_set(&request->err, GW_EIO, "keys_unavailable", "the key set's server answered %u", http->http_status);
    const char *cache_control = http->status == GW_OK ? gw_http_response_header(http, "Cache-Control", &length) : NULL;
    request->max_age_s = cache_control ? gw_jwks_max_age_s(cache_control, length) : -1;
    send_home(job);
}

/* On the client's thread. */
static void start(struct gw_task *task)
{
    struct job *job = (struct job *)task;
    job->http = (struct gw_http_request){
        .url = job->url,
        .headers = accept_headers,
        .header_count = 1,
        .max_response_bytes = job->request->max_bytes,
        .total_timeout_ms = TOTAL_TIMEOUT_MS,
        .is_https_only = job->fetch->opts.is_https_only,
        .done = on_response,
        .owner = job,
    };
    job->request->status = gw_http_request_start(job->fetch->opts.client, &job->http, &job->request->err);
    if (job->request->status != GW_OK)
        send_home(job);
}

static void get(void *self, struct gw_key_fetch_request *request)
{
    struct gw_jwks_fetch *fetch = self;
    struct job *job = gw_alloc(sizeof *job);
    job->fetch = fetch;
    job->request = request;
    job->url = gw_strdup(request->url);
    job->task.run = start;
    fetch->opts.client_home->post(fetch->opts.client_home->self, &job->task);
}

struct gw_jwks_fetch *gw_jwks_fetch_create(const struct gw_jwks_fetch_opts *opts)
{
    struct gw_jwks_fetch *fetch = gw_alloc(sizeof *fetch);
    fetch->opts = *opts;
    fetch->port = (struct gw_key_fetch){fetch, get};
    return fetch;
}

void gw_jwks_fetch_destroy(struct gw_jwks_fetch *fetch) { gw_free(fetch); }

const struct gw_key_fetch *gw_jwks_fetch_port(const struct gw_jwks_fetch *fetch) { return &fetch->port; }

static int64_t read_seconds(const char *text, size_t length)
{
    int64_t seconds = 0;
    size_t i = 0;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        seconds = seconds * 10 + (text[i] - '0') > MAX_AGE_CAP_S ? MAX_AGE_CAP_S : seconds * 10 + (text[i] - '0');
    return i > 0 && i == length ? seconds : -1;
}

static bool is_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

/* One directive, trimmed. */
static int64_t read_directive(const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    size_t width = equals ? (size_t)(equals - text) : length;
    if (is_name(text, width, "no-cache") || is_name(text, width, "no-store"))
        return 0;
    if (equals == NULL || !is_name(text, width, "max-age"))
        return -1;
    const char *value = equals + 1;
    size_t value_length = length - width - 1;
    if (value_length >= 2 && value[0] == '"' && value[value_length - 1] == '"')
        return read_seconds(value + 1, value_length - 2);
    return read_seconds(value, value_length);
}

int64_t gw_jwks_max_age_s(const char *cache_control, size_t length)
{
    const char *at = cache_control, *end = cache_control + length;
    int64_t shortest = -1;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end, *next = comma ? comma + 1 : end;
        while (at < stop && (*at == ' ' || *at == '\t'))
            at++;
        while (at < stop && (stop[-1] == ' ' || stop[-1] == '\t'))
            stop--;
        int64_t seconds = read_directive(at, (size_t)(stop - at));
        if (seconds >= 0 && (shortest < 0 || seconds < shortest))
            shortest = seconds;
        at = next;
    }
    return shortest;
}
