/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PAYMENTS_H
#define SB_STORE_PAYMENTS_H

#include <stdbool.h>

#include "store/db.h"

/* Money that moved or failed to: one row per payment intent, or per invoice that was paid without
 * one being named. */

typedef struct sb_payment_t {
    const char *id; /* pi_…, or in_… when the event names no payment intent */
    bool livemode;
    const char *kind;     /* "invoice", "checkout" */
    const char *user;     /* or NULL */
    const char *customer; /* or NULL */
    const char *invoice;  /* or NULL */
    const char *currency;
    apr_int64_t amount;
    const char *status; /* succeeded, failed, processing */
    apr_int64_t created_at;
    const char *source;
} sb_payment_t;

/* Inserts or updates; succeeded is final. */
apr_status_t sb_payment_save(sb_conn_t *conn, const sb_payment_t *payment,
                             apr_pool_t *pool);

apr_status_t sb_payment_get(sb_payment_t **payment, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);

#endif
