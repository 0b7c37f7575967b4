#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/socket.h"
#include "io/tls_stream.h"

/* TLS 1.2: forward secret, authenticated ciphers only (RFC 9325 section 4.2). */
#define TLS12_CIPHERS                                                                                                                      \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                                             \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct gw_tls {
    char *certificate_file;
    char *key_file;
    BIO_METHOD *method;
    pthread_mutex_t lock; /* for `context` and `not_after_s`: held to copy or swap them */
    SSL_CTX *context;
    int64_t not_after_s;
};

static int refuse(struct gw_error *err, const char *id, const char *what, const char *file)
{
    unsigned long first = ERR_peek_error();
    const char *reason = ERR_SYSTEM_ERROR(first) ? strerror(ERR_GET_REASON(first)) : ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    gw_error_set(err, GW_EINVAL, id, "%s %.100s: %s", what, file, reason ? reason : "unknown reason");
    return GW_EINVAL;
}

/* RFC 7301 section 3.2: a client that offers only other protocols is told so by an alert. Its parameters are those of SSL_CTX_alpn_select_cb_func. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length, const unsigned char *offered,
                   unsigned offered_length, void *arg)
{
    static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char *match;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&match, chosen_length, ours, sizeof ours, offered, offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = match;
    return SSL_TLSEXT_ERR_OK;
}

/* Everything but the certificate; NULL when memory is gone. */
static SSL_CTX *new_context(void)
{
    static const unsigned char session_context[] = "atoms";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    /* A peer that leaves without close_notify is an end of stream like any other: HTTP knows its own lengths. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context, TLS12_CIPHERS) == 1 &&
        SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* An encrypted key must not stop the process at a terminal prompt. */
static int no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)arg;
    return -1;
}

static int load(const struct gw_tls *tls, SSL_CTX **out, struct gw_error *err)
{
    ERR_clear_error();
    SSL_CTX *context = new_context();
    if (!context)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "cannot create a TLS context");
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    int failure = 0;
    if (SSL_CTX_use_certificate_chain_file(context, tls->certificate_file) != 1)
        failure = refuse(err, "tls_bad_certificate", "cannot use the certificate file", tls->certificate_file);
    else if (SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1)
        failure = refuse(err, "tls_bad_key", "cannot use the key file", tls->key_file);
    else if (SSL_CTX_check_private_key(context) != 1)
        failure = refuse(err, "tls_bad_key", "the certificate does not match the key file", tls->key_file);
    if (failure) {
        SSL_CTX_free(context);
        return failure;
    }
    *out = context;
    return 0;
}

static int64_t end_of(const SSL_CTX *context)
{
    struct tm end = {0};
    X509 *leaf = SSL_CTX_get0_certificate(context);
    if (!leaf || ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end) != 1)
        return 0;
    return (int64_t)timegm(&end);
}

int gw_tls_create(const struct gw_tls_opts *opts, struct gw_tls **out, struct gw_error *err)
{
    struct gw_tls *tls = gw_alloc(sizeof *tls);
    pthread_mutex_init(&tls->lock, NULL);
    tls->certificate_file = gw_strdup(opts->certificate_file);
    tls->key_file = gw_strdup(opts->key_file);
    tls->method = gw_tls_stream_method();
    int failure = tls->method ? gw_tls_reload(tls, err) : gw_error_set(err, GW_ENOMEM, "out_of_memory", "cannot create a TLS context");
    if (failure) {
        gw_tls_destroy(tls);
        return failure;
    }
    *out = tls;
    return 0;
}

void gw_tls_destroy(struct gw_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    pthread_mutex_destroy(&tls->lock);
    gw_free(tls->certificate_file);
    gw_free(tls->key_file);
    gw_free(tls);
}

int gw_tls_reload(struct gw_tls *tls, struct gw_error *err)
{
    SSL_CTX *fresh = NULL;
    int failure = load(tls, &fresh, err);
    if (failure)
        return failure;
    int64_t not_after_s = end_of(fresh);
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = fresh;
    tls->not_after_s = not_after_s;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return 0;
}

int64_t gw_tls_not_after_s(struct gw_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    int64_t not_after_s = tls->not_after_s;
    pthread_mutex_unlock(&tls->lock);
    return not_after_s;
}

int gw_tls_attach(struct gw_tls *tls, struct gw_socket *socket, struct gw_error *err)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->context;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->lock);
    socket->tls = gw_tls_stream_create(context, tls->method, socket);
    SSL_CTX_free(context);
    if (!socket->tls)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a TLS stream");
    return 0;
}

bool gw_tls_is_established(const struct gw_socket *socket) { return socket->tls && gw_tls_stream_is_established(socket->tls); }
