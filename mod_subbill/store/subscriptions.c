/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/subscriptions.h"

#include "sb_statements.h"
#include "store/turns.h"

#include <apr_strings.h>
#include <string.h>

static sb_subscription_t from_row(const sb_row_subscription_t *row)
{
    return (sb_subscription_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .user = row->user,
        .customer = row->customer,
        .status = sb_subscription_status(row->status),
        .status_text = row->status,
        .plan = row->plan,
        .price = row->price,
        .product = row->product,
        .currency = row->currency,
        .interval = row->interval,
        .interval_count = (int)row->interval_count,
        .amount = row->amount,
        .quantity = row->quantity,
        .created = row->created_at,
        .current_period_start = row->current_period_start,
        .current_period_end = row->current_period_end,
        .trial_start = row->trial_start,
        .trial_end = row->trial_end,
        .cancel_at = row->cancel_at,
        .cancel_at_period_end = row->cancel_at_period_end != 0,
        .canceled_at = row->canceled_at,
        .ended_at = row->ended_at,
        .past_due_since = row->past_due_since,
        .pause_collection = row->pause_collection,
        .latest_invoice = row->latest_invoice,
        .event_created = row->event_created,
        .event_id = row->event_id,
        .source = row->source,
        .disputed = row->disputed != 0,
    };
}

static apr_status_t read_items(sb_subscription_t *sub, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_row_subscription_item_list_t *rows;
    int n;

    apr_status_t rv =
        sb_sql_subscription_item_list(&rows, &n, conn, sub->id, sub->livemode, pool);
    if (rv || !n) {
        return rv;
    }
    sb_subscription_item_t *items = apr_pcalloc(pool, sizeof(*items) * (apr_size_t)n);
    for (int i = 0; i < n; i++) {
        items[i] = (sb_subscription_item_t){
            .id = rows[i].id,
            .price = rows[i].price,
            .product = rows[i].product,
            .currency = rows[i].currency,
            .interval = rows[i].interval,
            .interval_count = (int)rows[i].interval_count,
            .amount = rows[i].amount,
            .quantity = rows[i].quantity,
            .period_start = rows[i].period_start,
            .period_end = rows[i].period_end,
            .lookup_key = rows[i].lookup_key,
            .remembered = rows[i].remembered,
        };
    }
    sub->items = items;
    sub->items_n = n;
    return APR_SUCCESS;
}

static apr_status_t one(sb_subscription_t **sub, sb_conn_t *conn,
                        const sb_row_subscription_t *rows, int n, apr_pool_t *pool)
{
    *sub = NULL;
    if (!n) {
        return APR_SUCCESS;
    }
    sb_subscription_t *found = apr_palloc(pool, sizeof(*found));
    *found = from_row(rows);
    apr_status_t rv = read_items(found, conn, pool);
    if (!rv) {
        *sub = found;
    }
    return rv;
}

apr_status_t sb_subscription_lock(sb_subscription_t **sub, sb_conn_t *conn,
                                  const char *id, bool livemode, apr_pool_t *pool)
{
    const sb_row_subscription_t *rows;
    int n;
    apr_status_t rv = sb_sql_subscription_lock(&rows, &n, conn, id, livemode, pool);

    if (!rv && !n) {
        rv = sb_turn_take(conn, id, pool);
        if (!rv) {
            rv = sb_sql_subscription_lock(&rows, &n, conn, id, livemode, pool);
        }
    }
    return rv ? rv : one(sub, conn, rows, n, pool);
}

apr_status_t sb_subscription_get(sb_subscription_t **sub, sb_conn_t *conn, const char *id,
                                 bool livemode, apr_pool_t *pool)
{
    const sb_row_subscription_t *rows;
    int n;
    apr_status_t rv = sb_sql_subscription_by_id(&rows, &n, conn, id, livemode, pool);

    return rv ? rv : one(sub, conn, rows, n, pool);
}

static apr_status_t save_items(sb_conn_t *conn, const sb_subscription_t *sub,
                               apr_pool_t *pool)
{
    apr_status_t rv =
        sb_sql_subscription_item_clear(NULL, conn, sub->id, sub->livemode, pool);

    for (int i = 0; i < sub->items_n && !rv; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        /* before items had ids of their own, a subscription had one price */
        const char *id =
            item->id ? item->id : apr_psprintf(pool, "%.240s/%d", sub->id, i);
        rv = sb_sql_subscription_item_insert(
            NULL, conn, id, sub->livemode, sub->id, i, item->price, item->product,
            item->currency, item->interval, item->interval_count, item->amount,
            item->quantity, item->period_start, item->period_end, pool);
    }
    return rv;
}

