/* bench_request.h — an HTTP/1.1 request as a template: method, URL, headers and body, rendered for each subscriber or message. Immutable
 * after creation; any thread. */
#ifndef GW_APP_BENCH_REQUEST_H
#define GW_APP_BENCH_REQUEST_H

#include "app/bench_template.h"
#include "app/client.h"
#include "app/client_options.h"

struct gw_bench_request;
struct gw_buffer;
struct gw_error;

/* value; `body` may be NULL: then no Content-Length is sent */
struct gw_bench_request_spec {
    const char *method, *url, *body;
    const struct gw_client_list *headers;
};

/* NULL when the URL cannot be used. */
struct gw_bench_request *gw_bench_request_create(const struct gw_bench_request_spec *spec, struct gw_error *err);
void gw_bench_request_destroy(struct gw_bench_request *request);
/* Where its connections go. */
const struct gw_client_url *gw_bench_request_url(const struct gw_bench_request *request);
/* Appends one whole request. `extra_headers` is ready text ("Name: value\r\n") or "". `scratch` is emptied and used. */
void gw_bench_request_render(const struct gw_bench_request *request, const struct gw_bench_values *values, const char *extra_headers,
                             struct gw_buffer *scratch, struct gw_buffer *out);

#endif
