/* socket.h — a connected byte stream, plain or TLS, embedded in its connection. It polls the descriptor and sends at once: bytes that the
 * kernel does not take stay the caller's, so a slow reader pins no memory here (under TLS at most one record of 16 KiB, while blocked).
 * Lives on its loop's thread. Failure: a broken stream is reported once by on_error, or by the return of a write; the owner then closes.
 * Timeouts are the owner's. Not for UDP or files. */
#ifndef GW_IO_SOCKET_H
#define GW_IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <uv.h>

struct gw_address;
struct gw_error;
struct gw_loop;
struct gw_socket;
struct gw_tls_stream;

/* One per kind of owner, constant. No callback runs inside a call of this API, and none but on_closed after gw_socket_close. */
struct gw_socket_handler {
    /* At least one byte, in the loop's shared buffer: valid until it returns. */
    void (*on_bytes)(struct gw_socket *socket, const char *bytes, size_t length);
    /* Only while write is wanted (or a connect has succeeded); again every turn until gw_socket_want_write(false). */
    void (*on_writable)(struct gw_socket *socket);
    /* The peer will send no more; writing may go on. Once. */
    void (*on_eof)(struct gw_socket *socket);
    /* The stream is dead: close it. Once. GW_ECLOSED peer gone, GW_EIO else; ids: connection_reset, connect_failed, tls_failed,
     * socket_failed. */
    void (*on_error)(struct gw_socket *socket, const struct gw_error *err);
    /* The last call; the memory may be freed here and not before. */
    void (*on_closed)(struct gw_socket *socket);
};

/* Embedded; read nothing but through the functions. */
struct gw_socket {
    uv_poll_t poll;
    const struct gw_socket_handler *handler;
    struct gw_tls_stream *tls; /* NULL: plain */
    int fd;
    uint16_t state; /* bits, see socket.c */
    uint8_t polled; /* UV_READABLE | UV_WRITABLE as last told to the loop */
};

/* Takes the descriptor of a connected socket, also on failure (then it is closed and no callback fires). Sets O_NONBLOCK and TCP_NODELAY,
 * and reads. */
int gw_socket_open(struct gw_socket *socket, struct gw_loop *loop, int fd /* taken */, const struct gw_socket_handler *handler,
                   struct gw_error *err);
/* Connects: on_writable says that it is connected (write is then wanted), on_error with connect_failed that it is not. */
int gw_socket_connect(struct gw_socket *socket, struct gw_loop *loop, const struct gw_address *address,
                      const struct gw_socket_handler *handler, struct gw_error *err);

/* Sends now. Bytes taken; 0 when it would block (or the TLS handshake is not done); GW_ECLOSED or GW_EIO when the stream is dead. Taken
 * bytes are committed: what follows need not repeat anything. The parts hold at least one byte; at most 1024 parts are looked at. */
ssize_t gw_socket_writev(struct gw_socket *socket, const struct iovec *parts, size_t count);
void gw_socket_want_write(struct gw_socket *socket, bool wanted);
/* While paused neither eof nor, without wanted write, errors are seen. Resuming after eof changes nothing. */
void gw_socket_pause_read(struct gw_socket *socket);
void gw_socket_resume_read(struct gw_socket *socket);
/* Sends FIN after all that was taken (TLS: close_notify before it). Writes fail with GW_ECLOSED from now on; reading goes on. */
void gw_socket_shutdown_write(struct gw_socket *socket);
/* Closes now; what the kernel holds is still sent. on_closed follows in this or the next turn. Calling it again changes nothing. */
void gw_socket_close(struct gw_socket *socket);
/* As close, but with RST: frees what the kernel holds for a peer that does not read. */
void gw_socket_reset(struct gw_socket *socket);

bool gw_socket_is_closing(const struct gw_socket *socket);
bool gw_socket_is_tls(const struct gw_socket *socket);
struct gw_loop *gw_socket_loop(const struct gw_socket *socket);
/* Bytes that the kernel holds and the peer has not acknowledged (SIOCOUTQ), plus those held for TLS; -1 when unknown. */
ssize_t gw_socket_unsent_bytes(const struct gw_socket *socket);
/* GW_EIO when the kernel does not know the peer (it is gone). Format with io/address.h. */
int gw_socket_peer(const struct gw_socket *socket, struct gw_address *out);
/* The kernel's send buffer in bytes (it doubles the value); bounds what one slow peer can pin there. */
void gw_socket_set_send_buffer(struct gw_socket *socket, int bytes);

/* value: sums over all sockets of a loop since its creation */
struct gw_socket_counters {
    uint64_t opened, closed;
    uint64_t bytes_in, bytes_out; /* on the wire */
    uint64_t writes, blocked_writes, errors;
};
/* Any thread; each number is exact at some recent moment. */
void gw_socket_read_counters(struct gw_loop *loop, struct gw_socket_counters *out);

#endif
