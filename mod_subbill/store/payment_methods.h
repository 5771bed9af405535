/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PAYMENT_METHODS_H
#define SB_STORE_PAYMENT_METHODS_H

#include <stdbool.h>

#include "store/db.h"

/* What customers pay with: the little that is fit to be shown, never a number. Which one is the default
 * stands in the customer's row. */

typedef struct sb_payment_method_t {
    const char *id;
    bool livemode;
    const char *customer; /* or NULL */
    const char *type;     /* card, sepa_debit, … */
    const char *brand;    /* of cards, or NULL */
    const char *last4;    /* or NULL */
    apr_int64_t exp_month, exp_year;
    apr_int64_t created_at;
    apr_int64_t detached_at; /* cannot be used any more; 0: it can */
    apr_int64_t told_at;
    const char *source;
} sb_payment_method_t;

apr_status_t sb_payment_method_lock(sb_payment_method_t **method, sb_conn_t *conn,
                                    const char *id, bool livemode, apr_pool_t *pool);

/* Inserts or replaces; a NULL customer keeps the stored one. */
apr_status_t sb_payment_method_save(sb_conn_t *conn, const sb_payment_method_t *method,
                                    apr_pool_t *pool);

#endif
