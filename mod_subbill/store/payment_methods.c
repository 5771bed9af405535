/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/payment_methods.h"

#include "sb_statements.h"
#include "store/turns.h"

apr_status_t sb_payment_method_lock(sb_payment_method_t **method, sb_conn_t *conn,
                                    const char *id, bool livemode, apr_pool_t *pool)
{
    const sb_row_payment_method_t *row;
    int n;
    apr_status_t rv = sb_sql_payment_method_lock(&row, &n, conn, id, livemode, pool);

    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_payment_method_lock(&row, &n, conn, id, livemode, pool);
        }
    }
    *method = NULL;
    if (rv || !n) {
        return rv;
    }
    *method = apr_palloc(pool, sizeof(**method));
    **method = (sb_payment_method_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .customer = row->customer,
        .type = row->type,
        .brand = row->brand,
        .last4 = row->last4,
        .exp_month = row->exp_month,
        .exp_year = row->exp_year,
        .created_at = row->created_at,
        .detached_at = row->detached_at,
        .told_at = row->told_at,
        .source = row->source,
    };
    return APR_SUCCESS;
}

apr_status_t sb_payment_method_save(sb_conn_t *conn, const sb_payment_method_t *method,
                                    apr_pool_t *pool)
{
    return sb_sql_payment_method_save(
        NULL, conn, method->id, method->livemode, method->customer, method->type,
        method->brand, method->last4, method->exp_month, method->exp_year,
        method->created_at, method->detached_at, method->told_at, method->source, pool);
}
