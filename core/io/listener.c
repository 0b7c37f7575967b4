#include "io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/address.h"
#include "io/loop_inside.h"

#define BACKLOG_DEFAULT    4096
#define TURN_LIMIT_DEFAULT 64
#define REST_MS            100

struct gw_listener {
    uv_poll_t poll;
    uv_timer_t rest; /* runs while the kernel has no memory or descriptor even for shedding */
    struct gw_listener_opts opts;
    int fd;
    int reserve_fd; /* given up for a moment to accept and close when descriptors run out; -1 = lost */
    uint16_t port;
    uint8_t open_handle_count;
    bool is_paused, is_resting, is_closing;
    atomic_uint_fast64_t accepted, shed, failed;
};

static void on_poll(uv_poll_t *handle, int status, int events);

static void update_poll(struct gw_listener *listener)
{
    if (listener->is_closing)
        return;
    if (listener->is_paused || listener->is_resting)
        uv_poll_stop(&listener->poll);
    else
        uv_poll_start(&listener->poll, UV_READABLE, on_poll);
}

static void on_rested(uv_timer_t *handle)
{
    struct gw_listener *listener = handle->data;
    listener->is_resting = false;
    if (listener->reserve_fd < 0)
        listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    update_poll(listener);
}

/* The listening descriptor stays readable while nothing can be accepted: polling on would spin. */
static void rest(struct gw_listener *listener)
{
    listener->is_resting = true;
    uv_timer_start(&listener->rest, on_rested, REST_MS, 0);
    update_poll(listener);
}

/* A peer that cannot be served is told at once by the close instead of hanging in the backlog. */
static void shed_one(struct gw_listener *listener)
{
    close(listener->reserve_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    bool is_stuck = fd < 0 && errno != EAGAIN;
    if (fd >= 0) {
        close(fd);
        gw_loop_count(&listener->shed, 1);
    }
    listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (is_stuck)
        rest(listener);
}

/* Decides about errno after a failed accept; true when another accept may work. accept(2) passes on errors of the new connection: those are
 * over. */
static bool survives_accept_failure(struct gw_listener *listener)
{
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        if (listener->reserve_fd < 0)
            rest(listener);
        else
            shed_one(listener);
        return !listener->is_resting;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
        gw_loop_count(&listener->failed, 1);
        return true;
    default:
        gw_loop_count(&listener->failed, 1);
        rest(listener);
        return false;
    }
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct gw_listener *listener = handle->data;
    (void)events;
    if (status < 0) {
        gw_loop_count(&listener->failed, 1);
        rest(listener);
        return;
    }
    for (unsigned i = 0; i < listener->opts.turn_limit && !listener->is_paused && !listener->is_closing; i++) {
        struct gw_address peer = {.length = sizeof peer.addr};
        int fd = accept4(listener->fd, &peer.addr.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            gw_loop_count(&listener->accepted, 1);
            listener->opts.on_accept(listener->opts.arg, fd, &peer);
        } else if (!survives_accept_failure(listener)) {
            return;
        }
    }
}

/* Sharing would also let another process in, which then takes a part of the connections: a socket that does not share is refused. -errno. */
static int look_for_others(const struct gw_address *address)
{
    int on = 1, fd = socket(address->addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    bool is_v6 = address->addr.any.sa_family == AF_INET6;
    bool is_free = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   (!is_v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                   bind(fd, &address->addr.any, address->length) == 0;
    int failure = is_free ? 0 : errno;
    close(fd);
    return -failure;
}

/* A descriptor that is bound and listens, or -errno. */
static int listen_on(const struct gw_listener_opts *opts)
{
    const struct gw_address *address = opts->address;
    int on = 1, others = opts->reuse_port && opts->is_first ? look_for_others(address) : 0;
    if (others < 0)
        return others;
    int fd = socket(address->addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    bool is_v6 = address->addr.any.sa_family == AF_INET6;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!opts->reuse_port || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        (!is_v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) && bind(fd, &address->addr.any, address->length) == 0 &&
        listen(fd, opts->backlog > 0 ? opts->backlog : BACKLOG_DEFAULT) == 0)
        return fd;
    int failure = errno;
    close(fd);
    return -failure;
}

static uint16_t bound_port(int fd)
{
    struct gw_address bound = {.length = sizeof bound.addr};
    return getsockname(fd, &bound.addr.any, &bound.length) == 0 ? gw_address_port(&bound) : 0;
}

int gw_listener_open(struct gw_loop *loop, const struct gw_listener_opts *opts, struct gw_listener **out, struct gw_error *err)
{
    char what[GW_ADDRESS_TEXT_MAX + 20], where[GW_ADDRESS_TEXT_MAX];
    gw_address_format(opts->address, where);
    snprintf(what, sizeof what, "cannot listen on %s", where);
    int fd = listen_on(opts);
    if (fd < 0)
        return gw_loop_set_error(err, "listen_failed", what, fd);
    struct gw_listener *listener = gw_alloc(sizeof *listener);
    int failure = uv_poll_init(gw_loop_uv(loop), &listener->poll, fd);
    if (failure) {
        close(fd);
        gw_free(listener);
        return gw_loop_set_error(err, "listen_failed", what, failure);
    }
    uv_timer_init(gw_loop_uv(loop), &listener->rest);
    listener->poll.data = listener->rest.data = listener;
    listener->open_handle_count = 2;
    listener->opts = *opts;
    listener->opts.address = NULL;
    if (listener->opts.turn_limit == 0)
        listener->opts.turn_limit = TURN_LIMIT_DEFAULT;
    listener->fd = fd;
    listener->port = bound_port(fd);
    listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    update_poll(listener);
    *out = listener;
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct gw_listener *listener = handle->data;
    if (--listener->open_handle_count == 0)
        gw_free(listener);
}

void gw_listener_close(struct gw_listener *listener)
{
    if (!listener || listener->is_closing)
        return;
    listener->is_closing = true;
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
    uv_close((uv_handle_t *)&listener->rest, on_handle_closed);
    close(listener->fd);
    if (listener->reserve_fd >= 0)
        close(listener->reserve_fd);
}

void gw_listener_pause(struct gw_listener *listener)
{
    listener->is_paused = true;
    update_poll(listener);
}

void gw_listener_resume(struct gw_listener *listener)
{
    listener->is_paused = false;
    update_poll(listener);
}

bool gw_listener_is_paused(const struct gw_listener *listener) { return listener->is_paused; }
uint16_t gw_listener_port(const struct gw_listener *listener) { return listener->port; }

void gw_listener_read_counters(const struct gw_listener *listener, struct gw_listener_counters *out)
{
    out->accepted = atomic_load_explicit(&listener->accepted, memory_order_relaxed);
    out->shed = atomic_load_explicit(&listener->shed, memory_order_relaxed);
    out->failed = atomic_load_explicit(&listener->failed, memory_order_relaxed);
}
