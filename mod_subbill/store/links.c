/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/links.h"

#include "base/crypto.h"
#include "sb_statements.h"

apr_status_t sb_link_history_length(apr_int64_t *n, sb_conn_t *conn, const char *user,
                                    bool livemode, apr_pool_t *pool)
{
    const sb_row_link_history_length_t *rows;
    int rows_n;
    apr_status_t rv =
        sb_sql_link_history_length(&rows, &rows_n, conn, user, livemode, pool);

    *n = rv || !rows_n ? 0 : rows[0].n;
    return rv;
}

apr_status_t sb_link_history_add(sb_conn_t *conn, const char *user, bool livemode,
                                 const char *what, const char *who, apr_int64_t now,
                                 apr_pool_t *pool)
{
    const char *id = sb_random_hex(16, pool);

    return id ? sb_sql_link_audit_insert(NULL, conn, id, user, NULL, livemode, what, who,
                                         now, pool)
              : APR_EGENERAL;
}
