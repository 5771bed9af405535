/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/signature.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

/* The header is read once into at most 64 candidate signatures and one time, by a grammar without
 * slack. Only then hashes are computed: one for every secret, each compared with every candidate,
 * so that the work tells nothing about which secret or candidate was near (T05, T40). */

typedef struct header_t {
    apr_int64_t time;
    bool has_time;
    const char *v1[SB_SIGNATURE_ITEMS_MAX];
    int v1_n;
} header_t;

static const char *const words[] = {
    [SB_SIGNATURE_OK] = "ok",
    [SB_SIGNATURE_MISSING_HEADER] = "missing_header",
    [SB_SIGNATURE_MALFORMED_HEADER] = "malformed_header",
    [SB_SIGNATURE_NO_TIMESTAMP] = "no_timestamp",
    [SB_SIGNATURE_TOO_OLD] = "too_old",
    [SB_SIGNATURE_IN_FUTURE] = "in_future",
    [SB_SIGNATURE_NO_V1] = "no_v1",
    [SB_SIGNATURE_NO_MATCH] = "no_match",
};

const char *sb_signature_word(sb_signature_outcome_e outcome)
{
    return (unsigned)outcome < sizeof(words) / sizeof(words[0]) ? words[outcome]
                                                                : "malformed_header";
}

/* Decimal digits without sign or leading zero that fit 63 bits. */
static bool time_parse(apr_int64_t *time, const char *p, apr_size_t length)
{
    apr_int64_t value = 0;

    if (length == 0 || (p[0] == '0' && length > 1)) {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, p[i] - '0', &value)) {
            return false;
        }
    }
    *time = value;
    return true;
}

static bool hex_valid(const char *p, apr_size_t length)
{
    if (length != SB_HMAC_HEX_LENGTH) {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* One "key=value"; false: malformed. */
static bool item_parse(header_t *header, const char *item, apr_size_t length)
{
    const char *equals = memchr(item, '=', length);

    if (!equals || equals == item) {
        return false;
    }
    apr_size_t key = (apr_size_t)(equals - item);
    const char *value = equals + 1;
    apr_size_t value_length = length - key - 1;
    if (value_length == 0 || memchr(value, '=', value_length)) {
        return false;
    }
    if (key == 1 && item[0] == 't') {
        if (header->has_time || !time_parse(&header->time, value, value_length)) {
            return false;
        }
        header->has_time = true;
    }
    else if (key == 2 && memcmp(item, "v1", 2) == 0) {
        if (!hex_valid(value, value_length)) {
            return false;
        }
        header->v1[header->v1_n++] = value;
    }
    return true; /* every other scheme is skipped, never a fallback */
}

static bool header_parse(header_t *header, const char *text)
{
    apr_size_t length = strlen(text);
    int items = 0;

    if (length > SB_SIGNATURE_HEADER_MAX) {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f) {
            return false;
        }
    }
    for (const char *item = text;;) {
        const char *comma = strchr(item, ',');
        apr_size_t item_length = comma ? (apr_size_t)(comma - item) : strlen(item);
        if (++items > SB_SIGNATURE_ITEMS_MAX || !item_parse(header, item, item_length)) {
            return false;
        }
        if (!comma) {
            return true;
        }
        item = comma + 1;
    }
}

static bool blank(const char *secret)
{
    return !secret || secret[strspn(secret, " \t\r\n\v\f")] == '\0';
}

static int secret_find(const header_t *header, const char *body, apr_size_t length,
                       const char *const secrets[], int n)
{
    char stamp[24];
    int stamp_length =
        snprintf(stamp, sizeof(stamp), "%" APR_INT64_T_FMT ".", header->time);
    const void *parts[] = {stamp, body ? body : ""};
    const apr_size_t lengths[] = {(apr_size_t)stamp_length, body ? length : 0};
    int found = -1;

    for (int s = 0; s < n; s++) {
        char expected[SB_HMAC_HEX_LENGTH + 1];
        bool match = false;
        if (blank(secrets[s]) ||
            !sb_hmac_sha256_hex(expected, secrets[s], strlen(secrets[s]), parts, lengths,
                                2)) {
            continue;
        }
        for (int i = 0; i < header->v1_n; i++) {
            match |= sb_crypto_equal(expected, header->v1[i], SB_HMAC_HEX_LENGTH);
        }
        if (match && found < 0) {
            found = s;
        }
    }
    return found;
}

static sb_signature_outcome_e verify(int *which, const char *text, const char *body,
                                     apr_size_t length, const char *const secrets[],
                                     int n, apr_int64_t now, int tolerance)
{
    header_t header = {.v1_n = 0};
    apr_int64_t age;

    if (!text || !*text) {
        return SB_SIGNATURE_MISSING_HEADER;
    }
    if (!header_parse(&header, text)) {
        return SB_SIGNATURE_MALFORMED_HEADER;
    }
    if (!header.has_time) {
        return SB_SIGNATURE_NO_TIMESTAMP;
    }
    if (header.v1_n == 0) {
        return SB_SIGNATURE_NO_V1;
    }
    if (__builtin_sub_overflow(now, header.time, &age)) {
        return SB_SIGNATURE_IN_FUTURE; /* only a clock before 1970 comes here */
    }
    if (age > tolerance) {
        return SB_SIGNATURE_TOO_OLD;
    }
    if (age < -(apr_int64_t)tolerance) {
        return SB_SIGNATURE_IN_FUTURE;
    }
    *which = secret_find(&header, body, length, secrets, n);
    return *which >= 0 ? SB_SIGNATURE_OK : SB_SIGNATURE_NO_MATCH;
}

bool sb_signature_verify(sb_signature_outcome_e *why, int *which_secret,
                         const char *header, const char *body, apr_size_t length,
                         const char *const secrets[], int n, apr_int64_t now,
                         int tolerance)
{
    int which = -1;

    *why = verify(&which, header, body, length, secrets, n, now, tolerance);
    if (which_secret) {
        *which_secret = which;
    }
    return *why == SB_SIGNATURE_OK;
}
