/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_DSN_H
#define SB_STORE_DSN_H

#include "store/db.h"

/* Where a database is: the directive's words, made safe for the driver. */
typedef struct sb_dsn_t {
    sb_dialect_e dialect;
    const char *driver;       /* apr_dbd's name */
    const char *params;       /* for apr_dbd_open_ex(), with our time limits added */
    const char *path;         /* SQLite's file, else NULL */
    const char *password;     /* as it may show up in a message, or NULL */
    const char *password_raw; /* the same before decoding, or NULL */
} sb_dsn_t;

/* Fails with SB_INVALID and code "bad_database". Strings live in pool. */
sb_status_e sb_dsn_parse(sb_dsn_t *dsn, sb_result_t *result, const char *driver,
                         const char *params, apr_pool_t *pool);

/* A copy whose strings live in pool. */
void sb_dsn_copy(sb_dsn_t *copy, const sb_dsn_t *dsn, apr_pool_t *pool);

/* A driver's message, fit for the log: one line, without the password. In pool. */
const char *sb_dsn_redact(const sb_dsn_t *dsn, const char *message, apr_pool_t *pool);

#endif
