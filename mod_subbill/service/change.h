/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_CHANGE_H
#define SB_SERVICE_CHANGE_H

#include "domain/change.h"
#include "service/service.h"
#include "store/planned.h"

/* Another plan, interval, price or number of seats: now and prorated, or at the end of the period. */

#define SB_CHANGE_PRORATION_AGE 14400 /* seconds */

/* What is wanted, unchecked; what is not given stays as it is. */
typedef struct sb_change_request_t {
    const char *user;         /* required */
    const char *subscription; /* id; NULL: the one in the wanted plan's group */
    int grace_days;           /* SubbillGrace where it is asked */
    const char *plan;         /* key */
    const char *interval;     /* Stripe's word */
    const char *price;        /* id or lookup key */
    apr_int64_t quantity;     /* 0: not given */
    apr_int64_t
        proration_date; /* what a preview was made for, at most SB_CHANGE_PRORATION_AGE old; 0: now */
} sb_change_request_t;

/* What has been done; a second click is told what the first one did. */
typedef enum {
    SB_CHANGE_MADE,
    SB_CHANGE_PLANNED,
    SB_CHANGE_TAKEN_BACK
} sb_change_outcome_e;

/* What it comes to. */
typedef struct sb_change_t {
    sb_change_e kind;
    sb_change_outcome_e outcome; /* of sb_change_make() */
    bool now;
    bool ends_trial; /* the plan that is wanted gives none, or none so long */
    apr_int64_t effective_at;
    const sb_catalog_plan_t *from; /* NULL: belongs to none any more */
    const sb_catalog_plan_t *to;
    const sb_catalog_price_t *price; /* amount -1: unknown */
    bool
        own_price; /* Stripe's, kept as it is: the catalogue does not know it by its id */
    apr_int64_t quantity;
    const sb_planned_t *drops; /* what was planned before and gives way, or NULL */
    const char *currency;
    apr_int64_t proration_date; /* for which the amounts hold; 0: nothing is prorated */
    apr_int64_t amount_due_now; /* minor units, taxes and credits included */
    apr_int64_t
        proration; /* part of it that settles the running period; may be negative */
} sb_change_t;

/* Nothing is changed. With "no_change" *change tells what there is, of kind SB_CHANGE_NONE. Errors, also of
 * sb_change_make():
 *
 * SB_INVALID    "unknown_plan", "unknown_price", "free_plan", "contact_plan", "bad_quantity", "bad_request":
 *               nothing is wanted; "other_group": the plan replaces no plan of this user's
 * SB_NOT_FOUND  "no_subscription"
 * SB_CONFLICT   "no_change", "cancellation_planned", "subscription_gone", "subscription_changed", or the word of a
 *               status that forbids it
 * else          as sb_stripe_call() */
sb_status_e sb_change_preview(sb_change_t *change, sb_result_t *result,
                              sb_service_t *service, const sb_change_request_t *request,
                              apr_pool_t *pool);

/* Does it; *change without amounts. Whoever wants the plan that is running while another is planned drops
 * what was planned. SB_PAYMENT_REQUIRED "payment_incomplete": the card did not pay, and Stripe makes the
 * change as soon as the invoice is paid; what was planned is dropped, for it would undo the change then. What Stripe
 * refuses for good leaves what was planned. */
sb_status_e sb_change_make(sb_change_t *change, sb_result_t *result,
                           sb_service_t *service, const sb_change_request_t *request,
                           apr_pool_t *pool);

#endif
