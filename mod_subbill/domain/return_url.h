/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_RETURN_URL_H
#define SB_DOMAIN_RETURN_URL_H

#include "base/result.h"

/* Where a client may send a buyer afterwards (T24): our own origin, a path on it, or an origin on
 * the allow-list. */

#define SB_RETURN_URL_MAX 2048 /* bytes */

/* Checks input against base_url (our own address; its origin counts, its path does not) and the n
 * entries of origins ("https://app.example.org", optionally with a path prefix that matches whole
 * segments). On success *url is our own serialisation, absolute, in pool: lower-case scheme and
 * host, default port dropped, dot segments resolved, everything that is not URL text
 * percent-encoded. Else SB_INVALID with code "bad_return_url". http passes only where base_url or
 * the entry is http itself. */
sb_status_e sb_return_url_check(const char **url, sb_result_t *result, const char *input,
                                const char *base_url, const char *const origins[], int n,
                                apr_pool_t *pool);

/* For configuration: NULL when text may stand in SubbillReturnURLs or SubbillBaseURL (scheme http
 * or https, host, no user, query or fragment), else a sentence. */
const char *sb_return_origin_check(const char *text, apr_pool_t *pool);

/* The serialised origin of an absolute http(s) URL ("https://example.org:8443"), for Origin
 * headers and CORS; NULL when it is none. */
const char *sb_url_origin(const char *url, apr_pool_t *pool);

#endif
