/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_SECRETS_H
#define SB_STORE_SECRETS_H

#include <stdbool.h>

#include "store/db.h"

/* Keys that the servers of one site share and nobody else knows, made by migrate. "token" signs CSRF
 * tokens. */

/* 64 lower-case hex digits, or NULL. */
apr_status_t sb_server_secret(const char **value, sb_conn_t *conn, const char *name,
                              apr_pool_t *pool);

#endif
