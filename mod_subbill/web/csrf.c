/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The token is an HMAC over user and hour under a key that all hosts of the site share, so it needs
 * no session and no storage; it is checked for the hour it was made in and the two after it. The
 * origin is checked as well: a token alone would not stop a page that has learned one. */
#include "web/csrf.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "domain/return_url.h"
#include "web/cors.h"

#include <apr_strings.h>

enum { HOURS_VALID = 3 };

static bool token_of(char token[SB_HMAC_HEX_LENGTH + 1], const char *key,
                     const char *user, apr_int64_t hour)
{
    char stamp[64];

    /* A user name holds no control characters, so nothing can be read in two ways. */
    apr_snprintf(stamp, sizeof(stamp), "csrf\n%" APR_INT64_T_FMT "\n", hour);
    const void *parts[] = {stamp, user};
    const apr_size_t lengths[] = {strlen(stamp), strlen(user)};
    return sb_hmac_sha256_hex(token, key, strlen(key), parts, lengths, 2);
}

sb_status_e sb_csrf_issue(sb_exchange_t *x, sb_result_t *result)
{
    char token[SB_HMAC_HEX_LENGTH + 1];
    const char *key;

    if (!x->user) {
        return SB_OK;
    }
    sb_status_e status = sb_service_token_key(&key, result, x->service, x->pool);
    if (status != SB_OK) {
        return status;
    }
    if (!token_of(token, key, x->user, sb_clock_now() / 3600)) {
        return sb_result_set(result, SB_INTERNAL, "internal", "No token could be made.",
                             NULL);
    }
    x->csrf = apr_pstrdup(x->pool, token);
    return SB_OK;
}

static sb_status_e token_check(const sb_exchange_t *x, sb_result_t *result,
                               const char *given)
{
    char token[SB_HMAC_HEX_LENGTH + 1];
    const char *key;
    bool equal = false;

    if (!given || !*given) {
        return sb_result_set(result, SB_FORBIDDEN, "missing_csrf",
                             "The request carries no csrf token.",
                             "Reload the page and use the form on it. Programs send JSON "
                             "or Authorization: Bearer.");
    }
    sb_status_e status = sb_service_token_key(&key, result, x->service, x->pool);
    if (status != SB_OK) {
        return status;
    }
    apr_int64_t hour = sb_clock_now() / 3600;
    for (int i = 0; i < HOURS_VALID && strlen(given) == SB_HMAC_HEX_LENGTH; i++) {
        equal |= token_of(token, key, x->user ? x->user : "", hour - i) &&
                 sb_crypto_equal(token, given, SB_HMAC_HEX_LENGTH);
    }
    return equal ? SB_OK
                 : sb_result_set(result, SB_FORBIDDEN, "bad_csrf",
                                 "The csrf token is too old or somebody else's.",
                                 "Reload the page and use the form on it.");
}

static sb_status_e bad_origin(sb_result_t *result)
{
    return sb_result_set(result, SB_FORBIDDEN, "bad_origin",
                         "The request comes from a page of another site.",
                         "Origins of your own front ends belong into SubbillReturnURLs.");
}

/* Where the browser says that the request was started. Silence is no proof of anything: then the
 * token, or the Content-Type that needs a preflight, has to do. */
static sb_status_e origin_check(const sb_exchange_t *x, sb_result_t *result, bool json)
{
    request_rec *r = x->r;
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *referer = apr_table_get(r->headers_in, "Referer");

    if (origin) {
        return sb_origin_own(r, origin) || (json && sb_origin_listed(r, origin))
                   ? SB_OK
                   : bad_origin(result);
    }
    if (site) {
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0
                   ? SB_OK
                   : bad_origin(result);
    }
    if (referer) {
        const char *from = sb_url_origin(referer, x->pool);
        return from && sb_origin_own(r, from) ? SB_OK : bad_origin(result);
    }
    return SB_OK;
}

static bool bearer(const request_rec *r)
{
    const char *authorization = apr_table_get(r->headers_in, "Authorization");

    return authorization && strncasecmp(authorization, "Bearer ", 7) == 0;
}

sb_status_e sb_csrf_check(const sb_exchange_t *x, sb_result_t *result)
{
    bool json = sb_content_is(x->r, "application/json");

    if (bearer(x->r)) {
        return SB_OK;
    }
    sb_status_e status = origin_check(x, result, json);
    if (status != SB_OK || json) {
        return status;
    }
    const char *given = NULL;
    if (x->form) {
        status = sb_form_get(&given, result, x->form, SB_CSRF_FIELD);
    }
    return status != SB_OK ? status : token_check(x, result, given);
}

/* A page in a tab of its own, not in somebody's frame (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/). */
static bool followed(const sb_exchange_t *x)
{
    const char *mode = apr_table_get(x->r->headers_in, "Sec-Fetch-Mode");
    const char *dest = apr_table_get(x->r->headers_in, "Sec-Fetch-Dest");

    /* Older browsers, and sites without TLS, do not say: there what an image asks for is no page. */
    if (!apr_table_get(x->r->headers_in, "Sec-Fetch-Site") &&
        !apr_table_get(x->r->headers_in, "Origin")) {
        return x->html;
    }
    return mode && strcmp(mode, "navigate") == 0 && dest && strcmp(dest, "document") == 0;
}

sb_status_e sb_csrf_check_question(const sb_exchange_t *x, sb_result_t *result)
{
    return bearer(x->r) || followed(x) ? SB_OK : origin_check(x, result, true);
}
