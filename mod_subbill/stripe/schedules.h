/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_SCHEDULES_H
#define SB_STRIPE_SCHEDULES_H

#include "stripe/client.h"

/* Subscription schedules: what will become of a subscription at the end of its period
 * (docs.stripe.com/billing/subscriptions/subscription-schedules). Failures and the lifetime of *schedule:
 * as sb_stripe_call(), and SB_INVALID "bad_id". */

/* One that goes on with the subscription as it is. */
sb_status_e sb_stripe_schedule_create(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *subscription,
                                      const char *key, apr_pool_t *pool);

sb_status_e sb_stripe_schedule_retrieve(json_t **schedule, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        apr_pool_t *pool);

/* What is until, and what comes then and stays: the same but for one item. Items, discounts, tax rates and
 * settings of the running phase go on in both; what is not repeated Stripe would drop, but for what the schedule has
 * as default_settings. The schedule lets go of the subscription
 * after one interval of the new price. */
typedef struct sb_stripe_phases_t {
    const json_t *running; /* the schedule's phase that runs, as Stripe told it */
    apr_int64_t until;
    bool trial;            /* the running phase is a trial */
    const char *old_price; /* of the item that is replaced */
    const char *price;
    apr_int64_t quantity;
    const char *interval; /* of the new price: "month" */
    int interval_count;
} sb_stripe_phases_t;

sb_status_e sb_stripe_schedule_update(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *id,
                                      const sb_stripe_phases_t *phases, const char *key,
                                      apr_pool_t *pool);

/* The subscription goes on as it is, nothing is planned any more. */
sb_status_e sb_stripe_schedule_release(json_t **schedule, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *id,
                                       const char *key, apr_pool_t *pool);

#endif
