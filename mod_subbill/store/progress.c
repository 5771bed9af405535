/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/progress.h"

#include "sb_statements.h"

apr_status_t sb_progress_get(sb_progress_t *progress, sb_conn_t *conn, const char *name,
                             bool livemode, apr_pool_t *pool)
{
    const sb_row_progress_t *rows;
    int n = 0;
    apr_status_t rv = sb_sql_progress_get(&rows, &n, conn, name, livemode, pool);

    *progress = (sb_progress_t){.value = NULL};
    if (!rv && n) {
        *progress = (sb_progress_t){.value = rows->value, .reached_at = rows->reached_at};
    }
    return rv;
}

apr_status_t sb_progress_set(sb_conn_t *conn, const char *name, bool livemode,
                             const char *value, apr_int64_t reached_at, apr_pool_t *pool)
{
    return sb_sql_progress_set(NULL, conn, name, livemode, value, reached_at, pool);
}
