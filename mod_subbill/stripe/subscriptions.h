/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_SUBSCRIPTIONS_H
#define SB_STRIPE_SUBSCRIPTIONS_H

#include "stripe/client.h"

/* What may be done to a subscription (docs.stripe.com/api/subscriptions). Each answers with the
 * subscription as it is afterwards. Failures and the lifetime of *sub: as sb_stripe_call(), and
 * SB_INVALID "bad_id". */

/* At the end of the period, or not after all. */
sb_status_e sb_stripe_subscription_plan_end(json_t **sub, sb_result_t *result,
                                            sb_stripe_t *stripe, const char *id,
                                            bool at_period_end, const char *key,
                                            apr_pool_t *pool);

/* Takes a cancellation back that was set to a day of its own. */
sb_status_e sb_stripe_subscription_clear_end(json_t **sub, sb_result_t *result,
                                             sb_stripe_t *stripe, const char *id,
                                             const char *key, apr_pool_t *pool);

/* Now, without a refund. */
sb_status_e sb_stripe_subscription_cancel(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          apr_pool_t *pool);

/* Status paused: it grants nothing and no invoices are made; what was paid for and is not used is
 * credited on the next invoice. */
sb_status_e sb_stripe_subscription_pause(json_t **sub, sb_result_t *result,
                                         sb_stripe_t *stripe, const char *id,
                                         const char *key, apr_pool_t *pool);

/* Out of paused, into a new period that is invoiced now. */
sb_status_e sb_stripe_subscription_resume(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          const char *key, apr_pool_t *pool);

/* Ends pause_collection, the older kind of pause: invoices are collected again. */
sb_status_e sb_stripe_subscription_collect(json_t **sub, sb_result_t *result,
                                           sb_stripe_t *stripe, const char *id,
                                           const char *key, apr_pool_t *pool);

/* Another price or quantity for one item. */
typedef struct sb_stripe_switch_t {
    const char *item; /* si_… */
    const char *price;
    apr_int64_t quantity;
    apr_int64_t proration_date; /* as though it were made then; 0: now */
    bool end_trial;             /* now; else it goes on with the new price */
} sb_stripe_switch_t;

/* Now; the difference is invoiced and paid at once, and if that fails nothing changes until it is paid
 * (pending_update). */
sb_status_e sb_stripe_subscription_switch(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          const sb_stripe_switch_t *to, const char *key,
                                          apr_pool_t *pool);

#endif
