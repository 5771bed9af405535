/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/payments.h"

#include "sb_statements.h"
#include "store/turns.h"

static sb_payment_t *from_row(const sb_row_payment_t *row, apr_pool_t *pool)
{
    sb_payment_t *payment = apr_palloc(pool, sizeof(*payment));

    *payment = (sb_payment_t){
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
        .charge = row->charge,
        .refunded = row->refunded,
        .failure_code = row->failure_code,
        .failure_message = row->failure_message,
        .told_at = row->told_at,
        .intent_at = row->intent_at,
        .charge_at = row->charge_at,
        .charge_refunded = row->charge_refunded,
    };
    return payment;
}

apr_status_t sb_payment_lock(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool)
{
    const sb_row_payment_t *rows;
    int n;
    apr_status_t rv = sb_sql_payment_lock(&rows, &n, conn, id, livemode, pool);

    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_payment_lock(&rows, &n, conn, id, livemode, pool);
        }
    }
    *payment = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

apr_status_t sb_payment_save(sb_conn_t *conn, const sb_payment_t *payment,
                             apr_pool_t *pool)
{
    return sb_sql_payment_save(
        NULL, conn, payment->id, payment->livemode, payment->kind, payment->user,
        payment->customer, payment->invoice, payment->currency, payment->amount,
        payment->status, payment->created_at, payment->source, payment->charge,
        payment->refunded, payment->failure_code, payment->failure_message,
        payment->told_at, payment->intent_at, payment->charge_at,
        payment->charge_refunded, pool);
}

apr_status_t sb_payment_get(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_payment_t *rows;
    int n;
    apr_status_t rv = sb_sql_payment_by_id(&rows, &n, conn, id, livemode, pool);

    *payment = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

/* --- refunds ------------------------------------------------------------------------------------- */

static sb_refund_t refund_from_row(const sb_row_refund_t *row)
{
    return (sb_refund_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .payment = row->payment,
        .charge = row->charge,
        .currency = row->currency,
        .amount = row->amount,
        .status = row->status,
        .reason = row->reason,
        .failure_reason = row->failure_reason,
        .created_at = row->created_at,
        .told_at = row->told_at,
        .source = row->source,
    };
}

apr_status_t sb_refund_lock(sb_refund_t **refund, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_refund_t *rows;
    int n;
    apr_status_t rv = sb_sql_refund_lock(&rows, &n, conn, id, livemode, pool);

    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_refund_lock(&rows, &n, conn, id, livemode, pool);
        }
    }
    *refund = NULL;
    if (!rv && n) {
        *refund = apr_palloc(pool, sizeof(**refund));
        **refund = refund_from_row(rows);
    }
    return rv;
}

apr_status_t sb_refund_save(sb_conn_t *conn, const sb_refund_t *refund, apr_pool_t *pool)
{
    return sb_sql_refund_save(NULL, conn, refund->id, refund->livemode, refund->payment,
                              refund->charge, refund->currency, refund->amount,
                              refund->status, refund->reason, refund->failure_reason,
                              refund->created_at, refund->told_at, refund->source, pool);
}

apr_status_t sb_refund_list(sb_refund_t **refunds, int *n, sb_conn_t *conn,
                            const char *payment, bool livemode, apr_pool_t *pool)
{
    const sb_row_refund_t *rows;
    apr_status_t rv = sb_sql_refund_by_payment(&rows, n, conn, payment, livemode, pool);

    *refunds = NULL;
    if (rv || !*n) {
        return rv;
    }
    *refunds = apr_palloc(pool, sizeof(**refunds) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        (*refunds)[i] = refund_from_row(&rows[i]);
    }
    return APR_SUCCESS;
}

/* --- which invoice ------------------------------------------------------------------------------- */

apr_status_t sb_invoice_payment_note(bool *made, sb_conn_t *conn, const char *invoice,
                                     const char *payment, bool livemode, const char *id,
                                     const char *source, apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv = sb_sql_invoice_payment_insert(&affected, conn, invoice, payment,
                                                    livemode, id, source, pool);

    *made = affected > 0;
    if (!rv && !*made && id) {
        rv =
            sb_sql_invoice_payment_name(NULL, conn, invoice, payment, livemode, id, pool);
    }
    return rv;
}
