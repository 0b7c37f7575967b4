/* tls_stream.h — the TLS of one socket, between tls.c, which makes it, and socket.c, which drives it. Owns the SSL object and the
 * ciphertext that the kernel has not taken: at most one record while the stream is blocked, so that a write is never half done and never
 * has to be repeated. Loop thread. Not for other folders. */
#ifndef GW_IO_TLS_STREAM_H
#define GW_IO_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct gw_error;
struct gw_socket;
struct gw_tls_stream;

/* What gw_tls_stream_read answers at the end of the stream; distinct from every enum gw_errno. */
#define GW_STREAM_EOF (-1000)

/* Shared by all streams of a gw_tls; NULL when memory is gone. Free with BIO_meth_free. */
BIO_METHOD *gw_tls_stream_method(void);
/* A server stream on the socket's descriptor, or NULL when memory is gone. */
struct gw_tls_stream *gw_tls_stream_create(SSL_CTX *context, const BIO_METHOD *method, struct gw_socket *socket);
/* Does not close the descriptor. */
void gw_tls_stream_destroy(struct gw_tls_stream *stream);

/* Bytes, 0 when it would block, GW_STREAM_EOF, or GW_ECLOSED, GW_EIO with *err. `capacity` is at least one record. */
ssize_t gw_tls_stream_read(struct gw_tls_stream *stream, char *bytes, size_t capacity, struct gw_error *err);
/* As gw_socket_writev. */
ssize_t gw_tls_stream_writev(struct gw_tls_stream *stream, const struct iovec *parts, size_t count);
/* Sends what is held: GW_OK (look at held_bytes), or GW_ECLOSED, GW_EIO. */
int gw_tls_stream_flush(struct gw_tls_stream *stream);
size_t gw_tls_stream_held_bytes(const struct gw_tls_stream *stream);
/* Sends or holds close_notify (RFC 8446 section 6.1). */
void gw_tls_stream_send_close(struct gw_tls_stream *stream);
bool gw_tls_stream_is_established(const struct gw_tls_stream *stream);

#endif
