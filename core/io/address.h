/* address.h — numeric IPv4 and IPv6 addresses with a port: text to socket address and back. Pure values; any thread. Names are not
 * resolved ("localhost" alone is known, as 127.0.0.1): a listener that waits for DNS cannot start when it must. */
#ifndef GW_IO_ADDRESS_H
#define GW_IO_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct gw_error;

/* "[" IPv6 "]:65535" and a NUL */
#define GW_ADDRESS_TEXT_MAX 64

/* value */
struct gw_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr;
};

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0", ":8080" (every IPv4 address). GW_EINVAL bad_address; the message says which part and why.
 */
int gw_address_parse(const char *text, struct gw_address *out, struct gw_error *err);
/* "203.0.113.5:443", "[2001:db8::1]:443", "unknown" for another family; v4-mapped IPv6 is shown as IPv4. */
void gw_address_format(const struct gw_address *address, char out[GW_ADDRESS_TEXT_MAX]);
/* The same without the port and brackets: the key for limits per peer. */
void gw_address_format_host(const struct gw_address *address, char out[GW_ADDRESS_TEXT_MAX]);
uint16_t gw_address_port(const struct gw_address *address);
void gw_address_set_port(struct gw_address *address, uint16_t port);

#endif
