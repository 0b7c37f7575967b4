#include "io/address.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static int refuse(struct gw_error *err, const char *text, const char *why)
{
    return gw_error_set(err, GW_EINVAL, "bad_address", "\"%.80s\" is not an address: %s", text, why);
}

/* Digits only, 0 to 65535; -1 for anything else. */
static int parse_port(const char *text)
{
    int port = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 5)
        return -1;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return -1;
        port = port * 10 + (*c - '0');
    }
    return port <= 65535 ? port : -1;
}

static void set_v4(struct gw_address *out, struct in_addr host, uint16_t port)
{
    out->length = sizeof out->addr.v4;
    out->addr.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
}

static void set_v6(struct gw_address *out, const struct in6_addr *host, uint16_t port)
{
    out->length = sizeof out->addr.v6;
    out->addr.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *host};
}

static int parse_host(const char *text, const char *host, uint16_t port, struct gw_address *out, struct gw_error *err)
{
    struct in_addr v4 = {.s_addr = htonl(INADDR_ANY)};
    struct in6_addr v6;
    size_t length = strlen(host);
    if (length == 0) {
        set_v4(out, v4, port);
        return 0;
    }
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (host[0] == '[')
        return refuse(err, text, "the ']' is missing");
    if (inet_pton(AF_INET, host, &v4) == 1) {
        set_v4(out, v4, port);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return refuse(err, text, "an IPv6 host stands in brackets, as in [::1]:8080");
    return refuse(err, text, "the host is not numeric (names are not resolved), as in 127.0.0.1:8080");
}

static int parse_bracketed(const char *text, char *host, uint16_t port, struct gw_address *out, struct gw_error *err)
{
    struct in6_addr v6;
    host[strlen(host) - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &v6) != 1)
        return refuse(err, text, "what stands in brackets is not an IPv6 address");
    set_v6(out, &v6, port);
    return 0;
}

int gw_address_parse(const char *text, struct gw_address *out, struct gw_error *err)
{
    char host[GW_ADDRESS_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    const char *bracket = strrchr(text, ']');
    if (!colon || (bracket && colon < bracket))
        return refuse(err, text, "there is no port, as in 127.0.0.1:8080");
    size_t host_length = (size_t)(colon - text);
    if (host_length >= sizeof host)
        return refuse(err, text, "the host is too long");
    memcpy(host, text, host_length);
    host[host_length] = '\0';
    int port = parse_port(colon + 1);
    if (port < 0)
        return refuse(err, text, "the port is not a number from 0 to 65535");
    if (host[0] == '[' && host[host_length - 1] == ']')
        return parse_bracketed(text, host, (uint16_t)port, out, err);
    return parse_host(text, host, (uint16_t)port, out, err);
}

/* True for an address shown as IPv4; *host is then filled with its text. */
static bool format_v4(const struct gw_address *address, char *host, socklen_t size)
{
    const struct in6_addr *v6 = &address->addr.v6.sin6_addr;
    if (address->addr.any.sa_family == AF_INET)
        return inet_ntop(AF_INET, &address->addr.v4.sin_addr, host, size) != NULL;
    if (address->addr.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        return inet_ntop(AF_INET, &v6->s6_addr[12], host, size) != NULL;
    return false;
}

void gw_address_format(const struct gw_address *address, char out[GW_ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN];
    if (format_v4(address, host, sizeof host))
        snprintf(out, GW_ADDRESS_TEXT_MAX, "%s:%u", host, gw_address_port(address));
    else if (address->addr.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &address->addr.v6.sin6_addr, host, sizeof host))
        snprintf(out, GW_ADDRESS_TEXT_MAX, "[%s]:%u", host, gw_address_port(address));
    else
        snprintf(out, GW_ADDRESS_TEXT_MAX, "unknown");
}

void gw_address_format_host(const struct gw_address *address, char out[GW_ADDRESS_TEXT_MAX])
{
    if (format_v4(address, out, GW_ADDRESS_TEXT_MAX))
        return;
    if (address->addr.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &address->addr.v6.sin6_addr, out, GW_ADDRESS_TEXT_MAX))
        return;
    snprintf(out, GW_ADDRESS_TEXT_MAX, "unknown");
}

uint16_t gw_address_port(const struct gw_address *address)
{
    /* The port stands at the same place in both (RFC 3493 section 3.3). */
    return ntohs(address->addr.v4.sin_port);
}

void gw_address_set_port(struct gw_address *address, uint16_t port)
{
    if (address->addr.any.sa_family == AF_INET6)
        address->addr.v6.sin6_port = htons(port);
    else
        address->addr.v4.sin_port = htons(port);
}
