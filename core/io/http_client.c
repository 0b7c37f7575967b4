#include "io/http_client.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "io/http_client_transfer.h"
#include "io/loop_inside.h"

#define HOST_CONNECTIONS_DEFAULT 8u
#define CONNECTIONS_DEFAULT      64u

struct gw_http_client {
    struct gw_loop *loop;
    CURLM *multi;
    uv_timer_t timer;
    char *user_agent, *ca_file, *proxy;
    struct gw_http_transfer *first; /* under way in `multi` */
    size_t open_handle_count;       /* the timer and the watches */
    size_t unfinished_count;        /* requests whose done has not returned */
    bool is_closing;
};

/* One per descriptor that libcurl polls, for as long as it does: descriptors are reused, watches are not. */
struct watch {
    uv_poll_t poll;
    struct gw_http_client *client;
    curl_socket_t fd;
};

static void free_when_idle(struct gw_http_client *client)
{
    if (!client->is_closing || client->open_handle_count > 0 || client->unfinished_count > 0)
        return;
    gw_free(client->user_agent);
    gw_free(client->ca_file);
    gw_free(client->proxy);
    gw_free(client);
    curl_global_cleanup();
}

static void on_done_task(struct gw_task *task)
{
    struct gw_http_request *request = (struct gw_http_request *)((char *)task - offsetof(struct gw_http_request, task));
    struct gw_http_client *client = request->transfer->client;
    gw_http_transfer_destroy(request->transfer);
    request->transfer = NULL;
    request->done(request);
    client->unfinished_count--;
    free_when_idle(client);
}

static void link_transfer(struct gw_http_client *client, struct gw_http_transfer *transfer)
{
    transfer->client = client;
    transfer->previous = NULL;
    transfer->next = client->first;
    if (client->first)
        client->first->previous = transfer;
    client->first = transfer;
}

static void unlink_transfer(struct gw_http_transfer *transfer)
{
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        transfer->client->first = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
}

/* The owner hears of it from the inbox: never inside its own call, and never inside libcurl's. */
static void end(struct gw_http_transfer *transfer, CURLcode result)
{
    struct gw_executor *home = gw_loop_executor(transfer->client->loop);
    unlink_transfer(transfer);
    curl_multi_remove_handle(transfer->client->multi, transfer->easy);
    gw_http_transfer_end(transfer, result);
    transfer->request->task.run = on_done_task;
    home->post(home->self, &transfer->request->task);
}

static void end_what_is_done(struct gw_http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        void *transfer = NULL;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        end(transfer, result);
    }
}

static void act(struct gw_http_client *client, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(client->multi, fd, events, &running);
    end_what_is_done(client);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    int curl_events = status < 0 ? CURL_CSELECT_ERR : 0;
    curl_events |= (events & UV_READABLE) ? CURL_CSELECT_IN : 0;
    curl_events |= (events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0;
    act(watch->client, watch->fd, curl_events);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct gw_http_client *client = watch->client;
    gw_free(watch);
    client->open_handle_count--;
    free_when_idle(client);
}

static struct watch *open_watch(struct gw_http_client *client, curl_socket_t fd)
{
    struct watch *watch = gw_alloc(sizeof *watch);
    if (uv_poll_init(gw_loop_uv(client->loop), &watch->poll, fd) != 0) {
        gw_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->client = client;
    watch->fd = fd;
    client->open_handle_count++;
    curl_multi_assign(client->multi, fd, watch);
    return watch;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch_arg)
{
    struct gw_http_client *client = arg;
    struct watch *watch = watch_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        return 0;
    }
    if (!watch)
        watch = open_watch(client, fd);
    if (!watch)
        return -1;
    int events = ((what & CURL_POLL_IN) ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

static void on_timeout(uv_timer_t *handle) { act(handle->data, CURL_SOCKET_TIMEOUT, 0); }

/* A timeout of 0 fires in the next turn: libcurl must not be called from its own callback. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct gw_http_client *client = arg;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static void set_multi_options(struct gw_http_client *client, const struct gw_http_client_opts *opts)
{
    unsigned per_host = opts->max_host_connections ? opts->max_host_connections : HOST_CONNECTIONS_DEFAULT;
    unsigned all = opts->max_connections ? opts->max_connections : CONNECTIONS_DEFAULT;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)all);
}

int gw_http_client_create(struct gw_loop *loop, const struct gw_http_client_opts *opts, struct gw_http_client **out, struct gw_error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return gw_error_set(err, GW_ENOMEM, "http_failed", "libcurl does not start");
    CURLM *multi = curl_multi_init();
    if (!multi) {
        curl_global_cleanup();
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for an HTTP client");
    }
    struct gw_http_client *client = gw_alloc(sizeof *client);
    client->loop = loop;
    client->multi = multi;
    client->user_agent = gw_strdup(opts->user_agent ? opts->user_agent : "atoms");
    client->ca_file = opts->ca_file ? gw_strdup(opts->ca_file) : NULL;
    client->proxy = gw_strdup(opts->proxy ? opts->proxy : "");
    uv_timer_init(gw_loop_uv(loop), &client->timer);
    client->timer.data = client;
    client->open_handle_count = 1;
    set_multi_options(client, opts);
    *out = client;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct gw_http_client *client = handle->data;
    client->open_handle_count--;
    free_when_idle(client);
}

void gw_http_client_close(struct gw_http_client *client)
{
    if (!client || client->is_closing)
        return;
    while (client->first)
        end(client->first, CURLE_ABORTED_BY_CALLBACK);
    client->is_closing = true;
    /* Gives up the idle connections too, through on_curl_socket. */
    curl_multi_cleanup(client->multi);
    client->multi = NULL;
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

int gw_http_request_start(struct gw_http_client *client, struct gw_http_request *request, struct gw_error *err)
{
    assert(!request->transfer);
    const struct gw_http_defaults defaults = {client->user_agent, client->ca_file, client->proxy};
    struct gw_http_transfer *transfer;
    if (client->is_closing)
        return gw_error_set(err, GW_ECLOSED, "http_cancelled", "the HTTP client is closing");
    int failure = gw_http_transfer_create(request, &defaults, &transfer, err);
    if (failure)
        return failure;
    if (curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
        gw_http_transfer_destroy(transfer);
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a request");
    }
    link_transfer(client, transfer);
    request->transfer = transfer;
    client->unfinished_count++;
    return 0;
}

void gw_http_request_cancel(struct gw_http_request *request)
{
    if (request->transfer && request->transfer->easy)
        end(request->transfer, CURLE_ABORTED_BY_CALLBACK);
}

void gw_http_request_fini(struct gw_http_request *request)
{
    assert(!request->transfer);
    gw_buffer_fini(&request->response);
    gw_buffer_fini(&request->response_headers);
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && strchr(" \t\r\n", (*text)[*length - 1]))
        (*length)--;
}

const char *gw_http_response_header(const struct gw_http_request *request, const char *name, size_t *length)
{
    const char *found = NULL;
    const char *line = request->response_headers.data;
    const char *end_of_all = line + request->response_headers.length;
    size_t name_length = strlen(name);
    while (line && line < end_of_all) {
        const char *newline = memchr(line, '\n', (size_t)(end_of_all - line));
        size_t line_length = newline ? (size_t)(newline + 1 - line) : (size_t)(end_of_all - line);
        if (line_length > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0) {
            found = line + name_length + 1;
            *length = line_length - name_length - 1;
        }
        line += line_length;
    }
    if (found)
        trim(&found, length);
    return found;
}
