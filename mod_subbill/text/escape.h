/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_ESCAPE_H
#define SB_TEXT_ESCAPE_H

#include <apr_pools.h>

/* Escaping by the place where text will stand. Input is bytes of any kind; what is not valid UTF-8
 * becomes U+FFFD in HTML, so that no browser can guess another character set. */

/* For element content and quoted attributes: & < > " ' become references; control bytes other than
 * tab, LF and CR become U+FFFD. Returns from pool; *out_len may be NULL. */
const char *sb_escape_html(const char *text, apr_size_t len, apr_size_t *out_len,
                           apr_pool_t *pool);

/* The step that sb_escape_html() is made of, for callers with a buffer of their own: of len > 0 bytes
 * at text, *plain may be copied as they are and then *replacement (NULL at the end) put down.
 * Returns how many bytes both stand for, at least 1. */
apr_size_t sb_escape_html_step(const char *text, apr_size_t len, apr_size_t *plain,
                               const char **replacement);

/* For one component of a URL's query or path: everything but RFC 3986's unreserved characters becomes
 * %XX. */
const char *sb_escape_url(const char *text, apr_pool_t *pool);

#endif
