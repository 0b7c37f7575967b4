/* client.h — the client side of a TCP connection for the tools that talk to a gateway as its users do: the load generator and the trace
 * replayer. Addresses and non-blocking connects only; what travels is framed by client_response.h and client_sse.h. Descriptors are the
 * caller's. Any thread. Not for the gateway's own outgoing HTTP: that is io/http_client. */
#ifndef GW_APP_CLIENT_H
#define GW_APP_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;

/* What the pointer of an epoll event points at: the first member of whatever is polled. */
enum gw_client_conn_kind { GW_CLIENT_CONN_STREAM, GW_CLIENT_CONN_WIRE };
struct gw_client_conn {
    enum gw_client_conn_kind kind;
    int fd; /* -1: none */
};

/* value */
struct gw_client_url {
    struct sockaddr_in address;
    char authority[280]; /* "host:port", for the Host header */
    const char *target;  /* path and query, borrowed from the parsed text; "/" when there is none */
};

/* Parses and resolves "http://host[:port][/path]". Errors: url_malformed, host_unknown. */
int gw_client_url_parse(const char *text, struct gw_client_url *out, struct gw_error *err);

/* Begins a non-blocking connect and returns the descriptor, or a negative GW_E… code. On a loopback address `source` picks the address
 * 127.0.0.(1 + source % 200) to come from, so that more streams fit than one address has ports. Completion shows as EPOLLOUT; then ask
 * gw_client_connect_result. */
int gw_client_connect(const struct gw_client_url *url, unsigned source, struct gw_error *err);
/* 0 when the connect succeeded, else GW_EIO with the system's reason. */
int gw_client_connect_result(int fd, struct gw_error *err);
/* Closes at once with a reset, which leaves no TIME_WAIT behind. */
void gw_client_abort(int fd);
/* Raises the soft limit of open files to the hard one and returns it. */
uint64_t gw_client_raise_file_limit(void);
uint64_t gw_client_now_ns(void);

#endif
