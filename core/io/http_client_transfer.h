/* http_client_transfer.h — one request as libcurl knows it: options in, outcome out. Between http_client.c, which drives it, and
 * http_client_transfer.c, which translates. Owns the easy handle and its header list; the request and the client are borrowed. Loop thread.
 * Not for other folders.
 */
#ifndef GW_IO_HTTP_CLIENT_TRANSFER_H
#define GW_IO_HTTP_CLIENT_TRANSFER_H

#include <curl/curl.h>

struct gw_buffer;
struct gw_error;
struct gw_http_client;
struct gw_http_request;

struct gw_http_transfer {
    CURL *easy; /* NULL once it has ended */
    struct curl_slist *headers;
    struct gw_http_client *client;
    struct gw_http_request *request;
    struct gw_http_transfer *next, *previous; /* the client's */
    const struct gw_buffer *overflowed;       /* one of the request's, or NULL */
    char detail[CURL_ERROR_SIZE];
};

/* value: what is the same for all requests of a client; borrowed */
struct gw_http_defaults {
    const char *user_agent;
    const char *ca_file; /* NULL: the system's */
    const char *proxy;   /* "": none */
};

/* Checks the request and prepares a transfer for it. GW_EINVAL http_bad_request, GW_ENOMEM. */
int gw_http_transfer_create(struct gw_http_request *request, const struct gw_http_defaults *defaults, struct gw_http_transfer **out,
                            struct gw_error *err);
/* Writes the outcome into the request and lets go of the easy handle, which is in no multi handle any more. */
void gw_http_transfer_end(struct gw_http_transfer *transfer, CURLcode result);
void gw_http_transfer_destroy(struct gw_http_transfer *transfer);

#endif
