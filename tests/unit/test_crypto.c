/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/crypto.h"
#include "unit.h"

#include <string.h>

/* A17: RFC 4231, test cases 1, 2 and 6, whole and in parts. */
START_TEST(test_hmac_matches_the_vectors_of_rfc_4231)
{
    unsigned char long_key[131];
    memset(long_key, 0xaa, sizeof(long_key));
    unsigned char short_key[20];
    memset(short_key, 0x0b, sizeof(short_key));
    const struct {
        const void *key;
        apr_size_t length;
        const char *data;
        const char *hex;
    } vectors[] = {{short_key, sizeof(short_key), "Hi There",
                    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
                   {"Jefe", 4, "what do ya want for nothing?",
                    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
                   {long_key, sizeof(long_key),
                    "Test Using Larger Than Block-Size Key - Hash Key First",
                    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"}};
    char hex[SB_HMAC_HEX_LENGTH + 1];

    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        const void *parts[] = {vectors[i].data, vectors[i].data + 3};
        apr_size_t lengths[] = {3, strlen(vectors[i].data) - 3};
        ck_assert(sb_hmac_sha256_hex(hex, vectors[i].key, vectors[i].length, parts,
                                     lengths, 2));
        ck_assert_str_eq(hex, vectors[i].hex);
    }
}
END_TEST

/* T35: the reference vectors of SipHash-1-3 (key 00..0f, data 00..n-1). */
START_TEST(test_siphash_matches_its_reference_vectors)
{
    const apr_uint64_t key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    unsigned char data[16];

    for (int i = 0; i < 16; i++) {
        data[i] = (unsigned char)i;
    }
    ck_assert_uint_eq(sb_siphash(key, data, 0), 0xabac0158050fc4dcULL);
    ck_assert_uint_eq(sb_siphash(key, data, 1), 0xc9f49bf37d57ca93ULL);
    ck_assert_uint_eq(sb_siphash(key, data, 8), 0x369095118d299a8eULL);
    ck_assert_uint_eq(sb_siphash(key, data, 15), 0xd320d86d2a519956ULL);
}
END_TEST

/* T25: tokens and ids nobody guesses. */
START_TEST(test_random_texts_differ_and_have_their_length)
{
    const char *a = sb_random_hex(32, sb_unit_pool);
    const char *b = sb_random_hex(32, sb_unit_pool);

    ck_assert_uint_eq(strlen(a), 64);
    ck_assert_uint_eq(strspn(a, "0123456789abcdef"), 64);
    ck_assert_str_ne(a, b);
    ck_assert_ptr_null(sb_random_hex(0, sb_unit_pool));
    ck_assert_ptr_null(sb_random_hex(65, sb_unit_pool));
}
END_TEST

/* T40: equality by bytes. */
START_TEST(test_equality_is_by_every_byte)
{
    ck_assert(sb_crypto_equal("abc", "abc", 3));
    ck_assert(!sb_crypto_equal("abc", "abd", 3));
    ck_assert(!sb_crypto_equal("xbc", "abc", 3));
}
END_TEST

Suite *crypto_suite(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tcase = sb_unit_case("vectors");

    tcase_add_test(tcase, test_hmac_matches_the_vectors_of_rfc_4231);
    tcase_add_test(tcase, test_siphash_matches_its_reference_vectors);
    tcase_add_test(tcase, test_random_texts_differ_and_have_their_length);
    tcase_add_test(tcase, test_equality_is_by_every_byte);
    suite_add_tcase(suite, tcase);
    return suite;
}
