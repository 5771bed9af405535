/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/payments.h"

#include "sb_statements.h"

apr_status_t sb_payment_save(sb_conn_t *conn, const sb_payment_t *payment,
                             apr_pool_t *pool)
{
    return sb_sql_payment_save(NULL, conn, payment->id, payment->livemode, payment->kind,
                               payment->user, payment->customer, payment->invoice,
                               payment->currency, payment->amount, payment->status,
                               payment->created_at, payment->source, pool);
}

apr_status_t sb_payment_get(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_payment_t *row;
    int n;

    *payment = NULL;
    apr_status_t rv = sb_sql_payment_by_id(&row, &n, conn, id, livemode, pool);
    if (rv || !n) {
        return rv;
    }
    *payment = apr_palloc(pool, sizeof(**payment));
    **payment = (sb_payment_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .kind = row->kind,
        .user = row->user,
        .customer = row->customer,
        .invoice = row->invoice,
        .currency = row->currency,
        .amount = row->amount,
        .status = row->status,
        .created_at = row->created_at,
        .source = row->source,
    };
    return APR_SUCCESS;
}
