/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PAYMENTS_H
#define SB_STORE_PAYMENTS_H

#include "domain/payment.h"
#include "store/db.h"

/* Money that moved or failed to, what was given back, and which invoice it was for. What kinds of rows there
 * are and which of them are added up is said in domain/payment.h, and so are the rules by which
 * statements become a row: these functions store what they are given. */

/* For a decision that a save will follow: the row, or the place of a row that does not exist yet, is
 * locked until the transaction ends. */
apr_status_t sb_payment_lock(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool);

/* Inserts or replaces; a NULL user, customer or invoice keeps the stored one. */
apr_status_t sb_payment_save(sb_conn_t *conn, const sb_payment_t *payment,
                             apr_pool_t *pool);

apr_status_t sb_payment_get(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);

/* --- refunds ------------------------------------------------------------------------------------- */

apr_status_t sb_refund_lock(sb_refund_t **refund, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);
apr_status_t sb_refund_save(sb_conn_t *conn, const sb_refund_t *refund, apr_pool_t *pool);

/* All refunds of a payment. */
apr_status_t sb_refund_list(sb_refund_t **refunds, int *n, sb_conn_t *conn,
                            const char *payment, bool livemode, apr_pool_t *pool);

/* --- which invoice ------------------------------------------------------------------------------- */

/* Notes that invoice was paid with payment. id: that of Stripe's invoice payment, or NULL. *made: it was
 * news. */
apr_status_t sb_invoice_payment_note(bool *made, sb_conn_t *conn, const char *invoice,
                                     const char *payment, bool livemode, const char *id,
                                     const char *source, apr_pool_t *pool);

#endif
