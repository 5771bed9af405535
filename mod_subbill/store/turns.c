/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/turns.h"

#include "sb_statements.h"
#include "store/epochs.h"

enum { TURNS = 256 };

apr_status_t sb_turn_take(sb_conn_t *conn, const char *object, apr_pool_t *pool)
{
    const sb_row_turn_t *rows;
    int n;

    return sb_sql_turn_take(&rows, &n, conn, sb_epoch_slot(object) % TURNS, pool);
}
