#include "io/tls_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "io/loop_inside.h"
#include "io/socket.h"

/* A blocked record, a handshake flight, answers to key updates: a peer that makes more than this be held is cut off. */
#define MAX_HELD_BYTES   65536
#define MAX_RECORD_BYTES 16384 /* RFC 8446 section 5.1 */

struct gw_tls_stream {
    SSL *ssl;
    struct gw_socket *socket;
    struct gw_buffer held; /* ciphertext that the kernel has not taken */
    int failure;           /* errno of the descriptor, 0 while it works */
    bool has_ended;        /* the peer sent FIN */
    bool is_broken;        /* OpenSSL must not be called again */
};

static struct gw_loop_socket_counts *counts_of(struct gw_tls_stream *stream)
{
    return gw_loop_socket_counts(gw_socket_loop(stream->socket));
}

/* Bytes sent, 0 when the kernel takes none, -1 with stream->failure set. */
static ssize_t send_now(struct gw_tls_stream *stream, const char *bytes, size_t length)
{
    ssize_t sent;
    do
        sent = send(stream->socket->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        gw_loop_count(&counts_of(stream)->bytes_out, (uint64_t)sent);
        return sent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    stream->failure = errno;
    return -1;
}

/* Takes everything: what the kernel refuses is held, so that OpenSSL never sees a blocked write and never asks for one to be repeated. */
static int bio_write(BIO *bio, const char *bytes, int length)
{
    struct gw_tls_stream *stream = BIO_get_data(bio);
    ssize_t sent = 0;
    if (stream->held.length == 0)
        sent = send_now(stream, bytes, (size_t)length);
    if (sent < 0)
        return -1;
    if (sent < length)
        gw_buffer_append(&stream->held, bytes + sent, (size_t)(length - sent));
    return stream->held.has_failed ? -1 : length;
}

static int bio_read(BIO *bio, char *bytes, int capacity)
{
    struct gw_tls_stream *stream = BIO_get_data(bio);
    ssize_t got;
    BIO_clear_retry_flags(bio);
    do
        got = recv(stream->socket->fd, bytes, (size_t)capacity, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        gw_loop_count(&counts_of(stream)->bytes_in, (uint64_t)got);
    else if (got == 0)
        stream->has_ended = true;
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
        BIO_set_retry_read(bio);
    else
        stream->failure = errno;
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct gw_tls_stream *stream = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_FLUSH)
        return 1;
    if (command == BIO_CTRL_EOF)
        return stream->has_ended;
    return 0;
}

BIO_METHOD *gw_tls_stream_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!method)
        return NULL;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

struct gw_tls_stream *gw_tls_stream_create(SSL_CTX *context, const BIO_METHOD *method, struct gw_socket *socket)
{
    SSL *ssl = SSL_new(context);
    BIO *bio = ssl ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(ssl);
        return NULL;
    }
    struct gw_tls_stream *stream = gw_alloc(sizeof *stream);
    stream->ssl = ssl;
    stream->socket = socket;
    gw_buffer_init(&stream->held, MAX_HELD_BYTES);
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return stream;
}

void gw_tls_stream_destroy(struct gw_tls_stream *stream)
{
    if (!stream)
        return;
    SSL_free(stream->ssl);
    gw_buffer_fini(&stream->held);
    gw_free(stream);
}

static int failure_code(const struct gw_tls_stream *stream)
{
    return stream->failure == ECONNRESET || stream->failure == EPIPE ? GW_ECLOSED : GW_EIO;
}

static int set_failure(struct gw_tls_stream *stream, struct gw_error *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    stream->is_broken = true;
    if (stream->failure)
        return gw_error_set(err, failure_code(stream), "connection_reset", "the connection broke: %s", strerrordesc_np(stream->failure));
    return gw_error_set(err, GW_EIO, "tls_failed", "TLS failed: %s", reason ? reason : "unknown reason");
}

