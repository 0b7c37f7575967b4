#include "app/admin_call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/client.h"
#include "app/client_response.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

#define ANSWER_MAX (16u << 20)
#define WAIT_MS    30000

/* value */
struct call {
    const struct gw_admin_call *asked;
    struct gw_client_url url;
    int fd;
    struct gw_buffer request, answer;
    struct gw_response response;
    struct gw_error *err;
};

static int fail(struct call *c, const char *id, const char *what)
{
    gw_error_set(c->err, GW_EIO, id, "%s%s%s", what, errno ? ": " : "", errno ? strerror(errno) : "");
    gw_error_prefix(c->err, c->url.authority);
    return GW_EIO;
}

static int await(struct call *c, short events)
{
    struct pollfd polled = {.fd = c->fd, .events = events};
    errno = 0;
    int ready = poll(&polled, 1, WAIT_MS);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? GW_OK : fail(c, "admin_unreachable", "no answer from the admin listener");
}

static int find_listener(struct call *c)
{
    char text[300];
    const char *listen = getenv("ATOMS_ADMIN_LISTEN");
    if (c->asked->base)
        snprintf(text, sizeof text, "%s", c->asked->base);
    else
        snprintf(text, sizeof text, "http://%s", listen && listen[0] ? listen : "127.0.0.1:8081");
    return gw_client_url_parse(text, &c->url, c->err);
}

static void write_request(struct call *c)
{
    const char *token = getenv("ATOMS_ADMIN_TOKEN");
    struct gw_buffer body;
    gw_buffer_init(&body, ANSWER_MAX);
    if (c->asked->body)
        gw_json_write(c->asked->body, &body);
    gw_buffer_appendf(&c->request, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nX-Atoms-Admin: 1\r\n", c->asked->method,
                      c->asked->path, c->url.authority);
    if (token && token[0])
        gw_buffer_appendf(&c->request, "Authorization: Bearer %s\r\n", token);
    if (strcmp(c->asked->method, "GET") != 0)
        gw_buffer_appendf(&c->request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.length);
    gw_buffer_append_text(&c->request, "\r\n");
    if (body.length)
        gw_buffer_append(&c->request, body.data, body.length);
    c->request.has_failed |= body.has_failed;
    gw_buffer_fini(&body);
}

static int send_request(struct call *c)
{
    size_t sent = 0;
    c->fd = gw_client_connect(&c->url, 0, c->err);
    if (c->fd < 0)
        return c->fd;
    int status = await(c, POLLOUT);
    if (!status && gw_client_connect_result(c->fd, c->err)) {
        errno = 0;
        status = fail(c, "admin_unreachable", "nobody listens there");
    }
    while (!status && sent < c->request.length) {
        ssize_t taken = write(c->fd, c->request.data + sent, c->request.length - sent);
        if (taken > 0)
            sent += (size_t)taken;
        else if (errno == EAGAIN)
            status = await(c, POLLOUT);
        else
            status = fail(c, "admin_unreachable", "the connection broke");
    }
    return status;
}

/* To the end of the connection, as was asked for. */
static int receive(struct call *c)
{
    char bytes[16384];
    for (;;) {
        int status = await(c, POLLIN);
        if (status)
            return status;
        ssize_t taken = read(c->fd, bytes, sizeof bytes);
        if (taken == 0)
            return GW_OK;
        if (taken < 0 && errno != EAGAIN)
            return fail(c, "admin_unreachable", "the connection broke");
        if (taken > 0)
            gw_buffer_append(&c->answer, bytes, (size_t)taken);
        if (c->answer.has_failed)
            return fail(c, "admin_malformed", "the answer is too long");
    }
}

/* The problem as an error of ours. */
static int take_problem(struct call *c, struct gw_json *body)
{
    const struct gw_json *code = gw_json_get(body, "code"), *detail = gw_json_get(body, "detail"), *path = gw_json_get(body, "path");
    if (!gw_json_is_string(code) || !gw_json_is_string(detail))
        return fail(c, "admin_malformed", "this is no answer of a gateway");
    gw_error_set(c->err, GW_EINVAL, "admin_refused", "%.180s (%.60s)", gw_json_text(detail, NULL), gw_json_text(code, NULL));
    if (gw_json_is_string(path))
        gw_error_prefix(c->err, gw_json_text(path, NULL));
    return GW_EINVAL;
}

static int read_answer(struct call *c, struct gw_json **out)
{
    const struct gw_json_limits limits = {.max_bytes = ANSWER_MAX, .max_depth = 32, .max_nodes = 1000000};
    struct gw_response_step step = {0};
    errno = 0;
    ptrdiff_t head = c->answer.length ? gw_response_feed_head(&c->response, c->answer.data, c->answer.length) : 0;
    if (head <= 0 || gw_response_decode(&c->response, c->answer.data + head, c->answer.length - (size_t)head, &step) || !step.is_complete)
        return fail(c, "admin_malformed", "this is no answer of a gateway");
    int status = gw_json_parse(c->answer.data + head, step.produced, &limits, out, c->err);
    if (status || c->response.status == 200)
        return status;
    status = take_problem(c, *out);
    gw_json_unref(*out);
    return status;
}

int gw_admin_request(const struct gw_admin_call *call, struct gw_json **out, struct gw_error *err)
{
    struct call c = {.asked = call, .fd = -1, .err = err};
    gw_buffer_init(&c.request, ANSWER_MAX);
    gw_buffer_init(&c.answer, ANSWER_MAX);
    int status = find_listener(&c);
    if (!status)
        write_request(&c);
    if (!status && c.request.has_failed)
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the request");
    if (!status)
        status = send_request(&c);
    if (!status)
        status = receive(&c);
    if (!status)
        status = read_answer(&c, out);
    if (c.fd >= 0)
        close(c.fd);
    gw_buffer_fini(&c.request);
    gw_buffer_fini(&c.answer);
    return status;
}
