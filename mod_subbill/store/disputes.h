/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_DISPUTES_H
#define SB_STORE_DISPUTES_H

#include "domain/payment.h"
#include "store/db.h"

/* Disputed payments, and what they paid for: dispute -> payment -> invoice -> subscription, as far as it is
 * known. */

apr_status_t sb_dispute_lock(sb_dispute_t **dispute, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool);
apr_status_t sb_dispute_get(sb_dispute_t **dispute, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);
apr_status_t sb_dispute_save(sb_conn_t *conn, const sb_dispute_t *dispute,
                             apr_pool_t *pool);

/* All disputes about a payment. */
apr_status_t sb_dispute_list(sb_dispute_t **disputes, int *n, sb_conn_t *conn,
                             const char *payment, bool livemode, apr_pool_t *pool);

/* At most limit disputes under way whose ids come after this one ("": from the first on), by id. */
apr_status_t sb_dispute_open(sb_dispute_t **disputes, int *n, sb_conn_t *conn,
                             bool livemode, const char *after, int limit,
                             apr_pool_t *pool);

/* The disputed payments that an invoice was paid with. */
apr_status_t sb_dispute_payments(const char *const **payments, int *n, sb_conn_t *conn,
                                 const char *invoice, bool livemode, apr_pool_t *pool);

/* What a payment paid for. */
typedef struct sb_dispute_chain_t {
    const char *invoice;
    bool known;               /* the invoice has a row */
    const char *subscription; /* NULL: of none, or not known */
    bool held;                /* the subscription has a row */
} sb_dispute_chain_t;
apr_status_t sb_dispute_chain(sb_dispute_chain_t **chain, int *n, sb_conn_t *conn,
                              const char *payment, bool livemode, apr_pool_t *pool);

/* How many disputes close this subscription. */
apr_status_t sb_dispute_count(int *count, sb_conn_t *conn, const char *subscription,
                              bool livemode, apr_pool_t *pool);

#endif
