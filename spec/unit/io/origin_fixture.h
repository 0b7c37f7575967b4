/* origin_fixture.h — for the specs of io: an HTTP server on a thread of its own, in which every path stands for a way to behave. One
 * request a connection; waits are bounded. Started and stopped by the test thread, which reads last_request only when an answer has
 * arrived. */
#ifndef GW_SPEC_IO_ORIGIN_FIXTURE_H
#define GW_SPEC_IO_ORIGIN_FIXTURE_H

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "certificate_fixture.h"
#include "peer_fixture.h"

#define MAX_REQUEST_BYTES 8192

/* A server thread that reads one request per connection, keeps it, and answers by its path; over TLS when it has a context. */
struct origin {
    pthread_t thread;
    int listening;
    int stop_pipe[2];
    struct gw_address address;
    SSL_CTX *context;
    char last_request[MAX_REQUEST_BYTES + 1];
    atomic_int request_count;
};

struct exchange {
    struct origin *origin;
    int fd;
    SSL *ssl;
};

static inline ssize_t exchange_read(struct exchange *exchange, char *bytes, size_t length)
{
    return exchange->ssl ? SSL_read(exchange->ssl, bytes, (int)length) : recv(exchange->fd, bytes, length, 0);
}

static inline void exchange_write(struct exchange *exchange, const char *bytes, size_t length)
{
    if (exchange->ssl)
        SSL_write(exchange->ssl, bytes, (int)length);
    else
        (void)!send(exchange->fd, bytes, length, MSG_NOSIGNAL);
}

/* To the end of the header, and of the body if there is a Content-Length. */
static inline void read_request(struct exchange *exchange)
{
    char *request = exchange->origin->last_request;
    size_t length = 0, wanted = 0;
    while (length < MAX_REQUEST_BYTES && (wanted == 0 || length < wanted)) {
        ssize_t got = exchange_read(exchange, request + length, MAX_REQUEST_BYTES - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        request[length] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *field = strstr(request, "Content-Length: ");
        if (end)
            wanted = (size_t)(end + 4 - request) + (field ? strtoul(field + 16, NULL, 10) : 0);
    }
    request[length] = '\0';
}

static inline void answer(struct exchange *exchange, const char *status, const char *headers, const char *body)
{
    char text[1024];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s", status, strlen(body),
                          headers, body);
    exchange_write(exchange, text, (size_t)length);
}

static inline void answer_without_end(struct exchange *exchange)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    static char chunk[1000];
    memset(chunk, 'x', sizeof chunk);
    exchange_write(exchange, head, sizeof head - 1);
    for (int i = 0; i < 100; i++)
        exchange_write(exchange, chunk, sizeof chunk);
}

static inline void answer_with_endless_header(struct exchange *exchange)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n";
    char line[600];
    int length = snprintf(line, sizeof line, "X-Long: %0500d\r\n", 1);
    exchange_write(exchange, head, sizeof head - 1);
    for (int i = 0; i < 200; i++)
        exchange_write(exchange, line, (size_t)length);
    exchange_write(exchange, "\r\n", 2);
}

static inline bool is_for(const struct exchange *exchange, const char *path)
{
    const char *target = strchr(exchange->origin->last_request, ' ');
    return target && strncmp(target + 1, path, strlen(path)) == 0;
}

static inline void serve(struct exchange *exchange)
{
    char byte;
    read_request(exchange);
    atomic_fetch_add(&exchange->origin->request_count, 1);
    if (is_for(exchange, "/keys"))
        answer(exchange, "200 OK", "Content-Type: application/json\r\nCache-Control:   max-age=60  \r\n", "{\"keys\":[]}");
    else if (is_for(exchange, "/gone"))
        answer(exchange, "404 Not Found", "", "no");
    else if (is_for(exchange, "/flaky") && atomic_load(&exchange->origin->request_count) < 3)
        answer(exchange, "503 Service Unavailable", "", "");
    else if (is_for(exchange, "/flaky"))
        answer(exchange, "204 No Content", "", "");
    else if (is_for(exchange, "/moved"))
        answer(exchange, "302 Found", "Location: /keys\r\nX-Only-First: yes\r\n", "elsewhere");
    else if (is_for(exchange, "/loop"))
        answer(exchange, "302 Found", "Location: /loop\r\n", "");
    else if (is_for(exchange, "/long"))
        answer_without_end(exchange);
    else if (is_for(exchange, "/header"))
        answer_with_endless_header(exchange);
    else if (is_for(exchange, "/silent"))
        exchange_read(exchange, &byte, 1);
}

static inline void accept_one(struct origin *origin)
{
    struct timeval patience = {.tv_sec = 10};
    struct exchange exchange = {.origin = origin, .fd = accept(origin->listening, NULL, NULL)};
    if (exchange.fd < 0)
        return;
    setsockopt(exchange.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (origin->context) {
        exchange.ssl = SSL_new(origin->context);
        SSL_set_fd(exchange.ssl, exchange.fd);
    }
    if (!exchange.ssl || SSL_accept(exchange.ssl) == 1) {
        serve(&exchange);
        if (exchange.ssl)
            SSL_shutdown(exchange.ssl);
    }
    SSL_free(exchange.ssl);
    close(exchange.fd);
}

static inline void *origin_main(void *arg)
{
    struct origin *origin = arg;
    struct pollfd fds[2] = {{.fd = origin->listening, .events = POLLIN}, {.fd = origin->stop_pipe[0], .events = POLLIN}};
    while (poll(fds, 2, 20000) > 0 && !fds[1].revents)
        accept_one(origin);
    return NULL;
}

static inline void origin_init(struct origin *origin, const struct certificate *certificate)
{
    memset(origin, 0, sizeof *origin);
    origin->listening = listen_on_loopback(&origin->address);
    assert_int_equal(pipe(origin->stop_pipe), 0);
    if (certificate) {
        origin->context = SSL_CTX_new(TLS_server_method());
        assert_int_equal(SSL_CTX_use_certificate_chain_file(origin->context, certificate->certificate_file), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(origin->context, certificate->key_file, SSL_FILETYPE_PEM), 1);
    }
    assert_int_equal(pthread_create(&origin->thread, NULL, origin_main, origin), 0);
}

static inline void origin_fini(struct origin *origin)
{
    assert_int_equal(write(origin->stop_pipe[1], "x", 1), 1);
    pthread_join(origin->thread, NULL);
    SSL_CTX_free(origin->context);
    close(origin->stop_pipe[0]);
    close(origin->stop_pipe[1]);
    close(origin->listening);
}

#endif
