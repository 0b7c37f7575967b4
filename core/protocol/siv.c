#include "protocol/siv.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/alloc.h"

struct gw_siv {
    EVP_CIPHER_CTX *sealer, *opener; /* keyed, never used up */
    EVP_CIPHER_CTX *work;            /* the copy that a call uses up */
};

static struct gw_siv *create_empty(void)
{
    struct gw_siv *siv = gw_try_alloc(sizeof *siv);
    if (!siv)
        return NULL;
    *siv = (struct gw_siv){EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new()};
    if (siv->sealer && siv->opener && siv->work)
        return siv;
    gw_siv_destroy(siv);
    return NULL;
}

struct gw_siv *gw_siv_create(const uint8_t key[GW_SIV_KEY_BYTES])
{
    struct gw_siv *siv = create_empty();
    EVP_CIPHER *cipher = siv ? EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL) : NULL;
    bool is_good = cipher && EVP_EncryptInit_ex(siv->sealer, cipher, NULL, key, NULL) == 1 &&
                   EVP_DecryptInit_ex(siv->opener, cipher, NULL, key, NULL) == 1;
    EVP_CIPHER_free(cipher);
    if (is_good)
        return siv;
    gw_siv_destroy(siv);
    return NULL;
}

struct gw_siv *gw_siv_dup(const struct gw_siv *siv)
{
    struct gw_siv *copy = create_empty();
    if (copy && EVP_CIPHER_CTX_copy(copy->sealer, siv->sealer) == 1 && EVP_CIPHER_CTX_copy(copy->opener, siv->opener) == 1)
        return copy;
    gw_siv_destroy(copy);
    return NULL;
}

void gw_siv_destroy(struct gw_siv *siv)
{
    if (!siv)
        return;
    EVP_CIPHER_CTX_free(siv->sealer);
    EVP_CIPHER_CTX_free(siv->opener);
    EVP_CIPHER_CTX_free(siv->work);
    gw_free(siv);
}

static void begin(struct gw_siv *siv, const EVP_CIPHER_CTX *keyed)
{
    /* Small allocations inside libcrypto: they fail when gw_alloc would, which aborts too. */
    if (EVP_CIPHER_CTX_copy(siv->work, keyed) != 1)
        abort();
}

void gw_siv_seal(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out)
{
    int count;
    assert(input->ad_length > 0 && input->length > 0);
    begin(siv, siv->sealer);
    if (EVP_EncryptUpdate(siv->work, NULL, &count, input->ad, (int)input->ad_length) != 1 ||
        EVP_EncryptUpdate(siv->work, out + GW_SIV_TAG_BYTES, &count, input->bytes, (int)input->length) != 1 ||
        EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_GET_TAG, GW_SIV_TAG_BYTES, out) != 1)
        abort();
}

bool gw_siv_open(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out)
{
    int count;
    uint8_t tag[GW_SIV_TAG_BYTES];
    assert(input->ad_length > 0);
    if (input->length <= GW_SIV_TAG_BYTES)
        return false;
    size_t length = input->length - GW_SIV_TAG_BYTES;
    for (size_t i = 0; i < sizeof tag; i++)
        tag[i] = input->bytes[i];
    begin(siv, siv->opener);
    if (EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_SET_TAG, GW_SIV_TAG_BYTES, tag) == 1 &&
        EVP_DecryptUpdate(siv->work, NULL, &count, input->ad, (int)input->ad_length) == 1 &&
        EVP_DecryptUpdate(siv->work, out, &count, input->bytes + GW_SIV_TAG_BYTES, (int)length) == 1)
        return true;
    gw_zero_secret(out, length);
    return false;
}
