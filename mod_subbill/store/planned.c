/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/planned.h"

#include "sb_statements.h"

apr_status_t sb_planned_save(sb_conn_t *conn, const sb_planned_t *planned,
                             apr_pool_t *pool)
{
    return sb_sql_planned_save(NULL, conn, planned->subscription, planned->livemode,
                               planned->schedule, planned->plan, planned->price,
                               planned->quantity, planned->effective_at, planned->told_at,
                               pool);
}

apr_status_t sb_planned_end(sb_conn_t *conn, const char *schedule, bool livemode,
                            apr_pool_t *pool)
{
    return sb_sql_planned_end(NULL, conn, schedule, livemode, pool);
}

apr_status_t sb_planned_list(sb_planned_t **planned, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_planned_by_user_t *rows;
    apr_status_t rv = sb_sql_planned_by_user(&rows, n, conn, user, livemode, pool);

    *planned = NULL;
    if (rv) {
        *n = 0;
        return rv;
    }
    sb_planned_t *list = apr_pcalloc(pool, sizeof(*list) * ((apr_size_t)*n + 1));
    for (int i = 0; i < *n; i++) {
        list[i] = (sb_planned_t){
            .subscription = rows[i].subscription,
            .livemode = livemode,
            .schedule = rows[i].schedule,
            .plan = rows[i].plan,
            .price = rows[i].price,
            .quantity = rows[i].quantity,
            .effective_at = rows[i].effective_at,
        };
    }
    *planned = list;
    return APR_SUCCESS;
}
