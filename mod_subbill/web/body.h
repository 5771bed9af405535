/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_BODY_H
#define SB_WEB_BODY_H

#include <httpd.h>

/* Reads the whole request body, at most cap bytes, into *bytes (r->pool, followed by a NUL that does
 * not count). Returns OK, or the HTTP status that fits: 413 above the cap, 408 when the client
 * was too slow, 400 for a broken one. The bytes are what arrived after transfer decoding, nothing
 * else is done to them. */
int sb_body_read(const char **bytes, apr_size_t *length, request_rec *r, apr_size_t cap);

#endif
