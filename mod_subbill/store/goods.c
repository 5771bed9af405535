/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/goods.h"

#include "sb_statements.h"

#include <string.h>

static const char owned_word[] = "owned", returned_word[] = "returned";

apr_status_t sb_purchase_owned(bool *owned, sb_conn_t *conn, const char *user,
                               const char *sku, bool livemode, apr_pool_t *pool)
{
    const sb_row_number_t *rows;
    int n;
    apr_status_t rv = sb_sql_purchase_owned(&rows, &n, conn, user, sku, livemode, pool);

    *owned = !rv && n && rows[0].n > 0;
    return rv;
}

apr_status_t sb_purchase_put(sb_conn_t *conn, const char *user,
                             const sb_purchase_t *purchase, bool livemode,
                             apr_pool_t *pool)
{
    sb_epoch_touch(conn, user);
    return sb_sql_purchase_put(NULL, conn, user, purchase->sku, livemode,
                               purchase->owned ? owned_word : returned_word,
                               purchase->changed_at, pool);
}

apr_status_t sb_purchase_list(sb_purchase_t **purchases, int *n, sb_conn_t *conn,
                              const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_purchase_list_t *rows;
    apr_status_t rv = sb_sql_purchase_list(&rows, n, conn, user, livemode, pool);

    *purchases = NULL;
    if (rv) {
        *n = 0;
        return rv;
    }
    sb_purchase_t *list = apr_pcalloc(pool, sizeof(*list) * ((apr_size_t)*n + 1));
    for (int i = 0; i < *n; i++) {
        list[i] = (sb_purchase_t){.sku = rows[i].sku,
                                  .owned = strcmp(rows[i].state, owned_word) == 0,
                                  .changed_at = rows[i].changed_at};
    }
    *purchases = list;
    return APR_SUCCESS;
}

apr_status_t sb_balance_units(apr_int64_t *units, sb_conn_t *conn, const char *user,
                              const char *meter, bool livemode, apr_pool_t *pool)
{
    const sb_row_number_t *rows;
    int n;
    apr_status_t rv = sb_sql_balance_units(&rows, &n, conn, user, meter, livemode, pool);

    *units = !rv && n ? rows[0].n : 0;
    return rv;
}

apr_status_t sb_balance_put(sb_conn_t *conn, const char *user,
                            const sb_balance_t *balance, bool livemode, apr_pool_t *pool)
{
    return sb_sql_balance_put(NULL, conn, user, balance->meter, livemode, balance->units,
                              balance->changed_at, pool);
}

apr_status_t sb_balance_list(sb_balance_t **balances, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_balance_list_t *rows;
    apr_status_t rv = sb_sql_balance_list(&rows, n, conn, user, livemode, pool);

    *balances = NULL;
    if (rv) {
        *n = 0;
        return rv;
    }
    sb_balance_t *list = apr_pcalloc(pool, sizeof(*list) * ((apr_size_t)*n + 1));
    for (int i = 0; i < *n; i++) {
        list[i] = (sb_balance_t){.meter = rows[i].meter,
                                 .units = rows[i].units,
                                 .changed_at = rows[i].changed_at};
    }
    *balances = list;
    return APR_SUCCESS;
}
