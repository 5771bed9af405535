/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_JSON_H
#define SB_BASE_JSON_H

#include <apr_pools.h>
#include <jansson.h>
#include <stdbool.h>

/* Reading JSON that strangers sent. A path is keys joined by dots ("data.object.id"); a number
 * steps into an array ("items.data.0.price"). Every getter takes NULL as a value that holds
 * nothing, so that lookups chain without checks. Texts are borrowed: they live as long as the
 * value they were read from. */

#define SB_JSON_DEPTH 64 /* what webhooks and Stripe's answers may nest (T34) */

/* Parses exactly length bytes, which must be one object or array: duplicate keys, NUL bytes
 * (raw or \u0000), invalid UTF-8, integers beyond 64 bits and anything nested deeper than
 * max_depth are refused. How many bytes may come is the caller's cap. On success *json is a new
 * reference; else false, *json is NULL and error (size bytes, may be NULL with size 0) holds a
 * sentence without bytes of the input. */
bool sb_json_parse(json_t **json, char *error, apr_size_t size, const char *bytes,
                   apr_size_t length, int max_depth);

/* The value at path, borrowed; NULL when a step is missing. A JSON null is returned as such. */
json_t *sb_json_get(const json_t *json, const char *path);

/* The text at path; NULL when missing or not a string. path NULL: json itself. */
const char *sb_json_text(const json_t *json, const char *path);

/* The integer at path; fallback when missing or not an integer (a real is none). */
apr_int64_t sb_json_int(const json_t *json, const char *path, apr_int64_t fallback);

/* The boolean at path; fallback when missing or not a boolean. */
bool sb_json_bool(const json_t *json, const char *path, bool fallback);

/* The id in an expandable field of Stripe's: the text itself, or the "id" of the object that was
 * expanded in its place; NULL for anything else. */
const char *sb_json_id(const json_t *value);

/* Compact text of json (any value) in pool, keys in their order; NULL only out of memory. */
const char *sb_json_dump(const json_t *json, apr_pool_t *pool);

#endif
