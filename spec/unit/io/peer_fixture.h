/* peer_fixture.h — for the specs of io: one gw_socket under observation and the other end of its connection as a blocking descriptor with
 * a timeout. What happens to the socket is recorded; a spec says after what the loop is to stop. Test thread, but for the peer's
 * descriptor.
 */
#ifndef GW_SPEC_IO_PEER_FIXTURE_H
#define GW_SPEC_IO_PEER_FIXTURE_H

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/address.h"
#include "io/socket.h"
#include "loop_fixture.h"

struct observed {
    struct gw_socket socket;
    struct fixture fixture;
    int peer_fd;
    struct gw_buffer received;
    int bytes_count, writable_count, eof_count, error_count, closed_count;
    struct gw_error err;
    size_t stop_at_bytes; /* 0 = never */
    bool stops_on_eof, stops_on_error, stops_on_writable, closes_on_bytes, pauses_on_bytes;
    void (*on_writable)(struct observed *observed); /* NULL: nothing */
};

static inline void observe_bytes(struct gw_socket *socket, const char *bytes, size_t length)
{
    struct observed *observed = (struct observed *)socket;
    observed->bytes_count++;
    gw_buffer_append(&observed->received, bytes, length);
    if (observed->closes_on_bytes)
        gw_socket_close(socket);
    if (observed->pauses_on_bytes)
        gw_socket_pause_read(socket);
    if (observed->stop_at_bytes && observed->received.length >= observed->stop_at_bytes)
        gw_loop_stop(observed->fixture.loop);
}

static inline void observe_writable(struct gw_socket *socket)
{
    struct observed *observed = (struct observed *)socket;
    observed->writable_count++;
    if (observed->on_writable)
        observed->on_writable(observed);
    if (observed->stops_on_writable)
        gw_loop_stop(observed->fixture.loop);
}

static inline void observe_eof(struct gw_socket *socket)
{
    struct observed *observed = (struct observed *)socket;
    observed->eof_count++;
    if (observed->stops_on_eof)
        gw_loop_stop(observed->fixture.loop);
}

static inline void observe_error(struct gw_socket *socket, const struct gw_error *err)
{
    struct observed *observed = (struct observed *)socket;
    observed->error_count++;
    observed->err = *err;
    if (observed->stops_on_error)
        gw_loop_stop(observed->fixture.loop);
}

static inline void observe_closed(struct gw_socket *socket)
{
    struct observed *observed = (struct observed *)socket;
    observed->closed_count++;
    gw_loop_stop(observed->fixture.loop);
}

static const struct gw_socket_handler observing = {observe_bytes, observe_writable, observe_eof, observe_error, observe_closed};

/* A listening descriptor on an ephemeral loopback port. */
static inline int listen_on_loopback(struct gw_address *address)
{
    struct gw_error err;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(gw_address_parse("127.0.0.1:0", address, &err), 0);
    assert_int_equal(bind(fd, &address->addr.any, address->length), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, &address->addr.any, &address->length), 0);
    return fd;
}

static inline int connect_to(const struct gw_address *address)
{
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, &address->addr.any, address->length), 0);
    return fd;
}

static inline void observed_init(struct observed *observed)
{
    struct gw_address address;
    struct gw_error err;
    memset(observed, 0, sizeof *observed);
    fixture_init(&observed->fixture);
    gw_buffer_init(&observed->received, 0);
    int listening = listen_on_loopback(&address);
    observed->peer_fd = connect_to(&address);
    int fd = accept(listening, NULL, NULL);
    assert_true(fd >= 0);
    close(listening);
    assert_int_equal(gw_socket_open(&observed->socket, observed->fixture.loop, fd, &observing, &err), 0);
}

static inline void observed_fini(struct observed *observed)
{
    if (observed->closed_count == 0) {
        gw_socket_close(&observed->socket);
        fixture_run(&observed->fixture);
    }
    assert_int_equal(observed->closed_count, 1);
    fixture_fini(&observed->fixture);
    gw_buffer_fini(&observed->received);
    if (observed->peer_fd >= 0)
        close(observed->peer_fd);
}

/* The byte at `offset` of an endless text that repeats late enough to show a displaced or doubled piece. */
static inline char pattern_at(size_t offset)
{
    return (char)((offset * 31 + (offset >> 8) * 7 + (offset >> 16) * 13) & 0xff);
}

static inline void fill_pattern(char *bytes, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = pattern_at(from + i);
}

#endif
