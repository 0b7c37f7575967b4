/* http_client.h — outgoing HTTP on a loop, over libcurl. Lives on its loop's thread, requests too. A request is a struct that its owner
 * fills, keeps alive and untouched until `done`, and finishes with gw_http_request_fini. Everything is bounded: sizes, time, redirects
 * (none unless asked for). A response is a success whatever its status code; failure means that there was none. Not for streaming: bodies
 * are whole, in memory. */
#ifndef GW_IO_HTTP_CLIENT_H
#define GW_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/task.h"

struct gw_http_client;
struct gw_http_transfer;
struct gw_loop;

/* value; texts are copied, NULL = default */
struct gw_http_client_opts {
    const char *user_agent;        /* "atoms" */
    const char *ca_file;           /* PEM of trusted roots; the system's */
    const char *proxy;             /* none: the environment is not asked */
    unsigned max_host_connections; /* 8 */
    unsigned max_connections;      /* 64 */
};

/* Zero it, fill the inputs. */
struct gw_http_request {
    const char *method;         /* "GET" when NULL; borrowed until done, as all inputs */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const void *body; /* NULL = none */
    size_t body_length;
    size_t max_response_bytes;   /* of the body; 0 = 1 MiB */
    unsigned connect_timeout_ms; /* 0 = 5000 */
    unsigned total_timeout_ms;   /* 0 = 15000 */
    bool allow_redirects;        /* at most 3, and https never leads to http */
    bool is_https_only;
    void (*done)(struct gw_http_request *request);
    void *owner; /* the caller's */

    /* status: GW_OK a response · GW_ETIMEOUT http_timeout · GW_ELIMIT http_response_too_large · GW_ECLOSED http_cancelled
     * · GW_ENOMEM · GW_EIO http_unreachable, http_tls_failed, http_failed. */
    int status;
    struct gw_error err;
    unsigned http_status;
    struct gw_buffer response;
    struct gw_buffer response_headers; /* of the last response, raw lines, at most 64 KiB */

    struct gw_task task;               /* the client's */
    struct gw_http_transfer *transfer; /* the client's; NULL outside */
};

int gw_http_client_create(struct gw_loop *loop, const struct gw_http_client_opts *opts, struct gw_http_client **out, struct gw_error *err);
/* Cancels what is under way (each done still fires, in a later turn or in the loop's destroy) and frees itself after that. NULL is fine. */
void gw_http_client_close(struct gw_http_client *client);

/* GW_EINVAL http_bad_request (not a URL, other scheme, bad header): done never fires. GW_OK: it fires exactly once, never inside this call.
 */
int gw_http_request_start(struct gw_http_client *client, struct gw_http_request *request, struct gw_error *err);
/* done fires in a later turn, with GW_ECLOSED unless the request has ended already. Nothing when it is not under way. */
void gw_http_request_cancel(struct gw_http_request *request);
/* Frees the response; the inputs stay. Not while it is under way. */
void gw_http_request_fini(struct gw_http_request *request);
/* The value of a response header, trimmed; names are compared without case. NULL when there is none; the last one when there are several.
 */
const char *gw_http_response_header(const struct gw_http_request *request, const char *name, size_t *length);

#endif