apr_status_t sb_subscription_save(sb_conn_t *conn, const sb_subscription_t *sub,
                                  apr_int64_t now, apr_pool_t *pool)
{
    const char *status =
        sub->status_text ? sub->status_text : sb_subscription_status_word(sub->status);

    apr_status_t rv = sb_sql_subscription_save(
        NULL, conn, sub->id, sub->livemode, sub->user, sub->customer, status, sub->plan,
        sub->price, sub->product, sub->currency, sub->interval, sub->interval_count,
        sub->amount, sub->quantity, sub->created, sub->current_period_start,
        sub->current_period_end, sub->trial_start, sub->trial_end, sub->cancel_at,
        sub->cancel_at_period_end, sub->canceled_at, sub->ended_at, sub->past_due_since,
        sub->pause_collection, sub->latest_invoice, sub->event_created, sub->event_id,
        sub->source, now, pool);
    if (!rv) {
        rv = save_items(conn, sub, pool);
    }
    if (!rv && sub->user) {
        sb_epoch_touch(conn, sub->user);
    }
    return rv;
}

apr_status_t sb_subscription_set_disputed(sb_conn_t *conn, const char *id, bool livemode,
                                          bool disputed, const char *user,
                                          apr_pool_t *pool)
{
    apr_status_t rv =
        sb_sql_subscription_set_disputed(NULL, conn, id, livemode, disputed, pool);

    if (!rv && user) {
        sb_epoch_touch(conn, user);
    }
    return rv;
}

apr_status_t sb_subscription_of_customer(const char *const **ids, int *n, sb_conn_t *conn,
                                         const char *customer, bool livemode,
                                         apr_pool_t *pool)
{
    const sb_row_name_t *rows;
    apr_status_t rv =
        sb_sql_subscription_by_customer(&rows, n, conn, customer, livemode, pool);

    *ids = NULL;
    if (rv || !*n) {
        return rv;
    }
    const char **out = apr_palloc(pool, sizeof(*out) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        out[i] = rows[i].name;
    }
    *ids = out;
    return APR_SUCCESS;
}

/* Rows come for all subscriptions at once; each takes its own. */
static void deal_items(sb_subscription_t *subs, int n,
                       const sb_row_subscription_item_by_user_t *rows, int rows_n,
                       apr_pool_t *pool)
{
    sb_subscription_item_t *items =
        apr_pcalloc(pool, sizeof(*items) * (apr_size_t)(rows_n + 1));

    for (int i = 0; i < n; i++) {
        subs[i].items = items;
        for (int k = 0; k < rows_n; k++) {
            if (strcmp(rows[k].subscription, subs[i].id)) {
                continue;
            }
            *items++ = (sb_subscription_item_t){
                .id = rows[k].id,
                .price = rows[k].price,
                .product = rows[k].product,
                .currency = rows[k].currency,
                .interval = rows[k].interval,
                .interval_count = (int)rows[k].interval_count,
                .amount = rows[k].amount,
                .quantity = rows[k].quantity,
                .period_start = rows[k].period_start,
                .period_end = rows[k].period_end,
                .lookup_key = rows[k].lookup_key,
                .remembered = rows[k].remembered,
            };
            subs[i].items_n++;
        }
    }
}

apr_status_t sb_subscription_list(sb_subscription_t **subs, int *n, sb_conn_t *conn,
                                  const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_subscription_item_by_user_t *items;
    const sb_row_subscription_t *rows;
    int rows_n, items_n;

    *subs = NULL;
    *n = 0;
    apr_status_t rv =
        sb_sql_subscription_by_user(&rows, &rows_n, conn, user, livemode, pool);
    if (rv || !rows_n) {
        return rv;
    }
    rv = sb_sql_subscription_item_by_user(&items, &items_n, conn, user, livemode, pool);
    if (rv) {
        return rv;
    }
    sb_subscription_t *found = apr_palloc(pool, sizeof(*found) * (apr_size_t)rows_n);
    for (int i = 0; i < rows_n; i++) {
        found[i] = from_row(&rows[i]);
    }
    deal_items(found, rows_n, items, items_n, pool);
    *subs = found;
    *n = rows_n;
    return APR_SUCCESS;
}

apr_status_t sb_subscription_open_after(sb_subscription_place_t **subs, int *n,
                                        sb_conn_t *conn, bool livemode,
                                        const sb_subscription_place_t *place,
                                        apr_int64_t oldest, int limit, apr_pool_t *pool)
{
    const sb_row_subscription_open_after_t *rows;

    *subs = NULL;
    *n = 0;
    apr_status_t rv = sb_sql_subscription_open_after(
        &rows, n, conn, livemode, oldest, place->created, place->id, limit, pool);
    if (rv || !*n) {
        return rv;
    }
    *subs = apr_palloc(pool, sizeof(**subs) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        (*subs)[i] =
            (sb_subscription_place_t){.created = rows[i].created_at, .id = rows[i].id};
    }
    return APR_SUCCESS;
}
