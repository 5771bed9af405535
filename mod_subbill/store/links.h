/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_LINKS_H
#define SB_STORE_LINKS_H

#include <stdbool.h>

#include "store/db.h"

/* What happened between a user and its customers, kept for ever in link_audit. store/customers.h
 * writes the bindings; here is the rest. */

/* The number of rows: it grows with every binding, release, refusal and failed creation, so it tells
 * one life of a user as a customer from the next. */
apr_status_t sb_link_history_length(apr_int64_t *n, sb_conn_t *conn, const char *user,
                                    bool livemode, apr_pool_t *pool);

/* One row more; what: at most 60 bytes. */
apr_status_t sb_link_history_add(sb_conn_t *conn, const char *user, bool livemode,
                                 const char *what, const char *who, apr_int64_t now,
                                 apr_pool_t *pool);

#endif
