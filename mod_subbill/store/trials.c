/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/trials.h"

#include "sb_statements.h"

apr_status_t sb_trial_get(sb_trial_t **trial, sb_conn_t *conn, const char *user,
                          bool livemode, apr_pool_t *pool)
{
    const sb_row_trial_by_user_t *row;
    int n;

    *trial = NULL;
    apr_status_t rv = sb_sql_trial_by_user(&row, &n, conn, user, livemode, pool);
    if (rv || !n) {
        return rv;
    }
    *trial = apr_palloc(pool, sizeof(**trial));
    **trial = (sb_trial_t){
        .user = row->user,
        .livemode = row->livemode != 0,
        .used_at = row->used_at,
        .plan = row->plan,
        .subscription = row->subscription,
        .source = row->source,
    };
    return APR_SUCCESS;
}

apr_status_t sb_trial_mark(bool *marked, sb_conn_t *conn, const sb_trial_t *trial,
                           apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv =
        sb_sql_trial_insert(&affected, conn, trial->user, trial->livemode, trial->used_at,
                            trial->plan, trial->subscription, trial->source, pool);

    if (marked) {
        *marked = affected == 1;
    }
    return rv;
}
