#include "io/http_client_transfer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/http_client.h"

#define RESPONSE_DEFAULT_BYTES     ((size_t)1 << 20)
#define MAX_HEADER_BYTES           ((size_t)64 << 10)
#define CONNECT_TIMEOUT_DEFAULT_MS 5000u
#define TOTAL_TIMEOUT_DEFAULT_MS   15000u
#define MAX_REDIRECTS              3L

static int refuse(struct gw_error *err, const char *why) { return gw_error_set(err, GW_EINVAL, "http_bad_request", "%s", why); }

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return length > 0;
}

static bool is_header(const char *line)
{
    const char *colon = strchr(line, ':');
    return colon && is_token(line, (size_t)(colon - line)) && !strpbrk(line, "\r\n");
}

static bool has_header(const struct gw_http_request *request, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < request->header_count; i++)
        if (strncasecmp(request->headers[i], name, length) == 0 && request->headers[i][length] == ':')
            return true;
    return false;
}

/* *is_https tells which of the two schemes it is. */
static int check_url(const struct gw_http_request *request, bool *is_https, struct gw_error *err)
{
    char *scheme = NULL;
    int failure = 0;
    CURLU *url = curl_url();
    if (!url)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a request");
    if (!request->url || curl_url_set(url, CURLUPART_URL, request->url, 0) || curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
        failure = refuse(err, "the URL is not absolute or not well-formed");
    else if (strcmp(scheme, "https") != 0 && (request->is_https_only || strcmp(scheme, "http") != 0))
        failure = refuse(err, request->is_https_only ? "the URL is not an https one" : "the URL is neither http nor https");
    else
        *is_https = strcmp(scheme, "https") == 0;
    curl_free(scheme);
    curl_url_cleanup(url);
    return failure;
}

static int check(const struct gw_http_request *request, bool *is_https, struct gw_error *err)
{
    if (request->method && !is_token(request->method, strlen(request->method)))
        return refuse(err, "the method is not a token");
    for (size_t i = 0; i < request->header_count; i++)
        if (!is_header(request->headers[i]))
            return refuse(err, "a header is not of the form \"Name: value\"");
    return check_url(request, is_https, err);
}

/* What libcurl takes as a refusal is any other answer than `length`. */
static size_t keep(struct gw_http_transfer *transfer, struct gw_buffer *buffer, const char *bytes, size_t length)
{
    if (length > buffer->max_bytes - buffer->length) {
        transfer->overflowed = buffer;
        return 0;
    }
    gw_buffer_append(buffer, bytes, length);
    return buffer->has_failed ? 0 : length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct gw_http_transfer *transfer = arg;
    return keep(transfer, &transfer->request->response, bytes, size * count);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct gw_http_transfer *transfer = arg;
    /* A status line begins the next response: after 100, or a redirect. */
    if (size * count > 5 && memcmp(bytes, "HTTP/", 5) == 0)
        gw_buffer_reset(&transfer->request->response_headers);
    return keep(transfer, &transfer->request->response_headers, bytes, size * count);
}

static bool add_header(struct gw_http_transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (longer)
        transfer->headers = longer;
    return longer != NULL;
}

static int set_headers(struct gw_http_transfer *transfer)
{
    const struct gw_http_request *request = transfer->request;
    /* A name with nothing after the colon takes away what libcurl would add of its own accord. */
    bool is_complete = add_header(transfer, "Expect:");
    if (!has_header(request, "Content-Type"))
        is_complete = is_complete && add_header(transfer, "Content-Type:");
    for (size_t i = 0; i < request->header_count; i++)
        is_complete = is_complete && add_header(transfer, request->headers[i]);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return is_complete ? 0 : GW_ENOMEM;
}

static CURLcode set_method(CURL *easy, const struct gw_http_request *request)
{
    const char *method = request->method ? request->method : "GET";
    bool is_head = strcmp(method, "HEAD") == 0;
    bool may_lack_body = is_head || strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
    if (request->body || !may_lack_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_length : 0));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    if (is_head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_limits(CURL *easy, const struct gw_http_request *request, bool is_https)
{
    unsigned connect_ms = request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS;
    unsigned total_ms = request->total_timeout_ms ? request->total_timeout_ms : TOTAL_TIMEOUT_DEFAULT_MS;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)total_ms);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->allow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, request->is_https_only ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* Name look-ups run on a thread; signals would be the process's. */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static int set_options(struct gw_http_transfer *transfer, const struct gw_http_defaults *defaults, bool is_https)
{
    struct gw_http_request *request = transfer->request;
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    set_limits(easy, request, is_https);
    bool is_complete = curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK && set_method(easy, request) == CURLE_OK &&
                       curl_easy_setopt(easy, CURLOPT_USERAGENT, defaults->user_agent) == CURLE_OK &&
                       curl_easy_setopt(easy, CURLOPT_PROXY, defaults->proxy) == CURLE_OK &&
                       (!defaults->ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, defaults->ca_file) == CURLE_OK);
    return is_complete ? set_headers(transfer) : GW_ENOMEM;
}

