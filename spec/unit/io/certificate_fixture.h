/* certificate_fixture.h — for the specs of io: self-signed P-256 certificates for 127.0.0.1, made on the spot, in a folder of their own.
 * They are their own roots. Test thread. */
#ifndef GW_SPEC_IO_CERTIFICATE_FIXTURE_H
#define GW_SPEC_IO_CERTIFICATE_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop_fixture.h"

struct certificate {
    char folder[32];
    char certificate_file[64];
    char key_file[64];
};

static inline X509 *make_certificate(EVP_PKEY *key, const char *common_name)
{
    X509 *leaf = X509_new();
    X509_NAME *name = X509_get_subject_name(leaf);
    X509V3_CTX context;
    X509_set_version(leaf, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1);
    X509_gmtime_adj(X509_getm_notBefore(leaf), -60);
    X509_gmtime_adj(X509_getm_notAfter(leaf), 3600);
    X509_set_pubkey(leaf, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(leaf, name);
    X509V3_set_ctx(&context, leaf, leaf, NULL, NULL, 0);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(leaf, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
    return leaf;
}

/* (Over)writes both files. */
static inline void certificate_write(const struct certificate *certificate, const char *common_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *leaf = make_certificate(key, common_name);
    FILE *file = fopen(certificate->certificate_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, leaf), 1);
    fclose(file);
    file = fopen(certificate->key_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

static inline void certificate_init(struct certificate *certificate, const char *common_name)
{
    snprintf(certificate->folder, sizeof certificate->folder, "/tmp/gw-spec-XXXXXX");
    assert_non_null(mkdtemp(certificate->folder));
    snprintf(certificate->certificate_file, sizeof certificate->certificate_file, "%s/cert.pem", certificate->folder);
    snprintf(certificate->key_file, sizeof certificate->key_file, "%s/key.pem", certificate->folder);
    certificate_write(certificate, common_name);
}

static inline void certificate_fini(struct certificate *certificate)
{
    unlink(certificate->certificate_file);
    unlink(certificate->key_file);
    rmdir(certificate->folder);
}

#endif
