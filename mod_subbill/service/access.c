/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/access.h"

#include <string.h>

static int plan_of(const sb_catalog_t *catalog, bool livemode,
                   const sb_snapshot_row_t *row)
{
    const sb_plan_clues_t clues = {
        .price = row->price,
        .remembered = row->plan,
        .product = row->product,
    };

    return sb_catalog_map(catalog, livemode, &clues);
}

void sb_access_snapshot(sb_snapshot_t *snapshot, const sb_catalog_t *catalog,
                        bool livemode, const sb_snapshot_rows_t *rows, apr_pool_t *pool)
{
    sb_grant_t *grants = apr_pcalloc(pool, sizeof(*grants) * ((apr_size_t)rows->n + 1));

    for (int i = 0; i < rows->n; i++) {
        grants[i].plan = plan_of(catalog, livemode, &rows->rows[i]);
        grants[i].standing = rows->rows[i].standing;
    }
    *snapshot = (sb_snapshot_t){
        .account_known = rows->account_known, .grants = grants, .n = rows->n};
}

typedef struct load_t {
    const char *user;
    bool livemode;
    sb_snapshot_rows_t rows;
} load_t;

static apr_status_t load(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    load_t *work = baton;

    return sb_snapshot_read(&work->rows, conn, work->user, work->livemode, pool);
}

sb_status_e sb_access_load(sb_snapshot_t **snapshot, sb_result_t *result,
                           sb_service_t *service, const char *user, apr_pool_t *pool)
{
    load_t work = {.user = user, .livemode = service->settings->live};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_GATE, load, &work, result, pool);

    *snapshot = NULL;
    if (status == SB_OK) {
        *snapshot = apr_palloc(pool, sizeof(**snapshot));
        sb_access_snapshot(*snapshot, service->catalog, work.livemode, &work.rows, pool);
    }
    return status;
}
