/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_CRYPTO_H
#define SB_BASE_CRYPTO_H

#include <apr_pools.h>
#include <stdbool.h>

#define SB_HMAC_HEX_LENGTH 64 /* SHA-256, lower-case hexadecimal, without the final NUL */

/* HMAC-SHA256 (RFC 2104) of the concatenation of n parts; out gets 64 lower-case hex digits and a
 * NUL. Returns false when the crypto library refuses, which it does only out of memory. */
bool sb_hmac_sha256_hex(char out[SB_HMAC_HEX_LENGTH + 1], const void *key,
                        apr_size_t key_length, const void *const parts[],
                        const apr_size_t lengths[], int n);

/* Equal without telling by its running time where the difference lies (T40). */
bool sb_crypto_equal(const char *a, const char *b, apr_size_t length);

/* bytes random bytes (at most 64) as lower-case hex in pool; NULL when the system has no entropy. */
const char *sb_random_hex(int bytes, apr_pool_t *pool);

/* SipHash-1-3 (Aumasson, Bernstein 2012) of data under a 128-bit key: for tables whose keys
 * strangers choose. */
apr_uint64_t sb_siphash(const apr_uint64_t key[2], const void *data, apr_size_t length);

#endif
