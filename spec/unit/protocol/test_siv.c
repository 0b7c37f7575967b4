/* test_siv.c — AES-SIV against the vector of RFC 5297 and against libcrypto's own, and that prepared contexts do not wear out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/alloc.h"
#include "protocol/siv.h"

/* RFC 5297 appendix A.1. */
static const uint8_t key[GW_SIV_KEY_BYTES] = {0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0xf7, 0xf6, 0xf5,
                                              0xf4, 0xf3, 0xf2, 0xf1, 0xf0, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5,
                                              0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
static const uint8_t ad[24] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b,
                               0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27};
static const uint8_t plain[14] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};
static const uint8_t sealed[30] = {0x85, 0x63, 0x2d, 0x07, 0xc6, 0xe8, 0xf3, 0x7f, 0x95, 0x0a, 0xcd, 0x32, 0x0a, 0x2e, 0xcc,
                                   0x93, 0x40, 0xc0, 0x2b, 0x96, 0x90, 0xc4, 0xdc, 0x04, 0xda, 0xef, 0x7f, 0x6a, 0xfe, 0x5c};

static void expect_vector(struct gw_siv *siv)
{
    uint8_t out[sizeof sealed];
    gw_siv_seal(siv, &(struct gw_siv_input){ad, sizeof ad, plain, sizeof plain}, out);
    assert_memory_equal(out, sealed, sizeof sealed);
    assert_true(gw_siv_open(siv, &(struct gw_siv_input){ad, sizeof ad, sealed, sizeof sealed}, out));
    assert_memory_equal(out, plain, sizeof plain);
}

static void meets_the_vector_of_rfc_5297_again_and_again(void **state)
{
    (void)state;
    struct gw_siv *siv = gw_siv_create(key);
    for (int i = 0; i < 100; i++)
        expect_vector(siv);
    struct gw_siv *copy = gw_siv_dup(siv);
    gw_siv_destroy(siv);
    expect_vector(copy);
    gw_siv_destroy(copy);
}

static void seal_by_libcrypto(const struct gw_siv_input *input, uint8_t *out)
{
    int count;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, cipher, NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, NULL, &count, input->ad, (int)input->ad_length), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out + GW_SIV_TAG_BYTES, &count, input->bytes, (int)input->length), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GW_SIV_TAG_BYTES, out), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

static void seals_texts_of_all_lengths_as_libcrypto_does(void **state)
{
    (void)state;
    enum { LENGTH_MAX = 70 };
    uint8_t bytes[LENGTH_MAX], mine[GW_SIV_TAG_BYTES + LENGTH_MAX], theirs[GW_SIV_TAG_BYTES + LENGTH_MAX], opened[LENGTH_MAX];
    struct gw_siv *siv = gw_siv_create(key);
    for (size_t i = 0; i < LENGTH_MAX; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t length = 1; length <= LENGTH_MAX; length++) {
        const struct gw_siv_input input = {bytes, LENGTH_MAX + 1 - length, bytes, length};
        gw_siv_seal(siv, &input, mine);
        seal_by_libcrypto(&input, theirs);
        assert_memory_equal(mine, theirs, GW_SIV_TAG_BYTES + length);
        assert_true(gw_siv_open(siv, &(struct gw_siv_input){input.ad, input.ad_length, mine, GW_SIV_TAG_BYTES + length}, opened));
        assert_memory_equal(opened, bytes, length);
    }
    gw_siv_destroy(siv);
}

static void refuses_every_flipped_bit(void **state)
{
    (void)state;
    struct gw_siv *siv = gw_siv_create(key);
    uint8_t out[sizeof sealed], bad[sizeof sealed], zeros[sizeof plain] = {0};
    for (size_t bit = 0; bit < sizeof sealed * 8; bit++) {
        memcpy(bad, sealed, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(gw_siv_open(siv, &(struct gw_siv_input){ad, sizeof ad, bad, sizeof bad}, out));
        assert_memory_equal(out, zeros, sizeof zeros);
    }
    assert_false(gw_siv_open(siv, &(struct gw_siv_input){ad, sizeof ad - 1, sealed, sizeof sealed}, out));
    for (size_t length = 0; length < sizeof sealed; length++)
        assert_false(gw_siv_open(siv, &(struct gw_siv_input){ad, sizeof ad, sealed, length}, out));
    expect_vector(siv);
    gw_siv_destroy(siv);
}

static void answers_null_without_memory(void **state)
{
    (void)state;
    gw_alloc_fail_after(1);
    assert_null(gw_siv_create(key));
    gw_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meets_the_vector_of_rfc_5297_again_and_again),
        cmocka_unit_test(seals_texts_of_all_lengths_as_libcrypto_does),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(answers_null_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
