/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_SECRET_H
#define SB_BASE_SECRET_H

#include <apr_pools.h>

/* Where a secret comes from; configuration holds sources, never the secret itself (A20, C26, T37):
 *
 *   file:PATH        the whole file, one final newline removed
 *   file:PATH#NAME   NAME=value in a dotenv file (comments, quotes and `export` understood)
 *   env:NAME         the environment of the starting process
 *   exec:PATH ARGS   the first line that the program prints within SB_SECRET_EXEC_SECONDS */

#define SB_SECRET_EXEC_SECONDS 10

/* A sentence that says what is wrong with the form of source, or NULL. Text that looks like a
 * secret itself (sk_…, rk_…, whsec_…) is refused and never repeated in the sentence. */
const char *sb_secret_source_check(const char *source, apr_pool_t *pool);

/* Reads the secret into *value (pool; at most 8 KiB). Relative paths are taken below root. Returns
 * NULL or a sentence with the cure; the sentence names the source and never its content. Blank
 * secrets, white space and control bytes inside one are errors (T02). */
const char *sb_secret_read(const char **value, const char *source, const char *root,
                           apr_pool_t *pool);

/* A sentence with the cure when the file of a file: source is open to more than its owner (T37), else
 * NULL. The secret can be used all the same: worth a warning, not an error. */
const char *sb_secret_exposure(const char *source, const char *root, apr_pool_t *pool);

#endif
