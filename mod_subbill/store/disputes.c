/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/disputes.h"

#include "sb_statements.h"
#include "store/turns.h"

static sb_dispute_t from_row(const sb_row_dispute_t *row)
{
    return (sb_dispute_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .payment = row->payment,
        .charge = row->charge,
        .currency = row->currency,
        .amount = row->amount,
        .status = row->status,
        .reason = row->reason,
        .created_at = row->created_at,
        .told_at = row->told_at,
        .source = row->source,
    };
}

static sb_dispute_t *from_rows(const sb_row_dispute_t *rows, int n, apr_pool_t *pool)
{
    sb_dispute_t *disputes =
        n ? apr_palloc(pool, sizeof(*disputes) * (apr_size_t)n) : NULL;

    for (int i = 0; i < n; i++) {
        disputes[i] = from_row(&rows[i]);
    }
    return disputes;
}

apr_status_t sb_dispute_lock(sb_dispute_t **dispute, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_t *rows;
    int n;
    apr_status_t rv = sb_sql_dispute_lock(&rows, &n, conn, id, livemode, pool);

    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_dispute_lock(&rows, &n, conn, id, livemode, pool);
        }
    }
    *dispute = rv ? NULL : from_rows(rows, n, pool);
    return rv;
}

apr_status_t sb_dispute_get(sb_dispute_t **dispute, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_t *rows;
    int n;
    apr_status_t rv = sb_sql_dispute_by_id(&rows, &n, conn, id, livemode, pool);

    *dispute = rv ? NULL : from_rows(rows, n, pool);
    return rv;
}

apr_status_t sb_dispute_save(sb_conn_t *conn, const sb_dispute_t *dispute,
                             apr_pool_t *pool)
{
    return sb_sql_dispute_save(
        NULL, conn, dispute->id, dispute->livemode, dispute->payment, dispute->charge,
        dispute->currency, dispute->amount, dispute->status, dispute->reason,
        dispute->created_at, dispute->told_at, dispute->source, pool);
}

apr_status_t sb_dispute_open(sb_dispute_t **disputes, int *n, sb_conn_t *conn,
                             bool livemode, const char *after, int limit,
                             apr_pool_t *pool)
{
    const sb_row_dispute_t *rows;
    apr_status_t rv = sb_sql_dispute_open(&rows, n, conn, livemode, after, limit, pool);

    *disputes = rv ? NULL : from_rows(rows, *n, pool);
    return rv;
}

apr_status_t sb_dispute_list(sb_dispute_t **disputes, int *n, sb_conn_t *conn,
                             const char *payment, bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_t *rows;
    apr_status_t rv = sb_sql_dispute_by_payment(&rows, n, conn, payment, livemode, pool);

    *disputes = rv ? NULL : from_rows(rows, *n, pool);
    return rv;
}

apr_status_t sb_dispute_payments(const char *const **payments, int *n, sb_conn_t *conn,
                                 const char *invoice, bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_by_invoice_t *rows;
    apr_status_t rv = sb_sql_dispute_by_invoice(&rows, n, conn, invoice, livemode, pool);

    *payments = NULL;
    if (rv || !*n) {
        return rv;
    }
    const char **out = apr_palloc(pool, sizeof(*out) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        out[i] = rows[i].payment;
    }
    *payments = out;
    return APR_SUCCESS;
}

apr_status_t sb_dispute_chain(sb_dispute_chain_t **chain, int *n, sb_conn_t *conn,
                              const char *payment, bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_chain_t *rows;
    apr_status_t rv = sb_sql_dispute_chain(&rows, n, conn, payment, livemode, pool);

    *chain = NULL;
    if (rv || !*n) {
        return rv;
    }
    *chain = apr_palloc(pool, sizeof(**chain) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        (*chain)[i] = (sb_dispute_chain_t){
            .invoice = rows[i].invoice,
            .known = rows[i].known != 0,
            .subscription = rows[i].subscription,
            .held = rows[i].held != 0,
        };
    }
    return APR_SUCCESS;
}

apr_status_t sb_dispute_count(int *count, sb_conn_t *conn, const char *subscription,
                              bool livemode, apr_pool_t *pool)
{
    const sb_row_dispute_count_t *rows;
    int n;
    apr_status_t rv = sb_sql_dispute_count(&rows, &n, conn, subscription, livemode, pool);

    *count = rv || !n ? 0 : (int)rows->n;
    return rv;
}
