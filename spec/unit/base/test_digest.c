#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/digest.h"

static void assert_hex(const uint8_t *bytes, const char *hex)
{
    char text[2 * GW_SHA256_BYTES + 1];
    gw_hex_encode(bytes, GW_SHA256_BYTES, text);
    assert_string_equal(text, hex);
}

/* FIPS 180-4 examples (NIST, SHA256.pdf) and the empty message. */
static void sha256_agrees_with_the_nist_vectors(void **state)
{
    (void)state;
    uint8_t out[GW_SHA256_BYTES];
    gw_sha256("", 0, out);
    assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    gw_sha256("abc", 3, out);
    assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    gw_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
    assert_hex(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231 section 4. */
static void hmac_sha256_agrees_with_rfc_4231(void **state)
{
    (void)state;
    uint8_t out[GW_SHA256_BYTES];
    uint8_t key[131];
    memset(key, 0x0b, sizeof key);
    gw_hmac_sha256(key, 20, "Hi There", 8, out);
    assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    gw_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    gw_hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    assert_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    gw_hmac_sha256(NULL, 0, "", 0, out);
    assert_hex(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4648 section 10, without the padding. */
static void base64url_agrees_with_rfc_4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[16];
        char back[16];
        size_t length = strlen(vectors[i][0]);
        assert_int_equal(gw_base64url_encode(vectors[i][0], length, text), GW_BASE64URL_LENGTH(length));
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(gw_base64url_decode(text, strlen(text), back), length);
        assert_memory_equal(back, vectors[i][0], length);
    }
}

static void base64url_round_trips_every_length(void **state)
{
    (void)state;
    uint8_t bytes[100];
    uint8_t back[100];
    char text[GW_BASE64URL_LENGTH(100) + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        size_t written = gw_base64url_encode(bytes, length, text);
        assert_int_equal(gw_base64url_decode(text, written, back), length);
        assert_memory_equal(back, bytes, length);
    }
}

static void base64url_has_one_spelling_a_value(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z", "Zh", "Zm9", "Zg==", "Zm9v\n", "Zm 9v", "Zm+v", "Zm/v", "Zm9vY", "=", "\xc3\xa9Zg"};
    char out[16];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(gw_base64url_decode(bad[i], strlen(bad[i]), out), -1);
}

static void base64_is_strict_about_its_padding(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(gw_base64_decode("Zm9vYg==", 8, out), 4);
    assert_memory_equal(out, "foob", 4);
    assert_int_equal(gw_base64_decode("+/+/", 4, out), 3);
    assert_memory_equal(out, "\xfb\xff\xbf", 3);
    assert_int_equal(gw_base64_decode("", 0, out), 0);
    static const char *const bad[] = {"Zm9vYg", "Zm9vYg=", "Zg=a", "Z===", "====", "Zh==", "-_-_", "Zm9vYg==Zm9v"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(gw_base64_decode(bad[i], strlen(bad[i]), out), -1);
}

static void compares_bytes(void **state)
{
    (void)state;
    assert_true(gw_bytes_equal("abc", "abd", 2));
    assert_false(gw_bytes_equal("abc", "abd", 3));
    assert_true(gw_bytes_equal("", "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_agrees_with_the_nist_vectors),
        cmocka_unit_test(hmac_sha256_agrees_with_rfc_4231),
        cmocka_unit_test(base64url_agrees_with_rfc_4648),
        cmocka_unit_test(base64url_round_trips_every_length),
        cmocka_unit_test(base64url_has_one_spelling_a_value),
        cmocka_unit_test(base64_is_strict_about_its_padding),
        cmocka_unit_test(compares_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
