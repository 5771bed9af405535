/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_ACCOUNT_H
#define SB_SERVICE_ACCOUNT_H

#include "domain/entitlement.h"
#include "service/service.h"
#include "store/invoices.h"
#include "store/memberships.h"
#include "store/planned.h"
#include "store/trials.h"

/* What a user sees about himself. */

typedef struct sb_held_t {
    const sb_subscription_t *sub;
    const sb_catalog_plan_t *plan;   /* NULL: its price belongs to no plan */
    const sb_catalog_price_t *price; /* NULL: not in the catalogue (any more) */
    sb_access_t access;
    apr_int64_t ends_at; /* 0: it renews */
    int days_remaining;
    const sb_invoice_t *unpaid;  /* the invoice that waits to be paid, or NULL */
    const sb_planned_t *planned; /* the change at the end of the period, or NULL */
} sb_held_t;

typedef struct sb_account_view_t {
    const char *user;
    const char *email;    /* or NULL */
    const char *customer; /* living one, or NULL: no portal */
    bool known;           /* there is an account row */
    const char *const
        *entitlements; /* lookup keys that Stripe keeps for the user's customers */
    int entitlements_n;
    sb_holding_t holding;  /* as the gate sees it */
    const sb_held_t *held; /* not over first, then newest first */
    int held_n;
    const sb_held_t *main;        /* what GET subscription tells; NULL: never bought */
    const sb_invoice_t *invoices; /* newest first, at most 12 */
    int invoices_n;
    const sb_membership_t *memberships; /* free plans */
    int memberships_n;
    bool had_trial;          /* once per user, for ever: there will not be another */
    const sb_trial_t *trial; /* what is written about it, or NULL */
} sb_account_view_t;

/* Since when the user has this free plan; 0: not written down. */
apr_int64_t sb_account_member_since(const sb_account_view_t *view, const char *plan);

/* grace_days: SubbillGrace where the question is asked. An unknown user is SB_OK with nothing held. */
sb_status_e sb_account_load(sb_account_view_t **view, sb_result_t *result,
                            sb_service_t *service, const char *user, int grace_days,
                            apr_pool_t *pool);

/* The answer of GET subscription, owned by pool. Fields, null where there is nothing to tell:
 * user, active (the door of "any" is open), plan (key of the best plan held, free ones too), status
 * (Stripe's word), reason, price (id), currency, interval ("month"), current_period_start,
 * current_period_end, cancel_at, trial_end (Unix seconds), days_remaining, entitlements (keys), free
 * (the plan is), since (when the plan began), subscription (id), quantity, pay_url (where an open invoice
 * is paid), planned (the change at the end of the period: plan, price, quantity, effective_at). */
json_t *sb_account_json(const sb_account_view_t *view, const sb_catalog_t *catalog,
                        apr_pool_t *pool);

#endif
