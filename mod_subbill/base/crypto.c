/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

static void hex_encode(char *out, const unsigned char *bytes, apr_size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (apr_size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

bool sb_hmac_sha256_hex(char out[SB_HMAC_HEX_LENGTH + 1], const void *key,
                        apr_size_t key_length, const void *const parts[],
                        const apr_size_t lengths[], int n)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end()};
    unsigned char digest[SB_HMAC_HEX_LENGTH / 2];
    size_t length = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok = context && EVP_MAC_init(context, key, key_length, params) == 1;

    for (int i = 0; ok && i < n; i++) {
        ok = EVP_MAC_update(context, parts[i], lengths[i]) == 1;
    }
    ok = ok && EVP_MAC_final(context, digest, &length, sizeof(digest)) == 1 &&
         length == sizeof(digest);
    if (ok) {
        hex_encode(out, digest, sizeof(digest));
    }
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return ok;
}

bool sb_crypto_equal(const char *a, const char *b, apr_size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

const char *sb_random_hex(int bytes, apr_pool_t *pool)
{
    unsigned char raw[64];

    if (bytes <= 0 || bytes > (int)sizeof(raw) || RAND_bytes(raw, bytes) != 1) {
        return NULL;
    }
    char *hex = apr_palloc(pool, 2 * (apr_size_t)bytes + 1);
    hex_encode(hex, raw, (apr_size_t)bytes);
    OPENSSL_cleanse(raw, sizeof(raw));
    return hex;
}

static inline apr_uint64_t rotate(apr_uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(apr_uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

apr_uint64_t sb_siphash(const apr_uint64_t key[2], const void *data, apr_size_t length)
{
    const unsigned char *in = data;
    apr_uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                         key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
    apr_size_t whole = length & ~(apr_size_t)7;
    apr_uint64_t last = (apr_uint64_t)length << 56;

    for (apr_size_t i = 0; i < whole; i += 8) {
        apr_uint64_t word;
        memcpy(&word, in + i, 8);
#if APR_IS_BIGENDIAN
        word = __builtin_bswap64(word);
#endif
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    in += whole;
    switch (length & 7) {
    case 7:
        last |= (apr_uint64_t)in[6] << 48; /* fall through */
    case 6:
        last |= (apr_uint64_t)in[5] << 40; /* fall through */
    case 5:
        last |= (apr_uint64_t)in[4] << 32; /* fall through */
    case 4:
        last |= (apr_uint64_t)in[3] << 24; /* fall through */
    case 3:
        last |= (apr_uint64_t)in[2] << 16; /* fall through */
    case 2:
        last |= (apr_uint64_t)in[1] << 8; /* fall through */
    case 1:
        last |= in[0];
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
