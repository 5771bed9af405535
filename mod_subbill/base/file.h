/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_FILE_H
#define SB_BASE_FILE_H

#include <apr_pools.h>

/* Reads a whole regular file of at most max bytes into *text (pool), with a NUL behind its *length
 * bytes; those may hold NULs of their own. length may be NULL. Returns NULL, or a sentence without
 * a final period that names the path and what is wrong: "/etc/x cannot be read (No such file …)",
 * "… is not a regular file", "… is larger than 64 KiB". */
const char *sb_file_read(const char **text, apr_size_t *length, const char *path,
                         apr_size_t max, apr_pool_t *pool);

#endif
