/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/prices.h"

#include "sb_statements.h"
#include "store/turns.h"

static sb_price_t *price_from_row(const sb_row_price_t *row, apr_pool_t *pool)
{
    sb_price_t *price = apr_palloc(pool, sizeof(*price));

    *price = (sb_price_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .product = row->product,
        .plan = row->plan,
        .currency = row->currency,
        .amount = row->amount,
        .interval = row->interval,
        .interval_count = (int)row->interval_count,
        .active = row->active != 0,
        .lookup_key = row->lookup_key,
        .source = row->source,
        .updated_at = row->updated_at,
    };
    return price;
}

apr_status_t sb_price_get(sb_price_t **price, sb_conn_t *conn, const char *id,
                          bool livemode, apr_pool_t *pool)
{
    const sb_row_price_t *row;
    int n;

    apr_status_t rv = sb_sql_price_by_id(&row, &n, conn, id, livemode, pool);
    *price = rv || !n ? NULL : price_from_row(row, pool);
    return rv;
}

apr_status_t sb_price_lock(sb_price_t **price, sb_conn_t *conn, const char *id,
                           bool livemode, apr_pool_t *pool)
{
    const sb_row_price_t *row;
    int n;

    apr_status_t rv = sb_sql_price_lock(&row, &n, conn, id, livemode, pool);
    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_price_lock(&row, &n, conn, id, livemode, pool);
        }
    }
    *price = rv || !n ? NULL : price_from_row(row, pool);
    return rv;
}

apr_status_t sb_price_save(sb_conn_t *conn, const sb_price_t *price, apr_pool_t *pool)
{
    return sb_sql_price_save(NULL, conn, price->id, price->livemode, price->product,
                             price->plan, price->currency, price->amount, price->interval,
                             price->interval_count, price->active, price->lookup_key,
                             price->source, price->updated_at, pool);
}

static sb_product_t *product_from_row(const sb_row_product_t *row, apr_pool_t *pool)
{
    sb_product_t *product = apr_palloc(pool, sizeof(*product));

    *product = (sb_product_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .name = row->name,
        .plan = row->plan,
        .active = row->active != 0,
        .source = row->source,
        .updated_at = row->updated_at,
    };
    return product;
}

apr_status_t sb_product_get(sb_product_t **product, sb_conn_t *conn, const char *id,
                            bool livemode, apr_pool_t *pool)
{
    const sb_row_product_t *row;
    int n;

    apr_status_t rv = sb_sql_product_by_id(&row, &n, conn, id, livemode, pool);
    *product = rv || !n ? NULL : product_from_row(row, pool);
    return rv;
}

apr_status_t sb_product_lock(sb_product_t **product, sb_conn_t *conn, const char *id,
                             bool livemode, apr_pool_t *pool)
{
    const sb_row_product_t *row;
    int n;

    apr_status_t rv = sb_sql_product_lock(&row, &n, conn, id, livemode, pool);
    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_product_lock(&row, &n, conn, id, livemode, pool);
        }
    }
    *product = rv || !n ? NULL : product_from_row(row, pool);
    return rv;
}

apr_status_t sb_product_save(sb_conn_t *conn, const sb_product_t *product,
                             apr_pool_t *pool)
{
    return sb_sql_product_save(NULL, conn, product->id, product->livemode, product->name,
                               product->plan, product->active, product->source,
                               product->updated_at, pool);
}
