/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/snapshots.h"

#include "sb_statements.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

enum { KEYS_BYTES_MAX = 16384 }; /* group_concat_max_len in sql/queries/session.sql */

/* The select tells all keys in one column, a line each. One that is as long as MySQL makes them may have been cut:
 * its last line is no key then. */
static void read_keys(sb_snapshot_rows_t *snapshot, const char *lines, apr_pool_t *pool)
{
    apr_array_header_t *keys;
    char *rest;

    if (!lines) {
        return;
    }
    snapshot->entitlements_cut = strlen(lines) >= KEYS_BYTES_MAX;
    keys = apr_array_make(pool, 8, sizeof(const char *));
    for (char *key = apr_strtok(apr_pstrdup(pool, lines), "\n", &rest); key;
         key = apr_strtok(NULL, "\n", &rest)) {
        APR_ARRAY_PUSH(keys, const char *) = key;
    }
    if (snapshot->entitlements_cut) {
        apr_array_pop(keys);
    }
    snapshot->entitlements = (const char *const *)keys->elts;
    snapshot->entitlements_n = keys->nelts;
}

apr_status_t sb_snapshot_read(sb_snapshot_rows_t *snapshot, sb_conn_t *conn,
                              const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_snapshot_t *rows;
    int n;

    *snapshot = (sb_snapshot_rows_t){.account_known = false};
    apr_status_t rv = sb_sql_snapshot(&rows, &n, conn, user, livemode, pool);
    if (rv || !n) {
        return rv;
    }
    snapshot->account_known = true;
    snapshot->read_at = rows[0].now;
    read_keys(snapshot, rows[0].entitlements, pool);
    if (!rows[0].id) { /* the account's own row of the outer join */
        return APR_SUCCESS;
    }
    sb_snapshot_row_t *out = apr_palloc(pool, sizeof(*out) * (apr_size_t)n);
    for (int i = 0; i < n; i++) {
        out[i] = (sb_snapshot_row_t){
            .id = rows[i].id,
            .plan = rows[i].plan,
            .price = rows[i].price,
            .product = rows[i].product,
            .leading = rows[i].leading != 0,
            .lookup_key = rows[i].lookup_key,
            .remembered = rows[i].remembered,
            .status_text = rows[i].status,
            .standing =
                {
                    .status = sb_subscription_status(rows[i].status),
                    .current_period_end = rows[i].item_end > 0
                                              ? rows[i].item_end
                                              : rows[i].current_period_end,
                    .trial_end = rows[i].trial_end,
                    .cancel_at = rows[i].cancel_at,
                    .cancel_at_period_end = rows[i].cancel_at_period_end != 0,
                    .past_due_since = rows[i].past_due_since,
                    .hold = rows[i].disputed ? SB_REASON_DISPUTED : SB_REASON_OK,
                },
            .currency = rows[i].currency,
            .interval = rows[i].interval,
            .amount = rows[i].amount,
            .quantity = rows[i].quantity,
            .current_period_start = rows[i].current_period_start,
            .ended_at = rows[i].ended_at,
            .pause_collection = rows[i].pause_collection,
        };
    }
    snapshot->rows = out;
    snapshot->n = n;
    return APR_SUCCESS;
}
