#include "protocol/siv.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"

enum { BLOCK_BYTES = GW_SIV_TAG_BYTES, HALF_KEY_BYTES = GW_SIV_KEY_BYTES / 2 };

/* libcrypto has the whole mode too, but copies and frees four contexts for each call: what it is made of is keyed once here and only begun anew. */
struct gw_siv {
    EVP_MAC_CTX *mac;
    EVP_CIPHER_CTX *stream;
    uint8_t start[BLOCK_BYTES]; /* the MAC of a zero block, with which S2V begins */
};

/* Small allocations inside libcrypto: they fail when gw_alloc would, which aborts too. */
static void require(bool worked)
{
    if (!worked)
        abort();
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------------------- */

static EVP_MAC_CTX *create_mac(const uint8_t *key)
{
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *mac = kind ? EVP_MAC_CTX_new(kind) : NULL;
    EVP_MAC_free(kind);
    if (mac && EVP_MAC_init(mac, key, HALF_KEY_BYTES, params) == 1)
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

static EVP_CIPHER_CTX *create_stream(const uint8_t *key)
{
    static const uint8_t nowhere[BLOCK_BYTES];
    EVP_CIPHER_CTX *stream = EVP_CIPHER_CTX_new();
    if (stream && EVP_EncryptInit_ex(stream, EVP_aes_128_ctr(), NULL, key, nowhere) == 1)
        return stream;
    EVP_CIPHER_CTX_free(stream);
    return NULL;
}

static void begin_mac(const struct gw_siv *siv) { require(EVP_MAC_init(siv->mac, NULL, 0, NULL) == 1); }

static void end_mac(const struct gw_siv *siv, const void *bytes, size_t length, uint8_t out[BLOCK_BYTES])
{
    size_t count;
    require(EVP_MAC_update(siv->mac, bytes, length) == 1 && EVP_MAC_final(siv->mac, out, &count, BLOCK_BYTES) == 1);
}

struct gw_siv *gw_siv_create(const uint8_t key[GW_SIV_KEY_BYTES])
{
    static const uint8_t zero[BLOCK_BYTES];
    struct gw_siv *siv = gw_try_alloc(sizeof *siv);
    if (!siv)
        return NULL;
    *siv = (struct gw_siv){.mac = create_mac(key), .stream = create_stream(key + HALF_KEY_BYTES)};
    if (!siv->mac || !siv->stream) {
        gw_siv_destroy(siv);
        return NULL;
    }
    end_mac(siv, zero, sizeof zero, siv->start);
    return siv;
}

struct gw_siv *gw_siv_dup(const struct gw_siv *siv)
{
    struct gw_siv *copy = gw_try_alloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = (struct gw_siv){.mac = EVP_MAC_CTX_dup(siv->mac), .stream = EVP_CIPHER_CTX_new()};
    memcpy(copy->start, siv->start, sizeof copy->start);
    if (copy->mac && copy->stream && EVP_CIPHER_CTX_copy(copy->stream, siv->stream) == 1)
        return copy;
    gw_siv_destroy(copy);
    return NULL;
}

void gw_siv_destroy(struct gw_siv *siv)
{
    if (!siv)
        return;
    EVP_MAC_CTX_free(siv->mac);
    EVP_CIPHER_CTX_free(siv->stream);
    gw_zero_secret(siv, sizeof *siv);
    gw_free(siv);
}

/* ---- RFC 5297 ---------------------------------------------------------------------------------------------------------------------------- */

/* Section 2.3: multiplication by x in GF(2^128). */
static void double_block(uint8_t block[BLOCK_BYTES])
{
    uint8_t carry = block[0] >> 7;
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = (uint8_t)(block[i] << 1 | (i + 1 < BLOCK_BYTES ? block[i + 1] >> 7 : 0));
    block[BLOCK_BYTES - 1] ^= (uint8_t)(carry * 0x87);
}

static void add_bytes(uint8_t block[BLOCK_BYTES], const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        block[i] ^= bytes[i];
}

/* Section 2.4: S2V of the associated data and `plain`. */
static void make_tag(const struct gw_siv *siv, const struct gw_siv_input *input, const uint8_t *plain, size_t length,
                     uint8_t out[BLOCK_BYTES])
{
    uint8_t sum[BLOCK_BYTES], of_ad[BLOCK_BYTES];
    memcpy(sum, siv->start, sizeof sum);
    begin_mac(siv);
    end_mac(siv, input->ad, input->ad_length, of_ad);
    double_block(sum);
    add_bytes(sum, of_ad, sizeof sum);
    begin_mac(siv);
    if (length >= BLOCK_BYTES) {
        require(EVP_MAC_update(siv->mac, plain, length - BLOCK_BYTES) == 1);
        add_bytes(sum, plain + length - BLOCK_BYTES, BLOCK_BYTES);
    } else {
        double_block(sum);
        add_bytes(sum, plain, length);
        sum[length] ^= 0x80;
    }
    end_mac(siv, sum, sizeof sum, out);
}

/* Section 2.5: counter mode from the tag, with two bits of it cleared. */
static void apply_stream(const struct gw_siv *siv, const uint8_t tag[BLOCK_BYTES], const uint8_t *in, size_t length, uint8_t *out)
{
    uint8_t counter[BLOCK_BYTES];
    int count;
    memcpy(counter, tag, sizeof counter);
    counter[8] &= 0x7f;
    counter[12] &= 0x7f;
    require(EVP_EncryptInit_ex(siv->stream, NULL, NULL, NULL, counter) == 1 &&
            EVP_EncryptUpdate(siv->stream, out, &count, in, (int)length) == 1);
}

void gw_siv_seal(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out)
{
    assert(input->ad_length > 0 && input->length > 0);
    make_tag(siv, input, input->bytes, input->length, out);
    apply_stream(siv, out, input->bytes, input->length, out + GW_SIV_TAG_BYTES);
}

bool gw_siv_open(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out)
{
    uint8_t tag[GW_SIV_TAG_BYTES];
    assert(input->ad_length > 0);
    if (input->length <= GW_SIV_TAG_BYTES)
        return false;
    size_t length = input->length - GW_SIV_TAG_BYTES;
    apply_stream(siv, input->bytes, input->bytes + GW_SIV_TAG_BYTES, length, out);
    make_tag(siv, input, out, length, tag);
    if (gw_bytes_equal(tag, input->bytes, sizeof tag))
        return true;
    gw_zero_secret(out, length);
    return false;
}
