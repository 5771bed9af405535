/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/entitlements.h"

#include "sb_statements.h"

apr_status_t sb_entitlement_replace(sb_conn_t *conn, const char *customer, bool livemode,
                                    const sb_entitlement_t *set, int n, apr_int64_t at,
                                    apr_pool_t *pool)
{
    apr_status_t rv = sb_sql_entitlement_clear(NULL, conn, customer, livemode, pool);

    for (int i = 0; !rv && i < n; i++) {
        rv = sb_sql_entitlement_insert(NULL, conn, customer, set[i].lookup_key, livemode,
                                       set[i].feature, pool);
    }
    return rv ? rv : sb_sql_entitlement_dated(NULL, conn, customer, livemode, at, pool);
}

static const char *const *names(const sb_row_name_t *rows, int n, apr_pool_t *pool)
{
    const char **out = apr_palloc(pool, sizeof(*out) * ((apr_size_t)n + 1));

    for (int i = 0; i < n; i++) {
        out[i] = rows[i].name;
    }
    return out;
}

apr_status_t sb_entitlement_of_customer(const char *const **keys, int *n, sb_conn_t *conn,
                                        const char *customer, bool livemode,
                                        apr_pool_t *pool)
{
    const sb_row_name_t *rows;
    apr_status_t rv =
        sb_sql_entitlement_by_customer(&rows, n, conn, customer, livemode, pool);

    *keys = rv ? NULL : names(rows, *n, pool);
    return rv;
}

apr_status_t sb_entitlement_of_user(const char *const **keys, int *n, sb_conn_t *conn,
                                    const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_name_t *rows;
    apr_status_t rv = sb_sql_entitlement_by_user(&rows, n, conn, user, livemode, pool);

    *keys = rv ? NULL : names(rows, *n, pool);
    return rv;
}

apr_status_t sb_entitlement_held(bool *held, sb_conn_t *conn, const char *user,
                                 const char *key, bool livemode, apr_pool_t *pool)
{
    const sb_row_number_t *rows;
    int n;
    apr_status_t rv = sb_sql_entitlement_held(&rows, &n, conn, user, key, livemode, pool);

    *held = !rv && n && rows[0].n > 0;
    return rv;
}
