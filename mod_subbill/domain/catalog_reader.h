/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CATALOG_READER_H
#define SB_DOMAIN_CATALOG_READER_H

#include "base/result.h"

#include <jansson.h>
#include <stdbool.h>

/* Typed reading of configuration JSON with errors that name the path. Every function returns true
 * when the value is fine, also when it is missing and may be (then *out keeps what it held);
 * false after the first error, which is in reader->result. Texts are copied into reader->pool. */

typedef struct sb_reader_t {
    apr_pool_t *pool;
    sb_result_t *result;
    const char *code; /* of errors, e.g. "bad_catalog" */
} sb_reader_t;

/* "<path>: <sentence>" with a hint or NULL; always false. */
bool sb_reader_fail(const sb_reader_t *reader, const char *path, const char *hint,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What a value is, for the end of such a sentence: "found the text \"2.99\"". */
const char *sb_reader_found(const sb_reader_t *reader, const json_t *value);

/* path.key or path[index]; "" is the top. */
const char *sb_reader_path(const sb_reader_t *reader, const char *path, const char *key);
const char *sb_reader_item(const sb_reader_t *reader, const char *path, size_t index);

/* value is an object that holds no key but these (ending with NULL); names the nearest else. */
bool sb_reader_object(const sb_reader_t *reader, const char *path, const json_t *value,
                      const char *const keys[]);

bool sb_reader_bool(const sb_reader_t *reader, const char *path, const json_t *object,
                    const char *key, bool *out);

/* An integer in min…max; meaning ends "must be …". */
bool sb_reader_int(const sb_reader_t *reader, const char *path, const json_t *object,
                   const char *key, const char *meaning, apr_int64_t min, apr_int64_t max,
                   apr_int64_t *out);

/* One of words (ending with NULL). */
bool sb_reader_choice(const sb_reader_t *reader, const char *path, const json_t *object,
                      const char *key, const char *const words[], const char **out);

/* A printable text of 1…max bytes: no control or bidirectional characters, not blank. */
bool sb_reader_string(const sb_reader_t *reader, const char *path, const json_t *value,
                      apr_size_t max, const char **out);

/* An array; *out NULL when missing. At most max entries. */
bool sb_reader_array(const sb_reader_t *reader, const char *path, const json_t *object,
                     const char *key, size_t max, const json_t **out);

/* [a-z0-9] and then [a-z0-9_-] and extra, at most 64 bytes. */
bool sb_reader_key_valid(const char *text, const char *extra);

/* The nearest of words (ending with NULL) within two edits, or NULL. */
const char *sb_reader_nearest(const char *word, const char *const words[]);

#endif
