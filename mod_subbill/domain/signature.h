/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_SIGNATURE_H
#define SB_DOMAIN_SIGNATURE_H

#include <apr.h>
#include <stdbool.h>

/* Stripe-Signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of t "." body>[,v1=…][,other=…]. */

#define SB_SIGNATURE_HEADER_MAX 4096 /* bytes */
#define SB_SIGNATURE_ITEMS_MAX  64

typedef enum {
    SB_SIGNATURE_OK = 0,
    SB_SIGNATURE_MISSING_HEADER,
    SB_SIGNATURE_MALFORMED_HEADER,
    SB_SIGNATURE_NO_TIMESTAMP,
    SB_SIGNATURE_TOO_OLD,
    SB_SIGNATURE_IN_FUTURE,
    SB_SIGNATURE_NO_V1,
    SB_SIGNATURE_NO_MATCH
} sb_signature_outcome_e;

/* The outcome's word for the answer's body: "ok", "missing_header", "malformed_header",
 * "no_timestamp", "too_old", "in_future", "no_v1", "no_match". */
const char *sb_signature_word(sb_signature_outcome_e outcome);

/* True when one of the n secrets (whole texts, whsec_ included) signed exactly these body bytes
 * at a time at most tolerance seconds before or after now; *why says what is wrong else, and
 * *which_secret (may be NULL) is the index that matched or -1. tolerance 0 means this very
 * second, it does not switch the check off. Blank secrets never match.
 *
 * Stricter than Stripe's SDKs on purpose: exactly one t of plain digits without leading zero; no
 * white space anywhere, which also refuses several headers merged by a proxy; every v1 64
 * lower-case hex digits; unknown schemes are skipped. The time is judged before any hash is
 * computed. All secrets and all v1 are always compared, in constant time (T40). */
bool sb_signature_verify(sb_signature_outcome_e *why, int *which_secret,
                         const char *header, const char *body, apr_size_t length,
                         const char *const secrets[], int n, apr_int64_t now,
                         int tolerance);

#endif
