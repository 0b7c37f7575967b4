#include "app/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static int resolve(const char *host, const char *port, struct sockaddr_in *out, struct gw_error *err)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        return gw_error_set(err, GW_ENOTFOUND, "host_unknown", "%s:%s: %s", host, port, gai_strerror(rc));
    }
    memcpy(out, found->ai_addr, sizeof *out);
    freeaddrinfo(found);
    return GW_OK;
}

int gw_client_url_parse(const char *text, struct gw_client_url *out, struct gw_error *err)
{
    static const char scheme[] = "http://";
    char host[256];
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return gw_error_set(err, GW_EINVAL, "url_malformed", "only http:// URLs are spoken here: %s", text);
    }
    const char *authority = text + sizeof scheme - 1;
    size_t length = strcspn(authority, "/?");
    if (length == 0 || length >= sizeof host) {
        return gw_error_set(err, GW_EINVAL, "url_malformed", "no usable host in %s", text);
    }
    memcpy(host, authority, length);
    host[length] = '\0';
    char *colon = strrchr(host, ':');
    if (colon != NULL) {
        *colon = '\0';
    }
    const char *port = colon != NULL ? colon + 1 : "80";
    (void)snprintf(out->authority, sizeof out->authority, "%s:%s", host, port);
    out->target = authority[length] == '/' ? authority + length : "/";
    return resolve(host, port, &out->address, err);
}

static bool is_loopback(const struct sockaddr_in *address) { return ntohl(address->sin_addr.s_addr) >> 24 == 127; }

static int bind_source(int fd, unsigned source)
{
    int on = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source % 200);
    /* The port is then chosen at connect time, per destination, and not exhausted by earlier binds (ip(7)). */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (const struct sockaddr *)&from, sizeof from);
}

int gw_client_connect(const struct gw_client_url *url, unsigned source, struct gw_error *err)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return gw_error_set(err, GW_EIO, "socket_failed", "socket: %s", strerror(errno));
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool is_bound = !is_loopback(&url->address) || bind_source(fd, source) == 0;
    if (!is_bound || (connect(fd, (const struct sockaddr *)&url->address, sizeof url->address) != 0 && errno != EINPROGRESS)) {
        int reason = errno;
        close(fd);
        return gw_error_set(err, GW_EIO, "connect_failed", "%s: %s", url->authority, strerror(reason));
    }
    return fd;
}

int gw_client_connect_result(int fd, struct gw_error *err)
{
    int reason = 0;
    socklen_t length = sizeof reason;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) != 0) {
        reason = errno;
    }
    return reason == 0 ? GW_OK : gw_error_set(err, GW_EIO, "connect_failed", "connect: %s", strerror(reason));
}

void gw_client_abort(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

uint64_t gw_client_raise_file_limit(void)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return (uint64_t)limit.rlim_cur;
}

uint64_t gw_client_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
