/* siv.h — AES-128-SIV (RFC 5297) with one string of associated data and no nonce: deterministic authenticated encryption. Owns libcrypto's
 * AES, keyed. One thread at a time. Encrypts what is short and mostly unique, not bulk data. */
#ifndef GW_PROTOCOL_SIV_H
#define GW_PROTOCOL_SIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_siv;

#define GW_SIV_KEY_BYTES 32
#define GW_SIV_TAG_BYTES 16

/* NULL when memory is gone. libcrypto zeroes the key material on destroy. */
struct gw_siv *gw_siv_create(const uint8_t key[GW_SIV_KEY_BYTES]);
struct gw_siv *gw_siv_dup(const struct gw_siv *siv);
void gw_siv_destroy(struct gw_siv *siv);

/* value: associated data and input of one call; both lengths are at least 1 (asserted) */
struct gw_siv_input {
    const void *ad;
    size_t ad_length;
    const uint8_t *bytes;
    size_t length;
};
/* Writes tag and ciphertext: GW_SIV_TAG_BYTES + length bytes. Aborts when libcrypto has no memory. */
void gw_siv_seal(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out);
/* Input is tag and ciphertext; writes length - GW_SIV_TAG_BYTES bytes. False, with `out` zeroed, when it was not sealed with this key and
 * data. */
bool gw_siv_open(struct gw_siv *siv, const struct gw_siv_input *input, uint8_t *out);

#endif
