/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_FORM_H
#define SB_BASE_FORM_H

#include "base/result.h"

#include <apr_pools.h>
#include <stdbool.h>

/* A list of name/value pairs as application/x-www-form-urlencoded (WHATWG URL, section
 * 5): what Stripe's API takes, what browsers post, what stands behind the "?". Names
 * and values are held decoded, in order, copied into the form's pool. */
typedef struct sb_form_t sb_form_t;

#define SB_FORM_PAIRS_MAX 64 /* a sensible max_pairs for what browsers send */

sb_form_t *sb_form_create(apr_pool_t *pool);

/* Appends one pair. value NULL: nothing is added, so that optional parameters need no
 * branch; "" is added and tells Stripe to unset. Nested names are written out,
 * "metadata[subbill_user]". */
void sb_form_add(sb_form_t *form, const char *name, const char *value);
void sb_form_add_int(sb_form_t *form, const char *name, apr_int64_t value);
void sb_form_add_bool(sb_form_t *form, const char *name, bool value);

/* "name=value&…" in pool: UTF-8, everything but A-Z a-z 0-9 - . _ ~ percent-encoded
 * exactly once (so brackets and {CHECKOUT_SESSION_ID} too), "" for an empty form. */
const char *sb_form_encode(const sb_form_t *form, apr_pool_t *pool);

/* value percent-encoded in the same way, for one query value of an address. */
const char *sb_form_escape(const char *value, apr_pool_t *pool);

/* Decodes a body or query string of exactly length bytes into a new form in pool. "+"
 * is a space. Refused with SB_INVALID: a broken percent sign ("bad_encoding"), NUL or
 * invalid UTF-8 after decoding ("bad_encoding"), a pair without a name or more than
 * max_pairs ("bad_form"). An empty pair ("a=1&&b=2") is skipped, a pair without "=" has
 * the value "". How many bytes may come is the caller's cap. */
sb_status_e sb_form_parse(sb_form_t **form, sb_result_t *result, const char *bytes,
                          apr_size_t length, int max_pairs, apr_pool_t *pool);

/* The value of name, borrowed from the form; *value is NULL when the name is absent,
 * which is SB_OK. A name that occurs twice is SB_INVALID "duplicate_field": two readers
 * of one request must not see different values (T10). */
sb_status_e sb_form_get(const char **value, sb_result_t *result, const sb_form_t *form,
                        const char *name);

/* How many pairs there are, and the name and value of pair i, 0 <= i < count. */
int sb_form_count(const sb_form_t *form);
const char *sb_form_name_at(const sb_form_t *form, int i);
const char *sb_form_value_at(const sb_form_t *form, int i);

#endif
