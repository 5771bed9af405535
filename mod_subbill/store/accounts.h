/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_ACCOUNTS_H
#define SB_STORE_ACCOUNTS_H

#include <stdbool.h>

#include "store/db.h"

/* Everywhere in store/: functions take the connection of the running work; what they give back lives
 * in pool; no such row is APR_SUCCESS with *out = NULL; an error is SB_DB_FAILED. Texts may be
 * NULL where said, times are Unix seconds with 0 for "none". User names are exact bytes. */

typedef struct sb_account_t {
    const char *user;
    const char *email; /* or NULL */
    apr_int64_t created_at;
} sb_account_t;

apr_status_t sb_account_get(sb_account_t **account, sb_conn_t *conn, const char *user,
                            apr_pool_t *pool);

/* Makes the row when there is none; a non-NULL email replaces the stored one. */
apr_status_t sb_account_ensure(sb_conn_t *conn, const char *user, const char *email,
                               apr_int64_t now, apr_pool_t *pool);

#endif
