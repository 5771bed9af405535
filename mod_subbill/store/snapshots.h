/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_SNAPSHOTS_H
#define SB_STORE_SNAPSHOTS_H

#include <stdbool.h>

#include "domain/subscription.h"
#include "store/db.h"

/* What the gate needs to know about a user, in one select. */

/* One item of one subscription. */
typedef struct sb_snapshot_row_t {
    const char *id;   /* of the subscription */
    const char *plan; /* the subscription's: catalogue key; NULL: maps to no plan */
    const char *price, *product; /* the item's */
    bool leading;                /* plan is about this item */
    const char *lookup_key;      /* of the price, or NULL */
    const char *remembered;      /* plan kept for the price or product, or NULL */
    const char *status_text;
    sb_standing_t standing; /* with the item's own period end; a pause is not judged */
    const char *currency, *interval;
    apr_int64_t amount, quantity;
    apr_int64_t current_period_start;
    apr_int64_t ended_at;
    const char *pause_collection; /* or NULL */
} sb_snapshot_row_t;

typedef struct sb_snapshot_rows_t {
    bool account_known;
    apr_int64_t read_at; /* by the database's clock; 0 without an account */
    const sb_snapshot_row_t
        *rows; /* the user's subscriptions, newest first, ended ones too */
    int n;
    const char *const
        *entitlements; /* lookup keys that Stripe keeps for the user's customers */
    int entitlements_n;
    bool entitlements_cut; /* there are more than one answer holds */
} sb_snapshot_rows_t;

apr_status_t sb_snapshot_read(sb_snapshot_rows_t *snapshot, sb_conn_t *conn,
                              const char *user, bool livemode, apr_pool_t *pool);

#endif
