/* tls.h — the server's TLS: one certificate and key for all loops, replaceable while it runs. gw_tls is shared by all threads; each
 * stream belongs to its socket. TLS 1.2 and 1.3, ALPN http/1.1, stateless tickets. A stream behaves exactly as a plain gw_socket; a
 * handshake that stalls is the owner's timeout to end. Failure of a load or reload leaves what was there. Not for outgoing TLS: http_client
 * has its own.
 */
#ifndef GW_IO_TLS_H
#define GW_IO_TLS_H

#include <stdbool.h>
#include <stdint.h>

struct gw_error;
struct gw_socket;
struct gw_tls;

/* value; paths are copied */
struct gw_tls_opts {
    const char *certificate_file; /* PEM: the leaf, then the chain */
    const char *key_file;         /* PEM, unencrypted */
};

/* Reads the files. GW_EINVAL tls_bad_certificate, tls_bad_key (also: does not match the certificate); the message names the file and
 * OpenSSL's reason. */
int gw_tls_create(const struct gw_tls_opts *opts, struct gw_tls **out, struct gw_error *err);
/* Its streams must be closed. NULL is fine. */
void gw_tls_destroy(struct gw_tls *tls);
/* Any thread. Reads the files again; new streams use them. On failure everything stays as it was. */
int gw_tls_reload(struct gw_tls *tls, struct gw_error *err);
/* Any thread. When the certificate in use ends, seconds since 1970; 0 when unknown. */
int64_t gw_tls_not_after_s(struct gw_tls *tls);

/* Makes a freshly opened socket a TLS server stream, before its first turn. GW_ENOMEM leaves it a plain one: close it. */
int gw_tls_attach(struct gw_tls *tls, struct gw_socket *socket, struct gw_error *err);
/* Loop thread. True once the handshake is done; false for a plain socket. */
bool gw_tls_is_established(const struct gw_socket *socket);

#endif
