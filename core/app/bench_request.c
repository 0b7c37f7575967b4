#include "app/bench_request.h"

#include "base/alloc.h"
#include "base/buffer.h"

struct gw_bench_request {
    struct gw_client_url url;
    struct gw_bench_template *head; /* without the closing blank line */
    struct gw_bench_template *body; /* NULL: none */
};

static struct gw_bench_template *make_head(const struct gw_client_url *url, const struct gw_bench_request_spec *spec)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", spec->method, url->target, url->authority);
    for (size_t i = 0; i < spec->headers->count; i++) {
        gw_buffer_appendf(&text, "%s\r\n", spec->headers->items[i]);
    }
    gw_buffer_append_char(&text, '\0');
    struct gw_bench_template *head = text.has_failed ? NULL : gw_bench_template_create(text.data);
    gw_buffer_fini(&text);
    return head;
}

struct gw_bench_request *gw_bench_request_create(const struct gw_bench_request_spec *spec, struct gw_error *err)
{
    struct gw_client_url url;
    if (gw_client_url_parse(spec->url, &url, err) != 0) {
        return NULL;
    }
    struct gw_bench_request *request = gw_alloc(sizeof *request);
    request->url = url;
    request->head = make_head(&url, spec);
    request->body = spec->body != NULL ? gw_bench_template_create(spec->body) : NULL;
    return request;
}

void gw_bench_request_destroy(struct gw_bench_request *request)
{
    if (request != NULL) {
        gw_bench_template_destroy(request->head);
        gw_bench_template_destroy(request->body);
        gw_free(request);
    }
}

const struct gw_client_url *gw_bench_request_url(const struct gw_bench_request *request) { return &request->url; }

void gw_bench_request_render(const struct gw_bench_request *request, const struct gw_bench_values *values, const char *extra_headers,
                             struct gw_buffer *scratch, struct gw_buffer *out)
{
    gw_bench_template_render(request->head, values, out);
    gw_buffer_append_text(out, extra_headers);
    if (request->body == NULL) {
        gw_buffer_append(out, "\r\n", 2);
        return;
    }
    gw_buffer_reset(scratch);
    gw_bench_template_render(request->body, values, scratch);
    gw_buffer_append(out, "Content-Length: ", 16);
    gw_buffer_append_u64(out, scratch->length);
    gw_buffer_append(out, "\r\n\r\n", 4);
    gw_buffer_append(out, scratch->data, scratch->length);
}
