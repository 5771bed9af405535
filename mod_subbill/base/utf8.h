/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_UTF8_H
#define SB_BASE_UTF8_H

#include <apr_pools.h>

#include <stdbool.h>

/* Length in bytes of the UTF-8 sequence that starts at bytes (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF), reading at most left bytes; 0 when there is none. *point,
 * when not NULL, becomes its code point. */
apr_size_t sb_utf8_sequence(apr_uint32_t *point, const char *bytes, apr_size_t left);

/* Whether all length bytes are such sequences. */
bool sb_utf8_valid(const char *bytes, apr_size_t length);

/* text itself when it is no longer than max bytes, else its beginning in pool, cut where a character
 * ends. NULL stays NULL. */
const char *sb_utf8_cut(const char *text, apr_size_t max, apr_pool_t *pool);

#endif
