/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/access.h"

#include "store/entitlements.h"
#include "store/goods.h"

#include <string.h>

static int plan_of(const sb_catalog_t *catalog, bool livemode,
                   const sb_snapshot_row_t *row)
{
    const sb_plan_clues_t clues = {
        .price = row->price,
        .lookup_key = row->lookup_key,
        .remembered = row->leading && row->plan ? row->plan : row->remembered,
        .product = row->product,
    };

    return sb_catalog_map(catalog, livemode, &clues);
}

void sb_access_pause(sb_standing_t *standing, const sb_catalog_t *catalog, int plan,
                     const char *pause_collection)
{
    const sb_catalog_plan_t *held = sb_catalog_plan_at(catalog, plan);

    if (pause_collection && held && held->pause_closes &&
        standing->hold == SB_REASON_OK) {
        standing->hold = SB_REASON_PAUSED;
    }
}

/* One grant per item: a subscription may hold plans of several groups. An extra that is no plan of
 * ours is no reason to refuse anything. */
void sb_access_snapshot(sb_snapshot_t *snapshot, const sb_catalog_t *catalog,
                        bool livemode, const sb_snapshot_rows_t *rows, apr_pool_t *pool)
{
    sb_grant_t *grants = apr_pcalloc(pool, sizeof(*grants) * ((apr_size_t)rows->n + 1));
    int n = 0;

    for (int i = 0; i < rows->n; i++) {
        int plan = plan_of(catalog, livemode, &rows->rows[i]);
        if (plan >= 0 || rows->rows[i].leading) {
            sb_grant_t *grant = &grants[n++];
            *grant = (sb_grant_t){.plan = plan, .standing = rows->rows[i].standing};
            sb_access_pause(&grant->standing, catalog, plan,
                            rows->rows[i].pause_collection);
        }
    }
    *snapshot = (sb_snapshot_t){.account_known = rows->account_known,
                                .read_at = rows->read_at,
                                .grants = grants,
                                .n = n,
                                .entitlements = rows->entitlements,
                                .entitlements_n = rows->entitlements_n,
                                .entitlements_cut = rows->entitlements_cut};
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int sb_access_plan(const sb_catalog_t *catalog, const sb_subscription_t *sub)
{
    sb_plan_clues_t clues = {
        .price = sub->price, .remembered = sub->plan, .product = sub->product};

    for (int i = 0; i < sub->items_n; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        if (same(item->price, sub->price)) {
            clues.lookup_key = item->lookup_key;
            clues.remembered = sub->plan ? sub->plan : item->remembered;
            break;
        }
    }
    return sb_catalog_map(catalog, sub->livemode, &clues);
}

int sb_access_item_plan(const sb_catalog_t *catalog, const sb_subscription_t *sub,
                        const sb_subscription_item_t *item)
{
    const sb_plan_clues_t clues = {
        .price = item->price,
        .lookup_key = item->lookup_key,
        .remembered = item->remembered,
        .product = item->product,
    };

    if (same(item->price, sub->price)) {
        return sb_access_plan(catalog, sub);
    }
    return item->quantity > 0 ? sb_catalog_map(catalog, sub->livemode, &clues) : -1;
}

bool sb_access_in_group(const sb_catalog_t *catalog, const sb_subscription_t *sub,
                        const char *group)
{
    const sb_catalog_plan_t *plan =
        sb_catalog_plan_at(catalog, sb_access_plan(catalog, sub));

    for (int i = 0; !(plan && same(plan->group, group)) && i < sub->items_n; i++) {
        plan = sb_catalog_plan_at(catalog,
                                  sb_access_item_plan(catalog, sub, &sub->items[i]));
    }
    return plan && same(plan->group, group);
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
                           sb_service_t *service, const char *user, int deadline_ms,
                           apr_pool_t *pool)
{
    load_t work = {.user = user, .livemode = service->settings->live};
    sb_status_e status = sb_db_read(service->db, deadline_ms, load, &work, result, pool);

    *snapshot = NULL;
    if (status == SB_OK) {
        *snapshot = apr_palloc(pool, sizeof(**snapshot));
        sb_access_snapshot(*snapshot, service->catalog, work.livemode, &work.rows, pool);
    }
    return status;
}

typedef struct owned_t {
    const char *user;
    sb_thing_e thing;
    const char *key;
    bool livemode;
    apr_int64_t units;
} owned_t;

static apr_status_t load_owned(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    owned_t *work = baton;
    bool owned = false;
    apr_status_t rv;

    if (work->thing == SB_THING_CREDIT) {
        return sb_balance_units(&work->units, conn, work->user, work->key, work->livemode,
                                pool);
    }
    rv =
        work->thing == SB_THING_PURCHASE
            ? sb_purchase_owned(&owned, conn, work->user, work->key, work->livemode, pool)
            : sb_entitlement_held(&owned, conn, work->user, work->key, work->livemode,
                                  pool);
    work->units = owned;
    return rv;
}

sb_status_e sb_access_owned(apr_int64_t *units, sb_result_t *result,
                            sb_service_t *service, const char *user, sb_thing_e thing,
                            const char *key, int deadline_ms, apr_pool_t *pool)
{
    owned_t work = {
        .user = user, .thing = thing, .key = key, .livemode = service->settings->live};
    sb_status_e status =
        sb_db_read(service->db, deadline_ms, load_owned, &work, result, pool);

    *units = work.units;
    return status;
}
