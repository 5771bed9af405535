/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_GOODS_H
#define SB_STORE_GOODS_H

#include <stdbool.h>

#include "store/db.h"

/* What users own beside subscriptions: things bought once, by their SKU, and units left, by their meter. */

typedef struct sb_purchase_t {
    const char *sku;
    bool owned; /* false: given back */
    apr_int64_t changed_at;
} sb_purchase_t;

typedef struct sb_balance_t {
    const char *meter;
    apr_int64_t units;
    apr_int64_t changed_at;
} sb_balance_t;

apr_status_t sb_purchase_owned(bool *owned, sb_conn_t *conn, const char *user,
                               const char *sku, bool livemode, apr_pool_t *pool);
apr_status_t sb_purchase_put(sb_conn_t *conn, const char *user,
                             const sb_purchase_t *purchase, bool livemode,
                             apr_pool_t *pool);
apr_status_t sb_purchase_list(sb_purchase_t **purchases, int *n, sb_conn_t *conn,
                              const char *user, bool livemode, apr_pool_t *pool);

/* *units: 0 where nothing was ever noted. */
apr_status_t sb_balance_units(apr_int64_t *units, sb_conn_t *conn, const char *user,
                              const char *meter, bool livemode, apr_pool_t *pool);
apr_status_t sb_balance_put(sb_conn_t *conn, const char *user,
                            const sb_balance_t *balance, bool livemode, apr_pool_t *pool);
apr_status_t sb_balance_list(sb_balance_t **balances, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, apr_pool_t *pool);

#endif
