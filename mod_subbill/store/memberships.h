/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_MEMBERSHIPS_H
#define SB_STORE_MEMBERSHIPS_H

#include "store/db.h"

/* Free plans: who has which, since when. They open nothing by themselves: a default plan is held by
 * everybody who is logged in, and this is the record of it. */

typedef struct sb_membership_t {
    const char *plan; /* key */
    apr_int64_t since;
} sb_membership_t;

apr_status_t sb_membership_list(sb_membership_t **memberships, int *n, sb_conn_t *conn,
                                const char *user, apr_pool_t *pool);

/* The first since stays. */
apr_status_t sb_membership_add(sb_conn_t *conn, const char *user, const char *plan,
                               apr_int64_t since, apr_pool_t *pool);

#endif
