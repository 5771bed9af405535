/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/signature.h"
#include "fuzz.h"

#include <apr_strings.h>
#include <openssl/hmac.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The header verified twice: by the module, and by a second verifier that shares no code with it and
 * says the rules in another way (a regular expression, OpenSSL called directly, 128 bits for time).
 *
 * Input: now NUL tolerance NUL header NUL secrets, \x01 between them NUL body. No mutation finds a
 * signature by chance, so a '$' in the header stands for the right one: that of the first time in
 * the header under the first secret. */

#define SECRETS_MAX 8
#define DIGITS      64

static regex_t grammar, canonical_time, lower_hex;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    sb_fuzz_holds(
        regcomp(&grammar, "^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$", REG_EXTENDED | REG_NOSUB) ==
                0 &&
            regcomp(&canonical_time, "^(0|[1-9][0-9]{0,18})$",
                    REG_EXTENDED | REG_NOSUB) == 0 &&
            regcomp(&lower_hex, "^[0-9a-f]{64}$", REG_EXTENDED | REG_NOSUB) == 0,
        "the second verifier's expressions compile");
    return 0;
}

static bool fits(const regex_t *expression, const char *text)
{
    return regexec(expression, text, 0, NULL, 0) == 0;
}

static const char *signature_of(const char *secret, const char *time, const char *body,
                                size_t length, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    size_t stamp = strlen(time) + 1;
    char *signed_bytes = apr_palloc(pool, stamp + length);
    char *hex = apr_palloc(pool, DIGITS + 1);

    memcpy(signed_bytes, time, stamp - 1);
    signed_bytes[stamp - 1] = '.';
    memcpy(signed_bytes + stamp, body, length);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)signed_bytes,
         stamp + length, digest, &digest_length);
    for (unsigned int i = 0; i < digest_length; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    return hex;
}

static bool is_blank(const char *secret)
{
    for (; *secret; secret++) {
        if (!strchr(" \t\r\n\v\f", *secret)) {
            return false;
        }
    }
    return true;
}

typedef struct question_t {
    int now;
    int tolerance;
    const char *header;
    const char *secrets[SECRETS_MAX];
    int n;
    const char *body;
    size_t length;
} question_t;

/* The second verifier. */
static sb_signature_outcome_e expected(int *which, const question_t *ask,
                                       apr_pool_t *pool)
{
    const char *time = NULL, *v1[SB_SIGNATURE_ITEMS_MAX];
    int items = 1, v1_n = 0;

    *which = -1;
    if (!*ask->header) {
        return SB_SIGNATURE_MISSING_HEADER;
    }
    for (const char *c = ask->header; *c; c++) {
        items += *c == ',';
        if (*c < 0x21 || *c == 0x7f) { /* char is signed here: high bytes are below too */
            return SB_SIGNATURE_MALFORMED_HEADER;
        }
    }
    if (strlen(ask->header) > 4096 || items > 64 || !fits(&grammar, ask->header)) {
        return SB_SIGNATURE_MALFORMED_HEADER;
    }
    char *rest, *copy = apr_pstrdup(pool, ask->header);
    for (char *item = strtok_r(copy, ",", &rest); item;
         item = strtok_r(NULL, ",", &rest)) {
        if (strncmp(item, "t=", 2) == 0) {
            if (time || !fits(&canonical_time, item + 2) ||
                strtoull(item + 2, NULL, 10) > INT64_MAX) {
                return SB_SIGNATURE_MALFORMED_HEADER;
            }
            time = item + 2;
        }
        if (strncmp(item, "v1=", 3) == 0) {
            if (!fits(&lower_hex, item + 3)) {
                return SB_SIGNATURE_MALFORMED_HEADER;
            }
            v1[v1_n++] = item + 3;
        }
    }
    if (!time || !v1_n) {
        return time ? SB_SIGNATURE_NO_V1 : SB_SIGNATURE_NO_TIMESTAMP;
    }
    __int128 age = (__int128)ask->now - (__int128)strtoull(time, NULL, 10);
    if (age > ask->tolerance || -age > ask->tolerance) {
        return age > 0 ? SB_SIGNATURE_TOO_OLD : SB_SIGNATURE_IN_FUTURE;
    }
    for (int i = 0; i < ask->n && *which < 0; i++) {
        const char *right =
            signature_of(ask->secrets[i], time, ask->body, ask->length, pool);
        for (int j = 0; j < v1_n && !is_blank(ask->secrets[i]); j++) {
            *which = strcmp(right, v1[j]) == 0 ? i : *which;
        }
    }
    return *which < 0 ? SB_SIGNATURE_NO_MATCH : SB_SIGNATURE_OK;
}

/* Every '$' becomes the right signature. */
static const char *header_signed(const question_t *ask, apr_pool_t *pool)
{
    const char *found = strstr(ask->header, "t=");
    size_t digits = found ? strspn(found + 2, "0123456789") : 0;
    const char *time = found ? apr_pstrmemdup(pool, found + 2, digits) : "";
    const char *right =
        signature_of(ask->n ? ask->secrets[0] : "", time, ask->body, ask->length, pool);
    char *out = apr_palloc(pool, strlen(ask->header) * DIGITS + 1);
    char *end = out;

    for (const char *c = ask->header; *c; c++) {
        if (*c == '$') {
            memcpy(end, right, DIGITS);
            end += DIGITS;
        }
        else {
            *end++ = *c;
        }
    }
    *end = '\0';
    return apr_pstrdup(pool, out);
}

/* T01, T05, T47: the header of a webhook, from anybody. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t input = {.at = (const char *)data, .left = size};
    question_t ask = {.now = sb_fuzz_number(&input, pool)};
    sb_signature_outcome_e why;
    int which, expected_which;

    ask.tolerance = sb_fuzz_number(&input, pool) & 0xffffff; /* a directive's, positive */
    ask.header = sb_fuzz_text(&input, pool);
    const char *secrets = sb_fuzz_text(&input, pool);
    while (*secrets && ask.n < SECRETS_MAX) {
        size_t length = strcspn(secrets, "\x01");
        ask.secrets[ask.n++] = apr_pstrmemdup(pool, secrets, length);
        secrets += length + (secrets[length] != '\0');
    }
    ask.body = input.left ? input.at : "";
    ask.length = input.left;
    ask.header = header_signed(&ask, pool);

    bool verified = sb_signature_verify(&why, &which, ask.header, ask.body, ask.length,
                                        ask.secrets, ask.n, ask.now, ask.tolerance);
    sb_fuzz_holds(why == expected(&expected_which, &ask, pool),
                  "both verifiers come to the same outcome");
    sb_fuzz_holds(which == expected_which, "both name the same secret");
    sb_fuzz_holds(verified == (why == SB_SIGNATURE_OK), "only \"ok\" verifies");
    sb_fuzz_holds(*sb_signature_word(why), "every outcome has a word");
    return 0;
}
