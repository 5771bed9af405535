/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_SQLITE_FILE_H
#define SB_STORE_SQLITE_FILE_H

#include "store/migrate.h"

/* The file and folder of an SQLite database. Inside store/ only. */

/* Makes folder (0700) and file (0600) when they are missing. */
sb_status_e sb_sqlite_file_make(sb_result_t *result, const char *path,
                                const sb_migrate_options_t *options, apr_pool_t *pool);

/* Gives file, journal and shared memory to options->uid and gid; the folder as well when it holds
 * nothing else. A folder shared with others is left alone and reported when the owner of the file could
 * not write there. */
sb_status_e sb_sqlite_file_give(sb_result_t *result, const char *path,
                                const sb_migrate_options_t *options, apr_pool_t *pool);

#endif