int gw_http_transfer_create(struct gw_http_request *request, const struct gw_http_defaults *defaults, struct gw_http_transfer **out,
                            struct gw_error *err)
{
    bool is_https = false;
    int failure = check(request, &is_https, err);
    if (failure)
        return failure;
    struct gw_http_transfer *transfer = gw_alloc(sizeof *transfer);
    transfer->request = request;
    transfer->easy = curl_easy_init();
    if (!transfer->easy || set_options(transfer, defaults, is_https) != 0) {
        gw_http_transfer_destroy(transfer);
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a request");
    }
    gw_buffer_init(&request->response, request->max_response_bytes ? request->max_response_bytes : RESPONSE_DEFAULT_BYTES);
    gw_buffer_init(&request->response_headers, MAX_HEADER_BYTES);
    request->http_status = 0;
    *out = transfer;
    return 0;
}

static int set_too_large(struct gw_http_request *request, const struct gw_buffer *overflowed)
{
    const char *limit_name = overflowed == &request->response ? "max_response_bytes" : "max_response_header_bytes";
    return gw_error_limit(&request->err, "http_response_too_large", limit_name, (int64_t)overflowed->max_bytes,
                          "the response is longer than %zu bytes", overflowed->max_bytes);
}

static const char *failure_id(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return "http_unreachable";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "http_tls_failed";
    default:
        return "http_failed";
    }
}

static int set_outcome(struct gw_http_transfer *transfer, CURLcode result)
{
    struct gw_http_request *request = transfer->request;
    const char *detail = transfer->detail[0] ? transfer->detail : curl_easy_strerror(result);
    if (result == CURLE_OK)
        return GW_OK;
    if (transfer->overflowed)
        return set_too_large(request, transfer->overflowed);
    if (result == CURLE_WRITE_ERROR || result == CURLE_OUT_OF_MEMORY)
        return gw_error_set(&request->err, GW_ENOMEM, "out_of_memory", "no memory for a response");
    if (result == CURLE_OPERATION_TIMEDOUT) {
        gw_error_set(&request->err, GW_ETIMEOUT, "http_timeout", "%.200s", detail);
        request->err.is_retryable = true;
        return GW_ETIMEOUT;
    }
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return gw_error_set(&request->err, GW_ECLOSED, "http_cancelled", "the request was cancelled");
    gw_error_set(&request->err, GW_EIO, failure_id(result), "%.200s", detail);
    request->err.is_retryable = strcmp(request->err.id, "http_unreachable") == 0;
    return GW_EIO;
}

void gw_http_transfer_end(struct gw_http_transfer *transfer, CURLcode result)
{
    long http_status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
    transfer->request->http_status = (unsigned)http_status;
    transfer->request->status = set_outcome(transfer, result);
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
}

void gw_http_transfer_destroy(struct gw_http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    gw_free(transfer);
}
