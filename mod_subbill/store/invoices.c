/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/invoices.h"

#include "sb_statements.h"
#include "store/turns.h"

#include <string.h>

static sb_invoice_t from_row(const sb_row_invoice_t *row)
{
    return (sb_invoice_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .customer = row->customer,
        .subscription = row->subscription,
        .user = row->user,
        .status = row->status,
        .currency = row->currency,
        .amount_due = row->amount_due,
        .amount_paid = row->amount_paid,
        .hosted_url = row->hosted_url,
        .pdf_url = row->pdf_url,
        .number = row->number,
        .billing_reason = row->billing_reason,
        .created_at = row->created_at,
        .paid_at = row->paid_at,
        .period_start = row->period_start,
        .period_end = row->period_end,
        .attempt_count = (int)row->attempt_count,
        .next_payment_attempt = row->next_payment_attempt,
        .event_created = row->event_created,
        .source = row->source,
    };
}

/* How far on its way an invoice is. */
static int progress(const char *status)
{
    static const char *const words[] = {"draft", "open", "uncollectible", "void", "paid"};

    for (int i = 0; status && i < (int)(sizeof(words) / sizeof(*words)); i++) {
        if (!strcmp(status, words[i])) {
            return i;
        }
    }
    return -1;
}

/* invoice.paid and an older invoice.payment_failed often carry the same second. */
static bool replaces(const sb_invoice_t *invoice, const sb_row_invoice_told_t *stored)
{
    if (invoice->event_created != stored->event_created) {
        return invoice->event_created > stored->event_created;
    }
    int stored_at = progress(stored->status), at = progress(invoice->status);
    return at != stored_at ? at > stored_at
                           : invoice->attempt_count >= stored->attempt_count;
}

apr_status_t sb_invoice_save(bool *first, bool *saved, sb_conn_t *conn,
                             const sb_invoice_t *invoice, apr_pool_t *pool)
{
    const sb_row_invoice_told_t *stored;
    int n;

    if (saved) {
        *saved = false;
    }
    if (first) {
        *first = false;
    }
    apr_status_t rv =
        sb_sql_invoice_told(&stored, &n, conn, invoice->id, invoice->livemode, pool);
    if (!rv && !n) {
        rv = sb_turn_take(conn, invoice->id, pool);
        if (!rv) {
            rv = sb_sql_invoice_told(&stored, &n, conn, invoice->id, invoice->livemode,
                                     pool);
        }
    }
    if (rv || (n && !replaces(invoice, stored))) {
        return rv;
    }
    rv = sb_sql_invoice_save(
        NULL, conn, invoice->id, invoice->livemode, invoice->customer,
        invoice->subscription, invoice->user, invoice->status, invoice->currency,
        invoice->amount_due, invoice->amount_paid, invoice->hosted_url, invoice->pdf_url,
        invoice->number, invoice->billing_reason, invoice->created_at, invoice->paid_at,
        invoice->period_start, invoice->period_end, invoice->attempt_count,
        invoice->next_payment_attempt, invoice->event_created, invoice->source, pool);
    if (!rv && saved) {
        *saved = true;
    }
    if (!rv && first) {
        *first = n == 0;
    }
    return rv;
}

static void from_rows(sb_invoice_t **invoices, const sb_row_invoice_t *rows, int n,
                      apr_pool_t *pool)
{
    *invoices = n ? apr_palloc(pool, sizeof(**invoices) * (apr_size_t)n) : NULL;
    for (int i = 0; i < n; i++) {
        (*invoices)[i] = from_row(&rows[i]);
    }
}

apr_status_t sb_invoice_list(sb_invoice_t **invoices, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, int limit, apr_pool_t *pool)
{
    const sb_row_invoice_t *rows;
    apr_status_t rv = sb_sql_invoice_by_user(&rows, n, conn, user, livemode, limit, pool);

    from_rows(invoices, rows, rv ? 0 : *n, pool);
    return rv;
}

apr_status_t sb_invoice_unpaid(sb_invoice_t **invoices, int *n, sb_conn_t *conn,
                               const char *user, bool livemode, int limit,
                               apr_pool_t *pool)
{
    const sb_row_invoice_t *rows;
    apr_status_t rv = sb_sql_invoice_unpaid(&rows, n, conn, user, livemode, limit, pool);

    from_rows(invoices, rows, rv ? 0 : *n, pool);
    return rv;
}

apr_status_t sb_invoice_get(sb_invoice_t **invoice, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_invoice_t *rows;
    int n = 0;
    apr_status_t rv = sb_sql_invoice_by_id(&rows, &n, conn, id, livemode, pool);

    from_rows(invoice, rows, rv ? 0 : n, pool);
    return rv;
}
