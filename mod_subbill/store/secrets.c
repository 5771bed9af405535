/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/secrets.h"

#include "sb_statements.h"

apr_status_t sb_server_secret(const char **value, sb_conn_t *conn, const char *name,
                              apr_pool_t *pool)
{
    const sb_row_secret_t *rows;
    int n;

    apr_status_t rv = sb_sql_server_secret_by_name(&rows, &n, conn, name, pool);
    *value = rv || !n ? NULL : rows[0].value;
    return rv;
}
