/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/actions.h"

#include "sb_statements.h"

apr_status_t sb_action_count(apr_int64_t *n, sb_conn_t *conn, const char *subscription,
                             bool livemode, apr_pool_t *pool)
{
    const sb_row_action_count_t *rows;
    int rows_n;
    apr_status_t rv =
        sb_sql_action_count(&rows, &rows_n, conn, subscription, livemode, pool);

    *n = rv == APR_SUCCESS && rows_n ? rows->n : 0;
    return rv;
}

apr_status_t sb_action_last(sb_action_row_t **row, sb_conn_t *conn,
                            const char *subscription, bool livemode, apr_pool_t *pool)
{
    const sb_row_action_last_t *found;
    int n;
    apr_status_t rv = sb_sql_action_last(&found, &n, conn, subscription, livemode, pool);

    *row = NULL;
    if (rv || !n) {
        return rv;
    }
    *row = apr_palloc(pool, sizeof(**row));
    **row = (sb_action_row_t){
        .id = found->id,
        .livemode = livemode,
        .user = found->user,
        .subscription = subscription,
        .kind = found->kind,
        .wish = found->wish,
        .state = found->state,
        .code = found->code,
        .created_at = found->created_at,
        .ended_at = found->ended_at,
    };
    return APR_SUCCESS;
}

apr_status_t sb_action_insert(sb_conn_t *conn, const sb_action_row_t *row,
                              apr_pool_t *pool)
{
    return sb_sql_action_insert(NULL, conn, row->id, row->livemode, row->user,
                                row->subscription, row->kind, row->wish, row->number,
                                row->created_at, pool);
}

apr_status_t sb_action_finish(sb_conn_t *conn, const char *id, const char *state,
                              const char *code, apr_int64_t now, apr_pool_t *pool)
{
    return sb_sql_action_end(NULL, conn, id, state, code, now, pool);
}