ssize_t gw_tls_stream_read(struct gw_tls_stream *stream, char *bytes, size_t capacity, struct gw_error *err)
{
    if (stream->is_broken)
        return set_failure(stream, err);
    ERR_clear_error();
    int got = SSL_read(stream->ssl, bytes, (int)capacity);
    if (got > 0)
        return got;
    switch (SSL_get_error(stream->ssl, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return GW_STREAM_EOF;
    default:
        return set_failure(stream, err);
    }
}

/* value: how far the parts of a write have been taken */
struct progress {
    const struct iovec *parts;
    size_t count;
    size_t offset; /* inside parts[0] */
};

static void step(struct progress *at, size_t length)
{
    at->offset += length;
    while (at->count > 0 && at->offset >= at->parts->iov_len) {
        at->offset -= at->parts->iov_len;
        at->parts++;
        at->count--;
    }
}

/* The bytes of the next record: straight from a part that fills it, else gathered, because every record costs 22 bytes and a pass of the
 * cipher. */
static const char *next_record(struct progress *at, char *scratch, size_t *length)
{
    step(at, 0);
    if (at->count == 0)
        return NULL;
    size_t left = at->parts->iov_len - at->offset;
    const char *bytes = (const char *)at->parts->iov_base + at->offset;
    *length = left < MAX_RECORD_BYTES ? left : MAX_RECORD_BYTES;
    if (at->count == 1 || *length == MAX_RECORD_BYTES) {
        step(at, *length);
        return bytes;
    }
    *length = 0;
    while (at->count > 0 && *length < MAX_RECORD_BYTES) {
        size_t room = MAX_RECORD_BYTES - *length;
        left = at->parts->iov_len - at->offset;
        size_t taken = left < room ? left : room;
        memcpy(scratch + *length, (const char *)at->parts->iov_base + at->offset, taken);
        *length += taken;
        step(at, taken);
    }
    return scratch;
}

ssize_t gw_tls_stream_writev(struct gw_tls_stream *stream, const struct iovec *parts, size_t count)
{
    int failure = stream->is_broken ? failure_code(stream) : gw_tls_stream_flush(stream);
    if (failure)
        return failure;
    if (!SSL_is_init_finished(stream->ssl))
        return 0;
    struct progress at = {parts, count, 0};
    char *scratch = gw_loop_write_buffer(gw_socket_loop(stream->socket));
    ssize_t taken = 0;
    while (stream->held.length == 0) {
        size_t length;
        const char *record = next_record(&at, scratch, &length);
        if (!record)
            break;
        ERR_clear_error();
        if (SSL_write(stream->ssl, record, (int)length) != (int)length) {
            stream->is_broken = true;
            return taken > 0 ? taken : failure_code(stream);
        }
        taken += (ssize_t)length;
    }
    return taken;
}

int gw_tls_stream_flush(struct gw_tls_stream *stream)
{
    while (stream->held.length > 0) {
        ssize_t sent = send_now(stream, stream->held.data, stream->held.length);
        if (sent < 0)
            return failure_code(stream);
        if (sent == 0)
            return GW_OK;
        gw_buffer_consume(&stream->held, (size_t)sent);
    }
    if (stream->held.capacity > 0) {
        gw_buffer_fini(&stream->held);
        gw_buffer_init(&stream->held, MAX_HELD_BYTES);
    }
    return GW_OK;
}

size_t gw_tls_stream_held_bytes(const struct gw_tls_stream *stream) { return stream->held.length; }

void gw_tls_stream_send_close(struct gw_tls_stream *stream)
{
    if (stream->is_broken || stream->failure || !SSL_is_init_finished(stream->ssl))
        return;
    ERR_clear_error();
    /* 0: ours is sent, the peer's not yet read. A negative answer is a dead descriptor, which the next read or write reports. */
    SSL_shutdown(stream->ssl);
}

bool gw_tls_stream_is_established(const struct gw_tls_stream *stream) { return SSL_is_init_finished(stream->ssl); }
