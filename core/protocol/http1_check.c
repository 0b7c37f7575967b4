#include "protocol/http1_check.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

/* Headers that may come once: the framing ones by RFC 9112, the others because two readers of one request could pick different ones. */
enum known { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, LAST_EVENT_ID, KNOWN_COUNT };
static const char *const known_names[KNOWN_COUNT] = {"host",         "content-length", "transfer-encoding", "expect", "authorization",
                                                     "content-type", "origin",         "last-event-id"};

static bool is_named(const struct gw_http1_header *header, const char *name)
{
    return strlen(name) == header->name_length && strncasecmp(header->name, name, header->name_length) == 0;
}

static int gather_known(const struct gw_http1_request *request, const struct gw_http1_header *known[KNOWN_COUNT], struct gw_error *err)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct gw_http1_header *header = &request->headers[i];
        size_t k = 0;
        if (header->name_length == 0)
            return gw_error_set(err, GW_EINVAL, "bad_header", "A header line has no name");
        while (k < KNOWN_COUNT && !is_named(header, known_names[k]))
            k++;
        if (k == KNOWN_COUNT)
            continue;
        if (known[k])
            return gw_error_set(err, GW_EINVAL, "duplicate_header", "The header %s came twice", known_names[k]);
        known[k] = header;
    }
    return 0;
}

static bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static int check_path(const char *path, size_t length, struct gw_error *err)
{
    for (size_t i = 0; i < length; i++) {
        if (path[i] != '%')
            continue;
        if (length - i < 3 || !is_hex(path[i + 1]) || !is_hex(path[i + 2]))
            return gw_error_set(err, GW_EINVAL, "bad_target", "Wrong percent-encoding in the path at byte %zu", i);
        if (path[i + 1] == '0' && path[i + 2] == '0')
            return gw_error_set(err, GW_EINVAL, "bad_target", "The path holds an encoded NUL at byte %zu", i);
    }
    return 0;
}

static int split_path(struct gw_http1_request *request, const char *path, size_t length, struct gw_error *err)
{
    const char *mark = memchr(path, '?', length);
    size_t path_length = mark ? (size_t)(mark - path) : length;
    request->path = path;
    request->path_length = path_length;
    request->query = mark ? mark + 1 : path + length;
    request->query_length = mark ? length - path_length - 1 : 0;
    /* An absolute target without a path: RFC 9112 section 3.2.1 makes it "/". */
    if (path_length == 0) {
        request->path = "/";
        request->path_length = 1;
    }
    return check_path(request->path, request->path_length, err);
}

/* RFC 3986 section 3.2.2 reg-name, IP-literal and port; user information is not in the alphabet. */
static int check_host(const char *host, size_t length, struct gw_error *err)
{
    static const char marks[] = "-._~%!$&'()*+,;=:[]";
    bool is_good = length > 0;
    for (size_t i = 0; i < length && is_good; i++) {
        char c = host[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        is_good = is_alnum || memchr(marks, c, sizeof marks - 1);
    }
    return is_good ? 0 : gw_error_set(err, GW_EINVAL, "bad_host", "The host of the request is empty or has characters that no host has");
}

static size_t scheme_length(const char *target, size_t length)
{
    if (length >= 7 && strncasecmp(target, "http://", 7) == 0)
        return 7;
    return length >= 8 && strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
}

/* RFC 9112 section 3.2.2: the authority of an absolute target replaces the Host header. */
static int split_absolute(struct gw_http1_request *request, const char *rest, size_t length, struct gw_error *err)
{
    size_t host_length = 0;
    while (host_length < length && rest[host_length] != '/' && rest[host_length] != '?')
        host_length++;
    request->host = rest;
    request->host_length = host_length;
    int rc = check_host(rest, host_length, err);
    return rc ? rc : split_path(request, rest + host_length, length - host_length, err);
}

static int split_target(struct gw_http1_request *request, const char *target, size_t length, struct gw_error *err)
{
    for (size_t i = 0; i < length; i++)
        if (target[i] <= ' ' || target[i] > '~' || target[i] == '#')
            return gw_error_set(err, GW_EINVAL, "bad_target", "The request target holds a character that must be percent-encoded");
    size_t scheme = scheme_length(target, length);
    if (scheme)
        return split_absolute(request, target + scheme, length - scheme, err);
    bool is_asterisk = length == 1 && target[0] == '*' && strcmp(request->method, "OPTIONS") == 0;
    if (length == 0 || (target[0] != '/' && !is_asterisk))
        return gw_error_set(err, GW_EINVAL, "bad_target", "The request target is neither a path nor an http URL");
    return split_path(request, target, length, err);
}

static int check_host_header(struct gw_http1_request *request, const struct gw_http1_header *host, struct gw_error *err)
{
    if (!host)
        return request->version_minor == 0 ? 0 : gw_error_set(err, GW_EINVAL, "missing_host", "HTTP/1.1 needs a Host header");
    if (!request->host_length) {
        request->host = host->value;
        request->host_length = host->value_length;
    }
    return check_host(host->value, host->value_length, err);
}

/* RFC 9112 section 6.1. That llhttp saw the same framing is checked too: a body must never be read in two ways. */
static int check_framing(struct gw_http1_request *request, const struct gw_http1_header *const known[KNOWN_COUNT], struct gw_error *err)
{
    const struct gw_http1_header *coding = known[TRANSFER_ENCODING];
    if (coding && (known[CONTENT_LENGTH] || request->version_minor == 0))
        return gw_error_set(err, GW_EINVAL, "bad_transfer_encoding", "Transfer-Encoding together with %s",
                            known[CONTENT_LENGTH] ? "Content-Length" : "HTTP/1.0");
    if (coding && !gw_http1_header_is(coding, "chunked"))
        return gw_error_set(err, GW_EINVAL, "transfer_coding_not_supported", "The one transfer coding taken here is chunked");
    if (request->is_chunked != (coding != NULL) || request->has_content_length != (known[CONTENT_LENGTH] != NULL))
        return gw_error_set(err, GW_EINVAL, "bad_transfer_encoding", "The length of the body is ambiguous");
    return 0;
}

static int check_expect(struct gw_http1_request *request, const struct gw_http1_header *expect, struct gw_error *err)
{
    /* RFC 9110 section 10.1.1: of an HTTP/1.0 client the expectation is ignored. */
    if (!expect || request->version_minor == 0)
        return 0;
    if (!gw_http1_header_is(expect, "100-continue"))
        return gw_error_set(err, GW_EINVAL, "expectation_failed", "The one expectation known here is 100-continue");
    request->expects_continue = true;
    return 0;
}

int gw_http1_check(struct gw_http1_request *request, const char *target, size_t length, struct gw_error *err)
{
    const struct gw_http1_header *known[KNOWN_COUNT] = {NULL};
    if (strcmp(request->method, "CONNECT") == 0)
        return gw_error_set(err, GW_EINVAL, "method_not_supported", "This server is no proxy");
    int rc = gather_known(request, known, err);
    if (rc == 0)
        rc = split_target(request, target, length, err);
    if (rc == 0)
        rc = check_host_header(request, known[HOST], err);
    if (rc == 0)
        rc = check_framing(request, known, err);
    return rc ? rc : check_expect(request, known[EXPECT], err);
}

const struct gw_http1_header *gw_http1_find(const struct gw_http1_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (is_named(&request->headers[i], name))
            return &request->headers[i];
    return NULL;
}

bool gw_http1_header_is(const struct gw_http1_header *header, const char *text)
{
    return header && strlen(text) == header->value_length && strncasecmp(header->value, text, header->value_length) == 0;
}
