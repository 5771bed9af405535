/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/checkouts.h"

#include "sb_statements.h"

#include <string.h>

static const char *const words[] = {
    [SB_CHECKOUT_OPEN] = "open",
    [SB_CHECKOUT_COMPLETE] = "complete",
    [SB_CHECKOUT_EXPIRED] = "expired",
    [SB_CHECKOUT_FAILED] = "failed",
};

static sb_checkout_state_e state_of(const char *word)
{
    for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++) {
        if (word && !strcmp(words[i], word)) {
            return (sb_checkout_state_e)i;
        }
    }
    return SB_CHECKOUT_FAILED;
}

static sb_checkout_t *from_row(const sb_row_checkout_t *row, apr_pool_t *pool)
{
    sb_checkout_t *checkout = apr_palloc(pool, sizeof(*checkout));

    *checkout = (sb_checkout_t){
        .id = row->id,
        .session = row->session,
        .livemode = row->livemode != 0,
        .user = row->user,
        .plan = row->plan,
        .price = row->price,
        .quantity = row->quantity,
        .mode = row->mode,
        .success_url = row->success_url,
        .cancel_url = row->cancel_url,
        .url = row->url,
        .idempotency_key = row->idempotency_key,
        .state = state_of(row->state),
        .created_at = row->created_at,
        .expires_at = row->expires_at,
        .completed_at = row->completed_at,
        .customer = row->customer,
        .subscription = row->subscription,
    };
    return checkout;
}

apr_status_t sb_checkout_insert(sb_conn_t *conn, const sb_checkout_t *checkout,
                                apr_pool_t *pool)
{
    return sb_sql_checkout_insert(
        NULL, conn, checkout->id, checkout->livemode, checkout->user, checkout->plan,
        checkout->price, checkout->quantity, checkout->mode, checkout->success_url,
        checkout->cancel_url, checkout->idempotency_key, checkout->created_at,
        checkout->expires_at, checkout->customer, pool);
}

apr_status_t sb_checkout_by_id(sb_checkout_t **checkout, sb_conn_t *conn, const char *id,
                               apr_pool_t *pool)
{
    const sb_row_checkout_t *rows;
    int n;
    apr_status_t rv = sb_sql_checkout_by_id(&rows, &n, conn, id, pool);

    *checkout = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

apr_status_t sb_checkout_by_session(sb_checkout_t **checkout, sb_conn_t *conn,
                                    const char *session, apr_pool_t *pool)
{
    const sb_row_checkout_t *rows;
    int n;
    apr_status_t rv = sb_sql_checkout_by_session(&rows, &n, conn, session, pool);

    *checkout = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

apr_status_t sb_checkout_set_session(sb_conn_t *conn, const char *id, const char *session,
                                     const char *url, const char *customer,
                                     apr_int64_t expires_at, apr_pool_t *pool)
{
    return sb_sql_checkout_set_session(NULL, conn, id, session, url, customer, expires_at,
                                       pool);
}

apr_status_t sb_checkout_complete(bool *changed, sb_conn_t *conn, const char *id,
                                  const char *customer, const char *subscription,
                                  apr_int64_t now, apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv =
        sb_sql_checkout_complete(&affected, conn, id, customer, subscription, now, pool);

    if (changed) {
        *changed = affected > 0;
    }
    return rv;
}

apr_status_t sb_checkout_close(sb_conn_t *conn, const char *id, sb_checkout_state_e state,
                               apr_pool_t *pool)
{
    return sb_sql_checkout_close(NULL, conn, id, words[state], pool);
}

apr_status_t sb_checkout_turn(sb_conn_t *conn, const char *user, apr_pool_t *pool)
{
    const sb_row_name_t *names;
    int n;

    return sb_sql_account_lock(&names, &n, conn, user, pool);
}

apr_status_t sb_checkout_rivals(const sb_checkout_t ***rivals, int *n, sb_conn_t *conn,
                                const sb_checkout_t *checkout, apr_int64_t now,
                                apr_pool_t *pool)
{
    const sb_row_checkout_t *rows;

    *rivals = NULL;
    apr_status_t rv =
        sb_sql_checkout_rivals(&rows, n, conn, checkout->id, checkout->user,
                               checkout->livemode, checkout->mode, now, pool);
    if (rv) {
        return rv;
    }
    *rivals = apr_palloc(pool, sizeof(**rivals) * ((apr_size_t)*n + 1));
    for (int i = 0; i < *n; i++) {
        (*rivals)[i] = from_row(&rows[i], pool);
    }
    return APR_SUCCESS;
}
