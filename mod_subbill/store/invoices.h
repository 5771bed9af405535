/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_INVOICES_H
#define SB_STORE_INVOICES_H

#include <stdbool.h>

#include "store/db.h"

/* Invoices as Stripe last told them. An older telling never replaces a newer one. */

typedef struct sb_invoice_t {
    const char *id;
    bool livemode;
    const char *customer;
    const char *subscription; /* or NULL */
    const char *user;         /* or NULL: customer not bound yet; a stored user is kept */
    const char *status;       /* draft, open, paid, uncollectible, void */
    const char *currency;
    apr_int64_t amount_due, amount_paid;
    const char *hosted_url, *pdf_url; /* or NULL */
    const char *number;               /* or NULL while a draft */
    const char *billing_reason;
    apr_int64_t created_at, paid_at, period_start, period_end;
    int attempt_count;
    apr_int64_t next_payment_attempt;
    apr_int64_t event_created; /* of the event that told it */
    const char *source;
} sb_invoice_t;

/* Inserts, or replaces what was told before invoice->event_created; at the same second what is further on its
 * way (draft, open, uncollectible, void, paid; then by attempts) stays. *saved tells, *first that there was
 * no row yet; both may be NULL. */
apr_status_t sb_invoice_save(bool *first, bool *saved, sb_conn_t *conn,
                             const sb_invoice_t *invoice, apr_pool_t *pool);

apr_status_t sb_invoice_get(sb_invoice_t **invoice, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);

/* Newest first, drafts left out. */
apr_status_t sb_invoice_list(sb_invoice_t **invoices, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, int limit,
                             apr_pool_t *pool);

/* The user's invoices that wait for money, open and tried at least once; newest first. */
apr_status_t sb_invoice_unpaid(sb_invoice_t **invoices, int *n, sb_conn_t *conn,
                               const char *user, bool livemode, int limit,
                               apr_pool_t *pool);

#endif
