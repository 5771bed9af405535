/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/memberships.h"

#include "sb_statements.h"

apr_status_t sb_membership_list(sb_membership_t **memberships, int *n, sb_conn_t *conn,
                                const char *user, apr_pool_t *pool)
{
    const sb_row_membership_by_user_t *rows;
    apr_status_t rv = sb_sql_membership_by_user(&rows, n, conn, user, pool);

    *memberships = NULL;
    if (rv) {
        *n = 0;
        return rv;
    }
    sb_membership_t *list = apr_pcalloc(pool, sizeof(*list) * ((apr_size_t)*n + 1));
    for (int i = 0; i < *n; i++) {
        list[i] = (sb_membership_t){.plan = rows[i].plan, .since = rows[i].since};
    }
    *memberships = list;
    return APR_SUCCESS;
}

apr_status_t sb_membership_add(sb_conn_t *conn, const char *user, const char *plan,
                               apr_int64_t since, apr_pool_t *pool)
{
    return sb_sql_membership_insert(NULL, conn, user, plan, since, pool);
}
