/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PRICES_H
#define SB_STORE_PRICES_H

#include <stdbool.h>

#include "store/db.h"

/* What Stripe told about prices and products. Rows are never deleted: an archived price still says
 * which plan its old subscribers hold. */

typedef struct sb_price_t {
    const char *id;
    bool livemode;
    const char *product;
    const char *plan; /* our plan, or NULL when nothing maps it */
    const char *currency;
    apr_int64_t amount; /* minor units */
    const char *interval;
    int interval_count;
    bool active;
    const char *lookup_key; /* or NULL */
    const char *source;     /* or NULL */
    apr_int64_t updated_at;
} sb_price_t;

typedef struct sb_product_t {
    const char *id;
    bool livemode;
    const char *name;
    const char *plan; /* metadata subbill_plan, or NULL */
    bool active;
    const char *source;
    apr_int64_t updated_at;
} sb_product_t;

apr_status_t sb_price_get(sb_price_t **price, sb_conn_t *conn, const char *id,
                          bool livemode, apr_pool_t *pool);
/* The same for a decision that a save will follow: the row, or the place of a row that does not exist yet,
 * is locked until the transaction ends. */
apr_status_t sb_price_lock(sb_price_t **price, sb_conn_t *conn, const char *id,
                           bool livemode, apr_pool_t *pool);
/* Inserts or replaces; a NULL plan, product or lookup_key keeps the stored one. */
apr_status_t sb_price_save(sb_conn_t *conn, const sb_price_t *price, apr_pool_t *pool);

apr_status_t sb_product_get(sb_product_t **product, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool);
/* As sb_price_lock(). */
apr_status_t sb_product_lock(sb_product_t **product, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool);
/* Inserts or replaces; a NULL plan keeps the stored one. */
apr_status_t sb_product_save(sb_conn_t *conn, const sb_product_t *product,
                             apr_pool_t *pool);

#endif
