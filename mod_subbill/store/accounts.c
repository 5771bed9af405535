/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/accounts.h"

#include "sb_statements.h"

apr_status_t sb_account_get(sb_account_t **account, sb_conn_t *conn, const char *user,
                            apr_pool_t *pool)
{
    const sb_row_account_by_user_t *rows;
    int n;

    *account = NULL;
    apr_status_t rv = sb_sql_account_by_user(&rows, &n, conn, user, pool);
    if (rv || !n) {
        return rv;
    }
    *account = apr_palloc(pool, sizeof(**account));
    **account = (sb_account_t){
        .user = rows[0].user, .email = rows[0].email, .created_at = rows[0].created_at};
    return APR_SUCCESS;
}

apr_status_t sb_account_ensure(sb_conn_t *conn, const char *user, const char *email,
                               apr_int64_t now, apr_pool_t *pool)
{
    return sb_sql_account_ensure(NULL, conn, user, email, now, pool);
}
