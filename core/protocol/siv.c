#include "protocol/siv.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"

enum { BLOCK_BYTES = GW_SIV_TAG_BYTES, HALF_KEY_BYTES = GW_SIV_KEY_BYTES / 2 };

/* libcrypto has the whole mode too, and CMAC and counter mode, of which it is made. But for each call they look up names and make contexts anew, which costs several
 * times what encrypting the few blocks of a cursor does: so here libcrypto encrypts blocks, and what becomes of them is written out. */
struct gw_siv {
    EVP_CIPHER_CTX *mac, *stream; /* AES-128 of single blocks under the halves of the key */
    uint8_t whole[BLOCK_BYTES];   /* RFC 4493, 2.3: what is added to a last block that is whole, K1 */
    uint8_t padded[BLOCK_BYTES];  /* and to one that is padded, K2 */
    uint8_t start[BLOCK_BYTES];   /* the MAC of a zero block, with which S2V begins */
};

/* Small allocations inside libcrypto: they fail when gw_alloc would, which aborts too. */
static void require(bool worked)
{
    if (!worked)
        abort();
}

static void encrypt_block(EVP_CIPHER_CTX *context, const uint8_t in[BLOCK_BYTES], uint8_t out[BLOCK_BYTES])
{
    int count;
    require(EVP_EncryptUpdate(context, out, &count, in, BLOCK_BYTES) == 1 && count == BLOCK_BYTES);
}

/* RFC 5297, 2.3: multiplication by x in GF(2^128). */
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

/* ---- CMAC, RFC 4493 ----------------------------------------------------------------------------------------------------------------------- */

/* Whole blocks, of which none is the last. */
static void absorb(const struct gw_siv *siv, uint8_t sum[BLOCK_BYTES], const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += BLOCK_BYTES) {
        add_bytes(sum, bytes + at, BLOCK_BYTES);
        encrypt_block(siv->mac, sum, sum);
    }
}

/* What is left of the message: at least one byte. `sum`, zero at the message's begin, becomes the MAC. */
static void finish(const struct gw_siv *siv, uint8_t sum[BLOCK_BYTES], const uint8_t *bytes, size_t length)
{
    size_t before = (length - 1) / BLOCK_BYTES * BLOCK_BYTES, last = length - before;
    absorb(siv, sum, bytes, before);
    add_bytes(sum, bytes + before, last);
    if (last < BLOCK_BYTES)
        sum[last] ^= 0x80;
    add_bytes(sum, last < BLOCK_BYTES ? siv->padded : siv->whole, BLOCK_BYTES);
    encrypt_block(siv->mac, sum, sum);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------------------- */

static EVP_CIPHER_CTX *create_context(const uint8_t *key)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context && EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL) == 1 && EVP_CIPHER_CTX_set_padding(context, 0) == 1)
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

static void derive(struct gw_siv *siv)
{
    static const uint8_t zero[BLOCK_BYTES];
    encrypt_block(siv->mac, zero, siv->whole);
    double_block(siv->whole);
    memcpy(siv->padded, siv->whole, sizeof siv->padded);
    double_block(siv->padded);
    finish(siv, siv->start, zero, sizeof zero);
}

struct gw_siv *gw_siv_create(const uint8_t key[GW_SIV_KEY_BYTES])
{
    struct gw_siv *siv = gw_try_alloc(sizeof *siv);
    if (!siv)
        return NULL;
    *siv = (struct gw_siv){.mac = create_context(key), .stream = create_context(key + HALF_KEY_BYTES)};
    if (!siv->mac || !siv->stream) {
        gw_siv_destroy(siv);
        return NULL;
    }
    derive(siv);
    return siv;
}

struct gw_siv *gw_siv_dup(const struct gw_siv *siv)
{
    struct gw_siv *copy = gw_try_alloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *siv;
    copy->mac = EVP_CIPHER_CTX_new();
    copy->stream = EVP_CIPHER_CTX_new();
    if (copy->mac && copy->stream && EVP_CIPHER_CTX_copy(copy->mac, siv->mac) == 1 && EVP_CIPHER_CTX_copy(copy->stream, siv->stream) == 1)
        return copy;
    gw_siv_destroy(copy);
    return NULL;
}

void gw_siv_destroy(struct gw_siv *siv)
{
    if (!siv)
        return;
    EVP_CIPHER_CTX_free(siv->mac);
    EVP_CIPHER_CTX_free(siv->stream);
    gw_zero_secret(siv, sizeof *siv);
    gw_free(siv);
}

/* ---- RFC 5297 ---------------------------------------------------------------------------------------------------------------------------- */

/* Section 2.4: S2V of the associated data and `plain`. */
static void make_tag(const struct gw_siv *siv, const struct gw_siv_input *input, const uint8_t *plain, size_t length,
                     uint8_t out[BLOCK_BYTES])
{
    uint8_t sum[BLOCK_BYTES], of_ad[BLOCK_BYTES] = {0}, tag[BLOCK_BYTES] = {0}, end[2 * BLOCK_BYTES];
    finish(siv, of_ad, input->ad, input->ad_length);
    memcpy(sum, siv->start, sizeof sum);
    double_block(sum);
    add_bytes(sum, of_ad, sizeof sum);
    if (length >= BLOCK_BYTES) {
        size_t before = length / BLOCK_BYTES * BLOCK_BYTES - BLOCK_BYTES, rest = length - before;
        memcpy(end, plain + before, rest);
        add_bytes(end + rest - BLOCK_BYTES, sum, BLOCK_BYTES);
        absorb(siv, tag, plain, before);
        finish(siv, tag, end, rest);
    } else {
        double_block(sum);
        add_bytes(sum, plain, length);
        sum[length] ^= 0x80;
        finish(siv, tag, sum, sizeof sum);
    }
    memcpy(out, tag, sizeof tag);
}

static void count_up(uint8_t counter[BLOCK_BYTES])
{
    for (size_t i = BLOCK_BYTES; i-- > 0 && ++counter[i] == 0;)
        ;
}

/* Section 2.5: counter mode from the tag, with two bits of it cleared. */
static void apply_stream(const struct gw_siv *siv, const uint8_t tag[BLOCK_BYTES], const uint8_t *in, size_t length, uint8_t *out)
{
    uint8_t counter[BLOCK_BYTES], pad[BLOCK_BYTES];
    memcpy(counter, tag, sizeof counter);
    counter[8] &= 0x7f;
    counter[12] &= 0x7f;
    for (size_t at = 0; at < length; at += BLOCK_BYTES, count_up(counter)) {
        size_t count = length - at < BLOCK_BYTES ? length - at : BLOCK_BYTES;
        encrypt_block(siv->stream, counter, pad);
        for (size_t i = 0; i < count; i++)
            out[at + i] = in[at + i] ^ pad[i];
    }
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
